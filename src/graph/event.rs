use petgraph::graph::NodeIndex;

use crate::{cluster::NodeId, finding::Confidence, source::Span};

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
    /// The CRD of a kind of custom resources, by position in [`Implicit::kinds`](crate::cluster::Implicit::kinds).
    Kind(u32),
    /// A namespace, by position in [`Implicit::namespaces`](crate::cluster::Implicit::namespaces).
    Namespace(u32),
    /// An object that a controller makes of another, by position in [`Implicit::made`](crate::cluster::Implicit::made).
    Made(u32),
}

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Moment {
    /// The object is in the cluster, because one of its providers applied it or because it was there from the start.
    Exists,
    /// Source and dependencies are met; the work begins.
    Start,
    /// The first stage of an apply: CRDs, Namespaces, ClusterRoles (fluxcd/pkg ssa, `ApplyAllStaged`).
    Defined,
    /// The second stage of an apply: objects of kinds that end in `Class`, waited for up to 60 s.
    Classified,
    /// A Kustomization's objects are applied.
    Applied,
    /// Something uses the volume claim, so that it can be bound.
    Consumed,
    /// The Ready condition turns true.
    Ready,
}

impl Moment {
    /// Every moment, in order.
    pub const ALL: [Self; 7] =
        [Self::Exists, Self::Start, Self::Defined, Self::Classified, Self::Applied, Self::Consumed, Self::Ready];
}

/// Why one event cannot happen before another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// The mechanism.
    pub reason: Reason,
    /// The text that declares it.
    pub span: Span,
    /// How sure it is: less than high where it rests on a catalogue or an assumption.
    pub confidence: Confidence,
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
    /// An apply holds an object of the kind, whose CRD has to be there for the dry-run.
    NeedsKind,
    /// An apply holds an object in the namespace, which has to be there for the dry-run.
    NeedsNamespace,
    /// The chart of the HelmRelease installs the CRD.
    Installs,
    /// The HelmRelease creates the namespace (`install.createNamespace`).
    CreatesNamespace,
    /// A volume claim is bound once something uses it (`WaitForFirstConsumer`).
    Consumer,
    /// The volume claim needs its storage class.
    StorageClass,
    /// The ExternalSecret needs its store.
    SecretStore,
    /// A controller makes the Secret of the object.
    BuiltFrom,
    /// `kubeConfig`: the Secret or ConfigMap has to exist.
    KubeConfig,
    /// `decryption.secretRef`: the Secret has to exist.
    Decryption,
    /// `serviceAccountName`: the ServiceAccount has to exist.
    ServiceAccount,
    /// The source needs the Secret that it logs in with.
    Credentials,
    /// The files have to be built before anything of them is applied (kustomize-controller v1.9, `generate` and `build`).
    Build,
    /// The API server has to accept every object of a stage before any of it is applied (fluxcd/pkg ssa, `ApplyAllStaged`).
    DryRun,
}

impl Reason {
    /// Whether it is something that is read before the work begins.
    #[must_use]
    pub const fn is_input(self) -> bool {
        matches!(
            self,
            Self::Source
                | Self::SubstituteFrom
                | Self::ValuesFrom
                | Self::KubeConfig
                | Self::Decryption
                | Self::ServiceAccount
                | Self::Credentials
        )
    }

    /// How likely it is that a loop is mended at such a link, the likeliest first: an object moves before a gate goes, a gate
    /// before an order that somebody wrote, and what applies or makes something stays.
    #[must_use]
    pub(super) const fn mending(self) -> u8 {
        match self {
            Self::NeedsKind | Self::NeedsNamespace | Self::Consumer | Self::StorageClass | Self::SecretStore => 0,
            _ if self.is_input() => 1,
            _ if self.is_gate() => 2,
            Self::AppliedBy | Self::Installs | Self::CreatesNamespace | Self::BuiltFrom => 4,
            _ => 3,
        }
    }

    /// Whether it is a health check.
    #[must_use]
    pub const fn is_gate(self) -> bool {
        matches!(self, Self::Wait | Self::HealthCheck)
    }
}

impl Event {
    /// Whether one input is enough.
    #[must_use]
    pub const fn is_or(self) -> bool {
        matches!(self.moment, Moment::Exists | Moment::Consumed)
    }
}
