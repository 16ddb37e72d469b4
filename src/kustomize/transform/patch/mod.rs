//! `patches`, `patchesStrategicMerge` and `patchesJson6902` (kustomize `PatchTransformer` and its elders).

mod idle;
mod json;
mod keyed_list;
mod merge;

use std::{ops::Deref, sync::Arc};

use super::select::{self, Selector};
use crate::{
    kustomize::{
        Step,
        accumulate::{
            file::{Fields, Type, check},
            folder::Folder,
            limits, load,
        },
        id::ResId,
        report::{HIDDEN, Report},
        resource::Resource,
        schema::openapi::Schema,
        size,
        text::raw_text,
    },
    source::{Span, Tree},
    yaml::{Document, File, Node},
};

const FIELDS: Fields =
    &[("path", Type::Text), ("patch", Type::Text), ("target", Type::Map), ("options", Type::BoolMap)];
const JSON_FIELDS: Fields = &[("path", Type::Text), ("patch", Type::Text), ("target", Type::Map)];
pub(in crate::kustomize) const TARGET: Fields = &[
    ("group", Type::Text),
    ("version", Type::Text),
    ("kind", Type::Text),
    ("name", Type::Text),
    ("namespace", Type::Text),
    ("labelSelector", Type::Text),
    ("annotationSelector", Type::Text),
];

/// What an entry asks for.
enum Patch {
    Merge(Vec<Resource>),
    Json(Node),
    Nothing,
}

/// Which fields a merge patch may change although they make up the id.
#[derive(Clone, Copy, Default)]
struct Options {
    name: bool,
    kind: bool,
}

/// Applies one entry of `patches`.
pub(in crate::kustomize) fn entry(
    folder: &Folder<'_, '_>,
    resources: &mut Vec<Resource>,
    entry: &Node,
    report: &mut Report,
) {
    let entry = check(entry, FIELDS, "patch", report);
    let Some((documents, at)) = read(folder, &entry, report) else { return };
    let before = report.errors.len();
    if documents.iter().all(|document| document.error.is_none() && document.root.is_null()) && !is_void(folder, &entry)
    {
        report.error(at, "the patch holds nothing but comments");
        return;
    }
    if !is_json_if_it_looks_so(folder, &entry) {
        report.error(at, "a patch that starts with `[` must be JSON");
        return;
    }
    let patch = classify(folder, &documents, at, report);
    if report.errors.len() > before {
        return;
    }
    let target = entry.get("target").filter(|target| !target.is_null());
    let flag = |key: &str| entry.find(&["options", key]).and_then(Node::as_bool).unwrap_or(false);
    let options = Options { name: flag("allowNameChange"), kind: flag("allowKindChange") };
    match (patch, target) {
        (Patch::Merge(patches), None) => {
            for patch in &patches {
                merge_by_id(folder, resources, patch, options, at, report);
            }
        }
        (Patch::Merge(patches), Some(target)) => {
            if let [patch] = patches.as_slice() {
                merge_selected(folder, resources, patch, target, options, at, report);
            } else {
                report.error(at, "several patches in one entry cannot have a `target`");
            }
        }
        (Patch::Json(patch), Some(target)) => apply_json(resources, &patch, target, at, report),
        (Patch::Json(_) | Patch::Nothing, None) => report.error(at, "a JSON patch needs a `target`"),
        (Patch::Nothing, Some(_)) => {}
    }
}

/// Applies one entry of `patchesStrategicMerge`: YAML itself, or the path of a file.
pub(in crate::kustomize) fn merge_entry(
    folder: &Folder<'_, '_>,
    resources: &mut Vec<Resource>,
    entry: &Node,
    report: &mut Report,
) {
    let text = entry.as_str().unwrap_or_default();
    let mut ignored = Report::default();
    if !report.affords(text.len(), entry.span) {
        return;
    }
    let inline = if text.contains('\n') || text.contains(": ") {
        load::resources(folder.tree(), &folder.kustomize.parsed_text(text, entry.span), entry.span, &mut ignored)
    } else {
        Vec::new()
    };
    let patches = if inline.is_empty() || !ignored.errors.is_empty() {
        let Some(file) = folder.file(text, entry.span, report) else { return };
        load::resources(folder.tree(), &folder.parse(file).documents, entry.span, report)
    } else {
        inline
    };
    for patch in &patches {
        merge_by_id(folder, resources, patch, Options::default(), entry.span, report);
    }
}

/// Applies one entry of `patchesJson6902`.
pub(in crate::kustomize) fn json_entry(
    folder: &Folder<'_, '_>,
    resources: &mut [Resource],
    entry: &Node,
    report: &mut Report,
) {
    let entry = check(entry, JSON_FIELDS, "JSON patch", report);
    let Some(target) = entry.get("target") else {
        report.error(entry.span, "a JSON patch needs a `target`");
        return;
    };
    let Some((documents, at)) = read(folder, &entry, report) else { return };
    if !is_json_if_it_looks_so(folder, &entry) {
        report.error(at, "a patch that starts with `[` must be JSON");
        return;
    }
    match classify(folder, &documents, at, report) {
        Patch::Json(patch) => apply_json(resources, &patch, target, at, report),
        Patch::Merge(_) => report.error(at, "not a JSON patch: expected a list of operations"),
        Patch::Nothing => {}
    }
}

