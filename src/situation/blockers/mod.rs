//! What stops a node: every reason, beside loops, for which an object can never be applied or become Ready.
//!
//! Each topic has a file that finds its facts in a [`Cluster`]. A fact says all that a rule needs to word a finding, its
//! confidence included, and which event it keeps from happening. The rules word the facts, the graph has an event that never
//! happens for each, and so every command knows the same reasons.

mod expressions;
mod health_checks;
mod never_ready;
mod suspension;

pub use expressions::{ExpressionFact, ExpressionProblem};
pub use health_checks::{HealthCheckFact, HealthCheckProblem};
pub use never_ready::{NeverReady, NeverReadyFact};
pub use suspension::SuspensionFact;

use rayon::prelude::*;

use crate::{
    cluster::Cluster,
    graph::{Blocker, Cause},
    yaml::Store,
};

/// What a cluster is looked at with.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The cluster.
    pub cluster: &'a Cluster,
    /// All clusters of the repository, and the groups that nothing reaches.
    pub clusters: &'a [Cluster],
    /// The files, parsed; [`Store::tree`] has their texts.
    pub store: &'a Store,
}

impl<'a> View<'a> {
    /// A view on each of `clusters`.
    pub fn each(clusters: &'a [Cluster], store: &'a Store) -> impl IndexedParallelIterator<Item = Self> {
        clusters.par_iter().map(move |cluster| Self { cluster, clusters, store })
    }
}

/// The facts of one cluster, by topic, each in the order of the cluster.
#[derive(Debug, Default)]
pub struct Facts {
    /// Expressions that are refused, never true, or misleading.
    pub expressions: Vec<ExpressionFact>,
    /// Entries of `healthChecks` that can never be met.
    pub health_checks: Vec<HealthCheckFact>,
    /// Objects of a health set that never become Current.
    pub never_ready: Vec<NeverReadyFact>,
    /// Objects of Flux that are suspended.
    pub suspended: Vec<SuspensionFact>,
}

impl Facts {
    /// Finds those of a cluster.
    #[must_use]
    pub fn find(view: View<'_>) -> Self {
        Self {
            expressions: expressions::find(view),
            health_checks: health_checks::find(view),
            never_ready: never_ready::find(view),
            suspended: suspension::find(view),
        }
    }

    /// What they keep from happening.
    #[must_use]
    pub fn blockers(&self) -> Vec<Blocker> {
        let expressions = self.expressions.iter().filter_map(ExpressionFact::blocker);
        let health_checks = self.health_checks.iter().filter_map(HealthCheckFact::blocker);
        let never_ready = self.never_ready.iter().filter_map(NeverReadyFact::blocker);
        let suspended = self.suspended.iter().filter_map(SuspensionFact::blocker);
        expressions.chain(health_checks).chain(never_ready).chain(suspended).collect()
    }
}
