//! The transformers that set fields: namespace, name prefix and suffix, labels, annotations, images, replicas.

pub(super) mod fields;
pub(super) mod images;
pub(super) mod names;
pub(super) mod patch;
pub(super) mod paths;
mod pattern;
pub(super) mod replace;
pub(super) mod select;
pub(super) mod steps;

use rustc_hash::FxHashMap;
use smol_str::{SmolStr, format_smolstr};

use super::{
    Step,
    id::{Gvk, ResId},
    report::Report,
    resource::Resource,
    schema::config::add_specs,
};
use crate::{source::Span, yaml::Node};
use fields::{FieldSpec, Make, set_entries, set_scalar};

/// What a namespace applies to.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct NamespaceOptions {
    /// Only objects that have none.
    pub(super) unset_only: bool,
    /// Which subjects of role bindings.
    pub(super) subjects: Subjects,
}

/// Subjects of role bindings that follow the namespace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Subjects {
    /// Those named `default`.
    #[default]
    Default,
    /// Every service account.
    ServiceAccounts,
    /// None.
    None,
}

/// Sets the namespace of everything that may have one (kustomize `NamespaceTransformer`).
pub(super) fn namespace(
    resources: &mut [Resource],
    value: &Node,
    options: NamespaceOptions,
    specs: &[FieldSpec],
    report: &mut Report,
) {
    if !affords(resources, specs, value.span, report) {
        return;
    }
    let may_set = |old: Option<&Node>| match old {
        Some(old) if options.unset_only => old.is_null() || old.as_str() == Some(""),
        _ => true,
    };
    for resource in resources.iter_mut() {
        resource.store_id();
        let gvk = resource.gvk();
        let mut changed = false;
        if !gvk.is_cluster_scoped() && may_set(resource.node().find(&["metadata", "namespace"])) {
            changed = resource.node().find(&["metadata", "namespace"]) != Some(value);
            resource.set_meta("namespace", value.clone());
        }
        if matches!(gvk.kind.as_str(), "RoleBinding" | "ClusterRoleBinding") {
            changed |= set_subjects(resource, value, options.subjects, &may_set);
        }
        for spec in specs.iter().filter(|spec| is_namespace_spec(spec, &gvk)) {
            let mut set = |old: &Node| if may_set(Some(old)) { set_scalar(value.clone())(old) } else { Ok(None) };
            changed |= apply(resource, spec, Make::Scalar, value.span, &mut set, report);
        }
        if changed {
            resource.changed(Step::Namespace, value.span);
        }
    }
    conflicts(resources, value.span, "the namespace makes two objects the same", report);
}

/// The fields that are dealt with here are not set once more by a spec, and only a core Namespace is renamed.
fn is_namespace_spec(spec: &FieldSpec, gvk: &Gvk) -> bool {
    match spec.text().as_str() {
        "metadata/namespace" => false,
        "metadata/name" => gvk.group.is_empty() && gvk.version == "v1",
        "subjects" => !matches!(gvk.kind.as_str(), "RoleBinding" | "ClusterRoleBinding"),
        _ => true,
    }
}

fn set_subjects(
    resource: &mut Resource,
    value: &Node,
    which: Subjects,
    may_set: &dyn Fn(Option<&Node>) -> bool,
) -> bool {
    let follows = |subject: &Node| match which {
        Subjects::Default => subject.find_str(&["name"]) == Some("default"),
        Subjects::ServiceAccounts => subject.find_str(&["kind"]) == Some("ServiceAccount"),
        Subjects::None => false,
    };
    let is_default = |subject: &Node| follows(subject) && may_set(subject.get("namespace"));
    if !resource.node().get("subjects").is_some_and(|subjects| subjects.items().any(is_default)) {
        return false;
    }
    let mut changed = false;
    if let Some(subjects) = resource.object.node.get_mut("subjects").and_then(Node::as_seq_mut) {
        for subject in subjects.iter_mut().filter(|subject| is_default(subject)) {
            changed |= subject.get("namespace") != Some(value);
            subject.set("namespace", value.clone());
        }
    }
    changed
}

/// Reports objects that have come to share an id, and keeps the first of each.
fn conflicts(resources: &[Resource], at: Span, message: &str, report: &mut Report) {
    let mut seen: FxHashMap<ResId, Span> = FxHashMap::default();
    for resource in resources {
        let id = resource.id();
        if let Some(first) = seen.get(&id) {
            let related = vec![(*first, "one".to_owned()), (resource.object.source, "the other".to_owned())];
            report.error_with(at, format!("{message}: {id}"), related);
        } else {
            seen.insert(id, resource.object.source);
        }
    }
}

fn apply(
    resource: &mut Resource,
    spec: &FieldSpec,
    make: Make,
    at: Span,
    set: super::transform::fields::Set<'_>,
    report: &mut Report,
) -> bool {
    match spec.apply(resource.node(), make, at, set) {
        Ok(Some(node)) => {
            let change = resource.set_node(node);
            report.spend_change(change, at);
            change.is_one
        }
        Ok(None) => false,
        Err(error) => {
            report.error_with(at, error, vec![(resource.object.source, "in this object".to_owned())]);
            false
        }
    }
}

