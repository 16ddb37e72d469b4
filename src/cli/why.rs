use std::path::{Path, PathBuf};

use super::{
    args::{Global, Why},
    environment::Environment,
    error::CliError,
    question::{Paths, ask, is_path, or_here},
};

/// Says what something waits for.
pub(super) fn run(why: &Why, global: &Global, environment: &Environment) -> Result<(), CliError> {
    let (on, paths) = behind(why)?;
    let alone = |paths: Vec<PathBuf>| {
        ask((&Paths::Of(paths), &why.question), global, environment, |session| session.why(&why.node))
    };
    let Some(on) = on else { return alone(paths) };
    let about = (&Paths::Of(paths), &why.question);
    let answer = ask(about, global, environment, |session| session.why_on(&why.node, on));
    match answer {
        // A word that names no object but a file or folder is a path, as for all other commands.
        Err(error) if Path::new(on).exists() => {
            alone(why.paths.iter().cloned().chain([PathBuf::from(on)]).collect()).map_err(|_| error)
        }
        answer => answer,
    }
}

/// What stands behind the first argument: a name, and paths.
fn behind(why: &Why) -> Result<(Option<&str>, Vec<PathBuf>), CliError> {
    let (paths, names): (Vec<&String>, Vec<&String>) = why.others.iter().partition(|text| is_path(text));
    if let [_, third, ..] = names.as_slice() {
        return Err(CliError::new(format!("`{third}` is one name too many: two are compared"))
            .with_help("write a path that has no slash as `./name`, or behind `--`"));
    }
    let paths = paths.into_iter().map(PathBuf::from).chain(why.paths.clone()).collect();
    Ok((names.first().map(|name| name.as_str()), or_here(paths)))
}
