use std::path::PathBuf;

use clap::{Args, CommandFactory as _};
use clap_complete::{
    Shell,
    engine::{ArgValueCandidates, CompletionCandidate},
};

use super::Arguments;

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  fluxdag completions bash                      Print the script for bash
  source <(fluxdag completions bash)            Use it, in ~/.bashrc
  source <(fluxdag completions zsh)             In ~/.zshrc
  source (fluxdag completions fish | psub)      In ~/.config/fish/config.fish
  eval (fluxdag completions elvish | slurp)     In rc.elv
  (& fluxdag completions powershell) | Out-String | Invoke-Expression
                                                In $PROFILE";

/// Print a script that lets a shell complete commands, flags, rules and names of objects
///
/// The script asks fluxdag itself, so it always completes what the installed version knows. Names of objects come from the
/// repository around the working directory, or the one that -C names.
#[derive(Debug, Args)]
#[command(after_help = COMPLETIONS_EXAMPLES)]
pub(in crate::cli) struct Completions {
    /// The shell
    pub(in crate::cli) shell: Shell,
}

const MAN_EXAMPLES: &str = "\
Examples:
  fluxdag man                                 Print the manual page; `fluxdag man | man -l -` shows it
  fluxdag man lint                            Print that of a command
  fluxdag man --out ~/.local/share/man/man1   Install them all";

/// Print the manual page, or write those of all commands
#[derive(Debug, Args)]
#[command(after_help = MAN_EXAMPLES)]
pub(in crate::cli) struct Man {
    /// The command whose page to print
    #[arg(conflicts_with = "out", add = ArgValueCandidates::new(commands))]
    pub(in crate::cli) command: Option<String>,
    /// Write the page of every command to this folder, which is made where it is not there
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) out: Option<PathBuf>,
}

/// The commands.
fn commands() -> Vec<CompletionCandidate> {
    let command = Arguments::command();
    command.get_subcommands().map(|command| CompletionCandidate::new(command.get_name())).collect()
}
