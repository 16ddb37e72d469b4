//! Findings for code review and CI: one file per format, all of them with paths from the root of the repository.

mod checkstyle;
mod github;
mod gitlab;
mod junit;
mod levels;
mod markdown;
mod places;
mod rdjson;
mod sarif;
mod story;
mod xml;

use std::io::{self, Write};

use super::{Format, Report};
use levels::levels;
use places::{Places, Spot};

use crate::source::{Syntax, harmless};

/// Writes the findings in a format of this folder. The others are written by the caller.
pub(super) fn write(report: &Report<'_>, format: Format, out: &mut dyn Write) -> io::Result<()> {
    let places = Places::new(report);
    match format {
        Format::Sarif => sarif::write(report, &places, out),
        Format::Github => github::write(report, &places, out),
        Format::Gitlab => gitlab::write(report, &places, out),
        Format::Junit => junit::write(report, &places, out),
        Format::Checkstyle => checkstyle::write(report, &places, out),
        Format::Rdjson => rdjson::write(report, &places, out),
        Format::Markdown => markdown::write(report, &places, out),
        Format::Full | Format::Concise | Format::Json => Ok(()),
    }
}

/// Writes `value` as indented JSON, with what a terminal would obey escaped.
fn write_json(value: &impl serde::Serialize, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", harmless(&serde_json::to_string_pretty(value)?, Syntax::Json))
}
