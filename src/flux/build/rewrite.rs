//! Replacing text in an object as it is printed: so Flux substitutes variables, and flux-operator fills its templates.
//!
//! Both print an object with go-yaml, replace in the text, and read it again. Each scalar is printed and read by itself
//! here; an expression that begins in one and ends in another is a fault.

use std::{borrow::Cow, sync::Arc};

use smol_str::SmolStr;

use crate::{
    source::{FileId, Span},
    yaml::{self, Entry, Map, Node, Style, Value},
};

/// What is replaced, and by what.
pub(in crate::flux) trait Replace {
    /// Whether `text` may hold something to be replaced.
    fn concerns(&self, text: &str) -> bool;
    /// What the printed scalar at `span` becomes; `None` where it is at fault and stays as it is.
    fn replace(&mut self, printed: &str, span: Span) -> Option<String>;
    /// Whether what `replace` gave last holds something that is not known, so that nobody can say what it reads as.
    fn is_open(&self) -> bool {
        false
    }
    /// Takes note of what the last text reads as, where it may be more than a scalar.
    fn made(&mut self, node: &Node) {
        let _ = node;
    }
    /// The result for the scalar at `span` is not YAML any more, for the reason given.
    fn not_yaml(&mut self, why: String, span: Span);
}

/// The object after replacement, sharing with `node` what did not change; `None` where nothing did.
pub(in crate::flux) fn replace_in(node: &Node, replace: &mut dyn Replace) -> Option<Node> {
    Walk { replace }.node(node, Place::Value)
}

/// Where a scalar is printed, which decides what it can become.
#[derive(Clone, Copy)]
enum Place {
    /// Behind `key:`.
    Value,
    /// Behind `-`.
    Item,
    Key,
}

struct Walk<'r> {
    replace: &'r mut dyn Replace,
}

impl Walk<'_> {
    /// The node after substitution; `None` where it stays as it is.
    fn node(&mut self, node: &Node, place: Place) -> Option<Node> {
        match &node.value {
            Value::Str(text) if self.replace.concerns(text) => {
                let value = self.scalar(text, node.span, place)?;
                let changed = Node::new(value, node.span);
                (changed != *node).then_some(changed)
            }
            Value::Map(map) => self.map(map).map(|map| Node::new(Value::Map(map.into()), node.span)),
            Value::Seq(items) => {
                let mut changed: Option<Vec<Node>> = None;
                for (index, item) in items.iter().enumerate() {
                    if let Some(new) = self.node(item, Place::Item) {
                        changed.get_or_insert_with(|| items.to_vec())[index] = new;
                    }
                }
                changed.map(|items| Node::seq(items, node.span))
            }
            _ => None,
        }
    }

    fn map(&mut self, map: &Map) -> Option<Map> {
        let mut changed: Vec<(usize, Option<SmolStr>, Option<Node>)> = Vec::new();
        for (index, entry) in map.entries().iter().enumerate() {
            let key = if self.replace.concerns(&entry.key) { self.key(entry) } else { None };
            let value = self.node(&entry.value, Place::Value);
            if key.is_some() || value.is_some() {
                changed.push((index, key, value));
            }
        }
        if changed.is_empty() {
            return None;
        }
        let renamed = changed.iter().any(|(_, key, _)| key.is_some());
        let mut entries = map.entries().to_vec();
        for (index, key, value) in changed {
            let entry = &mut entries[index];
            entry.key = key.unwrap_or_else(|| entry.key.clone());
            entry.value = value.unwrap_or_else(|| entry.value.clone());
        }
        let mut out = map.clone();
        if renamed {
            out.retain(|_| false);
            entries.into_iter().for_each(|entry| out.insert(entry));
        } else {
            out.entries_mut().clone_from_slice(&entries);
        }
        Some(out)
    }

    fn key(&mut self, entry: &Entry) -> Option<SmolStr> {
        let value = self.scalar(&entry.key, entry.key_span, Place::Key)?;
        let key = Node::new(value, entry.key_span);
        match yaml::key_text(&key) {
            Some(name) if !key.is_null() => (name != entry.key).then_some(name),
            _ => {
                self.replace.not_yaml("a key that is no text".to_owned(), entry.key_span);
                None
            }
        }
    }

    /// What `text` becomes; `None` where it is at fault.
    fn scalar(&mut self, text: &str, span: Span, place: Place) -> Option<Value> {
        let mut style = yaml::style_of(text);
        if matches!(place, Place::Key) && style == Style::Literal {
            style = Style::DoubleQuoted;
        }
        let printed = match style {
            Style::Plain | Style::Literal => Cow::Borrowed(text),
            Style::SingleQuoted => Cow::Owned(format!("'{}'", text.replace('\'', "''"))),
            Style::DoubleQuoted => Cow::Owned(yaml::double_quoted(text)),
        };
        let replaced = self.replace.replace(&printed, span)?;
        if self.replace.is_open() {
            return open(style, &printed, replaced);
        }
        let begins_blank = |text: &str| text.starts_with([' ', '\n']);
        let is_moved = style == Style::Literal && begins_blank(&replaced) && !begins_blank(text);
        let printed = if is_moved { block(text, &replaced) } else { replaced };
        match style {
            Style::Plain if printed.is_empty() => Some(Value::Null),
            Style::Plain if yaml::is_plain_scalar(&printed) => Some(yaml::resolve_legacy(&printed)),
            Style::Literal if !is_moved => Some(Value::Str(chomp(text, &printed).into())),
            _ => match fragment(&printed, place) {
                Ok(node) => {
                    self.replace.made(&node);
                    Some(at_span(&node, span).value)
                }
                Err(message) => {
                    self.replace.not_yaml(message, span);
                    None
                }
            },
        }
    }
}

