use std::{panic::catch_unwind, path::Path, sync::OnceLock};

use super::{File, parse};
use crate::source::{FileId, SourceError, Tree};

/// A tree and its parsed files, each parsed when first asked for and then shared, across threads too.
///
/// Every node knows the text that it was read from:
///
/// ```
/// use fluxdag::{source::Tree, yaml::Store};
///
/// let files = [("apps.yaml".to_owned(), b"kind: Kustomization\nspec:\n  path: ./apps\n".to_vec())];
/// let store = Store::new(Tree::from_memory(files));
/// let file = store.tree().file("apps.yaml").expect("a file");
/// let path = store.parse(file).documents[0].root.find(&["spec", "path"]).expect("a field");
/// let at = store.tree().position(path.span);
/// assert_eq!((path.as_str(), at.line, at.column), (Some("./apps"), 3, 9));
/// ```
#[derive(Debug)]
pub struct Store {
    tree: Tree,
    files: Vec<OnceLock<File>>,
}

/// What was parsed of the files of a [`Store`], apart from them.
#[derive(Debug, Default)]
pub struct Parsed {
    _files: Vec<OnceLock<File>>,
}

impl Store {
    /// A store over `tree`, nothing parsed yet.
    #[must_use]
    pub fn new(tree: Tree) -> Self {
        let files = (0..tree.len()).map(|_| OnceLock::new()).collect();
        Self { tree, files }
    }

    /// Moves the root up to `root`, see [`Tree::widen`]; what is parsed stays parsed. Gives the path of the old root.
    ///
    /// # Errors
    /// Where `root` is not an ancestor of the present root.
    pub fn widen(&mut self, root: &Path) -> Result<String, SourceError> {
        let prefix = self.tree.widen(root)?;
        self.files.resize_with(self.tree.len(), OnceLock::new);
        Ok(prefix)
    }

    /// The files behind the store.
    #[must_use]
    pub const fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The files, without what was parsed of them.
    #[must_use]
    pub fn into_tree(self) -> Tree {
        self.tree
    }

    /// The files, and what was parsed of them.
    #[must_use]
    pub fn into_parts(self) -> (Tree, Parsed) {
        (self.tree, Parsed { _files: self.files })
    }

    /// The documents of `file`. A file that cannot be read is one broken document.
    #[must_use]
    pub fn parse(&self, file: FileId) -> &File {
        self.files[file.index()].get_or_init(|| match self.tree.bytes(file) {
            // A bug of ours, or of the parser, costs one file.
            Ok(bytes) => catch_unwind(|| parse(file, bytes))
                .unwrap_or_else(|_| File::broken(file, "this program failed to read it, which is a bug of it")),
            Err(error) => File::broken(file, format!("failed to read the file: {error}")),
        })
    }

    /// The files that were parsed so far.
    pub fn parsed(&self) -> impl Iterator<Item = (FileId, &File)> {
        self.tree.all_files().filter_map(|file| Some((file, self.files[file.index()].get()?)))
    }
}
