//! What lies between two revisions: `fluxdag diff`.

use std::path::{Path, PathBuf};

use rustc_hash::FxHashSet;

use super::{
    FOUND,
    args::{Choices, Diff, DiffFormat, Global},
    environment::Environment,
    error::CliError,
    impact, print,
    question::{or_here, remark},
    revisions, say,
    settings::Settings,
};
use crate::{
    Options, State,
    change::{clusters, fixed, mark_known, touched},
    config::FailOn,
    finding::{Finding, Subject, SuppressionKind},
    report::{ClusterImpact, Diff as Report, Filter, Revised, printable},
    source::{FileId, GitError, SourceError, Tree},
};

/// What was chosen, apart from what is analysed.
struct Chosen<'a> {
    diff: &'a Diff,
    filter: Filter,
    fail_on: FailOn,
    base: Revised,
    head: Revised,
    profile: &'static str,
}

/// Compares, and says what came of it. The exit code tells whether there is something new to fail for.
pub(super) fn run(diff: &Diff, global: &Global, environment: &Environment) -> Result<u8, CliError> {
    let (base, head, merge_base, paths) = asked(diff)?;
    let choices = Choices {
        paths: paths.clone(),
        fail_on: diff.fail_on,
        scope: diff.scope.clone(),
        hardware: diff.hardware.clone(),
        configuration: diff.configuration.clone(),
        ..Choices::default()
    };
    let Settings { options, filter, fail_on, .. } = Settings::chosen(&choices, environment)?;
    let repository = revisions::repository(&paths)?;
    let name = if merge_base { format!("merge base of {base}") } else { base.to_owned() };
    let base = revisions::between(&repository, base, head.unwrap_or("HEAD"), merge_base)?;
    let head = head.map(|name| repository.revision(name)).transpose()?.map(std::sync::Arc::new);
    if head.is_none() && repository.is_bare() {
        return Err(GitError::NoWorkTree(repository.top().to_owned()).into());
    }
    let past = Options { revision: Some(base.clone()), ..options.clone() };
    let options = Options { revision: head.clone(), ..options };
    let head = head.map_or_else(
        || Revised { name: "the work tree".to_owned(), commit: None },
        |head| Revised { name: head.name().to_owned(), commit: Some(head.id()) },
    );
    let base = Revised { name, commit: Some(base.id()) };
    let chosen = Chosen { diff, filter, fail_on, base, head, profile: options.profile.name() };
    let tell = |before: State<'_>, after: State<'_>| told(before, after, &chosen, global, environment);
    let (told, _) = crate::compare([&paths, &paths], [&past, &options], tell)?;
    told
}

/// The two revisions, whether the merge base is meant, and the paths. As for `git diff`, `a..b` and `a...b` mean two
/// revisions, and what names no revision and is there is a path.
fn asked(diff: &Diff) -> Result<(&str, Option<&str>, bool, Vec<PathBuf>), CliError> {
    let mut paths: Vec<PathBuf> = diff.paths.iter().chain(&diff.more).cloned().collect();
    let mut head = diff.head.as_deref();
    if let Some(text) = head.filter(|text| Path::new(text).exists())
        && (diff.base.contains("..") || revisions::repository(&or_here(paths.clone()))?.revision(text).is_err())
    {
        paths.insert(0, PathBuf::from(text));
        head = None;
    }
    let range = |by: &str| diff.base.split_once(by).filter(|_| head.is_none());
    let (base, head, merge_base) = match (range("..."), range("..")) {
        (Some((base, head)), _) => (or_head(base), Some(or_head(head)), true),
        (None, Some((base, head))) => (or_head(base), Some(or_head(head)), diff.merge_base),
        (None, None) => (diff.base.as_str(), head, diff.merge_base),
    };
    Ok((base, head, merge_base, or_here(paths)))
}

const fn or_head(name: &str) -> &str {
    if name.is_empty() { "HEAD" } else { name }
}

