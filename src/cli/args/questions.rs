use std::path::PathBuf;

use clap::{Args, ValueEnum};
use clap_complete::engine::ArgValueCompleter;

use super::{Choices, Configuration, Hardware, Scope};
use crate::cli::candidates;

const WHY_EXAMPLES: &str = "\
Examples:
  fluxdag why apps                       What `apps` waits for, and the chain that decides when it is Ready
  fluxdag why apps cert-manager          Through what `apps` waits for `cert-manager`
  fluxdag why hr/media/plex              The same of a HelmRelease
  fluxdag why apps clusters/prod         Where several clusters have one
  fluxdag why apps --cluster prod        The same
  fluxdag why apps -- clusters           Behind `--` there are paths alone
  fluxdag why apps -C ../fleet -o json   Of another repository, for a program

Exit codes:
  0  answered, whatever the answer
  2  the job could not be done";

const IMPACT_EXAMPLES: &str = "\
Examples:
  fluxdag impact cert-manager                What waits for it, at each commit and on a cold start
  fluxdag impact apps/base/web.yaml          What is built from a file, and what that reaches
  fluxdag impact ./apps                      The same of all files below a folder
  fluxdag impact core -- clusters/prod       In the cluster of that folder
  fluxdag impact $(git diff --name-only --diff-filter=d)
                                             What the changes in the work tree reach
  fluxdag impact hr/media/plex -o json       For a program

Exit codes:
  0  answered, whatever the answer
  2  the job could not be done";

const WHAT_IF_EXAMPLES: &str = "\
Examples:
  fluxdag what-if --unset-wait core                      Without the gate of `core`
  fluxdag what-if --drop-edge apps:infra                 Without that dependency
  fluxdag what-if --drop-edge apps:infra --add-edge apps:dns
                                                         With a narrower one
  fluxdag what-if --move HelmRelease/obs/loki:obs        With loki in another Kustomization
  fluxdag what-if --split core -o json                   With the heavy charts of `core` in one of their own
  fluxdag what-if --timeout core=20m                     With a timeout that fits
  fluxdag what-if --slow kube-prometheus-stack=2x        On a bad day
  fluxdag what-if --fail core                            Where `core` never becomes Ready";

const TIMELINE_EXAMPLES: &str = "\
Examples:
  fluxdag timeline                        The cold start of each cluster
  fluxdag timeline clusters/prod          Of one of them
  fluxdag timeline apps                   Of what a folder defines, contains, or is read by
  fluxdag timeline --to apps              What `apps` waits for, and how long
  fluxdag timeline --commit apps/base/web.yaml
                                          What a change of that file costs in a running cluster
  fluxdag timeline --runs 1000            How the total varies with durations
  fluxdag timeline -o json                All of it for a program";

/// Say what something waits for, or through what it waits for something else
///
/// Of one object: what it waits for, longest first, the chain that decides when it starts and when it is Ready,
/// and the loop that keeps it from ever being so. Of two: the shortest chains through which the first waits for the
/// second.
///
/// Objects are named as NAME, NAMESPACE/NAME, KIND/NAME or KIND/NAMESPACE/NAME; `ks` and `hr` are short for Kustomization
/// and HelmRelease. Without a kind a Kustomization is meant, else a HelmRelease, else any other object.
///
/// An argument behind the first is a path where it begins with `.` or `/`, or has a slash and is there: it says which
/// cluster, and which of several objects of a name is meant.
#[derive(Debug, Args)]
#[command(after_help = WHY_EXAMPLES)]
pub(in crate::cli) struct Why {
    /// What waits
    #[arg(value_name = "A", add = ArgValueCompleter::new(candidates::nodes))]
    pub(in crate::cli) node: String,
    /// What it may wait for, and files or folders
    #[arg(value_name = "B|PATH", add = ArgValueCompleter::new(candidates::nodes_and_files))]
    pub(in crate::cli) others: Vec<String>,
    /// Files or folders
    #[arg(last = true, value_name = "PATH")]
    pub(in crate::cli) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) question: Question,
}

/// Say what a change or a failure reaches
///
/// What reconciles with each new revision, what waits for it then, what starts or is Ready only behind it in a cold start,
/// and so never does where it fails. Of several arguments it tells what all of them together reach.
///
/// An argument is the name of an object, as for `fluxdag why`, or else a file or folder, from the working directory or
/// from the artifact root. Where both fit, the object is meant; `./apps` is always a path. The repository is the one around
/// the paths behind `--`, else around files that are named as paths, else around the working directory.
#[derive(Debug, Args)]
#[command(after_help = IMPACT_EXAMPLES)]
pub(in crate::cli) struct Impact {
    /// Names of objects, files or folders
    #[arg(value_name = "NODE|FILE", required = true, add = ArgValueCompleter::new(candidates::nodes_and_files))]
    pub(in crate::cli) about: Vec<String>,
    /// Files or folders: which cluster, and which of several objects of a name is meant
    #[arg(last = true, value_name = "PATH")]
    pub(in crate::cli) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) question: Question,
}

