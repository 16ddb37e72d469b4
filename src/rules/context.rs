use std::time::Duration;

use super::{Selection, Situation, names::nearest};
use crate::{
    cluster::{BrokenDocument, Cluster, NodeKey},
    finding::Suppression,
    source::{Pattern, Tree},
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

impl<'a> Context<'a> {
    /// The clusters that are there before the change and after it.
    pub(super) fn changed(&self) -> Vec<(&'a Situation<'a>, &'a Situation<'a>)> {
        let Some(before) = self.before else { return Vec::new() };
        crate::situation::pairs(before.situations, self.situations)
            .into_iter()
            .filter_map(|pair| pair.before.zip(pair.after))
            .collect()
    }
}
