//! The Diagnostic Format of reviewdog, `DiagnosticResult` in reviewdog/reviewdog `proto/rdf/reviewdog.proto`.
//!
//! Columns count bytes there, and ends are exclusive. There are no suggestions: no finding has a fix that a program could
//! apply.

use std::io::{self, Write};

use serde::Serialize;

use super::{Places, Spot, levels, write_json};
use crate::{
    finding::Finding,
    report::{Report, full},
};

#[derive(Serialize)]
struct DiagnosticResult<'a> {
    source: Source,
    diagnostics: Vec<Diagnostic<'a>>,
}

#[derive(Serialize)]
struct Source {
    name: &'static str,
}

#[derive(Serialize)]
struct Diagnostic<'a> {
    message: String,
    location: Location,
    severity: &'static str,
    code: Code<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<RelatedLocation>,
}

#[derive(Serialize)]
struct Code<'a> {
    value: &'a str,
}

#[derive(Serialize)]
struct RelatedLocation {
    message: String,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    range: Range,
}

#[derive(Serialize)]
struct Range {
    start: Position,
    end: Position,
}

#[derive(Serialize)]
struct Position {
    line: u32,
    column: u32,
}

/// One object.
pub(super) fn write(report: &Report<'_>, places: &Places<'_>, out: &mut dyn Write) -> io::Result<()> {
    let diagnostics = report.findings.iter().map(|finding| diagnostic(places, finding)).collect();
    write_json(&DiagnosticResult { source: Source { name: env!("CARGO_PKG_NAME") }, diagnostics }, out)
}

fn diagnostic<'a>(places: &Places<'_>, finding: &'a Finding) -> Diagnostic<'a> {
    let mut message = finding.message.clone();
    if places.primary(finding).is_none() {
        message += &format!("\n\n{}", full::placeless(finding));
    }
    for (name, text) in [("why", &finding.why), ("help", &finding.help)] {
        if !text.is_empty() {
            message += &format!("\n\n{name}: {text}");
        }
    }
    let related = finding.related.iter().filter_map(|related| {
        let spot = related.location.and_then(|span| places.spot(span))?;
        Some(RelatedLocation { message: full::described(related), location: location(spot) })
    });
    Diagnostic {
        message,
        location: location(places.primary_or_stand_in(finding)),
        severity: levels(finding.severity).rdjson,
        code: Code { value: finding.rule },
        related_locations: related.collect(),
    }
}

fn location(spot: Spot) -> Location {
    let position = |at: crate::source::Position| Position { line: at.line, column: at.byte_column };
    Location { path: spot.path, range: Range { start: position(spot.start), end: position(spot.end) } }
}
