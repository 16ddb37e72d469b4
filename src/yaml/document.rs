use std::ops::Range;

use super::Node;
use crate::source::{FileId, Span};

/// A parsed file.
#[derive(Debug, Default)]
pub struct File {
    /// Its documents, empty ones included, broken ones too.
    pub documents: Vec<Document>,
}

/// One document of a stream.
#[derive(Debug)]
pub struct Document {
    /// What it holds; null where it is empty or does not parse.
    pub root: Node,
    /// From its first byte to its last.
    pub span: Span,
    /// Why it does not parse.
    pub error: Option<Problem>,
    /// What parses but is refused in a resource.
    pub problems: Vec<Problem>,
}

/// Something wrong in a document.
#[derive(Debug, Clone)]
pub struct Problem {
    /// Of which sort.
    pub kind: ProblemKind,
    /// In words: lower case, no full stop.
    pub message: String,
    /// Where.
    pub span: Span,
    /// Where the first of two stands, for duplicates.
    pub other: Option<Span>,
}

/// Sorts of [`Problem`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// Not YAML.
    Syntax,
    /// YAML that stands for more than it may.
    TooLarge,
    /// A key twice in one mapping. An error in a resource; in a kustomization file the last one wins.
    DuplicateKey,
    /// A key that is a mapping or a list, which JSON does not have. Templates (`{{ … }}`) look like this.
    ComplexKey,
    /// A merge key (`<<`) whose value is no mapping.
    BadMerge,
    /// `.inf` or `.nan`, which JSON does not have.
    NotJson,
}

/// A comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comment {
    /// The text from `#` to the end of the line.
    pub span: Span,
    /// Whether something stands before it on its line.
    pub trailing: bool,
}

/// Values that begin below the line of their key, by where the key begins.
#[derive(Debug)]
pub struct ValuesBelow {
    found: Vec<(u32, Span)>,
}

impl ValuesBelow {
    /// The value of the key that stands in the bytes of `line`.
    #[must_use]
    pub fn of(&self, line: Range<u32>) -> Option<Span> {
        let until = self.found.partition_point(|(key, _)| *key < line.end);
        let (key, value) = self.found[..until].last()?;
        (*key >= line.start && value.start > line.end).then_some(*value)
    }
}

impl File {
    /// The values that begin on a line below that of their key.
    #[must_use]
    pub fn values_below(&self, text: &str) -> ValuesBelow {
        let mut found = Vec::new();
        let mut open: Vec<&Node> = self.documents.iter().map(|document| &document.root).collect();
        while let Some(node) = open.pop() {
            // What an alias or a merge key repeats stands elsewhere.
            for entry in node.entries().filter(|entry| node.span.contains(entry.key_span)) {
                let (key, value) = (entry.key_span, &entry.value);
                if node.span.contains(value.span) {
                    let between = text.get(key.end as usize..value.span.start as usize);
                    found.extend(between.is_some_and(|text| text.contains('\n')).then_some((key.start, value.span)));
                    open.push(value);
                }
            }
            open.extend(node.items().filter(|item| node.span.contains(item.span)));
        }
        found.sort_unstable_by_key(|(key, value)| (*key, value.start));
        ValuesBelow { found }
    }

    /// A file whose one document is broken.
    #[must_use]
    pub fn broken(file: FileId, message: impl Into<String>) -> Self {
        let span = Span::file_start(file);
        let error = Problem { kind: ProblemKind::Syntax, message: message.into(), span, other: None };
        let document = Document { root: Node::NULL, span, error: Some(error), problems: Vec::new() };
        Self { documents: vec![document] }
    }

    /// Every problem of every document.
    pub fn errors(&self) -> impl Iterator<Item = &Problem> {
        self.documents.iter().filter_map(|document| document.error.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::parse;

    #[test]
    fn a_key_leads_to_the_value_on_the_lines_below_it() {
        let text = "spec: &all\n  list:\n    - name: a\n      more:\n        x: 1\n  one: 2\nagain: *all\nlast:\n  <<: *all\n  b: {c: 1}\n---\n\
                    other:\n  k: v\n";
        let file = parse(FileId::from_index(0), text.as_bytes());
        let below = |line: &str| {
            let start = text.find(line).expect("a line of the text");
            let value = file.values_below(text).of(start as u32..(start + line.len()) as u32)?;
            text.get(value.start as usize..value.end as usize)
        };
        assert_eq!(below("    - name: a"), None);
        assert_eq!(below("      more:"), Some("x: 1"));
        assert_eq!(below("  list:"), Some("- name: a\n      more:\n        x: 1"));
        assert_eq!(below("last:"), Some("<<: *all\n  b: {c: 1}"));
        assert_eq!((below("again: *all"), below("  b: {c: 1}"), below("  one: 2")), (None, None, None));
        assert_eq!(below("other:"), Some("k: v"));
    }
}
