use serde::Serialize;

use crate::source::{Span, Tree};

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Location {
    /// The file, relative to the artifact root.
    pub path: String,
    /// Where it starts.
    pub start: Position,
    /// The position behind its last character.
    pub end: Position,
}

/// A position in a file, 1-based; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

impl Location {
    /// The place of `span`; `None` where no file holds it.
    #[must_use]
    pub fn new(tree: &Tree, span: Span) -> Option<Self> {
        let at = |byte| {
            let position = tree.position_at(span.file, byte);
            Position { line: position.line, column: position.column }
        };
        let path = tree.path(span.file).to_owned();
        span.is_some().then(|| Self { path, start: at(span.start), end: at(span.end) })
    }
}
