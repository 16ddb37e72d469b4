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
    finding::Confidence,
    graph::{Actor, Moment, Reason},
    source::Span,
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

/// An event that can never happen, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocker {
    /// To whom the event would happen.
    pub actor: Actor,
    /// The event: `Start` where source, dependencies or what is read before the build are wanting, `Applied` where the
    /// build or the apply fails, `Ready` where the health check cannot pass.
    pub moment: Moment,
    /// The mechanism, as for an edge of the graph.
    pub reason: Reason,
    /// What is wrong.
    pub cause: Cause,
    /// What is wrong with what, as a clause that follows the name of the object: "depends on Kustomization x, which
    /// nothing defines".
    pub text: String,
    /// The text that decides it.
    pub span: Span,
    /// How sure it is. High and medium block; low only annotates.
    pub confidence: Confidence,
}

/// The kinds of what stops a node, each with the condition that the controllers show for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// A dependency that is nowhere (`DependencyNotReady`).
    MissingDependency,
    /// A source or chart that is nowhere (`ArtifactFailed`, `SourceNotReady`).
    MissingSource,
    /// A path that the artifact lacks (`ArtifactFailed`).
    MissingPath,
    /// A ConfigMap, Secret or key that is read and is nowhere (`BuildFailed`, `ValuesError`).
    MissingInput,
    /// The build fails (`BuildFailed`).
    FailedBuild,
    /// A reference that the controllers refuse to follow (`AccessDenied`).
    RefusedReference,
    /// A manifest that the API server refuses (`ReconciliationFailed`).
    RefusedManifest,
    /// A kind or version that the API server does not know (`ReconciliationFailed`, `no matches for kind`).
    UnknownKind,
    /// An expression that does not parse or gives no truth value (`InvalidCELExpression`).
    InvalidExpression,
    /// A `readyExpr` that is never true (`DependencyNotReady`).
    UnmetExpression,
    /// A health check that can never pass (`HealthCheckFailed`).
    HopelessHealthCheck,
    /// The object is suspended: it exists, and nobody reconciles it.
    Suspended,
}
