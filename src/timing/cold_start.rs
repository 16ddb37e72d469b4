use std::time::Duration;

use super::{Durations, constants};
use crate::{
    catalog::Range,
    cluster::{Cluster, NodeId},
    finding::Confidence,
    graph::{Actor, Assume, Cost, Edge, Event, EventGraph, EventId, Moment, Reason, Repaired, Solution},
};

/// Which end of a range is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantile {
    /// The low end.
    Low,
    /// The typical value.
    Typical,
    /// The high end.
    High,
}

/// When everything happens in a cold start: all Kustomizations new, all images to be pulled. Analytic, timeouts off.
#[derive(Debug, Clone)]
pub struct ColdStart {
    low: Solution,
    pub(super) typical: Solution,
    high: Solution,
    /// What it assumes.
    pub(super) assume: Assume<'static>,
}

pub(super) struct At<'d> {
    pub(super) durations: &'d Durations,
    pub(super) quantile: Quantile,
}

impl At<'_> {
    fn of(&self, range: Range) -> Duration {
        match self.quantile {
            Quantile::Low => range.low,
            Quantile::Typical => range.typical,
            Quantile::High => range.high,
        }
    }
}

impl Cost for At<'_> {
    fn edge(&self, before: Event, after: Event, edge: &Edge) -> Duration {
        match (edge.reason, after.actor, before.moment, after.moment) {
            (Reason::Progress, Actor::Node(node), Moment::Start, _) => self.of(self.durations.node(node.index()).apply),
            (Reason::Progress, Actor::Node(node), Moment::Applied, Moment::Ready) => {
                self.of(self.durations.own(node.index()).range)
            }
            (Reason::Progress, Actor::Release(release), Moment::Start, Moment::Ready) => {
                self.of(self.durations.release(release as usize).range)
            }
            (Reason::DependsOn | Reason::DependsOnExpr, ..) => self.of(self.durations.poll(after.actor)),
            (Reason::Wait | Reason::HealthCheck, ..) => self.of(constants::HEALTH_POLL),
            _ => Duration::ZERO,
        }
    }
}

impl ColdStart {
    /// Computes the cold start of a cluster from its graph and durations: as it is, or once everything is repaired.
    #[must_use]
    pub fn new(graph: &EventGraph, durations: &Durations, repaired: Repaired) -> Self {
        // Where a guess would keep something from ever happening, the minutes are those without guesses.
        let assume = |least| Assume { least, repaired, failing: &[] };
        let count = |least| graph.reach(assume(least)).order().len();
        let is_same = count(Confidence::Low) == count(Confidence::Medium);
        let least = if is_same { Confidence::Low } else { Confidence::Medium };
        let solve = |quantile| graph.earliest(&At { durations, quantile }, assume(least));
        Self {
            low: solve(Quantile::Low),
            typical: solve(Quantile::Typical),
            high: solve(Quantile::High),
            assume: assume(least),
        }
    }

    /// Edges less sure than this are left out, here and where the two are to be compared.
    #[must_use]
    pub const fn least(&self) -> Confidence {
        self.assume.least
    }

    /// When an event happens, counted from the first reconciliation; `None` where it never does.
    #[must_use]
    pub fn time(&self, id: EventId) -> Option<Range> {
        Some(Range { low: self.low.time(id)?, typical: self.typical.time(id)?, high: self.high.time(id)? })
    }

    /// When a Kustomization is Ready.
    #[must_use]
    pub fn ready(&self, graph: &EventGraph, node: NodeId) -> Option<Range> {
        self.time(graph.id(Actor::Node(node), Moment::Ready)?)
    }

    /// The event that happens last, of those that happen at all, by typical durations.
    #[must_use]
    pub fn last(&self, graph: &EventGraph) -> Option<EventId> {
        graph.events().filter_map(|id| Some((self.typical.time(id)?, std::cmp::Reverse(id)))).max().map(|(_, id)| id.0)
    }

    /// The events on the critical path to `id`, by typical durations.
    #[must_use]
    pub fn critical_path(&self, id: EventId) -> Vec<EventId> {
        self.typical.path_to(id)
    }

    /// How many nodes of `cluster` become Ready.
    #[must_use]
    pub fn ready_nodes(&self, graph: &EventGraph, cluster: &Cluster) -> usize {
        cluster.nodes().filter(|(id, _)| self.ready(graph, *id).is_some()).count()
    }
}
