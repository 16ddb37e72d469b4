use petgraph::graph::NodeIndex;

use crate::{cluster::NodeId, source::Span};

/// An event of an [`EventGraph`](super::EventGraph).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(pub(super) NodeIndex);

impl EventId {
    /// Position in tables that hold one entry per event.
    #[must_use]
    pub fn index(self) -> usize {
        self.0.index()
    }
}

/// Something that happens once in a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Event {
    /// To whom.
    pub actor: Actor,
    /// What.
    pub moment: Moment,
}

/// To whom an event happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Actor {
    /// A Kustomization.
    Node(NodeId),
    /// A HelmRelease, by position in the cluster.
    Release(u32),
    /// Another object, by position in the cluster's objects.
    Object(u32),
}

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Moment {
    /// The object is in the cluster, because one of its providers applied it or because it was there from the start.
    Exists,
    /// Source and dependencies are met; the work begins.
    Start,
    /// A Kustomization's objects are applied.
    Applied,
    /// The Ready condition turns true.
    Ready,
}

/// Why one event cannot happen before another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// The mechanism.
    pub reason: Reason,
    /// The text that declares it.
    pub span: Span,
}

/// Mechanisms that order events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The next moment of the same object.
    Progress,
    /// The Kustomization that applies the object has to apply it first.
    AppliedBy,
    /// `dependsOn`: the dependency has to be Ready (kustomize-controller v1.9 `checkDependencies`, helm-controller v1.6).
    DependsOn,
    /// `dependsOn` with a `readyExpr`: the dependency has to exist, and the expression to hold.
    DependsOnExpr,
    /// `sourceRef`, `chartRef` or the chart's `sourceRef`: the source has to exist.
    Source,
    /// `postBuild.substituteFrom`: the ConfigMap or Secret has to exist.
    SubstituteFrom,
    /// `valuesFrom`: the ConfigMap or Secret has to exist.
    ValuesFrom,
    /// `wait: true`: every applied object has to be healthy.
    Wait,
    /// `healthChecks`: the listed object has to be healthy.
    HealthCheck,
}

impl Event {
    /// Whether one input is enough.
    #[must_use]
    pub const fn is_or(self) -> bool {
        matches!(self.moment, Moment::Exists)
    }
}
