//! Limits of a build, so that what bases, copies and replacements can multiply stays finite.

use crate::yaml::{Node, Value};

/// Most objects of one build.
pub(in crate::kustomize) const OBJECTS: usize = 20_000;

/// Most work of one build: objects handed on, and [`FOLDER`] for each folder entered.
pub(in crate::kustomize) const WORK: usize = 400_000;

/// What entering a folder counts as.
pub(in crate::kustomize) const FOLDER: usize = 100;

/// Most nested bases.
pub(in crate::kustomize) const BASES: usize = 100;

/// Longest text a replacement may make, in bytes.
pub(in crate::kustomize) const TEXT: usize = 16 << 20;

const NODES: usize = 2_000_000;
const DEPTH: usize = 1_000;

/// Whether a changed object stays below the most nodes and levels.
pub(in crate::kustomize) fn within_limits(node: &Node) -> bool {
    let mut room = NODES;
    fits(node, DEPTH, &mut room)
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
