//! Sources that are suspended in the repository: in a new cluster they are never fetched.

use super::{Blocker, Cause, View, known_sources::of_entries, source_uses::source_uses};
use crate::{
    cluster::{Cluster, ObjectKey, Provider},
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
    /// Who waits for it.
    pub waiting: Vec<Waiting>,
    /// How sure it is.
    pub confidence: Confidence,
}

/// An object that waits for a source, and is not suspended itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The object.
    pub subject: Subject,
    /// What it takes from the source; `None` where it applies the source with `wait: true`.
    pub content: Option<&'static str>,
    /// The place that says so.
    pub span: Span,
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
            waiting: users(cluster, key).chain(parents(cluster, providers)).collect(),
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
fn users<'a>(cluster: &'a Cluster, key: &'a ObjectKey) -> impl Iterator<Item = Waiting> + 'a {
    let supply = &cluster.supply;
    let uses = source_uses(cluster).into_iter().map(|using| using.used);
    let of_it = uses.filter(move |used| {
        let wanted = source_key(&used.source);
        wanted == *key || supply.made(&wanted).is_some_and(|index| supply.made[index].makers.contains(key))
    });
    of_it.filter(|used| !is_suspended(cluster, used.actor)).map(|used| Waiting {
        content: Some(used.content()),
        span: used.span,
        subject: used.subject,
    })
}

/// The Kustomizations that apply the source and wait for all that they apply.
fn parents<'a>(cluster: &'a Cluster, providers: &'a [Provider]) -> impl Iterator<Item = Waiting> + 'a {
    let own = providers.iter().filter(|provider| provider.set.is_none());
    let nodes = own.map(|provider| cluster.node(provider.node));
    nodes.filter(|node| node.kustomization.spec.wait && !node.kustomization.spec.suspend).map(|node| Waiting {
        subject: node.subject(),
        content: None,
        span: node.kustomization.span(&["spec", "wait"]),
    })
}

fn is_suspended(cluster: &Cluster, actor: Actor) -> bool {
    match actor {
        Actor::Node(id) => cluster.node(id).kustomization.spec.suspend,
        Actor::Release(index) => cluster.releases[index as usize].helm.spec.suspend,
        _ => false,
    }
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
