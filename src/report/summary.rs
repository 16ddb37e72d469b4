use super::{Hidden, Report, count};
use crate::finding::{Finding, Severity, SuppressionKind};

/// The one line that ends a run: what was found, in how much, what is not known, and what is not shown.
#[must_use]
pub fn summary(report: &Report<'_>) -> String {
    let found = found(report);
    let is_empty = report.findings.is_empty() && report.suppressed.is_empty() && report.hidden.total() == 0;
    if report.clusters.is_empty() && is_empty {
        return format!("{found}: there are no Flux objects here");
    }
    let nodes = report.clusters.iter().map(|cluster| cluster.nodes).sum();
    let scope = format!("{}, {}", count(report.clusters.len(), "cluster"), count(nodes, "node"));
    let notes: Vec<String> =
        [unresolved(report), known(report), suppressed(report), hidden(report.hidden)].into_iter().flatten().collect();
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

fn of_kind(report: &Report<'_>, kind: SuppressionKind) -> usize {
    let is_of = |finding: &&Finding| finding.suppressed.as_ref().is_some_and(|suppressed| suppressed.kind == kind);
    report.suppressed.iter().filter(is_of).count()
}

fn known(report: &Report<'_>) -> Option<String> {
    let known = of_kind(report, SuppressionKind::Known);
    (known > 0).then(|| format!("{known} known before and hidden"))
}

fn suppressed(report: &Report<'_>) -> Option<String> {
    let suppressed = report.suppressed.len() - of_kind(report, SuppressionKind::Known);
    (suppressed > 0).then(|| format!("{suppressed} suppressed"))
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
