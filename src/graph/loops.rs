use std::collections::{VecDeque, hash_map::Entry};

use petgraph::{
    Direction,
    algo::tarjan_scc,
    graph::{EdgeIndex, NodeIndex},
    visit::EdgeRef as _,
};
use rustc_hash::FxHashMap;

use super::{Edge, Event, EventGraph, EventId, Reason};

/// A loop of events that wait for each other: none of them ever happens.
#[derive(Debug, Clone)]
pub struct Loop {
    /// The steps, each saying what the next event waits for; the last leads back to the first.
    pub steps: Vec<Step>,
}

/// One step of a [`Loop`]: `after` cannot happen before `before`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What has to happen first.
    pub before: Event,
    /// What waits for it.
    pub after: Event,
    /// Why.
    pub edge: Edge,
}

impl Loop {
    /// The steps from one object to another in the order a reader follows them: each leads from something that waits to
    /// what it waits for.
    pub fn links(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().rev().filter(|step| step.edge.reason != Reason::Progress)
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
        let knot = Knot::new(self, members, allow);
        let mut best: Option<Vec<EdgeIndex>> = None;
        let mut budget = BUDGET;
        for start in (0..members.len()).filter(|start| knot.may_begin(*start)) {
            let limit = best.as_ref().map_or(usize::MAX, Vec::len);
            if let Some(found) = knot.loop_through(start, limit, &mut budget) {
                best = Some(found);
            }
            if budget == 0 && best.is_some() {
                break;
            }
        }
        let step = |edge: EdgeIndex| {
            let (before, after) = self.graph.edge_endpoints(edge)?;
            let edge = self.graph.edge_weight(edge)?.clone();
            Some(Step { before: self.graph[before], after: self.graph[after], edge })
        };
        Some(Loop { steps: best?.into_iter().filter_map(step).collect() })
    }
}

/// Edges that the search looks at in one knot before it takes the shortest loop it has.
const BUDGET: usize = 50_000_000;

/// Events that wait for each other, numbered in their order, with the edges between them.
struct Knot {
    /// Where each leads, in the order of the edges.
    links: Vec<Vec<(usize, EdgeIndex)>>,
    /// The one event before each, where there is just one.
    only: Vec<Before>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    One(usize),
    Many,
}

impl Knot {
    fn new(graph: &EventGraph, members: &[NodeIndex], allow: &dyn Fn(&Edge) -> bool) -> Self {
        let mut only = vec![Before::Nothing; members.len()];
        let mut links = Vec::with_capacity(members.len());
        for (from, member) in members.iter().enumerate() {
            let edges = graph.graph.edges_directed(*member, Direction::Outgoing);
            let mut out: Vec<(usize, EdgeIndex)> = edges
                .filter(|edge| allow(edge.weight()))
                .filter_map(|edge| Some((members.binary_search(&edge.target()).ok()?, edge.id())))
                .collect();
            out.sort_by_key(|(_, edge)| *edge);
            for (to, _) in &out {
                only[*to] = match only[*to] {
                    Before::Nothing => Before::One(from),
                    Before::One(known) if known == from => Before::One(from),
                    Before::One(_) | Before::Many => Before::Many,
                };
            }
            links.push(out);
        }
        Self { links, only }
    }

    /// Whether some loop may have `start` as its smallest event.
    fn may_begin(&self, start: usize) -> bool {
        match self.only[start] {
            Before::Nothing => false,
            Before::One(before) => before >= start,
            Before::Many => true,
        }
    }

    /// Breadth-first from `start` back to `start`, shorter than `limit`, over events that are not smaller: a loop
    /// through a smaller one begins there.
    fn loop_through(&self, start: usize, limit: usize, budget: &mut usize) -> Option<Vec<EdgeIndex>> {
        let mut came: FxHashMap<usize, (usize, EdgeIndex)> = FxHashMap::default();
        let mut open = VecDeque::from([(start, 0)]);
        while let Some((at, depth)) = open.pop_front() {
            if depth + 1 >= limit {
                return None;
            }
            *budget = budget.saturating_sub(self.links[at].len());
            for (next, edge) in &self.links[at] {
                if *next == start {
                    let mut steps = vec![*edge];
                    let mut node = at;
                    while node != start {
                        let (before, edge) = *came.get(&node)?;
                        steps.push(edge);
                        node = before;
                    }
                    steps.reverse();
                    return Some(steps);
                }
                if *next > start
                    && let Entry::Vacant(place) = came.entry(*next)
                {
                    place.insert((at, *edge));
                    open.push_back((*next, depth + 1));
                }
            }
        }
        None
    }
}
