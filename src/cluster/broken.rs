use crate::{
    source::Span,
    yaml::{Problem, ProblemKind, Store},
};

/// A document that cannot be read.
#[derive(Debug, Clone)]
pub struct BrokenDocument {
    /// What is wrong with it.
    pub message: String,
    /// Where.
    pub span: Span,
    /// The first of two places, for a key that is set twice.
    pub other: Option<Span>,
    /// The whole document.
    pub document: Span,
    /// Whether its text speaks of Flux objects, so that something of the picture is lost with it; true where nobody knows.
    pub mentions_flux: bool,
}

impl BrokenDocument {
    /// Whether `span` lies in the document, or is its fault.
    #[must_use]
    pub fn is_in(&self, span: Span) -> bool {
        self.document.contains(span) || self.span == span
    }
}

/// The documents that cannot be read, of all files that were parsed, in path order.
#[must_use]
pub fn broken_documents(store: &Store) -> Vec<BrokenDocument> {
    let tree = store.tree();
    let mut broken = Vec::new();
    for (file, parsed) in store.parsed() {
        for document in &parsed.documents {
            let problem =
                document.error.as_ref().or_else(|| document.problems.iter().find(|problem| is_fatal(problem)));
            let Some(problem) = problem else { continue };
            // A broken document has no end of its own: it reaches to where the parser went on, or to the end.
            let text = tree.text(file).unwrap_or_default();
            let start = (document.span.start as usize).min(text.len());
            let rest = text.get(start..).unwrap_or_default();
            let length =
                rest.match_indices("\n---").map(|(at, _)| at).find(|at| start + at > problem.span.start as usize);
            let end = length.map_or(text.len(), |length| start + length);
            let mentions_flux = match tree.bytes(file) {
                Ok(bytes) if tree.text(file).is_none() => String::from_utf8_lossy(bytes).contains("toolkit.fluxcd.io/"),
                Ok(_) => text.get(start..end).unwrap_or_default().contains("toolkit.fluxcd.io/"),
                Err(_) => true,
            };
            broken.push(BrokenDocument {
                message: problem.message.clone(),
                span: problem.span,
                other: problem.other,
                document: Span::new(file, document.span.start, end as u32),
                mentions_flux,
            });
        }
    }
    broken.sort_by_key(|broken| (tree.path(broken.span.file), broken.span.start));
    broken
}

/// What Kubernetes objects cannot hold.
fn is_fatal(problem: &Problem) -> bool {
    matches!(problem.kind, ProblemKind::DuplicateKey | ProblemKind::ComplexKey | ProblemKind::BadMerge)
}
