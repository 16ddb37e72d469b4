use std::path::{Path, PathBuf};

/// What is wrong with a configuration. All of these end the run with exit code 2.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A fault in the file.
    #[error("{}:{line}:{column}: {message}", .path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// What is wrong: lower case, on one line.
        message: String,
        /// What to do about it.
        help: Option<String>,
    },
    /// A folder with a file of each name.
    #[error("{} and {} lie side by side", .first.display(), .second.display())]
    Both {
        /// The one.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
}

impl ConfigError {
    /// A fault at byte `at` of `text`, the contents of `path`.
    pub(super) fn at(path: &Path, text: &str, at: usize, message: String, help: Option<String>) -> Self {
        let (line, column) = position(text, at);
        Self::Invalid { path: path.to_owned(), line, column, message, help }
    }

    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        match self {
            Self::Invalid { help, .. } => help.as_deref(),
            Self::Both { .. } => Some("keep one of the two; they are not merged"),
        }
    }
}

/// Line and column, from 1, of byte `at` of `text`.
pub(super) fn position(text: &str, at: usize) -> (usize, usize) {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let before = &text[..at];
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    (line, before.rsplit('\n').next().unwrap_or_default().chars().count() + 1)
}
