use std::path::PathBuf;

use clap::Args;

use clap_complete::ArgValueCandidates;

use super::{Choices, When};
use crate::cli::{candidates, output::Output};

const LINT_EXAMPLES: &str = "\
Examples:
  fluxdag lint                                  Check the repository around the current folder
  fluxdag lint clusters/prod                    Check the cluster whose entry point lies there
  fluxdag lint apps                             Check what that folder defines, contains, or is read by
  fluxdag lint apps/base/web.yaml               The same of a file
  fluxdag -C apps lint                          The same from a folder further down
  fluxdag lint -o concise                       One line for each finding
  fluxdag lint -o full -o json=findings.json    Read it, and keep it for a program
  fluxdag lint -o github -o sarif=out.sarif     Annotate a pull request, and keep it for code scanning
  fluxdag lint --fail-on warning                Let warnings fail too
  fluxdag lint --min-severity info              Show advice as well
  fluxdag lint --select deadlock,missing-path   Run the rules of a category, and one more
  fluxdag lint --ignore unready-gate            Run all rules but one
  fluxdag lint --write-baseline                 Take what is found today as known
  fluxdag lint --baseline fluxdag-baseline.json
                                                Show and fail for nothing but what is new
  fluxdag lint --max-path 10m                   Report a cold start that needs more than ten minutes
  fluxdag lint --since origin/main              What a pull request adds, and nothing else
  fluxdag lint --profile fast                   Reckon with the hardware of a datacentre
  cat all.yaml | fluxdag lint -                 Check one stream of YAML, with `---` between documents
  cat a | fluxdag lint - --stdin-filename b     Check the repository as if the file b held the stream";

/// Check a repository
///
/// Reads the repository around the given paths, finds its clusters, and reports what can never become ready, what is
/// fragile and what is slow.
///
/// The repository is found upward from the paths: by `.git`, by fluxdag.toml, or as the nearest folder under which Flux's
/// paths lead somewhere. It is always read as a whole. A path that holds the entry point of a cluster stands for all of that
/// cluster; another one for the Kustomizations that it defines, contains, or is read by.
#[derive(Debug, Args)]
#[command(after_help = LINT_EXAMPLES)]
pub(in crate::cli) struct Lint {
    #[command(flatten)]
    pub(in crate::cli) choices: Choices,
    /// The file that standard input stands for, with `-`
    ///
    /// It is checked in the repository around it, whether or not the file is there already. Without this, or where its
    /// folder is not there, the stream is all there is.
    #[arg(long, value_name = "NAME", help_heading = "Analysis")]
    pub(in crate::cli) stdin_filename: Option<PathBuf>,

    /// How to write the findings: full, concise, json, sarif, github, gitlab, junit, checkstyle, rdjson or markdown; to a
    /// file with FMT=PATH
    ///
    /// For people: full (the default) and concise, one line for each finding. For programs: json. For code scanning:
    /// sarif. For pull requests: github (annotations), gitlab (Code Quality), markdown (comments and summaries), rdjson
    /// (reviewdog). For other CI servers: junit, checkstyle. May be given more than once, for instance
    /// `-o full -o sarif=findings.sarif`. The variable FLUXDAG_FORMAT sets another default than full.
    #[arg(short = 'o', long = "format", value_name = "FMT[=PATH]", help_heading = "Output",
        add = ArgValueCandidates::new(candidates::formats))]
    pub(in crate::cli) outputs: Vec<Output>,
    /// Show what comments in the manifests silence, too
    #[arg(long, help_heading = "Output")]
    pub(in crate::cli) no_ignore_comments: bool,
    /// When to link rules and places to their files
    ///
    /// In the format full on standard output alone. `auto` does so on terminals that are known to show links.
    #[arg(long, value_name = "WHEN", default_value = "auto", hide_default_value = true, help_heading = "Output")]
    pub(in crate::cli) hyperlinks: When,
    /// Show no progress bar
    #[arg(long, help_heading = "Output")]
    pub(in crate::cli) no_progress: bool,

    /// Do not fail where there is no Flux object
    #[arg(long, help_heading = "Exit code")]
    pub(in crate::cli) allow_empty: bool,

    /// Take what is found now as known: write it to a file
    ///
    /// The file is that of --baseline or the configuration, else fluxdag-baseline.json beside the configuration file, or in the
    /// working directory where there is none. Later runs that read it show and fail for nothing but what is new.
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true,
        conflicts_with_all = ["no_baseline", "prune_baseline"], help_heading = "Baseline")]
    pub(in crate::cli) write_baseline: Option<Option<PathBuf>>,
    /// Take out of the baseline what is not found any more
    #[arg(long, conflicts_with = "no_baseline", help_heading = "Baseline")]
    pub(in crate::cli) prune_baseline: bool,

    /// Show and count only what is new since this revision: since the merge base of it and HEAD
    ///
    /// Reads the other revision from the Git repository, without a checkout. What was found there too is hidden, and the
    /// rules on changes run as well. For instance origin/main, main, v1.2 or HEAD~1.
    #[arg(long, value_name = "REV", conflicts_with_all = ["write_baseline", "prune_baseline", "stdin_filename"],
        help_heading = "Analysis")]
    pub(in crate::cli) since: Option<String>,
    /// Compare with the revision of --since itself
    #[arg(long, requires = "since", help_heading = "Analysis")]
    pub(in crate::cli) no_merge_base: bool,
    /// How many threads to use; one for each core where not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), help_heading = "Analysis")]
    pub(in crate::cli) threads: Option<u16>,
}
