//! A tree whose files are those of a revision.

use std::{
    collections::hash_map,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError},
};

use rustc_hash::FxHashMap;

use super::{Contents, Entry, PASSED, SourceFile, Tree};
use crate::source::{
    FileId, GitError, Revision, SourceError,
    git::{Blob, InRevision},
    slashed,
};

/// Most bytes of files that are read, each content counted once.
const MOST_BYTES: usize = 256 * 1024 * 1024;

/// Most bytes of what is read again in another file: a few objects can stand for any number of files.
const MOST_AGAIN: usize = 64 * 1024 * 1024;

/// What was read of a revision: each content once, however many files have it.
#[derive(Debug, Default)]
pub(super) struct Shared {
    contents: FxHashMap<Blob, Arc<Contents>>,
    /// Bytes of these.
    once: usize,
    /// Bytes of files whose content was there before.
    again: usize,
}

impl Tree {
    /// The same of a revision: `root` is a folder of it, whether or not it is on disk. Submodules are kept for
    /// [`Tree::unreadable`].
    ///
    /// # Errors
    /// Where the revision has no such folder, or not all of it is in the clone.
    pub fn of_revision(revision: Arc<Revision>, root: &Path) -> Result<Self, SourceError> {
        let mut tree = Self { root: root.to_owned(), revision: Some(revision), ..Self::default() };
        if !tree.has_folder(root) {
            return Err(SourceError::Missing(root.to_owned()));
        }
        tree.list_revision()?;
        Ok(tree)
    }

    /// Lists the files of the revision.
    pub(super) fn list_revision(&mut self) -> Result<(), SourceError> {
        let Some(revision) = self.revision.clone() else { return Ok(()) };
        self.unreadable.retain(|error| !matches!(error, SourceError::Submodule { .. }));
        let below = |path: &Path| path.strip_prefix(revision.top()).map(slashed).unwrap_or_default();
        let foreign = self.mappings.iter().filter(|mapping| mapping.is_foreign);
        let foreign: Vec<PathBuf> = foreign.map(|mapping| mapping.folder().to_owned()).collect();
        for (path, kind) in revision.list(&below(&self.root), &PASSED)? {
            if foreign.iter().any(|folder| self.root.join(&path).starts_with(folder)) {
                continue;
            }
            match kind {
                InRevision::Link => drop(self.by_path.insert(path, Entry::Link)),
                InRevision::File(blob) => {
                    let file = self.file(&path).unwrap_or_else(|| self.add(path, true));
                    let file = &mut self.files[file.index()];
                    (file.is_own, file.blob) = (true, Some(blob));
                }
                InRevision::Submodule => self.unreadable.push(SourceError::Submodule { path }),
                InRevision::Folder => {}
            }
        }
        Ok(())
    }

    /// Whether a file or folder is at `path`, which is absolute: on disk, or in the revision.
    #[must_use]
    pub fn exists(&self, path: &Path) -> bool {
        match &self.revision {
            None => path.exists(),
            Some(revision) => revision.at(path).is_some_and(|found| found != InRevision::Link),
        }
    }

    pub(super) fn has_folder(&self, path: &Path) -> bool {
        match &self.revision {
            None => path.is_dir(),
            Some(revision) => revision.has_folder(path),
        }
    }

    /// The revision that the files are of; those of the work tree where there is none.
    #[must_use]
    pub fn revision(&self) -> Option<&Arc<Revision>> {
        self.revision.as_ref()
    }

    /// The contents of a file. What is too large in the end is so in any order.
    pub(super) fn read_blob(&self, revision: &Revision, blob: Blob) -> Result<Arc<Contents>, GitError> {
        let lock = || self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lock().contents.get(&blob).cloned();
        let contents = match known {
            Some(known) => known,
            None => Arc::new(Contents::new(revision.read(blob)?)),
        };
        let mut shared = lock();
        let contents = match shared.contents.entry(blob) {
            hash_map::Entry::Occupied(known) => {
                let known = Arc::clone(known.get());
                shared.again += known.len();
                known
            }
            hash_map::Entry::Vacant(free) => {
                free.insert(Arc::clone(&contents));
                shared.once += contents.len();
                contents
            }
        };
        if shared.once > MOST_BYTES {
            return Err(revision.too_large(format!("its files have more than {MOST_BYTES} bytes")));
        }
        if shared.again > MOST_AGAIN {
            return Err(revision.too_large(format!("more than {MOST_AGAIN} bytes of its files are copies of others")));
        }
        Ok(contents)
    }

    /// A file of the revision that could not be read, where there is one: then what is found in the others says little.
    #[must_use]
    pub fn lacking(&self) -> Option<GitError> {
        let revision = self.revision.as_ref()?;
        let fault = |file: &SourceFile| match file.contents.get() {
            Some(Err(error)) if file.blob.is_some() => {
                let what = format!("`{}`", file.path);
                let revision = revision.name().to_owned();
                Some(match error.get_ref().and_then(|error| error.downcast_ref::<GitError>()) {
                    Some(GitError::MissingObject { .. }) => GitError::MissingObject { what, revision },
                    Some(large @ GitError::TooLarge { .. }) => large.clone(),
                    Some(GitError::BrokenObject { error, .. }) => {
                        GitError::BrokenObject { what, revision, error: error.clone() }
                    }
                    _ => GitError::BrokenObject { what, revision, error: error.to_string() },
                })
            }
            _ => None,
        };
        self.files.iter().find_map(fault)
    }

    /// Whether the file at `path` lies in a submodule, so that this revision does not have it.
    #[must_use]
    pub fn is_in_submodule(&self, path: &str) -> bool {
        let modules = self.unreadable.iter().filter_map(|error| match error {
            SourceError::Submodule { path } => Some(path),
            _ => None,
        });
        let mut holding = modules.filter_map(|module| path.strip_prefix(module.as_str()));
        holding.any(|rest| rest.starts_with('/'))
    }

    /// Whether both files are known to hold the same, without a look into them.
    #[must_use]
    pub fn is_same_blob(&self, file: FileId, other: &Self, of_other: FileId) -> bool {
        let blob = |tree: &Self, file: FileId| tree.files.get(file.index()).and_then(|file| file.blob);
        blob(self, file).is_some_and(|one| blob(other, of_other) == Some(one))
    }
}
