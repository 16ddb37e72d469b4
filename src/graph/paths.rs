//! Questions about a graph: through what one thing waits for another, and what never happens where something fails.

use std::collections::{BTreeSet, VecDeque};

use petgraph::{
    Direction,
    graph::{EdgeIndex, NodeIndex},
    visit::EdgeRef as _,
};
use rustc_hash::FxHashSet;

use super::{Actor, Assume, Edge, Event, EventGraph, EventId, Moment, Reason, Step};
use crate::cluster::NodeId;

/// Steps looked at for chains before the search is content with what it has.
const WORK: usize = 200_000;

impl EventGraph {
    /// The events of `actor`, in their order.
    #[must_use]
    pub fn events_of(&self, actor: Actor) -> Vec<EventId> {
        Moment::ALL.into_iter().filter_map(|moment| self.id(actor, moment)).collect()
    }

    /// Why `after` cannot happen before `before`, where that is so; the first of several reasons.
    #[must_use]
    pub fn edge(&self, before: EventId, after: EventId) -> Option<&Edge> {
        self.inputs(after).find(|(input, _)| *input == before).map(|(_, edge)| edge)
    }

    /// The Kustomizations that one applies.
    #[must_use]
    pub fn children(&self, node: NodeId) -> Vec<NodeId> {
        let Some(applied) = self.id(Actor::Node(node), Moment::Applied) else { return Vec::new() };
        let child = |(after, _)| match self.event(after) {
            Event { actor: Actor::Node(child), moment: Moment::Exists } => Some(child),
            _ => None,
        };
        self.outputs(applied).filter_map(child).collect()
    }

    /// A Kustomization and all those that it leads to.
    #[must_use]
    pub fn subtree(&self, node: NodeId) -> BTreeSet<NodeId> {
        let mut found = BTreeSet::from([node]);
        let mut open = vec![node];
        while let Some(node) = open.pop() {
            open.extend(self.children(node).into_iter().filter(|child| found.insert(*child)));
        }
        found
    }

    /// The step from `before` to `after`, where there is one.
    #[must_use]
    pub fn step(&self, before: EventId, after: EventId) -> Option<Step> {
        let edge = self.edge(before, after)?;
        Some(Step { before: self.event(before), after: self.event(after), edge: edge.clone() })
    }

    /// What else would do in place of `step`: the other providers of an object that one of them is enough for.
    #[must_use]
    pub fn alternatives(&self, step: &Step) -> Vec<Actor> {
        let Some(after) = self.id(step.after.actor, step.after.moment).filter(|_| step.after.is_or()) else {
            return Vec::new();
        };
        let mut others: Vec<Actor> = self.inputs(after).map(|(input, _)| self.event(input).actor).collect();
        others.retain(|actor| *actor != step.before.actor);
        others.dedup();
        others
    }

    /// The shortest chains through which `after` waits for one of the events `before`, at most `most` of them: each begins at `after`, and
    /// leads from something that waits to what it waits for. Moments of one object count for nothing. With `sure` no step
    /// has an alternative.
    #[must_use]
    pub fn chains(&self, after: Actor, before: &[EventId], most: usize, sure: bool) -> Vec<Vec<Step>> {
        let links = self.links_from(before, sure);
        let ends = self.events_of(after);
        let Some(best) = ends.iter().map(|id| links[id.index()]).min().filter(|best| *best < u32::MAX) else {
            return Vec::new();
        };
        // Each entry is an event, and the way on from it to `after`.
        let mut ways: Vec<(EdgeIndex, Option<usize>)> = Vec::new();
        let mut open: Vec<(NodeIndex, Option<usize>)> =
            ends.iter().rev().filter(|id| links[id.index()] == best).map(|id| (id.0, None)).collect();
        let (mut chains, mut known) = (Vec::new(), FxHashSet::default());
        let mut work = WORK;
        while let Some((at, way)) = open.pop() {
            if work == 0 || chains.len() >= most {
                break;
            }
            work -= 1;
            if before.contains(&EventId(at)) {
                let edges = self.links_of(&ways, way);
                if known.insert(edges.clone()) {
                    chains.push(edges.into_iter().filter_map(|edge| self.step_of(edge)).collect());
                }
                continue;
            }
            let mut edges: Vec<_> = self.graph.edges_directed(at, Direction::Incoming).collect();
            edges.sort_by_key(|edge| std::cmp::Reverse(edge.id()));
            for edge in edges {
                let weight = weight(edge.weight());
                // The moments of `after` itself are all tried.
                let is_own = way.is_none() && weight == 0;
                if !is_own && links[edge.source().index()].checked_add(weight) == Some(links[at.index()]) {
                    ways.push((edge.id(), way));
                    open.push((edge.source(), Some(ways.len() - 1)));
                }
            }
        }
        chains
    }

