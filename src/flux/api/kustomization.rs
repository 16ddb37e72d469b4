use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CrossNamespaceSourceReference, DependencyReference, HealthCheckExpr, LocalObjectReference};

/// Spec of a Flux `Kustomization` (kustomize-controller v1.9, `api/v1/kustomization_types.go`).
#[derive(CustomResource, Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[kube(group = "kustomize.toolkit.fluxcd.io", version = "v1", kind = "Kustomization", namespaced)]
#[serde(rename_all = "camelCase", default)]
pub struct KustomizationSpec {
    /// Period after a success.
    pub interval: Option<String>,
    /// Delay after a failure; `interval` where unset.
    pub retry_interval: Option<String>,
    /// Budget of the health check; `interval` less 30 s where unset, at least 30 s.
    pub timeout: Option<String>,
    /// Where the manifests come from.
    pub source_ref: CrossNamespaceSourceReference,
    /// Folder in the source; its root where unset.
    pub path: Option<String>,
    /// Whether objects that left the build are deleted.
    pub prune: Option<bool>,
    /// What deleting the Kustomization does to its objects.
    pub deletion_policy: Option<String>,
    /// Kustomizations that must be Ready first.
    pub depends_on: Vec<DependencyReference>,
    /// Whether every applied object is health-checked.
    pub wait: bool,
    /// Objects to health-check where `wait` is not set.
    pub health_checks: Vec<HealthCheck>,
    /// CEL health checks by group and kind.
    pub health_check_exprs: Vec<HealthCheckExpr>,
    /// Whether reconciliation is stopped.
    pub suspend: bool,
    /// Whether immutable objects are recreated.
    pub force: bool,
    /// Namespace set on every namespaced object.
    pub target_namespace: Option<String>,
    /// Prefix of every name.
    pub name_prefix: Option<String>,
    /// Suffix of every name.
    pub name_suffix: Option<String>,
    /// Labels and annotations set on every object.
    pub common_metadata: Option<CommonMetadata>,
    /// Patches added to the root kustomization.
    pub patches: Vec<Patch>,
    /// Images added to the root kustomization.
    pub images: Vec<Image>,
    /// Components added to the root kustomization.
    pub components: Vec<Component>,
    /// Whether missing components are passed over.
    pub ignore_missing_components: bool,
    /// Substitution of variables after the build.
    pub post_build: Option<PostBuild>,
    /// Decryption of Secrets.
    pub decryption: Option<Decryption>,
    /// Cluster to apply to, where it is not this one.
    pub kube_config: Option<serde_json::Value>,
    /// Service account to act as.
    pub service_account_name: Option<String>,
    /// Drift that is ignored.
    pub ignore: Vec<serde_json::Value>,
}

impl KustomizationSpec {
    /// Whether the build is applied to another cluster than the one the object lives in (`kubeConfig`).
    #[must_use]
    pub const fn is_remote(&self) -> bool {
        self.kube_config.is_some()
    }
}

/// A component folder, relative to `spec.path`.
pub type Component = String;

/// An object whose health is checked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HealthCheck {
    /// API version; `apps/v1` where unset.
    pub api_version: Option<String>,
    /// Kind.
    pub kind: String,
    /// Name.
    pub name: String,
    /// Namespace. Not defaulted.
    pub namespace: Option<String>,
}

/// Labels and annotations.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct CommonMetadata {
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    pub annotations: BTreeMap<String, String>,
}

/// A patch.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct Patch {
    /// Strategic merge or JSON 6902 patch.
    pub patch: String,
    /// What it applies to.
    pub target: Option<serde_json::Value>,
}

/// An image override.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Image {
    /// Image name without tag.
    pub name: String,
    /// New name.
    pub new_name: Option<String>,
    /// New tag.
    pub new_tag: Option<String>,
    /// New digest.
    pub digest: Option<String>,
}

/// Substitution of variables.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PostBuild {
    /// Inline variables.
    pub substitute: BTreeMap<String, String>,
    /// ConfigMaps and Secrets with variables, later ones override earlier ones.
    pub substitute_from: Vec<SubstituteReference>,
    /// `WithVariables` or `Always`.
    pub substitute_strategy: Option<String>,
}

/// A ConfigMap or Secret with variables.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct SubstituteReference {
    /// `ConfigMap` or `Secret`.
    pub kind: String,
    /// Name, in the Kustomization's own namespace.
    pub name: String,
    /// Whether it may be missing.
    pub optional: bool,
}

/// Decryption of Secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Decryption {
    /// `sops`.
    pub provider: String,
    /// Secret with the keys.
    pub secret_ref: Option<LocalObjectReference>,
}
