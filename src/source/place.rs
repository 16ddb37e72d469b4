use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Span, Tree};

/// A place in a file, as people and programs read it. A point ends where it starts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[schemars(rename = "Location")]
pub struct Place {
    /// The file, relative to the artifact root.
    pub path: String,
    /// The first character.
    pub start: LineColumn,
    /// Behind the last character.
    pub end: LineColumn,
}

/// A line and a column. Both are 1-based; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[schemars(rename = "Position")]
pub struct LineColumn {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

impl Tree {
    /// The place of `span`; `None` where no file holds it.
    #[must_use]
    pub fn place(&self, span: Span) -> Option<Place> {
        let at = |byte| {
            let position = self.position_at(span.file, byte);
            LineColumn { line: position.line, column: position.column }
        };
        span.is_some().then(|| Place {
            path: self.path(span.file).to_owned(),
            start: at(span.start),
            end: at(span.end.max(span.start)),
        })
    }
}

/// `path:line`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.path, self.start.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_a_place_where_a_file_holds_it() {
        let tree = Tree::from_memory([("a.yaml".to_owned(), "a: é\nb: cd\n".as_bytes().to_vec())]);
        let file = tree.file("a.yaml").expect("a file of the test");
        let place = tree.place(Span::new(file, 9, 11)).expect("a place");
        assert_eq!((place.start, place.end), (LineColumn { line: 2, column: 4 }, LineColumn { line: 2, column: 6 }));
        assert_eq!(place.to_string(), "a.yaml:2");
        let point = tree.place(Span::file_start(file)).expect("a place");
        assert_eq!(point.start, point.end);
        assert_eq!(tree.place(Span::NONE), None);
    }
}