/// What a scalar is as long as a variable in it is not known: the text. What the others bring may read as something else once
/// all is there, or be no YAML only for what is left in its place.
fn open(style: Style, printed: &str, replaced: String) -> Option<Value> {
    match style {
        Style::Plain | Style::Literal => Some(Value::Str(replaced.into())),
        // Quotes are taken off by reading it. Where that fails, it stays as it was written.
        Style::SingleQuoted | Style::DoubleQuoted => {
            let quote = printed.chars().next();
            let is_whole = replaced.chars().next() == quote && replaced.chars().last() == quote;
            let read = is_whole.then(|| fragment(&replaced, Place::Item).ok()).flatten();
            read.map(|node| node.value).filter(|value| matches!(value, Value::Str(_)))
        }
    }
}

/// What a block printed from `text` reads as once it holds `substituted`: line feeds at its end count as far as its
/// header, which was chosen for `text`, says.
fn chomp<'s>(text: &str, substituted: &'s str) -> &'s str {
    let body = substituted.trim_end_matches('\n');
    let kept = match text.len() - text.trim_end_matches('\n').len() {
        0 => 0,
        1 => usize::from(!body.is_empty()),
        _ => return substituted,
    };
    &substituted[..(body.len() + kept).min(substituted.len())]
}

/// The block in which `text` is printed, with `substituted` in its place. Its header does not tell the indentation,
/// which is what its first line has: not the same for both where the second begins with a blank.
fn block(text: &str, substituted: &str) -> String {
    let chomping = match text.len() - text.trim_end_matches('\n').len() {
        0 => "-",
        1 => "",
        _ => "+",
    };
    let mut out = format!("|{chomping}");
    for line in substituted.strip_suffix('\n').unwrap_or(substituted).split('\n') {
        out.push_str(if line.is_empty() { "\n" } else { "\n  " });
        out.push_str(line);
    }
    out
}

/// Reads `text` where it is printed.
fn fragment(text: &str, place: Place) -> Result<Node, String> {
    let printed = match place {
        Place::Value => format!("k: {text}\n"),
        Place::Item => format!("- {text}\n"),
        Place::Key => format!("{text}: k\n"),
    };
    let mut file = yaml::parse_legacy(FileId::NONE, printed.as_bytes());
    let is_fault = |problem: &&yaml::Problem| problem.kind != yaml::ProblemKind::DuplicateKey;
    let problem = file
        .documents
        .iter()
        .find_map(|document| document.error.as_ref().or_else(|| document.problems.iter().find(is_fault)));
    if let Some(problem) = problem {
        return Err(problem.message.clone());
    }
    let root = file.documents.drain(..).next().map(|document| document.root).unwrap_or(Node::NULL);
    let found = match (place, &root.value) {
        (Place::Value, Value::Map(map)) if map.len() == 1 => map.get("k").cloned(),
        (Place::Item, Value::Seq(items)) if items.len() == 1 => items.first().cloned(),
        (Place::Key, Value::Map(map)) if map.len() == 1 => {
            map.entries().first().map(|entry| Node::str(entry.key.clone(), Span::NONE))
        }
        _ => None,
    };
    found.ok_or_else(|| "its value breaks the structure around it".to_owned())
}

/// `node` with every span replaced by `span`.
pub(in crate::flux) fn at_span(node: &Node, span: Span) -> Node {
    let value = match &node.value {
        Value::Map(map) => {
            let mut map = Map::clone(map);
            for entry in map.entries_mut() {
                entry.key_span = span;
                entry.value = at_span(&entry.value, span);
            }
            Value::Map(Arc::new(map))
        }
        Value::Seq(items) => Value::Seq(Arc::new(items.iter().map(|item| at_span(item, span)).collect())),
        value => value.clone(),
    };
    Node::new(value, span)
}