/// The documents of a patch: those of a file, or of a text.
enum Written<'t> {
    File(&'t File),
    Text(Arc<Vec<Document>>),
}

impl Deref for Written<'_> {
    type Target = [Document];

    fn deref(&self) -> &[Document] {
        match self {
            Self::File(file) => &file.documents,
            Self::Text(documents) => documents,
        }
    }
}

/// The documents of an entry, and the text that gives them.
fn read<'t>(folder: &Folder<'_, 't>, entry: &Node, report: &mut Report) -> Option<(Written<'t>, Span)> {
    let text = |key: &str| entry.get(key).filter(|node| node.as_str().is_some_and(|text| !text.trim().is_empty()));
    match (text("patch"), text("path")) {
        (Some(patch), None) => {
            let text = patch.as_str().unwrap_or_default().trim_end();
            if !report.affords(limits::COPY + text.len(), patch.span) {
                return None;
            }
            Some((Written::Text(folder.kustomize.parsed_text(text, patch.span)), patch.span))
        }
        (None, Some(path)) => {
            let file = folder.file(path.as_str().unwrap_or_default(), path.span, report)?;
            let parsed = folder.parse(file);
            if !report.affords(limits::COPY * (1 + parsed.documents.len()) + folder.length(file) / 8, path.span) {
                return None;
            }
            Some((Written::File(parsed), path.span))
        }
        (None, None) => {
            report.error(entry.span, "a patch must have one of `patch` and `path`");
            None
        }
        (Some(_), Some(path)) => {
            report.error(path.span, "a patch cannot have both `patch` and `path`");
            None
        }
    }
}

/// Whether the file of an entry has no bytes at all, which kustomize takes for no patch.
fn is_void(folder: &Folder<'_, '_>, entry: &Node) -> bool {
    let path = entry.find_str(&["path"]).unwrap_or_default();
    folder.bytes(path, entry.span, &mut Report::default()).is_some_and(<[u8]>::is_empty)
}

/// kustomize reads a patch as JSON, and not as YAML, where it starts with a bracket.
fn is_json_if_it_looks_so(folder: &Folder<'_, '_>, entry: &Node) -> bool {
    let file = |path: &str| folder.bytes(path, entry.span, &mut Report::default());
    let inline = entry.find_str(&["patch"]).filter(|text| !text.is_empty()).map(str::as_bytes);
    let bytes = inline.or_else(|| file(entry.find_str(&["path"]).unwrap_or_default())).unwrap_or_default();
    bytes.first() != Some(&b'[') || serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok()
}

fn classify(folder: &Folder<'_, '_>, documents: &[Document], at: Span, report: &mut Report) -> Patch {
    let mut written = documents.iter().filter(|document| document.error.is_some() || !document.root.is_null());
    let Some(first) = written.next() else { return Patch::Nothing };
    if first.error.is_none() && first.root.as_seq().is_some() {
        return Patch::Json(first.root.clone());
    }
    let patches = load::resources(folder.tree(), documents, at, report);
    if patches.is_empty() { Patch::Nothing } else { Patch::Merge(patches) }
}

/// A patch without target changes the one object it names.
fn merge_by_id(
    folder: &Folder<'_, '_>,
    resources: &mut Vec<Resource>,
    patch: &Resource,
    options: Options,
    at: Span,
    report: &mut Report,
) {
    let id = patch.id();
    if !report.affords(resources.len(), at) {
        return;
    }
    let is_it = |resource: &Resource| resource.has_name(&id.name) && resource.any_id(|other| *other == id);
    let mut found = (0..resources.len()).filter(|index| is_it(&resources[*index]));
    let (first, second) = (found.next(), found.next());
    drop(found);
    match (first, second) {
        (Some(index), None) => {
            merge(&folder.schema, &mut resources[index], patch.node(), options, at, report);
            resources.retain(|resource| !resource.deleted);
        }
        // What cannot be seen may well hold the object.
        (None, _) if report.hides_objects() => {
            report.unresolved(at, format!("the patched {}", described(&id)), HIDDEN);
        }
        (None, _) => report.error_with(
            patch.object.source,
            format!("no resource matches this strategic merge patch: {}", described(&id)),
            vec![(at, "the patch is listed here".to_owned())],
        ),
        (Some(one), Some(two)) => {
            let one = (resources[one].object.source, "one match".to_owned());
            let two = (resources[two].object.source, "another".to_owned());
            report.error_with(at, format!("several resources match this patch: {}", described(&id)), vec![one, two]);
        }
    }
}

fn described(id: &ResId) -> String {
    let version = if id.gvk.group.is_empty() {
        id.gvk.version.to_string()
    } else {
        format!("{}/{}", id.gvk.group, id.gvk.version)
    };
    format!("{id} ({version})")
}

