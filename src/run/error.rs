use std::path::PathBuf;

use crate::source::SourceError;

/// Why there is no analysis: nothing to do with what the files say.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The files cannot be had.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// There is nothing to analyse.
    #[error("no Flux Kustomization and no FluxInstance in {}, nor around it", shown(.paths))]
    NoFluxObjects {
        /// Where they were looked for.
        paths: Vec<PathBuf>,
        /// Whether there are templates that would make some.
        templates: bool,
    },
    /// `--cluster` names none.
    #[error("no cluster is named `{wanted}`; {}", known_clusters(.known))]
    NoSuchCluster {
        /// What was asked for.
        wanted: String,
        /// The roots there are.
        known: Vec<String>,
    },
    /// What was to be built holds nothing that Flux would see.
    #[error("{} is no folder of manifests", .0.display())]
    NoFolder(PathBuf),
}

fn shown(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

fn known_clusters(known: &[String]) -> String {
    if known.is_empty() { "there is none at all".to_owned() } else { format!("there are: {}", known.join(", ")) }
}

impl Error {
    /// Whether there is simply nothing to look at.
    pub(super) const fn is_nothing(&self) -> bool {
        matches!(self, Self::NoFluxObjects { .. } | Self::NoSuchCluster { .. } | Self::Source(SourceError::Missing(_)))
    }

    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> String {
        let help = match self {
            Self::Source(SourceError::Git(error)) => return error.help(),
            Self::Source(SourceError::OutsideRoot { .. }) => {
                "the root, from --root or the configuration, has to hold every path that is analysed"
            }
            Self::Source(SourceError::TwoRepositories { .. }) => "check each in a run of its own",
            Self::Source(SourceError::FileSystemRoot(_)) => "name a folder of a repository, or go there with -C",
            Self::Source(_) => "check the path, and that it can be read",
            Self::NoFluxObjects { templates: true, .. } => {
                "the manifests here are templates; render them first and point at the result, or pass --allow-empty"
            }
            Self::NoFluxObjects { .. } => {
                "point at a folder that holds Flux Kustomizations, or pass --allow-empty where there need not be any"
            }
            Self::NoSuchCluster { .. } => "name a cluster by its root, or by one folder of it",
            Self::NoFolder(_) => "name a folder that holds files",
        };
        help.to_owned()
    }
}
