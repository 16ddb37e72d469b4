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
        (Err(_), Some(_)) => {
            let here = std::env::current_dir().and_then(|here| here.canonicalize()).unwrap_or_default();
            let above = path.ancestors().find_map(|above| {
                let real = here.join(above).canonicalize().ok()?;
                Some(real.join(normalize(&slashed(path.strip_prefix(above).ok()?))))
            });
            Ok(above.unwrap_or_else(|| here.join(path)))
        }
        (Err(error), None) => Err(match error.kind() {
            std::io::ErrorKind::NotFound => SourceError::Missing(path.to_owned()),
            _ => SourceError::Io { path: path.to_owned(), error },
        }),
    }
}

/// Where the user stands, and what the paths mean there.
#[derive(Debug)]
pub struct Start {
    /// The folder that holds all paths.
    pub folder: PathBuf,
    /// The paths, relative to it.
    pub scope: Vec<String>,
    /// The Git repository around it.
    pub repository: Option<PathBuf>,
    /// The root the user set.
    pub root: Option<PathBuf>,
    /// The revision to read.
    pub revision: Option<Arc<Revision>>,
}

impl Start {
    /// Where there are no files around what is analysed.
    #[must_use]
    pub fn nowhere() -> Self {
        Self { folder: PathBuf::new(), scope: Vec::new(), repository: None, root: Some(PathBuf::new()), revision: None }
    }

    /// What `paths` mean, and `root`, where the user set one.
    ///
    /// # Errors
    /// Where one of them is not there, or they have nothing in common.
    pub fn of(paths: &[PathBuf], root: Option<&Path>, revision: Option<&Arc<Revision>>) -> Result<Self, SourceError> {
        let absolute = paths.iter().map(|path| absolute(path, revision)).collect::<Result<_, _>>()?;
        Self::at(absolute, root, revision)
    }

    /// The same of paths that are absolute and free of links; they need not be there.
    ///
    /// # Errors
    /// Where the root is not there, or has nothing in common with one of them.
    pub fn at(
        absolute: Vec<PathBuf>,
        root: Option<&Path>,
        revision: Option<&Arc<Revision>>,
    ) -> Result<Self, SourceError> {
        let root = root.map(|root| self::absolute(root, revision)).transpose()?;
        if let Some(root) = &root
            && let Some(path) = absolute.iter().find(|path| !path.starts_with(root) && !root.starts_with(path))
        {
            return Err(SourceError::OutsideRoot { path: path.clone(), root: root.clone() });
        }
        // A root below the paths narrows them to itself.
        let absolute: Vec<PathBuf> = match &root {
            Some(root) => {
                absolute.into_iter().map(|path| if path.starts_with(root) { path } else { root.clone() }).collect()
            }
            None => absolute,
        };
        let is_folder = |path: &Path| revision.map_or_else(|| path.is_dir(), |revision| revision.has_folder(path));
        let folder_of =
            |path: &Path| if is_folder(path) { path.to_owned() } else { path.parent().unwrap_or(path).to_owned() };
        let mut folder = absolute.first().map(|path| folder_of(path)).unwrap_or_default();
        while !absolute.iter().all(|path| path.starts_with(&folder)) && folder.pop() {}
        let scope = absolute.iter().filter_map(|path| path.strip_prefix(&folder).ok()).map(slashed).collect();
        let repository = match revision {
            Some(revision) if !folder.starts_with(revision.top()) => {
                return Err(GitError::NoRepository(folder).into());
            }
            Some(revision) => Some(revision.top().to_owned()),
            None => folder.ancestors().find(|folder| folder.join(".git").exists()).map(Path::to_owned),
        };
        Ok(Self { folder, scope, repository, root, revision: revision.cloned() })
    }

    /// The files of the folder, and those of mapped ones.
    ///
    /// # Errors
    /// Where they cannot be listed.
    pub fn tree(&self, sources: &[MappedSource]) -> Result<Tree, SourceError> {
        let mut tree = match &self.revision {
            Some(revision) => Tree::of_revision(revision.clone(), &self.folder)?,
            None => Tree::load(&self.folder)?,
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
