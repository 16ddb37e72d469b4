//! What comes last in a build: hashes, references, local objects, order (kustomize `MakeCustomizedResMap`,
//! `krusty.Kustomizer.Run`).

use std::sync::Arc;

use smol_str::format_smolstr;

use super::{Accumulated, file::Kustomization, hash, metadata, order, vars};
use crate::{
    kustomize::{Build, Object, Unit, resource::Resource, text::raw_text, transform::names},
    source::Tree,
    yaml::{Map, Node, Value},
};

pub(in crate::kustomize) fn finish(tree: &Tree, accumulated: Accumulated, file: Option<&Kustomization>) -> Build {
    let Accumulated { mut resources, config, mut report, vars, mut reads, .. } = accumulated;
    Arc::make_mut(&mut reads).finish();
    for resource in resources.iter_mut().filter(|resource| resource.needs_hash) {
        if report.affords(resource.size, resource.object.source) {
            add_hash(resource);
        }
    }
    names::fix(&mut resources, &config, &mut report);
    vars::resolve(&mut resources, &vars, &config, &mut report);
    let local = |resource: &Resource| {
        let annotation = resource.node().find(&["metadata", "annotations", "config.kubernetes.io/local-config"]);
        annotation.is_some_and(|node| raw_text(tree, node) != "false")
    };
    resources.retain(|resource| !local(resource));
    for resource in &mut resources {
        let text = metadata::length(resource);
        if text == 0 || report.spend(Unit::Bytes, text, resource.object.source) {
            metadata::write(resource, file);
        }
    }
    let mut objects: Vec<Object> = resources.into_iter().map(|resource| resource.object).collect();
    for object in &mut objects {
        texts_only(tree, &mut object.node);
    }
    if let Some(options) = file.and_then(|file| file.get("sortOptions")) {
        order::check(options, &mut report);
        order::sort_by_options(&mut objects, options);
    }
    let cost = report.budget.spent();
    Build { cost, objects, errors: report.errors, unresolved: report.unresolved, idle: report.idle, reads }
}

fn add_hash(resource: &mut Resource) {
    let hash = hash::suffix(resource.node());
    let Some(name) = resource.node().find(&["metadata", "name"]) else { return };
    let new = Node::str(format_smolstr!("{}-{hash}", name.as_str().unwrap_or_default()), name.span);
    resource.store_id();
    resource.set_meta("name", new);
}

/// Annotations come out as texts, and not at all where there are none (kustomize `SetAnnotations`).
fn texts_only(tree: &Tree, object: &mut Node) {
    let Some(annotations) = object.find(&["metadata", "annotations"]) else { return };
    if annotations.as_map().is_none_or(Map::is_empty) {
        if let Some(metadata) = object.get_mut("metadata") {
            metadata.remove("annotations");
        }
        return;
    }
    if annotations.entries().all(|entry| entry.value.as_str().is_some_and(|text| raw_text(tree, &entry.value) == text))
    {
        return;
    }
    let mut new = annotations.clone();
    for entry in annotations.entries() {
        let text = raw_text(tree, &entry.value);
        new.set(&entry.key, Node::new(Value::Str(text.into()), entry.value.span));
    }
    if let Some(metadata) = object.get_mut("metadata") {
        metadata.set("annotations", new);
    }
}
