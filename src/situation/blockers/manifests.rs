//! Manifests that the API server refuses: a field is missing, of the wrong type, or has a value that its schema does not allow.

mod fields;
mod flaw;
mod labels;
mod lists;
mod shapes;

pub(super) use fields::visit;
pub use flaw::{Flaw, Form, Unquoted, any_of};

use super::{Blocker, Cause, View, apply_of};
use crate::{
    cluster::{Cluster, ObjectKey, Provider},
    finding::Confidence,
    flux::{HelmRelease, Kustomization, Policy},
    graph::{Actor, Moment, Reason},
    kustomize::Object,
    source::Span,
    yaml::Store,
};
use fields::{CONFIG_MAP, HELM_RELEASE, KUSTOMIZATION, SECRET};

/// A manifest that the API server refuses.
#[derive(Debug, Clone)]
pub struct ManifestFact {
    /// The object.
    pub key: ObjectKey,
    /// What is wrong with it.
    pub fault: FieldFault,
    /// Who applies it so, in the order of the cluster; empty for an entry point that is applied by hand.
    pub providers: Vec<Provider>,
    /// What does not happen: the stage of the apply that holds it, or the existence of an entry point.
    events: Vec<(Actor, Moment)>,
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldFault {
    /// The field, for instance `spec.sourceRef.kind`.
    pub path: String,
    /// What is wrong with it.
    pub flaw: Flaw,
    /// Its place, or the nearest.
    pub span: Span,
}

impl ManifestFact {
    /// What it keeps from happening: the stages of all that apply it.
    pub fn blockers(&self) -> impl Iterator<Item = Blocker> {
        let FieldFault { path, flaw, span } = &self.fault;
        let text = match self.providers.is_empty() {
            true => format!("is refused by the API server: `{path}` {flaw}"),
            false => format!("applies {}, which the API server refuses: `{path}` {flaw}", self.key.subject()),
        };
        self.events.iter().map(move |(actor, moment)| Blocker {
            actor: *actor,
            moment: *moment,
            reason: Reason::DryRun,
            cause: Cause::RefusedManifest,
            text: text.clone(),
            span: *span,
            confidence: Confidence::High,
        })
    }
}

/// Most faults of one object, and of one cluster: a patch can put the same one into every object. Nobody reads more of them, and
/// the build fails for the first.
const OF_OBJECT: usize = 100;
const OF_CLUSTER: usize = 5_000;

/// The facts of a cluster: those of objects that builds hold, sorted by object, then those of entry points.
pub(super) fn find(view: View<'_>) -> Vec<ManifestFact> {
    let View { cluster, store, .. } = view;
    let mut facts = Vec::new();
    if !cluster.reached {
        return facts;
    }
    for (key, providers) in cluster.objects.iter().filter(|(key, _)| !key.is_unresolved()) {
        let first = facts.len();
        if first >= OF_CLUSTER {
            break;
        }
        for provider in providers {
            for fault in faults(key, cluster.object(*provider), store).into_iter().take(OF_OBJECT) {
                add(&mut facts, first, cluster, key, fault, *provider);
            }
        }
    }
    // What is applied by hand goes through the same API server.
    let by_hand = cluster.nodes().filter(|(_, node)| node.is_entry && !node.is_generated);
    for (id, node) in by_hand.filter(|(_, node)| node.manifests.iter().all(|manifest| manifest.owner.is_none())) {
        let Kustomization { object, problems, .. } = &node.kustomization;
        facts.extend(fields::faults(object, problems, KUSTOMIZATION, store).into_iter().map(|fault| ManifestFact {
            key: object.id().into(),
            fault,
            providers: Vec::new(),
            events: vec![(Actor::Node(id), Moment::Exists)],
        }));
    }
    facts
}

/// Adds a fault of what `provider` applies; the same fault of another provider is the same fact.
fn add(
    facts: &mut Vec<ManifestFact>,
    first: usize,
    cluster: &Cluster,
    key: &ObjectKey,
    fault: FieldFault,
    provider: Provider,
) {
    let event = apply_of(cluster, provider);
    match facts[first..].iter_mut().find(|fact| fact.fault == fault) {
        Some(fact) => {
            fact.providers.push(provider);
            fact.events.push(event);
        }
        None => facts.push(ManifestFact { key: key.clone(), fault, providers: vec![provider], events: vec![event] }),
    }
}

/// The faults of an object of some build.
fn faults(key: &ObjectKey, object: &Object, store: &Store) -> Vec<FieldFault> {
    let is_named = fields::NAMED.contains(&(key.group.as_str(), key.kind.as_str()));
    if !Policy::new(&object.node).applied {
        return Vec::new();
    }
    let version = object.id().version;
    let mut faults = match (key.kind.as_str(), version.as_str()) {
        ("Kustomization", "v1") if key.is_kustomization() => {
            fields::faults(object, &Kustomization::read(object.clone()).problems, KUSTOMIZATION, store)
        }
        ("HelmRelease", "v2") if key.is_helm_release() => {
            let problems = HelmRelease::read(object.clone()).problems;
            let mut faults = fields::faults(object, &problems, HELM_RELEASE, store);
            faults.extend(fields::chart_fault(object));
            faults
        }
        ("ConfigMap", "v1") => fields::faults(object, &[], CONFIG_MAP, store),
        ("Secret", "v1") => fields::faults(object, &[], SECRET, store),
        _ => Vec::new(),
    };
    if is_named {
        faults.extend(fields::name_fault(object));
    }
    faults.extend(fields::faults(object, &[], fields::METADATA, store));
    let (group, kind) = (key.group.as_str(), key.kind.as_str());
    faults.extend(shapes::faults(object, group, &version, kind, store));
    faults.extend(lists::faults(object, group, kind));
    faults.extend(labels::faults(object));
    faults
}
