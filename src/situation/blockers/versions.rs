//! Flux objects of an API version that the Flux release of the cluster no longer serves.

use super::{Blocker, Cause, View};
use crate::{
    cluster::{Cluster, ObjectKey, Provider},
    finding::{Confidence, Subject},
    flux::{
        FluxVersion,
        api::{HELM_GROUP, KUSTOMIZE_GROUP, OPERATOR_GROUP, SOURCE_GROUP},
    },
    graph::{Actor, Moment, Reason},
    source::Span,
};

/// An API version that Flux no longer serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RemovedVersion {
    /// API group.
    pub group: &'static str,
    /// Version.
    pub version: &'static str,
    /// The first release without it.
    pub since: FluxVersion,
    /// The version to write instead.
    pub successor: &'static str,
}

/// Changelogs of kustomize-controller 1.7 and 1.8, helm-controller 1.4 and 1.5, source-controller 1.7 and 1.8.
static REMOVED: [RemovedVersion; 6] = [
    removed(KUSTOMIZE_GROUP, "v1beta1", 7, "v1"),
    removed(KUSTOMIZE_GROUP, "v1beta2", 8, "v1"),
    removed(HELM_GROUP, "v2beta1", 7, "v2"),
    removed(HELM_GROUP, "v2beta2", 8, "v2"),
    removed(SOURCE_GROUP, "v1beta1", 7, "v1"),
    removed(SOURCE_GROUP, "v1beta2", 8, "v1"),
];

const fn removed(group: &'static str, version: &'static str, minor: u16, successor: &'static str) -> RemovedVersion {
    RemovedVersion { group, version, since: FluxVersion { major: 2, minor }, successor }
}

/// A Flux object of a removed API version, in a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionFact {
    /// The Kustomization or ResourceSet that applies it.
    pub owner: Actor,
    /// The same by name.
    pub owner_subject: Subject,
    /// The object.
    pub subject: Subject,
    /// Its API version.
    pub removed: &'static RemovedVersion,
    /// The release that runs in the cluster, where the repository says.
    pub release: Option<FluxVersion>,
    /// The place of `apiVersion`.
    pub span: Span,
}

impl VersionFact {
    /// Whether the release that runs in the cluster is known to serve the version.
    #[must_use]
    pub fn is_served(&self) -> bool {
        self.release.is_some_and(|release| release < self.removed.since)
    }

    /// The dry-run of the object fails with `no matches for kind`, so its owner never gets beyond the apply (fluxcd/pkg
    /// ssa, `ApplyAllStaged`). Where the release is unknown this is a guess: a repository that is in use and has such
    /// objects is likely to run a release that serves them.
    #[must_use]
    pub fn blocker(&self) -> Option<Blocker> {
        let RemovedVersion { group, version, since, .. } = self.removed;
        (!self.is_served()).then(|| Blocker {
            actor: self.owner,
            moment: Moment::Applied,
            reason: Reason::NeedsKind,
            cause: Cause::UnknownKind,
            text: format!("applies {} of `{group}/{version}`, which Flux {since} no longer serves", self.subject),
            span: self.span,
            confidence: if self.release.is_some() { Confidence::High } else { Confidence::Low },
        })
    }
}

/// Finds those of a cluster that an entry point reaches, in the order of its objects.
pub(super) fn find(view: View<'_>) -> Vec<VersionFact> {
    let cluster = view.cluster;
    let flux = cluster.objects.iter().filter(|(key, _)| cluster.reached && key.group.ends_with(".toolkit.fluxcd.io"));
    let applied = flux.flat_map(|(key, providers)| providers.iter().map(move |provider| (key, *provider)));
    applied.filter_map(|(key, provider)| fact(cluster, key, provider)).collect()
}

fn fact(cluster: &Cluster, key: &ObjectKey, provider: Provider) -> Option<VersionFact> {
    let object = cluster.object(provider);
    let version = object.id().version;
    let removed = REMOVED.iter().find(|row| key.group == row.group && version == row.version)?;
    let owner_subject = cluster.owner(provider);
    let span = object.node.find(&["apiVersion"]).map_or(Span::NONE, |version| version.span);
    Some(VersionFact {
        owner: owner(cluster, provider, &owner_subject),
        owner_subject,
        subject: key.subject(),
        removed,
        release: cluster.version,
        span: span.or(object.source),
    })
}

/// The actor that applies an object: a ResourceSet, where it is one that makes the object, else the Kustomization.
fn owner(cluster: &Cluster, provider: Provider, subject: &Subject) -> Actor {
    let is_it = |key: &ObjectKey| key.group == OPERATOR_GROUP && key.subject() == *subject;
    let set = provider.set.and_then(|_| cluster.objects.keys().position(is_it));
    set.map_or(Actor::Node(provider.node), |position| Actor::Object(position as u32))
}
