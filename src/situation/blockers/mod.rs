//! What stops a node: every reason, beside loops, for which an object can never be applied or become Ready.
//!
//! Each topic has a file that finds its facts in a [`Cluster`]. A fact says all that a rule needs to word a finding, its
//! confidence included, and which event it keeps from happening. The rules word the facts, the graph has an event that never
//! happens for each, and so every command knows the same reasons.

mod builds;
mod decryption;
mod hidden;
mod inputs;
mod manifests;
mod unknown_fields;
mod variables;

pub use builds::{BuildFact, BuildStep};
pub use decryption::{SealedFact, SealedFate, SealedObject};
pub use hidden::hidden_by;
pub use inputs::{Difference, InputFact, InputField, LookAlike, missing_inputs};
pub use manifests::{FieldFault, Flaw, Form, ManifestFact, Unquoted, any_of};
pub use unknown_fields::{UnknownField, UnknownFieldFact};
pub use variables::{RefusedText, VariableFact, VariableFate};

use rayon::prelude::*;

use crate::{
    cluster::{Cluster, Node, NodeId, ObjectKey, Provider},
    finding::Confidence,
    flux::api::OPERATOR_GROUP,
    graph::{Actor, Moment, Reason, stages},
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

    /// The Kustomizations, where an entry point leads to them. What nothing applies fails nowhere.
    fn nodes(self) -> impl Iterator<Item = (NodeId, &'a Node)> {
        self.cluster.nodes().filter(move |_| self.cluster.reached)
    }
}

/// The facts of one cluster, by topic, each in the order of the cluster.
#[derive(Debug, Default)]
pub struct Facts {
    /// Builds that fail.
    pub builds: Vec<BuildFact>,
    /// Encrypted objects that nothing decrypts.
    pub sealed: Vec<SealedFact>,
    /// ConfigMaps and Secrets that are read and missing.
    pub inputs: Vec<InputFact>,
    /// Manifests that the API server refuses.
    pub manifests: Vec<ManifestFact>,
    /// Fields that no CRD declares.
    pub unknown_fields: Vec<UnknownFieldFact>,
    /// Variables that are set nowhere or not substituted.
    pub variables: Vec<VariableFact>,
}

impl Facts {
    /// Finds those of a cluster.
    #[must_use]
    pub fn find(view: View<'_>) -> Self {
        Self {
            builds: builds::find(view),
            sealed: decryption::find(view),
            inputs: inputs::find(view),
            manifests: manifests::find(view),
            unknown_fields: unknown_fields::find(view),
            variables: variables::find(view),
        }
    }

    /// What they keep from happening.
    #[must_use]
    pub fn blockers(&self) -> Vec<Blocker> {
        let builds = self.builds.iter().filter_map(BuildFact::blocker);
        let sealed = self.sealed.iter().filter_map(SealedFact::blocker);
        let inputs = self.inputs.iter().filter_map(InputFact::blocker);
        let manifests = self.manifests.iter().flat_map(ManifestFact::blockers);
        let unknown = self.unknown_fields.iter().filter_map(UnknownFieldFact::blocker);
        let variables = self.variables.iter().filter_map(VariableFact::blocker);
        builds.chain(sealed).chain(inputs).chain(manifests).chain(unknown).chain(variables).collect()
    }
}

/// The event that applies an object: a stage of a Kustomization, or the apply of a ResourceSet.
fn apply_of(cluster: &Cluster, provider: Provider) -> (Actor, Moment) {
    let set = provider.set.and_then(|_| {
        let owner = cluster.owner(provider);
        let key = ObjectKey {
            group: OPERATOR_GROUP.into(),
            kind: owner.kind.into(),
            namespace: owner.namespace.unwrap_or_default().into(),
            name: owner.name.into(),
        };
        cluster.objects.keys().position(|known| *known == key)
    });
    match set {
        Some(index) => (Actor::Object(index as u32), Moment::Applied),
        None => (Actor::Node(provider.node), stages::of(cluster, &cluster.object(provider).node)),
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

#[cfg(test)]
mod tests;
