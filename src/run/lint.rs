use std::{collections::BTreeSet, path::PathBuf};

use super::{Error, Found, Options, Session, Survey, survey};
use crate::{
    cluster::{Cluster, Node, Unseen, Weight},
    finding::{Finding, Subject},
    report::{self, ClusterSummary, Importance},
    rules::{self, Budget},
    situation::Masking,
    source::{SourceError, Tree},
    timing,
    yaml::Parsed,
};

/// What an analysis yields.
#[derive(Debug)]
pub struct Analysis {
    /// The files.
    pub tree: Tree,
    /// The folder that every `spec.path` is relative to, as seen from the working directory where that is above it.
    pub artifact_root: String,
    /// The root of the Git repository around the files, where there is one.
    pub repository: Option<PathBuf>,
    /// The clusters, sorted by root.
    pub clusters: Vec<ClusterSummary>,
    /// Everything found, sorted. What a comment silences is part of it, and marked.
    pub findings: Vec<Finding>,
    /// What the options ask for and the repository does not have, in words.
    pub warnings: Vec<String>,
    /// What is to be known of what was looked at, see [`Survey::remark`].
    pub remark: Option<String>,
    /// What was not looked at, and what was assumed.
    pub unseen: Vec<report::Unseen>,
    /// Whether the whole repository was looked at.
    pub is_whole: bool,
    /// Ids of the rules that said all they ever say.
    pub complete: Vec<&'static str>,
    /// What the run could not judge.
    pub masking: Masking,
    /// What all of it was computed from.
    pub rest: Rest,
}

/// What an analysis was computed from. To free it takes a twentieth of a run.
#[derive(Debug, Default)]
#[expect(dead_code, reason = "it is kept to be freed late, or never")]
pub struct Rest {
    clusters: Vec<Cluster>,
    parsed: Parsed,
}

impl Rest {
    /// Leaves it to the system, for a process that is about to end.
    pub fn leak(self) {
        std::mem::forget(self);
    }
}

impl Analysis {
    /// That of a repository without anything of Flux.
    #[must_use]
    pub fn nothing() -> Self {
        Self {
            tree: Tree::default(),
            artifact_root: String::new(),
            repository: None,
            clusters: Vec::new(),
            findings: Vec::new(),
            warnings: Vec::new(),
            remark: None,
            unseen: Vec::new(),
            is_whole: true,
            complete: Vec::new(),
            masking: Masking::default(),
            rest: Rest::default(),
        }
    }
}

impl Survey {
    /// Leaves what is reported of `findings`: those about the part of the repository that was asked about.
    pub fn narrow(&self, findings: &mut Vec<Finding>) {
        self.focus.retain(findings, self.store.tree(), &self.clusters);
    }

    pub(super) fn into_analysis(self, found: Found, options: &Options) -> Analysis {
        let Found { mut findings, masking, complete, used } = found;
        self.narrow(&mut findings);
        let remark = self.remark();
        let is_whole = self.scope.is_everything() && options.cluster.is_none();
        let mut warnings = timing::unmatched(&options.durations, &self.clusters);
        warnings.extend(Budget::unmatched(&options.budgets, &self.clusters));
        if is_whole {
            warnings.extend(rules::unused(&options.ignores, &used, &complete));
        }
        let clusters = self.clusters.iter().enumerate();
        let clusters = clusters.filter(|(index, cluster)| cluster.reached && self.focus.has_cluster(*index));
        let clusters = clusters.map(|(index, cluster)| summary(cluster, self.focus.subjects(index, cluster))).collect();
        let unseen = self.coverage.unseen().into_iter().map(unseen).collect();
        let (tree, parsed) = self.store.into_parts();
        Analysis {
            artifact_root: self.artifact_root,
            repository: self.repository,
            clusters,
            findings,
            warnings,
            is_whole,
            complete,
            masking,
            remark,
            unseen,
            tree,
            rest: Rest { clusters: self.clusters, parsed },
        }
    }
}

/// Analyses the repository around `paths`.
///
/// # Errors
/// Where the paths cannot be read, hold no Flux object, or do not fit the options.
pub fn lint(paths: &[PathBuf], options: &Options) -> Result<Analysis, Error> {
    let survey = survey(paths, options)?;
    let found = Session::new(&survey, options).findings(None);
    if let Some(error) = survey.store.tree().lacking() {
        return Err(SourceError::from(error).into());
    }
    Ok(survey.into_analysis(found, options))
}

fn unseen(unseen: Unseen) -> report::Unseen {
    let importance = match unseen.weight {
        Weight::Most => Importance::First,
        Weight::Mistake => Importance::Warning,
        Weight::Part => Importance::Part,
        Weight::Assumption => Importance::Note,
    };
    report::Unseen { text: unseen.text, importance }
}

/// What is to be said of a cluster, of which `reported` alone counts where that is set.
fn summary(cluster: &Cluster, reported: Option<BTreeSet<Subject>>) -> ClusterSummary {
    let is_reported = |node: &&Node| reported.as_ref().is_none_or(|reported| reported.contains(&node.subject()));
    let nodes = || cluster.nodes.iter().filter(is_reported);
    let unresolved = nodes().flat_map(|node| &node.unresolved);
    let details = unresolved.map(|part| report::Unresolved {
        what: part.what.clone(),
        why: part.why.clone(),
        location: part.span.is_some().then_some(part.span),
    });
    ClusterSummary {
        root: cluster.root.clone(),
        nodes: nodes().filter(|node| !node.is_generated).count(),
        unresolved: nodes().filter(|node| !node.unresolved.is_empty()).count(),
        flux_version: cluster.version.map(|version| version.to_string()),
        unresolved_details: details.collect(),
    }
}
