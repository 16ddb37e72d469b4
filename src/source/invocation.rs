use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{GitError, MappedSource, Revision, SourceError, Tree, normalize, slashed};

/// A path without links and `..`. In a revision it need not be on disk.
///
/// # Errors
/// Where it has to be there and is not.
pub fn absolute(path: &Path, revision: Option<&Arc<Revision>>) -> Result<PathBuf, SourceError> {
    match (path.canonicalize(), revision) {
        (Ok(path), _) => Ok(path),
        (Err(_), Some(_)) => Ok(presumed(path)),
        (Err(error), None) => Err(match error.kind() {
            std::io::ErrorKind::NotFound => SourceError::Missing(path.to_owned()),
            _ => SourceError::Io { path: path.to_owned(), error },
        }),
    }
}

/// The same of a path that need not be on disk: what lies above it is taken from there.
#[must_use]
pub fn presumed(path: &Path) -> PathBuf {
    let here = std::env::current_dir().and_then(|here| here.canonicalize()).unwrap_or_default();
    let above = path.ancestors().find_map(|above| {
        let real = here.join(above).canonicalize().ok()?;
        Some(real.join(normalize(&slashed(path.strip_prefix(above).ok()?))))
    });
    above.unwrap_or_else(|| here.join(path))
}

/// Whether something is at `path`, which is absolute and free of links: on disk, or in the revision.
#[must_use]
pub fn is_present(path: &Path, revision: Option<&Arc<Revision>>) -> bool {
    revision.map_or_else(|| path.exists(), |revision| revision.at(path).is_some())
}

/// Where the user stands, and what the paths mean there.
#[derive(Debug)]
pub struct Invocation {
    /// The paths, absolute and free of links.
    pub paths: Vec<PathBuf>,
    /// The folder that holds all paths; in a revision the nearest that it has.
    pub folder: PathBuf,
    /// The Git repository around it.
    pub repository: Option<PathBuf>,
    /// The root the user set.
    pub root: Option<PathBuf>,
    /// The revision to read.
    pub revision: Option<Arc<Revision>>,
}

impl Invocation {
    /// Where there are no files around what is analysed.
    #[must_use]
    pub fn nowhere() -> Self {
        let root = Some(PathBuf::new());
        Self { paths: vec![PathBuf::new()], folder: PathBuf::new(), repository: None, root, revision: None }
    }

    /// What `paths` mean, which are absolute and free of links and need not be there, and `root`, where the user set one.
    ///
    /// # Errors
    /// Where the root is not there, or has nothing in common with one of the paths; where the paths lie in several
    /// repositories, or in none at all because they are the root of the file system.
    pub fn at(paths: Vec<PathBuf>, root: Option<&Path>, revision: Option<&Arc<Revision>>) -> Result<Self, SourceError> {
        let root = root.map(|root| self::absolute(root, revision)).transpose()?;
        if let Some(root) = &root
            && let Some(path) = paths.iter().find(|path| !path.starts_with(root) && !root.starts_with(path))
        {
            return Err(SourceError::OutsideRoot { path: path.clone(), root: root.clone() });
        }
        // A root below the paths narrows them to itself.
        let paths: Vec<PathBuf> = match &root {
            Some(root) => {
                paths.into_iter().map(|path| if path.starts_with(root) { path } else { root.clone() }).collect()
            }
            None => paths,
        };
        let is_folder = |path: &Path| revision.map_or_else(|| path.is_dir(), |revision| revision.has_folder(path));
        let mut folder = paths.first().cloned().unwrap_or_default();
        while !(is_folder(&folder) && paths.iter().all(|path| path.starts_with(&folder))) && folder.pop() {}
        let repository = match revision {
            Some(revision) if !folder.starts_with(revision.top()) => {
                return Err(GitError::NoRepository(folder).into());
            }
            Some(revision) => Some(revision.top().to_owned()),
            None => top_of(&folder),
        };
        if root.is_none() && repository.is_none() {
            several(&paths)?;
            if folder.parent().is_none() {
                return Err(SourceError::FileSystemRoot(folder));
            }
        }
        Ok(Self { paths, folder, repository, root, revision: revision.cloned() })
    }

    /// The paths, relative to `root`. One that holds it stands for all of it; one beside it is left out.
    #[must_use]
    pub fn scope(&self, root: &Path) -> Vec<String> {
        let relative = |path: &PathBuf| match path.strip_prefix(root) {
            Ok(below) => Some(slashed(below)),
            Err(_) => root.starts_with(path).then(String::new),
        };
        self.paths.iter().filter_map(relative).collect()
    }

    /// The files of `folder`, and those of mapped ones.
    ///
    /// # Errors
    /// Where they cannot be listed.
    pub fn tree(&self, folder: &Path, sources: &[MappedSource]) -> Result<Tree, SourceError> {
        let mut tree = match &self.revision {
            Some(revision) => Tree::of_revision(revision.clone(), folder)?,
            None => Tree::load(folder)?,
        };
        tree.map(sources)?;
        Ok(tree)
    }

    /// `top` for people: relative to the working directory where it lies below it, `.` where it is that.
    #[must_use]
    pub fn shown(&self, top: &Path) -> String {
        let here = std::env::current_dir().and_then(|here| here.canonicalize()).unwrap_or_default();
        match top.strip_prefix(&here) {
            Ok(below) if below.as_os_str().is_empty() => ".".to_owned(),
            Ok(below) => slashed(below),
            Err(_) => top.display().to_string(),
        }
    }
}

/// The top of the Git repository around `path`.
fn top_of(path: &Path) -> Option<PathBuf> {
    path.ancestors().find(|folder| folder.join(".git").exists()).map(Path::to_owned)
}

/// Fails where two of the paths lie in different Git repositories, or have nothing but the root of the file system in
/// common: paths in manifests lead through one repository.
fn several(paths: &[PathBuf]) -> Result<(), SourceError> {
    let Some((first, others)) = paths.split_first() else { return Ok(()) };
    let (top, name) = (top_of(first), |path: &Path| path.components().nth(1).map(|name| name.as_os_str().to_owned()));
    for other in others {
        let is_apart = match (&top, top_of(other)) {
            (Some(one), Some(other)) => !one.starts_with(&other) && !other.starts_with(one),
            _ => name(first) != name(other),
        };
        if is_apart {
            let top = |path: &PathBuf| top_of(path).unwrap_or_else(|| path.clone());
            return Err(SourceError::TwoRepositories { one: top(first), other: top(other) });
        }
    }
    Ok(())
}
