use std::{path::PathBuf, time::Duration};

use clap::{
    Args, Parser, Subcommand, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser as _},
};

use super::output::Output;
use crate::{
    config::FailOn,
    finding::{Confidence, Severity},
    timing::Profile,
};

const EXAMPLES: &str = "\
Examples:
  fluxdag lint                        Check the repository around the current folder
  fluxdag lint clusters/prod          Check one cluster of it
  fluxdag render apps --origin        Print what a Kustomization applies, and what decides it
  fluxdag why apps                    Say what a Kustomization waits for, and how long
  fluxdag impact apps/base/web.yaml   Say what a change of a file reaches
  fluxdag explain dependency-cycle    What a rule reports, why, and how to fix it

Exit codes:
  0  nothing at or above --fail-on
  1  findings at or above --fail-on
  2  the job could not be done";

const LINT_EXAMPLES: &str = "\
Examples:
  fluxdag lint                                  Check the repository around the current folder
  fluxdag lint ./clusters                       Check what is below that folder
  fluxdag lint -o concise                       One line for each finding
  fluxdag lint -o full -o json=findings.json    Read it, and keep it for a program
  fluxdag lint --fail-on warning                Let warnings fail too
  fluxdag lint --min-severity info              Show advice as well
  fluxdag lint --max-path 10m                   Report a cold start that needs more than ten minutes
  fluxdag lint --profile fast                   Reckon with the hardware of a datacentre";

const RENDER_EXAMPLES: &str = "\
Examples:
  fluxdag render apps                              What the Kustomization `apps` applies
  fluxdag render flux-system/apps clusters/prod    The same, of the cluster in that folder
  fluxdag render apps --cluster prod               The same, where several clusters have one
  fluxdag render apps --origin                     Say which file and line decided each value
  fluxdag render apps -o json --origin             All of that for a program
  fluxdag render --path apps/base                  What `kustomize build` makes of a folder

Exit codes:
  0  built
  1  the build fails; what could be built is printed
  2  the job could not be done";

const WHY_EXAMPLES: &str = "\
Examples:
  fluxdag why apps                       What `apps` waits for, and the chain that decides when it is Ready
  fluxdag why apps cert-manager          Through what `apps` waits for `cert-manager`
  fluxdag why hr/media/plex              The same of a HelmRelease
  fluxdag why apps --cluster prod        Where several clusters have one
  fluxdag why apps -C ../fleet -o json   Of another repository, for a program

Exit codes:
  0  answered, whatever the answer
  2  the job could not be done";

const WHAT_IF_EXAMPLES: &str = "\
Examples:
  fluxdag what-if --unset-wait core                      Without the gate of `core`
  fluxdag what-if --drop-edge apps:infra                 Without that dependency
  fluxdag what-if --move HelmRelease/obs/loki:obs        With loki in another Kustomization
  fluxdag what-if --split core -o json                   With the heavy charts of `core` in one of their own
  fluxdag what-if --timeout core=20m                     With a timeout that fits
  fluxdag what-if --slow kube-prometheus-stack=2x        On a bad day
  fluxdag what-if --fail core                            Where `core` never becomes Ready";

const TIMELINE_EXAMPLES: &str = "\
Examples:
  fluxdag timeline                        The cold start of each cluster
  fluxdag timeline --cluster prod         Of one of them
  fluxdag timeline --to apps              What `apps` waits for, and how long
  fluxdag timeline --commit apps/a.yaml   What a change of that file costs in a running cluster
  fluxdag timeline --runs 1000            How the total varies with durations
  fluxdag timeline -o json                All of it for a program";

const IMPACT_EXAMPLES: &str = "\
Examples:
  fluxdag impact cert-manager                What waits for it, at each commit and on a cold start
  fluxdag impact apps/base/web.yaml          What is built from a file, and what that reaches
  fluxdag impact ./apps                      The same of all files below a folder
  fluxdag impact $(git diff --name-only --diff-filter=d)
                                             What the changes in the work tree reach
  fluxdag impact hr/media/plex -o json       For a program

Exit codes:
  0  answered, whatever the answer
  2  the job could not be done";

