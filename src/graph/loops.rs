use std::collections::{VecDeque, hash_map::Entry};

use petgraph::{Direction, algo::tarjan_scc, graph::NodeIndex, visit::EdgeRef};

use rustc_hash::FxHashMap;

use super::{Edge, Event, EventGraph, EventId, Reason};

/// A loop of events that wait for each other: none of them ever happens.
#[derive(Debug, Clone)]
pub struct Loop {
    /// The steps, each saying what the next event waits for; the last leads back to the first.
    pub steps: Vec<Step>,
}

/// One step of a [`Loop`]: `after` cannot happen before `before`.
#[derive(Debug, Clone)]
pub struct Step {
    /// What has to happen first.
    pub before: Event,
    /// What waits for it.
    pub after: Event,
    /// Why.
    pub edge: Edge,
}

impl Loop {
    /// The steps from one object to another, which is what a reader wants to see.
    pub fn links(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.edge.reason != Reason::Progress)
    }

    /// Whether it is made of `dependsOn` entries alone.
    #[must_use]
    pub fn is_dependency_cycle(&self) -> bool {
        self.links().all(|step| step.edge.reason == Reason::DependsOn)
    }
}

impl EventGraph {
    /// The deadlocks: one shortest loop for each knot of events that wait for each other and can never happen. Loops
    /// of `dependsOn` alone are preferred where a knot holds both kinds.
    #[must_use]
    pub fn deadlocks(&self) -> Vec<Loop> {
        let reachable = self.reachable();
        let is_stuck = |node: NodeIndex| reachable.time(EventId(node)).is_none();
        if !self.graph.node_indices().any(is_stuck) {
            return Vec::new();
        }
        let stuck =
            self.graph.filter_map(|node, event| is_stuck(node).then_some((node, *event)), |_, edge| Some(edge.clone()));
        let mut loops = Vec::new();
        for knot in tarjan_scc(&stuck) {
            let is_loop = knot.len() > 1 || stuck.contains_edge(knot[0], knot[0]);
            if !is_loop {
                continue;
            }
            let mut members: Vec<NodeIndex> = knot.iter().map(|node| stuck[*node].0).collect();
            members.sort_unstable();
            let only_dependencies = |edge: &Edge| matches!(edge.reason, Reason::Progress | Reason::DependsOn);
            let found =
                self.shortest_loop(&members, &only_dependencies).or_else(|| self.shortest_loop(&members, &|_| true));
            loops.extend(found);
        }
        loops.sort_by_key(|found| found.steps.first().map(|step| step.after));
        loops
    }

    /// The shortest loop within `members` (sorted) over edges that `allow` allows, counted in edges; the first one in
    /// the order of events where several are equally short. It begins at its smallest event.
    fn shortest_loop(&self, members: &[NodeIndex], allow: &dyn Fn(&Edge) -> bool) -> Option<Loop> {
        let mut best: Option<Vec<(NodeIndex, NodeIndex, Edge)>> = None;
        for start in members {
            let limit = best.as_ref().map_or(usize::MAX, Vec::len);
            if let Some(found) = self.loop_through(*start, members, allow, limit) {
                best = Some(found);
            }
        }
        let steps = best?.into_iter().map(|(before, after, edge)| Step {
            before: self.graph[before],
            after: self.graph[after],
            edge,
        });
        Some(Loop { steps: steps.collect() })
    }

    /// Breadth-first from `start` back to `start`, shorter than `limit`.
    fn loop_through(
        &self,
        start: NodeIndex,
        members: &[NodeIndex],
        allow: &dyn Fn(&Edge) -> bool,
        limit: usize,
    ) -> Option<Vec<(NodeIndex, NodeIndex, Edge)>> {
        let mut came: FxHashMap<NodeIndex, (NodeIndex, Edge)> = FxHashMap::default();
        let mut open = VecDeque::from([(start, 0)]);
        while let Some((at, depth)) = open.pop_front() {
            if depth + 1 >= limit {
                return None;
            }
            let mut edges: Vec<_> = self.graph.edges_directed(at, Direction::Outgoing).collect();
            edges.sort_by_key(EdgeRef::id);
            for edge in edges {
                let next = edge.target();
                if !allow(edge.weight()) || members.binary_search(&next).is_err() {
                    continue;
                }
                if next == start {
                    let mut steps = vec![(at, start, edge.weight().clone())];
                    let mut node = at;
                    while node != start {
                        let (before, edge) = came.get(&node)?.clone();
                        steps.push((before, node, edge));
                        node = before;
                    }
                    steps.reverse();
                    return Some(steps);
                }
                if let Entry::Vacant(place) = came.entry(next) {
                    place.insert((at, edge.weight().clone()));
                    open.push_back((next, depth + 1));
                }
            }
        }
        None
    }
}
