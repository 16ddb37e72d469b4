//! `generators` and `transformers`: built-in plugins with a configuration of their own (kustomize `api/internal/builtins`).

use super::{folder::Folder, generate};
use crate::{
    kustomize::{
        Fault, Step,
        report::Report,
        resource::Resource,
        schema::config::read_specs,
        transform::{self, Affix, Subjects, fields::FieldSpec, images, patch, replace},
    },
    source::Span,
    yaml::Node,
};

/// Fields that every configuration has.
const COMMON: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// The configuration without what says which plugin it is for.
fn bare(config: &Node) -> Node {
    let mut bare = config.clone();
    if let Some(map) = bare.as_map_mut() {
        map.retain(|entry| !COMMON.contains(&entry.key.as_str()) && entry.key != "fieldSpecs");
    }
    bare
}

fn specs(config: &Node, report: &mut Report) -> Vec<FieldSpec> {
    config.get("fieldSpecs").map(|list| read_specs(list, report)).unwrap_or_default()
}

/// A plugin that is not built in is not run (kustomize 5.8, `loadAndConfigurePlugin`; fluxcd/pkg, `kustomize.Build`), and neither is helm.
fn unknown(resource: &Resource, report: &mut Report) {
    let (id, at) = (resource.id(), resource.object.source);
    let kind = &id.gvk.kind;
    if !is_built_in(resource) {
        report.fault(at, format!("Flux runs no plugins, and {kind} is one"), Fault::Plugin(kind.as_str().into()));
    } else if kind == "HelmChartInflationGenerator" {
        report.fault(at, "Flux does not render the Helm chart of this generator", Fault::Chart);
    }
    report.refused(
        at,
        format!("plugin {} {}", id.gvk.kind, id.name),
        "only plugins that are built into kustomize can be followed; Flux runs no others",
    );
}

fn is_built_in(resource: &Resource) -> bool {
    resource.node().find_str(&["apiVersion"]) == Some("builtin")
}

/// Runs a generator.
pub(in crate::kustomize) fn generator(
    folder: &Folder<'_, '_>,
    plugin: &Resource,
    all: &mut Vec<Resource>,
    report: &mut Report,
) {
    let kind = match plugin.gvk().kind.as_str() {
        "ConfigMapGenerator" => "ConfigMap",
        "SecretGenerator" => "Secret",
        _ => "",
    };
    if kind.is_empty() || !is_built_in(plugin) {
        return unknown(plugin, report);
    }
    let mut entry = bare(plugin.node());
    for key in ["name", "namespace"] {
        if let Some(value) = plugin.node().find(&["metadata", key]) {
            entry.set(key, value.clone());
        }
    }
    let none = Node::empty_map(Span::NONE);
    if let Some(made) = generate::generate(folder, &entry, kind, &none, report) {
        generate::absorb(all, made, plugin.object.source, report);
    }
}

/// The label by which validators mark what they have seen (kustomize `konfig.ValidatedByLabelKey`).
const VALIDATED_BY: &str = "validated-by";

/// Runs a validator: a transformer that may change nothing but one label.
pub(in crate::kustomize) fn validator(
    folder: &Folder<'_, '_>,
    plugin: &Resource,
    all: &mut Vec<Resource>,
    report: &mut Report,
) {
    if !report.affords(all.iter().map(|resource| 2 * resource.size).sum(), plugin.object.source) {
        return;
    }
    let before: Vec<Node> = all.iter().map(unmarked).collect();
    transformer(folder, plugin, all, report);
    if all.iter().map(unmarked).ne(before) {
        report.error(plugin.object.source, "this validator changes objects, which kustomize does not allow");
    }
}

fn unmarked(resource: &Resource) -> Node {
    let mut node = resource.node().clone();
    if let Some(metadata) = node.get_mut("metadata") {
        if let Some(labels) = metadata.get_mut("labels") {
            labels.remove(VALIDATED_BY);
        }
        if metadata.get("labels").and_then(Node::as_map).is_some_and(crate::yaml::Map::is_empty) {
            metadata.remove("labels");
        }
    }
    node
}

fn namespace_options(config: &Node) -> transform::NamespaceOptions {
    transform::NamespaceOptions {
        unset_only: config.get("unsetOnly").and_then(Node::as_bool).unwrap_or(false),
        subjects: match config.find_str(&["setRoleBindingSubjects"]) {
            Some("allServiceAccounts") => Subjects::ServiceAccounts,
            Some("none") => Subjects::None,
            _ => Subjects::Default,
        },
    }
}

/// Runs a transformer.
pub(in crate::kustomize) fn transformer(
    folder: &Folder<'_, '_>,
    plugin: &Resource,
    all: &mut Vec<Resource>,
    report: &mut Report,
) {
    if !is_built_in(plugin) {
        return unknown(plugin, report);
    }
    let config = plugin.node();
    let specs = specs(config, report);
    let field = |key: &str| config.get(key).filter(|node| !node.is_null());
    match plugin.gvk().kind.as_str() {
        "NamespaceTransformer" => {
            let Some(namespace) = config.find(&["metadata", "namespace"]) else { return };
            transform::namespace(all, namespace, namespace_options(config), &specs, report);
        }
        kind @ ("PrefixTransformer" | "SuffixTransformer") => {
            let (key, which) =
                if kind == "PrefixTransformer" { ("prefix", Affix::Prefix) } else { ("suffix", Affix::Suffix) };
            if field("fieldSpecs").is_none() {
                report.error(plugin.object.source, format!("this {kind} needs `fieldSpecs`"));
            } else if let Some(value) = field(key) {
                transform::affix(all, which, value, &specs, report);
            }
        }
        "LabelTransformer" => {
            if let Some(labels) = field("labels") {
                transform::entries(all, Step::Labels, labels, &specs, report);
            }
        }
        "AnnotationsTransformer" => {
            if let Some(annotations) = field("annotations") {
                transform::entries(all, Step::Annotations, annotations, &specs, report);
            }
        }
        "ImageTagTransformer" => {
            if let Some(image) = field("imageTag") {
                images::images(all, image, &specs, report);
            }
        }
        "ReplicaCountTransformer" => {
            if let Some(replica) = field("replica") {
                transform::replicas(all, replica, &specs, report);
            }
        }
        "PatchTransformer" => patch::entry(folder, all, &bare(config), report),
        "PatchStrategicMergeTransformer" => {
            for path in field("paths").into_iter().flat_map(Node::items).chain(field("patches")) {
                patch::merge_entry(folder, all, path, report);
            }
        }
        "PatchJson6902Transformer" => {
            let mut entry = bare(config);
            if let Some(operations) = entry.remove("jsonOp") {
                entry.set("patch", operations);
            }
            patch::json_entry(folder, all, &entry, report);
        }
        "ReplacementTransformer" => {
            for replacement in field("replacements").into_iter().flat_map(Node::items) {
                replace::entry(folder, all, replacement, report);
            }
        }
        _ => unknown(plugin, report),
    }
}
