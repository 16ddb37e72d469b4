//! Flux's API types, as far as the analysis reads them. The `kube` derive gives each its group, version and kind.

pub(super) mod duration;
mod helm_release;
pub mod kinds;
mod kustomization;
pub(super) mod object;
pub(super) mod open_text;
mod source;

pub use helm_release::{HelmChartTemplate, HelmChartTemplateSpec, HelmRelease, HelmReleaseSpec, ValuesReference};
use kinds::GroupKind;
pub use kustomization::{
    CommonMetadata, Component, Decryption, HealthCheck, Image, Kustomization, KustomizationSpec, Patch, PostBuild,
    SubstituteReference,
};
pub use source::{
    Artifact, ArtifactGenerator, ArtifactGeneratorSpec, Copy, GeneratorSource, GitRepository, GitRepositorySpec,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kustomize::ApiVersion;

/// API group of kustomize-controller's objects.
pub const KUSTOMIZE_GROUP: &str = "kustomize.toolkit.fluxcd.io";
/// API group of helm-controller's objects.
pub const HELM_GROUP: &str = "helm.toolkit.fluxcd.io";
/// API group of source-controller's objects.
pub const SOURCE_GROUP: &str = "source.toolkit.fluxcd.io";
/// API group of source-watcher's objects.
pub const SOURCE_EXTENSIONS_GROUP: &str = "source.extensions.fluxcd.io";
/// API group of the objects of the image controllers.
pub const IMAGE_GROUP: &str = "image.toolkit.fluxcd.io";
/// API group of notification-controller's objects.
pub const NOTIFICATION_GROUP: &str = "notification.toolkit.fluxcd.io";
/// API group of the Flux Operator's objects.
pub const OPERATOR_GROUP: &str = "fluxcd.controlplane.io";

/// An entry of `dependsOn`. It has no kind: it names an object of the referrer's own kind, and there are no dependencies
/// across kinds (kustomize-controller v1.9 and helm-controller v1.6, `checkDependencies`).
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

/// An entry of `healthCheckExprs`: how to read the status of a kind (fluxcd/pkg `apis/kustomize`, `CustomHealthCheck`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HealthCheckExpr {
    /// API version; only its group counts.
    pub api_version: String,
    /// Kind; every kind of the group where unset (since Flux 2.9).
    pub kind: Option<String>,
    /// When the object is as it should be. Required.
    pub current: Option<String>,
    /// When it is still on its way.
    pub in_progress: Option<String>,
    /// When it has failed.
    pub failed: Option<String>,
}

impl HealthCheckExpr {
    /// API group of the kinds it is for.
    #[must_use]
    pub fn group(&self) -> &str {
        ApiVersion::parse(&self.api_version).group
    }

    /// Whether it is for `kind` of `group`.
    #[must_use]
    pub fn covers(&self, group: &str, kind: &str) -> bool {
        self.group() == group && self.kind.as_deref().filter(|own| !own.is_empty()).is_none_or(|own| own == kind)
    }
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

impl CrossNamespaceSourceReference {
    /// Whether it names a source of that kind.
    #[must_use]
    pub fn is(&self, kind: GroupKind) -> bool {
        self.kind.as_deref() == Some(kind.kind)
    }

    /// Kind of the source; a GitRepository where none is given.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.kind.as_deref().unwrap_or(kinds::GIT_REPOSITORY.kind)
    }
}

/// A name, in the referrer's namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct LocalObjectReference {
    /// The name.
    #[serde(default)]
    pub name: String,
}
