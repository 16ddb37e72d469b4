//! Objects of Flux that are suspended: they exist, and their controllers pass over them (kustomize-controller v1.9,
//! helm-controller v1.6 and source-controller v1.9, `Reconcile`). What waits for one is in the graph: a Kustomization or a
//! source that was created suspended is InProgress to a health check, a HelmRelease is Current.

use super::{Blocker, Cause, View, known_sources::of_entries};
use crate::{
    cluster::{Cluster, ObjectKey, Provider},
    finding::{Confidence, Subject},
    flux::api::{SOURCE_EXTENSIONS_GROUP, SOURCE_GROUP},
    graph::{Actor, Moment, Reason},
    kustomize::Object,
    source::Span,
    yaml::Node as Yaml,
};

/// An object of Flux that is suspended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuspensionFact {
    /// The object.
    pub actor: Actor,
    /// The same by name.
    pub subject: Subject,
    /// The place of `suspend: true`.
    pub span: Span,
    /// How sure it is: low where another manifest of the same object does not suspend it.
    pub confidence: Confidence,
}

impl SuspensionFact {
    /// What is wrong, as a clause that follows the name of the object.
    #[must_use]
    pub const fn clause(&self) -> &'static str {
        "is suspended"
    }

    /// A Kustomization and a HelmRelease never start, a source is never fetched.
    #[must_use]
    pub fn blocker(&self) -> Option<Blocker> {
        let is_source = matches!(self.actor, Actor::Object(_));
        Some(Blocker {
            actor: self.actor,
            moment: if is_source { Moment::Ready } else { Moment::Start },
            reason: Reason::Progress,
            cause: Cause::Suspended,
            text: self.clause().to_owned(),
            span: self.span,
            confidence: self.confidence,
        })
    }
}

/// Finds those of a cluster: its Kustomizations, then its HelmReleases, then its sources.
pub(super) fn find(view: View<'_>) -> Vec<SuspensionFact> {
    let cluster = view.cluster;
    let nodes = cluster.nodes().filter(|(_, node)| node.kustomization.spec.suspend).map(|(id, node)| SuspensionFact {
        actor: Actor::Node(id),
        subject: node.subject(),
        span: node.kustomization.span(&["spec", "suspend"]),
        confidence: agreement(node.manifests.iter().map(|manifest| &manifest.object)),
    });
    let releases = cluster.releases.iter().enumerate().filter(|(_, release)| release.helm.spec.suspend);
    let releases = releases.map(|(index, release)| SuspensionFact {
        actor: Actor::Release(index as u32),
        subject: release.subject(),
        span: release.helm.span(&["spec", "suspend"]),
        confidence: agreement(objects(cluster, &release.providers)),
    });
    nodes.chain(releases).chain(sources(cluster)).collect()
}

/// Suspended sources, which are never fetched.
fn sources(cluster: &Cluster) -> impl Iterator<Item = SuspensionFact> + '_ {
    cluster.objects.iter().zip(0_u32..).filter_map(move |((key, providers), index)| {
        let is_source = matches!(key.group.as_str(), SOURCE_GROUP | SOURCE_EXTENSIONS_GROUP);
        let object = is_source.then(|| providers.first())?.map(|first| cluster.object(*first))?;
        // There is nothing to fetch for a Helm repository that is an OCI registry, and it is Ready without.
        let is_static = key.kind == "HelmRepository" && object.node.find_str(&["spec", "type"]) == Some("oci");
        (is_suspended(&object.node) && !is_static).then(|| SuspensionFact {
            actor: Actor::Object(index),
            subject: key.subject(),
            span: object.node.nearest_span(&["spec", "suspend"]).or(object.source),
            // That of an entry point may have been fetched before the manifest that suspends it was applied.
            confidence: if is_of_entry(cluster, key) {
                Confidence::Low
            } else {
                agreement(objects(cluster, providers))
            },
        })
    })
}

/// Whether an entry point takes its files from the source.
fn is_of_entry(cluster: &Cluster, key: &ObjectKey) -> bool {
    of_entries(cluster).any(|source| ObjectKey::from(&source) == *key)
}

/// How sure it is that an object is suspended: where one manifest of it does not say so, that may be in force.
fn agreement<'o>(mut manifests: impl Iterator<Item = &'o Object>) -> Confidence {
    if manifests.all(|object| is_suspended(&object.node)) { Confidence::High } else { Confidence::Low }
}

fn objects<'c>(cluster: &'c Cluster, providers: &'c [Provider]) -> impl Iterator<Item = &'c Object> {
    providers.iter().map(|provider| cluster.object(*provider))
}

/// An ArtifactGenerator is suspended by an annotation (source-watcher v2.2, `ReconcileAnnotation`).
fn is_suspended(object: &Yaml) -> bool {
    let annotation = object.find_str(&["metadata", "annotations", "source.extensions.fluxcd.io/reconcile"]);
    object.find(&["spec", "suspend"]).and_then(Yaml::as_bool) == Some(true)
        || annotation.is_some_and(|value| value.eq_ignore_ascii_case("disabled"))
}
