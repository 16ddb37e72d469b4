use std::time::Duration;

use super::{Selection, names::nearest};
use crate::{
    cluster::{BrokenDocument, Cluster, NodeKey},
    finding::{Confidence, Finding, RuleInfo, Severity, Subject, Suppression},
    graph::{EventGraph, Loop},
    source::{Pattern, Span, Tree},
    timing::{ColdStart, Durations, Override, Profile},
    yaml::Store,
};

/// Everything a rule may look at.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// What the files hold, parsed.
    pub store: &'a Store,
    /// The files, for paths and lines in messages.
    pub tree: &'a Tree,
    /// The clusters, and the groups that nothing reaches.
    pub situations: &'a [Situation<'a>],
    /// Documents that do not parse, in files that were looked at.
    pub broken: &'a [BrokenDocument],
    /// Comments that silence findings, in the order of their places.
    pub suppressions: &'a [Suppression],
    /// Budget for the critical path, where the user set one.
    pub max_path: Option<Duration>,
    /// Whether what is said to those who want to hear everything is said.
    pub pedantic: bool,
    /// Budgets of single Kustomizations.
    pub budgets: &'a [Budget],
    /// Which rules run.
    pub selection: &'a Selection,
    /// The same of the revision that this one is compared with, where there is one: for rules on the step between them.
    pub before: Option<&'a Self>,
}

/// How long it may take until a Kustomization is Ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// Which ones: `namespace/name`, or the name alone.
    pub node: Pattern,
    /// In which cluster, named as for `--cluster`; in each where not set.
    pub cluster: Option<String>,
    /// How long, from the first reconciliation.
    pub max_path: Duration,
}

impl Budget {
    /// Whether it is for `node` of `cluster`.
    #[must_use]
    pub fn is_for(&self, cluster: &Cluster, node: &NodeKey) -> bool {
        let is_named = if self.node.text().contains('/') {
            self.node.matches(&node.to_string())
        } else {
            self.node.matches(&node.name)
        };
        is_named && self.cluster.as_ref().is_none_or(|wanted| cluster.is_named(wanted))
    }

    /// Those of `budgets` that are for nothing in `clusters`, in words.
    #[must_use]
    pub fn unmatched(budgets: &[Self], clusters: &[Cluster]) -> Vec<String> {
        let known = || {
            let reached = clusters.iter().filter(|cluster| cluster.reached);
            reached.flat_map(|cluster| cluster.nodes.iter().map(move |node| (cluster, &node.key)))
        };
        let lost = budgets.iter().filter(|budget| !known().any(|(cluster, key)| budget.is_for(cluster, key)));
        lost.map(|budget| {
            let name = budget.node.text().rsplit('/').next().unwrap_or_default();
            let near = nearest(name, known().map(|(_, key)| key.name.as_str()));
            let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            format!(
                "`budgets` of the configuration sets one for node `{}`, which is not in what was analysed{near}",
                budget.node
            )
        })
        .collect()
    }
}

/// A cluster before a change and after it.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'a> {
    /// As it was; `None` where it is new.
    pub before: Option<&'a Situation<'a>>,
    /// As it is; `None` where it is gone.
    pub after: Option<&'a Situation<'a>>,
}

impl<'a> Context<'a> {
    /// The clusters that are there before the change and after it.
    pub(super) fn changed(&self) -> Vec<(&'a Situation<'a>, &'a Situation<'a>)> {
        let Some(before) = self.before else { return Vec::new() };
        pairs(before.situations, self.situations).into_iter().filter_map(|pair| pair.before.zip(pair.after)).collect()
    }
}

/// The clusters that entry points lead to, before a change and after it: those of one root belong together, and of the
/// others those that share the most Kustomizations, where that is half of them: a folder can be renamed.
#[must_use]
pub fn pairs<'a>(before: &'a [Situation<'a>], after: &'a [Situation<'a>]) -> Vec<Pair<'a>> {
    let reached = |situations: &'a [Situation<'a>]| situations.iter().filter(|one| one.cluster.reached);
    let mut left: Vec<&Situation<'_>> = reached(before).collect();
    let mut pairs: Vec<Pair<'a>> = reached(after)
        .map(|after| {
            let same = left.iter().position(|before| before.cluster.root == after.cluster.root);
            Pair { before: same.map(|index| left.remove(index)), after: Some(after) }
        })
        .collect();
    for pair in pairs.iter_mut().filter(|pair| pair.before.is_none()) {
        let Some(after) = pair.after else { continue };
        let shared = |before: &Situation<'_>| {
            before.cluster.nodes.iter().filter(|node| after.cluster.find(&node.key).is_some()).count()
        };
        let most = after.cluster.nodes.len();
        let best = (0..left.len()).map(|index| (shared(left[index]), std::cmp::Reverse(index))).max();
        if let Some((_, std::cmp::Reverse(index))) = best.filter(|(shared, _)| shared * 2 >= most && *shared > 1) {
            pair.before = Some(left.remove(index));
        }
    }
    pairs.extend(left.into_iter().map(|before| Pair { before: Some(before), after: None }));
    pairs
}

/// A cluster, and what was computed of it.
#[derive(Debug)]
pub struct Situation<'a> {
    /// The cluster.
    pub cluster: &'a Cluster,
    /// What waits for what.
    pub graph: EventGraph,
    /// What can never happen.
    pub deadlocks: Vec<Loop>,
    /// How long things take.
    pub durations: Durations,
    /// When things happen.
    pub cold_start: ColdStart,
}

impl<'a> Situation<'a> {
    /// Draws the graph of `cluster` and solves it, with the durations of `profile` and those that the user set.
    #[must_use]
    pub fn of(cluster: &'a Cluster, profile: Profile, overrides: &[Override]) -> Self {
        let graph = EventGraph::of(cluster);
        let deadlocks = graph.deadlocks();
        let durations = Durations::of(cluster, profile, overrides);
        let cold_start = ColdStart::of(&graph, &durations);
        Self { cluster, graph, deadlocks, durations, cold_start }
    }

    /// A finding of `rule` about `subject` in this cluster, to be completed.
    #[must_use]
    pub fn finding(&self, rule: &RuleInfo, subject: Subject, at: Span, message: String) -> Finding {
        let clusters = if self.cluster.reached { vec![self.cluster.root.clone()] } else { Vec::new() };
        Finding { clusters, ..Finding::new(rule, subject, at, message) }
    }

    /// Adds what holds for findings in files that no entry point reaches: they say so, and those that rest on what is
    /// around the file are advice only, and a guess: where it would be applied, nobody knows.
    #[must_use]
    pub fn weighed(&self, mut finding: Finding, lies_inside: bool) -> Finding {
        if !self.cluster.reached {
            if !lies_inside {
                (finding.severity, finding.confidence) = (Severity::Info, Confidence::Low);
            }
            finding.why.push_str(" No entry point of this repository reaches the file, so nothing applies it today.");
        }
        finding
    }
}
