use super::{
    args::{Global, Why},
    environment::Environment,
    error::CliError,
    question::ask,
};

/// Says what something waits for.
pub(super) fn run(why: &Why, global: &Global, environment: &Environment) -> Result<(), CliError> {
    match &why.on {
        None => ask(&why.question, global, environment, |session| session.why(&why.node)),
        Some(on) => ask(&why.question, global, environment, |session| session.why_on(&why.node, on)),
    }
}
