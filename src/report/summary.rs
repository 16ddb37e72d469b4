use super::{Hidden, Importance, Report, count, printable};
use crate::finding::{Finding, Severity, SuppressionKind};

/// What ends a run: one line with what was found, in how much, what is not known, and what is not shown; behind it what was
/// not looked at and what was assumed. Where more was not looked at than was, that comes first.
#[must_use]
pub fn summary(report: &Report<'_>) -> String {
    let is_first = |number: &usize| report.unseen[*number].importance == Importance::First;
    let (first, last): (Vec<usize>, Vec<usize>) = (0..report.unseen.len()).partition(is_first);
    let text = |number: usize| printable(&report.unseen[number].text).into_owned();
    let lines: Vec<String> =
        first.into_iter().map(text).chain([line(report)]).chain(last.into_iter().map(text)).collect();
    lines.join("\n")
}

fn line(report: &Report<'_>) -> String {
    let found = found(report);
    let is_empty = report.findings.is_empty() && report.suppressed.is_empty() && report.hidden.total() == 0;
    if report.clusters.is_empty() && is_empty {
        // That nothing was found says something only of what was looked at.
        return match report.remark {
            Some(remark) => format!("no cluster was looked at: {}", printable(remark)),
            None => format!("{found}: there are no Flux objects here"),
        };
    }
    let nodes = report.clusters.iter().map(|cluster| cluster.nodes).sum();
    let scope = format!("{}, {}", count(report.clusters.len(), "cluster"), count(nodes, "node"));
    let is_partial = report.findings.is_empty() && report.unseen.iter().any(|it| it.importance != Importance::Note);
    let scope = if is_partial { format!("what was looked at: {scope}") } else { scope };
    let remark = report.remark.map(|remark| printable(remark).into_owned());
    let notes = [remark, unresolved(report), suppressed(report), known(report), hidden(report.hidden)];
    let notes: Vec<String> = notes.into_iter().flatten().collect();
    if notes.is_empty() { format!("{found} in {scope}") } else { format!("{found} in {scope} ({})", notes.join("; ")) }
}

fn found(report: &Report<'_>) -> String {
    let of = |severity| report.findings.iter().filter(|finding| finding.severity == severity).count();
    let levels = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Info, "info")];
    let found: Vec<String> = levels
        .into_iter()
        .map(|(severity, name)| (of(severity), name))
        .filter(|(number, _)| *number > 0)
        .map(|(number, name)| count(number, name))
        .collect();
    if found.is_empty() { "no problems found".to_owned() } else { format!("found {}", found.join(", ")) }
}

fn unresolved(report: &Report<'_>) -> Option<String> {
    let unresolved: usize = report.clusters.iter().map(|cluster| cluster.unresolved).sum();
    (unresolved > 0).then(|| format!("{unresolved} partly resolved"))
}

fn suppressed(report: &Report<'_>) -> Option<String> {
    let suppressed = report.suppressed.iter().filter(|finding| !is_known(finding)).count();
    (suppressed > 0).then(|| format!("{suppressed} suppressed"))
}

fn known(report: &Report<'_>) -> Option<String> {
    let of = |kind| report.suppressed.iter().filter(|finding| is_of(finding, kind)).count();
    let known =
        [(SuppressionKind::Baseline, "known from the baseline"), (SuppressionKind::Known, "known before and hidden")];
    let known = known.map(|(kind, how)| (of(kind), how)).into_iter().filter(|(number, _)| *number > 0);
    let reported: Vec<String> = known.map(|(number, how)| format!("{number} {how}")).collect();
    (!reported.is_empty()).then(|| reported.join("; "))
}

fn is_of(finding: &Finding, kind: SuppressionKind) -> bool {
    finding.suppressed.as_ref().is_some_and(|suppressed| suppressed.kind == kind)
}

/// Whether it was there already: in the baseline, or in the revision that this one is compared with.
pub(super) fn is_known(finding: &Finding) -> bool {
    is_of(finding, SuppressionKind::Baseline) || is_of(finding, SuppressionKind::Known)
}

fn hidden(hidden: Hidden) -> Option<String> {
    let flags = match (hidden.by_severity > 0, hidden.by_confidence > 0) {
        (false, false) => return None,
        (true, false) => "--min-severity",
        (false, true) => "--min-confidence",
        (true, true) => "--min-severity and --min-confidence",
    };
    Some(format!("{} hidden, see {flags}", count(hidden.total(), "finding")))
}
