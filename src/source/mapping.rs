use std::path::{Path, PathBuf};

use super::{FileId, RemoteUrl, Tree};

/// A folder on disk that stands for something outside the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappedSource {
    /// What it stands for.
    pub url: RemoteUrl,
    /// The one branch, tag or commit that it stands for; any where unset.
    pub reference: Option<String>,
    /// The folder.
    pub folder: PathBuf,
    /// The folder as the user wrote it.
    pub written: String,
}

/// A [`MappedSource`] of a tree, and its files.
#[derive(Debug)]
pub struct Mapping {
    pub(super) source: MappedSource,
    /// Whether the folder lies beside what is analysed, not around it.
    pub(super) is_foreign: bool,
    /// Paths relative to the folder.
    pub(super) files: Vec<(String, FileId)>,
}

/// Where in a mapping a URL leads.
#[derive(Debug, Clone)]
pub struct Mapped<'t> {
    /// The mapping.
    pub mapping: &'t Mapping,
    /// Path in its folder; empty for the folder itself.
    pub path: String,
}

impl MappedSource {
    /// Which of two fits better where both do: the longer URL, then the one for a single reference.
    fn weight(&self) -> (usize, bool) {
        (self.url.text().len(), self.reference.is_some())
    }

    fn covers(&self, references: &[&str]) -> bool {
        self.reference.as_deref().is_none_or(|reference| references.contains(&reference))
    }
}

impl Mapping {
    /// The folder as the user wrote it.
    #[must_use]
    pub fn written(&self) -> &str {
        &self.source.written
    }

    pub(super) fn folder(&self) -> &Path {
        &self.source.folder
    }

    /// Whether the folder lies beside what is analysed. One that holds what is analysed is the repository itself.
    #[must_use]
    pub const fn is_foreign(&self) -> bool {
        self.is_foreign
    }

    /// Its files, paths relative to the folder.
    pub fn files(&self) -> impl Iterator<Item = (&str, FileId)> {
        self.files.iter().map(|(path, file)| (path.as_str(), *file))
    }

    /// Where its files are in every [`Artifact`](super::Artifact): `path` below a folder that no path of an artifact and
    /// no text of a manifest can name, for both come without `..`.
    #[must_use]
    pub fn reserved(&self, path: &str) -> String {
        let reference =
            self.source.reference.as_ref().map_or_else(String::new, |reference| format!("?ref={reference}"));
        let folder = format!("../{}{reference}/..", self.source.url.text());
        if path.is_empty() { folder } else { format!("{folder}/{path}") }
    }
}

impl Tree {
    /// Where the mappings lead `url`, of which `references` are the known names of the wanted revision. The mapping of
    /// the longest URL wins, then one for a reference.
    #[must_use]
    pub fn mapped(&self, url: &RemoteUrl, references: &[&str]) -> Option<Mapped<'_>> {
        let fitting = self.mappings().iter().filter(|mapping| mapping.source.covers(references));
        let found = fitting.filter_map(|mapping| Some((mapping, url.below(&mapping.source.url)?)));
        let (mapping, path) = found.max_by_key(|(mapping, _)| mapping.source.weight())?;
        Some(Mapped { mapping, path: path.to_owned() })
    }
}
