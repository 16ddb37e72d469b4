use std::io::{self, Write};

use serde::Serialize;

use super::{Report, summary::is_known, text::is_unprintable};
use crate::{
    finding::{Confidence, Finding, Location, Related, Severity, Subject, Suppressed, SuppressionKind},
    source::{Span, Tree},
};

/// Raised when a field changes its meaning or goes away. Added fields do not raise it.
pub(super) const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    schema_version: u32,
    tool: Tool,
    summary: Summary,
    artifact_root: &'a str,
    profile: &'a str,
    clusters: Vec<ClusterJson<'a>>,
    findings: Vec<FindingJson<'a>>,
}

#[derive(Serialize)]
pub(super) struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Summary {
    errors: usize,
    warnings: usize,
    infos: usize,
    hidden: usize,
    suppressed: usize,
    known: usize,
    files: usize,
    clusters: usize,
    nodes: usize,
    unresolved: usize,
}

#[derive(Serialize)]
struct ClusterJson<'a> {
    root: &'a str,
    nodes: usize,
    unresolved: usize,
    flux_version: Option<&'a str>,
    unresolved_details: Vec<UnresolvedJson<'a>>,
}

#[derive(Serialize)]
struct UnresolvedJson<'a> {
    what: &'a str,
    why: &'a str,
    location: Option<Place>,
}

#[derive(Serialize)]
struct FindingJson<'a> {
    rule: &'a str,
    fingerprint: &'a str,
    severity: Severity,
    confidence: Confidence,
    message: &'a str,
    clusters: &'a [String],
    subject: SubjectJson<'a>,
    location: Option<Place>,
    location_reason: Option<&'a str>,
    label: &'a str,
    related: Vec<RelatedJson<'a>>,
    why: &'a str,
    help: &'a str,
    suppressed: Option<SuppressedJson<'a>>,
}

#[derive(Serialize)]
struct SuppressedJson<'a> {
    kind: SuppressionKind,
    reason: Option<&'a str>,
}

#[derive(Serialize)]
struct SubjectJson<'a> {
    kind: &'a str,
    namespace: Option<&'a str>,
    name: &'a str,
}

#[derive(Serialize)]
struct RelatedJson<'a> {
    message: &'a str,
    subject: Option<SubjectJson<'a>>,
    location: Option<Place>,
}

/// Lines and columns are 1-based, columns count characters, and the end is the place behind the last character.
#[derive(Serialize)]
pub(super) struct Place {
    path: String,
    line: u32,
    column: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_column: Option<u32>,
}

/// One JSON object. Text is as in the repository; what a terminal would obey is escaped the JSON way.
pub(super) fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", escaped(&serde_json::to_string_pretty(&document(report))?))
}

/// `json` with what a terminal would obey or hide escaped. Such characters stand only inside strings of JSON.
pub(super) fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for letter in json.chars() {
        if is_unprintable(letter) && letter != '\n' {
            out.extend(letter.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            out.push(letter);
        }
    }
    out
}

fn document<'a>(report: &'a Report<'a>) -> Document<'a> {
    let of = |severity| report.findings.iter().filter(|finding| finding.severity == severity).count();
    let known = report.suppressed.iter().filter(|finding| is_known(finding)).count();
    Document {
        schema_version: SCHEMA_VERSION,
        tool: Tool::THIS,
        summary: Summary {
            errors: of(Severity::Error),
            warnings: of(Severity::Warning),
            infos: of(Severity::Info),
            hidden: report.hidden.total(),
            suppressed: report.suppressed.len() - known,
            known,
            files: report.tree.len(),
            clusters: report.clusters.len(),
            nodes: report.clusters.iter().map(|cluster| cluster.nodes).sum(),
            unresolved: report.clusters.iter().map(|cluster| cluster.unresolved).sum(),
        },
        profile: report.profile,
        artifact_root: if report.artifact_root.is_empty() { "." } else { report.artifact_root },
        clusters: clusters(report),
        findings: all(report).into_iter().map(|found| finding(report, found)).collect(),
    }
}

/// What is shown and what is suppressed, both of them in their order, merged by place.
fn all<'a>(report: &Report<'a>) -> Vec<&'a Finding> {
    let place = |finding: &'a Finding| {
        let (path, start) = finding.location.span().map_or(("", 0), |span| (report.tree.path(span.file), span.start));
        (path, start, finding.rule, finding.message.as_str())
    };
    let mut suppressed = report.suppressed.iter().peekable();
    let mut all = Vec::with_capacity(report.findings.len() + report.suppressed.len());
    for finding in report.findings {
        while let Some(earlier) = suppressed.next_if(|other| place(other) < place(finding)) {
            all.push(earlier);
        }
        all.push(finding);
    }
    all.extend(suppressed);
    all
}

fn suppressed(suppressed: &Suppressed) -> SuppressedJson<'_> {
    SuppressedJson { kind: suppressed.kind, reason: suppressed.reason.as_deref() }
}

fn clusters<'a>(report: &'a Report<'a>) -> Vec<ClusterJson<'a>> {
    let unresolved = |detail: &'a super::Unresolved| UnresolvedJson {
        what: &detail.what,
        why: &detail.why,
        location: detail.location.and_then(|span| place(report, span)),
    };
    report
        .clusters
        .iter()
        .map(|cluster| ClusterJson {
            root: &cluster.root,
            nodes: cluster.nodes,
            unresolved: cluster.unresolved,
            flux_version: cluster.flux_version.as_deref(),
            unresolved_details: cluster.unresolved_details.iter().map(unresolved).collect(),
        })
        .collect()
}

fn finding<'a>(report: &Report<'_>, finding: &'a Finding) -> FindingJson<'a> {
    let location = finding.location.span().and_then(|span| place(report, span));
    let nowhere = match &finding.location {
        Location::Nowhere(reason) => reason,
        Location::At(_) => "generated: written in no file",
    };
    FindingJson {
        rule: finding.rule,
        fingerprint: &finding.fingerprint,
        severity: finding.severity,
        confidence: finding.confidence,
        message: &finding.message,
        clusters: &finding.clusters,
        subject: subject(&finding.subject),
        location_reason: location.is_none().then_some(nowhere),
        location,
        label: &finding.label,
        related: finding.related.iter().map(|other| related(report, other)).collect(),
        why: &finding.why,
        help: &finding.help,
        suppressed: finding.suppressed.as_ref().map(suppressed),
    }
}

fn related<'a>(report: &Report<'_>, related: &'a Related) -> RelatedJson<'a> {
    RelatedJson {
        message: &related.message,
        subject: related.subject.as_ref().map(subject),
        location: related.location.and_then(|span| place(report, span)),
    }
}

fn subject(subject: &Subject) -> SubjectJson<'_> {
    SubjectJson { kind: &subject.kind, namespace: subject.namespace.as_deref(), name: &subject.name }
}

fn place(report: &Report<'_>, span: Span) -> Option<Place> {
    Place::of(report.tree, span)
}

impl Place {
    /// The place of `span`, where a file holds it.
    pub(super) fn of(tree: &Tree, span: Span) -> Option<Self> {
        if !span.is_some() {
            return None;
        }
        let start = tree.position(span);
        let end = (span.end > span.start).then(|| tree.position_at(span.file, span.end));
        Some(Self {
            path: tree.path(span.file).to_owned(),
            line: start.line,
            column: start.column,
            end_line: end.map(|end| end.line),
            end_column: end.map(|end| end.column),
        })
    }
}

impl Tool {
    /// This program.
    pub(super) const THIS: Self = Self { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") };
}
