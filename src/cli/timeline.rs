use super::{
    args::{Global, Timeline},
    environment::Environment,
    error::CliError,
    question::{Paths, ask},
};
use crate::query::TimelineOptions;

/// Says when everything happens in a cold start, or what a commit costs.
pub(super) fn run(timeline: &Timeline, global: &Global, environment: &Environment) -> Result<(), CliError> {
    let about = (&Paths::or_here(&timeline.paths), &timeline.question);
    if !timeline.commit.is_empty() {
        return ask(about, global, environment, |session| session.commit(&timeline.commit));
    }
    let options = TimelineOptions { to: timeline.to.clone(), runs: timeline.runs, seed: timeline.seed };
    ask(about, global, environment, |session| session.timeline(&options))
}
