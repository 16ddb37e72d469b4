//! What questions about a repository share: reading it, and printing the answer.

use std::path::{Path, PathBuf};

use super::{
    args::{AnswerFormat, Global, Question, Target},
    environment::Environment,
    error::CliError,
    print, say,
    settings::Settings,
};
use crate::{
    Options, Session, Survey,
    query::{self, Document},
    report::{Text, document, printable},
    source::Syntax,
    timing,
};

/// Asks a question of the repository around `paths`, and prints the answer.
pub(super) fn ask<A: Document + Text>(
    (paths, question): (&Paths, &Question),
    global: &Global,
    environment: &Environment,
    ask: impl FnOnce(&Session<'_>) -> Result<A, query::Error>,
) -> Result<(), CliError> {
    let (survey, options) = survey(paths, &question.target, environment)?;
    let answer = ask(&Session::new(&survey, &options))?;
    note(&answer, global);
    match question.format {
        AnswerFormat::Text => {
            let terminal = environment.stdout(global.color);
            print(&answer.text(&terminal), terminal.syntax())
        }
        AnswerFormat::Json => print(&document(&answer), Syntax::Json),
    }
}

/// Says what there is to know about a question.
pub(super) fn note(answer: &impl Document, global: &Global) {
    if !global.quiet {
        answer.notes().iter().for_each(|note| say(&format!("note: {}", printable(note))));
    }
}

/// The paths that a question comes with.
pub(super) enum Paths {
    /// What they have to do with is reported.
    Of(Vec<PathBuf>),
    /// They only say which repository is meant; all of it is reported.
    Around(Vec<PathBuf>),
}

impl Paths {
    /// `paths`, or the working directory where there are none.
    pub(super) fn or_here(paths: &[PathBuf]) -> Self {
        Self::Of(or_here(paths.to_vec()))
    }
}

/// `paths`, or the working directory where there are none.
pub(super) fn or_here(paths: Vec<PathBuf>) -> Vec<PathBuf> {
    if paths.is_empty() { vec![PathBuf::from(".")] } else { paths }
}

/// Whether an argument that may be a name or a path is a path: it begins like one, or has a slash and is there.
pub(super) fn is_path(text: &str) -> bool {
    let begins = [".", "..", "/"].iter().any(|start| text == *start || text.starts_with(&format!("{start}/")));
    begins || Path::new(text).is_absolute() || (text.contains('/') && Path::new(text).exists())
}

/// The repository that a question is about, and what was chosen about it.
pub(super) fn survey(paths: &Paths, target: &Target, environment: &Environment) -> Result<(Survey, Options), CliError> {
    let (paths, is_whole) = match paths {
        Paths::Of(paths) => (paths, false),
        Paths::Around(paths) => (paths, true),
    };
    let Settings { options, .. } = Settings::chosen(&target.choices(paths), environment)?;
    let options = Options { is_whole, ..options };
    let survey = crate::survey(paths, &options)
        .map_err(|error| CliError::of_question(error, "point -C at a folder that holds Flux Kustomizations"))?;
    for error in survey.store.tree().unreadable() {
        say(&format!("warning: {}; what lies there is not analysed", printable(&error.to_string())));
    }
    for warning in timing::unmatched(&options.durations, &survey.clusters) {
        say(&format!("warning: {}", printable(&warning)));
    }
    Ok((survey, options))
}

impl From<query::Error> for CliError {
    fn from(error: query::Error) -> Self {
        let message = Self::new(error.to_string());
        match error.help() {
            Some(help) => message.with_help(help),
            None => message,
        }
    }
}
