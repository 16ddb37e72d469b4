//! What the files reach that two revisions do not have in common.

use rustc_hash::FxHashSet;
use schemars::JsonSchema;
use serde::Serialize;

use super::Touched;
use crate::{
    finding::Subject,
    query::{self, Built, ClusterImpact, Model},
    source::FileId,
};

/// What touched files reach in one cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Reach {
    /// Root of the cluster.
    pub cluster: String,
    /// What is built from the files.
    pub built: Vec<Built>,
    /// Kustomizations that wait at each commit until all of these are Ready at the new revision.
    pub waits_each_commit: Vec<Subject>,
    /// What starts only behind them in a cold start, and never where they fail.
    pub starts_after: Vec<Subject>,
    /// What else is Ready only behind them, and never where they fail.
    pub ready_after: Vec<Subject>,
}

/// What touched files reach in the clusters that entry points lead to.
#[must_use]
pub fn reach([before, after]: [Model<'_>; 2], files: &[Touched]) -> Vec<Reach> {
    let now: FxHashSet<FileId> = files.iter().filter_map(|file| file.after).collect();
    let mut reach = of_files(after, &now);
    // What is gone can only be asked about where it was.
    let gone = files.iter().filter(|file| file.after.is_none()).filter_map(|file| file.before).collect();
    for lost in of_files(before, &gone) {
        match reach.iter_mut().find(|known| known.cluster == lost.cluster) {
            Some(known) => known.join(lost),
            None => reach.push(lost),
        }
    }
    reach
}

fn of_files(model: Model<'_>, files: &FxHashSet<FileId>) -> Vec<Reach> {
    let reached = model.situations.iter().filter(|situation| situation.cluster.reached);
    let built = reached.map(|situation| (situation, query::built(situation, files)));
    let built = built.filter(|(_, built)| !built.is_empty());
    built.map(|(situation, built)| query::of_cluster(situation, &[], built).into()).collect()
}

impl Reach {
    /// Adds what a cluster was before to what it is.
    fn join(&mut self, lost: Self) {
        for built in lost.built {
            if self.built.iter().all(|other| other.node != built.node) {
                self.built.push(built);
            }
        }
        let lists = [
            (&mut self.waits_each_commit, lost.waits_each_commit),
            (&mut self.starts_after, lost.starts_after),
            (&mut self.ready_after, lost.ready_after),
        ];
        for (known, lost) in lists {
            for subject in lost {
                if !known.contains(&subject) {
                    known.push(subject);
                }
            }
        }
    }
}

impl From<ClusterImpact> for Reach {
    fn from(impact: ClusterImpact) -> Self {
        Self {
            cluster: impact.cluster,
            built: impact.built,
            waits_each_commit: impact.waits_each_commit,
            starts_after: impact.starts_after,
            ready_after: impact.ready_after,
        }
    }
}
