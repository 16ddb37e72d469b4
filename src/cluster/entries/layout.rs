//! Which closures are clusters of their own, and which folders stand for one.

use std::collections::BTreeSet;

use super::root::is_below;
use crate::{
    cluster::{Folder, closure::Closure},
    flux::{
        SourceRef,
        api::{ArtifactGeneratorSpec, GeneratorSource, kinds::ARTIFACT_GENERATOR},
    },
    kustomize::Object,
    source::{Span, parent},
    yaml::decode,
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
