//! The event graph of a cluster: what must happen before what, and why.
//!
//! A Kustomization goes through `exists → start → applied → ready`, with the stages of its apply, `defined` and
//! `classified`, in between where they matter; a HelmRelease through `exists → start → ready`; another object that somebody
//! waits for `exists`, as do the definitions, namespaces and Secrets of [`Supply`](crate::cluster::Supply). An edge `u → v`
//! says that `v` cannot happen before `u`, carries its [`Reason`], the span that declares it, and how sure it is.
//!
//! Events are AND nodes: they need all their inputs. What several Kustomizations apply exists as soon as the *earliest*
//! of them has applied it, so `exists` is an OR node over its providers, and so is the first use of a volume claim; entry
//! points exist a priori. A deadlock is an event that the least fixpoint never reaches, and shows as a loop among such events.
//!
//! A waiting parent is never Ready while it waits, so a child that depends on it waits for ever: that, and every other
//! pattern of deadlock, is one loop in this graph. The model follows kustomize-controller v1.9 and helm-controller v1.6
//! (dependency check, staged apply, health check); it is the only room that knows petgraph.

mod build;
mod describe;
mod event;
mod loops;
mod losses;
mod needs;
mod queries;
mod solve;
pub mod stages;
mod volumes;

pub use describe::Told;
pub use event::{Actor, Edge, Event, EventId, Moment, Reason};
pub use loops::{Loop, Nature, Step};
pub use losses::Losses;
pub use solve::{Cost, Solution};

use petgraph::{Direction, graph::DiGraph, visit::EdgeRef};
use rustc_hash::FxHashMap;

use crate::cluster::Cluster;

/// The event graph of one cluster. Immutable, built once.
#[derive(Debug)]
pub struct EventGraph {
    graph: DiGraph<Event, Edge>,
    by_event: FxHashMap<Event, EventId>,
}

impl EventGraph {
    /// Builds the graph of `cluster`.
    #[must_use]
    pub fn of(cluster: &Cluster) -> Self {
        build::Builder::new(cluster).run()
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
