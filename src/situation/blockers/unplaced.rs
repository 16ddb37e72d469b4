//! Objects of a namespaced kind that have no namespace. kustomize-controller has no default for it: the dry-run asks for a path of
//! the API that does not exist, `ConfigMap/x namespace not specified: the server could not find the requested resource`
//! (kustomize-controller 1.9.4 on Kubernetes 1.36, as observed).

use std::collections::BTreeMap;

use super::{Blocker, Cause, View, apply_of, scopes::Scopes};
use crate::{
    cluster::{NodeId, ObjectKey, Provider},
    finding::Confidence,
    flux::{Policy, is_open_text},
    graph::{Actor, Moment, Reason},
    source::Span,
};

/// What a Kustomization applies without a namespace.
#[derive(Debug, Clone)]
pub struct UnplacedFact {
    /// The Kustomization.
    pub node: NodeId,
    /// The objects and their places, in the order of the build; at least one.
    pub objects: Vec<(ObjectKey, Span)>,
    /// How many objects of namespaced kinds it applies.
    pub namespaced: usize,
    /// How sure it is.
    pub confidence: Confidence,
    /// The stages that hold them.
    events: Vec<(Actor, Moment)>,
}

impl UnplacedFact {
    /// What they keep from happening.
    pub fn blockers(&self) -> impl Iterator<Item = Blocker> {
        let (key, span) = &self.objects[0];
        self.events.iter().map(move |(actor, moment)| Blocker {
            actor: *actor,
            moment: *moment,
            reason: Reason::DryRun,
            cause: Cause::RefusedManifest,
            text: format!("applies {}, which has no namespace", key.subject()),
            span: *span,
            confidence: self.confidence,
        })
    }
}

/// The facts of a cluster, in the order of its Kustomizations. What a ResourceSet makes is the business of the Flux Operator.
pub(super) fn find(view: View<'_>) -> Vec<UnplacedFact> {
    let cluster = view.cluster;
    if !cluster.reached {
        return Vec::new();
    }
    let scopes = Scopes::new(cluster);
    let mut facts: BTreeMap<NodeId, UnplacedFact> = BTreeMap::new();
    for (id, node) in cluster.nodes() {
        let mut namespaced = 0;
        for (index, object) in node.applied.build.objects.iter().enumerate() {
            let key = ObjectKey::from(object.id());
            let Some(confidence) = scopes.namespaced(&key.group, &key.kind) else { continue };
            namespaced += 1;
            let is_open = [&key.group, &key.kind, &key.name].iter().any(|text| is_open_text(text));
            if !key.namespace.is_empty() || is_open || !Policy::new(&object.node).applied {
                continue;
            }
            // What the repository does not show may be a component that sets the namespace.
            let confidence = if node.hides_objects() { Confidence::Low } else { confidence };
            let event = apply_of(cluster, Provider { node: id, set: None, object: index });
            let fact = facts.entry(id).or_insert_with(|| UnplacedFact {
                node: id,
                objects: Vec::new(),
                namespaced: 0,
                confidence,
                events: Vec::new(),
            });
            fact.confidence = fact.confidence.max(confidence);
            fact.objects.push((key, object.place()));
            if !fact.events.contains(&event) {
                fact.events.push(event);
            }
        }
        if let Some(fact) = facts.get_mut(&id) {
            fact.namespaced = namespaced;
        }
    }
    facts.into_values().collect()
}
