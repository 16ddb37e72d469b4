//! What stops a node: every reason, beside loops, for which an object can never be applied or become Ready.
//!
//! Each topic has a file that finds its facts in a [`Cluster`]. A fact says all that a rule needs to word a finding, its
//! confidence included, and which event it keeps from happening. The rules word the facts, the graph has an event that never
//! happens for each, and so every command knows the same reasons.

mod dependencies;
mod hidden;
mod known_sources;
mod paths;
mod renames;
mod source_uses;
mod sources;
mod suspended_sources;
mod versions;

pub use dependencies::{DependencyFact, DependencyProblem, Doubt, Elsewhere};
pub use hidden::hidden_by;
pub use known_sources::KnownSource;
pub use paths::PathFact;
pub use renames::Rename;
pub use source_uses::SourceUse;
pub use sources::{Instead, SourceFact, SourceProblem, with_article};
pub use suspended_sources::{SuspendedSourceFact, Waiting};
pub use versions::{RemovedVersion, VersionFact};

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

    /// How sure a fact about this cluster is that would be as sure as `confidence` in one that an entry point reaches: what
    /// nothing reaches may be applied by anything, to any cluster.
    fn confidence(self, confidence: Confidence) -> Confidence {
        if self.cluster.reached { confidence } else { Confidence::Low }
    }

    /// Whether `other` is the cluster looked at, or that cluster before it was edited.
    fn is_of(self, other: &Cluster) -> bool {
        std::ptr::eq(self.cluster, other) || (self.cluster.reached && other.reached && self.cluster.root == other.root)
    }
}

/// The facts of one cluster, by topic, each in the order of the cluster.
#[derive(Debug, Default)]
pub struct Facts {
    /// Entries of `dependsOn` that lead nowhere.
    pub dependencies: Vec<DependencyFact>,
    /// References to sources that are nowhere, or that the controllers refuse to follow.
    pub sources: Vec<SourceFact>,
    /// Sources that are suspended.
    pub suspended_sources: Vec<SuspendedSourceFact>,
    /// Paths that are no folder of their source.
    pub paths: Vec<PathFact>,
    /// Objects of API versions that Flux no longer serves.
    pub versions: Vec<VersionFact>,
}

impl Facts {
    /// Finds those of a cluster.
    #[must_use]
    pub fn find(view: View<'_>) -> Self {
        Self {
            dependencies: dependencies::find(view),
            sources: sources::find(view),
            suspended_sources: suspended_sources::find(view),
            paths: paths::find(view),
            versions: versions::find(view),
        }
    }

    /// What they keep from happening. The graph may lack an event, where nothing waits for it.
    #[must_use]
    pub fn blockers(&self) -> Vec<Blocker> {
        let dependencies = self.dependencies.iter().filter_map(DependencyFact::blocker);
        let sources = self.sources.iter().filter_map(SourceFact::blocker);
        let suspended_sources = self.suspended_sources.iter().filter_map(SuspendedSourceFact::blocker);
        let paths = self.paths.iter().filter_map(PathFact::blocker);
        let versions = self.versions.iter().filter_map(VersionFact::blocker);
        dependencies.chain(sources).chain(suspended_sources).chain(paths).chain(versions).collect()
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
    /// A health check that can never pass (`HealthCheckFailed`).
    HopelessHealthCheck,
    /// The object is suspended: it exists, and nobody reconciles it.
    Suspended,
}
