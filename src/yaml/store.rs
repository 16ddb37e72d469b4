use std::sync::OnceLock;

use super::{File, parse};
use crate::source::{FileId, Tree};

/// Parsed files, each parsed when first asked for and then shared, across threads too.
#[derive(Debug)]
pub struct Store<'t> {
    tree: &'t Tree,
    files: Vec<OnceLock<File>>,
}

impl<'t> Store<'t> {
    /// An empty store over `tree`.
    #[must_use]
    pub fn new(tree: &'t Tree) -> Self {
        Self { tree, files: (0..tree.len()).map(|_| OnceLock::new()).collect() }
    }

    /// The files behind the store.
    #[must_use]
    pub const fn tree(&self) -> &'t Tree {
        self.tree
    }

    /// The documents of `file`. A file that cannot be read is one broken document.
    #[must_use]
    pub fn parse(&self, file: FileId) -> &File {
        self.files[file.index()].get_or_init(|| match self.tree.bytes(file) {
            Ok(bytes) => parse(file, bytes),
            Err(error) => File::broken(file, format!("failed to read the file: {error}")),
        })
    }

    /// The documents of `file`, if anyone asked for them so far.
    #[must_use]
    pub fn parsed(&self, file: FileId) -> Option<&File> {
        self.files[file.index()].get()
    }
}