/// Whether the budget reaches for asking each object about each spec.
fn affords(resources: &[Resource], specs: &[FieldSpec], at: Span, report: &mut Report) -> bool {
    let ids: usize = resources.iter().map(Resource::id_cost).sum();
    report.affords(ids + resources.len().saturating_mul(specs.len()), at)
}

/// Which end of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Affix {
    Prefix,
    Suffix,
}

/// Adds a prefix or suffix to names (kustomize `PrefixTransformer`, `SuffixTransformer`).
pub(super) fn affix(resources: &mut [Resource], which: Affix, value: &Node, specs: &[FieldSpec], report: &mut Report) {
    let text = value.as_str().unwrap_or_default();
    if !affords(resources, specs, value.span, report) {
        return;
    }
    for resource in resources.iter_mut() {
        let original = resource.original_id();
        if keeps_its_name(&original.gvk) {
            continue;
        }
        let mut changed = false;
        for spec in specs.iter().filter(|spec| spec.gvk.selects(&original.gvk)) {
            if spec.text() == "metadata/name" {
                let affixes = if which == Affix::Prefix { &mut resource.prefixes } else { &mut resource.suffixes };
                affixes.push(text.into());
                resource.store_id();
            }
            let mut set = |old: &Node| {
                let old = super::id::scalar_text(old).ok_or("expected a scalar")?;
                let new = match which {
                    Affix::Prefix => format_smolstr!("{text}{old}"),
                    Affix::Suffix => format_smolstr!("{old}{text}"),
                };
                Ok(Some(Node::str(new, value.span)))
            };
            changed |= apply(resource, spec, Make::Scalar, value.span, &mut set, report);
        }
        if changed {
            resource.changed(if which == Affix::Prefix { Step::NamePrefix } else { Step::NameSuffix }, value.span);
        }
    }
}

fn keeps_its_name(gvk: &Gvk) -> bool {
    match gvk.kind.as_str() {
        "CustomResourceDefinition" | "Namespace" => true,
        "APIService" => gvk.group == "apiregistration.k8s.io",
        _ => false,
    }
}

/// Sets labels or annotations (kustomize `LabelTransformer`, `AnnotationsTransformer`).
pub(super) fn entries(resources: &mut [Resource], step: Step, pairs: &Node, specs: &[FieldSpec], report: &mut Report) {
    let mut values: Vec<(SmolStr, Node)> = Vec::new();
    for entry in pairs.entries() {
        values.push((entry.key.clone(), Node::str(entry.value.as_str().unwrap_or_default(), entry.value.span)));
    }
    if values.is_empty() || !affords(resources, specs, pairs.span, report) {
        return;
    }
    for resource in resources.iter_mut() {
        if !report.affords(values.len(), pairs.span) {
            break;
        }
        let mut changed = false;
        for spec in specs {
            changed |= apply(resource, spec, Make::Map, pairs.span, &mut set_entries(&values), report);
        }
        if changed {
            resource.changed(step, pairs.span);
        }
    }
}

/// The fields that one entry of `labels` sets.
pub(super) fn label_specs(entry: &Node, config: &super::schema::config::Config, report: &mut Report) -> Vec<FieldSpec> {
    let flag = |key: &str| entry.get(key).and_then(Node::as_bool).unwrap_or(false);
    let mut specs = entry.get("fields").map(|list| super::schema::config::read_specs(list, report)).unwrap_or_default();
    let most = config.labels.len() + config.common_labels.len() + config.template_labels.len();
    if !report.affords(specs.len().saturating_mul(most), entry.span) {
        return Vec::new();
    }
    let mut add = |more: &[FieldSpec]| {
        let conflicts =
            |one: &FieldSpec, two: &FieldSpec| one.path == two.path && one.gvk == two.gvk && one.create != two.create;
        if more.iter().any(|more| specs.iter().any(|spec| conflicts(spec, more))) {
            report.error(
                entry.nearest_span(&["fields"]),
                "a field here is one that labels have anyway, but for `create`",
            );
        }
        add_specs(&mut specs, more);
    };
    add(&config.labels);
    if flag("includeSelectors") {
        add(&config.common_labels);
    } else {
        if flag("includeTemplates") {
            add(&config.template_labels);
        }
        add(&[FieldSpec::new(Gvk::default(), "metadata/labels", true)]);
    }
    specs
}

/// Sets replica counts (kustomize `ReplicaCountTransformer`).
pub(super) fn replicas(resources: &mut [Resource], entry: &Node, specs: &[FieldSpec], report: &mut Report) {
    let name = entry.find_str(&["name"]).unwrap_or_default();
    let count = entry.get("count").cloned().unwrap_or(Node::new(crate::yaml::Value::Int(0), entry.span));
    let mut found = false;
    let ids: usize = resources.iter().map(Resource::id_cost).sum();
    if !report.affords(specs.len().saturating_mul(ids), entry.span) {
        return;
    }
    for spec in specs {
        for resource in resources.iter_mut() {
            if !resource.any_id(|id| id.name == name && spec.gvk.selects(&id.gvk)) {
                continue;
            }
            found = true;
            if apply(resource, spec, Make::Scalar, count.span, &mut set_scalar(count.clone()), report) {
                resource.changed(Step::Replicas, entry.span);
            }
        }
    }
    if !found {
        report.error(entry.nearest_span(&["name"]), format!("no object named `{name}` has replicas to set"));
    }
}
