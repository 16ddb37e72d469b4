//! Flux's API types, as far as the analysis reads them. The `kube` derive gives each its group, version and kind.

mod helm_release;
mod kustomization;
mod source;

pub use helm_release::{HelmChartTemplate, HelmChartTemplateSpec, HelmRelease, HelmReleaseSpec, ValuesReference};
pub use kustomization::{
    CommonMetadata, Component, Decryption, HealthCheck, Image, Kustomization, KustomizationSpec, Patch, PostBuild,
    SubstituteReference,
};
pub use source::{
    Artifact, ArtifactGenerator, ArtifactGeneratorSpec, Copy, FluxInstance, FluxInstanceSpec, GeneratorSource,
    GitRepository, GitRepositorySpec, Sync,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// API group of kustomize-controller's objects.
pub const KUSTOMIZE_GROUP: &str = "kustomize.toolkit.fluxcd.io";
/// API group of helm-controller's objects.
pub const HELM_GROUP: &str = "helm.toolkit.fluxcd.io";
/// API group of source-controller's objects.
pub const SOURCE_GROUP: &str = "source.toolkit.fluxcd.io";
/// API group of source-watcher's objects.
pub const SOURCE_EXTENSIONS_GROUP: &str = "source.extensions.fluxcd.io";
/// API group of the Flux Operator's objects.
pub const OPERATOR_GROUP: &str = "fluxcd.controlplane.io";

/// An entry of `dependsOn`. It has no kind: it names an object of the referrer's own kind (flux-semantics: there are no
/// dependencies across kinds, kustomize-controller v1.9 `checkDependencies`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DependencyReference {
    /// Name of the dependency.
    pub name: String,
    /// Its namespace; the referrer's where unset.
    #[serde(default)]
    pub namespace: Option<String>,
    /// CEL expression that replaces the readiness check.
    #[serde(default)]
    pub ready_expr: Option<String>,
}

/// A reference to a source object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CrossNamespaceSourceReference {
    /// API version of the source.
    #[serde(default)]
    pub api_version: Option<String>,
    /// Kind of the source.
    #[serde(default)]
    pub kind: Option<String>,
    /// Name of the source.
    #[serde(default)]
    pub name: String,
    /// Its namespace; the referrer's where unset.
    #[serde(default)]
    pub namespace: Option<String>,
}

/// A name, in the referrer's namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct LocalObjectReference {
    /// The name.
    #[serde(default)]
    pub name: String,
}
