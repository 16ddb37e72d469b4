//! SARIF 2.1.0 (OASIS), as far as GitHub's code scanning and editors read it.
//!
//! Limits are those of code scanning: results above [`MOST_RESULTS`] would make it refuse the file.

mod model;
mod rules;

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use self::model::{
    ArtifactLocation, BaseIds, CodeFlow, Described, Driver, Fingerprints, Invocation, Log, Message, Notification,
    PhysicalLocation, Place, Region, RelatedPlace, ResultOfRule, ResultProperties, Run, Step, Suppression, ThreadFlow,
    Tool,
};
use super::{Places, Spot, levels, write_json};
use crate::{
    finding::{Finding, Suppressed, SuppressionKind},
    report::{Importance, Report, count, full},
};

/// Results that code scanning takes in one run.
const MOST_RESULTS: usize = 25_000;

/// Places of one result that code scanning shows.
const MOST_PLACES: usize = 100;

/// Steps of one result that code scanning shows.
const MOST_STEPS: usize = 1_000;

/// What uris are relative to.
const BASE: &str = "%SRCROOT%";

/// One run of one tool.
pub(super) fn write(report: &Report<'_>, places: &Places<'_>, out: &mut dyn Write) -> io::Result<()> {
    write_json(&log(report, places), out)
}

fn log<'a>(report: &'a Report<'a>, places: &Places<'_>) -> Log<'a> {
    let indices: BTreeMap<&str, usize> =
        report.rules.iter().enumerate().map(|(index, rule)| (rule.id, index)).collect();
    let (findings, left_out) = kept(report, MOST_RESULTS);
    let results = findings.into_iter().map(|finding| result(places, finding, indices.get(finding.rule).copied()));
    let driver = Driver {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        semantic_version: env!("CARGO_PKG_VERSION"),
        rules: report.rules.iter().map(|rule| rules::descriptor(rule)).collect(),
    };
    let notes = (left_out > 0).then(|| Notification {
        level: "warning",
        message: Message::new(format!(
            "{} left out, the least severe ones: code scanning takes at most {MOST_RESULTS}",
            count(left_out, "result")
        )),
    });
    let unseen = report.unseen.iter().map(|unseen| Notification {
        level: match unseen.importance {
            Importance::First | Importance::Warning => "warning",
            Importance::Part | Importance::Note => "note",
        },
        message: Message::new(unseen.text.clone()),
    });
    let invocation = Invocation {
        execution_successful: true,
        tool_execution_notifications: notes.into_iter().chain(unseen).collect(),
    };
    let run = Run {
        tool: Tool { driver },
        invocations: [invocation],
        original_uri_base_ids: BaseIds { root: Described { description: Message::new("the root of the repository") } },
        column_kind: "utf16CodeUnits",
        results: results.collect(),
    };
    Log { schema: "https://json.schemastore.org/sarif-2.1.0.json", version: "2.1.0", runs: [run] }
}

/// What is shown and then what is suppressed, each in its order, and how many had to be left out: the least severe of what
/// comes last.
fn kept<'a>(report: &Report<'a>, most: usize) -> (Vec<&'a Finding>, usize) {
    let mut all: Vec<(usize, &Finding)> = report.findings.iter().chain(report.suppressed).enumerate().collect();
    let left_out = all.len().saturating_sub(most);
    if left_out > 0 {
        all.sort_by_key(|(index, finding)| (finding.suppressed.is_some(), std::cmp::Reverse(finding.severity), *index));
        all.truncate(most);
        all.sort_by_key(|(index, _)| *index);
    }
    (all.into_iter().map(|(_, finding)| finding).collect(), left_out)
}

fn result<'a>(places: &Places<'_>, finding: &'a Finding, rule_index: Option<usize>) -> ResultOfRule<'a> {
    let related: Vec<RelatedPlace> = related(places, finding);
    ResultOfRule {
        rule_id: finding.rule,
        rule_index,
        level: levels(finding.severity).sarif,
        message: Message::new(message(places, finding)),
        locations: [Place { physical_location: physical(&places.primary_or_stand_in(finding)), message: None }],
        related_locations: related,
        code_flows: code_flow(places, finding).into_iter().collect(),
        partial_fingerprints: Fingerprints { ours: &finding.fingerprint },
        suppressions: finding.suppressed.iter().map(suppression).collect(),
        properties: ResultProperties {
            confidence: finding.confidence,
            subject: finding.subject.to_string(),
            clusters: &finding.clusters,
        },
    }
}

