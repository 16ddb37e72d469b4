use std::{io, path::PathBuf};

/// What can go wrong with the user's files before any of them is understood. All of these end the run with exit code 2.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A path given by the user does not exist.
    #[error("no such file or folder: {}", .0.display())]
    Missing(PathBuf),
    /// Folders that are mapped hold more files than can be listed.
    #[error("mapped folders hold more than {most} files, {} among them", folder.display())]
    TooManyMapped {
        /// How many may be listed.
        most: usize,
        /// The folder that is one too many.
        folder: PathBuf,
    },
    /// A file or folder could not be read.
    #[error("failed to read {}: {error}", path.display())]
    Io {
        /// What was read.
        path: PathBuf,
        /// The operating system's answer.
        error: io::Error,
    },
}
