//! `crds`: OpenAPI definitions whose extensions say which fields hold names, labels and annotations (kustomize
//! `accumulator.LoadConfigFromCRDs`). CustomResourceDefinition objects are none of these, and kustomize fails on them.

use rustc_hash::FxHashSet;

use super::config::{Config, Reference};
use crate::{
    kustomize::{
        accumulate::{folder::Folder, limits},
        id::Gvk,
        report::Report,
        transform::fields::FieldSpec,
    },
    source::Span,
    yaml::Node,
};

/// Most definitions that refer to each other one after the other.
const DEEPEST: usize = 32;

/// What the definitions in the file that `entry` names add to the configuration.
pub(in crate::kustomize) fn read(folder: &Folder<'_, '_>, entry: &Node, report: &mut Report) -> Option<Config> {
    let file = folder.file(entry.as_str().unwrap_or_default(), entry.span, report)?;
    let document = folder.parse(file).documents.first()?;
    let root = &document.root;
    let bad = root.entries().find(|definition| {
        !definition.value.is_null() && (definition.value.as_map().is_none() || schema(&definition.value).is_err())
    });
    if document.error.is_some() || root.as_map().is_none() || bad.is_some() {
        let related = bad.map(|definition| (definition.key_span, "not a definition".to_owned()));
        let message = "not a file of OpenAPI definitions; `crds` does not take CustomResourceDefinition objects";
        report.error_with(entry.span, message, related.into_iter().collect());
        return None;
    }
    let (config, gvk) = (Config::default(), Gvk::default());
    let mut walk = Walk {
        config,
        definitions: root,
        gvk,
        path: Vec::new(),
        open: Vec::new(),
        silent: FxHashSet::default(),
        events: 0,
        report,
        at: entry.span,
    };
    for definition in root.entries() {
        let properties = properties(&definition.value);
        if ["kind", "apiVersion", "metadata"].iter().all(|field| properties.is_some_and(|of| of.get(field).is_some())) {
            let kind = definition.key.rsplit('.').next().unwrap_or_default();
            walk.gvk = Gvk { kind: kind.into(), ..Gvk::default() };
            walk.definition(&definition.key);
        }
    }
    Some(walk.config)
}

/// The schema of a definition, whose key is in any case, as in Go.
fn schema(definition: &Node) -> Result<Option<&Node>, ()> {
    let found = definition.entries().find(|entry| entry.key.eq_ignore_ascii_case("schema")).map(|entry| &entry.value);
    if found.is_some_and(|schema| schema.as_map().is_none()) { Err(()) } else { Ok(found) }
}

fn properties(definition: &Node) -> Option<&Node> {
    schema(definition).ok().flatten()?.get("properties")
}

/// The way from a kind down to its fields.
struct Walk<'n, 'r> {
    config: Config,
    definitions: &'n Node,
    gvk: Gvk,
    path: Vec<&'n str>,
    /// The definitions on the way.
    open: Vec<&'n str>,
    /// Definitions below which nothing is said.
    silent: FxHashSet<&'n str>,
    /// Specs found, and definitions that were not followed.
    events: usize,
    report: &'r mut Report,
    at: Span,
}

impl<'n> Walk<'n, '_> {
    fn definition(&mut self, name: &'n str) {
        if self.silent.contains(name) {
            return;
        }
        // Definitions that refer to themselves would have no end.
        if self.open.contains(&name) || self.open.len() > DEEPEST {
            self.events += 1;
            return;
        }
        let before = self.events;
        self.open.push(name);
        for property in self.definitions.get(name).and_then(properties).into_iter().flat_map(Node::entries) {
            // Those that refer to the next one twice double with each.
            if !self.report.affords(1 + self.path.len(), self.at) {
                self.events += 1;
                break;
            }
            self.path.push(&property.key);
            self.property(&property.value);
            self.path.pop();
        }
        self.open.pop();
        if self.events == before {
            self.silent.insert(name);
        }
    }

    fn property(&mut self, property: &'n Node) {
        let text = |key: &str| property.find_str(&[key]);
        let says = property.entries().any(|entry| entry.key.starts_with("x-kubernetes-"));
        if says {
            self.events += 1;
            if !self.report.affords(limits::COPY * (1 + self.path.len()), self.at) {
                return;
            }
        }
        let spec = |path: &[&str]| FieldSpec::new(self.gvk.clone(), &path.join("/"), false);
        if text("x-kubernetes-annotation").is_some() {
            self.config.common_annotations.push(spec(&self.path));
        }
        if text("x-kubernetes-label-selector").is_some() {
            self.config.common_labels.push(spec(&self.path));
        }
        if text("x-kubernetes-identity").is_some() {
            self.config.name_prefix.push(spec(&self.path));
        }
        if let (Some(version), Some(kind)) =
            (text("x-kubernetes-object-ref-api-version"), text("x-kubernetes-object-ref-kind"))
        {
            let key = text("x-kubernetes-object-ref-name-key").unwrap_or("name");
            let target = Gvk { version: version.into(), kind: kind.into(), ..Gvk::default() };
            let fields = vec![spec(&[self.path.as_slice(), &[key]].concat())];
            self.config.references.push(Reference { target, fields });
        }
        if let Some(other) = text("$ref") {
            self.definition(other);
        }
    }
}
