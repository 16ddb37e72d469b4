//! Namespaces that a build renames, while what is meant to be in them keeps to the former name.

use std::collections::BTreeMap;

use smol_str::SmolStr;

use super::{View, renames::original};
use crate::{
    cluster::{Cluster, NodeId, ObjectKey},
    finding::Subject,
    flux::{Policy, api::kinds::NAMESPACE},
    kustomize::Step,
    source::Span,
};

/// A Namespace object under another name than in its file: kustomize sets the namespace of everything in a build, and of a Namespace
/// that is its name (kustomize `api/filters/namespace`, `Filter.metaNamespaceHack`).
#[derive(Debug, Clone)]
pub struct RenamedNamespace {
    /// The Kustomization that builds it.
    pub node: NodeId,
    /// The name in its file.
    pub original: SmolStr,
    /// The name that it gets.
    pub name: SmolStr,
    /// The text that renames it: `namespace` of a kustomization file, or `spec.targetNamespace`.
    pub span: Span,
    /// The name in its file.
    pub place: Span,
    /// What is to be in a namespace of the former name, which nothing makes, and where it says so.
    pub users: Vec<(Subject, Span)>,
    /// Whether the new name is that of the namespace in which Flux runs, and the Kustomization deletes it once it drops it.
    pub is_of_flux: bool,
}

/// Those of a cluster that an entry point reaches.
pub(super) fn find(view: View<'_>) -> Vec<RenamedNamespace> {
    let mut users: Option<BTreeMap<SmolStr, Vec<(Subject, Span)>>> = None;
    let mut found = Vec::new();
    for (id, node) in view.nodes().filter(|(_, node)| !node.is_remote()) {
        for object in &node.applied.build.objects {
            let key = ObjectKey::from(object.id());
            if !key.is(NAMESPACE) || key.is_unresolved() {
                continue;
            }
            let Some(change) = object.changes.iter().rev().find(|change| change.step == Step::Namespace) else {
                continue;
            };
            let Some((_, name)) = original(view.store, object) else { continue };
            if name == key.name || name.contains('$') || is_there(view.cluster, &name) {
                continue;
            }
            let users =
                users.get_or_insert_with(|| namespaces_in_use(view.cluster)).get(&name).cloned().unwrap_or_default();
            let is_target = change.at == node.kustomization.span(&["spec", "targetNamespace"]);
            let is_home = view.cluster.nodes.iter().any(|node| node.is_entry && node.key.namespace == key.name);
            let is_pruned = node.kustomization.spec.prune == Some(true) && Policy::new(&object.node).pruned;
            let is_of_flux = is_target && is_home && is_pruned;
            if !users.is_empty() || is_of_flux {
                let (span, place) = (change.at, object.source);
                found.push(RenamedNamespace {
                    node: id,
                    original: name,
                    name: key.name,
                    span,
                    place,
                    users,
                    is_of_flux,
                });
            }
        }
    }
    found
}

/// Whether something makes a namespace of that name, or it is there before Flux.
fn is_there(cluster: &Cluster, name: &SmolStr) -> bool {
    let key = ObjectKey::new(NAMESPACE, SmolStr::default(), name.clone());
    let is_given = matches!(name.as_str(), "default" | "kube-system" | "kube-public" | "kube-node-lease");
    let is_home = || cluster.nodes.iter().any(|node| node.is_entry && node.key.namespace == *name);
    let is_made = || cluster.implicit.namespaces.iter().any(|made| made.name == *name);
    is_given || cluster.provides(&key) || is_made() || is_home()
}

/// What is to be in each namespace: objects, and what HelmReleases install.
fn namespaces_in_use(cluster: &Cluster) -> BTreeMap<SmolStr, Vec<(Subject, Span)>> {
    let mut users: BTreeMap<SmolStr, Vec<(Subject, Span)>> = BTreeMap::new();
    for (key, providers) in cluster.objects.iter().filter(|(key, _)| !key.namespace.is_empty()) {
        let Some(object) = providers.first().map(|provider| cluster.object(*provider)) else { continue };
        let span = object.node.nearest_span(&["metadata", "namespace"]);
        users.entry(key.namespace.clone()).or_default().push((key.subject(), span.or(object.source)));
    }
    for release in &cluster.releases {
        if let Some(target) = release.helm.spec.target_namespace.as_deref() {
            let place = release.helm.span(&["spec", "targetNamespace"]);
            users.entry(target.into()).or_default().push((release.subject(), place));
        }
    }
    users
}
