//! Revisions of a Git repository, read from its objects: nothing is checked out, no other program runs, and nothing that
//! is missing is fetched. The only part of the code that knows gix.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use gix::{
    ObjectId,
    bstr::{BStr, ByteSlice as _},
    objs::tree::EntryKind,
};
use rustc_hash::FxHashSet;

use super::{GitError, normalize, slashed};

/// Most files of one revision. Trees may name the same folder over and over, so a few bytes can stand for any number.
const MOST_FILES: usize = 1_000_000;

/// Most files in folders that were there before, under another name.
const MOST_REPEATED: usize = 20_000;

/// Most bytes of all paths.
const MOST_PATHS: usize = 128 * 1024 * 1024;

/// Most folders inside each other.
const DEEPEST: usize = 256;

/// Bytes of the largest object that is unpacked, in the words of Git's configuration.
const LARGEST: &str = "gitoxide.objects.allocLimit=33554432";

/// A Git repository: a clone with a work tree, a further work tree of one, or a bare one.
#[derive(Debug, Clone)]
pub struct Repository {
    inner: gix::ThreadSafeRepository,
    top: PathBuf,
    is_bare: bool,
}

/// The files of one commit.
pub struct Revision {
    inner: gix::ThreadSafeRepository,
    /// Handles on the repository that nobody uses just now: each keeps what it has unpacked last.
    idle: Mutex<Vec<gix::Repository>>,
    top: PathBuf,
    commit: ObjectId,
    tree: ObjectId,
    name: String,
}

/// The contents of a file of a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Blob(ObjectId);

/// What stands at a path of a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InRevision {
    File(Blob),
    Link,
    /// Another repository, of which this one holds the name of a commit alone.
    Submodule,
    Folder,
}

impl Repository {
    /// The repository that `folder` lies in.
    ///
    /// # Errors
    /// Where there is none, or it cannot be read.
    pub fn around(folder: &Path) -> Result<Self, GitError> {
        // Neither the variables nor the files of the user decide what a revision is.
        let options = || gix::open::Options::isolated().config_overrides([LARGEST]);
        let trust = gix::sec::trust::Mapping { full: options(), reduced: options() };
        let start = folder.canonicalize().map_err(|error| GitError::unreadable(folder, &error))?;
        let has_one = || start.ancestors().any(|above| above.join(".git").exists());
        let inner = gix::ThreadSafeRepository::discover_opts(&start, gix::discover::upwards::Options::default(), trust)
            .map_err(|error| match has_one() {
                true => GitError::unreadable(folder, &error),
                false => GitError::NoRepository(folder.to_owned()),
            })?;
        let local = inner.to_thread_local();
        let top = local.workdir().unwrap_or_else(|| local.git_dir());
        let top = top.canonicalize().map_err(|error| GitError::unreadable(top, &error))?;
        let is_bare = local.workdir().is_none();
        Ok(Self { inner, top, is_bare })
    }

    /// The folder that holds the work tree; for a bare repository the repository itself.
    #[must_use]
    pub fn top(&self) -> &Path {
        &self.top
    }

    /// Whether there is no work tree.
    #[must_use]
    pub const fn is_bare(&self) -> bool {
        self.is_bare
    }

    /// The URLs of its remotes, as its configuration has them.
    #[must_use]
    pub fn remotes(&self) -> Vec<String> {
        let local = self.inner.to_thread_local();
        let config = local.config_snapshot();
        let sections = config.plumbing().sections_by_name("remote").into_iter().flatten();
        let urls = sections.flat_map(|section| section.values("url").into_iter().chain(section.values("pushurl")));
        urls.map(|url| url.to_str_lossy().into_owned()).collect()
    }

    /// The commit that `name` stands for: a branch, a tag, a hash or what `git rev-parse` knows besides.
    ///
    /// # Errors
    /// Where there is none, or this clone does not hold it.
    pub fn revision(&self, name: &str) -> Result<Revision, GitError> {
        let local = self.inner.to_thread_local();
        let commit = commit_of(&local, name).ok_or_else(|| self.unknown(&local, name))?;
        self.at(&local, commit, name)
    }

    /// The best common ancestor of two commits of this repository.
    ///
    /// # Errors
    /// Where there is none, or this clone does not reach back to it.
    pub fn merge_base(&self, one: &Revision, other: &Revision) -> Result<Revision, GitError> {
        let local = self.inner.to_thread_local();
        let found = local.merge_base(one.commit, other.commit).ok().flatten().map(gix::Id::detach);
        let Some(commit) = found else {
            let is_shallow = local.is_shallow().unwrap_or_default();
            return Err(GitError::NoMergeBase { one: one.name.clone(), other: other.name.clone(), is_shallow });
        };
        self.at(&local, commit, &one.name)
    }

