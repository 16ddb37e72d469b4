//! Sources that are suspended in the repository: in a new cluster they are never fetched.

use super::{Blocker, Cause, View, known_sources::of_entries, source_uses::source_uses};
use crate::{
    cluster::{Cluster, ObjectKey},
    finding::{Confidence, Subject},
    flux::{
        SourceRef,
        api::{SOURCE_EXTENSIONS_GROUP, SOURCE_GROUP},
    },
    graph::{Actor, Moment, Reason},
    source::Span,
    yaml,
};

/// A source that is suspended, so that it never has an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuspendedSourceFact {
    /// The source.
    pub actor: Actor,
    /// The same by name.
    pub subject: Subject,
    /// The text that suspends it.
    pub span: Span,
    /// The Kustomizations and HelmReleases that take from it.
    pub users: Vec<Subject>,
    /// How sure it is.
    pub confidence: Confidence,
}

impl SuspendedSourceFact {
    /// The source exists and never becomes Ready: kstatus reads it as InProgress, and its users wait for an artifact
    /// (source-controller v1.9 returns before it fetches).
    #[must_use]
    pub fn blocker(&self) -> Option<Blocker> {
        Some(Blocker {
            actor: self.actor,
            moment: Moment::Ready,
            reason: Reason::Progress,
            cause: Cause::Suspended,
            text: "is suspended, so that a new cluster never fetches it".to_owned(),
            span: self.span,
            confidence: self.confidence,
        })
    }
}

/// Finds those of a cluster. Sources of entry points, and those that are made outside the repository, are preinstalled:
/// they have an artifact.
pub(super) fn find(view: View<'_>) -> Vec<SuspendedSourceFact> {
    let cluster = view.cluster;
    let mut facts = Vec::new();
    for (position, (key, providers)) in cluster.objects.iter().enumerate() {
        let Some(provider) = providers.first().filter(|_| is_source(key)) else { continue };
        let Some(span) = suspension(key, &cluster.object(*provider).node) else { continue };
        if is_preinstalled(cluster, key) {
            continue;
        }
        facts.push(SuspendedSourceFact {
            actor: Actor::Object(position as u32),
            subject: key.subject(),
            span,
            users: users(cluster, key),
            confidence: view.confidence(Confidence::High),
        });
    }
    facts
}

fn is_source(key: &ObjectKey) -> bool {
    key.group == SOURCE_GROUP || (key.group == SOURCE_EXTENSIONS_GROUP && key.kind == "ArtifactGenerator")
}

/// The text that suspends a source: `spec.suspend`, or the annotation of an ArtifactGenerator (source-watcher v2.2,
/// `ReconcileAnnotation`). A HelmRepository of type `oci` is never fetched itself (source-controller v1.9), so nothing of
/// it can be held.
fn suspension(key: &ObjectKey, object: &yaml::Node) -> Option<Span> {
    if key.group == SOURCE_EXTENSIONS_GROUP {
        let mark = object.find(&["metadata", "annotations", "source.extensions.fluxcd.io/reconcile"])?;
        return mark.as_str().filter(|text| text.eq_ignore_ascii_case("disabled")).map(|_| mark.span);
    }
    let suspend = object.find(&["spec", "suspend"]).filter(|suspend| suspend.as_bool() == Some(true))?;
    (object.find_str(&["spec", "type"]) != Some("oci")).then_some(suspend.span)
}

fn is_preinstalled(cluster: &Cluster, key: &ObjectKey) -> bool {
    cluster.is_external(&key.kind, &key.namespace, &key.name)
        || of_entries(cluster).any(|source| source_key(&source) == *key)
}

/// Who takes from a source, or from an artifact that is made of it.
fn users(cluster: &Cluster, key: &ObjectKey) -> Vec<Subject> {
    let supply = &cluster.supply;
    let uses = source_uses(cluster).into_iter().map(|using| using.used);
    let of_it = uses.filter(|used| {
        let wanted = source_key(&used.source);
        wanted == *key || supply.made(&wanted).is_some_and(|index| supply.made[index].makers.contains(key))
    });
    of_it.map(|used| used.subject).collect()
}

fn source_key(source: &SourceRef) -> ObjectKey {
    let group = if source.kind == "ExternalArtifact" { SOURCE_EXTENSIONS_GROUP } else { SOURCE_GROUP };
    ObjectKey {
        group: group.into(),
        kind: source.kind.clone(),
        namespace: source.namespace.clone(),
        name: source.name.clone(),
    }
}
