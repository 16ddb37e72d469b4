use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::{
    cluster::Externals,
    flux::FluxVersion,
    rules::{Budget, Ignore, Selection},
    source::{MappedSource, Pattern, Revision},
    timing::{Override, Profile},
};

/// What the user may choose about an analysis.
#[derive(Debug, Default, Clone)]
pub struct Options {
    /// The folder that every `spec.path` is relative to.
    pub root: Option<PathBuf>,
    /// Look at this cluster alone.
    pub cluster: Option<String>,
    /// Budget for the critical path of a cold start.
    pub max_path: Option<Duration>,
    /// Whether rules of the pedantic tier run as well.
    pub pedantic: bool,
    /// The Flux release that runs where the repository does not tell.
    pub flux_version: Option<FluxVersion>,
    /// Folders on disk that stand for what is not in the repository.
    pub sources: Vec<MappedSource>,
    /// The hardware that durations are for.
    pub profile: Profile,
    /// Durations that the user set.
    pub durations: Vec<Override>,
    /// Whether comments silence nothing.
    pub no_ignore_comments: bool,
    /// Whether a comment has to say why, to silence anything.
    pub require_reason: bool,
    /// Which rules run, and how much what they find matters.
    pub selection: Selection,
    /// Files that nothing is reported about. What Flux makes of them is built all the same.
    pub exclude: Vec<Pattern>,
    /// Findings that the user silences.
    pub ignores: Vec<Ignore>,
    /// The folder that paths in `exclude` and `ignores` count from: the artifact root where not set.
    pub patterns_from: Option<PathBuf>,
    /// Objects that are made outside the repository.
    pub externals: Externals,
    /// How long single Kustomizations may take.
    pub budgets: Vec<Budget>,
    /// Files to read instead of those on disk, by path: a repository that is in memory alone.
    pub files: Option<Arc<[InMemory]>>,
    /// What to read instead of a file, or instead of files altogether.
    pub stdin: Option<Stdin>,
    /// Where an analysis says how far it is.
    pub stage: Stage,
    /// Whether all of the repository around the paths is reported, not only what they have to do with.
    pub is_whole: bool,
    /// The folder of a configuration file that was found around the paths: it marks a repository where Git does not.
    pub marked: Option<PathBuf>,
    /// The revision to look at; the work tree where there is none.
    pub revision: Option<Arc<Revision>>,
}

/// A file that is in memory alone: its path and its contents.
pub type InMemory = (String, Vec<u8>);

/// A stream of YAML.
#[derive(Debug, Clone)]
pub struct Stdin {
    /// The file that holds it instead of what is on disk, absolute and free of links; it need not be there, its folder
    /// has to. Without one the stream is all there is.
    pub file: Option<PathBuf>,
    /// What it says.
    pub bytes: Arc<[u8]>,
}

/// What is being done, for whoever waits for it.
#[derive(Debug, Default, Clone)]
pub struct Stage(Arc<Mutex<&'static str>>);

impl Stage {
    /// Says that `name` begins.
    pub fn enter(&self, name: &'static str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = name;
    }

    /// What is being done now.
    #[must_use]
    pub fn name(&self) -> &'static str {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
