//! What the command line may say: one file per command, or per family of them.

mod choices;
mod config;
mod diff;
mod lint;
mod list;
mod questions;
mod render;
mod rules;
mod setup;

use std::path::PathBuf;

use clap::{
    Args, Parser, Subcommand, ValueEnum, ValueHint,
    builder::{PossibleValuesParser, TypedValueParser as _},
};
use clap_complete::engine::ArgValueCandidates;

pub(super) use self::{
    choices::Choices,
    config::{ConfigSchema, ConfigShow, Configure, ConfigureCommand, Init},
    diff::{Diff, DiffFormat},
    lint::Lint,
    list::{List, ListingFormat},
    questions::{AnswerFormat, Impact, Question, Target, Timeline, WhatIf, Why},
    render::{ObjectFormat, ObjectOrder, Render, ShownOrigin},
    rules::{Explain, ListFormat, PageFormat, Rules},
    setup::{Completions, Man},
};
use super::candidates;
use crate::timing::Profile;

const EXAMPLES: &str = "\
Examples:
  fluxdag lint                        Check the repository around the current folder
  fluxdag lint clusters/prod          Check one cluster of it
  fluxdag lint --since origin/main    Check what a branch adds
  fluxdag render apps --origin        Print what a Kustomization applies, and what decides it
  fluxdag list                        Say what there is, and whether it becomes Ready
  fluxdag why apps                    Say what a Kustomization waits for, and how long
  fluxdag impact apps/base/web.yaml   Say what a change of a file reaches
  fluxdag init                        Write a configuration file that fits the repository
  fluxdag diff origin/main            Say what lies between two revisions
  fluxdag explain dependency-cycle    What a rule reports, why, and how to fix it

Exit codes:
  0  nothing at or above --fail-on
  1  findings at or above --fail-on
  2  the job could not be done";

/// Find deadlocks, fragile gates and slow rollouts in Flux GitOps repositories, without a cluster
///
/// Reads the manifests, builds them as Flux does, and checks the graph of who waits for whom. Needs no cluster and no
/// network.
#[derive(Debug, Parser)]
#[command(name = "fluxdag", bin_name = "fluxdag", version = env!("FLUXDAG_VERSION"), after_help = EXAMPLES, max_term_width = 110)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    pub(in crate::cli) global: Global,
    #[command(subcommand)]
    pub(in crate::cli) command: Command,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(in crate::cli) struct Global {
    /// Go to this folder first, as git and cargo do: all paths count from there
    ///
    /// Given more than once, each counts from the one before.
    #[arg(short = 'C', long = "directory", alias = "repository", global = true, value_name = "DIR",
        value_hint = ValueHint::DirPath)]
    pub(in crate::cli) directory: Vec<PathBuf>,
    /// When to use colours
    ///
    /// `auto` heeds NO_COLOR, FORCE_COLOR, CLICOLOR_FORCE, CLICOLOR and TERM, in this order.
    #[arg(long, global = true, value_name = "WHEN")]
    pub(in crate::cli) color: Option<ColorChoice>,
    /// Print nothing but the findings
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(in crate::cli) quiet: bool,
    /// Say what was looked at, and what could not be resolved
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(in crate::cli) verbose: u8,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    // What commands print about themselves stands at their arguments: a comment here would hide all but one line of it.
    Lint(Lint),
    Render(Render),
    Why(Why),
    Impact(Impact),
    WhatIf(WhatIf),
    Timeline(Timeline),
    List(List),
    Diff(Diff),
    Explain(Explain),
    Rules(Rules),
    Init(Init),
    #[command(name = "config")]
    Configure(Configure),
    Completions(Completions),
    Man(Man),
}

/// Which part of a repository is looked at.
#[derive(Debug, Default, Clone, Args)]
pub(in crate::cli) struct Scope {
    /// The folder that every `spec.path` is relative to; found by itself where not given
    #[arg(long, value_name = "DIR", help_heading = "Analysis")]
    pub(in crate::cli) root: Option<PathBuf>,
    /// Look at this cluster alone
    #[arg(long, value_name = "NAME", help_heading = "Analysis", add = ArgValueCandidates::new(candidates::clusters))]
    pub(in crate::cli) cluster: Option<String>,
}

/// What minutes are for.
#[derive(Debug, Default, Clone, Args)]
pub(in crate::cli) struct Hardware {
    /// The hardware that minutes are for: slow (the default), a homelab; or fast, a datacentre
    #[arg(long, value_name = "NAME", hide_possible_values = true, help_heading = "Analysis",
        value_parser = PossibleValuesParser::new(Profile::VALUES).try_map(|text| text.parse::<Profile>()))]
    pub(in crate::cli) profile: Option<Profile>,
}

/// Which configuration file is read.
#[derive(Debug, Default, Clone, Args)]
pub(in crate::cli) struct Configuration {
    /// The configuration file; found by itself where not given
    ///
    /// Else the variable FLUXDAG_CONFIG names it, else it is the nearest fluxdag.toml or .fluxdag.toml around the first
    /// path. Flags are stronger than the file.
    #[arg(long, value_name = "PATH", conflicts_with = "no_config", help_heading = "Analysis")]
    pub(in crate::cli) config: Option<PathBuf>,
    /// Read no configuration file
    #[arg(long, help_heading = "Analysis")]
    pub(in crate::cli) no_config: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum When {
    Auto,
    Always,
    Never,
}

pub(in crate::cli) type ColorChoice = When;
