//! Which configuration file is in force, and what the flags make of it.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use super::{
    args::{Configuration, Lint},
    environment::Environment,
    error::CliError,
};
use crate::{
    Options,
    config::{self, Config, ConfigError, FailOn},
    finding::Confidence,
    report::Filter,
};

/// What is in force: flags, then the environment, then the file, then what is built in.
#[derive(Debug)]
pub(super) struct Settings {
    /// The configuration file, where there is one.
    pub(super) file: Option<PathBuf>,
    pub(super) options: Options,
    pub(super) filter: Filter,
    pub(super) fail_on: FailOn,
}

impl Settings {
    /// Finds and reads the configuration file, and lays the flags over it.
    pub(super) fn of(lint: &Lint, environment: &Environment) -> Result<Self, CliError> {
        let (config, file) = configured(&lint.configuration, &lint.paths, lint.scope.root.as_deref(), environment)?;
        Ok(Self::merged(lint, config, file))
    }

    pub(super) fn merged(lint: &Lint, config: Config, file: Option<PathBuf>) -> Self {
        let fail_on = if lint.exit_zero { Some(FailOn::Never) } else { lint.fail_on.or(config.fail_on) };
        let built_in = Filter::default();
        Self {
            file,
            options: Options {
                root: lint.scope.root.clone().or(config.root),
                cluster: lint.scope.cluster.clone(),
                max_path: lint.max_path.or(config.max_path),
                pedantic: lint.pedantic,
                flux_version: config.flux_version,
                sources: config.sources,
                profile: lint.hardware.profile.or(config.profile).unwrap_or_default(),
                durations: config.durations,
                no_ignore_comments: lint.no_ignore_comments,
                require_reason: config.require_reason.unwrap_or_default(),
                revision: None,
            },
            filter: Filter {
                min_severity: lint.min_severity.or(config.min_severity).unwrap_or(built_in.min_severity),
                min_confidence: lint.min_confidence.or(config.min_confidence).unwrap_or(if lint.pedantic {
                    Confidence::Low
                } else {
                    built_in.min_confidence
                }),
            },
            fail_on: fail_on.unwrap_or_default(),
        }
    }
}

/// The configuration in force around `paths`, and its file, where there is one.
pub(super) fn configured(
    wanted: &Configuration,
    paths: &[PathBuf],
    root: Option<&Path>,
    environment: &Environment,
) -> Result<(Config, Option<PathBuf>), CliError> {
    let named = wanted.config.clone().or_else(|| environment.config().map(PathBuf::from));
    let found = match named {
        _ if wanted.no_config => None,
        Some(path) => Some(Found { path, within: None }),
        None => discovered(paths, root)?,
    };
    let Some(Found { path, within }) = found else { return Ok((Config::default(), None)) };
    let text = fs::read_to_string(&path).map_err(|error| {
        CliError::new(format!("failed to read the configuration {}: {error}", path.display()))
            .with_help("check the path that --config or FLUXDAG_CONFIG names, or pass --no-config")
    })?;
    Ok((Config::parse(&text, &path, within.as_deref())?, Some(path)))
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

/// The nearest file around the first path: within its Git repository, else within what Flux would take for one.
fn discovered(paths: &[PathBuf], root: Option<&Path>) -> Result<Option<Found>, CliError> {
    // A path that is not there is for the analysis to complain of.
    let Some(Ok(first)) = paths.first().map(|path| path.canonicalize()) else { return Ok(None) };
    let start = if first.is_dir() { first.as_path() } else { first.parent().unwrap_or(&first) };
    let repository = start.ancestors().find(|folder| folder.join(".git").exists());
    let top = match repository {
        Some(top) => top.to_owned(),
        None if config::find(start, Some(start))?.is_some() => start.to_owned(),
        // Finding the root reads the repository: not without need.
        None if matches!(config::find(start, None), Ok(None)) => return Ok(None),
        None => {
            let root = crate::artifact_root(paths, root).ok();
            root.filter(|root| start.starts_with(root)).unwrap_or_else(|| start.to_owned())
        }
    };
    let here = env::current_dir().and_then(|here| here.canonicalize()).unwrap_or_default();
    let found = config::find(start, Some(&top))?;
    Ok(found.map(|path| {
        let path = path.strip_prefix(&here).map(Path::to_owned).unwrap_or(path);
        Found { path, within: Some(top) }
    }))
}
