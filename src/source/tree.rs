use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use rustc_hash::FxHashMap;
use walkdir::WalkDir;

use super::{FileId, LineIndex, Position, SourceError, Span};

/// What stands at a path of a [`Tree`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Entry {
    /// A regular file.
    File(FileId),
    /// A symbolic link. Never followed: Flux drops links from artifacts, and one could leave the repository.
    Link,
}

/// Every file below one folder. Contents are read when first asked for, once, and kept.
#[derive(Debug)]
pub struct Tree {
    root: PathBuf,
    files: Vec<SourceFile>,
    by_path: FxHashMap<String, Entry>,
    unreadable: Vec<SourceError>,
}

#[derive(Debug)]
struct SourceFile {
    path: String,
    contents: OnceLock<Result<Contents, io::Error>>,
    lines: OnceLock<LineIndex>,
}

/// What a file holds. Whether it is text is found out once: it is asked for at every place that is shown.
#[derive(Debug)]
enum Contents {
    Text(String),
    Binary(Vec<u8>),
}

impl Contents {
    fn of(bytes: Vec<u8>) -> Self {
        String::from_utf8(bytes).map_or_else(|error| Self::Binary(error.into_bytes()), Self::Text)
    }
}

impl Tree {
    /// Lists every file below `root`, in path order, without reading any. Git's own folder and `node_modules` are
    /// passed over.
    ///
    /// # Errors
    /// Where `root` is not there, or is no folder. Folders below it that cannot be read are kept for
    /// [`Tree::unreadable`].
    pub fn load(root: &Path) -> Result<Self, SourceError> {
        if !root.is_dir() {
            return Err(SourceError::Missing(root.to_owned()));
        }
        let mut tree =
            Self { root: root.to_owned(), files: Vec::new(), by_path: FxHashMap::default(), unreadable: Vec::new() };
        tree.list();
        Ok(tree)
    }

    /// A tree of files that exist in memory only: for tests, and for text from standard input.
    #[must_use]
    pub fn from_memory(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        let mut tree =
            Self { root: PathBuf::new(), files: Vec::new(), by_path: FxHashMap::default(), unreadable: Vec::new() };
        for (path, bytes) in files {
            let id = tree.add(path);
            tree.files[id.index()].contents = OnceLock::from(Ok(Contents::of(bytes)));
        }
        tree
    }

    /// Moves the root up to `root`, an ancestor of the present one, and lists what lies beside it. Files already known
    /// keep their ids and their contents. Gives the path of the old root, seen from the new one.
    ///
    /// # Errors
    /// Where `root` is not an ancestor of the present root.
    pub fn widen(&mut self, root: &Path) -> Result<String, SourceError> {
        let Ok(below) = self.root.strip_prefix(root) else {
            return Err(SourceError::Missing(root.to_owned()));
        };
        let prefix = slashed(below);
        if prefix.is_empty() {
            return Ok(prefix);
        }
        self.root = root.to_owned();
        let known = std::mem::take(&mut self.by_path);
        self.by_path = known.into_iter().map(|(path, entry)| (format!("{prefix}/{path}"), entry)).collect();
        for file in &mut self.files {
            file.path = format!("{prefix}/{}", file.path);
        }
        self.list();
        Ok(prefix)
    }