fn suppression(suppressed: &Suppressed) -> Suppression<'_> {
    Suppression {
        kind: if suppressed.kind == SuppressionKind::Inline { "inSource" } else { "external" },
        justification: suppressed.reason.as_deref(),
    }
}

/// The message, the other places with links to them, the reason and the help.
fn message(places: &Places<'_>, finding: &Finding) -> String {
    let mut parts = vec![unlinked(&finding.message)];
    if places.primary(finding).is_none() {
        parts.push(unlinked(&full::placeless(finding)));
    }
    let mut id = 0;
    let mut lines = Vec::new();
    for related in finding.related.iter().take(MOST_PLACES) {
        let text = full::described(related);
        lines.push(match related.location.and_then(|span| places.spot(span)) {
            Some(_) => {
                id += 1;
                format!("- [{}]({id})", label(&text))
            }
            None => format!("- {}", unlinked(&text)),
        });
    }
    let left_out = finding.related.len().saturating_sub(MOST_PLACES);
    if left_out > 0 {
        lines.push(format!("- {} not listed", count(left_out, "more place")));
    }
    if !lines.is_empty() {
        parts.push(lines.join("\n"));
    }
    for (name, text) in [("Why", &finding.why), ("Help", &finding.help)] {
        if !text.is_empty() {
            parts.push(format!("{name}: {}", unlinked(text)));
        }
    }
    parts.join("\n\n")
}

/// `text` as the text of a link (SARIF 3.11.6).
fn label(text: &str) -> String {
    let text = text.replace('\n', " ").replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]");
    if text.trim().is_empty() { "here".to_owned() } else { text }
}

/// `text` without anything that reads as a link. A backslash would not do: readers differ in what they take one for
/// outside of links.
fn unlinked(text: &str) -> String {
    text.replace("](", "] (")
}

/// The places that the message links to: the numbers are those in [`message`].
fn related(places: &Places<'_>, finding: &Finding) -> Vec<RelatedPlace> {
    let spots = finding.related.iter().take(MOST_PLACES).filter_map(|related| {
        let spot = related.location.and_then(|span| places.spot(span))?;
        Some((spot, full::described(related)))
    });
    spots
        .enumerate()
        .map(|(index, (spot, text))| RelatedPlace {
            id: index + 1,
            physical_location: physical(&spot),
            message: Message::new(unlinked(&text)),
        })
        .collect()
}

/// Loops and paths as steps, in reading order.
fn code_flow(places: &Places<'_>, finding: &Finding) -> Option<CodeFlow> {
    let first = places.primary(finding).map(|spot| (spot, finding.label.clone()));
    let others = finding.related.iter().filter_map(|related| {
        let spot = related.location.and_then(|span| places.spot(span))?;
        Some((spot, full::described(related)))
    });
    let steps: Vec<Step> = first
        .into_iter()
        .chain(others)
        .take(MOST_STEPS)
        .map(|(spot, text)| {
            let text = if text.is_empty() { finding.message.clone() } else { text };
            Step {
                location: Place { physical_location: physical(&spot), message: Some(Message::new(unlinked(&text))) },
            }
        })
        .collect();
    let is_path = finding.members.len() > 1 || steps.len() > 2;
    (is_path && steps.len() > 1).then_some(CodeFlow { thread_flows: [ThreadFlow { locations: steps }] })
}

/// A place on one line: a result shows in a pull request only where all its lines were changed.
fn physical(spot: &Spot) -> PhysicalLocation {
    PhysicalLocation {
        artifact_location: ArtifactLocation { uri: uri(&spot.path), uri_base_id: BASE },
        region: Region {
            start_line: spot.start.line,
            start_column: spot.start.utf16_column,
            end_line: spot.start.line,
            end_column: spot.line_end.utf16_column.max(spot.start.utf16_column),
        },
    }
}

/// `path` as a relative reference (RFC 3986): all but unreserved characters and the slash as octets.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_references() {
        assert_eq!(uri("a b/é%:?#[1].yaml"), "a%20b/%C3%A9%25%3A%3F%23%5B1%5D.yaml");
    }

    #[test]
    fn no_name_becomes_a_link() {
        assert_eq!(label("a[0]\\](http://x)"), "a\\[0\\]\\\\\\](http://x)");
        assert_eq!(unlinked("[x](http://x) and a[0]"), "[x] (http://x) and a[0]");
    }
}
