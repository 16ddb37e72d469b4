//! The files that two revisions do not have in common, of those that the analysis looked into.

use schemars::JsonSchema;
use serde::Serialize;

use crate::source::{FileId, Tree};

/// What became of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is another one.
    Changed,
}

/// A file that is not the same in both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "TouchedFile")]
pub struct Touched {
    /// Its path from the artifact root.
    pub path: String,
    /// What became of it.
    pub change: How,
    /// The file before.
    #[serde(skip)]
    pub before: Option<FileId>,
    /// The file now.
    #[serde(skip)]
    pub after: Option<FileId>,
}

/// The files that differ, by path. What neither analysis looked into is no part of what Flux sees, and is left out, unread.
#[must_use]
pub fn touched([before, after]: [&Tree; 2]) -> Vec<Touched> {
    let mut found = Vec::new();
    for file in before.files().filter(|file| after.file(before.path(*file)).is_none() && before.is_read(*file)) {
        let path = before.path(file).to_owned();
        found.push(Touched { path, change: How::Removed, before: Some(file), after: None });
    }
    for file in after.files() {
        let path = after.path(file);
        let other = before.file(path);
        if !(after.is_read(file) || other.is_some_and(|other| before.is_read(other))) {
            continue;
        }
        let change = match other {
            None => How::Added,
            Some(other) if is_same(before, other, after, file) => continue,
            Some(_) => How::Changed,
        };
        found.push(Touched { path: path.to_owned(), change, before: other, after: Some(file) });
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

/// Line ends do not count: Git may write others into a work tree than it keeps (`core.autocrlf`).
fn is_same(before: &Tree, one: FileId, after: &Tree, other: FileId) -> bool {
    if before.is_same_blob(one, after, other) {
        return true;
    }
    let (Ok(one), Ok(other)) = (before.bytes(one), after.bytes(other)) else { return false };
    let lines = |bytes: &[u8]| -> Vec<u8> {
        let is_end = |at: usize| bytes[at] == b'\r' && bytes.get(at + 1) == Some(&b'\n');
        (0..bytes.len()).filter(|at| !is_end(*at)).map(|at| bytes[at]).collect()
    };
    one == other || (one.len() != other.len() && lines(one) == lines(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_looked_into_and_differs_is_touched() {
        let tree = |files: &[(&str, &str)]| {
            Tree::from_memory(files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())))
        };
        let before = tree(&[("a", "1"), ("b", "1\n2\n"), ("c", "1"), ("d", "1")]);
        let after = tree(&[("a", "2"), ("b", "1\r\n2\r\n"), ("d", "1"), ("e", "1")]);
        let found = touched([&before, &after]);
        let found: Vec<_> = found.iter().map(|file| (file.path.as_str(), file.change)).collect();
        assert_eq!(found, [("a", How::Changed), ("c", How::Removed), ("e", How::Added)]);
    }
}
