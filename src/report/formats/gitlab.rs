//! The Code Quality report of GitLab: <https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>.

use std::{
    collections::BTreeSet,
    io::{self, Write},
};

use serde::Serialize;

use super::{Places, levels, write_json};
use crate::{finding::Finding, report::Report};

#[derive(Serialize)]
struct Item<'a> {
    description: String,
    check_name: &'a str,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
}

/// A list, empty where nothing was found.
pub(super) fn write(report: &Report<'_>, places: &Places<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut known = BTreeSet::new();
    let items: Vec<Item<'_>> = report.findings.iter().map(|finding| item(places, finding, &mut known)).collect();
    write_json(&items, out)
}

fn item<'a>(places: &Places<'_>, finding: &'a Finding, known: &mut BTreeSet<String>) -> Item<'a> {
    let spot = places.primary_or_stand_in(finding);
    Item {
        // The widget shows nothing else.
        description: format!("{}: {}", finding.rule, finding.message),
        check_name: finding.rule,
        fingerprint: unique(&finding.fingerprint, known),
        severity: levels(finding.severity).gitlab,
        location: Location { path: spot.path, lines: Lines { begin: spot.start.line } },
    }
}

/// `fingerprint`, with a number behind it where it is taken. GitLab drops the second of two.
fn unique(fingerprint: &str, known: &mut BTreeSet<String>) -> String {
    let mut candidate = fingerprint.to_owned();
    let mut number = 1;
    while !known.insert(candidate.clone()) {
        number += 1;
        candidate = format!("{fingerprint}-{number}");
    }
    candidate
}
