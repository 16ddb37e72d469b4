//! `generators` and `transformers`: built-in plugins with a configuration of their own (kustomize `api/internal/builtins`).

use smol_str::SmolStr;

use super::{
    Step,
    build::Folder,
    config::{Config, read_specs},
    fields::FieldSpec,
    generate, images, patch, replace,
    report::Report,
    resource::Resource,
    transform::{self, Affix, Subjects},
};
use crate::{source::Span, yaml::Node};

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

fn specs(config: &Node) -> Vec<FieldSpec> {
    config.get("fieldSpecs").map(read_specs).unwrap_or_default()
}

/// A plugin that is not built in cannot be run.
fn unknown(resource: &Resource, report: &mut Report) {
    let id = resource.id();
    report.unresolved(
        resource.object.source,
        format!("plugin {} {}", id.gvk.kind, id.name),
        "only plugins that are built into kustomize can be followed; Flux runs no others",
    );
}

fn is_built_in(resource: &Resource) -> bool {
    resource.node().find_str(&["apiVersion"]) == Some("builtin")
}

/// Runs a generator.
pub(super) fn generator(folder: &Folder<'_, '_>, plugin: &Resource, all: &mut Vec<Resource>, report: &mut Report) {
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

/// Runs a transformer.
pub(super) fn transformer(folder: &Folder<'_, '_>, plugin: &Resource, all: &mut Vec<Resource>, report: &mut Report) {
    if !is_built_in(plugin) {
        return unknown(plugin, report);
    }
    let config = plugin.node();
    let field = |key: &str| config.get(key).filter(|node| !node.is_null());
    match plugin.gvk().kind.as_str() {
        "NamespaceTransformer" => {
            let Some(namespace) = config.find(&["metadata", "namespace"]) else { return };
            let options = transform::NamespaceOptions {
                unset_only: field("unsetOnly").and_then(Node::as_bool).unwrap_or(false),
                subjects: match field("setRoleBindingSubjects").and_then(Node::as_str) {
                    Some("allServiceAccounts") => Subjects::ServiceAccounts,
                    Some("none") => Subjects::None,
                    _ => Subjects::Default,
                },
            };
            transform::namespace(all, namespace, options, &specs(config), report);
        }
        kind @ ("PrefixTransformer" | "SuffixTransformer") => {
            let (key, which) =
                if kind == "PrefixTransformer" { ("prefix", Affix::Prefix) } else { ("suffix", Affix::Suffix) };
            if let Some(value) = field(key) {
                transform::affix(all, which, value, &specs(config), report);
            }
        }
        "LabelTransformer" => {
            if let Some(labels) = field("labels") {
                transform::entries(all, Step::Labels, labels, &specs(config), report);
            }
        }
        "AnnotationsTransformer" => {
            if let Some(annotations) = field("annotations") {
                transform::entries(all, Step::Annotations, annotations, &specs(config), report);
            }
        }
        "ImageTagTransformer" => {
            if let Some(image) = field("imageTag") {
                images::images(all, image, &specs(config), report);
            }
        }
        "ReplicaCountTransformer" => {
            if let Some(replica) = field("replica") {
                transform::replicas(all, replica, &specs(config), report);
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

/// `vars`: texts that take the place of `$(NAME)` in configured fields.
pub(super) fn resolve_vars(resources: &mut [Resource], vars: &[Node], config: &Config, report: &mut Report) {
    let mut values: Vec<(&str, SmolStr, Span)> = Vec::new();
    for var in vars {
        let name = var.find_str(&["name"]).unwrap_or_default();
        let path =
            var.find_str(&["fieldref", "fieldpath"]).unwrap_or("metadata.name").replace('[', ".").replace(']', "");
        let none = Node::empty_map(var.span);
        let wanted = var.get("objref").unwrap_or(&none);
        let gvk = super::config::selector(wanted);
        let text = |key: &str| wanted.find_str(&[key]).unwrap_or_default();
        let mut found = resources.iter().filter(|resource| {
            resource.any_id(|id| {
                gvk.selects(&id.gvk)
                    && id.name == text("name")
                    && (text("namespace").is_empty() || id.namespace == text("namespace"))
            })
        });
        let Some(object) = found.next() else {
            report.error(var.span, format!("the variable `{name}` refers to an object that is not in this build"));
            continue;
        };
        match super::paths::find(object.node(), &super::paths::split(&path)).and_then(super::id::scalar_text) {
            Some(value) => values.push((name, value, var.span)),
            None => report.error(var.span, format!("the variable `{name}` refers to a field that does not exist")),
        }
    }
    if values.is_empty() {
        return;
    }
    for resource in resources.iter_mut() {
        for spec in &config.vars {
            let mut at = Span::NONE;
            let changed = spec.apply(resource.node(), super::fields::Make::Nothing, Span::NONE, &mut |node| {
                Ok(expand(node, &values, &mut at))
            });
            if let Ok(Some(node)) = changed {
                resource.replace_node(node, Step::Replacement, at);
            }
        }
    }
}

fn expand(node: &Node, values: &[(&str, SmolStr, Span)], at: &mut Span) -> Option<Node> {
    use crate::yaml::Value;
    match &node.value {
        Value::Seq(items) => {
            let new: Vec<Option<Node>> = items.iter().map(|item| expand(item, values, at)).collect();
            new.iter().any(Option::is_some).then(|| {
                let items = new.into_iter().zip(items.iter()).map(|(new, old)| new.unwrap_or_else(|| old.clone()));
                Node::seq(items.collect(), node.span)
            })
        }
        Value::Map(map) => {
            let mut changed: Option<Node> = None;
            for entry in map.entries() {
                if let Some(new) = expand(&entry.value, values, at) {
                    changed.get_or_insert_with(|| node.clone()).set(&entry.key, new);
                }
            }
            changed
        }
        Value::Str(text) if text.contains("$(") => {
            let mut new = String::new();
            let mut rest = text.as_str();
            while let Some(start) = rest.find("$(") {
                let (before, after) = rest.split_at(start);
                new.push_str(before);
                let end = after.find(')').map_or(after.len(), |end| end + 1);
                let name = after.get(2..end.saturating_sub(1)).unwrap_or_default();
                match values.iter().find(|(known, ..)| *known == name) {
                    Some((_, value, span)) => {
                        new.push_str(value);
                        *at = *span;
                    }
                    None => new.push_str(&after[..end]),
                }
                rest = &after[end..];
            }
            new.push_str(rest);
            (new != text.as_str()).then(|| Node::str(new, *at))
        }
        _ => None,
    }
}
