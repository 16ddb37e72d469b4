use std::collections::BTreeSet;

use super::Situation;
use crate::{
    cluster::NodeKey,
    graph::{Actor, EventId, Moment},
    situation::DependencyFact,
};

/// What never comes about since something depends on what is nowhere. The graph passes over such an entry, so that in a cold
/// start these have times all the same, as if it were not there.
#[derive(Debug, Default)]
pub struct Stuck {
    nodes: BTreeSet<NodeKey>,
    events: BTreeSet<EventId>,
}

impl Stuck {
    /// That of a cluster.
    #[must_use]
    pub fn of(situation: &Situation<'_>) -> Self {
        let cluster = situation.cluster;
        let blockers = situation.facts.dependencies.iter().filter_map(DependencyFact::blocker);
        let starts: Vec<EventId> =
            blockers.filter_map(|blocker| situation.graph.id(blocker.actor, blocker.moment)).collect();
        if starts.is_empty() {
            return Self::default();
        }
        let events: BTreeSet<EventId> = situation.graph.lost_without(&starts).into_iter().chain(starts).collect();
        let ready = events.iter().map(|id| situation.graph.event(*id)).filter(|event| event.moment == Moment::Ready);
        let nodes = ready.filter_map(|event| match event.actor {
            Actor::Node(node) => Some(cluster.node(node).key.clone()),
            _ => None,
        });
        Self { nodes: nodes.collect(), events }
    }

    /// Whether a Kustomization is never Ready because of that.
    #[must_use]
    pub fn has(&self, key: &NodeKey) -> bool {
        self.nodes.contains(key)
    }

    /// What happens last of all else.
    #[must_use]
    pub fn last(&self, situation: &Situation<'_>) -> Option<EventId> {
        let (graph, cold_start) = (&situation.graph, &situation.cold_start);
        if self.events.is_empty() {
            return cold_start.last(graph);
        }
        let left = graph.events().filter(|id| !self.events.contains(id));
        let timed = left.filter_map(|id| Some((cold_start.time(id)?.typical, std::cmp::Reverse(id))));
        timed.max().map(|(_, id)| id.0)
    }
}
