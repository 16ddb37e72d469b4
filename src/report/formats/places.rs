//! Where findings are, for tools that know the repository and not the artifact.

use std::{cell::OnceCell, path::Path};

use super::super::Report;
use crate::{
    finding::Finding,
    source::{FileId, Position, Span, Tree, is_yaml},
};

/// A place in a file of the repository.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    /// Path from the root of the repository, `/`-separated, without `.` and `..`.
    pub(super) path: String,
    /// Where it starts.
    pub(super) start: Position,
    /// Behind its last character on the line that it starts on.
    pub(super) line_end: Position,
    /// Behind its last character.
    pub(super) end: Position,
}

/// Turns spans into places seen from the root of the repository.
pub(super) struct Places<'r> {
    report: &'r Report<'r>,
    /// Paths of manifests of the repository, as in the tree, sorted.
    manifests: OnceCell<Vec<&'r str>>,
}

const START: Position = Position { line: 1, column: 1, byte_column: 1, utf16_column: 1 };

impl<'r> Places<'r> {
    pub(super) const fn new(report: &'r Report<'r>) -> Self {
        Self { report, manifests: OnceCell::new() }
    }

    /// The place of `span`; `None` where no file of the repository holds it.
    pub(super) fn spot(&self, span: Span) -> Option<Spot> {
        if !span.is_some() {
            return None;
        }
        let tree = self.report.tree;
        let path = self.path(span.file)?;
        let at = |byte| tree.position_at(span.file, byte);
        let end = at(span.end.max(span.start));
        Some(Spot { path, start: at(span.start), line_end: at(first_line_end(tree, span)), end })
    }

    /// The place of a finding; `None` where no file of the repository holds it.
    pub(super) fn primary(&self, finding: &Finding) -> Option<Spot> {
        finding.location.span().and_then(|span| self.spot(span))
    }

    /// The place of a finding, or one that stands for it: another of its places, a file of its cluster, any file. Tools
    /// drop what has no place.
    pub(super) fn primary_or_stand_in(&self, finding: &Finding) -> Spot {
        let related = || finding.related.iter().filter_map(|related| related.location);
        self.primary(finding).or_else(|| related().find_map(|span| self.spot(span))).unwrap_or_else(|| Spot {
            path: self.stand_in(finding),
            start: START,
            line_end: START,
            end: START,
        })
    }

    fn stand_in(&self, finding: &Finding) -> String {
        let manifests = self.manifests.get_or_init(|| {
            let tree = self.report.tree;
            let is_manifest = |path: &&str| is_yaml(path);
            let inside = tree.files().filter(|file| self.path(*file).is_some());
            let mut paths: Vec<&str> = inside.map(|file| tree.path(file)).filter(is_manifest).collect();
            paths.sort_unstable();
            paths
        });
        let below = |root: &String| {
            let folder = if root.is_empty() { String::new() } else { format!("{root}/") };
            let at = manifests.partition_point(|path| *path < folder.as_str());
            manifests.get(at).filter(|path| path.starts_with(&folder))
        };
        let file = finding.clusters.iter().find_map(below).or_else(|| manifests.first());
        let path = file.and_then(|path| self.path(self.report.tree.file(path)?));
        path.unwrap_or_else(|| ".".to_owned())
    }

    /// The path of a file from the root of the repository; `None` where it lies outside.
    fn path(&self, file: FileId) -> Option<String> {
        let tree = self.report.tree;
        let path = match self.report.repository {
            _ if tree.path(file).is_empty() => return None,
            Some(repository) => tree.path_from(repository, file),
            None => tree.path(file).to_owned(),
        };
        let is_outside = path.is_empty() || path.starts_with("../") || Path::new(&path).is_absolute();
        (!is_outside).then_some(path)
    }
}

/// Where `span` ends on its first line; the end of that line where the span is empty. Code review shows a place only where
/// every line of it was changed.
fn first_line_end(tree: &Tree, span: Span) -> u32 {
    let bytes = tree.text(span.file).unwrap_or_default().as_bytes();
    let start = (span.start as usize).min(bytes.len());
    let until = if span.end > span.start { (span.end as usize).min(bytes.len()) } else { bytes.len() };
    let Some(length) = bytes[start..until.max(start)].iter().position(|byte| *byte == b'\n') else {
        return u32::try_from(until).unwrap_or(u32::MAX);
    };
    let end = start + length;
    let end = if length > 0 && bytes[end - 1] == b'\r' { end - 1 } else { end };
    u32::try_from(end).unwrap_or(u32::MAX)
}
