//! The event graph of a cluster: what must happen before what, and why.
//!
//! A Kustomization goes through `exists → start → applied → ready`, with the stages of its apply, `defined` and
//! `classified`, in between where they matter; a HelmRelease through `exists → start → ready`; another object that somebody
//! waits for `exists`, as do the CRDs, namespaces and Secrets of [`Implicit`](crate::cluster::Implicit). An edge `u → v`
//! says that `v` cannot happen before `u`, carries its [`Reason`], the span that declares it, and how sure it is.
//!
//! Events are AND nodes: they need all their inputs. What several Kustomizations apply exists as soon as the *earliest*
//! of them has applied it, so `exists` is an OR node over its providers, and so is the first use of a volume claim; entry
//! points exist a priori. A deadlock is a loop among events that the least fixpoint never reaches. What no event can bring about has a
//! [`Blocker`].
//!
//! A waiting parent is never Ready while it waits, so a child that depends on it waits forever: that, and every other
//! pattern of deadlock, is one loop in this graph. The model follows kustomize-controller v1.9 and helm-controller v1.6
//! (dependency check, staged apply, health check); it is the only room that knows petgraph.

mod blocked;
mod blocker;
mod build;
mod builder;
mod cycles;
mod describe;
mod dominance;
mod event;
mod needs;
mod paths;
mod reach;
pub mod stages;
mod stuck;
mod volumes;

pub use blocked::BlockedReach;
pub use blocker::{Blocker, Cause};
pub use cycles::{CycleKind, Loop, Step};
pub use describe::Description;
pub use event::{Actor, Edge, Event, EventId, Moment, Reason};
pub use reach::{Assume, Cost, Repaired, Solution};
pub use stuck::{Obstacle, Stuck};

use petgraph::{Direction, graph::DiGraph, visit::EdgeRef};
use rustc_hash::FxHashMap;

use crate::cluster::Cluster;

/// The event graph of one cluster. Immutable, built once.
#[derive(Debug)]
pub struct EventGraph {
    graph: DiGraph<Event, Edge>,
    by_event: FxHashMap<Event, EventId>,
    /// What stops events beside other events, each with the event it stops.
    blockers: Vec<(EventId, Blocker)>,
    /// The deadlocks.
    loops: Vec<Loop>,
    /// By edge, whether it is part of a loop and holds nothing up once that is repaired.
    repairs: Vec<bool>,
}

impl EventGraph {
    /// Builds the graph of `cluster`, in which `blockers` stop events, and finds its deadlocks.
    #[must_use]
    pub fn new(cluster: &Cluster, blockers: Vec<Blocker>) -> Self {
        let (graph, by_event) = builder::Builder::new(cluster).run();
        let mut graph = Self::from_parts(graph, by_event);
        for blocker in blockers {
            graph.block(blocker);
        }
        graph.find_loops();
        graph
    }

    fn from_parts(graph: DiGraph<Event, Edge>, by_event: FxHashMap<Event, EventId>) -> Self {
        Self { graph, by_event, blockers: Vec::new(), loops: Vec::new(), repairs: Vec::new() }
    }

    /// Notes what stops an event. What happens to nobody in the graph holds nobody up.
    fn block(&mut self, blocker: Blocker) {
        // Stages of an apply are events only where somebody waits for them.
        let moments = [blocker.moment, Moment::Applied];
        let is_stage = matches!(blocker.moment, Moment::Defined | Moment::Classified);
        let moments = &moments[..1 + usize::from(is_stage)];
        if let Some(id) = moments.iter().find_map(|moment| self.id(blocker.actor, *moment)) {
            self.blockers.push((id, blocker));
        }
    }

    /// What stops events beside other events, each with the event it stops.
    pub fn blocked(&self) -> impl Iterator<Item = (EventId, &Blocker)> {
        self.blockers.iter().map(|(id, blocker)| (*id, blocker))
    }

    /// The deadlocks: loops of events that wait for each other, each of which would remain if all else were repaired.
    #[must_use]
    pub fn loops(&self) -> &[Loop] {
        &self.loops
    }

    /// The id of an event, where the graph has it.
    #[must_use]
    pub fn id(&self, actor: Actor, moment: Moment) -> Option<EventId> {
        self.by_event.get(&Event { actor, moment }).copied()
    }

    /// The event of that id.
    #[must_use]
    pub fn event(&self, id: EventId) -> Event {
        self.graph[id.0]
    }

    /// Every event.
    pub fn events(&self) -> impl Iterator<Item = EventId> {
        self.graph.node_indices().map(EventId)
    }

    /// How many events there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.graph.node_count()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.graph.node_count() == 0
    }

    /// What `id` waits for, in the order the edges were declared.
    pub fn inputs(&self, id: EventId) -> impl Iterator<Item = (EventId, &Edge)> {
        let mut edges: Vec<_> = self.graph.edges_directed(id.0, Direction::Incoming).collect();
        edges.sort_by_key(EdgeRef::id);
        edges.into_iter().map(|edge| (EventId(edge.source()), edge.weight()))
    }

    /// What waits for `id`.
    pub fn outputs(&self, id: EventId) -> impl Iterator<Item = (EventId, &Edge)> {
        let mut edges: Vec<_> = self.graph.edges_directed(id.0, Direction::Outgoing).collect();
        edges.sort_by_key(EdgeRef::id);
        edges.into_iter().map(|edge| (EventId(edge.target()), edge.weight()))
    }

    /// What `id` waits for under an assumption, in the order the edges were declared.
    pub fn inputs_under(&self, id: EventId, assume: Assume<'_>) -> impl Iterator<Item = (EventId, &Edge)> {
        let mut edges: Vec<_> = self.graph.edges_directed(id.0, Direction::Incoming).collect();
        edges.retain(|edge| self.counts(edge.id(), assume));
        edges.sort_by_key(EdgeRef::id);
        edges.into_iter().map(|edge| (EventId(edge.source()), edge.weight()))
    }

    /// What waits for `id` under an assumption.
    pub fn outputs_under(&self, id: EventId, assume: Assume<'_>) -> impl Iterator<Item = (EventId, &Edge)> {
        let mut edges: Vec<_> = self.graph.edges_directed(id.0, Direction::Outgoing).collect();
        edges.retain(|edge| self.counts(edge.id(), assume));
        edges.sort_by_key(EdgeRef::id);
        edges.into_iter().map(|edge| (EventId(edge.target()), edge.weight()))
    }

    /// Every Kustomization whose start waits, directly or not, until `id` has happened, in the order of the cluster.
    #[must_use]
    pub fn held_back_by(&self, id: EventId) -> Vec<crate::cluster::NodeId> {
        let mut seen = vec![false; self.graph.node_count()];
        let mut open = vec![id.0];
        let mut held = Vec::new();
        while let Some(at) = open.pop() {
            for next in self.graph.neighbors_directed(at, Direction::Outgoing) {
                // A second provider lets an object exist without this one.
                let is_needed =
                    !self.graph[next].is_or() || self.graph.neighbors_directed(next, Direction::Incoming).count() == 1;
                if is_needed && !std::mem::replace(&mut seen[next.index()], true) {
                    if let Event { actor: Actor::Node(node), moment: Moment::Start } = self.graph[next] {
                        held.push(node);
                    }
                    open.push(next);
                }
            }
        }
        held.sort_unstable();
        held
    }
}
