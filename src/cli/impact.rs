use super::{
    args::{Global, Impact},
    environment::Environment,
    error::CliError,
    question::ask,
};

/// Says what a change or a failure reaches.
pub(super) fn run(impact: &Impact, global: &Global, environment: &Environment) -> Result<(), CliError> {
    ask(&impact.question, global, environment, |session| session.impact(&impact.about))
}
