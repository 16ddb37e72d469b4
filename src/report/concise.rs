use std::io::{self, Write};

use super::{Report, Terminal, printable};
use crate::finding::{Finding, Severity};

/// One line for each finding: `path:line:column: severity[rule] message`.
pub(super) fn write(report: &Report<'_>, terminal: &Terminal, out: &mut dyn Write) -> io::Result<()> {
    let styles = terminal.theme().styles;
    for finding in report.findings {
        let level = format!("{}[{}]", finding.severity, finding.rule);
        let style = match finding.severity {
            Severity::Error => styles.error,
            Severity::Warning => styles.warning,
            Severity::Info => styles.advice,
        };
        writeln!(out, "{}: {} {}", place(report, finding), style.style(level), printable(&finding.message))?;
    }
    Ok(())
}

fn place(report: &Report<'_>, finding: &Finding) -> String {
    finding.location.span().filter(|span| span.is_some()).map_or_else(
        || "(no file)".to_owned(),
        |span| {
            let at = report.tree.position(span);
            format!("{}:{}:{}", printable(&report.path(span.file)), at.line, at.column)
        },
    )
}