/// Find deadlocks, fragile gates and slow rollouts in Flux GitOps repositories, without a cluster
///
/// Reads the manifests, builds them as Flux does, and checks the graph of who waits for whom. Needs no cluster and no
/// network.
#[derive(Debug, Parser)]
#[command(name = "fluxdag", bin_name = "fluxdag", version, after_help = EXAMPLES, max_term_width = 110)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct Global {
    /// When to use colours
    ///
    /// `auto` heeds NO_COLOR, FORCE_COLOR, CLICOLOR_FORCE, CLICOLOR and TERM, in this order.
    #[arg(long, global = true, value_name = "WHEN")]
    pub(super) color: Option<ColorChoice>,
    /// Print nothing but the findings
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Say what was looked at, and what could not be resolved
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    // What commands print about themselves stands at their arguments: a comment here would hide all but one line of it.
    Lint(Lint),
    Render(Render),
    Why(Why),
    Impact(Impact),
    WhatIf(WhatIf),
    Timeline(Timeline),
    Explain(Explain),
    Rules(Rules),
}

/// Check a repository
///
/// Reads the repository around the given paths, finds its clusters, and reports what can never become ready, what is
/// fragile and what is slow.
#[derive(Debug, Args)]
#[command(after_help = LINT_EXAMPLES)]
pub(super) struct Lint {
    /// Files or folders; what lies around them is read where it is needed
    #[arg(value_name = "PATH", default_value = ".")]
    pub(super) paths: Vec<PathBuf>,

    /// How to write the findings: full, concise or json; to a file with FMT=PATH
    ///
    /// May be given more than once, for instance `-o full -o json=findings.json`. The variable FLUXDAG_FORMAT sets
    /// another default than full.
    #[arg(short = 'o', long = "format", value_name = "FMT[=PATH]", help_heading = "Output")]
    pub(super) outputs: Vec<Output>,
    /// Show findings of this severity and above: error, warning (the default) or info
    #[arg(long, value_name = "LEVEL", hide_possible_values = true, help_heading = "Output",
        value_parser = PossibleValuesParser::new(["error", "warning", "info"]).try_map(|text| text.parse::<Severity>()))]
    pub(super) min_severity: Option<Severity>,
    /// Show findings of this confidence and above: high, medium (the default) or low
    #[arg(long, value_name = "LEVEL", hide_possible_values = true, help_heading = "Output",
        value_parser = PossibleValuesParser::new(["high", "medium", "low"]).try_map(|text| text.parse::<Confidence>()))]
    pub(super) min_confidence: Option<Confidence>,
    /// Show what comments in the manifests silence, too
    #[arg(long, help_heading = "Output")]
    pub(super) no_ignore_comments: bool,
    /// Show no progress bar
    #[arg(long, help_heading = "Output")]
    pub(super) no_progress: bool,

    /// Fail for shown findings of this severity and above: error (the default), warning, info or never
    #[arg(long, value_name = "LEVEL", hide_possible_values = true, help_heading = "Exit code",
        value_parser = PossibleValuesParser::new(FailOn::VALUES).try_map(|text| text.parse::<FailOn>()))]
    pub(super) fail_on: Option<FailOn>,
    /// Never fail for findings; the same as `--fail-on never`
    #[arg(long, conflicts_with = "fail_on", help_heading = "Exit code")]
    pub(super) exit_zero: bool,
    /// Do not fail where there is no Flux object
    #[arg(long, help_heading = "Exit code")]
    pub(super) allow_empty: bool,

    #[command(flatten)]
    pub(super) scope: Scope,
    /// Run the pedantic rules too, and show findings of low confidence
    #[arg(long, help_heading = "Analysis")]
    pub(super) pedantic: bool,
    /// The longest a cold start may take, for instance 10m or 1h30m
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Analysis")]
    pub(super) max_path: Option<Duration>,
    #[command(flatten)]
    pub(super) hardware: Hardware,
    #[command(flatten)]
    pub(super) configuration: Configuration,
    /// How many threads to use; one for each core where not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), help_heading = "Analysis")]
    pub(super) threads: Option<u16>,
}

/// Print what a Kustomization applies, and where every value of it comes from
///
/// Builds it as Flux does, with its patches, components, target namespace, variables and common metadata, and prints the
/// objects as `kustomize build` would. What cannot be known from the files stays as it is written and is noted on
/// standard error.
#[derive(Debug, Args)]
#[command(after_help = RENDER_EXAMPLES)]
pub(super) struct Render {
    /// The Kustomization: NAME, NAMESPACE/NAME or Kustomization/NAMESPACE/NAME
    #[arg(value_name = "NODE", required_unless_present = "path")]
    pub(super) node: Option<String>,
    /// Files or folders; what lies around them is read where it is needed
    #[arg(value_name = "PATH", default_value = ".")]
    pub(super) paths: Vec<PathBuf>,
    /// Build this folder instead, as `kustomize build` does, without what a Kustomization adds
    #[arg(long, value_name = "DIR", conflicts_with_all = ["node", "paths", "cluster"])]
    pub(super) path: Option<PathBuf>,

