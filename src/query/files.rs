//! Finding the files that a question names.

use std::path::{Path, PathBuf};

use rustc_hash::FxHashSet;

use super::{Error, Model};
use crate::source::{FileId, Tree, is_below, is_yaml, names, slashed};

/// Files that were named.
#[derive(Default)]
pub(super) struct NamedFiles {
    pub(super) files: FxHashSet<FileId>,
    /// Paths of the repository that hold nothing a build could read.
    unread: Vec<String>,
}

impl NamedFiles {
    /// Takes what [`Model::files`] found.
    pub(super) fn add(&mut self, (path, files): (String, Vec<FileId>)) {
        if files.is_empty() {
            self.unread.push(path);
        }
        self.files.extend(files);
    }

    /// Their paths from the artifact root, sorted.
    pub(super) fn paths(self, tree: &Tree) -> Vec<String> {
        let read = self.files.iter().map(|file| tree.path(*file).to_owned());
        let mut paths: Vec<String> = read.chain(self.unread).collect();
        paths.sort_unstable();
        paths
    }
}

impl Model<'_> {
    fn tree(&self) -> &Tree {
        self.store.tree()
    }

    /// The folders that a path may be relative to: the working directory, and the artifact root.
    fn bases(&self) -> [PathBuf; 2] {
        [PathBuf::new(), self.tree().root().to_owned()]
    }

    /// The path from the artifact root that `text` stands for, where there is something.
    fn in_tree(&self, text: &str) -> Option<String> {
        let root = self.tree().root().canonicalize().ok()?;
        self.bases().iter().find_map(|base| {
            let path = base.join(text).canonicalize().ok()?;
            path.strip_prefix(&root).ok().map(slashed)
        })
    }

    /// The path from the artifact root that `text` stands for, and the files at it or below it that a build could read.
    ///
    /// # Errors
    /// Where there is nothing, or where it lies outside the repository.
    pub fn files(&self, text: &str) -> Result<(String, Vec<FileId>), Error> {
        let tree = self.tree();
        let path = self.in_tree(text).ok_or_else(|| self.nowhere(text))?;
        let files = match tree.file(&path) {
            Some(file) => vec![file],
            None => tree.files().filter(|file| is_below(tree.path(*file), &path)).collect(),
        };
        Ok((path, files))
    }

    fn nowhere(&self, text: &str) -> Error {
        if self.bases().iter().any(|base| base.join(text).exists()) {
            return Error::Outside { path: text.to_owned(), root: self.tree().root().to_owned() };
        }
        Error::NoFile { path: text.to_owned(), similar: similar(text, self.tree()) }
    }
}

/// Whether `text` can only be meant as a path, and not as a name.
pub(super) fn is_path(text: &str) -> bool {
    [".", "..", "/"].iter().any(|start| text == *start || text.starts_with(&format!("{start}/")))
        || Path::new(text).is_absolute()
}

/// Whether `text` is more likely a path than a name.
pub(super) fn looks_like_path(text: &str) -> bool {
    let is_file = is_yaml(text) || text.starts_with('.') || text.starts_with('/');
    is_file || text.split('/').count() > 3
}

fn similar(text: &str, tree: &Tree) -> Option<String> {
    let paths = tree.files().map(|file| tree.path(file));
    names::nearest_path(text.trim_start_matches("./"), paths).map(str::to_owned)
}
