use std::{collections::BTreeMap, sync::Arc};

use super::{FileId, Mapping, Tree, path::parent};

/// The files that one Flux source hands to the controllers, under the paths they have in there.
///
/// For a Git repository that is the tree less what source-controller leaves out; for an `ExternalArtifact` it is what
/// its generator copies. Links are never part of an artifact (source-controller v1.9, `Storage.Archive`, packs regular
/// files only).
#[derive(Debug, Default, Clone)]
pub struct Artifact {
    files: BTreeMap<String, FileId>,
    folders: BTreeMap<String, Vec<String>>,
    /// What mappings hold, under reserved paths. Seen by those who ask for such a path, and listed nowhere.
    beside: Option<Arc<Self>>,
    is_cut: bool,
}

impl Artifact {
    /// The files of `tree` below `folder`, paths relative to it, less those that `keep` refuses.
    #[must_use]
    pub fn new(tree: &Tree, folder: &str, mut keep: impl FnMut(&str) -> bool) -> Self {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let files = tree.files().filter_map(|id| Some((tree.path(id).strip_prefix(prefix.as_str())?, id)));
        let kept: Self = files.filter(|(path, _)| keep(path)).map(|(path, id)| (path.to_owned(), id)).collect();
        kept.beside(tree)
    }

    /// The files of `mapping` below `folder` of it, paths relative to that, less those that `keep` refuses.
    #[must_use]
    pub fn of_mapping(tree: &Tree, mapping: &Mapping, folder: &str, mut keep: impl FnMut(&str) -> bool) -> Self {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let files = mapping.files().filter_map(|(path, id)| Some((path.strip_prefix(prefix.as_str())?, id)));
        let kept: Self = files.filter(|(path, _)| keep(path)).map(|(path, id)| (path.to_owned(), id)).collect();
        kept.beside(tree)
    }

    /// The same artifact, with what the mappings of `tree` hold under the paths of [`Mapping::reserved`].
    #[must_use]
    pub fn beside(self, tree: &Tree) -> Self {
        Self { beside: tree.beside(), ..self }
    }

    /// The same artifact; `is_cut` says whether the rules that leave files out are too many to be followed.
    #[must_use]
    pub fn cut(self, is_cut: bool) -> Self {
        Self { is_cut, ..self }
    }

    /// Whether nobody knows which files are in it, since the rules that leave some out are too many to be followed.
    #[must_use]
    pub const fn is_cut(&self) -> bool {
        self.is_cut
    }

    fn holder(&self, path: &str) -> &Self {
        self.beside.as_deref().filter(|_| path.starts_with("../")).unwrap_or(self)
    }

    /// The file at `path`.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<FileId> {
        self.holder(path).files.get(path).copied()
    }

    /// Whether some file lies below the folder `path`. The root is a folder even when nothing is in it.
    #[must_use]
    pub fn is_folder(&self, path: &str) -> bool {
        path.is_empty() || self.holder(path).folders.contains_key(path)
    }

    /// The names in the folder `path`, files and folders alike, in the order of `filepath.Walk`.
    pub fn names<'a>(&'a self, path: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        self.holder(path).folders.get(path).into_iter().flatten().map(String::as_str)
    }

    /// Every path and its file, sorted by path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, FileId)> {
        self.files.iter().map(|(path, id)| (path.as_str(), *id))
    }

    /// Every folder, sorted by path.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        self.folders.keys().map(String::as_str)
    }
}

impl FromIterator<(String, FileId)> for Artifact {
    fn from_iter<T: IntoIterator<Item = (String, FileId)>>(files: T) -> Self {
        let files: BTreeMap<String, FileId> = files.into_iter().collect();
        let mut folders: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for path in files.keys() {
            let mut child = path.as_str();
            loop {
                let folder = parent(child);
                let known = folders.contains_key(folder);
                folders
                    .entry(folder.to_owned())
                    .or_default()
                    .push(child[folder.len()..].trim_start_matches('/').to_owned());
                if known || folder.is_empty() {
                    break;
                }
                child = folder;
            }
        }
        for names in folders.values_mut() {
            names.sort_unstable();
            names.dedup();
        }
        Self { files, folders, beside: None, is_cut: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_list_their_files_and_folders_once() {
        let paths = ["b/c/d.yaml", "b/c/e.yaml", "a.yaml", "b/x.yaml"];
        let artifact: Artifact = paths.iter().map(|path| ((*path).to_owned(), FileId(0))).collect();
        assert_eq!(artifact.names("").collect::<Vec<_>>(), ["a.yaml", "b"]);
        assert_eq!(artifact.names("b").collect::<Vec<_>>(), ["c", "x.yaml"]);
        assert_eq!(artifact.names("b/c").collect::<Vec<_>>(), ["d.yaml", "e.yaml"]);
        assert!(artifact.is_folder("b/c") && !artifact.is_folder("b/c/d.yaml") && artifact.is_folder(""));
    }
}
