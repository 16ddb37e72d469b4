//! What a shell may offer behind what was typed so far: commands and flags, rules, names of objects.
//!
//! The script of [`script`] calls the program again with [`VARIABLE`] set, and [`answer`] prints the candidates. Nothing
//! here complains: a shell that completes has no place for that, and offers nothing.

use std::{env, ffi::OsString, panic};

use clap::CommandFactory as _;
use clap_complete::{engine, env::Shells};

use super::{
    args::{Arguments, Completions},
    candidates,
    environment::Environment,
    error::CliError,
    print,
};
use crate::source::Syntax;

/// Set to the name of a shell by its script.
const VARIABLE: &str = "FLUXDAG_COMPLETE";
/// What `flux` calls its plugins with to complete their arguments, as programs made with Cobra do.
const COBRA: &str = "__complete";
/// Cobra's `ShellCompDirectiveDefault`: offer files where there is no candidate.
const DEFAULT: &str = ":0";

/// Prints the script for a shell.
pub(super) fn script(completions: &Completions) -> Result<(), CliError> {
    let failed = |error: &str| CliError::new(format!("failed to make the script: {error}"));
    let name = completions.shell.to_string();
    let shells = Shells::builtins();
    let shell = shells.completer(&name).ok_or_else(|| failed("the shell is not known"))?;
    let mut script = Vec::new();
    let written = shell.write_registration(VARIABLE, "fluxdag", "fluxdag", "fluxdag", &mut script);
    written.map_err(|error| failed(&error.to_string()))?;
    print(&String::from_utf8_lossy(&script), Syntax::Own)
}

/// Answers a shell that asks for candidates; false where none does.
pub(super) fn answer(environment: &Environment) -> bool {
    let arguments = &environment.arguments;
    if arguments.get(1).is_some_and(|argument| argument == COBRA) {
        quietly(|| cobra(arguments));
        return true;
    }
    let Some(shell) = env::var_os(VARIABLE).filter(|shell| !shell.is_empty() && shell != "0") else { return false };
    quietly(|| {
        let shells = Shells::builtins();
        let shell = shells.completer(&shell.to_string_lossy())?;
        let words: Vec<OsString> = arguments.iter().skip_while(|argument| *argument != "--").skip(1).cloned().collect();
        let mut candidates = Vec::new();
        shell.write_complete(&mut command(), words, env::current_dir().ok().as_deref(), &mut candidates).ok()?;
        // Every candidate is one of ours or was found to be safe; what is between them is for the shell.
        print(&String::from_utf8_lossy(&candidates), Syntax::Own).ok()
    });
    true
}

fn command() -> clap::Command {
    // Words are counted from the name of the program on, whatever it was called as.
    guarded(Arguments::command())
}

/// The same command, where no path is offered that a shell would read something into.
fn guarded(command: clap::Command) -> clap::Command {
    command.mut_args(candidates::guarded).mut_subcommands(guarded)
}

fn quietly(ask: impl FnOnce() -> Option<()> + panic::UnwindSafe) {
    panic::set_hook(Box::new(|_| {}));
    // Nothing to offer is an answer too.
    let _ = panic::catch_unwind(ask);
}

fn cobra(arguments: &[OsString]) -> Option<()> {
    let words: Vec<OsString> = arguments.iter().take(1).chain(arguments.iter().skip(2)).cloned().collect();
    let last = words.len().checked_sub(1)?;
    let candidates = engine::complete(&mut command(), words, last, env::current_dir().ok().as_deref()).ok()?;
    let lines = candidates.iter().filter(|candidate| !candidate.is_hide_set()).map(|candidate| {
        let value = candidate.get_value().to_string_lossy();
        let help = candidate.get_help().map(ToString::to_string).unwrap_or_default();
        match help.lines().next() {
            Some(help) => format!("{value}\t{help}\n"),
            None => format!("{value}\n"),
        }
    });
    print(&lines.chain([format!("{DEFAULT}\n")]).collect::<String>(), Syntax::Own).ok()
}
