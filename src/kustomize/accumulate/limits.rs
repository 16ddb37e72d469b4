//! Limits of a build, so that what bases, copies and replacements can multiply stays finite.

use crate::yaml::{Node, Value};

/// Most objects of one build.
pub(in crate::kustomize) const OBJECTS: usize = 20_000;

/// Steps that entering a folder counts as.
pub(in crate::kustomize) const FOLDER: usize = 500;

/// Steps that handing an object on counts as.
pub(in crate::kustomize) const COPY: usize = 20;

/// Steps that asking an object for its id, or comparing it with one, counts as.
pub(in crate::kustomize) const ID: usize = 4;

/// Most parts of a path to a field. Nodes are nested as deep at most, and paths are followed by recursion.
pub(in crate::kustomize) const PATH: usize = 512;

/// Most nested bases.
pub(in crate::kustomize) const BASES: usize = 100;

/// What is wrong with a longer one.
pub(in crate::kustomize) fn path_excess() -> String {
    format!("the path has more than {PATH} parts")
}

/// Longest text a replacement may make, in bytes.
pub(in crate::kustomize) const TEXT: usize = 16 << 20;

/// Most bytes of the values of a ConfigMap or a Secret (Kubernetes `core.MaxSecretSize`); what a generator would make
/// beyond them is not made.
pub(in crate::kustomize) const DATA: usize = 1 << 20;

/// Most nodes of one changed object, aliases expanded, as of one document.
pub(in crate::kustomize) const NODES: usize = 1_000_000;

/// Deepest nesting, as of one document: trees are walked and dropped by recursion.
const DEPTH: usize = PATH;

/// What is wrong with an object beyond [`within_limits`].
pub(in crate::kustomize) fn excess() -> String {
    format!("an object grows beyond 1,000,000 nodes or {DEPTH} levels")
}

/// Whether a changed object stays below the most nodes and levels.
pub(in crate::kustomize) fn within_limits(node: &Node) -> bool {
    measured(node).is_some()
}

/// How many nodes there are, aliases expanded; `None` beyond the most nodes or levels.
pub(in crate::kustomize) fn measured(node: &Node) -> Option<usize> {
    let mut room = NODES;
    fits(node, DEPTH, &mut room).then(|| NODES - room)
}

fn fits(node: &Node, depth: usize, room: &mut usize) -> bool {
    if depth == 0 || *room == 0 {
        return false;
    }
    *room -= 1;
    match &node.value {
        Value::Map(map) => map.entries().iter().all(|entry| fits(&entry.value, depth - 1, room)),
        Value::Seq(items) => items.iter().all(|item| fits(item, depth - 1, room)),
        _ => true,
    }
}
