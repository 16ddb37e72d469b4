//! Markdown for the summary of a workflow step and for comments on pull requests.
//!
//! Names and messages come out of the repository. None of them may become a link, a mention, a reference to an issue or
//! HTML: words are escaped, and paths stand in code spans, which GitHub and GitLab leave alone.

use std::{
    cmp::Reverse,
    collections::BTreeMap,
    io::{self, Write},
};

use super::{Places, story};
use crate::{
    finding::{Confidence, Finding, Severity},
    report::{Report, count, full, printable, summary},
};

/// What a comment may hold: 65,536 characters on GitHub. The difference is for the last line, and for the marker that
/// whoever posts it puts around it.
const BUDGET: usize = 65_536 - 1_024;

/// How many places of one finding are listed. The rest is counted.
const MAX_PLACES: usize = 12;

/// A character of no width, as an entity: behind `@` and `#` it keeps a name from being a mention.
const BREAK: &str = "&#8203;";

/// A table of the rules, then the findings, the worst ones first. Findings that do not fit are left out whole, and
/// counted.
pub(super) fn write(report: &Report<'_>, places: &Places<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut text = format!("## fluxdag\n\n{}\n", summary(report).lines().map(prose).collect::<Vec<_>>().join("\n\n"));
    let mut findings: Vec<&Finding> = report.findings.iter().collect();
    findings.sort_by_key(|finding| Reverse(finding.severity));
    if !findings.is_empty() {
        text += &table(&findings);
    }
    let mut used = length(&text);
    let mut heading = None;
    let mut left_out: BTreeMap<Reverse<Severity>, usize> = BTreeMap::new();
    for finding in findings {
        let mut part = String::new();
        if heading != Some(finding.severity) {
            part += &format!("\n### {}\n", title(finding.severity));
        }
        part += &section(report, places, finding);
        let size = length(&part);
        if used + size > BUDGET {
            *left_out.entry(Reverse(finding.severity)).or_default() += 1;
            continue;
        }
        used += size;
        text += &part;
        heading = Some(finding.severity);
    }
    if !left_out.is_empty() {
        let total = left_out.values().sum();
        let parts: Vec<String> =
            left_out.iter().map(|(Reverse(severity), number)| count(*number, &severity.to_string())).collect();
        text += &format!(
            "\n{} not shown here ({}), since a comment holds 65,536 characters. `fluxdag lint` shows all.\n",
            count(total, "more finding"),
            parts.join(", ")
        );
    }
    out.write_all(text.as_bytes())
}

/// Services differ in what a character is; no one counts more of them than UTF-16 has units.
fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

const fn title(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "Errors",
        Severity::Warning => "Warnings",
        Severity::Info => "Advice",
    }
}

fn table(findings: &[&Finding]) -> String {
    let mut rules: BTreeMap<(Reverse<Severity>, &str), usize> = BTreeMap::new();
    for finding in findings {
        *rules.entry((Reverse(finding.severity), finding.rule)).or_default() += 1;
    }
    let mut text = "\n| Severity | Rule | Findings |\n|---|---|---:|\n".to_owned();
    for ((Reverse(severity), rule), number) in rules {
        text += &format!("| {severity} | `{rule}` | {number} |\n");
    }
    text
}

fn section(report: &Report<'_>, places: &Places<'_>, finding: &Finding) -> String {
    let mut text = format!("\n#### `{}` in {}\n\n", finding.rule, code(&story::place(places, finding)));
    text += &format!("**{}:** {}\n", finding.severity, prose(&finding.message));
    let steps = steps(places, finding);
    if !steps.is_empty() {
        text += &format!("\n{}\n", steps.join("\n"));
    }
    for (name, words) in [("Why", &finding.why), ("Help", &finding.help)] {
        if !words.is_empty() {
            text += &format!("\n**{name}:** {}\n", prose(words));
        }
    }
    if report.clusters.len() > 1 && !finding.clusters.is_empty() {
        let clusters: Vec<String> = finding.clusters.iter().map(|cluster| code(cluster)).collect();
        let name = if clusters.len() == 1 { "Cluster" } else { "Clusters" };
        text += &format!("\n**{name}:** {}\n", clusters.join(", "));
    }
    match finding.confidence {
        Confidence::High => {}
        Confidence::Medium => text += "\n**Confidence:** medium (rests on what is usually true)\n",
        Confidence::Low => text += "\n**Confidence:** low (rests on a guess)\n",
    }
    text
}

