use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CrossNamespaceSourceReference, DependencyReference, HealthCheckExpr};

/// Spec of a `HelmRelease` (helm-controller v1.6, `api/v2/helmrelease_types.go`).
#[derive(CustomResource, Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[kube(group = "helm.toolkit.fluxcd.io", version = "v2", kind = "HelmRelease", namespaced)]
#[serde(rename_all = "camelCase", default)]
pub struct HelmReleaseSpec {
    /// Chart template, from which a HelmChart is made.
    pub chart: Option<HelmChartTemplate>,
    /// Chart in a source of its own.
    pub chart_ref: Option<CrossNamespaceSourceReference>,
    /// Period after a success.
    pub interval: Option<String>,
    /// Budget of each Helm action; 5 minutes where unset.
    pub timeout: Option<String>,
    /// HelmReleases that must be Ready first.
    pub depends_on: Vec<DependencyReference>,
    /// Namespace of the Helm release.
    pub target_namespace: Option<String>,
    /// Whether reconciliation is stopped.
    pub suspend: bool,
    /// ConfigMaps and Secrets with values.
    pub values_from: Vec<ValuesReference>,
    /// Inline values.
    pub values: Option<serde_json::Value>,
    /// Installation settings.
    pub install: Option<serde_json::Value>,
    /// Upgrade settings.
    pub upgrade: Option<serde_json::Value>,
    /// CEL health checks by group and kind, for the objects of the chart.
    pub health_check_exprs: Vec<HealthCheckExpr>,
}

/// A chart template.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct HelmChartTemplate {
    /// Its spec.
    pub spec: HelmChartTemplateSpec,
}

/// Which chart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HelmChartTemplateSpec {
    /// Name in a Helm repository, or path in another source.
    pub chart: String,
    /// Version or range.
    pub version: Option<String>,
    /// Where the chart comes from.
    pub source_ref: CrossNamespaceSourceReference,
}

/// A ConfigMap or Secret with values.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ValuesReference {
    /// `ConfigMap` or `Secret`.
    pub kind: String,
    /// Name, in the HelmRelease's own namespace.
    pub name: String,
    /// Key; `values.yaml` where unset.
    pub values_key: Option<String>,
    /// Whether it may be missing.
    pub optional: bool,
}
