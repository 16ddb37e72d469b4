//! What becomes of what leaves the repository: shared by the rules on changes.

use super::Situation;
use crate::{
    cluster::{Node, NodeId, NodeKey},
    finding::{Related, Subject},
    flux::Policy,
    source::Tree,
};

/// What becomes of what a Kustomization applied, once it is gone itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rules) enum Fate {
    /// Nobody deletes the Kustomization: it goes on, or fails where its path is gone.
    Stays,
    /// It is deleted, what it applied is not.
    Orphans,
    /// The same, because its `deletionPolicy` says so.
    OrphansByPolicy,
    /// Both are deleted.
    Deletes,
}

/// The fate of a Kustomization that `before` has and `after` has not (kustomize-controller v1.9, `prune` and `finalize`).
pub(in crate::rules) fn fate(before: &Situation<'_>, after: &Situation<'_>, id: NodeId) -> Fate {
    fate_below(before, after, id, DEEPEST)
}

/// Owners above each other that are looked at. Two that apply each other have no end.
const DEEPEST: usize = 64;

fn fate_below(before: &Situation<'_>, after: &Situation<'_>, id: NodeId, left: usize) -> Fate {
    let node = before.cluster.node(id);
    if left == 0 || !is_deleted(before, after, id, left) {
        return Fate::Stays;
    }
    let spec = &node.kustomization.spec;
    match spec.deletion_policy.as_deref() {
        // A suspended one deletes nothing, whatever its policy (`finalizerShouldDeleteResources`).
        _ if spec.suspend => Fate::Orphans,
        Some("Orphan") => Fate::OrphansByPolicy,
        Some("Delete" | "WaitForTermination") => Fate::Deletes,
        _ if spec.prune == Some(true) => Fate::Deletes,
        _ => Fate::Orphans,
    }
}

/// Whether somebody deletes the Kustomization once no build holds it.
fn is_deleted(before: &Situation<'_>, after: &Situation<'_>, id: NodeId, left: usize) -> bool {
    let node = before.cluster.node(id);
    let Some(definition) = node.manifests.first() else { return false };
    if !Policy::new(&definition.object.node).pruned {
        return false;
    }
    // The Flux Operator deletes what a ResourceSet no longer makes.
    if definition.resource_set.is_some() {
        return true;
    }
    let Some(owner) = definition.owner.as_ref().filter(|owner| **owner != node.key) else { return false };
    prunes(before, after, owner, left - 1)
}

/// Whether a Kustomization deletes what leaves its build, or goes itself and takes it along.
fn prunes(before: &Situation<'_>, after: &Situation<'_>, owner: &NodeKey, left: usize) -> bool {
    if let Some(id) = after.cluster.find(owner) {
        return prunes_now(after.cluster.node(id));
    }
    before.cluster.find(owner).is_some_and(|id| fate_below(before, after, id, left) == Fate::Deletes)
}

/// Whether a Kustomization deletes what leaves its build. One whose build fails comes to nothing at all.
fn prunes_now(node: &Node) -> bool {
    let spec = &node.kustomization.spec;
    spec.prune == Some(true) && !spec.suspend && node.applied.build.errors.is_empty()
}

/// Where something stood before the change, for people: no file holds it any more.
pub(in crate::rules) fn former(before: &Tree, span: crate::source::Span, what: &str, subject: Subject) -> Related {
    let message = match before.place(span) {
        Some(place) => format!("{what}, formerly at {place}"),
        None => what.to_owned(),
    };
    Related { message, subject: Some(subject), location: None }
}

/// Kinds that are made again within seconds, and whose absence until then hurts little.
const LIGHT: &[&str] = &[
    "Alert",
    "Bucket",
    "ClusterRole",
    "ClusterRoleBinding",
    "ConfigMap",
    "ExternalSecret",
    "GitRepository",
    "GrafanaDashboard",
    "HelmChart",
    "HelmRepository",
    "ImagePolicy",
    "ImageRepository",
    "ImageUpdateAutomation",
    "LimitRange",
    "NetworkPolicy",
    "OCIRepository",
    "PodDisruptionBudget",
    "PodMonitor",
    "PrometheusRule",
    "Provider",
    "Receiver",
    "ResourceQuota",
    "Role",
    "RoleBinding",
    "ScrapeConfig",
    "Secret",
    "ServiceAccount",
    "ServiceMonitor",
];

/// Whether deleting an object of the kind costs more than the seconds until it is made again.
pub(in crate::rules) fn is_heavy(kind: &str) -> bool {
    !LIGHT.contains(&kind)
}

/// What deleting objects of some kinds takes along, in sentences.
pub(in crate::rules) fn losses(kinds: &[&str]) -> String {
    let sentences = [
        ("Namespace", " A Namespace takes everything in it along, whoever applied that."),
        ("CustomResourceDefinition", " A CustomResourceDefinition takes every object of its kind along."),
        ("PersistentVolumeClaim", " The volume of a claim goes with it, unless it is retained."),
        ("HelmRelease", " A HelmRelease uninstalls its chart when it is deleted."),
        ("Kustomization", " A Kustomization deletes what it applied when it is deleted."),
    ];
    sentences.iter().filter(|(kind, _)| kinds.contains(kind)).map(|(_, sentence)| *sentence).collect()
}
