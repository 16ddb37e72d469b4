//! What a commit costs in a running cluster: `fluxdag timeline --commit`.

use rustc_hash::FxHashSet;

use super::{
    args::{AnswerFormat, Timeline},
    error::CliError,
    impact::{files, in_tree, nowhere},
    print,
};
use crate::{
    Survey,
    cluster::{NodeId, builders},
    flux::SourceRef,
    report::{ClusterCommit, Commit as Report, CommittedNode, Terminal},
    situation::Situation,
    source::FileId,
    timing::{Assumptions, Quantile, Simulation},
};

pub(super) fn run(
    timeline: &Timeline,
    survey: &Survey,
    situations: &[Situation<'_>],
    terminal: &Terminal,
) -> Result<(), CliError> {
    let mut changed: FxHashSet<FileId> = FxHashSet::default();
    for text in &timeline.commit {
        if in_tree(text, survey).is_none() {
            return Err(nowhere(text, survey, None));
        }
        changed.extend(files(text, survey));
    }
    let reported = situations.iter().enumerate();
    let reported = reported.filter(|(index, situation)| situation.cluster.reached && survey.focus.has_cluster(*index));
    let clusters: Vec<ClusterCommit> =
        reported.flat_map(|(_, situation)| of_cluster(survey, situation, &changed)).collect();
    let report = Report { files: timeline.commit.clone(), clusters };
    print(match timeline.question.format {
        AnswerFormat::Text => report.text(terminal),
        AnswerFormat::Json => report.json(),
    })
}

/// One for each source that has a new revision with it.
fn of_cluster(survey: &Survey, situation: &Situation<'_>, files: &FxHashSet<FileId>) -> Vec<ClusterCommit> {
    let cluster = situation.cluster;
    let changed: Vec<NodeId> = builders(&survey.store, cluster, files).into_iter().map(|(id, _)| id).collect();
    let source = |id: &NodeId| {
        let node = cluster.node(*id);
        SourceRef::of(&node.kustomization.spec.source_ref, &node.key.namespace)
    };
    let mut sources: Vec<SourceRef> = changed.iter().map(source).collect();
    sources.sort();
    sources.dedup();
    let assumptions = Assumptions { least: situation.cold_start.least(), ..Assumptions::of(cluster) };
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
                start: outcome.start,
                applied: outcome.applied,
                ready: outcome.ready,
                attempts: outcome.attempts,
                timed_out: outcome.timed_out.clone(),
            })
            .collect();
        nodes.sort_by_key(|node| (node.ready.is_none(), node.ready, node.node.to_string()));
        ClusterCommit {
            cluster: cluster.root.clone(),
            profile: situation.durations.profile().name(),
            source: wanted.to_string(),
            total: run.total,
            nodes,
        }
    };
    sources.into_iter().map(of_source).collect()
}
