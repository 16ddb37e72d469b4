//! The configuration file: found, and read.

use std::{
    env, io,
    path::{Path, PathBuf},
};

use super::{
    error::CliError,
    files::{self, NamedBy},
};
use crate::config::{self, Config, ConfigError};

/// Bytes of the largest file that is read.
const MOST: u64 = 1024 * 1024;

/// The configuration in force.
#[derive(Default)]
pub(super) struct Configured {
    pub(super) config: Config,
    /// Its file, where there is one.
    pub(super) file: Option<PathBuf>,
    /// The folder of that, where it was found around the paths, and so marks a repository.
    pub(super) marked: Option<PathBuf>,
}

/// The configuration in the file that the user named, or else in the one around `paths`.
pub(super) fn configured(named: Option<PathBuf>, paths: &[PathBuf]) -> Result<Configured, CliError> {
    let found = match named {
        Some(path) => Some(Found { path, within: None }),
        None => discovered(paths)?,
    };
    let Some(Found { path, within }) = found else {
        return Ok(Configured::default());
    };
    let named_by = if within.is_some() { NamedBy::Repository } else { NamedBy::User };
    let text = files::read(&path, named_by, MOST).map_err(|error| {
        let help = match error.kind() {
            io::ErrorKind::InvalidData => "save it as UTF-8, or pass --no-config",
            _ if within.is_some() => "check that it can be read, or pass --no-config",
            _ => "check the path that --config or FLUXDAG_CONFIG names, or pass --no-config",
        };
        CliError::new(format!("failed to read the configuration {}: {error}", path.display())).with_help(help)
    })?;
    let config = Config::parse(&text, &path, within.as_deref())?;
    Ok(Configured { config, file: Some(path), marked: within })
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        let message = Self::new(error.to_string());
        match error.help() {
            Some(help) => message.with_help(help),
            None => message,
        }
    }
}

/// A configuration file.
struct Found {
    path: PathBuf,
    /// The repository that has it; `None` for a file that the user named, and so trusts.
    within: Option<PathBuf>,
}

/// The nearest file around the first path, no further up than the Git repository around it, where there is one.
fn discovered(paths: &[PathBuf]) -> Result<Option<Found>, CliError> {
    // A path that is not there is for the analysis to complain of.
    let Some(Ok(first)) = paths.first().map(|path| path.canonicalize()) else { return Ok(None) };
    let start = if first.is_dir() { first.as_path() } else { first.parent().unwrap_or(&first) };
    let repository = start.ancestors().find(|folder| folder.join(".git").exists());
    let Some(path) = config::find(start, repository)? else { return Ok(None) };
    // Without Git the file is at the top of the repository: it marks it.
    let top = repository.or(path.parent()).unwrap_or(start).to_owned();
    let here = env::current_dir().and_then(|here| here.canonicalize()).unwrap_or_default();
    let path = path.strip_prefix(&here).map(Path::to_owned).unwrap_or(path);
    Ok(Some(Found { path, within: Some(top) }))
}
