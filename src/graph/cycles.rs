use std::collections::{VecDeque, hash_map::Entry};

use petgraph::{
    Direction,
    algo::tarjan_scc,
    graph::{EdgeIndex, NodeIndex},
    visit::EdgeRef as _,
};
use rustc_hash::FxHashMap;

use super::{Actor, Assume, Edge, Event, EventGraph, EventId, Moment, Reason, Solution};
use crate::{cluster::Cluster, finding::Confidence};

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

/// What a [`Loop`] is about: the mechanism without which it would not be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CycleKind {
    /// `dependsOn` alone.
    Dependencies,
    /// Kustomizations that only each other apply.
    MutualApply,
    /// A custom resource of a kind that ends in `Class`, before its CRD is there.
    Class,
    /// A custom resource before its CRD is there.
    Crd,
    /// An object before its namespace is there.
    Namespace,
    /// A volume claim before something uses it.
    Volume,
    /// Something that is read and that only the reader makes, without a health check in between.
    Input,
    /// A health check, or a dependency, that waits for what waits for it.
    Gate,
}

impl Loop {
    /// The steps from one object to another in the order a reader follows them: each leads from something that waits to
    /// what it waits for.
    pub fn links(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().rev().filter(|step| step.edge.reason != Reason::Progress)
    }

    /// What the loop is about.
    #[must_use]
    pub fn cycle_kind(&self) -> CycleKind {
        let has = |is: fn(&Step) -> bool| self.links().any(is);
        if self.links().all(|step| step.edge.reason == Reason::DependsOn) {
            CycleKind::Dependencies
        } else if self.links().all(|step| step.edge.reason == Reason::AppliedBy) {
            CycleKind::MutualApply
        } else if has(|step| step.edge.reason == Reason::NeedsKind && step.after.moment == Moment::Classified) {
            CycleKind::Class
        } else if has(|step| step.edge.reason == Reason::NeedsKind) {
            CycleKind::Crd
        } else if has(|step| step.edge.reason == Reason::NeedsNamespace) {
            CycleKind::Namespace
        } else if has(|step| step.edge.reason == Reason::Consumer) {
            CycleKind::Volume
        } else if has(|step| step.edge.reason.is_input()) && !has(|step| step.edge.reason.is_gate()) {
            CycleKind::Input
        } else {
            CycleKind::Gate
        }
    }

    /// Whether it blocks a cluster that is already running as well: on every new revision, and not only where nothing
    /// exists yet. What exists once stays, so only dependencies on the same source, health checks, volumes and classes
    /// count then (kustomize-controller v1.9, `checkDependencies` and `checkHealth`).
    #[must_use]
    pub fn is_lasting(&self, cluster: &Cluster) -> bool {
        let source = |actor: Actor| match actor {
            Actor::Node(id) => Some(cluster.node(id).source()),
            _ => None,
        };
        self.steps.iter().all(|step| {
            let is_past = step.after.is_or() && step.edge.reason != Reason::Consumer;
            // An old revision of another source is good enough.
            let is_elsewhere =
                step.edge.reason == Reason::DependsOn && source(step.before.actor) != source(step.after.actor);
            !is_past && !is_elsewhere
        })
    }

    /// How sure it is: as sure as its least sure link.
    #[must_use]
    pub fn confidence(&self) -> Confidence {
        self.steps.iter().map(|step| step.edge.confidence).min().unwrap_or(Confidence::High)
    }

    /// Whether it is built from `dependsOn` entries alone.
    #[must_use]
    pub fn is_dependency_cycle(&self) -> bool {
        self.links().all(|step| step.edge.reason == Reason::DependsOn)
    }
}

impl EventGraph {
    /// Finds the deadlocks. Of each group of events that wait for each other, one shortest loop is taken, `dependsOn` alone
    /// preferred. It is then taken as repaired, and what is still stuck shows the next one, so that no loop hides another
    /// and none counts that another one makes.
    pub(super) fn find_loops(&mut self) {
        self.repairs = vec![false; self.graph.edge_count()];
        let (mut loops, mut budget) = (Vec::new(), BUDGET);
        // What is certain first: what only a guess makes stuck is reported as such, and only once.
        for least in [Confidence::High, Confidence::Medium, Confidence::Low] {
            let assume = Assume { least, ..Assume::REPAIRED };
            let rounds = (EDGES / self.graph.edge_count().max(1)).clamp(LEAST_ROUNDS, ROUNDS);
            for _ in 0..rounds {
                let solution = self.reach(assume);
                if solution.order().len() == self.graph.node_count() {
                    break;
                }
                let found = self.first_loops(&solution, assume, &mut budget);
                if found.is_empty() {
                    break;
                }
                for edges in found {
                    loops.extend(self.repair(&edges));
                }
            }
            self.repair_rest(assume);
        }
        loops.sort_by_key(|found: &Loop| found.steps.first().map(|step| step.after));
        self.loops = loops;
    }

    /// Takes a loop as repaired: the link that people would mend first holds nothing up any more. The others stay, since
    /// they are what orders the rest.
    fn repair(&mut self, edges: &[EdgeIndex]) -> Option<Loop> {
        let links = edges.iter().filter(|edge| self.graph[**edge].reason != Reason::Progress);
        if let Some(mended) = links.min_by_key(|edge| self.graph[**edge].reason.mending()) {
            self.repairs[mended.index()] = true;
        }
        let steps: Vec<Step> = edges.iter().filter_map(|edge| self.step_of(*edge)).collect();
        (!steps.is_empty()).then_some(Loop { steps })
    }

