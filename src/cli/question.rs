//! What questions about a repository share: reading it, and printing the answer.

use super::{
    args::{AnswerFormat, Global, Question},
    environment::Environment,
    error::CliError,
    print, say,
    settings::Settings,
};
use crate::{
    Options, Session, Survey,
    query::{self, Document},
    report::{Text, document, printable},
    timing,
};

/// Asks a question of the repository that it is about, and prints the answer.
pub(super) fn ask<A: Document + Text>(
    question: &Question,
    global: &Global,
    environment: &Environment,
    ask: impl FnOnce(&Session<'_>) -> Result<A, query::Error>,
) -> Result<(), CliError> {
    let (survey, options) = survey(question, environment)?;
    let answer = ask(&Session::new(&survey, &options))?;
    if !global.quiet {
        answer.notes().iter().for_each(|note| say(&format!("note: {}", printable(note))));
    }
    print(match question.format {
        AnswerFormat::Text => answer.text(&environment.stdout(global.color)),
        AnswerFormat::Json => document(&answer),
    })
}

/// The clusters that a question is about, and what was chosen about them.
pub(super) fn survey(question: &Question, environment: &Environment) -> Result<(Survey, Options), CliError> {
    let Settings { options, paths, .. } = Settings::chosen(&question.target.choices(), environment)?;
    let survey = crate::survey(&paths, &options)
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
