use std::{
    fs, io,
    path::{Component, Path, PathBuf},
    sync::{Arc, Mutex, OnceLock},
};

use rustc_hash::FxHashMap;
use walkdir::WalkDir;

mod revision;

use super::{
    Artifact, FileId, LineIndex, MappedSource, Mapping, Position, Repository, Revision, SourceError, Span, git::Blob,
    slashed,
};

/// Most files of all mapped folders together, those counted twice that lie in two.
const MOST_MAPPED: usize = 1_000_000;

/// Names of folders that hold no manifests, and may hold very many files.
const PASSED: [&str; 2] = [".git", "node_modules"];

/// What stands at a path of a [`Tree`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Entry {
    /// A regular file.
    File(FileId),
    /// A symbolic link. Never followed: Flux drops links from artifacts, and one could leave the repository.
    Link,
}

/// Every file below one folder, and below those that are mapped. Contents are read when first asked for, once, and kept.
#[derive(Debug, Default)]
pub struct Tree {
    root: PathBuf,
    files: Vec<SourceFile>,
    by_path: FxHashMap<String, Entry>,
    unreadable: Vec<SourceError>,
    mappings: Vec<Mapping>,
    /// What the mappings hold, under reserved paths.
    beside: Option<Arc<Artifact>>,
    /// The revision that the files are of; those of the work tree where there is none.
    revision: Option<Arc<Revision>>,
    /// What was read of that.
    shared: Mutex<revision::Shared>,
}

#[derive(Debug)]
struct SourceFile {
    path: String,
    /// Whether it is part of the repository itself, not only of a mapped folder.
    is_own: bool,
    /// Where a revision has its contents.
    blob: Option<Blob>,
    contents: OnceLock<Result<Arc<Contents>, io::Error>>,
    lines: OnceLock<LineIndex>,
}

/// What a file holds. Whether it is text is found out once: it is asked for at every place that is shown.
#[derive(Debug)]
enum Contents {
    Text(String),
    Binary(Vec<u8>),
}

impl Contents {
    fn new(bytes: Vec<u8>) -> Self {
        String::from_utf8(bytes).map_or_else(|error| Self::Binary(error.into_bytes()), Self::Text)
    }

    fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
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
        let mut tree = Self { root: root.to_owned(), ..Self::default() };
        tree.list();
        Ok(tree)
    }

    /// The same of a folder that may be any, and is only looked at: `None` where it holds more than `most` files and folders.
    /// Other file systems below it and folders that cannot be read are passed over.
    #[must_use]
    pub fn glance(root: &Path, most: usize) -> Option<Self> {
        let is_passed = |entry: &walkdir::DirEntry| PASSED.iter().any(|passed| entry.file_name() == *passed);
        let walk = WalkDir::new(root).same_file_system(true).sort_by_file_name().into_iter();
        let mut tree = Self { root: root.to_owned(), ..Self::default() };
        for (number, entry) in walk.filter_entry(|entry| entry.depth() == 0 || !is_passed(entry)).enumerate() {
            if number > most {
                return None;
            }
            let Ok(entry) = entry else { continue };
            if let Ok(below) = entry.path().strip_prefix(root)
                && entry.file_type().is_file()
            {
                tree.add(slashed(below), true);
            }
        }
        Some(tree)
    }

    /// A tree of files that exist in memory only: for tests, and for text from standard input.
    #[must_use]
    pub fn from_memory(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        let mut tree = Self::default();
        for (path, bytes) in files {
            let id = tree.add(path, true);
            tree.files[id.index()].contents = OnceLock::from(Ok(Arc::new(Contents::new(bytes))));
        }
        tree
    }

    /// Lets the file at `path`, which is absolute and free of links, hold `bytes` instead of what is on disk, whether or not
    /// it is there. One outside the tree is passed over.
    pub fn put(&mut self, path: &Path, bytes: Vec<u8>) {
        let Ok(below) = path.strip_prefix(&self.root) else { return };
        let path = slashed(below);
        let id = self.file(&path).unwrap_or_else(|| self.add(path, true));
        self.files[id.index()].contents = OnceLock::from(Ok(Arc::new(Contents::new(bytes))));
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
        let old = std::mem::replace(&mut self.root, root.to_owned());
        let known = std::mem::take(&mut self.by_path);
        let moved = |path: &str| match path.starts_with("../") {
            true => seen_from(root, &old.join(path)),
            false => format!("{prefix}/{path}"),
        };
        self.by_path = known.into_iter().map(|(path, entry)| (moved(&path), entry)).collect();
        for file in &mut self.files {
            file.path = moved(&file.path);
        }
        match self.revision {
            Some(_) => self.list_revision()?,
            None => self.list(),
        }
        Ok(prefix)
    }

    /// Adds the folders that stand for something outside the repository, to be found by [`Tree::mapped`]. Their files
    /// have paths relative to the root as all files have, `../` in front where they lie beside it. A folder below the
    /// root is taken out of the repository: what lies there is a copy of another one. Links are passed over.
    ///
    /// # Errors
    /// Where a folder is not there, or where they hold more than a million files.
    pub fn map(&mut self, sources: &[MappedSource]) -> Result<(), SourceError> {
        for source in sources {
            let missing = |_| SourceError::Missing(source.folder.clone());
            let folder = source.folder.canonicalize().map_err(missing)?;
            if !folder.is_dir() {
                return Err(SourceError::Missing(folder));
            }
            let listed: usize = self.mappings.iter().map(|mapping| mapping.files.len()).sum();
            if listed > MOST_MAPPED {
                return Err(SourceError::TooManyMapped { most: MOST_MAPPED, folder });
            }
            let is_foreign = !self.root.starts_with(&folder);
            let mut files = Vec::new();
            for (entry, below) in self.walk(&folder, &[]) {
                let path = seen_from(&self.root, &folder.join(&below));
                if entry.is_symlink() {
                    self.by_path.insert(path, Entry::Link);
                    continue;
                }
                let known = self.file(&path);
                let file = known.unwrap_or_else(|| self.add(path, false));
                if is_foreign {
                    self.files[file.index()].is_own = false;
                }
                files.push((slashed(&below), file));
            }
            let source = MappedSource { folder, ..source.clone() };
            self.mappings.push(Mapping { source, is_foreign, files });
        }
        let reserved =
            self.mappings.iter().flat_map(|mapping| mapping.files().map(|(path, file)| (mapping.reserved(path), file)));
        self.beside = Some(Arc::new(reserved.collect()));
        Ok(())
    }

    fn list(&mut self) {
        let root = self.root.clone();
        let foreign = self.mappings.iter().filter(|mapping| mapping.is_foreign);
        let foreign: Vec<PathBuf> = foreign.map(|mapping| mapping.folder().to_owned()).collect();
        for (entry, below) in self.walk(&root, &foreign) {
            let path = slashed(&below);
            if entry.is_symlink() {
                self.by_path.insert(path, Entry::Link);
            } else if let Some(known) = self.file(&path) {
                self.files[known.index()].is_own = true;
            } else {
                self.add(path, true);
            }
        }
    }

    /// Whether a file was looked into.
    #[must_use]
    pub fn is_read(&self, file: FileId) -> bool {
        self.files.get(file.index()).is_some_and(|file| file.contents.get().is_some())
    }

    /// Files and links below `top`, with their paths relative to it. The folders in `passed` are left out.
    fn walk(&mut self, top: &Path, passed: &[PathBuf]) -> Vec<(fs::FileType, PathBuf)> {
        let skipped = |name: &std::ffi::OsStr| PASSED.iter().any(|passed| name == *passed);
        let is_passed = |entry: &walkdir::DirEntry| {
            entry.depth() > 0 && (skipped(entry.file_name()) || passed.iter().any(|folder| folder == entry.path()))
        };
        let mut found = Vec::new();
        for entry in WalkDir::new(top).sort_by_file_name().into_iter().filter_entry(|entry| !is_passed(entry)) {
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
            let Ok(below) = entry.path().strip_prefix(top) else { continue };
            if entry.file_type().is_symlink() || entry.file_type().is_file() {
                found.push((entry.file_type(), below.to_owned()));
            }
        }
        found
    }

    fn add(&mut self, path: String, is_own: bool) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).expect("internal: fewer than 2^32 files"));
        self.by_path.insert(path.clone(), Entry::File(id));
        self.files.push(SourceFile { path, is_own, blob: None, contents: OnceLock::new(), lines: OnceLock::new() });
        id
    }

    /// The folder all paths are relative to.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether its root is the top of a Git repository.
    #[must_use]
    pub fn is_repository(&self) -> bool {
        self.revision.as_ref().map_or_else(|| self.root.join(".git").exists(), |revision| revision.top() == self.root)
    }

    /// The URLs of the remotes of the Git repository around it; none where it is not known to be in one.
    #[must_use]
    pub fn remotes(&self) -> Vec<String> {
        let folder = self.revision.as_ref().map_or(self.root.as_path(), |revision| revision.top());
        if folder.as_os_str().is_empty() {
            return Vec::new();
        }
        Repository::around(folder).map(|repository| repository.remotes()).unwrap_or_default()
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

    /// Every file of the repository itself, those of mapped folders left out.
    pub fn files(&self) -> impl Iterator<Item = FileId> + Clone {
        self.all_files().filter(|file| self.files[file.index()].is_own)
    }

    /// Every file, those of mapped folders too.
    pub fn all_files(&self) -> impl Iterator<Item = FileId> + Clone + use<> {
        (0..self.files.len()).map(|index| FileId(index as u32))
    }

    /// The folders that stand for something outside the repository.
    #[must_use]
    pub fn mappings(&self) -> &[Mapping] {
        &self.mappings
    }

    pub(super) fn beside(&self) -> Option<Arc<Artifact>> {
        self.beside.clone()
    }

    /// How many files there are, those of mapped folders too.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is no file at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The path of a file, relative to the root, `/`-separated; with `..` in front for one that lies outside. Empty for [`FileId::NONE`].
    #[must_use]
    pub fn path(&self, file: FileId) -> &str {
        self.files.get(file.index()).map_or("", |file| file.path.as_str())
    }

    /// The path of a file as seen from `base`, an absolute folder free of links; with `..` in front for one that lies
    /// outside.
    #[must_use]
    pub fn path_from(&self, base: &Path, file: FileId) -> String {
        seen_from(base, &self.root.join(self.path(file)))
    }

    /// The root as seen from `base`, as in [`Tree::path_from`].
    #[must_use]
    pub fn root_from(&self, base: &Path) -> String {
        seen_from(base, &self.root)
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
        let read = || match (&self.revision, entry.blob) {
            (Some(revision), Some(blob)) => self.read_blob(revision, blob).map_err(io::Error::other),
            _ => fs::read(self.root.join(&entry.path)).map(|bytes| Arc::new(Contents::new(bytes))),
        };
        Some(entry.contents.get_or_init(read).as_deref())
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

/// `path` relative to `root`, with `..` where it lies outside; `path` itself where the two share nothing. Both are free of
/// links and of `..`.
fn seen_from(root: &Path, path: &Path) -> String {
    let clean: PathBuf = path.components().fold(PathBuf::new(), |mut clean, part| {
        match part {
            Component::ParentDir => drop(clean.pop()),
            part => clean.push(part),
        }
        clean
    });
    let shared = root.components().zip(clean.components()).take_while(|(left, right)| left == right).count();
    if shared == 0 {
        return slashed(&clean);
    }
    let up = root.components().skip(shared).map(|_| "..".to_owned());
    let down = clean.components().skip(shared).map(|part| part.as_os_str().to_string_lossy().into_owned());
    up.chain(down).collect::<Vec<_>>().join("/")
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

    #[test]
    fn mapped_folders_are_seen_from_the_root_and_are_no_part_of_the_repository() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let top = folder.path().canonicalize().expect("a real path");
        for (path, text) in [("repo/clusters/a.yaml", "a: 1"), ("repo/vendor/b.yaml", "b: 2"), ("other/c.yaml", "c: 3")]
        {
            fs::create_dir_all(top.join(path).parent().expect("a folder")).expect("created");
            fs::write(top.join(path), text).expect("written");
        }
        let source = |url: &str, path: &str| MappedSource {
            url: super::super::RemoteUrl::parse(url),
            reference: None,
            folder: top.join(path),
            written: path.to_owned(),
        };
        let mut tree = Tree::load(&top.join("repo/clusters")).expect("loaded");
        let sources =
            [source("h.example/b", "repo/vendor"), source("h.example/c", "other"), source("h.example", "repo")];
        tree.map(&sources).expect("all are there");
        assert!(tree.file("../vendor/b.yaml").is_some() && tree.file("../../other/c.yaml").is_some());
        tree.widen(&top.join("repo")).expect("an ancestor");
        let own: Vec<&str> = tree.files().map(|file| tree.path(file)).collect();
        assert_eq!(own, ["clusters/a.yaml"]);
        let mut all: Vec<&str> = tree.all_files().map(|file| tree.path(file)).collect();
        all.sort_unstable();
        assert_eq!(all, ["../other/c.yaml", "clusters/a.yaml", "vendor/b.yaml"]);
        assert_eq!(tree.text(tree.file("../other/c.yaml").expect("present")), Some("c: 3"));
        let mapped =
            tree.mapped(&super::super::RemoteUrl::parse("https://h.example/b//x/b.yaml"), &[]).expect("the longest");
        assert_eq!((mapped.mapping.written(), mapped.path.as_str()), ("repo/vendor", "x/b.yaml"));
        let missing = Tree::load(&top).expect("loaded").map(&[source("h.example", "nowhere")]);
        assert!(matches!(missing, Err(SourceError::Missing(_))));
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