    /// Takes as repaired what is still stuck after the last round.
    fn repair_rest(&mut self, assume: Assume<'_>) {
        let solution = self.reach(assume);
        if solution.order().len() == self.graph.node_count() {
            return;
        }
        for edge in self.graph.edge_indices() {
            let Some((before, after)) = self.graph.edge_endpoints(edge) else { continue };
            if self.counts(edge, assume) && ![before, after].iter().any(|node| solution.happens(EventId(*node))) {
                self.repairs[edge.index()] = true;
            }
        }
    }

    /// One loop of each group of stuck events that wait for each other and for no other stuck event.
    fn first_loops(&self, solution: &Solution, assume: Assume<'_>, budget: &mut usize) -> Vec<Vec<EdgeIndex>> {
        let is_stuck = |node: NodeIndex| !solution.happens(EventId(node));
        let depths = self.depths();
        let stuck = self
            .graph
            .filter_map(|node, _| is_stuck(node).then_some(node), |edge, _| self.counts(edge, assume).then_some(()));
        let groups = tarjan_scc(&stuck);
        let mut group_of = vec![0; stuck.node_count()];
        for (index, group) in groups.iter().enumerate() {
            group.iter().for_each(|node| group_of[node.index()] = index);
        }
        let waits_for_others = |group: &[NodeIndex]| {
            let before = |node: &NodeIndex| stuck.neighbors_directed(*node, Direction::Incoming);
            group.iter().any(|node| before(node).any(|before| group_of[before.index()] != group_of[node.index()]))
        };
        let mut found = Vec::new();
        for group in groups.iter().filter(|group| !waits_for_others(group)) {
            let mut members: Vec<NodeIndex> = group.iter().map(|node| stuck[*node]).collect();
            members.sort_unstable();
            let only_dependencies = |edge: EdgeIndex| {
                matches!(self.graph[edge].reason, Reason::Progress | Reason::DependsOn) && self.counts(edge, assume)
            };
            let is_cause = |edge: EdgeIndex| self.counts(edge, assume) && self.is_first_provider(edge, &depths);
            let any = |edge: EdgeIndex| self.counts(edge, assume);
            let first = self.shortest_loop(&members, &only_dependencies, budget);
            let first = first.or_else(|| self.shortest_loop(&members, &is_cause, budget));
            found.extend(first.or_else(|| self.shortest_loop(&members, &any, budget)));
        }
        found
    }

    /// How far each event is from what is there at the start, if only what creates it counted; `None` where
    /// nothing does but itself.
    fn depths(&self) -> Vec<Option<u32>> {
        let mut depths = vec![None; self.graph.node_count()];
        let brings = |edge: &Edge, after: NodeIndex| edge.reason == Reason::Progress || self.graph[after].is_or();
        let is_start = |node: &NodeIndex| {
            let mut inputs = self.graph.edges_directed(*node, Direction::Incoming);
            !inputs.any(|edge| brings(edge.weight(), *node))
        };
        let mut open: VecDeque<(NodeIndex, u32)> =
            self.graph.node_indices().filter(is_start).map(|node| (node, 0)).collect();
        while let Some((node, depth)) = open.pop_front() {
            if depths[node.index()].is_some() {
                continue;
            }
            depths[node.index()] = Some(depth);
            let outputs = self.graph.edges_directed(node, Direction::Outgoing);
            open.extend(
                outputs.filter(|edge| brings(edge.weight(), edge.target())).map(|edge| (edge.target(), depth + 1)),
            );
        }
        depths
    }

    /// Whether the edge may be part of a cause: where several bring an object, the one that would come first is what it
    /// waits for, and not one that comes after the object itself.
    fn is_first_provider(&self, edge: EdgeIndex, depths: &[Option<u32>]) -> bool {
        let Some((before, after)) = self.graph.edge_endpoints(edge) else { return false };
        match (depths[before.index()], depths[after.index()]) {
            _ if !self.graph[after].is_or() => true,
            (Some(before), Some(after)) => before < after,
            (_, None) => true,
            (None, Some(_)) => false,
        }
    }

    /// The shortest loop within `members` (sorted) over edges that `allow` allows, counted in edges; the first one in
    /// the order of events where several are equally short. It begins at its smallest event.
    fn shortest_loop(
        &self,
        members: &[NodeIndex],
        allow: &dyn Fn(EdgeIndex) -> bool,
        budget: &mut usize,
    ) -> Option<Vec<EdgeIndex>> {
        let component = Component::new(self, members, allow);
        let mut best: Option<Vec<EdgeIndex>> = None;
        for start in (0..members.len()).filter(|start| component.may_begin(*start)) {
            let limit = best.as_ref().map_or(usize::MAX, Vec::len);
            if let Some(found) = component.loop_through(start, limit, budget) {
                best = Some(found);
            }
            if *budget == 0 && best.is_some() {
                break;
            }
        }
        best
    }
}

/// Rounds of finding loops and taking them as repaired.
const ROUNDS: usize = 200;

/// Most edges that these rounds look at, where that leaves [`LEAST_ROUNDS`]: each looks at all. Loops that have no event in common
/// are found in the same round.
const EDGES: usize = 10_000_000;
const LEAST_ROUNDS: usize = 50;

/// Edges that the search looks at in one graph before it takes the shortest loop of each group that it has.
const BUDGET: usize = 50_000_000;

/// Events that wait for each other, numbered in their order, with the edges between them.
struct Component {
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

impl Component {
    fn new(graph: &EventGraph, members: &[NodeIndex], allow: &dyn Fn(EdgeIndex) -> bool) -> Self {
        let mut only = vec![Before::Nothing; members.len()];
        let mut links = Vec::with_capacity(members.len());
        for (from, member) in members.iter().enumerate() {
            let edges = graph.graph.edges_directed(*member, Direction::Outgoing);
            let mut out: Vec<(usize, EdgeIndex)> = edges
                .filter(|edge| allow(edge.id()))
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
