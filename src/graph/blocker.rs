use super::{Actor, Moment, Reason};
use crate::{finding::Confidence, source::Span};

/// An event that can never happen, and why: no other event can bring it about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocker {
    /// To whom the event would happen.
    pub actor: Actor,
    /// The event: `Start` where source, dependencies or what is read before the build are wanting, `Applied` where the
    /// build or the apply fails, `Ready` where the health check cannot pass.
    pub moment: Moment,
    /// The mechanism, as for an edge of the graph.
    pub reason: Reason,
    /// The kind of what is wrong.
    pub cause: Cause,
    /// What is wrong, as a clause that follows the name of the object: "depends on Kustomization x, which nothing defines".
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
    /// A namespace that nothing makes (`ReconciliationFailed`, `namespaces "x" not found`).
    MissingNamespace,
    /// An expression that does not parse or gives no truth value (`InvalidCELExpression`).
    InvalidExpression,
    /// A `readyExpr` that is never true (`DependencyNotReady`).
    UnmetExpression,
    /// A health check that can never pass (`HealthCheckFailed`).
    HopelessHealthCheck,
    /// The object is suspended: it exists, and nobody reconciles it.
    Suspended,
    /// What the user assumes to fail.
    Assumed,
}

impl Cause {
    /// Its name for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MissingDependency => "missing-dependency",
            Self::MissingSource => "missing-source",
            Self::MissingPath => "missing-path",
            Self::MissingInput => "missing-input",
            Self::FailedBuild => "failed-build",
            Self::RefusedReference => "refused-reference",
            Self::RefusedManifest => "refused-manifest",
            Self::UnknownKind => "unknown-kind",
            Self::MissingNamespace => "missing-namespace",
            Self::InvalidExpression => "invalid-expression",
            Self::UnmetExpression => "unmet-expression",
            Self::HopelessHealthCheck => "hopeless-health-check",
            Self::Suspended => "suspended",
            Self::Assumed => "assumed",
        }
    }
}