fn told(
    before: State<'_>,
    mut after: State<'_>,
    chosen: &Chosen<'_>,
    global: &Global,
    environment: &Environment,
) -> Result<u8, CliError> {
    let trees = [before.survey.store.tree(), after.survey.store.tree()];
    warn(trees);
    let gone = fixed(&before.found.findings, &after.found.findings, trees);
    let mut gone: Vec<Finding> = gone.into_iter().cloned().collect();
    mark_known(&before.found.findings, &mut after.found.findings, trees, "");
    before.survey.narrow(&mut gone);
    after.survey.narrow(&mut after.found.findings);
    remark(after.survey, global);
    let is_known = |finding: &Finding| {
        finding.suppressed.as_ref().is_some_and(|suppressed| suppressed.kind == SuppressionKind::Known)
    };
    let (known, rest): (Vec<Finding>, Vec<Finding>) = after.found.findings.into_iter().partition(is_known);
    let (mut new, _) = chosen.filter.apply(rest.into_iter().filter(|finding| finding.suppressed.is_none()).collect());
    // What is worst comes first, also where not all of it fits.
    new.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let (gone, _) = chosen.filter.apply(gone);
    let (known, _) = chosen.filter.apply(known);
    let reached = |situations: &[crate::situation::Situation<'_>]| {
        situations.iter().filter(|situation| situation.cluster.reached).count()
    };
    let several = reached(before.situations).max(reached(after.situations)) > 1;
    let reported = [before.survey.reported(), after.survey.reported()];
    let is_reported = |root: &str, subject: &Subject| {
        let mut sides = reported.iter().filter_map(|side| side.get(root));
        sides.any(|subjects| subjects.as_ref().is_none_or(|subjects| subjects.contains(subject)))
    };
    let mut clusters = clusters([before.situations, after.situations], trees, &new, &is_reported);
    clusters.retain(|cluster| !cluster.is_same() && reported.iter().any(|side| side.contains_key(&*cluster.root)));
    let mut files = touched(trees);
    files.retain(|file| before.survey.focus.has_file(&file.path) || after.survey.focus.has_file(&file.path));
    let of = |tree: usize| -> FxHashSet<FileId> {
        files.iter().filter_map(|file| if tree == 0 { file.before } else { file.after }).collect()
    };
    let mut reach = impacts(after.survey, after.situations, &of(1));
    // What is gone can only be asked about where it was.
    let only: FxHashSet<FileId> =
        files.iter().filter(|file| file.after.is_none()).filter_map(|file| file.before).collect();
    for lost in impacts(before.survey, before.situations, &only) {
        match reach.iter_mut().find(|known| known.cluster == lost.cluster) {
            Some(known) => join(known, lost),
            None => reach.push(lost),
        }
    }
    let report = Report {
        base: chosen.base.clone(),
        head: chosen.head.clone(),
        trees,
        profile: chosen.profile,
        several,
        clusters,
        new: new.iter().collect(),
        fixed: gone.iter().collect(),
        known: known.len(),
        files,
        reach,
    };
    print(match chosen.diff.format {
        DiffFormat::Text => report.text(&environment.stdout(global.color)),
        DiffFormat::Json => report.json(),
        DiffFormat::Markdown => report.markdown(),
    })?;
    Ok(if new.iter().any(|finding| chosen.fail_on.covers(finding.severity)) { FOUND } else { 0 })
}

/// What could not be looked at.
fn warn(trees: [&Tree; 2]) {
    let mut said: Vec<String> = Vec::new();
    for error in trees.iter().flat_map(|tree| tree.unreadable()) {
        let what = match error {
            SourceError::Submodule { .. } => "a revision is read without it, so that a work tree has more",
            _ => "what lies there is not analysed",
        };
        let line = format!("warning: {}; {what}", printable(&error.to_string()));
        if !said.contains(&line) {
            say(&line);
            said.push(line);
        }
    }
}

fn impacts(
    survey: &crate::Survey,
    situations: &[crate::situation::Situation<'_>],
    files: &FxHashSet<FileId>,
) -> Vec<ClusterImpact> {
    let reached = situations.iter().filter(|situation| situation.cluster.reached);
    let built = reached.map(|situation| (situation, impact::built(survey, situation, files)));
    built
        .filter(|(_, built)| !built.is_empty())
        .map(|(situation, built)| impact::of_cluster(situation, &[], built))
        .collect()
}

/// Adds what a cluster was before to what it is.
fn join(known: &mut ClusterImpact, lost: ClusterImpact) {
    known.built.extend(
        lost.built
            .into_iter()
            .filter(|built| known.built.iter().all(|other| other.node != built.node))
            .collect::<Vec<_>>(),
    );
    let lists = [
        (&mut known.waits_each_commit, lost.waits_each_commit),
        (&mut known.starts_after, lost.starts_after),
        (&mut known.ready_after, lost.ready_after),
    ];
    for (known, lost) in lists {
        for subject in lost {
            if !known.contains(&subject) {
                known.push(subject);
            }
        }
    }
}
