use std::io::{self, Write};

use schemars::{JsonSchema, generate::SchemaSettings};
use serde::Serialize;

use super::{Report, formats, text::is_unprintable};
use crate::{
    finding::{Confidence, Finding, Location, Related, Severity, Subject, Suppressed, SuppressionKind},
    source::{Span, Tree},
};

/// Raised when a field changes its meaning or goes away. Added fields do not raise it.
pub(super) const SCHEMA_VERSION: u32 = 1;

/// The findings of one run of `fluxdag lint`.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Report")]
struct Document<'a> {
    /// Raised when a field changes its meaning or goes away. Added fields do not raise it.
    #[schemars(extend("const" = SCHEMA_VERSION))]
    schema_version: u32,
    /// The program.
    tool: Tool,
    /// How much was found, and in how much.
    summary: Summary,
    /// The folder that all paths are relative to, seen from the root of the Git repository; `.` for that itself, and where
    /// there is no repository.
    artifact_root: String,
    /// The hardware that minutes in messages are for.
    profile: &'a str,
    /// The clusters, sorted by root.
    clusters: Vec<ClusterJson<'a>>,
    /// The findings that are shown or suppressed, sorted by path and place.
    findings: Vec<FindingJson<'a>>,
}

/// The program that wrote the report.
#[derive(Serialize, JsonSchema)]
pub(super) struct Tool {
    /// Its name, `fluxdag`.
    name: &'static str,
    /// Its version.
    version: &'static str,
}

/// Numbers over the whole run.
#[derive(Serialize, JsonSchema)]
struct Summary {
    /// Findings of severity `error` that are not suppressed.
    errors: usize,
    /// Findings of severity `warning` that are not suppressed.
    warnings: usize,
    /// Findings of severity `info` that are not suppressed.
    infos: usize,
    /// Findings below the least severity or confidence: they are not in `findings`.
    hidden: usize,
    /// Suppressed findings.
    suppressed: usize,
    /// Files that were listed.
    files: usize,
    /// Clusters.
    clusters: usize,
    /// Kustomizations and HelmReleases of all clusters.
    nodes: usize,
    /// Nodes that are known in part only.
    unresolved: usize,
}

/// A cluster.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Cluster")]
struct ClusterJson<'a> {
    /// The folder that its root Kustomization applies.
    root: &'a str,
    /// How many Kustomizations and HelmReleases it has.
    nodes: usize,
    /// How many of them are known in part only.
    unresolved: usize,
    /// The version of Flux that it runs, where the repository says so.
    flux_version: Option<&'a str>,
    /// What is not known of it.
    unresolved_details: Vec<UnresolvedJson<'a>>,
}

/// Something that only the cluster, another repository or a key could tell.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Unresolved")]
struct UnresolvedJson<'a> {
    /// What: an object, a field, a path.
    what: &'a str,
    /// Why it is not known.
    why: &'a str,
    /// Where it is asked for; `null` where no file holds that.
    location: Option<Place>,
}

/// A finding.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Finding")]
struct FindingJson<'a> {
    /// Id of the rule.
    rule: &'a str,
    /// By what the next run knows it again: it depends on the rule, the objects and the folder, not on lines or words.
    fingerprint: &'a str,
    /// What breaks.
    severity: Severity,
    /// How sure the rule is.
    confidence: Confidence,
    /// What is wrong, on one line.
    message: &'a str,
    /// Roots of the clusters that it holds in; empty for what belongs to no cluster.
    clusters: &'a [String],
    /// The object that it is about.
    subject: SubjectJson<'a>,
    /// The place to look at first; `null` where no file holds it.
    location: Option<Place>,
    /// Why there is no place.
    location_reason: Option<&'a str>,
    /// What the place has to do with it.
    label: &'a str,
    /// Other places, in reading order.
    related: Vec<RelatedJson<'a>>,
    /// What the controllers will do, and what the user will see.
    why: &'a str,
    /// What to do.
    help: &'a str,
    /// What keeps it from being shown; `null` where nothing does.
    suppressed: Option<SuppressedJson<'a>>,
}

/// What silences a finding.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Suppressed")]
struct SuppressedJson<'a> {
    /// Of what kind it is.
    kind: SuppressionKind,
    /// Why, in the words of whoever did it.
    reason: Option<&'a str>,
}

/// An object.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Subject")]
struct SubjectJson<'a> {
    /// Its kind; `File` for a file that could not be read.
    kind: &'a str,
    /// Its namespace, where it has one.
    namespace: Option<&'a str>,
    /// Its name; the path of a file.
    name: &'a str,
}

/// Another place that belongs to a finding.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Related")]
struct RelatedJson<'a> {
    /// What it has to do with the finding.
    message: &'a str,
    /// The object there.
    subject: Option<SubjectJson<'a>>,
    /// The place; `null` where no file holds it.
    location: Option<Place>,
}

/// A place in a file. Lines and columns are 1-based, columns count characters, and the end is the place behind the last
/// character.
#[derive(Serialize, JsonSchema)]
pub(super) struct Place {
    /// The file, relative to `artifact_root`.
    path: String,
    /// The line where it starts.
    line: u32,
    /// The column where it starts.
    column: u32,
    /// The line where it ends; absent where it is a point.
    #[serde(skip_serializing_if = "Option::is_none")]
    end_line: Option<u32>,
    /// The column where it ends; absent where it is a point.
    #[serde(skip_serializing_if = "Option::is_none")]
    end_column: Option<u32>,
}

/// The JSON Schema of what the format `json` writes, as text: `schema/report.schema.json`.
#[must_use]
pub fn schema() -> String {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let schema = settings.into_generator().into_root_schema_for::<Document<'_>>();
    format!("{:#}\n", schema.as_value())
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
    Document {
        schema_version: SCHEMA_VERSION,
        tool: Tool::THIS,
        summary: Summary {
            errors: of(Severity::Error),
            warnings: of(Severity::Warning),
            infos: of(Severity::Info),
            hidden: report.hidden.total(),
            suppressed: report.suppressed.len(),
            files: report.tree.len(),
            clusters: report.clusters.len(),
            nodes: report.clusters.iter().map(|cluster| cluster.nodes).sum(),
            unresolved: report.clusters.iter().map(|cluster| cluster.unresolved).sum(),
        },
        profile: report.profile,
        artifact_root: formats::artifact_root(report),
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
