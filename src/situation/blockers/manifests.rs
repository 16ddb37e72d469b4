//! Manifests that the API server refuses: a field is missing, of the wrong type, or has a value that its schema does not allow.

mod checks;
mod crd;
mod data;
mod fields;
mod flaw;
mod labels;
mod lists;
mod required;
mod shapes;
mod tables;

pub(super) use crd::{Crd, Schemas, Undeclared};
pub(super) use fields::visit;
pub use flaw::{Flaw, Form, Unquoted, any_of, urls};

use super::{Blocker, Cause, View, apply_of};
use smol_str::SmolStr;

use crate::{
    cluster::{Cluster, ObjectKey, Provider},
    finding::Confidence,
    flux::{HelmRelease, Kustomization, Policy, is_open_text},
    graph::{Actor, Moment, Reason},
    kustomize::{Hidden, Object},
    source::Span,
    yaml::Store,
};
use tables::{CONFIG_MAP, HELM_RELEASE, KUSTOMIZATION, SECRET};

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
    let schemas = Schemas::new(cluster);
    for (key, providers) in cluster.objects.iter().filter(|(key, _)| !key.is_unresolved()) {
        let first = facts.len();
        if first >= OF_CLUSTER {
            break;
        }
        for provider in providers {
            for fault in faults(cluster, key, *provider, store, &schemas).into_iter().take(OF_OBJECT) {
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
fn faults(
    cluster: &Cluster,
    key: &ObjectKey,
    provider: Provider,
    store: &Store,
    schemas: &Schemas<'_>,
) -> Vec<FieldFault> {
    let object = cluster.object(provider);
    let is_named = tables::NAMED.contains(&(key.group.as_str(), key.kind.as_str()));
    let policy = Policy::new(&object.node);
    if !policy.applied {
        return Vec::new();
    }
    let version = object.id().version;
    let (group, kind) = (key.group.as_str(), key.kind.as_str());
    let mut faults = match (kind, version.as_str()) {
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
        _ => fields::faults(object, &[], tables::of_flux(group, &version, kind), store),
    };
    if is_named {
        faults.extend(fields::name_fault(object));
    }
    faults.extend(fields::faults(object, &[], tables::METADATA, store));
    faults.extend(shapes::faults(object, group, &version, kind, store));
    faults.extend(lists::faults(object, group, kind));
    faults.extend(labels::faults(object));
    faults.extend(required::faults(object, group, &version, kind));
    faults.extend(checks::faults(object, group, &version, kind));
    faults.extend(data::faults(object, group, &version, kind));
    let of_crd = match schemas.of(cluster, provider, key) {
        Some(Crd::Schema(schema)) => schema.faults(object, store),
        Some(Crd::NotServed(served)) => not_served(object, &version, served).into_iter().collect(),
        None => Vec::new(),
    };
    for fault in of_crd {
        if !faults.iter().any(|known| known.path == fault.path || known.span == fault.span) {
            faults.push(fault);
        }
    }
    // What is merged into an object that is there already need not be complete.
    let is_there = policy.merged || key.namespace == "kube-system" || cluster.implicit.is_given(key);
    // A patch that is not here may add it.
    if is_there || cluster.node(provider.node).unresolved.iter().any(|part| part.hides == Hidden::Values) {
        faults.retain(|fault| !fault.flaw.is_about_what_is_missing());
    }
    faults
}

/// That the CRD does not serve the version of an object. What Flux serves depends on its release.
fn not_served(object: &Object, version: &str, served: Vec<SmolStr>) -> Option<FieldFault> {
    let group = object.id().group;
    if group.ends_with(".toolkit.fluxcd.io") || is_open_text(version) {
        return None;
    }
    let span = object.node.find(&["apiVersion"]).map_or(Span::NONE, |version| version.span);
    let flaw = Flaw::NotServed { version: format!("{group}/{version}"), served };
    Some(FieldFault { path: "apiVersion".to_owned(), flaw, span: span.or(object.source) })
}
