use std::{collections::BTreeSet, path::PathBuf};

use super::{Error, Options, State, Survey, survey};
use crate::{
    cluster::{self, Cluster, Node},
    finding::{self, Finding, Subject},
    report::{self, ClusterSummary},
    rules::{self, Budget, Context},
    situation::Situation,
    source::{SourceError, Tree},
    timing,
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
    /// Whether the whole repository was looked at.
    pub is_whole: bool,
    /// Ids of the rules that said all they ever say.
    pub heard: Vec<&'static str>,
}

/// What the rules found in one state of a repository.
#[derive(Debug)]
pub struct Found {
    /// Everything, sorted.
    pub findings: Vec<Finding>,
    /// Ids of the rules that said all they ever say.
    heard: Vec<&'static str>,
    /// Which entries of `ignores` silence something.
    used: Vec<bool>,
}

impl Survey {
    /// What the rules say, and where there is a state before this one, what they say of the step between them.
    pub(super) fn findings(
        &self,
        situations: &[Situation<'_>],
        options: &Options,
        before: Option<&State<'_>>,
    ) -> Found {
        let broken = cluster::broken_documents(&self.store);
        let mut suppressions = match options.no_ignore_comments {
            true => Vec::new(),
            false => cluster::suppressions(&self.store, &self.sight, options.require_reason),
        };
        suppressions.iter_mut().flat_map(|comment| &mut comment.rules).for_each(rules::rename);
        let context = Context {
            store: &self.store,
            tree: self.store.tree(),
            situations,
            broken: &broken,
            suppressions: &suppressions,
            max_path: options.max_path,
            pedantic: options.pedantic,
            budgets: &options.budgets,
            selection: &options.selection,
            before: None,
        };
        let before = before.map(|before| Context {
            store: &before.survey.store,
            tree: before.survey.store.tree(),
            situations: before.situations,
            broken: &[],
            suppressions: &[],
            ..context
        });
        let context = Context { before: before.as_ref(), ..context };
        let (mut findings, heard) = (rules::check(&context), rules::heard(&context));
        finding::fingerprint(&mut findings, self.store.tree(), &rules::first_id);
        let from = options.patterns_from.as_deref();
        let used = rules::leave_out(&mut findings, self.store.tree(), from, &options.exclude, &options.ignores);
        Found { findings, heard, used }
    }

    /// Leaves what is reported of `findings`: those about the part of the repository that was asked about.
    pub fn narrow(&self, findings: &mut Vec<Finding>) {
        self.focus.retain(findings, self.store.tree(), &self.clusters);
    }

    pub(super) fn into_analysis(self, found: Found, options: &Options) -> Analysis {
        let Found { mut findings, heard, used } = found;
        self.narrow(&mut findings);
        let remark = self.remark();
        let is_whole = self.scope.is_everything() && options.cluster.is_none();
        let mut warnings = timing::unmatched(&options.durations, &self.clusters);
        warnings.extend(Budget::unmatched(&options.budgets, &self.clusters));
        if is_whole {
            warnings.extend(rules::unused(&options.ignores, &used, &heard));
        }
        let clusters = self.clusters.iter().enumerate();
        let clusters = clusters.filter(|(index, cluster)| cluster.reached && self.focus.has_cluster(*index));
        let clusters = clusters.map(|(index, cluster)| summary(cluster, self.focus.subjects(index, cluster))).collect();
        Analysis {
            artifact_root: self.artifact_root,
            repository: self.repository,
            clusters,
            findings,
            warnings,
            is_whole,
            heard,
            remark,
            tree: self.store.into_tree(),
        }
    }
}

/// Analyses the repository around `paths`.
///
/// # Errors
/// Where the paths cannot be read, hold no Flux object, or do not fit the options.
pub fn lint(paths: &[PathBuf], options: &Options) -> Result<Analysis, Error> {
    let survey = survey(paths, options)?;
    let found = survey.findings(&survey.situations(options), options, None);
    if let Some(error) = survey.store.tree().lacking() {
        return Err(SourceError::from(error).into());
    }
    Ok(survey.into_analysis(found, options))
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
