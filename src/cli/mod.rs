//! The command line: arguments in, text and an exit code out. One file per command; clap is used here alone.
//!
//! Data goes to standard output, talk to standard error. Exit codes: 0 nothing to complain of, 1 findings at or above
//! `--fail-on`, 2 the job could not be done.

mod args;
mod baseline;
mod candidates;
mod completion;
mod config;
mod configured;
mod diff;
mod door;
mod environment;
mod error;
mod explain;
mod files;
mod impact;
mod init;
mod lint;
mod list;
mod man;
mod origins;
mod output;
mod progress;
mod question;
mod render;
mod rules;
mod settings;
mod stdin;
mod timeline;
mod what_if;
mod why;

use std::{
    panic::{self, PanicHookInfo},
    path::PathBuf,
    process::ExitCode,
};

use clap::{CommandFactory as _, FromArgMatches as _};

use self::{
    args::{Arguments, Command},
    door::{is_terminal, print, say, say_on},
    environment::Environment,
    error::CliError,
};
use crate::{report::Terminal, source::printable};

const FOUND: u8 = 1;
const FAILED: u8 = 2;

/// Runs the program: reads the arguments of the process, and never panics.
#[must_use]
pub fn main() -> ExitCode {
    panic::set_hook(Box::new(report_panic));
    ExitCode::from(guard(|| run(&Environment::of_process())))
}

/// The exit code of `run`, also where it panics.
fn guard(run: impl FnOnce() -> u8 + panic::UnwindSafe) -> u8 {
    panic::catch_unwind(run).unwrap_or(FAILED)
}

fn report_panic(info: &PanicHookInfo<'_>) {
    let place = info.location().map_or_else(|| "somewhere".to_owned(), ToString::to_string);
    let payload = info.payload();
    let what = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let error = CliError::new(format!("internal: {} ({place})", printable(what.unwrap_or("no message"))))
        .with_help("this is a bug in fluxdag, please report it with the command and, where you can, the files");
    let environment = Environment::of_process();
    error.print(&environment.stderr(environment.color_argument()));
}

fn run(environment: &Environment) -> u8 {
    if completion::answer(environment) {
        return 0;
    }
    let color = environment.color_argument();
    let choice = |terminal: bool| if terminal { clap::ColorChoice::Always } else { clap::ColorChoice::Never };
    let parse = |stream: bool| {
        let matches = Arguments::command().color(choice(stream)).try_get_matches_from(&environment.arguments)?;
        Arguments::from_arg_matches(&matches)
    };
    let arguments = match parse(environment.stdout(color).color) {
        Ok(arguments) => arguments,
        Err(error) => return complain(&error, environment),
    };
    let result = enter(&arguments.global.directory).and_then(|()| dispatch(&arguments, environment));
    result.unwrap_or_else(|error| {
        error.print(&environment.stderr(arguments.global.color));
        FAILED
    })
}

/// Prints what clap says: help, or what is wrong with the arguments, which a pipeline may take from names of files.
fn complain(error: &clap::Error, environment: &Environment) -> u8 {
    let color = environment.color_argument();
    let text = |terminal: &Terminal| match terminal.color {
        true => error.render().ansi().to_string(),
        false => error.render().to_string(),
    };
    if error.use_stderr() {
        let terminal = environment.stderr(color);
        say_on(&terminal, text(&terminal).trim_end_matches('\n'));
        return FAILED;
    }
    let terminal = environment.stdout(color);
    // Where even that cannot be written there is nobody left to tell.
    let _ = print(&text(&terminal), terminal.syntax());
    0
}

/// Goes to the folders of `-C`, one after the other.
#[expect(clippy::disallowed_methods, reason = "`-C` is to be as if the program had been started there")]
fn enter(folders: &[PathBuf]) -> Result<(), CliError> {
    for folder in folders {
        std::env::set_current_dir(folder).map_err(|error| {
            CliError::new(format!("failed to go to the folder {}: {error}", folder.display()))
                .with_help("-C names a folder to go to first; a file to report on is a PATH of the command")
        })?;
    }
    Ok(())
}

fn dispatch(arguments: &Arguments, environment: &Environment) -> Result<u8, CliError> {
    match &arguments.command {
        Command::Lint(lint) => lint::run(lint, &arguments.global, environment),
        Command::Render(render) => render::run(render, &arguments.global, environment),
        Command::Why(why) => why::run(why, &arguments.global, environment).map(|()| 0),
        Command::Impact(impact) => impact::run(impact, &arguments.global, environment).map(|()| 0),
        Command::WhatIf(what_if) => what_if::run(what_if, &arguments.global, environment).map(|()| 0),
        Command::Timeline(timeline) => timeline::run(timeline, &arguments.global, environment).map(|()| 0),
        Command::List(list) => list::run(list, &arguments.global, environment).map(|()| 0),
        Command::Diff(diff) => diff::run(diff, &arguments.global, environment),
        Command::Explain(explain) => explain::run(explain, &arguments.global, environment).map(|()| 0),
        Command::Rules(rules) => rules::run(rules, &arguments.global, environment).map(|()| 0),
        Command::Init(init) => init::run(init, &arguments.global).map(|()| 0),
        Command::Configure(configure) => config::run(configure, environment).map(|()| 0),
        Command::Completions(completions) => completion::script(completions).map(|()| 0),
        Command::Man(man) => man::run(man, &arguments.global).map(|()| 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_exit_code_2() {
        assert_eq!(guard(|| panic!("expected in this test")), FAILED);
        assert_eq!(guard(|| 0), 0);
    }

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }
}