    fn list(&mut self) {
        let skipped = |name: &std::ffi::OsStr| name == ".git" || name == "node_modules";
        let walk = WalkDir::new(&self.root).sort_by_file_name().into_iter();
        for entry in walk.filter_entry(|entry| entry.depth() == 0 || !skipped(entry.file_name())) {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let path = error.path().map_or_else(PathBuf::new, Path::to_owned);
                    let error = error.into_io_error().unwrap_or_else(|| io::Error::other("loop of links"));
                    let is_known =
                        |known: &SourceError| matches!(known, SourceError::Io { path: known, .. } if *known == path);
                    if !self.unreadable.iter().any(is_known) {
                        self.unreadable.push(SourceError::Io { path, error });
                    }
                    continue;
                }
            };
            let Ok(below) = entry.path().strip_prefix(&self.root) else { continue };
            let path = slashed(below);
            if entry.file_type().is_symlink() {
                self.by_path.insert(path, Entry::Link);
            } else if entry.file_type().is_file() && !self.by_path.contains_key(&path) {
                self.add(path);
            }
        }
    }

    fn add(&mut self, path: String) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).expect("internal: fewer than 2^32 files"));
        self.by_path.insert(path.clone(), Entry::File(id));
        self.files.push(SourceFile { path, contents: OnceLock::new(), lines: OnceLock::new() });
        id
    }

    /// The folder all paths are relative to.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Takes out the first folder that could not be listed.
    pub fn take_unreadable(&mut self) -> Option<SourceError> {
        (!self.unreadable.is_empty()).then(|| self.unreadable.remove(0))
    }

    /// Folders that could not be listed.
    #[must_use]
    pub fn unreadable(&self) -> &[SourceError] {
        &self.unreadable
    }

    /// Every file.
    pub fn files(&self) -> impl Iterator<Item = FileId> + Clone + use<> {
        (0..self.files.len()).map(|index| FileId(index as u32))
    }

    /// How many files there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is no file at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The path of a file, relative to the root, `/`-separated. Empty for [`FileId::NONE`].
    #[must_use]
    pub fn path(&self, file: FileId) -> &str {
        self.files.get(file.index()).map_or("", |file| file.path.as_str())
    }

    /// What stands at `path`; `None` for folders and for nothing.
    #[must_use]
    pub fn entry(&self, path: &str) -> Option<Entry> {
        self.by_path.get(path).copied()
    }

    /// The file at `path`.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<FileId> {
        match self.entry(path)? {
            Entry::File(id) => Some(id),
            Entry::Link => None,
        }
    }

    /// The contents of a file.
    ///
    /// # Errors
    /// What the operating system said when the file was first read.
    pub fn bytes(&self, file: FileId) -> Result<&[u8], &io::Error> {
        match self.contents(file) {
            None => Ok(&[]),
            Some(Ok(Contents::Text(text))) => Ok(text.as_bytes()),
            Some(Ok(Contents::Binary(bytes))) => Ok(bytes),
            Some(Err(error)) => Err(error),
        }
    }

    /// The contents of a file as text; `None` where it cannot be read or is not UTF-8.
    #[must_use]
    pub fn text(&self, file: FileId) -> Option<&str> {
        match self.contents(file) {
            None => Some(""),
            Some(Ok(Contents::Text(text))) => Some(text),
            Some(_) => None,
        }
    }

    fn contents(&self, file: FileId) -> Option<Result<&Contents, &io::Error>> {
        let entry = self.files.get(file.index())?;
        let read = || fs::read(self.root.join(&entry.path)).map(Contents::of);
        Some(entry.contents.get_or_init(read).as_ref())
    }

    /// Line and columns of the start of `span`; line 1 where its file is no text.
    #[must_use]
    pub fn position(&self, span: Span) -> Position {
        self.position_at(span.file, span.start)
    }

    /// Line and columns of byte `at` of `file`.
    #[must_use]
    pub fn position_at(&self, file: FileId, at: u32) -> Position {
        let nowhere = Position { line: 1, column: 1, byte_column: 1, utf16_column: 1 };
        let (Some(entry), Some(text)) = (self.files.get(file.index()), self.text(file)) else { return nowhere };
        entry.lines.get_or_init(|| LineIndex::new(text)).position(text, at)
    }
}

fn slashed(path: &Path) -> String {
    let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widening_keeps_ids_and_finds_the_siblings() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path();
        fs::create_dir_all(root.join("clusters/a")).expect("created");
        fs::create_dir_all(root.join("apps")).expect("created");
        fs::write(root.join("clusters/a/x.yaml"), "a: 1").expect("written");
        fs::write(root.join("apps/y.yaml"), "b: 2").expect("written");
        let mut tree = Tree::load(&root.join("clusters")).expect("loaded");
        let x = tree.file("a/x.yaml").expect("present");
        assert_eq!(tree.text(x), Some("a: 1"));
        tree.widen(root).expect("an ancestor");
        assert_eq!(tree.file("clusters/a/x.yaml"), Some(x));
        assert!(tree.file("apps/y.yaml").is_some());
        assert_eq!(tree.len(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_seen_but_never_followed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::os::unix::fs::symlink("/etc", folder.path().join("out")).expect("linked");
        let tree = Tree::load(folder.path()).expect("loaded");
        assert_eq!(tree.entry("out"), Some(Entry::Link));
        assert_eq!(tree.len(), 0);
    }
}
