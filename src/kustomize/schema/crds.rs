//! `crds`: OpenAPI definitions whose extensions say which fields hold names, labels and annotations (kustomize
//! `accumulator.LoadConfigFromCRDs`). CustomResourceDefinition objects are none of these, and kustomize fails on them.

use super::config::{Config, Reference};
use crate::{
    kustomize::{accumulate::folder::Folder, id::Gvk, report::Report, transform::fields::FieldSpec},
    yaml::Node,
};

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
    let mut config = Config::default();
    for definition in root.entries() {
        let properties = properties(&definition.value);
        if ["kind", "apiVersion", "metadata"].iter().all(|field| properties.is_some_and(|of| of.get(field).is_some())) {
            let kind = definition.key.rsplit('.').next().unwrap_or_default();
            let gvk = Gvk { kind: kind.into(), ..Gvk::default() };
            walk(&mut config, root, &definition.key, &gvk, &mut Vec::new(), &mut Vec::new());
        }
    }
    Some(config)
}

/// The schema of a definition, whose key is in any case, as in Go.
fn schema(definition: &Node) -> Result<Option<&Node>, ()> {
    let found = definition.entries().find(|entry| entry.key.eq_ignore_ascii_case("schema")).map(|entry| &entry.value);
    if found.is_some_and(|schema| schema.as_map().is_none()) { Err(()) } else { Ok(found) }
}

fn properties(definition: &Node) -> Option<&Node> {
    schema(definition).ok().flatten()?.get("properties")
}

fn walk<'n>(
    config: &mut Config,
    all: &'n Node,
    name: &'n str,
    gvk: &Gvk,
    path: &mut Vec<&'n str>,
    open: &mut Vec<&'n str>,
) {
    // Definitions that refer to themselves would have no end.
    if open.contains(&name) || open.len() > 32 {
        return;
    }
    open.push(name);
    for property in all.get(name).and_then(properties).into_iter().flat_map(Node::entries) {
        path.push(&property.key);
        let text = |key: &str| property.value.find_str(&[key]);
        let spec = |path: &[&str]| FieldSpec::new(gvk.clone(), &path.join("/"), false);
        if text("x-kubernetes-annotation").is_some() {
            config.common_annotations.push(spec(path));
        }
        if text("x-kubernetes-label-selector").is_some() {
            config.common_labels.push(spec(path));
        }
        if text("x-kubernetes-identity").is_some() {
            config.name_prefix.push(spec(path));
        }
        if let (Some(version), Some(kind)) =
            (text("x-kubernetes-object-ref-api-version"), text("x-kubernetes-object-ref-kind"))
        {
            let key = text("x-kubernetes-object-ref-name-key").unwrap_or("name");
            let target = Gvk { version: version.into(), kind: kind.into(), ..Gvk::default() };
            config.references.push(Reference { target, fields: vec![spec(&[path.as_slice(), &[key]].concat())] });
        }
        if let Some(other) = text("$ref") {
            walk(config, all, other, gvk, path, open);
        }
        path.pop();
    }
    open.pop();
}
