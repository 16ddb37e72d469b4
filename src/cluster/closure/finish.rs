use std::collections::BTreeMap;

use super::{Closure, draft::applied_keys};
use crate::{
    cluster::{Cluster, Implicit, Node, NodeId, NodeKey, ObjectKey, Provider, Release, bootstrap::Bootstrap},
    flux::HelmRelease,
    source::Tree,
};

/// Turns a closure into a cluster: numbers the nodes and lists who applies what.
pub(in crate::cluster) fn finish(
    root: String,
    reached: bool,
    closure: Closure,
    bootstrap: &Bootstrap,
    tree: &Tree,
) -> Cluster {
    let nodes: Vec<Node> = closure
        .drafts
        .into_iter()
        .map(|(key, draft)| Node {
            key,
            kustomization: draft.kustomization,
            is_entry: draft.is_entry,
            is_generated: draft.is_generated,
            manifests: draft.manifests,
            folder: draft.folder,
            applied: std::sync::Arc::unwrap_or_clone(draft.applied),
            resource_sets: std::sync::Arc::unwrap_or_clone(draft.resource_sets),
            unresolved: draft.unresolved,
        })
        .collect();
    let (objects, releases) = owned(&nodes);
    let implicit = Implicit::new(&nodes, &releases, &objects, bootstrap, tree);
    let Closure { version, tells_version, controllers, .. } = closure;
    Cluster { root, reached, version, tells_version, controllers, nodes, releases, objects, implicit }
}

/// Every object with its providers, and the HelmReleases among them.
pub(in crate::cluster) fn owned(nodes: &[Node]) -> (BTreeMap<ObjectKey, Vec<Provider>>, Vec<Release>) {
    let mut objects: BTreeMap<ObjectKey, Vec<Provider>> = BTreeMap::new();
    for (index, node) in nodes.iter().enumerate() {
        // What a node applies to another cluster is no object of this one.
        if node.is_remote() {
            continue;
        }
        let id = NodeId(index as u32);
        for (object, key) in applied_keys(&node.applied) {
            objects.entry(key).or_default().push(Provider { node: id, set: None, object });
        }
        for (set, made) in node.resource_sets.iter().enumerate() {
            for (object, made) in made.objects.iter().enumerate() {
                objects.entry(made.id().into()).or_default().push(Provider { node: id, set: Some(set), object });
            }
        }
    }
    let releases = objects
        .iter()
        .filter(|(key, _)| key.is_helm_release())
        .filter_map(|(key, providers)| {
            let first = providers.first()?;
            let object = nodes[first.node.index()].object(*first).clone();
            let key = NodeKey::new(key.namespace.clone(), key.name.clone());
            Some(Release { key, helm: HelmRelease::read(object), providers: providers.clone() })
        })
        .collect();
    (objects, releases)
}
