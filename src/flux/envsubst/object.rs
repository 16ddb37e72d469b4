use std::{borrow::Cow, sync::Arc};

use smol_str::SmolStr;

use super::{Lookup, Outcome, SubstError, SubstErrorKind, substitute};
use crate::{
    source::{FileId, Span},
    yaml::{self, Entry, Map, Node, Style, Value},
};

/// An object after substitution.
#[derive(Debug, Clone, Default)]
pub struct SubstitutedObject {
    /// The object, sharing with the original what did not change; `None` where nothing did.
    pub node: Option<Node>,
    /// The variables used, in the order of the object.
    pub uses: Vec<ObjectUse>,
    /// What is wrong. Flux stops at the first and builds nothing; what is at fault stays as written in `node`.
    pub faults: Vec<Fault>,
}

/// A use of a variable in an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectUse {
    /// The variable.
    pub name: SmolStr,
    /// The scalar that uses it, or the key.
    pub span: Span,
    /// How it came out.
    pub outcome: Outcome,
}

/// A fault for which the build fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub kind: FaultKind,
    /// The scalar, or the key.
    pub span: Span,
}

/// Sorts of [`Fault`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// The expression itself.
    Substitution(SubstError),
    /// The value is not YAML any more once the variables are in it, for the reason given.
    NotYaml(String),
}

impl std::fmt::Display for FaultKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Substitution(error) => error.fmt(f),
            Self::NotYaml(why) => write!(f, "the result is no YAML: {why}"),
        }
    }
}

const OPT_OUT: &str = "kustomize.toolkit.fluxcd.io/substitute";

/// Whether the object `node` asks Flux not to substitute in it, by annotation or by label. The value counts in lower
/// case only.
#[must_use]
pub fn is_opted_out(node: &Node) -> bool {
    ["labels", "annotations"].iter().any(|place| node.find_str(&["metadata", place, OPT_OUT]) == Some("disabled"))
}

/// Replaces the variables in a built object as Flux does: in its YAML text, as kustomize prints it
/// (`resource.AsYAML`), which is then read again. So quotes of the manifest do not count: a text that prints plain
/// becomes a number or a truth value if it looks like one afterwards, and a value may bring structure of its own.
/// See [`substitute`] for `lookup` and `strict`.
///
/// Each scalar is printed and read by itself; an expression that begins in one and ends in another is a fault.
pub fn substitute_object(node: &Node, lookup: &dyn Fn(&str) -> Lookup, strict: bool) -> SubstitutedObject {
    if is_opted_out(node) {
        return SubstitutedObject::default();
    }
    let mut walk = Walk { lookup, strict, out: SubstitutedObject::default() };
    let changed = walk.node(node, Place::Value);
    SubstitutedObject { node: changed, ..walk.out }
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

struct Walk<'l> {
    lookup: &'l dyn Fn(&str) -> Lookup,
    strict: bool,
    out: SubstitutedObject,
}

impl Walk<'_> {
    /// The node after substitution; `None` where it stays as it is.
    fn node(&mut self, node: &Node, place: Place) -> Option<Node> {
        match &node.value {
            Value::Str(text) if text.contains('$') => {
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
            let key = if entry.key.contains('$') { self.key(entry) } else { None };
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
                self.fault(FaultKind::NotYaml("a key that is no text".to_owned()), entry.key_span);
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
        let substituted = match substitute(&printed, self.lookup, self.strict) {
            Ok(substituted) => substituted,
            Err(error) => {
                self.fault(FaultKind::Substitution(error), span);
                return None;
            }
        };
        let uses = substituted.uses.into_iter();
        self.out.uses.extend(uses.map(|used| ObjectUse { name: used.name, span, outcome: used.outcome }));
        let begins_blank = |text: &str| text.starts_with([' ', '\n']);
        let is_moved = style == Style::Literal && begins_blank(&substituted.text) && !begins_blank(text);
        let printed = if is_moved { block(text, &substituted.text) } else { substituted.text };
        match style {
            Style::Plain if printed.is_empty() => Some(Value::Null),
            Style::Plain if yaml::is_plain_scalar(&printed) => Some(yaml::resolve_legacy(&printed)),
            Style::Literal if !is_moved => Some(Value::Str(chomp(text, &printed).into())),
            _ => match fragment(&printed, place) {
                Ok(node) => Some(at_span(&node, span).value),
                Err(message) => {
                    self.fault(FaultKind::NotYaml(message), span);
                    None
                }
            },
        }
    }

    fn fault(&mut self, kind: FaultKind, span: Span) {
        self.out.faults.push(Fault { kind, span });
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
fn at_span(node: &Node, span: Span) -> Node {
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

impl FaultKind {
    /// The variable at fault, where one is.
    #[must_use]
    pub fn variable(&self) -> Option<&str> {
        match self {
            Self::Substitution(error) => error.variable.as_deref(),
            Self::NotYaml(_) => None,
        }
    }

    /// Whether a variable is unset where it must not be.
    #[must_use]
    pub fn is_unset(&self) -> bool {
        matches!(self, Self::Substitution(error) if error.kind == SubstErrorKind::Unset)
    }
}
