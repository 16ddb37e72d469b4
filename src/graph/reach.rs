//! The least fixpoint of the graph: which events happen, in which order, and when at the earliest. There is no other
//! implementation of it; [`BlockedReach`](super::BlockedReach) answers many like questions on one solution.

use std::{cmp::Reverse, collections::BinaryHeap, collections::VecDeque, time::Duration};

use petgraph::{
    Direction,
    graph::{EdgeIndex, NodeIndex},
    visit::EdgeRef as _,
};

use super::{Blocker, Edge, Event, EventGraph, EventId};
use crate::finding::Confidence;

/// What is assumed where a graph is solved.
#[derive(Debug, Clone, Copy)]
pub struct Assume<'a> {
    /// Edges and blockers less sure than this are left out.
    pub least: Confidence,
    /// What is taken as repaired.
    pub repaired: Repaired,
    /// Events that never happen, beside those that a blocker stops.
    pub failing: &'a [EventId],
}

/// Which faults are taken as repaired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repaired {
    /// None: the cluster as it is.
    Nothing,
    /// Every blocker, and every loop: the cluster once all that keeps it from starting is mended.
    Everything,
}

impl Assume<'static> {
    /// The cluster as it is. What is only a guess stops nothing.
    pub const AS_IS: Self = Self { least: Confidence::Medium, repaired: Repaired::Nothing, failing: &[] };

    /// The cluster once everything is repaired that is known to stop something, guesses included.
    pub const REPAIRED: Self = Self { least: Confidence::Low, repaired: Repaired::Everything, failing: &[] };
}

/// What the steps of a rollout cost.
pub trait Cost {
    /// From `before` until its part in `after` is done.
    fn edge(&self, before: Event, after: Event, edge: &Edge) -> Duration;
}

/// When every event happens at the earliest.
#[derive(Debug, Clone)]
pub struct Solution {
    times: Vec<Option<Duration>>,
    /// The events that happen, in the order in which they were settled.
    order: Vec<EventId>,
    /// The input each event waited for last (AND) or got first (OR).
    critical: Vec<Option<EventId>>,
}

impl Solution {
    /// When `id` happens; `None` where it never does.
    #[must_use]
    pub fn time(&self, id: EventId) -> Option<Duration> {
        self.times[id.index()]
    }

    /// Whether `id` happens.
    #[must_use]
    pub fn happens(&self, id: EventId) -> bool {
        self.times[id.index()].is_some()
    }

    /// The events that happen, each behind everything it waited for.
    #[must_use]
    pub fn order(&self) -> &[EventId] {
        &self.order
    }

    /// The input that `id` waited for last, or, where one is enough, got first.
    #[must_use]
    pub fn critical_predecessor(&self, id: EventId) -> Option<EventId> {
        self.critical[id.index()]
    }

    /// The events that `id` waited for, one after the other, from the first to `id` itself.
    #[must_use]
    pub fn path_to(&self, id: EventId) -> Vec<EventId> {
        let mut path = vec![id];
        let mut at = id;
        while let Some(before) = self.critical[at.index()] {
            path.push(before);
            at = before;
        }
        path.reverse();
        path
    }
}

/// Costs nothing: for the question whether, not when.
struct Free;

impl Cost for Free {
    fn edge(&self, _: Event, _: Event, _: &Edge) -> Duration {
        Duration::ZERO
    }
}

/// The events that can be settled next.
trait Frontier {
    fn push(&mut self, time: Duration, id: EventId);
    fn pop(&mut self) -> Option<(Duration, EventId)>;
}

/// By time, and by id where times are equal.
impl Frontier for BinaryHeap<Reverse<(Duration, EventId)>> {
    fn push(&mut self, time: Duration, id: EventId) {
        Self::push(self, Reverse((time, id)));
    }

    fn pop(&mut self) -> Option<(Duration, EventId)> {
        Self::pop(self).map(|Reverse(first)| first)
    }
}

/// First in, first out: enough where nothing takes time.
impl Frontier for VecDeque<EventId> {
    fn push(&mut self, _: Duration, id: EventId) {
        self.push_back(id);
    }

    fn pop(&mut self) -> Option<(Duration, EventId)> {
        self.pop_front().map(|id| (Duration::ZERO, id))
    }
}

/// An event that no input can bring about.
const NEVER: u32 = u32::MAX;

impl EventGraph {
    /// When each event happens at the earliest: an AND event after its latest input, an OR event after its earliest.
    ///
    /// Events are settled in order of time, which is right because no cost is negative. The order of ties is the order
    /// of ids, so equal input gives equal output.
    #[must_use]
    pub fn earliest(&self, cost: &impl Cost, assume: Assume<'_>) -> Solution {
        self.solve(cost, assume, BinaryHeap::new())
    }

