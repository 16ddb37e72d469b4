use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{AnswerFormat, Choices};

const SHOW_EXAMPLES: &str = "\
Examples:
  fluxdag config show                        What `fluxdag lint` would do here, and who says so
  fluxdag config show --fail-on warning      The same with a flag
  fluxdag config show clusters -o json       Of another folder, for a program";

const INIT_EXAMPLES: &str = "\
Examples:
  fluxdag init              Write fluxdag.toml for the repository around the current folder
  fluxdag init ../fleet     For another one
  fluxdag init --stdout     Print it instead; `fluxdag init -` does the same
  fluxdag init --force      Write it anew

Exit codes:
  0  written
  2  the job could not be done, for instance because there is such a file";

/// Show the configuration in force, or the schema of its file
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  fluxdag config show\n  fluxdag config schema > fluxdag.schema.json",
    arg_required_else_help = true
)]
pub(in crate::cli) struct Configure {
    #[command(subcommand)]
    pub(in crate::cli) command: ConfigureCommand,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ConfigureCommand {
    // What commands print about themselves stands at their arguments: a comment here would hide all but one line of it.
    Show(Box<ConfigShow>),
    Schema(ConfigSchema),
}

/// Print every setting, and where it comes from
///
/// Takes the flags of `fluxdag lint` and reads the same configuration. A setting comes from a flag, the environment, a line of
/// the configuration file, or is the default.
#[derive(Debug, Args)]
#[command(after_help = SHOW_EXAMPLES)]
pub(in crate::cli) struct ConfigShow {
    /// How to print the settings
    #[arg(short = 'o', long = "format", value_name = "FMT", default_value = "text", help_heading = "Output")]
    pub(in crate::cli) format: AnswerFormat,
    #[command(flatten)]
    pub(in crate::cli) choices: Choices,
}

/// Print the JSON Schema of fluxdag.toml
///
/// Editors with Taplo or Tombi complete and check the file with it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  fluxdag config schema\n  fluxdag config schema > fluxdag.schema.json")]
pub(in crate::cli) struct ConfigSchema {}

/// Write a configuration file that fits the repository
///
/// Looks at the repository and writes a fluxdag.toml with everything that may be set, commented out, with the values that fit:
/// the clusters that were found, what could not be resolved, how long the longest path is. The file changes nothing until a
/// line is uncommented. It goes to the top of the Git repository, or without Git to the artifact root, or the
/// given folder where that lies further up.
#[derive(Debug, Args)]
#[command(after_help = INIT_EXAMPLES)]
pub(in crate::cli) struct Init {
    /// A folder of the repository; `-` prints the file for the one around the current folder
    #[arg(value_name = "PATH", default_value = ".")]
    pub(in crate::cli) path: PathBuf,
    /// Print the file instead of writing it
    #[arg(long, conflicts_with = "force")]
    pub(in crate::cli) stdout: bool,
    /// Replace a configuration file that is there
    #[arg(long)]
    pub(in crate::cli) force: bool,
}
