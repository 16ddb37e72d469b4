//! The field specs of one accumulation: the built-in ones plus those of `configurations`.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::{
    kustomize::{
        accumulate::limits,
        id::{ApiVersion, Gvk},
        report::Report,
        transform::fields::FieldSpec,
    },
    yaml::Node,
};

/// Field specs by transformer (kustomize `builtinconfig.TransformerConfig`).
#[derive(Debug, Clone, Default)]
pub(in crate::kustomize) struct Config {
    pub(in crate::kustomize) name_prefix: Vec<FieldSpec>,
    pub(in crate::kustomize) name_suffix: Vec<FieldSpec>,
    pub(in crate::kustomize) namespace: Vec<FieldSpec>,
    pub(in crate::kustomize) labels: Vec<FieldSpec>,
    pub(in crate::kustomize) template_labels: Vec<FieldSpec>,
    pub(in crate::kustomize) common_labels: Vec<FieldSpec>,
    pub(in crate::kustomize) common_annotations: Vec<FieldSpec>,
    pub(in crate::kustomize) images: Vec<FieldSpec>,
    pub(in crate::kustomize) replicas: Vec<FieldSpec>,
    pub(in crate::kustomize) vars: Vec<FieldSpec>,
    pub(in crate::kustomize) references: Vec<Reference>,
}

/// Fields of other objects that hold the name of an object of `target`.
#[derive(Debug, Clone)]
pub(in crate::kustomize) struct Reference {
    pub(in crate::kustomize) target: Gvk,
    pub(in crate::kustomize) fields: Vec<FieldSpec>,
}

static BUILT_IN: LazyLock<Arc<Config>> = LazyLock::new(|| Arc::new(Config::of_kustomize()));

const FIELDS: &[&str] = &[
    "namePrefix",
    "nameSuffix",
    "namespace",
    "labels",
    "templateLabels",
    "commonLabels",
    "commonAnnotations",
    "nameReference",
    "varReference",
    "images",
    "replicas",
];

impl Config {
    pub(in crate::kustomize) fn built_in() -> Arc<Self> {
        BUILT_IN.clone()
    }

    /// Adds what `other` has more.
    pub(in crate::kustomize) fn merge(self: &mut Arc<Self>, other: &Arc<Self>) {
        if Arc::ptr_eq(self, other) {
            return;
        }
        if Arc::ptr_eq(self, &BUILT_IN) {
            // Everything starts from the built-in specs, so `other` has them too.
            *self = other.clone();
            return;
        }
        Arc::make_mut(self).add(other);
    }

    /// How many specs there are.
    pub(in crate::kustomize) fn len(&self) -> usize {
        let lists = [
            &self.name_prefix,
            &self.name_suffix,
            &self.namespace,
            &self.labels,
            &self.template_labels,
            &self.common_labels,
            &self.common_annotations,
            &self.images,
            &self.replicas,
            &self.vars,
        ];
        let references = self.references.iter().map(|reference| 1 + reference.fields.len()).sum::<usize>();
        lists.into_iter().map(Vec::len).sum::<usize>() + references
    }

    /// Steps that [`Self::merge`] takes.
    pub(in crate::kustomize) fn cost_of(self: &Arc<Self>, other: &Arc<Self>) -> usize {
        let is_free = Arc::ptr_eq(self, other) || Arc::ptr_eq(self, &BUILT_IN);
        if is_free { 0 } else { self.len() + other.len() }
    }

    pub(in crate::kustomize) fn add(&mut self, other: &Self) {
        for (specs, more) in [
            (&mut self.name_prefix, &other.name_prefix),
            (&mut self.name_suffix, &other.name_suffix),
            (&mut self.namespace, &other.namespace),
            (&mut self.labels, &other.labels),
            (&mut self.template_labels, &other.template_labels),
            (&mut self.common_labels, &other.common_labels),
            (&mut self.common_annotations, &other.common_annotations),
            (&mut self.images, &other.images),
            (&mut self.replicas, &other.replicas),
            (&mut self.vars, &other.vars),
        ] {
            add_specs(specs, more);
        }
        let mut places: FxHashMap<Gvk, usize> = FxHashMap::default();
        for (at, known) in self.references.iter().enumerate() {
            places.entry(known.target.clone()).or_insert(at);
        }
        // All fields of one target at once, since they are compared with what is there.
        let mut more: BTreeMap<usize, Vec<FieldSpec>> = BTreeMap::new();
        for reference in &other.references {
            let at = *places.entry(reference.target.clone()).or_insert_with(|| {
                self.references.push(Reference { target: reference.target.clone(), fields: Vec::new() });
                self.references.len() - 1
            });
            more.entry(at).or_default().extend(reference.fields.iter().cloned());
        }
        for (at, fields) in more {
            add_specs(&mut self.references[at].fields, &fields);
        }
    }