/// The places in reading order, numbered where there is an order to them.
fn steps(places: &Places<'_>, finding: &Finding) -> Vec<String> {
    let mut steps = Vec::new();
    match places.primary(finding) {
        Some(spot) if !finding.label.is_empty() || !finding.related.is_empty() => {
            steps.push(format!("{} {}", code(&story::at(&spot)), prose(&finding.label)));
        }
        Some(_) => {}
        None => steps.push(prose(&full::placeless(finding))),
    }
    for related in finding.related.iter().take(MAX_PLACES) {
        let words = prose(&full::described(related));
        steps.push(match related.location.and_then(|span| places.spot(span)) {
            Some(spot) => format!("{} {words}", code(&story::at(&spot))),
            None => words,
        });
    }
    let numbered = finding.related.len() > 1;
    let mut lines: Vec<String> = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let mark = if numbered { format!("{}.", index + 1) } else { "-".to_owned() };
        lines.push(format!("{mark} {}", step.trim_end()));
    }
    let left_out = finding.related.len().saturating_sub(MAX_PLACES);
    if left_out > 0 {
        lines.push(format!("\n{} not listed", count(left_out, "more place")));
    }
    lines
}

/// `text` as code, on one line.
fn code(text: &str) -> String {
    let text = printable(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    // A space is taken off at both ends where there is one at both.
    let space = if longest > 0 || (text.starts_with(' ') && text.ends_with(' ')) { " " } else { "" };
    if text.is_empty() { String::new() } else { format!("{fence}{space}{text}{space}{fence}") }
}

/// `text` as words on one line. What stands between two backticks is code, as in the words of a rule; everything else is
/// what it looks like.
fn prose(text: &str) -> String {
    let text = text.split('\n').map(str::trim).collect::<Vec<_>>().join(" ");
    let text = printable(&text);
    let parts: Vec<&str> = text.split('`').collect();
    let mut out = String::new();
    for (index, part) in parts.iter().enumerate() {
        if index % 2 == 0 {
            plain(part, &mut out);
        } else if index + 1 == parts.len() {
            out.push_str("&#96;");
            plain(part, &mut out);
        } else if part.trim().is_empty() {
            out.push_str("&#96;&#96;");
        } else {
            out.extend(["`", part, "`"]);
        }
    }
    out
}

/// Appends `text` with every sign escaped that Markdown, GitHub or GitLab reads something into.
fn plain(text: &str, out: &mut String) {
    for (at, c) in text.char_indices() {
        let (before, behind) = (&text[..at], &text[at + c.len_utf8()..]);
        let is_name_next = behind.starts_with(|next: char| next.is_alphanumeric() || "_\"[".contains(next));
        let is_www = || before.get(before.len().saturating_sub(3)..).is_some_and(|end| end.eq_ignore_ascii_case("www"));
        let is_issue =
            || before.get(before.len().saturating_sub(2)..).is_some_and(|end| end.eq_ignore_ascii_case("gh"));
        let is_escaped = match c {
            '\\' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '#' | '@' | '$' | '!' | '^' => true,
            ':' => behind.starts_with("//"),
            '.' => is_www(),
            _ => false,
        };
        if is_escaped {
            out.push('\\');
        }
        out.push(c);
        if is_name_next && ("@#!$%&~^*".contains(c) || (c == '-' && is_issue())) {
            out.push_str(BREAK);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_words() {
        for (text, expected) in [
            ("waits for `dependsOn` of apps", "waits for `dependsOn` of apps"),
            ("@user and #12, !3", "\\@&#8203;user and \\#&#8203;12, \\!&#8203;3"),
            ("GH-12 [x](http://y) <b>", "GH-&#8203;12 \\[x\\](http\\://y) \\<b\\>"),
            ("a ` b", "a &#96; b"),
            ("`` c", "&#96;&#96; c"),
            ("a|b\nc", "a\\|b c"),
            ("www.x.y", "www\\.x.y"),
        ] {
            assert_eq!(prose(text), expected, "{text}");
        }
        assert_eq!(code("a`b``c"), "``` a`b``c ```");
        assert_eq!(code("a|@b"), "`a|@b`");
    }
}
