//! What changes would do to a cold start.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use super::{ClusterOutcome, Document, Error, Model, Seconds, Sides};
use crate::{
    catalog::Range,
    cluster::{Cluster, Edit, NodeId, NodeKey, ObjectKey, chart_of},
    finding::Subject,
    graph::Actor,
    situation::Situation,
    source::Tree,
    timing::{Comparison, Disturbance, compare_sides, simulate},
};

/// A change in mind, with names as people write them.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Take `wait` and `healthChecks` off a Kustomization.
    UnsetWait(String),
    /// Drop an entry of `dependsOn`.
    DropDependency {
        /// Who depends.
        of: String,
        /// On what.
        on: String,
    },
    /// Add an entry to `dependsOn`.
    AddDependency {
        /// Who depends.
        of: String,
        /// On what.
        on: String,
    },
    /// Let another Kustomization apply an object.
    Move {
        /// The object.
        object: String,
        /// The Kustomization.
        to: String,
    },
    /// Give what takes longest in a Kustomization one of its own.
    Split(String),
    /// Give a Kustomization another timeout.
    Timeout {
        /// The Kustomization.
        node: String,
        /// A duration as Go writes it.
        timeout: String,
    },
    /// Let a chart take so many times as long.
    Slow {
        /// The chart, by name.
        chart: String,
        /// How many times.
        factor: f64,
    },
    /// Let a Kustomization never become Ready.
    Fail(String),
}

/// What changes would do to a cold start: `fluxdag what-if`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WhatIf {
    /// The hardware that times are for.
    pub profile: &'static str,
    /// The cluster that is changed.
    pub clusters: [ClusterWhatIf; 1],
    /// What there is to know about the question.
    #[serde(skip)]
    pub notes: Vec<String>,
}

/// Two cold starts of one cluster side by side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ClusterWhatIf {
    /// Root of the cluster.
    pub cluster: String,
    /// The changes, in words.
    pub changes: Vec<String>,
    /// When the last Kustomization is Ready that ever is, timeouts off; `null` where none is.
    pub total: Sides<Option<Range>>,
    /// How many Kustomizations become Ready, and what keeps the others from it.
    pub outcome: Sides<ClusterOutcome>,
    /// When the last is Ready that ever is, in the simulation.
    pub simulated_total_s: Sides<Seconds>,
    /// How many Kustomizations never become Ready in the simulation.
    pub simulated_never_ready: Sides<usize>,
    /// Every Kustomization, those that change most first.
    pub nodes: Vec<NodeWhatIf>,
}

/// When a Kustomization is Ready, as it is and as it would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NodeWhatIf {
    /// The Kustomization.
    pub node: Subject,
    /// Whether a change makes it.
    pub is_new: bool,
    /// When it is Ready; `null` where it never is, or is not there.
    pub ready: Sides<Option<Range>>,
}

impl Document for WhatIf {
    const COMMAND: &'static str = "what-if";

    fn notes(&self) -> &[String] {
        &self.notes
    }
}

impl NodeWhatIf {
    /// Whether it would be Ready at another typical time.
    #[must_use]
    pub fn is_change(&self) -> bool {
        let ready = self.ready.map(|times| times.map(|times| times.typical));
        ready.before != ready.after
    }

    /// Whether it would never be Ready any more.
    #[must_use]
    pub const fn is_lost(&self) -> bool {
        matches!(self.ready, Sides { before: Some(_), after: None })
    }
}

/// What changes would do, all of them together, to the cold start of the one cluster that they are about.
///
/// # Errors
/// Where a name is not that of one object of that cluster, and where there is nothing to change.
pub fn what_if(model: Model<'_>, changes: &[Change]) -> Result<WhatIf, Error> {
    let mut wishes = Wishes { model, cluster: None, edits: Vec::new(), disturbances: Vec::new(), notes: Vec::new() };
    for change in changes {
        wishes.add(change)?;
    }
    if changes.is_empty() {
        return Err(Error::NoChange);
    }
    let Wishes { cluster, edits, disturbances, notes, .. } = wishes;
    let reported: Vec<&Situation<'_>> = model.reported().map(|(_, situation)| situation).collect();
    let situation = match (cluster, reported.as_slice()) {
        (Some(index), _) => &model.situations[index],
        (None, [one]) => one,
        (None, all) => {
            return Err(Error::SeveralClusters(all.iter().map(|one| one.cluster.root.clone()).collect()));
        }
    };
    Ok(WhatIf {
        profile: model.profile,
        clusters: [of_cluster(situation, model.store.tree(), &edits, &disturbances)?],
        notes,
    })
}

fn of_cluster(
    situation: &Situation<'_>,
    tree: &Tree,
    edits: &[Edit],
    disturbances: &[Disturbance],
) -> Result<ClusterWhatIf, Error> {
    let cluster = situation.cluster;
    let after = cluster.edited(edits)?;
    let changed = situation.edited(&after, disturbances);
    let both = [situation, &changed];
    let simulated = Sides::from(both.map(|one| simulate(one.side(), &one.durations)));
    let outcome = Sides::from(both.map(|one| ClusterOutcome::of_cluster(one, tree)));
    let Comparison { total, changes } = compare_sides(both.map(Situation::side));
    let known: BTreeSet<&NodeKey> = cluster.nodes.iter().map(|node| &node.key).collect();
    let node = |change: crate::timing::Change| NodeWhatIf {
        node: change.node.subject("Kustomization"),
        is_new: !known.contains(&change.node),
        ready: Sides { before: change.before, after: change.after },
    };
    Ok(ClusterWhatIf {
        cluster: cluster.root.clone(),
        changes: edits.iter().map(Edit::to_string).chain(disturbances.iter().map(in_words)).collect(),
        total: total.into(),
        outcome,
        simulated_total_s: simulated.map(|run| Seconds(run.total)),
        simulated_never_ready: simulated.map(|run| run.never),
        nodes: changes.into_iter().map(node).collect(),
    })
}

