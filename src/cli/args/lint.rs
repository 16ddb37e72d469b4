use std::{path::PathBuf, time::Duration};

use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser as _},
};

use super::{Configuration, Hardware, Scope};
use crate::{
    cli::output::Output,
    config::FailOn,
    finding::{Confidence, Severity},
};

const LINT_EXAMPLES: &str = "\
Examples:
  fluxdag lint                                  Check the repository around the current folder
  fluxdag lint ./clusters                       Check what is below that folder
  fluxdag lint -o concise                       One line for each finding
  fluxdag lint -o full -o json=findings.json    Read it, and keep it for a program
  fluxdag lint --fail-on warning                Let warnings fail too
  fluxdag lint --min-severity info              Show advice as well
  fluxdag lint --max-path 10m                   Report a cold start that needs more than ten minutes
  fluxdag lint --since origin/main              What a pull request adds, and nothing else
  fluxdag lint --profile fast                   Reckon with the hardware of a datacentre";

/// Check a repository
///
/// Reads the repository around the given paths, finds its clusters, and reports what can never become ready, what is
/// fragile and what is slow.
#[derive(Debug, Args)]
#[command(after_help = LINT_EXAMPLES)]
pub(in crate::cli) struct Lint {
    /// Files or folders; what lies around them is read where it is needed
    #[arg(value_name = "PATH", default_value = ".")]
    pub(in crate::cli) paths: Vec<PathBuf>,

    /// How to write the findings: full, concise or json; to a file with FMT=PATH
    ///
    /// May be given more than once, for instance `-o full -o json=findings.json`. The variable FLUXDAG_FORMAT sets
    /// another default than full.
    #[arg(short = 'o', long = "format", value_name = "FMT[=PATH]", help_heading = "Output")]
    pub(in crate::cli) outputs: Vec<Output>,
    /// Show findings of this severity and above: error, warning (the default) or info
    #[arg(long, value_name = "LEVEL", hide_possible_values = true, help_heading = "Output",
        value_parser = PossibleValuesParser::new(["error", "warning", "info"]).try_map(|text| text.parse::<Severity>()))]
    pub(in crate::cli) min_severity: Option<Severity>,
    /// Show findings of this confidence and above: high, medium (the default) or low
    #[arg(long, value_name = "LEVEL", hide_possible_values = true, help_heading = "Output",
        value_parser = PossibleValuesParser::new(["high", "medium", "low"]).try_map(|text| text.parse::<Confidence>()))]
    pub(in crate::cli) min_confidence: Option<Confidence>,
    /// Show what comments in the manifests silence, too
    #[arg(long, help_heading = "Output")]
    pub(in crate::cli) no_ignore_comments: bool,
    /// Show no progress bar
    #[arg(long, help_heading = "Output")]
    pub(in crate::cli) no_progress: bool,

    /// Fail for shown findings of this severity and above: error (the default), warning, info or never
    #[arg(long, value_name = "LEVEL", hide_possible_values = true, help_heading = "Exit code",
        value_parser = PossibleValuesParser::new(FailOn::VALUES).try_map(|text| text.parse::<FailOn>()))]
    pub(in crate::cli) fail_on: Option<FailOn>,
    /// Never fail for findings; the same as `--fail-on never`
    #[arg(long, conflicts_with = "fail_on", help_heading = "Exit code")]
    pub(in crate::cli) exit_zero: bool,
    /// Do not fail where there is no Flux object
    #[arg(long, help_heading = "Exit code")]
    pub(in crate::cli) allow_empty: bool,

    #[command(flatten)]
    pub(in crate::cli) scope: Scope,
    /// Show and count only what is new since this revision: since the merge base of it and HEAD
    ///
    /// Reads the other revision from the Git repository, without a checkout. What was found there too is hidden, and the
    /// rules on changes run as well. For instance origin/main, main, v1.2 or HEAD~1.
    #[arg(long, value_name = "REV", help_heading = "Analysis")]
    pub(in crate::cli) since: Option<String>,
    /// Compare with the revision of --since itself
    #[arg(long, requires = "since", help_heading = "Analysis")]
    pub(in crate::cli) no_merge_base: bool,
    /// Run the pedantic rules too, and show findings of low confidence
    #[arg(long, help_heading = "Analysis")]
    pub(in crate::cli) pedantic: bool,
    /// The longest a cold start may take, for instance 10m or 1h30m
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Analysis")]
    pub(in crate::cli) max_path: Option<Duration>,
    #[command(flatten)]
    pub(in crate::cli) hardware: Hardware,
    #[command(flatten)]
    pub(in crate::cli) configuration: Configuration,
    /// How many threads to use; one for each core where not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), help_heading = "Analysis")]
    pub(in crate::cli) threads: Option<u16>,
}

/// A duration as Go writes it.
fn duration(text: &str) -> Result<Duration, String> {
    crate::flux::parse_duration(text).ok_or_else(|| "expected a duration like 90s, 10m or 1h30m".to_owned())
}