fn select(resources: &[Resource], target: &Node, report: &mut Report) -> Option<Selector> {
    let checked = check(target, TARGET, "patch target", report);
    if !report.affords(select::cost(&checked, resources), target.span) {
        return None;
    }
    match Selector::read(&checked) {
        Ok(selector) => Some(selector),
        Err(error) => {
            report.error(target.span, error);
            None
        }
    }
}

/// The labels and annotations of a patch with a target go through texts, so that a null among them deletes nothing
/// (kustomize `CopyMergeMetaDataFieldsFrom`).
fn texts_only(tree: &Tree, patch: &mut Node) {
    let Some(metadata) = patch.get_mut("metadata") else { return };
    for field in ["labels", "annotations"] {
        let Some(old) = metadata.get(field) else { continue };
        let mut texts = Node::empty_map(old.span);
        for entry in old.entries() {
            let text = raw_text(tree, &entry.value);
            let text = if text.is_empty() && entry.value.is_null() { "null".to_owned() } else { text };
            texts.set(&entry.key, Node::str(text, entry.value.span));
        }
        if texts.as_map().is_some_and(crate::yaml::Map::is_empty) {
            metadata.remove(field);
        } else {
            metadata.set(field, texts);
        }
    }
}

fn merge_selected(
    folder: &Folder<'_, '_>,
    resources: &mut Vec<Resource>,
    patch: &Resource,
    target: &Node,
    options: Options,
    at: Span,
    report: &mut Report,
) {
    let Some(selector) = select(resources, target, report) else { return };
    if !resources.iter().any(|resource| selector.takes(resource)) {
        idle::note(resources, target, at, report);
    }
    let mut patch = patch.node().clone();
    texts_only(folder.tree(), &mut patch);
    for resource in resources.iter_mut().filter(|resource| selector.takes(resource)) {
        // The patch counts as one of the object's own version, so that it merges by the right keys.
        if let Some(api_version) = resource.node().get("apiVersion") {
            patch.set("apiVersion", api_version.clone());
        }
        merge(&folder.schema, resource, &patch, options, at, report);
    }
    resources.retain(|resource| !resource.deleted);
}

fn merge(schema: &Schema<'_>, resource: &mut Resource, patch: &Node, options: Options, at: Span, report: &mut Report) {
    if options.name || options.kind {
        resource.store_id();
    }
    let old = resource.node().clone();
    // Every node of both is walked.
    if !report.affords(resource.size + size(patch), at) {
        return;
    }
    let merged = merge::merge(schema, &old, patch);
    if !report.affords(schema.take_steps(), at) {
        return;
    }
    match merged {
        Ok(None) => resource.deleted = true,
        Ok(Some(mut new)) => {
            let restore = |new: &mut Node, keys: &[&str]| {
                let Some((last, parents)) = keys.split_last() else { return };
                let Some(parent) = new.ensure_map(parents, old.span) else { return };
                match old.find(keys) {
                    Some(value) => parent.set(last, value.clone()),
                    None => drop(parent.remove(last)),
                }
            };
            if !options.kind {
                restore(&mut new, &["kind"]);
            }
            if !options.name {
                restore(&mut new, &["metadata", "name"]);
            }
            restore(&mut new, &["metadata", "namespace"]);
            // A patch names the version to find the object; what the object says of it stays the object's.
            if new.get("apiVersion") == old.get("apiVersion") {
                restore(&mut new, &["apiVersion"]);
            }
            if limits::within_limits(&new) {
                let change = resource.replace_node(new, Step::Patch, at);
                report.spend_change(change, at);
            } else {
                report.limit(at, limits::excess());
            }
        }
        Err(error) => report.error_with(
            at,
            format!("the patch does not fit {}: {error}", resource.id()),
            vec![(resource.object.source, "the object".to_owned())],
        ),
    }
}

fn apply_json(resources: &mut [Resource], patch: &Node, target: &Node, at: Span, report: &mut Report) {
    let Some(selector) = select(resources, target, report) else { return };
    if !resources.iter().any(|resource| selector.takes(resource)) {
        idle::note(resources, target, at, report);
    }
    for resource in resources.iter_mut().filter(|resource| selector.takes(resource)) {
        // Each operation may shift a list as long as the object and all that comes before.
        let operations = patch.items().count();
        let shifted = operations / 32 * (resource.size + operations / 2);
        if !report.affords(2 * resource.size + size(patch) * limits::ID + shifted, at) {
            break;
        }
        resource.store_id();
        match json::apply(resource.node(), patch, &mut |steps| report.affords(steps, at)) {
            Ok(new) => {
                let change = resource.replace_node(new, Step::Patch, at);
                report.spend_change(change, at);
            }
            Err(json::Failure { why: json::Why::Fault(error), at: operation }) => report.error_with(
                operation.or(at),
                format!("{error} (patching {})", resource.id()),
                vec![(at, "the patch is listed here".to_owned()), (resource.object.source, "the object".to_owned())],
            ),
            Err(json::Failure { why: json::Why::Limit(excess), at: operation }) => {
                report.limit(operation.or(at), excess);
            }
            Err(json::Failure { why: json::Why::Spent, .. }) => break,
        }
    }
}