    fn at(&self, local: &gix::Repository, commit: ObjectId, name: &str) -> Result<Revision, GitError> {
        let object = object(local, commit, "the commit", name)?;
        let broken = |error: &dyn fmt::Display| GitError::BrokenObject {
            what: format!("the commit {commit}"),
            revision: name.to_owned(),
            error: error.to_string(),
        };
        let found = object.try_into_commit().map_err(|error| broken(&error))?;
        let tree = found.tree_id().map_err(|error| broken(&error))?.detach();
        Ok(Revision {
            inner: self.inner.clone(),
            idle: Mutex::new(Vec::new()),
            top: self.top.clone(),
            commit,
            tree,
            name: name.to_owned(),
        })
    }

    fn unknown(&self, local: &gix::Repository, name: &str) -> GitError {
        let remote = format!("origin/{name}");
        GitError::NoRevision {
            name: name.to_owned(),
            is_shallow: local.is_shallow().unwrap_or_default(),
            similar: commit_of(local, &remote).map(|_| remote),
        }
    }
}

fn commit_of(local: &gix::Repository, name: &str) -> Option<ObjectId> {
    let object = local.rev_parse_single(name).ok()?.object().ok()?;
    Some(object.peel_to_commit().ok()?.id)
}

/// An object that a revision needs. `what` says what it is.
fn object<'r>(
    local: &'r gix::Repository,
    id: ObjectId,
    what: &str,
    revision: &str,
) -> Result<gix::Object<'r>, GitError> {
    let (what, revision) = (format!("{what} {id}"), revision.to_owned());
    match local.try_find_object(id) {
        Ok(Some(object)) => Ok(object),
        Ok(None) => Err(GitError::MissingObject { what, revision }),
        Err(error) => Err(GitError::BrokenObject { what, revision, error: error.to_string() }),
    }
}

/// Whether a folder may hold an entry of this name (git `fsck.c` `fsck_tree`).
fn is_name(name: &BStr) -> bool {
    let is_git = name.eq_ignore_ascii_case(b".git") || name.eq_ignore_ascii_case(b"git~1");
    !(name.is_empty() || *name == "." || *name == ".." || is_git || name.contains(&b'/') || name.contains(&0))
}

impl Revision {
    /// What it was asked for as.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The hash of the commit.
    #[must_use]
    pub fn id(&self) -> String {
        self.commit.to_string()
    }

    /// The first digits of the hash.
    #[must_use]
    pub fn short_id(&self) -> String {
        self.commit.to_hex_with_len(8).to_string()
    }

    /// The folder that its paths are relative to.
    #[must_use]
    pub fn top(&self) -> &Path {
        &self.top
    }

    /// Whether `path`, which is absolute, is a folder of it.
    #[must_use]
    pub fn has_folder(&self, path: &Path) -> bool {
        self.at(path) == Some(InRevision::Folder)
    }

    /// What stands at `path`, which is absolute.
    pub(super) fn at(&self, path: &Path) -> Option<InRevision> {
        self.entry(&normalize(&slashed(path.strip_prefix(&self.top).ok()?)))
    }

    /// What stands at `path`, relative to the top.
    fn entry(&self, path: &str) -> Option<InRevision> {
        if path.is_empty() {
            return Some(InRevision::Folder);
        }
        self.with(|local| {
            let tree = local.find_tree(self.tree).ok()?;
            let entry = tree.lookup_entry(path.split('/')).ok()??;
            Some(InRevision::new(entry.mode().kind(), entry.object_id()))
        })
    }

    /// Every file, link and submodule below the folder `below`, with their paths relative to it, in the order of paths. What
    /// `passed` names is passed over.
    pub(super) fn list(&self, below: &str, passed: &[&str]) -> Result<Vec<(String, InRevision)>, GitError> {
        self.with(|local| {
            let mut found = Vec::new();
            let mut seen = Seen::default();
            // Reversed, so that the first is taken first.
            let mut open = vec![(String::new(), InRevision::Folder, self.root(local, below)?, 0)];
            while let Some((path, kind, id, depth)) = open.pop() {
                if kind != InRevision::Folder {
                    found.push((path, kind));
                    continue;
                }
                let mut entries = self.entries(local, id, &path)?;
                seen.count(id, &path, &entries);
                entries.sort_by(|one, other| other.name.cmp(&one.name));
                if let Some(pair) = entries.windows(2).find(|pair| pair[0].name == pair[1].name) {
                    return Err(self.bad_name(&path, &pair[0].name));
                }
                for Named { name, kind, id } in entries {
                    if passed.contains(&name.as_str()) {
                        continue;
                    }
                    let path = if path.is_empty() { name } else { format!("{path}/{name}") };
                    open.push((path, kind, id, depth + 1));
                }
                if let Some(what) = seen.excess(found.len() + open.len(), depth) {
                    return Err(self.too_large(what));
                }
            }
            Ok(found)
        })
    }

