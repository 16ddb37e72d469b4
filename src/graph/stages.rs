//! The stages of an apply (fluxcd/pkg ssa, `ApplyAllStaged`): CRDs and Namespaces, then classes, then the rest. A stage is an
//! event of its own where others may need what it holds.

use super::Moment;
use crate::{
    cluster::{Cluster, Node},
    flux::FluxVersion,
    kustomize::ApiVersion,
    yaml,
};

/// The stages of `node`, in order; the last is [`Moment::Applied`].
#[must_use]
pub fn all(cluster: &Cluster, node: &Node) -> Vec<Moment> {
    let is_any = |stage: Moment| node.applied.build.objects.iter().any(|object| of(cluster, &object.node) == stage);
    let early = [Moment::Defined, Moment::Classified].into_iter().filter(|stage| is_any(*stage));
    early.chain([Moment::Applied]).collect()
}

/// The first stage of `node`: what keeps the whole of it from being applied keeps this from happening.
#[must_use]
pub fn first(cluster: &Cluster, node: &Node) -> Moment {
    all(cluster, node).first().copied().unwrap_or(Moment::Applied)
}

/// The stage that applies `object`: one object that is refused keeps the whole stage from being applied.
#[must_use]
pub fn of(cluster: &Cluster, object: &yaml::Node) -> Moment {
    match object.find_str(&["kind"]) {
        Some("CustomResourceDefinition" | "Namespace") => Moment::Defined,
        _ => needing(cluster, object),
    }
}

/// The stage that needs the CRD and the Namespace of `object`.
pub(super) fn needing(cluster: &Cluster, object: &yaml::Node) -> Moment {
    let is_staged = is_class(object) && cluster.version.is_none_or(FluxVersion::has_class_stage);
    if is_staged && custom_kind(cluster, object).is_some() { Moment::Classified } else { Moment::Applied }
}

/// The position of the kind of a custom resource, where something in the cluster provides its CRD.
pub(super) fn custom_kind(cluster: &Cluster, object: &yaml::Node) -> Option<usize> {
    let group = ApiVersion::parse(object.find_str(&["apiVersion"])?).group;
    // Most objects are of Kubernetes' own groups.
    if !group.contains('.') || cluster.implicit.kinds.is_empty() {
        return None;
    }
    cluster.implicit.kind(group, object.find_str(&["kind"])?)
}

/// Whether the kind of the object ends in `Class`.
pub(super) fn is_class(object: &yaml::Node) -> bool {
    object.find_str(&["kind"]).is_some_and(|kind| kind.ends_with("Class"))
}