    /// Whether an event can do without one of its inputs.
    fn has_choice(&self, node: NodeIndex) -> bool {
        self.graph[node].is_or() && self.graph.edges_directed(node, Direction::Incoming).nth(1).is_some()
    }

    /// How many links lead from any of `events` to each event; `u32::MAX` where none do.
    fn links_from(&self, events: &[EventId], sure: bool) -> Vec<u32> {
        let mut links = vec![u32::MAX; self.graph.node_count()];
        let mut open: VecDeque<NodeIndex> = VecDeque::new();
        for id in events {
            links[id.index()] = 0;
            open.push_back(id.0);
        }
        while let Some(at) = open.pop_front() {
            for edge in self.graph.edges_directed(at, Direction::Outgoing) {
                let (weight, next) = (weight(edge.weight()), edge.target());
                let length = links[at.index()] + weight;
                if length < links[next.index()] && !(sure && self.has_choice(next)) {
                    links[next.index()] = length;
                    if weight == 0 {
                        open.push_front(next);
                    } else {
                        open.push_back(next);
                    }
                }
            }
        }
        links
    }

    fn links_of(&self, ways: &[(EdgeIndex, Option<usize>)], way: Option<usize>) -> Vec<EdgeIndex> {
        let mut edges = Vec::new();
        let mut at = way;
        while let Some((edge, next)) = at.and_then(|index| ways.get(index)) {
            edges.push(*edge);
            at = *next;
        }
        edges.reverse();
        edges.retain(|edge| self.graph.edge_weight(*edge).is_some_and(|edge| weight(edge) > 0));
        edges
    }

    pub(super) fn step_of(&self, edge: EdgeIndex) -> Option<Step> {
        let (before, after) = self.graph.edge_endpoints(edge)?;
        let edge = self.graph.edge_weight(edge)?.clone();
        Some(Step { before: self.graph[before], after: self.graph[after], edge })
    }

    /// The events that would not happen if none of `failing` did, were everything else repaired; those themselves left
    /// out, in the order of ids.
    #[must_use]
    pub fn unreachable_without(&self, failing: &[EventId]) -> Vec<EventId> {
        let before = self.reach(Assume::REPAIRED);
        let after = self.reach(Assume { failing, ..Assume::REPAIRED });
        let is_lost = |id: &EventId| before.happens(*id) && !after.happens(*id) && !failing.contains(id);
        self.events().filter(is_lost).collect()
    }

    /// Everything that one of `ids` needs, directly or not, in the order of ids.
    #[must_use]
    pub fn behind(&self, ids: &[EventId]) -> Vec<EventId> {
        let mut seen = vec![false; self.graph.node_count()];
        let mut open: Vec<_> = ids.iter().map(|id| id.0).collect();
        while let Some(at) = open.pop() {
            for before in self.graph.neighbors_directed(at, Direction::Incoming) {
                if !std::mem::replace(&mut seen[before.index()], true) {
                    open.push(before);
                }
            }
        }
        self.events().filter(|id| seen[id.index()]).collect()
    }
}

fn weight(edge: &Edge) -> u32 {
    u32::from(edge.reason != Reason::Progress)
}