    /// Adds the specs of one document of a `configurations` file.
    pub(in crate::kustomize) fn add_document(&mut self, document: &Node, report: &mut Report) {
        let mut read = Self::default();
        for entry in document.entries() {
            let specs = match FIELDS.iter().find(|field| field.eq_ignore_ascii_case(&entry.key)) {
                Some(&"namePrefix") => &mut read.name_prefix,
                Some(&"nameSuffix") => &mut read.name_suffix,
                Some(&"namespace") => &mut read.namespace,
                Some(&"labels") => &mut read.labels,
                Some(&"templateLabels") => &mut read.template_labels,
                Some(&"commonLabels") => &mut read.common_labels,
                Some(&"commonAnnotations") => &mut read.common_annotations,
                Some(&"images") => &mut read.images,
                Some(&"replicas") => &mut read.replicas,
                Some(&"varReference") => &mut read.vars,
                Some(_) => {
                    read.references.extend(entry.value.items().map(|item| Reference {
                        target: selector(item),
                        fields: item.get("fieldSpecs").map(|list| read_specs(list, report)).unwrap_or_default(),
                    }));
                    continue;
                }
                None if matches!(entry.key.as_str(), "apiVersion" | "kind" | "metadata") => continue,
                None => {
                    report
                        .error(entry.key_span, format!("unknown field `{}` in a transformer configuration", entry.key));
                    continue;
                }
            };
            specs.extend(read_specs(&entry.value, report));
        }
        self.add(&read);
    }
}

/// Above this many comparisons specs get an index.
const COMPARED: usize = 10_000;

/// Adds the specs that are not there yet. One that differs only in `create` is left out; kustomize refuses it.
pub(in crate::kustomize) fn add_specs(specs: &mut Vec<FieldSpec>, more: &[FieldSpec]) {
    let key = |spec: &FieldSpec| (spec.path.clone(), spec.gvk.clone());
    let is_large = specs.len().saturating_mul(more.len()) > COMPARED;
    let mut index: Option<FxHashSet<_>> = is_large.then(|| specs.iter().map(key).collect());
    for spec in more {
        let is_new = match &mut index {
            Some(index) => index.insert(key(spec)),
            None => !specs.iter().any(|known| known.path == spec.path && known.gvk == spec.gvk),
        };
        if is_new {
            specs.push(spec.clone());
        }
    }
}

/// A list of field specs as written.
pub(in crate::kustomize) fn read_specs(list: &Node, report: &mut Report) -> Vec<FieldSpec> {
    let mut read = |item: &Node| {
        let create = item.get("create").and_then(Node::as_bool).unwrap_or(false);
        let spec = FieldSpec::new(selector(item), item.find_str(&["path"]).unwrap_or_default(), create);
        if spec.path.len() > limits::PATH {
            report.limit(item.nearest_span(&["path"]), limits::path_excess());
            return None;
        }
        Some(spec)
    };
    list.items().filter_map(&mut read).collect()
}

/// Group, version and kind as a selector writes them.
pub(in crate::kustomize) fn selector(node: &Node) -> Gvk {
    let text = |key| node.find_str(&[key]).unwrap_or_default();
    let ApiVersion { group, version } = match node.find_str(&["apiVersion"]) {
        Some(api_version) => ApiVersion::parse(api_version),
        None => ApiVersion { group: text("group"), version: text("version") },
    };
    Gvk { group: group.into(), version: version.into(), kind: text("kind").into() }
}
