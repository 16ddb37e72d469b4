use std::path::PathBuf;

use super::{Error, Options, State, compare};
use crate::{
    change::{self, Diff, DiffCounts, Revised, fixed, mark_known, touched},
    finding::{Finding, Subject, SuppressionKind},
    query::ReportedFinding,
    report::Filter,
    source::{SourceError, Tree},
};

/// Compares two states of the repository around `paths`, each with options of its own. Findings that `filter` holds back are left
/// out.
///
/// # Errors
/// Where one of them cannot be read, and where neither holds anything of Flux.
pub fn diff(
    paths: &[PathBuf],
    [past, options]: [&Options; 2],
    [base, head]: [Revised; 2],
    filter: Filter,
) -> Result<Diff, Error> {
    let report = |before: State<'_>, after: State<'_>| between(before, after, [base, head], filter);
    compare([paths, paths], [past, options], report).map(|(diff, _)| diff)
}

fn between(before: State<'_>, mut after: State<'_>, [base, head]: [Revised; 2], filter: Filter) -> Diff {
    let (one, other) = (before.session, after.session);
    let trees = [one.tree(), other.tree()];
    let gone = fixed(&before.found.findings, &after.found.findings, trees, &after.found.masking);
    let mut gone: Vec<Finding> = gone.into_iter().cloned().collect();
    mark_known(&before.found.findings, &mut after.found.findings, trees, "");
    one.survey.narrow(&mut gone);
    other.survey.narrow(&mut after.found.findings);
    let is_known = |finding: &Finding| {
        finding.suppressed.as_ref().is_some_and(|suppressed| suppressed.kind == SuppressionKind::Known)
    };
    let (known, rest): (Vec<Finding>, Vec<Finding>) = after.found.findings.into_iter().partition(is_known);
    let (mut new, _) = filter.apply(rest.into_iter().filter(|finding| finding.suppressed.is_none()).collect());
    // What is worst comes first, also where not all of it fits.
    new.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let (gone, _) = filter.apply(gone);
    let (known, _) = filter.apply(known);
    let reported = [one, other].map(|session| session.survey.reported());
    let is_reported = |root: &str, subject: &Subject| {
        let mut sides = reported.iter().filter_map(|side| side.get(root));
        sides.any(|subjects| subjects.as_ref().is_none_or(|subjects| subjects.contains(subject)))
    };
    let mut clusters = change::clusters([&one.situations, &other.situations], trees, &new, &is_reported);
    clusters.retain(|cluster| !cluster.is_same() && reported.iter().any(|side| side.contains_key(&*cluster.cluster)));
    let mut files = touched(trees);
    files.retain(|file| [one, other].iter().any(|session| session.survey.focus.has_file(&file.path)));
    let reached = [one, other].map(|session| session.survey.clusters.iter().filter(|one| one.reached).count());
    let reported = |findings: &[Finding], tree: &Tree| {
        findings.iter().map(|finding| ReportedFinding::new(finding, tree)).collect::<Vec<_>>()
    };
    Diff {
        base,
        head,
        profile: other.model().profile,
        summary: DiffCounts { new: new.len(), fixed: gone.len(), known: known.len(), files: files.len() },
        clusters,
        new_findings: reported(&new, trees[1]),
        fixed_findings: reported(&gone, trees[0]),
        reach: change::reach([one.model(), other.model()], &files),
        touched_files: files,
        several: reached.iter().any(|number| *number > 1),
        warnings: warnings(trees),
        remark: other.survey.remark(),
    }
}

/// What could not be looked at.
fn warnings(trees: [&Tree; 2]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for error in trees.iter().flat_map(|tree| tree.unreadable()) {
        let what = match error {
            SourceError::Submodule { .. } => "a revision is read without it, so that a work tree has more",
            _ => "what lies there is not analysed",
        };
        let line = format!("{error}; {what}");
        if !all.contains(&line) {
            all.push(line);
        }
    }
    all
}
