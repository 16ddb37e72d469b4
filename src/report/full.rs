use std::io::{self, Write};

use super::{
    Report, Terminal, count, link, printable,
    snippet::{self, Mark},
    wrap,
};
use crate::finding::{Confidence, Finding, Location, Related, Severity};

/// How many places of one finding are drawn. The rest is counted.
const MAX_PLACES: usize = 12;

/// Every finding with its source, its reason and what to do; a blank line between two.
pub(super) fn write(report: &Report<'_>, terminal: &Terminal, out: &mut dyn Write) -> io::Result<()> {
    for finding in report.findings {
        header(terminal, finding, out)?;
        places(report, terminal, finding, out)?;
        notes(report, terminal, finding, out)?;
        writeln!(out)?;
    }
    Ok(())
}

fn header(terminal: &Terminal, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let styles = terminal.theme().styles;
    let style = match finding.severity {
        Severity::Error => styles.error,
        Severity::Warning => styles.warning,
        Severity::Info => styles.advice,
    };
    let level = style.style(format!("{}[{}]", finding.severity, finding.rule)).to_string();
    let level = level.replacen(finding.rule, &terminal.link(finding.rule, link::page(finding.rule)), 1);
    writeln!(
        out,
        "{}{}",
        terminal.bold(&level),
        terminal.bold(&format!(": {}", terminal.spelled(&printable(&finding.message))))
    )
}

/// The snippets, and a line for each place that no file holds. With more than two places they are numbered: they are to
/// be read in order.
fn places(report: &Report<'_>, terminal: &Terminal, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let numbered = finding.related.len() > 1;
    let mut step = 0;
    let mut label = |text: &str| {
        step += 1;
        let text = terminal.spelled(&printable(text));
        if numbered { format!("({step}) {text}").trim_end().to_owned() } else { text }
    };
    let mut marks = Vec::new();
    let mut nowhere = Vec::new();
    match finding.location.span().filter(|span| span.is_some()) {
        Some(span) => marks.push(Mark { span, label: label(&finding.label), primary: true }),
        None => nowhere.push(label(&placeless(finding))),
    }
    let shown = finding.related.iter().take(MAX_PLACES - 1);
    for related in shown {
        match related.location.filter(|span| span.is_some()) {
            Some(span) => marks.push(Mark { span, label: label(&related.message), primary: false }),
            None => nowhere.push(label(&described(related))),
        }
    }
    let drawn = snippet::draw(report, terminal, finding.severity, marks).map_err(io::Error::other)?;
    out.write_all(drawn.as_bytes())?;
    let left_out = finding.related.len().saturating_sub(MAX_PLACES - 1);
    if left_out > 0 {
        nowhere.push(format!("{} and {} not shown", terminal.ellipsis(), count(left_out, "more place")));
    }
    nowhere.iter().try_for_each(|line| note(terminal, "note", line, out))
}

pub(super) fn placeless(finding: &Finding) -> String {
    let reason = match &finding.location {
        Location::Nowhere(reason) => reason.as_str(),
        Location::At(_) => "generated: written in no file",
    };
    let label = if finding.label.is_empty() { String::new() } else { format!(": {}", finding.label) };
    format!("{}{label} ({reason})", finding.subject)
}

pub(super) fn described(related: &Related) -> String {
    match &related.subject {
        Some(subject) if !related.message.contains(&subject.name) => format!("{subject}: {}", related.message),
        _ => related.message.clone(),
    }
}

fn notes(report: &Report<'_>, terminal: &Terminal, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    if !finding.why.is_empty() {
        note(terminal, "why", &finding.why, out)?;
    }
    if !finding.help.is_empty() {
        note(terminal, "help", &finding.help, out)?;
    }
    if report.clusters.len() > 1 && !finding.clusters.is_empty() {
        let name = if finding.clusters.len() == 1 { "cluster" } else { "clusters" };
        note(terminal, name, &finding.clusters.join(", "), out)?;
    }
    match finding.confidence {
        Confidence::High => {}
        Confidence::Medium => note(terminal, "confidence", "medium (rests on what is usually true)", out)?,
        Confidence::Low => note(terminal, "confidence", "low (rests on a guess)", out)?,
    }
    note(terminal, "see", &format!("fluxdag explain {}", finding.rule), out)
}

fn note(terminal: &Terminal, name: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
    let first = format!("  {} ", terminal.theme().styles.help.style(format!("{name}:")));
    let rest = " ".repeat(name.len() + 4);
    let text = terminal.spelled(&printable(text));
    writeln!(out, "{}", wrap(text.trim_end(), terminal.width, &first, &rest))
}
