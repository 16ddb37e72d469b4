//! Where the repository around some paths is, as git and cargo find theirs: upward from where the user stands.

use std::path::{Path, PathBuf};

use crate::{
    cluster::{Scope, discover, find_root, is_root},
    source::{Invocation, MappedSource, SourceError, Tree},
    yaml::Store,
};

/// Most files and folders of a folder above the paths that is looked into without a mark of a repository.
const MOST_GLANCED: usize = 20_000;

/// What to look for a repository with.
pub(super) struct Search<'a> {
    /// The paths.
    pub(super) start: &'a Invocation,
    /// The folder of a configuration file that marks a repository, where Git does not.
    pub(super) marked: Option<&'a Path>,
    /// Folders that stand for something outside the repository.
    pub(super) sources: &'a [MappedSource],
    /// Puts files in place that are not on disk.
    pub(super) prepare: &'a dyn Fn(&mut Tree),
}

impl Search<'_> {
    /// The files of the repository, from the artifact root on: the root that is set, or the nearest folder, at the paths or
    /// around them, under which what Flux objects name is found. Where none is, the top of what is marked as a repository.
    ///
    /// # Errors
    /// Where files cannot be listed.
    pub(super) fn run(&self) -> Result<Store, SourceError> {
        let mut store = Store::new(self.tree(&self.start.folder)?);
        let root = match &self.start.root {
            Some(root) => Some(root.clone()),
            None => match self.at_the_paths(&store) {
                Some(root) => Some(root),
                None => self.above(&mut store)?,
            },
        };
        let root = root.unwrap_or_else(|| self.top().unwrap_or(&self.start.folder).to_owned());
        match store.tree().root().starts_with(&root) {
            true => drop(store.widen(&root)?),
            false => store = Store::new(self.tree(&root)?),
        }
        Ok(store)
    }

    fn tree(&self, folder: &Path) -> Result<Tree, SourceError> {
        let mut tree = self.start.tree(folder, self.sources)?;
        (self.prepare)(&mut tree);
        Ok(tree)
    }

    /// How far up the repository reaches, where something marks that.
    fn top(&self) -> Option<&Path> {
        let marked = self.marked.filter(|marked| self.start.folder.starts_with(marked));
        self.start.repository.as_deref().or(marked)
    }

    /// The root that Flux objects at the paths tell.
    fn at_the_paths(&self, store: &Store) -> Option<PathBuf> {
        let Invocation { folder, repository, .. } = self.start;
        let found = discover(store, &Scope::new(self.start.scope(folder)));
        let root = find_root(folder, repository.as_deref(), store.tree(), &found);
        // Within Git nothing but its top is left; else something further up may tell.
        root.or_else(|| repository.clone().filter(|_| !found.is_empty()))
    }

    /// The root that Flux objects in a folder above tell: the nearest that has any, no further up than the top of the
    /// repository. Where nothing marks a top, the nearest under which entry points lead somewhere.
    fn above(&self, store: &mut Store) -> Result<Option<PathBuf>, SourceError> {
        let folder = &self.start.folder;
        let Some(top) = self.top() else { return Ok(unmarked(folder)) };
        for above in folder.ancestors().take_while(|above| above.starts_with(top)) {
            store.widen(above)?;
            let found = discover(store, &Scope::default());
            if !found.is_empty() {
                let root = find_root(above, self.start.repository.as_deref(), store.tree(), &found);
                return Ok(Some(root.unwrap_or_else(|| top.to_owned())));
            }
        }
        Ok(None)
    }
}

/// The nearest folder, `folder` or one above it, under which entry points lead somewhere. The root of the file system is none.
fn unmarked(folder: &Path) -> Option<PathBuf> {
    for above in folder.ancestors().filter(|above| above.parent().is_some()) {
        let store = Store::new(Tree::glance(above, MOST_GLANCED)?);
        let found = discover(&store, &Scope::default());
        if !found.is_empty() && is_root(store.tree(), &found) {
            return Some(above.to_owned());
        }
    }
    None
}
