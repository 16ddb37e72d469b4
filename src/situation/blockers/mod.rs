//! What stops a node: every reason, beside loops, for which an object can never be applied or become Ready.
//!
//! Each topic has a file that finds its facts in a [`Cluster`]. A fact says all that a rule needs to word a finding, its
//! confidence included, and which event it keeps from happening. The rules word the facts, the graph has an event that never
//! happens for each, and so every command knows the same reasons.

mod builds;
mod components;
mod decryption;
mod dependencies;
mod expressions;
mod health_checks;
mod hidden;
mod inputs;
mod known_sources;
mod manifests;
mod namespaces;
mod never_ready;
mod outside;
mod paths;
mod references;
mod renamed_namespaces;
mod renames;
mod scopes;
mod source_uses;
mod sources;
mod suspension;
mod unknown_fields;
mod unplaced;
mod values;
mod variables;
mod versions;

#[cfg(test)]
mod tests;

pub use builds::{BuildFact, BuildStep};
pub use components::{ComponentFact, ListedBy};
pub use decryption::{SealedFact, SealedFate, SealedObject};
pub use dependencies::{DependencyFact, DependencyProblem, Doubt, Elsewhere};
pub use expressions::{ExpressionFact, ExpressionProblem};
pub use health_checks::{HealthCheckFact, HealthCheckProblem};
pub use inputs::{Difference, InputFact, InputField, LookAlike, missing_inputs};
pub use known_sources::KnownSource;
pub use manifests::{FieldFault, Flaw, Form, KeyFault, ManifestFact, Unquoted, any_of, urls};
pub use namespaces::{NamespaceFact, NamespaceField, NamespaceUse};
pub use never_ready::{NeverReady, NeverReadyFact};
pub use paths::PathFact;
pub use references::{ReferenceFact, ReferenceProblem};
pub use renamed_namespaces::RenamedNamespace;
pub use renames::Rename;
pub use source_uses::SourceUse;
pub use sources::{Instead, SourceFact, SourceProblem, with_article};
pub use suspension::SuspensionFact;
pub use unknown_fields::{Later, UnknownField, UnknownFieldFact};
pub use unplaced::UnplacedFact;
pub use values::{ValuesFact, ValuesProblem};
pub use variables::{RefusedText, VariableFact, VariableFate, expression_place};
pub use versions::{RemovedVersion, VersionFact};

use rayon::prelude::*;

use crate::{
    cluster::{Cluster, Node, NodeId, ObjectKey, Provider},
    finding::Confidence,
    flux::api::kinds,
    graph::{Actor, Blocker, Cause, Moment, stages},
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

    /// The Kustomizations, where an entry point leads to them. What nothing applies fails nowhere.
    fn nodes(self) -> impl Iterator<Item = (NodeId, &'a Node)> {
        self.cluster.nodes().filter(move |_| self.cluster.reached)
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
    /// Entries of `dependsOn` that lead nowhere.
    pub dependencies: Vec<DependencyFact>,
    /// References to sources that are nowhere, or that the controllers refuse to follow.
    pub sources: Vec<SourceFact>,
    /// Paths that are no folder of their source.
    pub paths: Vec<PathFact>,
    /// Objects of API versions that Flux no longer serves.
    pub versions: Vec<VersionFact>,
    /// Namespaces that get another name than what is meant for them knows.
    pub renamed_namespaces: Vec<RenamedNamespace>,
    /// Builds that fail.
    pub builds: Vec<BuildFact>,
    /// Encrypted objects that nothing decrypts.
    pub sealed: Vec<SealedFact>,
    /// ConfigMaps and Secrets that are read and missing.
    pub inputs: Vec<InputFact>,
    /// Manifests that the API server refuses.
    pub manifests: Vec<ManifestFact>,
    /// Namespaces that nothing makes.
    pub namespaces: Vec<NamespaceFact>,
    /// Objects without a namespace.
    pub unplaced: Vec<UnplacedFact>,
    /// Values of releases that cannot be read.
    pub values: Vec<ValuesFact>,
    /// Fields that no CRD declares.
    pub unknown_fields: Vec<UnknownFieldFact>,
    /// Variables that are set nowhere or not substituted.
    pub variables: Vec<VariableFact>,
    /// References between other objects of Flux that lead nowhere.
    pub references: Vec<ReferenceFact>,
    /// Objects of Flux whose controller is not installed.
    pub components: Vec<ComponentFact>,
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
            dependencies: dependencies::find(view),
            sources: sources::find(view),
            paths: paths::find(view),
            versions: versions::find(view),
            renamed_namespaces: renamed_namespaces::find(view),
            builds: builds::find(view),
            sealed: decryption::find(view),
            inputs: inputs::find(view),
            manifests: manifests::find(view),
            namespaces: namespaces::find(view),
            unplaced: unplaced::find(view),
            values: values::find(view),
            unknown_fields: unknown_fields::find(view),
            variables: variables::find(view),
            references: references::find(view),
            components: components::find(view),
        }
    }

    /// What they keep from happening. The graph may lack an event, where nothing waits for it.
    #[must_use]
    pub fn blockers(&self) -> Vec<Blocker> {
        let mut blockers = Vec::new();
        blockers.extend(self.expressions.iter().filter_map(ExpressionFact::blocker));
        blockers.extend(self.health_checks.iter().filter_map(HealthCheckFact::blocker));
        blockers.extend(self.never_ready.iter().filter_map(NeverReadyFact::blocker));
        blockers.extend(self.suspended.iter().filter_map(SuspensionFact::blocker));
        blockers.extend(self.dependencies.iter().filter_map(DependencyFact::blocker));
        blockers.extend(self.sources.iter().filter_map(SourceFact::blocker));
        blockers.extend(self.paths.iter().filter_map(PathFact::blocker));
        blockers.extend(self.versions.iter().filter_map(VersionFact::blocker));
        blockers.extend(self.builds.iter().filter_map(BuildFact::blocker));
        blockers.extend(self.sealed.iter().filter_map(SealedFact::blocker));
        blockers.extend(self.inputs.iter().filter_map(InputFact::blocker));
        blockers.extend(self.manifests.iter().flat_map(ManifestFact::blockers));
        blockers.extend(self.namespaces.iter().flat_map(NamespaceFact::blockers));
        blockers.extend(self.unplaced.iter().flat_map(UnplacedFact::blockers));
        blockers.extend(self.values.iter().filter_map(ValuesFact::blocker));
        blockers.extend(self.unknown_fields.iter().filter_map(UnknownFieldFact::blocker));
        blockers.extend(self.variables.iter().filter_map(VariableFact::blocker));
        blockers.extend(self.references.iter().flat_map(ReferenceFact::blockers));
        blockers.extend(self.components.iter().filter_map(ComponentFact::blocker));
        blockers
    }
}

/// The event that applies an object: a stage of a Kustomization, or the apply of a ResourceSet.
fn apply_of(cluster: &Cluster, provider: Provider) -> (Actor, Moment) {
    match set_of(cluster, provider) {
        Some(index) => (Actor::Object(index as u32), Moment::Applied),
        None => (Actor::Node(provider.node), stages::of(cluster, &cluster.object(provider).node)),
    }
}

/// The position of the ResourceSet that makes an object; `None` where a Kustomization applies it, and where no build holds the set.
fn set_of(cluster: &Cluster, provider: Provider) -> Option<usize> {
    provider.set?;
    let owner = cluster.owner(provider);
    let key = ObjectKey::new(kinds::RESOURCE_SET, owner.namespace.unwrap_or_default(), owner.name);
    cluster.objects.keys().position(|known| *known == key)
}
