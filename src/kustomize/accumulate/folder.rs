//! Finding things: folders, kustomization files, and what paths in them lead to.

use std::{cell::RefCell, rc::Rc};

use crate::{
    kustomize::{Fault, Kustomize, ReadSet, report::Report, schema::openapi::Schema},
    source::{Artifact, Entry, FileId, RemoteUrl, Span, Tree, join, names::nearest, normalize, parent, readable},
    yaml::File,
};

/// Names of kustomization files (kustomize `konfig.RecognizedKustomizationFileNames`).
pub(in crate::kustomize) const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// The folder of one kustomization file, from which its paths start.
pub(in crate::kustomize) struct Folder<'k, 't> {
    pub(in crate::kustomize) kustomize: &'k Kustomize<'t>,
    pub(in crate::kustomize) path: &'k str,
    /// The schema of the build.
    pub(in crate::kustomize) schema: Rc<Schema<'t>>,
    /// What was read on behalf of the kustomization file.
    reads: RefCell<ReadSet>,
}

/// What a path leads to.
pub(in crate::kustomize) enum Target {
    File(FileId),
    Folder(String),
    /// Not here, but on the network.
    Remote,
    /// Why it leads nowhere, and the path that is likely to be meant.
    Nothing(String, Fault),
}

/// The kustomization files of a folder; more than one is an error to kustomize.
pub(in crate::kustomize) fn kustomization_files(artifact: &Artifact, folder: &str) -> Vec<FileId> {
    let path = |name: &&str| if folder.is_empty() { (**name).to_owned() } else { format!("{folder}/{name}") };
    NAMES.iter().filter_map(|name| artifact.file(&path(name))).collect()
}

impl<'k, 't> Folder<'k, 't> {
    pub(in crate::kustomize) fn new(kustomize: &'k Kustomize<'t>, path: &'k str, schema: Rc<Schema<'t>>) -> Self {
        Self { kustomize, path, schema, reads: RefCell::default() }
    }

    /// What was read on behalf of the kustomization file.
    pub(in crate::kustomize) fn into_reads(self) -> ReadSet {
        self.reads.into_inner()
    }

    pub(in crate::kustomize) const fn tree(&self) -> &'t Tree {
        self.kustomize.store.tree()
    }

    pub(in crate::kustomize) fn parse(&self, file: FileId) -> &'t File {
        self.kustomize.store.parse(file)
    }

    /// How many bytes a file has.
    pub(in crate::kustomize) fn length(&self, file: FileId) -> usize {
        self.tree().bytes(file).map_or(0, <[u8]>::len)
    }

    /// What `path` of the kustomization file leads to. A file counts as read.
    pub(in crate::kustomize) fn resolve(&self, path: &str) -> Target {
        let target = self.lookup(path);
        if let Target::File(file) = target {
            self.reads.borrow_mut().add_file(file);
        }
        target
    }

    fn lookup(&self, path: &str) -> Target {
        if path.is_empty() {
            return Target::Nothing("an empty path leads nowhere".to_owned(), Fault::Missing { meant: None });
        }
        let artifact = &self.kustomize.artifact;
        let full = if path.starts_with('/') { None } else { join(self.path, path) };
        if let Some(full) = &full {
            if let Some(file) = artifact.file(full) {
                return Target::File(file);
            }
            if artifact.is_folder(full) {
                return Target::Folder(full.clone());
            }
        }
        if is_remote(path) {
            return self.mapped(path);
        }
        if lacks_scheme(path) {
            return Target::Nothing(
                format!("`{path}` has no scheme, so kustomize looks for it on disk"),
                Fault::NoScheme,
            );
        }
        let Some(full) = full else {
            return Target::Nothing(
                format!("`{path}` leads out of the source's artifact"),
                Fault::Missing { meant: self.meant(path, None) },
            );
        };
        self.reads.borrow_mut().add_absent(full.as_str());
        Target::Nothing(self.absence(path, &full), Fault::Missing { meant: self.meant(path, Some(&full)) })
    }

    /// What a mapping makes of a remote path.
    fn mapped(&self, path: &str) -> Target {
        let url = RemoteUrl::parse(path);
        let references: Vec<&str> = url.reference().into_iter().collect();
        let Some(mapped) = self.tree().mapped(&url, &references) else { return Target::Remote };
        let reserved = mapped.mapping.reserved(&mapped.path);
        let artifact = &self.kustomize.artifact;
        match artifact.file(&reserved) {
            Some(file) => Target::File(file),
            None if artifact.is_folder(&reserved) => Target::Folder(reserved),
            None => {
                self.reads.borrow_mut().add_absent(reserved);
                let why = format!(
                    "`{path}` is mapped to the folder `{}`, which holds no `{}`",
                    mapped.mapping.written(),
                    readable(&mapped.path)
                );
                Target::Nothing(why, Fault::Missing { meant: None })
            }
        }
    }

    /// The path that is likely to be meant by one that leads nowhere: with the slashes of Linux, with another number of `../` in front, or
    /// with a name that is nearly the same.
    fn meant(&self, path: &str, full: Option<&str>) -> Option<String> {
        let artifact = &self.kustomize.artifact;
        let is_there = |path: &str| artifact.file(path).is_some() || artifact.is_folder(path);
        let slashed = path.replace('\\', "/");
        if slashed != path && join(self.path, &slashed).is_some_and(|full| is_there(&full)) {
            return Some(slashed);
        }
        let rest = normalize(&slashed);
        let rest = rest.trim_start_matches("../");
        // A lone name may be that of any file further up.
        if rest.contains('/') || slashed.contains("../") {
            let mut above = self.path;
            loop {
                let candidate = if above.is_empty() { rest.to_owned() } else { format!("{above}/{rest}") };
                if !rest.is_empty() && is_there(&candidate) {
                    return Some(relative(self.path, &candidate));
                }
                if above.is_empty() {
                    break;
                }
                above = parent(above);
            }
        }
        let full = full?;
        let name = full.rsplit('/').next()?;
        let beside = artifact.names(parent(full));
        let near = nearest(name, beside.filter(|other| join(parent(full), other).is_some_and(|full| is_there(&full))))?;
        Some(format!("{}{near}", slashed.trim_end_matches('/').strip_suffix(name)?))
    }

    fn absence(&self, path: &str, full: &str) -> String {
        let ends = full.char_indices().filter(|(_, letter)| *letter == '/').map(|(at, _)| at).chain([full.len()]);
        let link = ends.map(|end| &full[..end]).find(|part| self.tree().entry(part) == Some(Entry::Link));
        match link {
            Some(link) => format!("`{path}` needs the symbolic link `{link}`, which Flux drops from artifacts"),
            None => format!("`{path}` does not exist"),
        }
    }

    /// The file at `path`.
    pub(in crate::kustomize) fn file(&self, path: &str, at: Span, report: &mut Report) -> Option<FileId> {
        match self.resolve(path) {
            Target::File(file) => return Some(file),
            Target::Folder(_) => report.error(at, format!("`{path}` is a folder, not a file")),
            // Generators, patches and settings read single files: they change objects, and none comes of them.
            Target::Remote => {
                report.unresolved_value(at, format!("remote file {path}"), "it is not in the repository");
            }
            Target::Nothing(why, fault) => report.fault(at, why, fault),
        }
        None
    }

    /// The whole text of the file at `path`, where there is one.
    pub(in crate::kustomize) fn whole(&self, path: &str) -> Option<Span> {
        let Target::File(file) = self.resolve(path) else { return None };
        let length = self.tree().bytes(file).map_or(0, <[u8]>::len);
        Some(Span::new(file, 0, length as u32))
    }

    /// The contents of the file at `path`.
    pub(in crate::kustomize) fn bytes(&self, path: &str, at: Span, report: &mut Report) -> Option<&'t [u8]> {
        let file = self.file(path, at, report)?;
        match self.tree().bytes(file) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                report.error(at, format!("failed to read `{path}`: {error}"));
                None
            }
        }
    }
}

