//! What a commit costs in a running cluster.

use rustc_hash::FxHashSet;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Document, Error, Model, Seconds, Simulated, files::NamedFiles, impact::source_subject};
use crate::{
    cluster::{NodeId, builders},
    finding::Subject,
    flux::SourceRef,
    situation::Situation,
    source::FileId,
    timing::{Assumptions, Quantile, Simulation},
};

/// What a commit of some files costs in running clusters: `fluxdag timeline --commit`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Commit {
    /// The hardware that times are for.
    pub profile: &'static str,
    /// The files that it changes, from the artifact root.
    pub files: Vec<String>,
    /// One for each cluster with a new revision.
    pub clusters: Vec<ClusterCommit>,
}

/// What a commit costs in one cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ClusterCommit {
    /// Root of the cluster.
    pub cluster: String,
    /// One for each source with a new revision. Times count from it.
    pub commits: Vec<SourceCommit>,
}

/// What comes of a new revision of one source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SourceCommit {
    /// The source.
    pub source: Subject,
    /// When the last Kustomization is Ready at the new revision.
    pub simulated_total_s: Seconds,
    /// The Kustomizations of the source, by when they are Ready.
    pub nodes: Vec<CommittedNode>,
}

/// What becomes of one Kustomization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CommittedNode {
    /// The Kustomization.
    pub node: Subject,
    /// Whether the commit changes what it applies.
    pub is_changed: bool,
    /// What the controllers make of it, with typical durations.
    pub simulated: Simulated,
}

impl Document for Commit {
    const COMMAND: &'static str = "timeline --commit";
}

/// What a commit costs that changes the files of these paths.
///
/// # Errors
/// Where one of them leads nowhere.
pub fn commit(model: Model<'_>, paths: &[impl AsRef<str>]) -> Result<Commit, Error> {
    let mut named = NamedFiles::default();
    for text in paths {
        named.add(model.files(text.as_ref())?);
    }
    let clusters = model.reported().filter_map(|(_, situation)| of_cluster(situation, &named.files)).collect();
    Ok(Commit { profile: model.profile, files: named.paths(model.store.tree()), clusters })
}

fn of_cluster(situation: &Situation<'_>, files: &FxHashSet<FileId>) -> Option<ClusterCommit> {
    let cluster = situation.cluster;
    let changed: Vec<NodeId> = builders(cluster, files).into_iter().map(|(id, _)| id).collect();
    let source = |id: &NodeId| cluster.node(*id).source();
    let mut sources: Vec<SourceRef> = changed.iter().map(source).collect();
    sources.sort();
    sources.dedup();
    let assumptions = Assumptions { least: situation.cold_start.least(), ..Assumptions::new(cluster) };
    let simulation = Simulation::new(cluster, &situation.graph, &situation.durations, assumptions);
    let of_source = |wanted: SourceRef| {
        let run = simulation.commit(&wanted, &changed, Quantile::Typical);
        let mut nodes: Vec<CommittedNode> = cluster
            .nodes()
            .zip(&run.nodes)
            .filter(|((id, _), outcome)| outcome.attempts > 0 || source(id) == wanted)
            .map(|((id, node), outcome)| CommittedNode {
                node: node.subject(),
                is_changed: changed.contains(&id),
                simulated: Simulated::new(outcome),
            })
            .collect();
        nodes.sort_by_key(|node| (node.simulated.ready_s.is_none(), node.simulated.ready_s, node.node.to_string()));
        SourceCommit { source: source_subject(&wanted), simulated_total_s: Seconds(run.total), nodes }
    };
    let commits: Vec<SourceCommit> = sources.into_iter().map(of_source).collect();
    (!commits.is_empty()).then(|| ClusterCommit { cluster: cluster.root.clone(), commits })
}
