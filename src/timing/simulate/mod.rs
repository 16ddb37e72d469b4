//! What the controllers make of a cluster: a discrete-event simulation of kustomize-controller v1.9 and helm-controller
//! v1.6.
//!
//! The event graph says what has to happen before what; [`ColdStart`](super::ColdStart) says when that could be at the
//! earliest. Here the controllers are in between:
//!
//! - Each has a few workers and one queue, first in first out. A Kustomization that waits for its health set, and a
//!   HelmRelease that waits for its workloads, hold theirs.
//! - An unmet dependency ends a reconciliation at once; the dependent looks again after the requeue period, counted from
//!   its own last look. Nothing wakes it. Missing input of a build, and dry-runs that fail for want of a manifest or a
//!   namespace, are tried again after `retryInterval`.
//! - A health check polls every 5 s, the first time at once, until everything is Current or the timeout is over; then the
//!   next attempt comes after `retryInterval`. A child that is not Ready never fails it early, a HelmRelease out of
//!   retries does.
//! - A Helm action that takes longer than its timeout has failed; what follows is up to the release's retries.
//!
//! Polls and retries are computed rather than made one by one: whoever waits is listed with the event it lacks, and when
//! that happens the next look after it is put on the clock. Only attempts that hold a worker for a while are played.
//! Time is in whole milliseconds. At one moment things happen before they are looked at, and in the order of the cluster.
//!
//! Left out: reconciliations at the interval of what is Ready already (and that they are not Ready meanwhile), the time a
//! dependent's look waits for a worker while what it looks for is missing, the lock around builds, API throttling,
//! jitter, shards, and the wait for objects of the early stages. References that lead nowhere hold nobody up, as in the
//! graph.

mod assumptions;
mod clock;
mod commit;
mod engine;
mod kustomization;
mod lists;
mod monte_carlo;
mod outcome;
mod path;
mod plan;
mod process;
mod queue;
mod random;
mod release;
mod standing;
mod work;

#[cfg(test)]
mod tests;

pub use assumptions::Assumptions;
pub use monte_carlo::{Distribution, MonteCarlo, Percentiles};
pub use outcome::{NotReady, NotReadyCause, Outcome, Run};

use self::{engine::Engine, plan::Plan, work::Load};
use super::{Durations, Quantile};
use crate::{
    cluster::{Cluster, NodeId},
    flux::SourceRef,
    graph::EventGraph,
};

/// A cluster, ready to be simulated any number of times.
#[derive(Debug)]
pub struct Simulation {
    plan: Plan,
    load: Load,
    /// The source of each Kustomization.
    sources: Vec<SourceRef>,
}

impl Simulation {
    /// Lays out `cluster` for simulation.
    #[must_use]
    pub fn new(cluster: &Cluster, graph: &EventGraph, durations: &Durations, assumptions: Assumptions) -> Self {
        Self::with(cluster, graph, Load::new(cluster, durations), assumptions)
    }

    fn with(cluster: &Cluster, graph: &EventGraph, load: Load, assumptions: Assumptions) -> Self {
        let sources = cluster.nodes.iter().map(crate::cluster::Node::source).collect();
        Self { plan: Plan::new(cluster, graph, assumptions), load, sources }
    }

    /// A cold start with every duration at one end of its range.
    #[must_use]
    pub fn run(&self, quantile: Quantile) -> Run {
        let mut engine = self.engine(quantile);
        engine.start_cold();
        engine.run();
        Run::new(&engine)
    }

    /// A new revision of `source` in a cluster where everything is Ready at the one before. It changes what the Kustomizations
    /// `changed` apply: their releases are upgraded and their workloads rolled, at the durations of a cold start. For the others
    /// the apply changes nothing and costs the low end of its range.
    ///
    /// What is not concerned comes out as Ready from the start, with no attempts.
    #[must_use]
    pub fn commit(&self, source: &SourceRef, changed: &[NodeId], quantile: Quantile) -> Run {
        let mut engine = self.engine(quantile);
        let concerned: Vec<u32> =
            (0..self.sources.len()).filter(|node| self.sources[*node] == *source).map(|node| node as u32).collect();
        let changed: Vec<u32> = changed.iter().map(|node| node.0).collect();
        engine.start_commit(&concerned, &changed, &self.load.at(Quantile::Low));
        engine.run();
        Run::new(&engine)
    }

    /// So many cold starts, each with durations drawn from their ranges independently of each other. The same seed gives the
    /// same result, on any number of threads. Takes four bytes of memory for each object and run.
    #[must_use]
    pub fn monte_carlo(&self, runs: u32, seed: u64) -> MonteCarlo {
        MonteCarlo::new(&self.plan, &self.load, runs, seed)
    }

    fn engine(&self, quantile: Quantile) -> Engine<'_> {
        let mut engine = Engine::new(&self.plan);
        engine.work = self.load.at(quantile);
        engine.timed_out = Some(Vec::new());
        engine.reset();
        engine
    }
}
