use clap::{Args, ValueEnum};
use clap_complete::engine::ArgValueCandidates;

use crate::cli::candidates;

/// Explain a rule: what it reports, why it matters, how to fix it
///
/// Prints the page of the rule, with a bad and a good example, when to leave a finding be, and the sources of what it says.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  fluxdag explain dependency-cycle\n  fluxdag explain dependency-cycle -o markdown")]
pub(in crate::cli) struct Explain {
    /// The rule; `fluxdag rules` lists them
    #[arg(add = ArgValueCandidates::new(candidates::rules))]
    pub(in crate::cli) rule: String,
    /// How to write the page
    #[arg(short = 'o', long = "format", value_name = "FMT", default_value = "text")]
    pub(in crate::cli) format: PageFormat,
}

/// List the rules
///
/// With the severity of each and one line about it; `fluxdag explain RULE` tells the rest.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  fluxdag rules\n  fluxdag rules -o json")]
pub(in crate::cli) struct Rules {
    /// How to write the list
    #[arg(short = 'o', long = "format", value_name = "FMT", default_value = "table")]
    pub(in crate::cli) format: ListFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum PageFormat {
    /// For reading in a terminal
    Text,
    /// The page as it is written
    Markdown,
    /// For programs
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ListFormat {
    /// For reading in a terminal
    Table,
    /// For documentation
    Markdown,
    /// For programs
    Json,
}
