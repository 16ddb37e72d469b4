//! Two revisions of a repository side by side: which findings are new, what became of the graph and of the minutes.
//!
//! What comes out is plain data: names, values and places as text, so that a report needs neither revision. Clusters are
//! paired by their roots, objects by kind, namespace and name, findings by what they are recognized by.

mod diff;
mod drawing;
mod files;
mod known;
mod minutes;
mod reach;
mod shape;

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

pub use diff::{Diff, DiffCounts, Revised};
pub use drawing::Drawing;
pub use files::{How, Touched, touched};
pub use known::{fixed, mark_known, matched};
pub use minutes::{Explained, Minutes, NodeMinutes};
pub use reach::{Reach, reach};
pub use shape::{EdgeChange, GateChange, NodeChange, ObjectChanges};

use crate::{
    finding::{Finding, Subject},
    situation::{Pair, Situation, pairs},
    source::Tree,
};
use shape::Shape;

/// What became of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ClusterChange {
    /// Root of the cluster; the former one, where it is gone.
    pub cluster: String,
    /// Its former root; `null` where that is the same.
    pub was: Option<String>,
    /// Whether it is new or gone; `null` where it is neither.
    pub change: Option<How>,
    /// Kustomizations and HelmReleases that are new, gone or changed.
    pub nodes: Vec<NodeChange>,
    /// What they declare about each other and about what they take from.
    pub edges: Vec<EdgeChange>,
    /// What waiting means to them.
    pub gates: Vec<GateChange>,
    /// The minutes of a cold start.
    pub cold_start: Minutes,
    /// The neighbourhood of all that.
    #[serde(skip)]
    pub drawing: Drawing,
}

impl ClusterChange {
    /// Whether nothing at all became of it.
    #[must_use]
    pub fn is_same(&self) -> bool {
        let is_bare = self.nodes.is_empty() && self.edges.is_empty() && self.gates.is_empty();
        is_bare && self.change.is_none() && self.was.is_none() && self.cold_start.nodes.is_empty()
    }
}

/// Whether something of the cluster of a root is reported.
pub type IsReported<'a> = &'a (dyn Fn(&str, &Subject) -> bool + Sync);

/// What became of each cluster that an entry point leads to, of what is reported of it. `new` are the findings that were not
/// there before.
#[must_use]
pub fn clusters<'a>(
    [before, after]: [&'a [Situation<'a>]; 2],
    trees: [&'a Tree; 2],
    new: &[Finding],
    is_reported: IsReported<'_>,
) -> Vec<ClusterChange> {
    pairs(before, after).into_iter().filter_map(|pair| of_pair(pair, trees, new, is_reported)).collect()
}

fn of_pair(pair: Pair<'_>, trees: [&Tree; 2], new: &[Finding], is_reported: IsReported<'_>) -> Option<ClusterChange> {
    let before = Shape::new(pair.before.map(|situation| situation.cluster), trees[0]);
    let after = Shape::new(pair.after.map(|situation| situation.cluster), trees[1]);
    let root = |situation: &Situation<'_>| situation.cluster.root.clone();
    let (old, now) = (pair.before.map(root), pair.after.map(root));
    let change = match (&old, &now) {
        (None, _) => Some(How::Added),
        (_, None) => Some(How::Removed),
        _ => None,
    };
    let is_reported = |subject: &Subject| [&old, &now].into_iter().flatten().any(|root| is_reported(root, subject));
    let (mut nodes, mut edges) = (shape::nodes(&before, &after), shape::edges(&before, &after));
    let (mut gates, mut cold_start) = (shape::gates(&before, &after), Minutes::new(pair, trees));
    nodes.retain(|change| is_reported(&change.node));
    edges.retain(|change| is_reported(&change.from) || is_reported(&change.to));
    gates.retain(|change| is_reported(&change.node));
    cold_start.nodes.retain(|minutes| is_reported(&minutes.node));
    let is_here = |finding: &&Finding| now.as_ref().is_some_and(|root| finding.clusters.contains(root));
    let failing: BTreeSet<Subject> = new
        .iter()
        .filter(is_here)
        .flat_map(|finding| finding.members.iter().chain([&finding.subject]).cloned())
        .collect();
    let gated: BTreeSet<Subject> = gates.iter().map(|gate| gate.node.clone()).collect();
    let drawing = drawing::draw([&before, &after], &nodes, &edges, &gated, &failing);
    Some(ClusterChange {
        was: old.clone().filter(|old| now.as_ref().is_some_and(|now| now != old)),
        cluster: now.or(old)?,
        change,
        cold_start,
        nodes,
        edges,
        gates,
        drawing,
    })
}
