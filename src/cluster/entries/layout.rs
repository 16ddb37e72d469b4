//! Which closures are clusters of their own, and which folders stand for one.

use std::collections::BTreeSet;

use crate::{
    cluster::{
        Folder, NodeKey,
        closure::{Closure, Draft},
    },
    flux::{
        SourceRef,
        api::{ArtifactGeneratorSpec, GeneratorSource, kinds::ARTIFACT_GENERATOR},
    },
    kustomize::Object,
    source::{Span, is_below, parent},
    yaml::{Node, decode},
};

/// Drops what is no cluster of its own: a Kustomization whose path holds its own manifest, but which another cluster
/// applies like any other.
pub(in crate::cluster) fn drop_contained(clusters: &mut Vec<(String, Closure)>) {
    let entries: Vec<BTreeSet<Span>> = clusters.iter().map(|(_, closure)| spans(closure, true)).collect();
    let children: Vec<BTreeSet<Span>> = clusters.iter().map(|(_, closure)| spans(closure, false)).collect();
    let holds = |outer: usize, inner: usize| !entries[inner].is_empty() && entries[inner].is_subset(&children[outer]);
    let is_inner = |inner: usize| (0..entries.len()).any(|outer| holds(outer, inner) && !holds(inner, outer));
    let mut kept = (0..entries.len()).map(|index| !is_inner(index));
    clusters.retain(|_| kept.next().unwrap_or(true));
}

/// The documents that define the entry points of a closure, or those that define its other nodes.
pub(in crate::cluster) fn spans(closure: &Closure, of_entries: bool) -> BTreeSet<Span> {
    let drafts = closure.drafts.values().filter(|draft| draft.is_entry == of_entries);
    drafts.flat_map(|draft| draft.manifests.iter().map(|manifest| manifest.object.source)).collect()
}

/// Whether `file` lies in a folder that some cluster builds.
pub(in crate::cluster) fn is_covered(file: &str, clusters: &[(String, Closure)]) -> bool {
    clusters.iter().any(|(_, closure)| covers(closure, file))
}

/// Whether `file` lies in a folder that some node of the closure builds.
pub(in crate::cluster) fn covers(closure: &Closure, file: &str) -> bool {
    closure.drafts.values().any(|draft| matches!(&draft.folder, Folder::Here(folder) if is_below(file, folder)))
}

/// The sources an ArtifactGenerator copies from.
pub(in crate::cluster) fn generator_sources(object: &Object) -> Vec<SourceRef> {
    let id = object.id();
    if !ARTIFACT_GENERATOR.is(&id.group, &id.kind) {
        return Vec::new();
    }
    let namespace = id.namespace.unwrap_or_default();
    let spec: ArtifactGeneratorSpec = object.node.get("spec").and_then(|spec| decode(spec).ok()).unwrap_or_default();
    let source = |source: &GeneratorSource| SourceRef {
        kind: source.kind.as_str().into(),
        namespace: source.namespace.as_deref().map_or_else(|| namespace.clone(), Into::into),
        name: source.name.as_str().into(),
    };
    spec.sources.iter().map(source).collect()
}

/// The folders that an ArtifactGenerator copies from, as far as they stand before the first wildcard.
pub(in crate::cluster) fn generator_copies(generator: &Node) -> Vec<String> {
    let artifacts = generator.find(&["spec", "artifacts"]).into_iter().flat_map(Node::items);
    let copies = artifacts.filter_map(|artifact| artifact.get("copy")).flat_map(Node::items);
    let from = copies.filter_map(|copy| copy.find_str(&["from"])?.strip_prefix('@')?.split_once('/'));
    from.map(|(_, glob)| parent(glob.split(['*', '?', '[', '{']).next().unwrap_or(glob)).to_owned()).collect()
}

/// Drops the roots that a Flux Operator has taken over, where their folder was left as it was: all that they lead to is
/// what one of its own entry points leads to, out of the same files. Gives their names.
pub(in crate::cluster) fn drop_replaced(
    clusters: &mut Vec<(String, Closure)>,
    synced: &BTreeSet<String>,
) -> Vec<String> {
    let documents: Vec<BTreeSet<(&NodeKey, Span)>> = clusters.iter().map(|(_, closure)| of_children(closure)).collect();
    let is_synced = |index: usize| synced.contains(&clusters[index].0);
    let is_replaced = |old: usize| {
        let mut others = (0..clusters.len()).filter(|other| is_synced(*other));
        !is_synced(old) && !documents[old].is_empty() && others.any(|new| documents[old].is_subset(&documents[new]))
    };
    let replaced: Vec<String> =
        (0..clusters.len()).filter(|index| is_replaced(*index)).map(|index| clusters[index].0.clone()).collect();
    clusters.retain(|(root, _)| !replaced.contains(root));
    replaced
}

/// The Kustomizations below the entry points of a closure, each with the document that defines it.
fn of_children(closure: &Closure) -> BTreeSet<(&NodeKey, Span)> {
    let children = closure.drafts.iter().filter(|(_, draft)| !draft.is_entry);
    let spans = |(key, draft)| -> Vec<(&NodeKey, Span)> {
        let draft: &Draft = draft;
        draft.manifests.iter().map(|manifest| (key, manifest.object.source)).collect()
    };
    children.flat_map(spans).collect()
}

/// The folder that stands for one cluster by the layout of Flux's own examples: the one below `clusters` or `cluster`.
pub(in crate::cluster) fn cluster_folder(file: &str) -> Option<&str> {
    let folder = parent(file);
    let mut end = 0;
    let mut below_clusters = false;
    for part in folder.split('/') {
        end += part.len();
        if below_clusters {
            return Some(&folder[..end]);
        }
        below_clusters = part == "clusters";
        end += 1;
    }
    None
}

/// Whether `folder` is one that stands for one cluster.
pub(in crate::cluster) fn is_of_cluster(folder: &str) -> bool {
    folder.split('/').any(|part| part == "clusters")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_the_folder_below_clusters() {
        assert_eq!(cluster_folder("kubernetes/clusters/prod/infra/ks.yaml"), Some("kubernetes/clusters/prod"));
        assert_eq!(cluster_folder("clusters/prod/apps.yaml"), Some("clusters/prod"));
        assert_eq!(cluster_folder("kubernetes/apps/x/ks.yaml"), None);
    }
}
