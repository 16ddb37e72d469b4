use super::Node;
use crate::source::{FileId, Span};

/// A parsed file.
#[derive(Debug, Default)]
pub struct File {
    /// Its documents, empty ones included, broken ones too.
    pub documents: Vec<Document>,
    /// Its comments, in order.
    pub comments: Vec<Comment>,
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

impl File {
    /// A file whose one document is broken.
    #[must_use]
    pub fn broken(file: FileId, message: impl Into<String>) -> Self {
        let span = Span::file_start(file);
        let error = Problem { kind: ProblemKind::Syntax, message: message.into(), span, other: None };
        let document = Document { root: Node::NULL, span, error: Some(error), problems: Vec::new() };
        Self { documents: vec![document], comments: Vec::new() }
    }

    /// Every problem of every document.
    pub fn errors(&self) -> impl Iterator<Item = &Problem> {
        self.documents.iter().filter_map(|document| document.error.as_ref())
    }
}
