//! Static analysis of the dependency graph of Flux GitOps repositories. See `ARCHITECTURE.md`.

use std::{path::PathBuf, time::Duration};

use finding::Finding;
use report::ClusterSummary;
use source::{SourceError, Tree};

pub mod cli;
pub mod finding;
pub mod kustomize;
pub mod report;
pub mod source;
pub mod timing;
pub mod yaml;

/// What the user may choose about an analysis.
#[derive(Debug, Default, Clone)]
pub struct Options {
    /// The folder that every `spec.path` is relative to.
    pub root: Option<PathBuf>,
    /// Look at this cluster alone.
    pub cluster: Option<String>,
    /// Budget for the critical path of a cold start.
    pub max_path: Option<Duration>,
}

/// What an analysis yields.
#[derive(Debug)]
pub struct Analysis {
    /// The files.
    pub tree: Tree,
    /// The folder of the tree that every `spec.path` is relative to; empty for its root.
    pub artifact_root: String,
    /// The clusters, sorted by root.
    pub clusters: Vec<ClusterSummary>,
    /// Everything found, sorted.
    pub findings: Vec<Finding>,
}

/// Why there is no analysis: nothing to do with what the files say.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The files cannot be had.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// There is nothing to analyse.
    #[error("no Flux objects under {}", .paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", "))]
    NoFluxObjects {
        /// Where they were looked for.
        paths: Vec<PathBuf>,
    },
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::Source(_) => "check the path, and that it can be read",
            Self::NoFluxObjects { .. } => {
                "point at a folder that holds Flux Kustomizations, or pass --allow-empty where there need not be any"
            }
        }
    }
}

/// Analyses the repository around `paths`.
///
/// # Errors
/// Where the paths cannot be read, or hold no Flux object.
pub fn lint(paths: &[PathBuf], _options: &Options) -> Result<Analysis, Error> {
    for path in paths {
        Tree::load(path)?;
    }
    Err(Error::NoFluxObjects { paths: paths.to_vec() })
}

/// The rules.
pub mod rules {
    use crate::finding::{Category, Confidence, RuleInfo, Severity, Tier};

    /// A rule.
    #[derive(Debug)]
    pub struct Rule {
        /// What is known of it without running it.
        pub info: RuleInfo,
    }

    /// Every rule, sorted by id.
    pub static RULES: &[&Rule] = &[&DEPENDENCY_CYCLE];

    static DEPENDENCY_CYCLE: Rule = Rule {
        info: RuleInfo {
            id: "dependency-cycle",
            summary: "a loop of `dependsOn` entries",
            category: Category::Deadlock,
            severity: Severity::Error,
            confidence: Confidence::High,
            tier: Tier::Stable,
            since: "0.1.0",
            page: "# dependency-cycle\n\nA loop of `dependsOn` entries.\n\n## Bad\n\n```yaml title=apps.yaml\nspec:\n  dependsOn:\n    - name: apps\n```\n",
        },
    };
}