    /// The folder `below`.
    fn root(&self, local: &gix::Repository, below: &str) -> Result<ObjectId, GitError> {
        let mut id = self.tree;
        let mut path = String::new();
        for part in below.split('/').filter(|part| !part.is_empty()) {
            let entries = self.entries(local, id, &path)?;
            let Some(entry) = entries.into_iter().find(|entry| entry.name == part) else {
                let what = format!("the folder {below}");
                return Err(GitError::MissingObject { what, revision: self.name.clone() });
            };
            id = entry.id;
            path = if path.is_empty() { part.to_owned() } else { format!("{path}/{part}") };
        }
        Ok(id)
    }

    /// What the folder at `path` holds.
    fn entries(&self, local: &gix::Repository, id: ObjectId, path: &str) -> Result<Vec<Named>, GitError> {
        let broken = |error: &dyn fmt::Display| GitError::BrokenObject {
            what: format!("the tree {id}"),
            revision: self.name.clone(),
            error: error.to_string(),
        };
        let tree = object(local, id, "the tree", &self.name)?.try_into_tree().map_err(|error| broken(&error))?;
        let tree = tree.decode().map_err(|error| broken(&error))?;
        let entry = |entry: &gix::objs::tree::EntryRef<'_>| {
            let name = entry.filename.to_str_lossy().into_owned();
            match is_name(entry.filename) {
                true => Ok(Named {
                    name,
                    kind: InRevision::new(entry.mode.kind(), entry.oid.to_owned()),
                    id: entry.oid.to_owned(),
                }),
                false => Err(self.bad_name(path, &name)),
            }
        };
        tree.entries.iter().map(entry).collect()
    }

    fn bad_name(&self, folder: &str, name: &str) -> GitError {
        GitError::BadName { revision: self.name.clone(), folder: folder.to_owned(), name: name.to_owned() }
    }

    pub(super) fn too_large(&self, what: String) -> GitError {
        GitError::TooLarge { revision: self.name.clone(), what }
    }

    /// The contents of a file.
    pub(super) fn read(&self, blob: Blob) -> Result<Vec<u8>, GitError> {
        self.with(|local| Ok(std::mem::take(&mut object(local, blob.0, "the object", &self.name)?.data)))
    }

    /// Asks the repository, with a handle of this thread's own.
    fn with<T>(&self, ask: impl FnOnce(&gix::Repository) -> T) -> T {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let known = idle().pop();
        let local = known.unwrap_or_else(|| {
            let mut local = self.inner.to_thread_local();
            // Files of one folder are packed as differences from each other.
            local.object_cache_size_if_unset(4 * 1024 * 1024);
            local
        });
        let answer = ask(&local);
        idle().push(local);
        answer
    }
}

/// An entry of a folder.
struct Named {
    name: String,
    kind: InRevision,
    id: ObjectId,
}

/// What was listed so far, to know when it is too much: a few objects that name each other can stand for any number of files.
#[derive(Default)]
struct Seen {
    folders: FxHashSet<ObjectId>,
    /// Entries of folders that were there before.
    repeated: usize,
    /// Bytes of all paths.
    bytes: usize,
}

impl Seen {
    fn count(&mut self, id: ObjectId, path: &str, entries: &[Named]) {
        if !self.folders.insert(id) {
            self.repeated += entries.len();
        }
        self.bytes += entries.iter().map(|entry| path.len() + 1 + entry.name.len()).sum::<usize>();
    }

    /// What there is too much of.
    fn excess(&self, files: usize, depth: usize) -> Option<String> {
        if depth > DEEPEST {
            Some(format!("its folders are nested more than {DEEPEST} deep"))
        } else if files > MOST_FILES {
            Some(format!("it has more than {MOST_FILES} files"))
        } else if self.repeated > MOST_REPEATED {
            Some(format!("more than {MOST_REPEATED} of its files are those of one folder under other names"))
        } else {
            (self.bytes > MOST_PATHS).then(|| format!("its paths have more than {MOST_PATHS} bytes"))
        }
    }
}

impl InRevision {
    fn new(kind: EntryKind, id: ObjectId) -> Self {
        match kind {
            EntryKind::Tree => Self::Folder,
            EntryKind::Blob | EntryKind::BlobExecutable => Self::File(Blob(id)),
            EntryKind::Link => Self::Link,
            EntryKind::Commit => Self::Submodule,
        }
    }
}

impl fmt::Debug for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revision").field("name", &self.name).field("commit", &self.commit).finish_non_exhaustive()
    }
}
