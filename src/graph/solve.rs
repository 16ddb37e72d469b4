use std::{cmp::Reverse, collections::BinaryHeap, time::Duration};

use petgraph::{Direction, visit::EdgeRef as _};

use super::{Edge, Event, EventGraph, EventId};
use crate::finding::Confidence;

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
    decisive: Vec<Option<EventId>>,
}

impl Solution {
    /// When `id` happens; `None` where it never does.
    #[must_use]
    pub fn time(&self, id: EventId) -> Option<Duration> {
        self.times[id.index()]
    }

    /// The events that happen, each behind everything it waited for.
    #[must_use]
    pub fn order(&self) -> &[EventId] {
        &self.order
    }

    /// The input that `id` waited for last, or, where one is enough, got first.
    #[must_use]
    pub fn decisive(&self, id: EventId) -> Option<EventId> {
        self.decisive[id.index()]
    }

    /// The events that `id` waited for, one after the other, from the first to `id` itself.
    #[must_use]
    pub fn path_to(&self, id: EventId) -> Vec<EventId> {
        let mut path = vec![id];
        let mut at = id;
        while let Some(before) = self.decisive[at.index()] {
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

impl EventGraph {
    /// The least fixpoint: an AND event happens after its latest input, an OR event after its earliest.
    ///
    /// Edges less sure than `least` are taken for none.
    ///
    /// Events are settled in order of time, which is right because no cost is negative. The order of ties is the order
    /// of ids, so equal input gives equal output.
    #[must_use]
    pub fn earliest(&self, cost: &dyn Cost, least: Confidence) -> Solution {
        let count = self.graph.node_count();
        let mut solution =
            Solution { times: vec![None; count], order: Vec::with_capacity(count), decisive: vec![None; count] };
        let counts = |edge: &Edge| edge.confidence >= least;
        let needed = |node: petgraph::graph::NodeIndex| {
            let inputs =
                self.graph.edges_directed(node, Direction::Incoming).filter(|edge| counts(edge.weight())).count();
            if self.graph[node].is_or() { inputs.min(1) } else { inputs }
        };
        let mut missing: Vec<usize> = self.graph.node_indices().map(needed).collect();
        let mut latest: Vec<(Duration, Option<EventId>)> = vec![(Duration::ZERO, None); count];
        let mut open: BinaryHeap<Reverse<(Duration, EventId)>> = BinaryHeap::new();
        for node in self.graph.node_indices().filter(|node| missing[node.index()] == 0) {
            open.push(Reverse((Duration::ZERO, EventId(node))));
        }
        while let Some(Reverse((time, id))) = open.pop() {
            if solution.times[id.index()].is_some() {
                continue;
            }
            solution.times[id.index()] = Some(time);
            solution.order.push(id);
            solution.decisive[id.index()] = latest[id.index()].1;
            for edge in self.graph.edges_directed(id.0, Direction::Outgoing).filter(|edge| counts(edge.weight())) {
                let target = EventId(edge.target());
                let at = target.index();
                if solution.times[at].is_some() || missing[at] == 0 {
                    continue;
                }
                let arrives = time + cost.edge(self.graph[id.0], self.graph[target.0], edge.weight());
                if latest[at].1.is_none() || arrives > latest[at].0 {
                    latest[at] = (arrives, Some(id));
                }
                missing[at] -= 1;
                if missing[at] == 0 {
                    open.push(Reverse((latest[at].0, target)));
                }
            }
        }
        solution
    }

    /// Which events happen where `blocked` never do, by index. Edges less sure than `least` are taken for none, so that what
    /// rests on them does not happen less often.
    #[must_use]
    pub fn possible(&self, least: Confidence, blocked: &[EventId]) -> Vec<bool> {
        let counts = |edge: &Edge| edge.confidence >= least;
        let mut missing: Vec<usize> = vec![0; self.graph.node_count()];
        for edge in self.graph.edge_references().filter(|edge| counts(edge.weight())) {
            missing[edge.target().index()] += 1;
        }
        let mut happens = vec![false; self.graph.node_count()];
        let mut open: Vec<_> = self.graph.node_indices().filter(|node| missing[node.index()] == 0).collect();
        while let Some(node) = open.pop() {
            if blocked.contains(&EventId(node)) || std::mem::replace(&mut happens[node.index()], true) {
                continue;
            }
            for edge in self.graph.edges_directed(node, Direction::Outgoing).filter(|edge| counts(edge.weight())) {
                let target = edge.target();
                let left = &mut missing[target.index()];
                *left = if self.graph[target].is_or() { 0 } else { left.saturating_sub(1) };
                if *left == 0 {
                    open.push(target);
                }
            }
        }
        happens
    }

    /// Which events happen at all.
    #[must_use]
    pub fn reachable(&self) -> Solution {
        self.earliest(&Free, Confidence::Low)
    }

    /// How many inputs have to happen before `id` does.
    pub(super) fn inputs_needed(&self, id: EventId) -> usize {
        let inputs = self.graph.edges_directed(id.0, Direction::Incoming).count();
        if self.graph[id.0].is_or() { inputs.min(1) } else { inputs }
    }
}
