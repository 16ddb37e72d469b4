//! What a build depends on besides the text of its objects: the files it read, and the places where it looked for one.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::folder::NAMES;
use crate::source::{FileId, parent};

/// The files of the artifact that a build read, and the paths that it asked for in vain.
///
/// A build gives something else only if one of these files changes, or if a file appears for which [`ReadSet::looks_for`]
/// holds. What several builds share is recorded once.
#[derive(Debug, Clone, Default)]
pub struct ReadSet {
    files: Vec<FileId>,
    /// Paths that lead to nothing.
    absent: Vec<String>,
    /// Folders in which a kustomization file was looked for, under each of its names.
    kustomizations: Vec<String>,
    /// Folders of which every file counts.
    listed: Vec<String>,
    /// What the bases read.
    bases: Vec<Arc<Self>>,
}

/// Answers for read sets that are asked before, so that bases which many builds share are searched once.
#[derive(Debug, Default)]
pub struct Known(FxHashMap<*const ReadSet, bool>);

impl ReadSet {
    /// Whether the build read one of the files for which `is_one` holds. The same `known` goes with the same files.
    #[must_use]
    pub fn reads(&self, is_one: &dyn Fn(FileId) -> bool, known: &mut Known) -> bool {
        self.files.iter().any(|file| is_one(*file)) || self.bases.iter().any(|base| base.shared(is_one, known))
    }

    fn shared(self: &Arc<Self>, is_one: &dyn Fn(FileId) -> bool, known: &mut Known) -> bool {
        let key = Arc::as_ptr(self);
        if let Some(answer) = known.0.get(&key) {
            return *answer;
        }
        let answer = self.reads(is_one, known);
        known.0.insert(key, answer);
        answer
    }

    /// Every file that the build read, sorted.
    #[must_use]
    pub fn files(&self) -> Vec<FileId> {
        let mut files = Vec::new();
        self.each(&mut FxHashSet::default(), &mut |one| files.extend(&one.files));
        files.sort_unstable();
        files.dedup();
        files
    }

    /// Whether the build would have read a file at `path` of the artifact, had there been one.
    #[must_use]
    pub fn looks_for(&self, path: &str) -> bool {
        let folder = parent(path);
        let is_kustomization = path.rsplit('/').next().is_some_and(|name| NAMES.contains(&name));
        let is_below = |listed: &String| {
            listed.is_empty() || path.strip_prefix(listed.as_str()).is_some_and(|rest| rest.starts_with('/'))
        };
        // A path that leads to nothing may be one of a folder, which is there once a file lies in it.
        let makes = |absent: &String| {
            path.strip_prefix(absent.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let mut found = false;
        self.each(&mut FxHashSet::default(), &mut |one| {
            found |= one.absent.iter().any(makes)
                || (is_kustomization && one.kustomizations.iter().any(|looked_in| looked_in == folder))
                || one.listed.iter().any(is_below);
        });
        found
    }

    fn each<'r>(&'r self, seen: &mut FxHashSet<*const Self>, visit: &mut dyn FnMut(&'r Self)) {
        visit(self);
        for base in &self.bases {
            if seen.insert(Arc::as_ptr(base)) {
                base.each(seen, visit);
            }
        }
    }

    /// Notes that a file was read.
    pub fn add_file(&mut self, file: FileId) {
        if self.files.last() != Some(&file) {
            self.files.push(file);
        }
    }

    /// Notes that `path` leads to nothing.
    pub fn add_absent(&mut self, path: impl Into<String>) {
        self.absent.push(path.into());
    }

    /// Notes that the kustomization files of `folder` were looked for, and which there are.
    pub fn add_kustomization(&mut self, folder: &str, files: &[FileId]) {
        self.kustomizations.push(folder.to_owned());
        self.files.extend(files);
    }

    /// Notes that every file in `folder`, and in the folders below it, counts.
    pub fn add_listing(&mut self, folder: &str) {
        self.listed.push(folder.to_owned());
    }

    /// Notes what a base, or another part of the build, read.
    pub fn add_base(&mut self, base: &Arc<Self>) {
        self.bases.push(Arc::clone(base));
    }

    /// Takes in what `other` recorded.
    pub(in crate::kustomize) fn append(&mut self, mut other: Self) {
        self.files.append(&mut other.files);
        self.absent.append(&mut other.absent);
        self.kustomizations.append(&mut other.kustomizations);
        self.listed.append(&mut other.listed);
        self.bases.append(&mut other.bases);
    }

    /// Keeps each file once, now that nothing is added any more.
    pub(in crate::kustomize) fn finish(&mut self) {
        self.files.sort_unstable();
        self.files.dedup();
        self.files.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        kustomize::Kustomize,
        source::{Artifact, Tree},
        yaml::Store,
    };

    const FILES: [(&str, &str); 10] = [
        (
            "overlay/kustomization.yaml",
            "resources: [../base, gone.yaml]\ncomponents: [../part]\npatches: [{path: patch.yaml}]\n",
        ),
        ("overlay/patch.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: v}\n"),
        ("overlay/unused.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: u}\n"),
        (
            "base/kustomization.yaml",
            "resources: [a.yaml]\nconfigMapGenerator: [{name: g, envs: [g.env], files: [f=g.txt]}]\n",
        ),
        ("base/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"),
        ("base/g.env", "A=1\n"),
        ("base/g.txt", "text"),
        ("part/kustomization.yaml", "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnamePrefix: p-\n"),
        ("other/kustomization.yaml", "resources: [../base]\nconfigurations: [names.yaml]\n"),
        ("other/names.yaml", "namePrefix: []\n"),
    ];

    fn with_build(folder: &str, check: impl FnOnce(&Tree, &ReadSet)) {
        let tree = Tree::from_memory(FILES.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())));
        let store = Store::new(tree);
        let kustomize = Kustomize::new(&store, Artifact::new(store.tree(), "", |_| true));
        // What an earlier build accumulated is handed on with its record.
        let _ = kustomize.build("other", None);
        check(store.tree(), &kustomize.build(folder, None).reads);
    }

    #[test]
    fn a_build_reads_what_its_kustomizations_name_at_any_depth() {
        let read = |folder: &str, expected: &[&str]| {
            with_build(folder, |tree, reads| {
                let mut paths: Vec<&str> = reads.files().into_iter().map(|file| tree.path(file)).collect();
                paths.sort_unstable();
                assert_eq!(paths, expected, "{folder}");
                for (path, _) in FILES {
                    let file = tree.file(path).expect("present");
                    let is_read = reads.reads(&|one| one == file, &mut Known::default());
                    assert_eq!(is_read, expected.contains(&path), "{path} by {folder}");
                }
            });
        };
        let base = ["base/a.yaml", "base/g.env", "base/g.txt", "base/kustomization.yaml"];
        read(
            "overlay",
            &[&base[..], &["overlay/kustomization.yaml", "overlay/patch.yaml", "part/kustomization.yaml"]].concat(),
        );
        read("other", &[&base[..], &["other/kustomization.yaml", "other/names.yaml"]].concat());
    }

    #[test]
    fn a_build_looks_for_what_is_named_and_absent() {
        with_build("overlay", |_, reads| {
            for path in ["overlay/gone.yaml", "overlay/gone.yaml/kustomization.yaml", "base/kustomization.yml"] {
                assert!(reads.looks_for(path), "{path}");
            }
            for path in ["overlay/gone.yml", "base/b.yaml", "other/kustomization.yml", "kustomization.yaml"] {
                assert!(!reads.looks_for(path), "{path}");
            }
        });
    }
}
