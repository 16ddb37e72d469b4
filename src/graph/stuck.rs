//! Which events never happen, and through what.

use std::collections::VecDeque;

use petgraph::{Direction, graph::EdgeIndex, visit::EdgeRef};

use super::{Assume, EventGraph, EventId, Reason, Repaired, Solution, Step};
use crate::finding::Confidence;

/// What keeps events from happening.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Obstacle {
    /// Something that no event can bring about, by position in [`EventGraph::blocked`].
    Blocker(usize),
    /// Events that wait for each other, by position in [`EventGraph::loops`].
    Loop(usize),
}

/// What never happens in a graph, and the nearest obstacle of each such event.
#[derive(Debug, Clone)]
pub struct Stuck {
    reach: Solution,
    least: Confidence,
    nearest: Vec<Option<(Obstacle, Option<EdgeIndex>)>>,
}

impl Stuck {
    /// What never happens where edges and blockers of at least that confidence count.
    #[must_use]
    pub fn new(graph: &EventGraph, least: Confidence) -> Self {
        let reach = graph.reach(Assume { least, ..Assume::AS_IS });
        let mut stuck = Self { reach, least, nearest: vec![None; graph.len()] };
        if stuck.reach.order().len() < graph.len() {
            stuck.find_nearest(graph);
        }
        stuck
    }

    /// Whether the event never happens.
    #[must_use]
    pub fn has(&self, id: EventId) -> bool {
        !self.reach.happens(id)
    }

    /// Whether every event happens.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.reach.order().len() == self.nearest.len()
    }

    /// The obstacle that is the fewest steps from the event.
    #[must_use]
    pub fn nearest(&self, id: EventId) -> Option<Obstacle> {
        self.nearest[id.index()].map(|(obstacle, _)| obstacle)
    }

    /// The links from the event to its nearest obstacle, each from something that waits to what it waits for.
    #[must_use]
    pub fn way(&self, graph: &EventGraph, id: EventId) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut at = id;
        while let Some((_, Some(edge))) = self.nearest[at.index()] {
            steps.extend(graph.step_of(edge).filter(|step| step.edge.reason != Reason::Progress));
            match graph.graph.edge_endpoints(edge) {
                Some((before, _)) => at = EventId(before),
                None => break,
            }
        }
        steps
    }

    /// Every obstacle between the event and what would bring it about, in order: none of them alone is all that is wrong.
    #[must_use]
    pub fn obstacles(&self, graph: &EventGraph, id: EventId) -> Vec<Obstacle> {
        if !self.has(id) {
            return Vec::new();
        }
        let mut seen = vec![false; graph.len()];
        seen[id.index()] = true;
        let mut open = vec![id];
        while let Some(at) = open.pop() {
            for edge in graph.graph.edges_directed(at.0, Direction::Incoming) {
                let before = EventId(edge.source());
                if self.counts(graph, edge.id())
                    && self.has(before)
                    && !std::mem::replace(&mut seen[before.index()], true)
                {
                    open.push(before);
                }
            }
        }
        let mut found: Vec<Obstacle> =
            self.sources(graph).filter(|(_, id)| seen[id.index()]).map(|(obstacle, _)| obstacle).collect();
        found.dedup();
        found
    }

    fn counts(&self, graph: &EventGraph, edge: EdgeIndex) -> bool {
        graph.counts(edge, Assume { least: self.least, repaired: Repaired::Nothing, failing: &[] })
    }

    /// The obstacles, each with an event that it keeps from happening itself.
    fn sources<'g>(&self, graph: &'g EventGraph) -> impl Iterator<Item = (Obstacle, EventId)> + use<'g> {
        let least = self.least;
        let blockers = graph.blocked().enumerate().filter(move |(_, (_, blocker))| blocker.confidence >= least);
        let loops = graph.loops().iter().enumerate().filter(move |(_, found)| found.confidence() >= least);
        let members = move |(index, found): (usize, &'g super::Loop)| {
            let events = found.steps.iter().filter_map(|step| graph.id(step.after.actor, step.after.moment));
            events.map(move |id| (Obstacle::Loop(index), id)).collect::<Vec<_>>()
        };
        blockers.map(|(index, (id, _))| (Obstacle::Blocker(index), id)).chain(loops.flat_map(members))
    }

    fn find_nearest(&mut self, graph: &EventGraph) {
        let mut open = VecDeque::new();
        for (obstacle, id) in self.sources(graph) {
            if self.has(id) && self.nearest[id.index()].is_none() {
                self.nearest[id.index()] = Some((obstacle, None));
                open.push_back(id);
            }
        }
        while let Some(at) = open.pop_front() {
            let Some((obstacle, _)) = self.nearest[at.index()] else { continue };
            let mut edges: Vec<_> = graph.graph.edges_directed(at.0, Direction::Outgoing).collect();
            edges.sort_by_key(EdgeRef::id);
            for edge in edges {
                let after = EventId(edge.target());
                if self.has(after) && self.nearest[after.index()].is_none() && self.counts(graph, edge.id()) {
                    self.nearest[after.index()] = Some((obstacle, Some(edge.id())));
                    open.push_back(after);
                }
            }
        }
    }
}