    /// Which events happen. All happen at once.
    #[must_use]
    pub fn reach(&self, assume: Assume<'_>) -> Solution {
        self.solve(&Free, assume, VecDeque::new())
    }

    fn solve(&self, cost: &impl Cost, assume: Assume<'_>, mut open: impl Frontier) -> Solution {
        let count = self.graph.node_count();
        let mut solution =
            Solution { times: vec![None; count], order: Vec::with_capacity(count), critical: vec![None; count] };
        let mut missing = self.inputs_needed(assume);
        let mut latest: Vec<(Duration, Option<EventId>)> = vec![(Duration::ZERO, None); count];
        for node in self.graph.node_indices().filter(|node| missing[node.index()] == 0) {
            open.push(Duration::ZERO, EventId(node));
        }
        while let Some((time, id)) = open.pop() {
            if solution.times[id.index()].is_some() {
                continue;
            }
            solution.times[id.index()] = Some(time);
            solution.order.push(id);
            solution.critical[id.index()] = latest[id.index()].1;
            for edge in self.graph.edges_directed(id.0, Direction::Outgoing) {
                let target = EventId(edge.target());
                let at = target.index();
                if missing[at] == 0 || missing[at] == NEVER || !self.counts(edge.id(), assume) {
                    continue;
                }
                let arrives = time + cost.edge(self.graph[id.0], self.graph[target.0], edge.weight());
                if latest[at].1.is_none() || arrives > latest[at].0 {
                    latest[at] = (arrives, Some(id));
                }
                missing[at] -= 1;
                if missing[at] == 0 {
                    open.push(latest[at].0, target);
                }
            }
        }
        solution
    }

    /// The blockers that count under an assumption, each with the event it stops.
    pub fn stops(&self, assume: Assume<'_>) -> impl Iterator<Item = (EventId, &Blocker)> {
        let counts =
            move |blocker: &Blocker| assume.repaired == Repaired::Nothing && blocker.confidence >= assume.least;
        self.blocked().filter(move |(_, blocker)| counts(blocker))
    }

    /// Whether an event of which one input would be enough needs none, since a repair meets it.
    #[must_use]
    pub fn is_preinstalled(&self, id: EventId, assume: Assume<'_>) -> bool {
        assume.repaired == Repaired::Everything && self.event(id).is_or() && self.is_met_by_repair(id.0)
    }

    /// Whether an edge holds anything up.
    pub(super) fn counts(&self, edge: EdgeIndex, assume: Assume<'_>) -> bool {
        self.graph[edge].confidence >= assume.least && !self.is_repaired(edge, assume.repaired)
    }

    fn is_repaired(&self, edge: EdgeIndex, repaired: Repaired) -> bool {
        repaired == Repaired::Everything && self.repairs.get(edge.index()).copied().unwrap_or_default()
    }

    /// How many inputs each event lacks at the start.
    fn inputs_needed(&self, assume: Assume<'_>) -> Vec<u32> {
        let mut needed: Vec<u32> = self.graph.node_indices().map(|node| self.needed(node, assume)).collect();
        for (id, _) in self.stops(assume) {
            needed[id.index()] = NEVER;
        }
        for id in assume.failing {
            needed[id.index()] = NEVER;
        }
        needed
    }

    fn needed(&self, node: NodeIndex, assume: Assume<'_>) -> u32 {
        let edges = || {
            self.graph.edges_directed(node, Direction::Incoming).filter(|edge| edge.weight().confidence >= assume.least)
        };
        let is_left = |edge: EdgeIndex| !self.is_repaired(edge, assume.repaired);
        if !self.graph[node].is_or() {
            return edges().filter(|edge| is_left(edge.id())).count() as u32;
        }
        // One input is enough, and a repaired one is met.
        u32::from(edges().next().is_some() && edges().all(|edge| is_left(edge.id())))
    }

    /// Whether one of several inputs that are each enough is repaired, so that the event needs none.
    pub(super) fn is_met_by_repair(&self, node: NodeIndex) -> bool {
        self.graph
            .edges_directed(node, Direction::Incoming)
            .any(|edge| self.is_repaired(edge.id(), Repaired::Everything))
    }

    /// The neighbours of an event in the graph in which everything is repaired.
    pub(super) fn repaired_neighbors(&self, node: NodeIndex, direction: Direction) -> impl Iterator<Item = NodeIndex> {
        let edges = self.graph.edges_directed(node, direction).filter(|edge| self.counts(edge.id(), Assume::REPAIRED));
        edges.map(move |edge| if direction == Direction::Incoming { edge.source() } else { edge.target() })
    }
}