/// The path that leads from one folder to another place.
fn relative(from: &str, to: &str) -> String {
    let parts = |path: &str| path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let (from, to) = (parts(from), parts(to));
    let common = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
    let ups = std::iter::repeat_n("..", from.len() - common);
    let path: Vec<&str> = ups.chain(to[common..].iter().map(String::as_str)).collect();
    if path.is_empty() { ".".to_owned() } else { path.join("/") }
}

/// Whether kustomize would look for `path` on the network, given that it is not here: a URL needs a host, and only that of GitHub is
/// known without a scheme (kustomize 5.8, `git.NewRepoSpecFromURL`).
pub(in crate::kustomize) fn is_remote(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    path.contains("://")
        || ["git@", "git::", "gh:", "github.com/", "github.com:"].iter().any(|prefix| lower.starts_with(prefix))
        || path.contains("_git/")
        || path.split_once(':').is_some_and(|(host, _)| host.contains('@'))
}

/// Whether `path` is a URL of another host without its scheme, as far as its form tells.
fn lacks_scheme(path: &str) -> bool {
    let (host, rest) = path.split_once('/').unwrap_or((path, ""));
    let is_host = !host.starts_with('.')
        && host.rsplit_once('.').is_some_and(|(name, end)| {
            !name.is_empty() && end.len() >= 2 && end.bytes().all(|byte| byte.is_ascii_alphabetic())
        });
    let is_of_git = || {
        path.contains("?ref=")
            || rest.contains("//")
            || rest.contains(".git/")
            || rest.ends_with(".git")
            || host.starts_with("raw.")
    };
    is_host && !rest.is_empty() && is_of_git()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_of_another_host_than_github_needs_its_scheme() {
        for remote in [
            "https://gitlab.com/a/b//c?ref=d",
            "github.com/a/b//c",
            "GitHub.com/a/b",
            "git@gitlab.com:a/b.git",
            "org-1@github.com:a/b",
            "dev.azure.com/a/b/_git/c",
        ] {
            assert!(is_remote(remote), "{remote}");
        }
        for wrong in ["gitlab.com/a/b//c?ref=d", "git.example.org/a/b.git", "raw.githubusercontent.com/a/b/main/c.yaml"]
        {
            assert!(!is_remote(wrong) && lacks_scheme(wrong), "{wrong}");
        }
        for path in ["../base", "base/web.yaml", "v1.2/web.yaml", "web.d/x", ".hidden.dir/x?ref=y", "example.org/web"] {
            assert!(!is_remote(path) && !lacks_scheme(path), "{path}");
        }
    }
}
