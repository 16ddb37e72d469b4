use std::{
    fs,
    path::{Path, PathBuf},
};

use fluxdag::{Analysis, Options, Session, Survey};
use serde_json::Value;
use tempfile::TempDir;

use super::{Done, copy_folder, entries, files, fixture, fluxdag, git};

/// What `flux bootstrap --path=clusters/prod` writes.
pub(crate) const SYNC: &str = "\
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: flux-system, namespace: flux-system}
spec: {interval: 1m, url: 'https://example.com/x.git'}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: flux-system, namespace: flux-system}
spec: {interval: 10m, path: ./clusters/prod, prune: true, sourceRef: {kind: GitRepository, name: flux-system}}
";

/// Where it writes that.
pub(crate) const SYNC_FILE: &str = "clusters/prod/flux-system/gotk-sync.yaml";

/// What it writes for another cluster, and where.
pub(crate) fn sync(cluster: &str) -> (String, String) {
    (SYNC_FILE.replace("prod", cluster), SYNC.replace("clusters/prod", &format!("clusters/{cluster}")))
}

/// A ConfigMap in the namespace `default`.
pub(crate) fn config_map(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: default}}\ndata: {{a: b}}\n")
}

/// What the library answers about the repository in a folder.
pub(crate) fn ask<T>(folder: &Path, options: &Options, ask: impl FnOnce(&Session<'_>) -> T) -> T {
    let survey = fluxdag::survey(&[folder.to_owned()], options).expect("a survey");
    ask(&Session::new(&survey, options))
}

/// A repository in a temporary folder, with no Git repository around it.
#[derive(Debug)]
pub(crate) struct Repository(TempDir);

impl Repository {
    /// An empty folder.
    pub(crate) fn empty() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    /// These files: path and text of each.
    pub(crate) fn new<P: AsRef<str>, T: AsRef<[u8]>>(files: &[(P, T)]) -> Self {
        let repository = Self::empty();
        for (path, text) in files {
            repository.write(path.as_ref(), text);
        }
        repository
    }

    /// The cluster `clusters/prod`, as bootstrap makes it, with these files.
    pub(crate) fn cluster<P: AsRef<str>, T: AsRef<[u8]>>(files: &[(P, T)]) -> Self {
        let repository = Self::new(&[(SYNC_FILE, SYNC)]);
        for (path, text) in files {
            repository.write(path.as_ref(), text);
        }
        repository
    }

    /// A copy of a fixture.
    pub(crate) fn fixture(name: &str) -> Self {
        let repository = Self::empty();
        copy_folder(&fixture(name), repository.folder());
        repository
    }

    /// A Git repository with one commit of these files, on `main`.
    pub(crate) fn committed<P: AsRef<str>, T: AsRef<[u8]>>(files: &[(P, T)]) -> Self {
        let repository = Self::new(files).under_git();
        repository.commit("base");
        repository
    }

    /// Makes it a Git repository without any commit.
    pub(crate) fn under_git(self) -> Self {
        self.git(&["init", "--quiet", "--initial-branch=main"]);
        self
    }

    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder().join(path)
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Its files: path and text of each.
    pub(crate) fn files(&self) -> Vec<(String, String)> {
        let text = |(path, bytes)| (path, String::from_utf8(bytes).expect("text"));
        files(self.folder()).into_iter().map(text).collect()
    }

    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) -> &Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("created");
        fs::write(path, text).expect("written");
        self
    }

    /// Replaces the first `from` in a file, which has to be there.
    pub(crate) fn edit(&self, path: &str, from: &str, to: &str) -> &Self {
        let text = self.read(path);
        assert!(text.contains(from), "{path} has no `{from}`");
        self.write(path, text.replacen(from, to, 1))
    }

    pub(crate) fn remove(&self, path: &str) {
        fs::remove_file(self.path(path)).expect("removed");
    }

    /// Replaces all files but those of Git by a copy of a folder.
    pub(crate) fn fill(&self, folder: &Path) {
        for path in entries(self.folder()).into_iter().filter(|path| !path.ends_with(".git")) {
            let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
            removed.expect("removed");
        }
        copy_folder(folder, self.folder());
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        git(self.folder(), arguments)
    }

    pub(crate) fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
    }

    /// The analysis of all of it by the library.
    pub(crate) fn analyse(&self, options: &Options) -> Analysis {
        fluxdag::lint(&[self.folder().to_owned()], options).expect("an analysis")
    }

    /// Its clusters, as the library finds them.
    pub(crate) fn survey(&self) -> Survey {
        fluxdag::survey(&[self.folder().to_owned()], &Options::default()).expect("a survey")
    }

    /// What the library answers about it.
    pub(crate) fn ask<T>(&self, ask: impl FnOnce(&Session<'_>) -> T) -> T {
        self::ask(self.folder(), &Options::default(), ask)
    }

    /// The program, at its top.
    pub(crate) fn run(&self, arguments: &[&str]) -> Done {
        fluxdag(self.folder(), arguments)
    }

    /// The program, in a folder of it.
    pub(crate) fn run_in(&self, folder: &str, arguments: &[&str]) -> Done {
        fluxdag(self.path(folder), arguments)
    }

    /// `fluxdag lint -o concise`, at its top.
    pub(crate) fn lint(&self, arguments: &[&str]) -> Done {
        self.lint_in("", arguments)
    }

    /// `fluxdag lint -o concise`, in a folder of it.
    pub(crate) fn lint_in(&self, folder: &str, arguments: &[&str]) -> Done {
        self.run_in(folder, &[&["lint", "-o", "concise"], arguments].concat())
    }

    /// The answer of a command as JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let done = self.run(&[arguments, &["-o", "json"]].concat());
        assert!(done.code < 2, "{arguments:?}: {}", done.err);
        done.json()
    }
}
