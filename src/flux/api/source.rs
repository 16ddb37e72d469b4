use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Spec of a `GitRepository` (source-controller v1.9).
#[derive(CustomResource, Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[kube(group = "source.toolkit.fluxcd.io", version = "v1", kind = "GitRepository", namespaced)]
#[serde(rename_all = "camelCase", default)]
pub struct GitRepositorySpec {
    /// Where the repository is.
    pub url: String,
    /// Further exclusions, in `.gitignore` syntax.
    pub ignore: Option<String>,
    /// Folders the artifact is limited to.
    pub sparse_checkout: Vec<String>,
}

/// Spec of an `ArtifactGenerator` (source-watcher v2.2).
#[derive(CustomResource, Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[kube(group = "source.extensions.fluxcd.io", version = "v1beta1", kind = "ArtifactGenerator", namespaced)]
#[serde(rename_all = "camelCase", default)]
pub struct ArtifactGeneratorSpec {
    /// Where files come from.
    pub sources: Vec<GeneratorSource>,
    /// What is built from them.
    pub artifacts: Vec<Artifact>,
}

/// A source of an `ArtifactGenerator`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct GeneratorSource {
    /// Name in `copy`.
    pub alias: String,
    /// Kind of the source.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its namespace; the generator's where unset.
    pub namespace: Option<String>,
}

/// An `ExternalArtifact` to be made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct Artifact {
    /// Its name.
    pub name: String,
    /// What goes into it, in order.
    pub copy: Vec<Copy>,
}

/// Files to copy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct Copy {
    /// `@alias/glob`.
    pub from: String,
    /// `@artifact/path`.
    pub to: String,
    /// Globs to leave out.
    pub exclude: Vec<String>,
    /// `Overwrite`, `Merge` or `Extract`.
    pub strategy: Option<String>,
}
