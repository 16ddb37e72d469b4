//! Which kustomization files take a file into a build.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    cluster::{Folder, Node},
    kustomize::Kustomize,
    rules::Context,
    source::{Artifact, FileId, Span, join, parent},
    yaml,
};

/// The entries of kustomization files below the path of `node` that take in `file`, or the one base or component that takes it in for
/// all of them: where the ways part. Empty where there is one way only.
pub(super) fn includers(context: &Context<'_>, node: &Node, file: FileId) -> Vec<Span> {
    let Folder::Here(root) = &node.folder else { return Vec::new() };
    let entries = entries(context, node, root);
    let mut target = context.tree.path(file);
    let mut seen = BTreeSet::new();
    while seen.insert(target) {
        match entries.get(target).map(Vec::as_slice) {
            None | Some([]) => break,
            Some([one]) => target = parent(context.tree.path(one.file)),
            Some(several) => return several.to_vec(),
        }
    }
    Vec::new()
}

/// The entry that takes in `file`, or the folder of it; `None` where no kustomization file lists it.
pub(super) fn listed_at(context: &Context<'_>, node: &Node, file: FileId) -> Option<Span> {
    let Folder::Here(root) = &node.folder else { return None };
    let entries = entries(context, node, root);
    let path = context.tree.path(file);
    entries.get(path).or_else(|| entries.get(parent(path)))?.first().copied()
}

/// Every entry of the kustomization files that the build of `node` may read, by the file or folder it leads to.
fn entries(context: &Context<'_>, node: &Node, root: &str) -> BTreeMap<String, Vec<Span>> {
    let artifact = Artifact::new(context.tree, "", |_| true);
    let mut entries: BTreeMap<String, Vec<Span>> = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    for (index, component) in node.kustomization.spec.components.iter().enumerate() {
        let Some(path) = join(root, component) else { continue };
        let span = node.kustomization.item_span(&["spec", "components"], index);
        entries.entry(path.clone()).or_default().push(span);
        open.push(path);
    }
    // Where Flux lists what lies below, each kustomization file there may be an entry.
    if Kustomize::kustomization_file(&artifact, root).is_none() {
        let is_below =
            |folder: &&str| root.is_empty() || folder.strip_prefix(root).is_some_and(|rest| rest.starts_with('/'));
        open.extend(artifact.folders().filter(is_below).map(str::to_owned));
    }
    let mut seen = BTreeSet::new();
    while let Some(folder) = open.pop() {
        if !seen.insert(folder.clone()) {
            continue;
        }
        let Some(file) = Kustomize::kustomization_file(&artifact, &folder) else { continue };
        let Some(document) = context.store.parse(file).documents.first() else { continue };
        let lists = ["resources", "components", "bases"].into_iter().filter_map(|key| document.root.get(key));
        for item in lists.flat_map(yaml::Node::items) {
            let Some(path) = item.as_str().and_then(|path| join(&folder, path)) else { continue };
            open.push(path.clone());
            entries.entry(path).or_default().push(item.span);
        }
    }
    for spans in entries.values_mut() {
        spans.sort_by_key(|span| (context.tree.path(span.file), span.start));
    }
    entries
}
