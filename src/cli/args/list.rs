use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Target;

const LIST_EXAMPLES: &str = "\
Examples:
  fluxdag list                  What there is, cluster by cluster
  fluxdag list clusters/prod    Of one cluster
  fluxdag list apps/base        What a folder defines, contains, or is read by
  fluxdag list -o names         One name in each line, for a script
  fluxdag list -o json          All of it for a program

Exit codes:
  0  listed, whatever the states
  2  the job could not be done";

/// List clusters, Kustomizations and HelmReleases
///
/// A line for each Kustomization and HelmRelease: whether it becomes Ready, and when in a cold start, what it applies or
/// installs, and what applies it.
#[derive(Debug, Args)]
#[command(after_help = LIST_EXAMPLES)]
pub(in crate::cli) struct List {
    /// Files or folders to report on; the repository around them is read as a whole
    #[arg(value_name = "PATH", default_value = ".")]
    pub(in crate::cli) paths: Vec<PathBuf>,
    /// How to write the list
    #[arg(short = 'o', long = "format", value_name = "FMT", default_value = "text", help_heading = "Output")]
    pub(in crate::cli) format: ListingFormat,
    #[command(flatten)]
    pub(in crate::cli) target: Target,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ListingFormat {
    /// For reading in a terminal
    Text,
    /// For programs
    Json,
    /// One name in each line, as other commands take them; a name that Kubernetes would refuse is left out
    Names,
}
