use std::collections::{VecDeque, hash_map::Entry};

use petgraph::{
    Direction,
    algo::tarjan_scc,
    graph::{EdgeIndex, NodeIndex},
    visit::EdgeRef as _,
};
use rustc_hash::FxHashMap;

use super::{Actor, Edge, Event, EventGraph, Moment, Reason};
use crate::{cluster::Cluster, finding::Confidence, flux::SourceRef};

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
pub enum Nature {
    /// `dependsOn` alone.
    Dependencies,
    /// Kustomizations that only each other apply.
    MutualApply,
    /// A custom resource of a kind that ends in `Class`, before its definition is there.
    Class,
    /// A custom resource before its definition is there.
    Definition,
    /// An object before its namespace is there.
    Namespace,
    /// A volume claim before something uses it.
    Volume,
    /// Something that is read and that only the reader brings about, without a health check in between.
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
    pub fn nature(&self) -> Nature {
        let has = |is: fn(&Step) -> bool| self.links().any(is);
        if self.links().all(|step| step.edge.reason == Reason::DependsOn) {
            Nature::Dependencies
        } else if self.links().all(|step| step.edge.reason == Reason::AppliedBy) {
            Nature::MutualApply
        } else if has(|step| step.edge.reason == Reason::NeedsKind && step.after.moment == Moment::Classified) {
            Nature::Class
        } else if has(|step| step.edge.reason == Reason::NeedsKind) {
            Nature::Definition
        } else if has(|step| step.edge.reason == Reason::NeedsNamespace) {
            Nature::Namespace
        } else if has(|step| step.edge.reason == Reason::Consumer) {
            Nature::Volume
        } else if has(|step| step.edge.reason.is_input()) && !has(|step| step.edge.reason.is_gate()) {
            Nature::Input
        } else {
            Nature::Gate
        }
    }

    /// Whether it blocks a cluster that is already running as well: on every new revision, and not only where nothing
    /// exists yet. What exists once stays, so only dependencies on the same source, health checks, volumes and classes
    /// count then (kustomize-controller v1.9, `checkDependencies` and `checkHealth`).
    #[must_use]
    pub fn is_lasting(&self, cluster: &Cluster) -> bool {
        let source = |actor: Actor| match actor {
            Actor::Node(id) => {
                let node = cluster.node(id);
                Some(SourceRef::of(&node.kustomization.spec.source_ref, &node.key.namespace))
            }
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
        let mut loops = Vec::new();
        let mut told = vec![false; self.graph.node_count()];
        // What is certain first: what only a guess makes stuck is told as such, and only once.
        for least in [Confidence::High, Confidence::Medium, Confidence::Low] {
            self.find_deadlocks(least, &mut told, &mut loops);
        }
        loops.sort_by_key(|found: &Loop| found.steps.first().map(|step| step.after));
        loops
    }

    fn find_deadlocks(&self, least: Confidence, told: &mut [bool], loops: &mut Vec<Loop>) {
        let happens = self.possible(least, &[]);
        let is_stuck = |node: NodeIndex| !happens[node.index()];
        if !self.graph.node_indices().any(|node| is_stuck(node) && !told[node.index()]) {
            return;
        }
        let counts = |edge: &Edge| edge.confidence >= least;
        let depths = self.depths();
        let stuck = self.graph.filter_map(
            |node, event| is_stuck(node).then_some((node, *event)),
            |_, edge| counts(edge).then(|| edge.clone()),
        );
        for knot in tarjan_scc(&stuck) {
            let is_loop = knot.len() > 1 || stuck.contains_edge(knot[0], knot[0]);
            let mut members: Vec<NodeIndex> = knot.iter().map(|node| stuck[*node].0).collect();
            if !is_loop || members.iter().any(|member| told[member.index()]) {
                continue;
            }
            members.sort_unstable();
            for member in &members {
                told[member.index()] = true;
            }
            let only_dependencies =
                |edge: EdgeIndex| matches!(self.graph[edge].reason, Reason::Progress | Reason::DependsOn);
            let is_cause = |edge: EdgeIndex| counts(&self.graph[edge]) && self.is_first_provider(edge, &depths);
            // A knot without such a loop is held up by another one.
            let found =
                self.shortest_loop(&members, &only_dependencies).or_else(|| self.shortest_loop(&members, &is_cause));
            loops.extend(found);
        }
    }

    /// How far each event is from what is there at the start, if only what brings it into being counted; `None` where
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
    fn shortest_loop(&self, members: &[NodeIndex], allow: &dyn Fn(EdgeIndex) -> bool) -> Option<Loop> {
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
