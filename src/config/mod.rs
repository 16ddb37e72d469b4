//! `fluxdag.toml`: what a repository has to say about its own analysis. Text in, a checked [`Config`] out.
//!
//! Flux never reads TOML, so the file does no harm wherever it lies. Every key is optional, an unknown one is an error,
//! and a flag of the command line is stronger than the file.

mod durations;
mod error;
mod file;
mod levels;
mod objects;
mod places;
mod rules;
mod schema;
mod texts;
mod values;

pub use error::ConfigError;
pub use levels::FailOn;
pub use places::{NAMES, find};
pub use schema::{SCHEMA_URL, schema};

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    cluster::Externals,
    finding::{Confidence, Severity},
    flux::FluxVersion,
    rules::{Budget, Ignore, Selector},
    source::{MappedSource, Pattern},
    timing::{Override, Profile},
};

/// What a configuration file sets. Nothing where there is none.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Config {
    /// `root`: the artifact root, the folder that every `spec.path` is relative to.
    pub root: Option<PathBuf>,
    /// `paths`: what is looked at where the command line names nothing.
    pub paths: Vec<PathBuf>,
    /// `exclude`: files that nothing is reported about.
    pub exclude: Vec<Pattern>,
    /// `flux-version`: the Flux release that runs where the repository does not tell, `"2.9"`.
    pub flux_version: Option<FluxVersion>,
    /// `max-path`: the longest a cold start may take, a duration as Go writes it, `"10m"`.
    pub max_path: Option<Duration>,
    /// `fail-on`: `"error"`, `"warning"`, `"info"` or `"never"`.
    pub fail_on: Option<FailOn>,
    /// `min-severity`: `"error"`, `"warning"` or `"info"`.
    pub min_severity: Option<Severity>,
    /// `min-confidence`: `"high"`, `"medium"` or `"low"`.
    pub min_confidence: Option<Confidence>,
    /// `require-reason`: whether a comment or an entry of `ignore` has to say why, to silence a finding.
    pub require_reason: Option<bool>,
    /// `profile`: the hardware that minutes are for, `"slow"` or `"fast"`.
    pub profile: Option<Profile>,
    /// `select`: the only rules that run.
    pub select: Vec<Selector>,
    /// `ignore`: rules that do not run.
    pub ignore: Vec<Selector>,
    /// `preview`: whether rules on probation run.
    pub preview: Option<bool>,
    /// `baseline`: the file of findings that are known.
    pub baseline: Option<PathBuf>,
    /// `severity` of `[rules.<id>]`; `None` where it is off.
    pub severities: BTreeMap<&'static str, Option<Severity>>,
    /// `ignore` of `[rules.<id>]`: findings that are silenced.
    pub ignores: Vec<Ignore>,
    /// `[[externals]]`: objects that are made outside the repository.
    pub externals: Externals,
    /// `[[budgets]]`: how long single Kustomizations may take.
    pub budgets: Vec<Budget>,
    /// `[[durations]]`: how long things take that the user knows better.
    pub durations: Vec<Override>,
    /// `[[sources]]`: folders on disk that stand for what is not in the repository.
    pub sources: Vec<MappedSource>,
    /// The folder of the file, which patterns of paths count from.
    pub folder: Option<PathBuf>,
    /// The line of each key that is set: `max-path`, `rules.dependency-cycle.severity`, `sources[0]`.
    pub lines: BTreeMap<String, usize>,
}

impl Config {
    /// Reads the text of the configuration file at `path`. Folders in it count from the folder of the file. They have to
    /// lie in `within`, where that is set: what a repository says of itself must not lead out of it.
    ///
    /// # Errors
    /// Where it is no TOML, where a key or a rule is unknown, where a value does not fit, where two sources are the same, or
    /// where the folder of one does not exist or lies elsewhere; with the line.
    pub fn parse(text: &str, path: &Path, within: Option<&Path>) -> Result<Self, ConfigError> {
        file::read(text, path, within)
    }
}

#[cfg(test)]
mod tests;
