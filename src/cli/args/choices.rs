use std::{path::PathBuf, time::Duration};

use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser as _},
};

use clap_complete::engine::ArgValueCandidates;

use super::{Configuration, Hardware, Scope};
use crate::{
    cli::candidates,
    config::FailOn,
    finding::{Confidence, Severity},
    rules::Selector,
};

/// What a flag, the environment or the configuration decides: `lint` acts on it, `config show` prints it.
#[derive(Debug, Default, Clone, Args)]
pub(in crate::cli) struct Choices {
    /// Files or folders to report on; the repository around them is read as a whole. `-` is one stream from standard input
    ///
    /// Where none is given, `paths` of the configuration says, else it is the working directory.
    #[arg(value_name = "PATH")]
    pub(in crate::cli) paths: Vec<PathBuf>,

    /// Run these rules alone: ids or categories, with commas between them
    ///
    /// A rule that is named by its id runs also where it is pedantic, or where the configuration turns it off. `fluxdag rules`
    /// lists ids and categories.
    #[arg(long, value_name = "RULE|CATEGORY", value_delimiter = ',', value_parser = selector, help_heading = "Rules",
        add = ArgValueCandidates::new(candidates::selectors))]
    pub(in crate::cli) select: Vec<Selector>,
    /// Do not run these rules: ids or categories, with commas between them
    #[arg(long, value_name = "RULE|CATEGORY", value_delimiter = ',', value_parser = selector, help_heading = "Rules",
        add = ArgValueCandidates::new(candidates::selectors))]
    pub(in crate::cli) ignore: Vec<Selector>,
    /// Run the pedantic rules too, and show findings of low confidence
    #[arg(long, help_heading = "Rules")]
    pub(in crate::cli) pedantic: bool,
    /// Run rules on probation too
    #[arg(long, help_heading = "Rules")]
    pub(in crate::cli) preview: bool,

    /// Show findings of this severity and above: error, warning (the default) or info
    #[arg(long, value_name = "LEVEL", hide_possible_values = true, help_heading = "Output",
        value_parser = PossibleValuesParser::new(["error", "warning", "info"]).try_map(|text| text.parse::<Severity>()))]
    pub(in crate::cli) min_severity: Option<Severity>,
    /// Show findings of this confidence and above: high, medium (the default) or low
    #[arg(long, value_name = "LEVEL", hide_possible_values = true, help_heading = "Output",
        value_parser = PossibleValuesParser::new(["high", "medium", "low"]).try_map(|text| text.parse::<Confidence>()))]
    pub(in crate::cli) min_confidence: Option<Confidence>,

    /// Fail for shown findings of this severity and above: error (the default), warning, info or never
    #[arg(long, value_name = "LEVEL", hide_possible_values = true, help_heading = "Exit code",
        value_parser = PossibleValuesParser::new(FailOn::VALUES).try_map(|text| text.parse::<FailOn>()))]
    pub(in crate::cli) fail_on: Option<FailOn>,
    /// Never fail for findings; the same as `--fail-on never`
    #[arg(long, conflicts_with = "fail_on", help_heading = "Exit code")]
    pub(in crate::cli) exit_zero: bool,

    /// The file of findings that are known, and neither shown nor failed for
    #[arg(long, value_name = "FILE", help_heading = "Baseline")]
    pub(in crate::cli) baseline: Option<PathBuf>,
    /// Show what the baseline has, too
    #[arg(long, conflicts_with = "baseline", help_heading = "Baseline")]
    pub(in crate::cli) no_baseline: bool,

    #[command(flatten)]
    pub(in crate::cli) scope: Scope,
    /// The longest a cold start may take, for instance 10m or 1h30m
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Analysis")]
    pub(in crate::cli) max_path: Option<Duration>,
    #[command(flatten)]
    pub(in crate::cli) hardware: Hardware,
    #[command(flatten)]
    pub(in crate::cli) configuration: Configuration,
}

/// A duration as Go writes it.
fn duration(text: &str) -> Result<Duration, String> {
    crate::flux::parse_duration(text).ok_or_else(|| "expected a duration like 90s, 10m or 1h30m".to_owned())
}

/// A rule or a category.
fn selector(text: &str) -> Result<Selector, String> {
    text.trim().parse::<Selector>().map_err(|unknown| format!("{unknown}; {}", unknown.help()))
}
