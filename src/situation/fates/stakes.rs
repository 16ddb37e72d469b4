//! What is lost with an object that is deleted.

use crate::{
    catalog::DataCatalog,
    cluster::{Cluster, ObjectKey},
    flux::api::kinds::{CLAIM, CRD, HELM_RELEASE, KUSTOMIZATION, NAMESPACE, STORAGE_CLASS},
    yaml::Node,
};

use super::By;

/// What is lost with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stake {
    /// Nothing that is not back within seconds.
    Little,
    /// Something that runs stops.
    Work,
    /// Everything in it: a Namespace or a CRD.
    Contents,
    /// Data.
    Data,
}

/// Kinds whose objects run something, with their groups.
const WORKLOADS: &[(&str, &str)] = &[
    ("apps", "DaemonSet"),
    ("apps", "Deployment"),
    ("apps", "ReplicaSet"),
    ("apps", "StatefulSet"),
    (HELM_RELEASE.group, HELM_RELEASE.kind),
    (KUSTOMIZATION.group, KUSTOMIZATION.kind),
];

/// What is lost when an object of `cluster` is deleted `by` somebody.
#[must_use]
pub fn stake(cluster: &Cluster, key: &ObjectKey, by: &By) -> Stake {
    let object = cluster.objects.get(key).and_then(|providers| providers.first()).map(|one| &cluster.object(*one).node);
    if key.is(NAMESPACE) || key.is(CRD) {
        return Stake::Contents;
    }
    let Some(object) = object else { return Stake::Little };
    if key.is(CLAIM) {
        return if is_retained(cluster, object.get("spec")) { Stake::Work } else { Stake::Data };
    }
    if key.group == "apps" && key.kind == "StatefulSet" && loses_claims(cluster, object, by) {
        return Stake::Data;
    }
    if let Some(row) = DataCatalog::builtin().row(&key.group, &key.kind) {
        return if row.is_kept(object) { Stake::Work } else { Stake::Data };
    }
    let runs = WORKLOADS.iter().any(|(group, kind)| key.group == *group && key.kind == *kind);
    if runs { Stake::Work } else { Stake::Little }
}

/// Whether the claims of a StatefulSet go with it. They stay where nothing else is said, except with their namespace.
fn loses_claims(cluster: &Cluster, object: &Node, by: &By) -> bool {
    let templates = object.find(&["spec", "volumeClaimTemplates"]);
    let mut claims = templates.into_iter().flat_map(Node::items).filter_map(|claim| claim.get("spec"));
    let is_told = object.find_str(&["spec", "persistentVolumeClaimRetentionPolicy", "whenDeleted"]) == Some("Delete");
    (is_told || *by == By::Namespace) && claims.any(|claim| !is_retained(cluster, Some(claim)))
}

/// Whether the volume of a claim outlives it: its class or its own volume says so. Of a class that is not in the repository only
/// the name tells.
fn is_retained(cluster: &Cluster, claim: Option<&Node>) -> bool {
    let Some(claim) = claim else { return false };
    let object = |key: &ObjectKey| {
        let provider = cluster.objects.get(key).and_then(|providers| providers.first())?;
        Some(&cluster.object(*provider).node)
    };
    if let Some(name) = claim.find_str(&["volumeName"]) {
        let volume = cluster.objects.keys().find(|key| key.kind == "PersistentVolume" && key.name == name);
        let policy = volume.and_then(object).map(|node| node.find_str(&["spec", "persistentVolumeReclaimPolicy"]));
        // A volume that somebody made by hand is retained where nothing else is said.
        return policy.is_none_or(|policy| policy.is_none_or(|policy| policy == "Retain"));
    }
    let Some(name) = claim.find_str(&["storageClassName"]) else { return false };
    match object(&ObjectKey::new(STORAGE_CLASS, "", name)) {
        Some(class) => class.find_str(&["reclaimPolicy"]) == Some("Retain"),
        None => name.to_ascii_lowercase().contains("retain"),
    }
}
