//! Field paths of replacements: `spec.containers.[name=app].image` (kyaml `PathMatcher`, `SmarterPathSplitter`).

use regex::Regex;
use smol_str::SmolStr;

use super::pattern;
use crate::{
    kustomize::accumulate::limits,
    source::Span,
    yaml::{Node, Value},
};

/// What is made where a path leads to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::kustomize) enum Want {
    Existing,
    Scalar,
    Map,
    Seq,
}

/// Takes a path apart at its dots, but not at escaped ones nor inside brackets.
///
/// # Errors
/// Where it has more parts than are followed.
pub(in crate::kustomize) fn split(path: &str) -> Result<Vec<String>, String> {
    let mut parts: Vec<String> = vec![String::new()];
    let mut letters = path.chars().peekable();
    while let Some(letter) = letters.next() {
        let in_brackets = parts.last().is_some_and(|part| part.starts_with('[') && !part.ends_with(']'));
        match letter {
            '\\' if letters.peek() == Some(&'.') => {
                letters.next();
                push(&mut parts, '.');
            }
            '.' if !in_brackets => parts.push(String::new()),
            letter => push(&mut parts, letter),
        }
    }
    parts.retain(|part| !part.is_empty());
    if parts.len() > limits::PATH { Err(limits::path_excess()) } else { Ok(parts) }
}

fn push(parts: &mut [String], letter: char) {
    if let Some(last) = parts.last_mut() {
        last.push(letter);
    }
}

/// `[key=value]`.
fn condition(part: &str) -> Option<(&str, &str)> {
    part.strip_prefix('[')?.strip_suffix(']')?.split_once('=')
}

/// Whether an item of a list meets a condition; a condition without key is about the item itself.
fn meets(item: &Node, (key, value): (&str, &str), pattern: Option<&Regex>) -> bool {
    let found = if key.is_empty() { Some(item) } else { item.get(key) };
    let text = found.and_then(crate::kustomize::id::scalar_text);
    text.is_some_and(|text| pattern.map_or(text == value, |pattern| pattern.is_match(&text)))
}

/// Steps that compiling the patterns of a path takes, once for each list on the way.
pub(in crate::kustomize) fn cost(path: &[String]) -> usize {
    pattern::cost(path.iter().filter_map(|part| Some(condition(part)?.1)))
}

/// The first value at a path.
pub(in crate::kustomize) fn find<'n>(node: &'n Node, path: &[String]) -> Option<&'n Node> {
    let Some((part, rest)) = path.split_first() else { return Some(node) };
    let child = match &node.value {
        Value::Map(map) => map.get(part),
        Value::Seq(items) => match condition(part) {
            Some(condition) => items.iter().find(|item| meets(item, condition, None)),
            None if part == "-" => items.last(),
            None => items.get(part.parse::<usize>().ok()?),
        },
        _ => None,
    };
    find(child?, rest)
}

/// Sets a value; is reported whether it was made just for that.
pub(in crate::kustomize) type Set<'f> = &'f mut dyn FnMut(&Node, bool) -> Option<Node>;

/// Applies `set` to every value at `path`. `None` where nothing changed.
pub(in crate::kustomize) fn update(node: &Node, path: &[String], want: Want, at: Span, set: Set<'_>) -> Option<Node> {
    walk(node, path, want, at, false, set)
}

fn walk(node: &Node, path: &[String], want: Want, at: Span, made: bool, set: Set<'_>) -> Option<Node> {
    let Some((part, rest)) = path.split_first() else { return set(node, made) };
    match &node.value {
        Value::Map(map) => {
            if let Some(child) = map.get(part).filter(|child| !child.is_null() || want == Want::Existing) {
                let new = walk(child, rest, want, at, made, set)?;
                return Some(with(node, part, new));
            }
            let child = make(rest, want, at)?;
            let new = walk(&child, rest, want, at, true, set)?;
            Some(with(node, part, new))
        }
        Value::Seq(items) => {
            let pattern = condition(part).and_then(|(_, value)| pattern::compile(value));
            let index = part.parse::<usize>().ok();
            let mut changed: Option<Vec<Node>> = None;
            let mut any = false;
            for (at_index, item) in items.iter().enumerate() {
                let wanted = match condition(part) {
                    Some(condition) => meets(item, condition, pattern.as_ref()),
                    None => part == "*" || index == Some(at_index),
                };
                if wanted {
                    any = true;
                    if let Some(new) = walk(item, rest, want, at, made, set) {
                        changed.get_or_insert_with(|| items.to_vec())[at_index] = new;
                    }
                }
            }
            if !any
                && want != Want::Existing
                && (condition(part).is_some() || part == "-" || index == Some(items.len()))
            {
                let mut item = make(rest, want, at)?;
                if let Some((key, value)) = condition(part).filter(|(key, _)| !key.is_empty()) {
                    item = Node::empty_map(at);
                    item.set(key, Node::str(value, at));
                }
                let new = walk(&item, rest, want, at, true, set)?;
                changed.get_or_insert_with(|| items.to_vec()).push(new);
            }
            changed.map(|items| Node::seq(items, node.span))
        }
        _ => None,
    }
}

fn with(node: &Node, key: &str, value: Node) -> Node {
    let mut node = node.clone();
    node.set(key, value);
    node
}

/// The value that a missing key gets before the rest of the path is followed.
fn make(rest: &[String], want: Want, at: Span) -> Option<Node> {
    let next_is_list = |part: &String| condition(part).is_some() || part == "-" || part.parse::<usize>().is_ok();
    match (want, rest.first()) {
        (Want::Existing, _) => None,
        // Nothing can be made that a wildcard would find.
        (_, Some(part)) if part == "*" => None,
        (_, Some(part)) if next_is_list(part) => Some(Node::seq(Vec::new(), at)),
        (_, Some(_)) | (Want::Map, None) => Some(Node::empty_map(at)),
        (Want::Seq, None) => Some(Node::seq(Vec::new(), at)),
        (Want::Scalar, None) => Some(Node::new(Value::Str(SmolStr::default()), at)),
    }
}