fn in_words(disturbance: &Disturbance) -> String {
    match disturbance {
        Disturbance::Slow { chart, factor } => format!("the chart {chart} takes {factor} times as long"),
        Disturbance::Fail(node) => format!("{node} never becomes Ready"),
    }
}

/// What was asked for, in the one cluster that it is about.
struct Wishes<'a> {
    model: Model<'a>,
    cluster: Option<usize>,
    edits: Vec<Edit>,
    disturbances: Vec<Disturbance>,
    notes: Vec<String>,
}

impl<'a> Wishes<'a> {
    fn add(&mut self, change: &Change) -> Result<(), Error> {
        let edit = match change {
            Change::UnsetWait(node) => Edit::UnsetWait(self.node(node)?),
            Change::DropDependency { of, on } => Edit::DropDependency { of: self.node(of)?, on: self.node(on)? },
            Change::AddDependency { of, on } => Edit::AddDependency { of: self.node(of)?, on: self.node(on)? },
            Change::Move { object, to } => Edit::Move { object: self.object(object)?, to: self.node(to)? },
            Change::Split(node) => {
                let node = self.node(node)?;
                self.split(&node)?
            }
            Change::Timeout { node, timeout } => Edit::Timeout(self.node(node)?, timeout.clone()),
            Change::Slow { chart, factor } => {
                let slow = self.slow(chart, *factor)?;
                self.disturbances.push(slow);
                return Ok(());
            }
            Change::Fail(node) => {
                let node = self.node(node)?;
                self.disturbances.push(Disturbance::Fail(node));
                return Ok(());
            }
        };
        self.edits.push(edit);
        Ok(())
    }

    /// What `text` names, in the cluster that the others are of.
    fn named(&mut self, text: &str) -> Result<(&'a Cluster, Actor), Error> {
        let mut matches = self.model.find(text)?;
        if let Some(cluster) = self.cluster
            && matches.found.iter().any(|found| found.cluster == cluster)
        {
            matches.found.retain(|found| found.cluster == cluster);
        }
        let found = self.model.only(&matches)?;
        if self.cluster.is_some_and(|cluster| cluster != found.cluster) {
            return Err(Error::OtherCluster(text.to_owned()));
        }
        self.cluster = Some(found.cluster);
        self.notes.extend(matches.note.filter(|note| !self.notes.contains(note)));
        Ok((self.model.situations[found.cluster].cluster, found.actor))
    }

    fn node(&mut self, text: &str) -> Result<NodeKey, Error> {
        match self.named(text)? {
            (cluster, Actor::Node(id)) => Ok(cluster.node(id).key.clone()),
            (cluster, actor) => Err(Error::NoKustomization(actor.subject(cluster))),
        }
    }

    fn object(&mut self, text: &str) -> Result<ObjectKey, Error> {
        let (cluster, actor) = self.named(text)?;
        let wanted = actor.subject(cluster);
        let key = cluster.objects.keys().find(|key| key.subject() == wanted).cloned();
        key.ok_or(Error::NotApplied(wanted))
    }

    /// The HelmReleases of a Kustomization that take longest go to one of their own: those that take more than half as
    /// long as the longest, as long as others stay.
    fn split(&self, of: &NodeKey) -> Result<Edit, Error> {
        let situation = &self.model.situations[self.cluster.unwrap_or_default()];
        let cluster = situation.cluster;
        let id = cluster.find(of).unwrap_or(NodeId(0));
        let mut releases: Vec<(std::time::Duration, ObjectKey)> = cluster
            .applied_by(id)
            .filter(ObjectKey::is_helm_release)
            .filter_map(|key| {
                let index = cluster.release(&NodeKey::new(key.namespace.clone(), key.name.clone()))?;
                Some((situation.durations.release(index).range.typical, key))
            })
            .collect();
        releases.sort();
        let longest = releases.last().map(|(longest, _)| *longest).unwrap_or_default();
        let heavy: Vec<ObjectKey> =
            releases.iter().filter(|(typical, _)| *typical * 2 > longest).map(|(_, key)| key.clone()).collect();
        if releases.len() < 2 || heavy.len() == releases.len() {
            return Err(Error::NothingHeavy(of.clone()));
        }
        Ok(Edit::Split { of: of.clone(), objects: heavy, name: format!("{}-heavy", of.name).into() })
    }

    fn slow(&self, chart: &str, factor: f64) -> Result<Disturbance, Error> {
        let clusters = self.model.situations.iter().map(|situation| situation.cluster);
        let mut charts = clusters
            .flat_map(|cluster| cluster.releases.iter().filter_map(|release| Some(chart_of(cluster, release)?.name)));
        if charts.any(|name| name.eq_ignore_ascii_case(chart)) {
            return Ok(Disturbance::Slow { chart: chart.to_owned(), factor });
        }
        Err(Error::NoChart(chart.to_owned()))
    }
}