    /// How to write the objects
    #[arg(short = 'o', long = "format", value_name = "FMT", default_value = "yaml", help_heading = "Output")]
    pub(super) format: ObjectFormat,
    /// In which order to write them
    #[arg(long, value_name = "ORDER", default_value = "none", help_heading = "Output")]
    pub(super) sort: ObjectOrder,
    /// Say where each object comes from, what changed it, and which text decided each value
    #[arg(long, value_name = "WHICH", num_args = 0..=1, require_equals = true, default_missing_value = "changed",
        help_heading = "Output")]
    pub(super) origin: Option<ShownOrigin>,

    #[command(flatten)]
    pub(super) scope: Scope,
    #[command(flatten)]
    pub(super) configuration: Configuration,
}

/// Say what something waits for, or through what it waits for something else
///
/// Of one object: what it waits for, longest first, the chain that decides when it starts and when it is Ready,
/// and the loop that keeps it from ever being so. Of two: the shortest chains through which the first waits for the
/// second.
///
/// Objects are named as NAME, NAMESPACE/NAME, KIND/NAME or KIND/NAMESPACE/NAME; `ks` and `hr` are short for Kustomization
/// and HelmRelease. Without a kind a Kustomization is meant, else a HelmRelease, else any other object.
#[derive(Debug, Args)]
#[command(after_help = WHY_EXAMPLES)]
pub(super) struct Why {
    /// What waits
    #[arg(value_name = "A")]
    pub(super) node: String,
    /// What it may wait for
    #[arg(value_name = "B")]
    pub(super) on: Option<String>,
    #[command(flatten)]
    pub(super) question: Question,
}

/// Say what a change or a failure reaches
///
/// What reconciles with each new revision, what waits for it then, what starts or is Ready only behind it in a cold start,
/// and so never does where it fails. Of several arguments it tells what all of them together reach.
///
/// An argument is the name of an object, as for `fluxdag why`, or else a file or folder, from the working directory or
/// from the artifact root. Where both fit, the object is meant; `./apps` is always a path.
#[derive(Debug, Args)]
#[command(after_help = IMPACT_EXAMPLES)]
pub(super) struct Impact {
    /// Names of objects, files or folders
    #[arg(value_name = "NODE|FILE", required = true)]
    pub(super) about: Vec<String>,
    #[command(flatten)]
    pub(super) question: Question,
}

/// Say what a change would do to the minutes of a cold start
///
/// Makes the change in mind, not in the files, and puts the two cold starts side by side: timeouts off, what the rollout
/// needs. Changes may be given together and more than once; names are as for `fluxdag why`.
#[derive(Debug, Args)]
#[command(after_help = WHAT_IF_EXAMPLES)]
pub(super) struct WhatIf {
    /// Take `wait` and `healthChecks` off a Kustomization
    #[arg(long, value_name = "NODE", help_heading = "Changes")]
    pub(super) unset_wait: Vec<String>,
    /// Drop an entry of `dependsOn`
    #[arg(long, value_name = "NODE:DEPENDENCY", help_heading = "Changes")]
    pub(super) drop_edge: Vec<String>,
    /// Let another Kustomization apply an object
    #[arg(long = "move", value_name = "OBJECT:NODE", help_heading = "Changes")]
    pub(super) move_object: Vec<String>,
    /// Give what takes longest in a Kustomization one of its own
    #[arg(long, value_name = "NODE", help_heading = "Changes")]
    pub(super) split: Vec<String>,
    /// Give a Kustomization another timeout: it counts for what the controllers make of it
    #[arg(long, value_name = "NODE=15m", help_heading = "Changes")]
    pub(super) timeout: Vec<String>,
    /// Let a chart take so many times as long
    #[arg(long, value_name = "CHART=2x", help_heading = "Changes")]
    pub(super) slow: Vec<String>,
    /// Let a Kustomization never become Ready
    #[arg(long, value_name = "NODE", help_heading = "Changes")]
    pub(super) fail: Vec<String>,
    #[command(flatten)]
    pub(super) question: Question,
}

