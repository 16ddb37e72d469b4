//! What lies between two revisions, all of it.

use schemars::JsonSchema;
use serde::Serialize;

use super::{ClusterChange, Reach, Touched};
use crate::query::{Document, ReportedFinding};

/// What lies between two revisions: `fluxdag diff`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Diff {
    /// The former.
    pub base: Revised,
    /// The latter.
    pub head: Revised,
    /// The hardware that times are for.
    pub profile: &'static str,
    /// Numbers of findings and files.
    pub summary: DiffCounts,
    /// What became of the clusters, of those that are not the same.
    pub clusters: Vec<ClusterChange>,
    /// Findings that were not there before, the worst first.
    pub new_findings: Vec<ReportedFinding>,
    /// Findings that are gone.
    pub fixed_findings: Vec<ReportedFinding>,
    /// The files that differ, of those that were looked into.
    pub touched_files: Vec<Touched>,
    /// What they reach, by cluster.
    pub reach: Vec<Reach>,
    /// Whether the repository has more than one cluster.
    #[serde(skip)]
    pub several: bool,
    /// What could not be looked at, in words.
    #[serde(skip)]
    pub warnings: Vec<String>,
    /// What there is to know of what was compared.
    #[serde(skip)]
    pub remark: Option<String>,
}

/// A revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Revised {
    /// What it was asked for as; `the work tree`.
    pub name: String,
    /// The commit; `null` for the work tree.
    pub commit: Option<String>,
}

/// Numbers over all clusters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "DiffSummary")]
pub struct DiffCounts {
    /// Findings that were not there before.
    pub new: usize,
    /// Findings that are gone.
    pub fixed: usize,
    /// Findings that are in both.
    pub known: usize,
    /// Files that differ.
    pub files: usize,
}

impl Document for Diff {
    const COMMAND: &'static str = "diff";
}
