use std::path::PathBuf;

use clap::{
    Args, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser as _},
};

use super::Target;
use crate::config::FailOn;

const DIFF_EXAMPLES: &str = "\
Examples:
  fluxdag diff HEAD                                 What the work tree changes
  fluxdag diff main feature                         What lies between two branches
  fluxdag diff --merge-base origin/main             What a pull request changes, whatever happened on main since
  fluxdag diff --merge-base origin/main -o markdown > comment.md
                                                    The same to be pasted into the pull request
  fluxdag diff HEAD~1 HEAD clusters/prod            What the last commit did to one cluster
  fluxdag diff HEAD~1 -- apps                       What it did to what a folder has to do with
  fluxdag diff v1.0 -o json                         For a program

Exit codes:
  0  no new finding at or above --fail-on
  1  new findings at or above --fail-on
  2  the job could not be done";

/// Say what lies between two revisions
///
/// Reads both from the Git repository, without a checkout, and tells what became of Kustomizations and HelmReleases, of what
/// they wait for and how, which findings are new and which are fixed, what the critical path of a cold start takes before
/// and after and what makes the difference, and what the touched files reach.
///
/// The configuration of the work tree counts for both.
#[derive(Debug, Args)]
#[command(after_help = DIFF_EXAMPLES)]
pub(in crate::cli) struct Diff {
    /// The former revision: a branch, a tag, a hash, HEAD~1; or both, as A..B or A...B
    #[arg(value_name = "BASE")]
    pub(in crate::cli) base: String,
    /// The latter revision; the work tree where not given
    #[arg(value_name = "HEAD")]
    pub(in crate::cli) head: Option<String>,
    /// Compare with the merge base of the two instead of BASE itself
    #[arg(long)]
    pub(in crate::cli) merge_base: bool,
    /// Files or folders to report on; the repository around them is compared as a whole
    ///
    /// The second argument is one where it names no revision and is there. Behind `--` all are.
    #[arg(value_name = "PATH")]
    pub(in crate::cli) paths: Vec<PathBuf>,
    /// The same, behind `--`
    #[arg(last = true, hide = true, value_name = "PATH")]
    pub(in crate::cli) more: Vec<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) target: Target,
    /// How to write the answer
    #[arg(short = 'o', long = "format", value_name = "FMT", default_value = "text", help_heading = "Output")]
    pub(in crate::cli) format: DiffFormat,
    /// Fail for new findings of this severity and above: error (the default), warning, info or never
    #[arg(long, value_name = "LEVEL", hide_possible_values = true, help_heading = "Exit code",
        value_parser = PossibleValuesParser::new(FailOn::VALUES).try_map(|text| text.parse::<FailOn>()))]
    pub(in crate::cli) fail_on: Option<FailOn>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum DiffFormat {
    /// For reading in a terminal
    Text,
    /// For programs
    Json,
    /// For a pull request
    Markdown,
}
