//! Workflow commands of GitHub Actions: `::error file=…::message`, which become annotations.
//!
//! The runner reads them from standard output, unescapes them (actions/runner `Runner.Common/ActionCommand.cs`,
//! `TryParseV2`), and keeps at most ten of a level for each step. What comes out of a repository must not be read as a
//! command of its own, so everything is escaped.

use std::{
    cmp::Reverse,
    io::{self, Write},
};

use super::{Places, levels, story};
use crate::{
    finding::{Finding, Severity},
    report::{Report, count, printable},
};

/// How many annotations of one level GitHub shows for a step.
const MOST: usize = 10;

/// Where the runner cuts a message (`ExecutionContext`, `_maxIssueMessageLength`). Places give way to the help, which
/// comes last.
const LONGEST: usize = 4_096;

/// For the line that counts the places left out, and line ends.
const ROOM_FOR_COUNT: usize = 64;

/// The worst findings, and a notice that counts the rest.
pub(super) fn write(report: &Report<'_>, places: &Places<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut findings: Vec<&Finding> = report.findings.iter().collect();
    findings.sort_by_key(|finding| Reverse(finding.severity));
    let severities = [Severity::Error, Severity::Warning, Severity::Info];
    let of = |severity| findings.iter().filter(move |finding| finding.severity == severity);
    let is_cut = severities.into_iter().any(|severity| of(severity).count() > MOST);
    let mut left_out = Vec::new();
    for severity in severities {
        // The notice at the end is one of the ten.
        let most = if is_cut && severity == Severity::Info { MOST - 1 } else { MOST };
        of(severity).take(most).try_for_each(|finding| command(places, finding, out))?;
        let more = of(severity).count().saturating_sub(most);
        if more > 0 {
            left_out.push((more, severity));
        }
    }
    if left_out.is_empty() {
        return Ok(());
    }
    let total: usize = left_out.iter().map(|(number, _)| number).sum();
    let parts: Vec<String> =
        left_out.into_iter().map(|(number, severity)| count(number, &severity.to_string())).collect();
    let text = format!(
        "{} not annotated ({}): GitHub shows ten of a level for each step; the summary of the step, or another format, has \
         them all",
        count(total, "more finding"),
        parts.join(", ")
    );
    writeln!(out, "::notice title=fluxdag::{}", data(&text))
}

fn command(places: &Places<'_>, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let mut properties = Vec::new();
    if let Some(spot) = places.primary(finding) {
        properties.push(format!("file={}", property(&spot.path)));
        properties.push(format!("line={}", spot.start.line));
        properties.push(format!("endLine={}", spot.end.line.max(spot.start.line)));
        // Columns of a range over several lines are refused.
        if spot.end.line == spot.start.line {
            properties.push(format!("col={}", spot.start.column));
            properties.push(format!("endColumn={}", spot.end.column.max(spot.start.column)));
        }
    }
    properties.push(format!("title={}", property(&format!("fluxdag {}", finding.rule))));
    // The log shows the message alone.
    let first = format!("{}: {}: {}", story::place(places, finding), finding.rule, finding.message);
    let first = printable(&first);
    let notes = story::notes(finding).join("\n");
    let room = LONGEST.saturating_sub(first.len() + notes.len() + ROOM_FOR_COUNT);
    let mut text = first.into_owned();
    for line in story::others(places, finding, room).into_iter().chain((!notes.is_empty()).then_some(notes)) {
        text.push('\n');
        text.push_str(&line);
    }
    writeln!(out, "::{} {}::{}", levels(finding.severity).github, properties.join(","), data(&text))
}

/// `text` as the message of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// `text` as the value of a property.
fn property(text: &str) -> String {
    data(&printable(text)).replace(':', "%3A").replace(',', "%2C")
}
