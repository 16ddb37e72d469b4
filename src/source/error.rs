use std::{
    fmt, io,
    path::{Path, PathBuf},
};

/// What can go wrong with the user's files before any of them is understood. All of these end the run with exit code 2.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A path given by the user does not exist.
    #[error("no such file or folder: {}", .0.display())]
    Missing(PathBuf),
    /// `--root` and the paths have nothing in common.
    #[error("{} is not below the root {}", .path.display(), .root.display())]
    OutsideRoot {
        /// The path.
        path: PathBuf,
        /// The root.
        root: PathBuf,
    },
    /// The paths lie in several repositories.
    #[error("{} and {} lie in different repositories, and paths in manifests lead through one", one.display(), other.display())]
    TwoRepositories {
        /// The top of the one, or the path where nothing says where its repository begins.
        one: PathBuf,
        /// That of the other.
        other: PathBuf,
    },
    /// The path is the root of the file system, which is no repository.
    #[error("{} is the root of the file system, and no repository", .0.display())]
    FileSystemRoot(PathBuf),
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
    /// A folder of a revision is another repository, and only the name of its commit is known.
    #[error("{path} is a submodule, whose files are not in this repository")]
    Submodule {
        /// The folder.
        path: String,
    },
    /// A revision cannot be had.
    #[error(transparent)]
    Git(#[from] GitError),
}

/// Why a revision cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GitError {
    /// There is no repository.
    #[error("{} lies in no Git repository", .0.display())]
    NoRepository(PathBuf),
    /// There is one, but without files to compare with.
    #[error("{} is a bare repository: it has no work tree", .0.display())]
    NoWorkTree(PathBuf),
    /// There is one that cannot be read.
    #[error("failed to open the Git repository around {}: {error}", path.display())]
    Unreadable {
        /// Where it was looked for.
        path: PathBuf,
        /// What is wrong.
        error: String,
    },
    /// A name that stands for no commit.
    #[error("there is no revision `{name}`{}", in_shallow(*.is_shallow))]
    NoRevision {
        /// The name.
        name: String,
        /// Whether the clone was cut off.
        is_shallow: bool,
        /// What would stand for one.
        similar: Option<String>,
    },
    /// Two commits without a common ancestor.
    #[error("`{one}` and `{other}` have no common ancestor{}", in_shallow(*.is_shallow))]
    NoMergeBase {
        /// The one.
        one: String,
        /// The other.
        other: String,
        /// Whether the clone was cut off.
        is_shallow: bool,
    },
    /// Something of a revision is not in this clone.
    #[error("this clone lacks {what} of `{revision}`")]
    MissingObject {
        /// What: an object by its hash, or a file.
        what: String,
        /// The revision.
        revision: String,
    },
    /// Something of a revision is there and cannot be read.
    #[error("{what} of `{revision}` cannot be read: {error}")]
    BrokenObject {
        /// What: an object by its hash, or a file.
        what: String,
        /// The revision.
        revision: String,
        /// What is wrong with it.
        error: String,
    },
    /// A folder of a revision holds a name that no folder can have.
    #[error("a folder of `{revision}`, {}, holds an entry named `{name}`, which Git takes for an attack", if .folder.is_empty() { "its top" } else { .folder })]
    BadName {
        /// The revision.
        revision: String,
        /// The folder.
        folder: String,
        /// The name.
        name: String,
    },
    /// A revision that names more files than can be listed.
    #[error("`{revision}` is too large: {what}")]
    TooLarge {
        /// The revision.
        revision: String,
        /// What there is too much of.
        what: String,
    },
}

const fn in_shallow(is_shallow: bool) -> &'static str {
    if is_shallow { " in this clone, which is shallow" } else { "" }
}

impl GitError {
    pub(super) fn unreadable(path: &Path, error: &dyn fmt::Display) -> Self {
        Self::Unreadable { path: path.to_owned(), error: error.to_string() }
    }

    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::NoRepository(_) => "run it in a clone of the repository: revisions are read from its `.git`".to_owned(),
            Self::NoWorkTree(_) => "compare two of its revisions: fluxdag diff BASE HEAD".to_owned(),
            Self::Unreadable { .. } => {
                "check that the repository can be read; refs in the format `reftable` and SHA-256 objects are not supported"
                    .to_owned()
            }
            Self::NoRevision { similar: Some(similar), .. } => format!("did you mean `{similar}`?"),
            Self::NoRevision { is_shallow: true, .. } | Self::NoMergeBase { is_shallow: true, .. } => {
                "the change was not judged: fetch the whole history, with `fetch-depth: 0` for actions/checkout, `GIT_DEPTH: 0` in GitLab CI, or \
                 `git fetch --unshallow`, and run it again; a branch of the server is `origin/main`"
                    .to_owned()
            }
            Self::NoRevision { .. } => {
                "name a commit as `git rev-parse` knows it: a branch, a tag, a hash, `HEAD~1`; a branch of the server is \
                 `origin/main`, once it is fetched"
                    .to_owned()
            }
            Self::NoMergeBase { .. } => {
                "the two have grown apart from the start: compare with the revision itself, by `lint --no-merge-base` or `diff` without \
                 `--merge-base`".to_owned()
            }
            Self::MissingObject { .. } => {
                "the clone is partial: fetch what it lacks, with `git fetch --refetch` or a clone without `--filter`".to_owned()
            }
            Self::BrokenObject { .. } => "check the clone with `git fsck`, and clone it anew".to_owned(),
            Self::BadName { .. } => "`git fsck` names the object; compare with a revision that has no such folder".to_owned(),
            Self::TooLarge { .. } => "no repository of manifests is like that; nothing of it was compared".to_owned(),
        }
    }
}