/// Say what a change would do to the minutes of a cold start
///
/// Makes the change in mind, not in the files, and puts the two cold starts side by side: timeouts off, what the rollout
/// needs. Changes may be given together and more than once; names are as for `fluxdag why`.
#[derive(Debug, Args)]
#[command(after_help = WHAT_IF_EXAMPLES)]
pub(in crate::cli) struct WhatIf {
    /// Files or folders: which cluster, and which of several objects of a name is meant
    #[arg(value_name = "PATH", default_value = ".")]
    pub(in crate::cli) paths: Vec<PathBuf>,
    /// Take `wait` and `healthChecks` off a Kustomization
    #[arg(long, value_name = "NODE", help_heading = "Changes", add = ArgValueCompleter::new(candidates::nodes))]
    pub(in crate::cli) unset_wait: Vec<String>,
    /// Drop an entry of `dependsOn`
    #[arg(long, value_name = "NODE:DEPENDENCY", help_heading = "Changes")]
    pub(in crate::cli) drop_edge: Vec<String>,
    /// Add an entry to `dependsOn`
    #[arg(long, value_name = "NODE:DEPENDENCY", help_heading = "Changes")]
    pub(in crate::cli) add_edge: Vec<String>,
    /// Let another Kustomization apply an object
    #[arg(long = "move", value_name = "OBJECT:NODE", help_heading = "Changes")]
    pub(in crate::cli) move_object: Vec<String>,
    /// Give what takes longest in a Kustomization one of its own
    #[arg(long, value_name = "NODE", help_heading = "Changes", add = ArgValueCompleter::new(candidates::nodes))]
    pub(in crate::cli) split: Vec<String>,
    /// Give a Kustomization another timeout: it counts for what the controllers make of it
    #[arg(long, value_name = "NODE=15m", help_heading = "Changes")]
    pub(in crate::cli) timeout: Vec<String>,
    /// Let a chart take so many times as long
    #[arg(long, value_name = "CHART=2x", help_heading = "Changes")]
    pub(in crate::cli) slow: Vec<String>,
    /// Let a Kustomization never become Ready
    #[arg(long, value_name = "NODE", help_heading = "Changes", add = ArgValueCompleter::new(candidates::nodes))]
    pub(in crate::cli) fail: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) question: Question,
}

/// Say when everything happens in a cold start
///
/// A line for each Kustomization and HelmRelease, from its start until it is Ready, and the critical path: the chain that
/// decides when all is done. Timeouts and failed attempts are left out: it is what the rollout needs.
#[derive(Debug, Args)]
#[command(after_help = TIMELINE_EXAMPLES)]
pub(in crate::cli) struct Timeline {
    /// Files or folders to report on; the repository around them is read as a whole
    #[arg(value_name = "PATH", default_value = ".")]
    pub(in crate::cli) paths: Vec<PathBuf>,
    /// Only up to this object: what it waits for, and the path to it
    #[arg(long, value_name = "NODE", add = ArgValueCompleter::new(candidates::nodes))]
    pub(in crate::cli) to: Option<String>,
    /// Instead, what a commit that changes these files costs in a running cluster
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with_all = ["to", "runs"])]
    pub(in crate::cli) commit: Vec<String>,
    /// Simulate this many cold starts with varying durations, and tell how the total varies
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=100_000))]
    pub(in crate::cli) runs: u32,
    /// What the varying durations are drawn with
    #[arg(long, value_name = "N", default_value_t = 1, requires = "runs")]
    pub(in crate::cli) seed: u64,
    #[command(flatten)]
    pub(in crate::cli) question: Question,
}

/// How a question is answered, and of what.
#[derive(Debug, Args)]
pub(in crate::cli) struct Question {
    #[command(flatten)]
    pub(in crate::cli) target: Target,
    /// How to write the answer
    #[arg(short = 'o', long = "format", value_name = "FMT", default_value = "text", help_heading = "Output")]
    pub(in crate::cli) format: AnswerFormat,
}

/// How the repository that a command is about is analysed.
#[derive(Debug, Args)]
pub(in crate::cli) struct Target {
    #[command(flatten)]
    pub(in crate::cli) hardware: Hardware,
    #[command(flatten)]
    pub(in crate::cli) scope: Scope,
    #[command(flatten)]
    pub(in crate::cli) configuration: Configuration,
}

impl Target {
    /// The same for [`Settings::chosen`](crate::cli::settings::Settings::chosen), with the paths of a command.
    pub(in crate::cli) fn choices(&self, paths: &[PathBuf]) -> Choices {
        Choices {
            paths: paths.to_vec(),
            scope: self.scope.clone(),
            hardware: self.hardware.clone(),
            configuration: self.configuration.clone(),
            ..Choices::default()
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum AnswerFormat {
    /// For reading in a terminal
    Text,
    /// For programs
    Json,
}
