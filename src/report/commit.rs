//! What a commit costs in a running cluster: answers of `fluxdag timeline --commit`.

use std::time::Duration;

use serde::Serialize;

use super::{
    Terminal,
    answer::document,
    answer::paragraph,
    answers::head,
    count,
    json::{SCHEMA_VERSION, Tool},
    printable,
};
use crate::finding::{Subject, about};

/// A commit and what comes of it.
#[derive(Debug, Clone)]
pub struct Commit {
    /// The files it changes.
    pub files: Vec<String>,
    /// One for each cluster and source with a new revision.
    pub clusters: Vec<ClusterCommit>,
}

/// What comes of it in one cluster, through one source. Times count from the new revision.
#[derive(Debug, Clone)]
pub struct ClusterCommit {
    /// Root of the cluster.
    pub cluster: String,
    /// The hardware that the figures are for.
    pub profile: &'static str,
    /// The source.
    pub source: String,
    /// When the last Kustomization is Ready at the new revision.
    pub total: Duration,
    /// The Kustomizations of the source, by when they are Ready.
    pub nodes: Vec<CommittedNode>,
}

/// What becomes of one Kustomization, simulated with typical durations.
#[derive(Debug, Clone)]
pub struct CommittedNode {
    /// The Kustomization.
    pub node: Subject,
    /// Whether the commit changes what it applies.
    pub is_changed: bool,
    /// When it was first reconciled with everything it depends on at the new revision.
    pub start: Option<Duration>,
    /// When its objects were applied.
    pub applied: Option<Duration>,
    /// When it turned Ready.
    pub ready: Option<Duration>,
    /// Reconciliations that got past its dependencies.
    pub attempts: u32,
    /// When its health checks ended too early.
    pub timed_out: Vec<Duration>,
}

#[derive(Serialize)]
struct CommitJson<'a> {
    schema_version: u32,
    tool: Tool,
    files: &'a [String],
    clusters: Vec<ClusterJson<'a>>,
}

#[derive(Serialize)]
struct ClusterJson<'a> {
    cluster: &'a str,
    profile: &'a str,
    source: &'a str,
    simulated_total_s: u64,
    nodes: Vec<NodeJson<'a>>,
}

#[derive(Serialize)]
struct NodeJson<'a> {
    node: &'a Subject,
    changed: bool,
    start_s: Option<u64>,
    applied_s: Option<u64>,
    ready_s: Option<u64>,
    attempts: u32,
    timed_out: Vec<u64>,
}

/// Kustomizations that are told; the rest is counted.
const MOST: usize = 30;

impl Commit {
    /// For programs.
    #[must_use]
    pub fn json(&self) -> String {
        document(&CommitJson {
            schema_version: SCHEMA_VERSION,
            tool: Tool::THIS,
            files: &self.files,
            clusters: self.clusters.iter().map(ClusterCommit::json).collect(),
        })
    }

    /// For people.
    #[must_use]
    pub fn text(&self, terminal: &Terminal) -> String {
        if self.clusters.is_empty() {
            return paragraph("No Kustomization is built from that: nothing new is applied.", terminal);
        }
        let texts: Vec<String> = self.clusters.iter().map(|cluster| cluster.text(terminal)).collect();
        texts.join("\n")
    }
}

impl ClusterCommit {
    fn json(&self) -> ClusterJson<'_> {
        let seconds = |time: Option<Duration>| time.map(|time| time.as_secs());
        ClusterJson {
            cluster: &self.cluster,
            profile: self.profile,
            source: &self.source,
            simulated_total_s: self.total.as_secs(),
            nodes: self
                .nodes
                .iter()
                .map(|node| NodeJson {
                    node: &node.node,
                    changed: node.is_changed,
                    start_s: seconds(node.start),
                    applied_s: seconds(node.applied),
                    ready_s: seconds(node.ready),
                    attempts: node.attempts,
                    timed_out: node.timed_out.iter().map(Duration::as_secs).collect(),
                })
                .collect(),
        }
    }

    fn text(&self, terminal: &Terminal) -> String {
        let mut text = head(&self.cluster, "A commit", terminal);
        let changed = self.nodes.iter().filter(|node| node.is_changed).count();
        let sentence = format!(
            "A new revision of {} reconciles {}, of which {changed} {} what the commit changes. All are Ready at it after about {} on {} \
             hardware.",
            self.source,
            count(self.nodes.len(), "Kustomization"),
            if changed == 1 { "applies" } else { "apply" },
            about(self.total),
            self.profile,
        );
        text.push_str(&paragraph(&sentence, terminal));
        text.push_str("\nReady after (* applies what changes):\n");
        for node in self.nodes.iter().take(MOST) {
            let mark = if node.is_changed { '*' } else { ' ' };
            let at = node.ready.map_or_else(|| "never".to_owned(), about);
            text.push_str(&printable(&format!("{mark} {at:>8}  {}", node.node)));
            text.push('\n');
        }
        if self.nodes.len() > MOST {
            text.push_str(&format!("  and {} more\n", self.nodes.len() - MOST));
        }
        text
    }
}
