//! Resource documents to resources (kustomize `resource.Factory`, `SliceFromBytes`).

use crate::{
    kustomize::{
        report::Report,
        resource::Resource,
        size,
        text::{may_fold, refold},
    },
    source::{Span, Tree},
    yaml::{Document, Node, ProblemKind, Value},
};

/// Most lists in lists that are taken apart.
const LISTS: usize = 100_000;

/// The resources of `documents`. `at` names the file where the kustomization file does.
pub(in crate::kustomize) fn resources(
    tree: &Tree,
    documents: &[Document],
    at: Span,
    report: &mut Report,
) -> Vec<Resource> {
    let mut queue: std::collections::VecDeque<(Node, Span, bool)> = std::collections::VecDeque::new();
    let related = || vec![(at, "listed here".to_owned())];
    for document in documents {
        if let Some(problem) = &document.error {
            report.error_with(problem.span, format!("malformed YAML: {}", problem.message), related());
            continue;
        }
        for problem in &document.problems {
            let mut related = related();
            if let (ProblemKind::DuplicateKey, Some(other)) = (problem.kind, problem.other) {
                related.insert(0, (other, "first set here".to_owned()));
            }
            report.error_with(problem.span, problem.message.clone(), related);
        }
        let folds = may_fold(tree, document.span);
        queue.push_back((document.root.clone(), document.root.span.or(document.span), folds));
        if !affords(document, at, report) {
            break;
        }
    }
    let mut found = Vec::new();
    let mut lists = 0;
    while let Some((node, span, folds)) = queue.pop_front() {
        if is_empty(&node) {
            continue;
        }
        let items = node.get("items");
        let kind = node.find_str(&["kind"]).unwrap_or_default();
        if let (true, Some(items)) = (kind.ends_with("List"), items) {
            lists += 1;
            if lists > LISTS {
                break;
            }
            queue.extend(items.items().map(|item| (item.clone(), item.span, folds)));
            continue;
        }
        if let Some((message, span)) = fault(&node, span) {
            report.error_with(span, message, related());
            continue;
        }
        let refolded = if folds { refold(tree, &node) } else { None };
        found.push(Resource::new(refolded.unwrap_or(node), span));
    }
    found
}

/// Whether the budget reaches for a document. What its aliases expand to costs more than what is written.
fn affords(document: &Document, at: Span, report: &mut Report) -> bool {
    let nodes = size(&document.root);
    let span = document.span;
    let written = (span.end.saturating_sub(span.start) as usize).max(64);
    report.affords(3 * nodes + 16 * nodes.saturating_sub(written), span.or(at))
}

fn is_empty(node: &Node) -> bool {
    match &node.value {
        Value::Null => true,
        Value::Map(map) => map.is_empty(),
        _ => false,
    }
}

/// Why a document is no resource (kyaml `GetValidatedMetadata`).
fn fault(node: &Node, span: Span) -> Option<(String, Span)> {
    if node.as_map().is_none() {
        return Some(("not a Kubernetes object: expected a mapping".to_owned(), span));
    }
    let kind = match node.get("kind").and_then(crate::kustomize::id::scalar_text) {
        Some(kind) if !kind.is_empty() => kind,
        _ => return Some(("not a Kubernetes object: `kind` is missing".to_owned(), span)),
    };
    let metadata = node.get("metadata");
    if let Some(metadata) = metadata.filter(|metadata| metadata.as_map().is_none() && !metadata.is_null()) {
        return Some(("`metadata` is not a mapping".to_owned(), metadata.span));
    }
    let name = metadata.and_then(|metadata| metadata.get("name")).and_then(crate::kustomize::id::scalar_text);
    if name.is_none_or(|name| name.is_empty()) && !kind.ends_with("List") {
        return Some((format!("`metadata.name` of this {kind} is missing"), metadata.map_or(span, |node| node.span)));
    }
    for key in ["labels", "annotations"] {
        let strings = metadata.and_then(|metadata| metadata.get(key));
        if let Some(bad) = strings.filter(|node| node.as_map().is_none() && !node.is_null()) {
            return Some((format!("`metadata.{key}` is not a mapping"), bad.span));
        }
    }
    None
}