/// Say when everything happens in a cold start
///
/// A line for each Kustomization and HelmRelease, from its start until it is Ready, and the critical path: the chain that
/// decides when all is done. Timeouts and failed attempts are left out: it is what the rollout needs.
#[derive(Debug, Args)]
#[command(after_help = TIMELINE_EXAMPLES)]
pub(super) struct Timeline {
    /// Only up to this object: what it waits for, and the path to it
    #[arg(long, value_name = "NODE")]
    pub(super) to: Option<String>,
    /// Instead, what a commit that changes these files costs in a running cluster
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with_all = ["to", "runs"])]
    pub(super) commit: Vec<String>,
    /// Simulate this many cold starts with varying durations, and tell how the total varies
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=100_000))]
    pub(super) runs: u32,
    /// What the varying durations are drawn with
    #[arg(long, value_name = "N", default_value_t = 1, requires = "runs")]
    pub(super) seed: u64,
    #[command(flatten)]
    pub(super) question: Question,
}

/// Of what repository a question is asked, and how it is answered.
#[derive(Debug, Args)]
pub(super) struct Question {
    /// Files or folders of the repository; what lies around them is read where it is needed
    #[arg(short = 'C', long = "repository", value_name = "PATH", default_value = ".", help_heading = "Analysis")]
    pub(super) paths: Vec<PathBuf>,
    /// How to write the answer
    #[arg(short = 'o', long = "format", value_name = "FMT", default_value = "text", help_heading = "Output")]
    pub(super) format: AnswerFormat,
    #[command(flatten)]
    pub(super) hardware: Hardware,
    #[command(flatten)]
    pub(super) scope: Scope,
    #[command(flatten)]
    pub(super) configuration: Configuration,
}

/// Which part of a repository is looked at.
#[derive(Debug, Args)]
pub(super) struct Scope {
    /// The folder that every `spec.path` is relative to; found by itself where not given
    #[arg(long, value_name = "DIR", help_heading = "Analysis")]
    pub(super) root: Option<PathBuf>,
    /// Look at this cluster alone
    #[arg(long, value_name = "NAME", help_heading = "Analysis")]
    pub(super) cluster: Option<String>,
}

/// What minutes are told for.
#[derive(Debug, Args)]
pub(super) struct Hardware {
    /// The hardware that minutes are for: slow (the default), a homelab; or fast, a datacentre
    #[arg(long, value_name = "NAME", hide_possible_values = true, help_heading = "Analysis",
        value_parser = PossibleValuesParser::new(Profile::VALUES).try_map(|text| text.parse::<Profile>()))]
    pub(super) profile: Option<Profile>,
}

/// Which configuration file is read.
#[derive(Debug, Args)]
pub(super) struct Configuration {
    /// The configuration file; found by itself where not given
    ///
    /// Else the variable FLUXDAG_CONFIG names it, else it is the nearest fluxdag.toml or .fluxdag.toml around the first
    /// path. Flags are stronger than the file.
    #[arg(long, value_name = "PATH", conflicts_with = "no_config", help_heading = "Analysis")]
    pub(super) config: Option<PathBuf>,
    /// Read no configuration file
    #[arg(long, help_heading = "Analysis")]
    pub(super) no_config: bool,
}

/// Explain a rule: what it reports, why it matters, how to fix it
///
/// Prints the page of the rule, with a bad and a good example, when to leave a finding be, and the sources of what it says.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  fluxdag explain dependency-cycle\n  fluxdag explain dependency-cycle -o markdown")]
pub(super) struct Explain {
    /// The rule; `fluxdag rules` lists them
    pub(super) rule: String,
    /// How to write the page
    #[arg(short = 'o', long = "format", value_name = "FMT", default_value = "text")]
    pub(super) format: PageFormat,
}

/// List the rules
///
/// With the severity of each and one line about it; `fluxdag explain RULE` tells the rest.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  fluxdag rules\n  fluxdag rules -o json")]
pub(super) struct Rules {
    /// How to write the list
    #[arg(short = 'o', long = "format", value_name = "FMT", default_value = "table")]
    pub(super) format: ListFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorChoice {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum PageFormat {
    /// For reading in a terminal
    Text,
    /// The page as it is written
    Markdown,
    /// For programs
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum AnswerFormat {
    /// For reading in a terminal
    Text,
    /// For programs
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ObjectFormat {
    /// One document for each object
    Yaml,
    /// One array of objects
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ObjectOrder {
    /// As they are built
    None,
    /// As `kubectl kustomize` prints them: Namespaces and CRDs first, webhooks last
    Legacy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ShownOrigin {
    /// In YAML only values that do not stand in the object's own document; in JSON all
    Changed,
    /// All values
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ListFormat {
    /// For reading in a terminal
    Table,
    /// For documentation
    Markdown,
    /// For programs
    Json,
}

/// A duration as Go writes it.
fn duration(text: &str) -> Result<Duration, String> {
    crate::flux::parse_duration(text).ok_or_else(|| "expected a duration like 90s, 10m or 1h30m".to_owned())
}
