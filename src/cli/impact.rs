use std::path::PathBuf;

use super::{
    args::{Global, Impact},
    environment::Environment,
    error::CliError,
    question::{Paths, ask, is_path},
};

/// Says what a change or a failure reaches.
pub(super) fn run(impact: &Impact, global: &Global, environment: &Environment) -> Result<(), CliError> {
    // What is asked about says where the repository is, and narrows nothing: a file may matter to several clusters.
    let files = impact.about.iter().filter(|text| is_path(text)).map(PathBuf::from);
    let files: Vec<PathBuf> = files.filter(|path| path.exists()).collect();
    let paths = match impact.paths.is_empty() && !files.is_empty() {
        true => Paths::Around(files),
        false => Paths::or_here(&impact.paths),
    };
    ask((&paths, &impact.question), global, environment, |session| session.impact(&impact.about))
}
