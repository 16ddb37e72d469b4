use std::{cmp::Reverse, collections::BinaryHeap};

use petgraph::{Direction, graph::NodeIndex};

use super::{Assume, EventGraph, EventId};

/// Never happens.
const NEVER: u32 = u32::MAX;

/// Which events are unreachable where some never happen, asked many times of one graph, in which everything is repaired.
///
/// Each event has a rank, and happens because of others of lower rank. So a question looks at what stands behind the
/// events in question only, and no further than the last event it asks about, instead of solving the graph anew.
#[derive(Debug)]
pub struct BlockedReach<'g> {
    graph: &'g EventGraph,
    /// The order in which the events happen.
    rank: Vec<u32>,
    /// The last question in which the event was unreachable, and the last one that looked at it.
    unreachable: Vec<u32>,
    seen: Vec<u32>,
    question: u32,
    work: usize,
}

impl<'g> BlockedReach<'g> {
    /// Prepares questions about `graph`.
    #[must_use]
    pub fn new(graph: &'g EventGraph) -> Self {
        let mut rank = vec![NEVER; graph.len()];
        for (at, id) in graph.reach(Assume::REPAIRED).order().iter().enumerate() {
            rank[id.index()] = at as u32;
        }
        let none = vec![0; graph.len()];
        Self { graph, rank, unreachable: none.clone(), seen: none, question: 0, work: 0 }
    }

    /// Whether `id` happens, where nothing is kept from it.
    #[must_use]
    pub fn happens(&self, id: EventId) -> bool {
        self.rank[id.index()] != NEVER
    }

    /// Edges that were followed for all questions so far.
    #[must_use]
    pub const fn work(&self) -> usize {
        self.work
    }

    /// Which of `asked` happen where none of `blocked` does.
    pub fn happen_without(&mut self, blocked: &[EventId], asked: &[EventId]) -> Vec<bool> {
        self.question += 1;
        let last = asked.iter().map(|id| self.rank[id.index()]).filter(|rank| *rank != NEVER).max().unwrap_or(0);
        self.propagate(blocked, last);
        asked.iter().map(|id| self.is_left(id.0)).collect()
    }

    fn is_left(&self, node: NodeIndex) -> bool {
        self.rank[node.index()] != NEVER && self.unreachable[node.index()] != self.question
    }

    /// Marks what is unreachable, of the events up to the rank `last`.
    fn propagate(&mut self, blocked: &[EventId], mut last: u32) {
        let mut open = BinaryHeap::new();
        let mut choices: Vec<NodeIndex> = Vec::new();
        for id in blocked {
            self.visit(id.0, &mut open);
        }
        while let Some(Reverse((rank, node))) = open.pop() {
            if rank > last {
                break;
            }
            if self.graph.graph[node].is_or() && !blocked.contains(&EventId(node)) {
                if self.graph.is_met_by_repair(node) {
                    continue;
                }
                let mut is_early = false;
                let mut is_late = false;
                for before in self.graph.repaired_neighbors(node, Direction::Incoming) {
                    self.work += 1;
                    if self.is_left(before) {
                        is_early |= self.rank[before.index()] < rank;
                        is_late |= self.rank[before.index()] >= rank;
                    }
                }
                if is_early {
                    continue;
                }
                if is_late {
                    // Another may do it later, if that one is reachable itself.
                    choices.push(node);
                    last = NEVER;
                }
            }
            self.unreachable[node.index()] = self.question;
            for after in self.graph.repaired_neighbors(node, Direction::Outgoing) {
                self.work += 1;
                if self.rank[after.index()] != NEVER && self.rank[after.index()] > rank {
                    self.visit(after, &mut open);
                }
            }
        }
        self.recover(blocked, choices);
    }

    fn visit(&mut self, node: NodeIndex, open: &mut BinaryHeap<Reverse<(u32, NodeIndex)>>) {
        let rank = self.rank[node.index()];
        if rank != NEVER && std::mem::replace(&mut self.seen[node.index()], self.question) != self.question {
            open.push(Reverse((rank, node)));
        }
    }

    /// Takes back what happens all the same, because one of the `choices` is met in another way.
    fn recover(&mut self, blocked: &[EventId], choices: Vec<NodeIndex>) {
        let mut open = choices;
        while let Some(node) = open.pop() {
            if self.unreachable[node.index()] != self.question || blocked.contains(&EventId(node)) {
                continue;
            }
            let mut before = self.graph.repaired_neighbors(node, Direction::Incoming);
            let is_met = if self.graph.graph[node].is_or() {
                before.any(|before| self.is_left(before))
            } else {
                before.all(|before| self.is_left(before))
            };
            if is_met {
                self.unreachable[node.index()] = 0;
                for after in self.graph.repaired_neighbors(node, Direction::Outgoing) {
                    self.work += 1;
                    open.push(after);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use petgraph::graph::DiGraph;
    use proptest::prelude::*;

    use super::*;
    use crate::{
        cluster::NodeId,
        finding::Confidence,
        graph::{Actor, Edge, Event, Moment, Reason},
        source::Span,
    };

    /// A graph of events that need all of their inputs, or one.
    fn graph(choices: &[bool], edges: &[(usize, usize)]) -> EventGraph {
        let mut graph = DiGraph::new();
        for (at, is_or) in choices.iter().enumerate() {
            let moment = if *is_or { Moment::Exists } else { Moment::Start };
            graph.add_node(Event { actor: Actor::Node(NodeId(at as u32)), moment });
        }
        for (before, after) in edges {
            let edge = Edge { reason: Reason::Progress, span: Span::NONE, confidence: Confidence::High };
            graph.add_edge(NodeIndex::new(before % choices.len()), NodeIndex::new(after % choices.len()), edge);
        }
        EventGraph::from_parts(graph, rustc_hash::FxHashMap::default())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]

        #[test]
        fn what_is_unreachable_is_what_a_new_solution_lacks(
            choices in proptest::collection::vec(any::<bool>(), 1..14),
            edges in proptest::collection::vec((0_usize..14, 0_usize..14), 0..30),
            questions in proptest::collection::vec(
                (proptest::collection::vec(0_usize..14, 0..3), proptest::collection::vec(0_usize..14, 1..4)),
                1..4,
            ),
        ) {
            let mut graph = graph(&choices, &edges);
            graph.find_loops();
            let mut blocked_reach = BlockedReach::new(&graph);
            let ids = |of: &[usize]| -> Vec<EventId> {
                of.iter().map(|at| EventId(NodeIndex::new(at % choices.len()))).collect()
            };
            for (blocked, asked) in &questions {
                let (blocked, asked) = (ids(blocked), ids(asked));
                let solved = graph.reach(Assume { failing: &blocked, ..Assume::REPAIRED });
                let expected: Vec<bool> = asked.iter().map(|id| solved.happens(*id)).collect();
                prop_assert_eq!(blocked_reach.happen_without(&blocked, &asked), expected);
            }
        }
    }
}
