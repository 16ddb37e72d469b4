//! The document of `fluxdag lint -o json`.

use std::io::{self, Write};

use schemars::JsonSchema;
use serde::Serialize;

use super::{ClusterSummary, Report, answers::document, summary::is_known};
use crate::{
    finding::{Finding, Severity},
    query::{Document, ReportedFinding, ReportedUnresolved},
    source::Tree,
};

/// The findings of one run of `fluxdag lint`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Linted {
    /// How much was found, and in how much.
    pub summary: Summary,
    /// The folder that all paths are relative to, seen from the root of the Git repository; `.` for that itself, and where
    /// there is no repository.
    pub artifact_root: String,
    /// The hardware that times are for.
    pub profile: String,
    /// The clusters, sorted by root.
    pub clusters: Vec<LintedCluster>,
    /// What was not looked at, and what was assumed: sentences.
    pub not_looked_at: Vec<String>,
    /// The findings that are shown or suppressed, sorted by path and place.
    pub findings: Vec<ReportedFinding>,
}

/// Numbers over the whole run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Summary {
    /// Findings of severity `error` that are not suppressed.
    pub errors: usize,
    /// Findings of severity `warning` that are not suppressed.
    pub warnings: usize,
    /// Findings of severity `info` that are not suppressed.
    pub infos: usize,
    /// Findings below the least severity or confidence: they are not in `findings`.
    pub hidden: usize,
    /// Suppressed findings.
    pub suppressed: usize,
    /// Findings that the baseline knows, or that the other revision had too.
    pub known: usize,
    /// Files that were listed.
    pub files: usize,
    /// Clusters.
    pub clusters: usize,
    /// Kustomizations and HelmReleases of all clusters.
    pub nodes: usize,
    /// Nodes that are known in part only.
    pub unresolved: usize,
}

/// A cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LintedCluster {
    /// Root of the cluster: the folder that its root Kustomization applies.
    pub cluster: String,
    /// How much it has.
    pub counts: LintedCounts,
    /// The Flux release, where the repository says so.
    pub flux_version: Option<String>,
    /// What is not known of it.
    pub unresolved: Vec<ReportedUnresolved>,
}

/// Numbers of nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LintedCounts {
    /// Kustomizations and HelmReleases.
    pub nodes: usize,
    /// Those that are known in part only.
    pub unresolved: usize,
}

impl Document for Linted {
    const COMMAND: &'static str = "lint";
}

/// One JSON object. Text is as in the repository; what a terminal would obey is escaped the JSON way.
pub(super) fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(document(&Linted::new(report)).as_bytes())
}

impl Linted {
    /// What a report has.
    #[must_use]
    pub fn new(report: &Report<'_>) -> Self {
        let of = |severity| report.findings.iter().filter(|finding| finding.severity == severity).count();
        let known = report.suppressed.iter().filter(|finding| is_known(finding)).count();
        Self {
            summary: Summary {
                errors: of(Severity::Error),
                warnings: of(Severity::Warning),
                infos: of(Severity::Info),
                hidden: report.hidden.total(),
                suppressed: report.suppressed.len() - known,
                known,
                files: report.tree.len(),
                clusters: report.clusters.len(),
                nodes: report.clusters.iter().map(|cluster| cluster.nodes).sum(),
                unresolved: report.clusters.iter().map(|cluster| cluster.unresolved).sum(),
            },
            profile: report.profile.to_owned(),
            artifact_root: report.artifact_root(),
            clusters: report.clusters.iter().map(|cluster| LintedCluster::new(cluster, report.tree)).collect(),
            not_looked_at: report.unseen.iter().map(|unseen| unseen.text.clone()).collect(),
            findings: all(report).into_iter().map(|found| ReportedFinding::new(found, report.tree)).collect(),
        }
    }
}

impl LintedCluster {
    fn new(cluster: &ClusterSummary, tree: &Tree) -> Self {
        let details = cluster.unresolved_details.iter();
        let details = details.map(|detail| {
            let location = detail.location.and_then(|span| tree.place(span));
            ReportedUnresolved::new(&detail.what, &detail.why, location)
        });
        Self {
            cluster: cluster.root.clone(),
            counts: LintedCounts { nodes: cluster.nodes, unresolved: cluster.unresolved },
            flux_version: cluster.flux_version.clone(),
            unresolved: details.collect(),
        }
    }
}

/// What is shown and what is suppressed, both of them in their order, merged by place.
fn all<'a>(report: &Report<'a>) -> Vec<&'a Finding> {
    let place = |finding: &'a Finding| {
        let (path, start) = finding.location.span().map_or(("", 0), |span| (report.tree.path(span.file), span.start));
        (path, start, finding.rule, finding.message.as_str())
    };
    let mut suppressed = report.suppressed.iter().peekable();
    let mut all = Vec::with_capacity(report.findings.len() + report.suppressed.len());
    for finding in report.findings {
        while let Some(earlier) = suppressed.next_if(|other| place(other) < place(finding)) {
            all.push(earlier);
        }
        all.push(finding);
    }
    all.extend(suppressed);
    all
}
