//! Strategic merge patches (kyaml `merge2` and `walk`, with new list items put first).

use std::fmt;

use rustc_hash::FxHashSet;
use smol_str::SmolStr;

use super::keyed_list;
use crate::{
    kustomize::schema::openapi::{Schema, Type},
    yaml::{Node, Value},
};

/// Longest list that is merged in the general way, which takes the square of its length. Real ones have a few items.
const LONGEST: usize = 2_000;

/// `object` with `patch` merged in; `None` where the patch deletes it. A patch that wants to replace the whole object
/// changes nothing, as in kustomize.
pub(in crate::kustomize) fn merge(schema: &Schema<'_>, object: &Node, patch: &Node) -> Result<Option<Node>, String> {
    if patch.find_str(&["$patch"]) == Some("replace") {
        return Ok(Some(object.clone()));
    }
    walk(schema, Some(object), Some(patch), None, Path::Top)
}

#[derive(PartialEq, Eq)]
enum Directive {
    Merge,
    Replace,
    Delete,
}

/// Where in an object a walk is. Only messages spell it out.
#[derive(Clone, Copy)]
enum Path<'p> {
    Top,
    Below(&'p Self, &'p str),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Top => Ok(()),
            Path::Below(Path::Top, key) => f.write_str(key),
            Path::Below(above, key) => write!(f, "{above}.{key}"),
        }
    }
}

fn present(node: Option<&Node>) -> Option<&Node> {
    node.filter(|node| !node.is_null())
}

/// What becomes of a value: `None` takes it out.
fn walk<'s>(
    schema: &'s Schema<'_>,
    dest: Option<&Node>,
    patch: Option<&Node>,
    of: Option<Type<'s>>,
    path: Path<'_>,
) -> Result<Option<Node>, String> {
    let Some(first) = present(dest).or_else(|| present(patch)) else {
        // A null of the object that the patch does not mention stays where it is written out, and goes where it is not.
        let written = |node: &&Node| node.span.start != node.span.end;
        return Ok(if patch.is_some() { None } else { dest.filter(written).cloned() });
    };
    let of = of.or_else(|| embedded_type(schema, dest)).or_else(|| embedded_type(schema, patch));
    for side in [present(dest), present(patch)].into_iter().flatten() {
        if kind_name(side) != kind_name(first) {
            return Err(format!("expected {} but found {} at `{path}`", kind_name(first), kind_name(side)));
        }
    }
    match &first.value {
        Value::Map(_) => walk_map(schema, dest, patch, of, path),
        Value::Seq(_) => Ok(match patch {
            Some(patch) => Some(patch.clone()).filter(|patch| !patch.is_null()),
            None => dest.cloned(),
        }),
        _ => Ok(patch.or(dest).cloned().filter(|value| !value.is_null())),
    }
}

fn kind_name(node: &Node) -> &'static str {
    match node.value {
        Value::Map(_) => "a mapping",
        Value::Seq(_) => "a list",
        _ => "a scalar",
    }
}

/// The type of a value that says itself which object it is.
fn embedded_type<'s>(schema: &'s Schema<'_>, node: Option<&Node>) -> Option<Type<'s>> {
    let node = node?;
    schema.type_of(node.find_str(&["apiVersion"])?, node.find_str(&["kind"])?)
}

/// Takes `$patch` out of a mapping. Where it `is_new`, any other word is kept, as data.
fn directive_of_map(patch: &Node, is_new: bool) -> Result<(Directive, Node), String> {
    let directive = match patch.get("$patch").map(read_directive) {
        Some(Ok(directive)) => directive,
        Some(Err(error)) if !is_new => return Err(error),
        _ => return Ok((Directive::Merge, patch.clone())),
    };
    let mut rest = patch.clone();
    rest.remove("$patch");
    Ok((directive, rest))
}

/// Takes the item that is only a `$patch` out of a list. It must come before other items with a `$patch`.
fn directive_of_list(patch: &Node) -> Result<(Directive, Node), String> {
    let is_directive = |item: &Node| item.as_map().is_some_and(|map| map.len() == 1);
    let first = patch.items().position(|item| item.get("$patch").is_some());
    let only = |at: &usize| patch.items().nth(*at).is_some_and(is_directive);
    let Some(at) = first.filter(only) else { return Ok((Directive::Merge, patch.clone())) };
    let mut rest = patch.clone();
    let item = rest.as_seq_mut().map(|items| items.remove(at));
    let directive = item.as_ref().and_then(|item| item.get("$patch")).map_or(Ok(Directive::Merge), read_directive)?;
    Ok((directive, rest))
}

fn read_directive(node: &Node) -> Result<Directive, String> {
    match node.as_str() {
        Some("delete") => Ok(Directive::Delete),
        Some("replace") => Ok(Directive::Replace),
        Some("merge") => Ok(Directive::Merge),
        _ => Err("`$patch` is none of delete, replace and merge".to_owned()),
    }
}

fn walk_map<'s>(
    schema: &'s Schema<'_>,
    dest: Option<&Node>,
    patch: Option<&Node>,
    of: Option<Type<'s>>,
    path: Path<'_>,
) -> Result<Option<Node>, String> {
    let Some(patch) = patch else { return tidy(schema, dest, of, path) };
    if patch.is_null() {
        return Ok(None);
    }
    let (directive, patch) = directive_of_map(patch, present(dest).is_none())?;
    if directive == Directive::Delete {
        return Ok(None);
    }
    let Some(dest) = present(dest).filter(|_| directive != Directive::Replace) else {
        // A new mapping is merged with itself, which takes out its nulls and directives.
        let mut new = Node::empty_map(patch.span);
        for entry in patch.entries() {
            if let Some(value) = walk_field(schema, None, Some(&entry.value), of, &entry.key, path)?
                && let Some(map) = new.as_map_mut()
            {
                map.insert(crate::yaml::Entry { value, ..entry.clone() });
            }
        }
        return Ok(Some(new));
    };
    let mut merged = dest.clone();
    let mut gone: FxHashSet<SmolStr> = FxHashSet::default();
    for entry in dest.entries().filter(|entry| patch.get(&entry.key).is_none()) {
        match walk_field(schema, Some(&entry.value), None, of, &entry.key, path)? {
            Some(value) if value == entry.value => {}
            Some(value) => merged.set(&entry.key, value),
            None => drop(gone.insert(entry.key.clone())),
        }
    }
    for entry in patch.entries() {
        match walk_field(schema, dest.get(&entry.key), Some(&entry.value), of, &entry.key, path)? {
            Some(value) => match merged.as_map_mut() {
                Some(map) if map.get(&entry.key).is_none() => {
                    map.insert(crate::yaml::Entry { value, ..entry.clone() });
                }
                _ => merged.set(&entry.key, value),
            },
            None => drop(gone.insert(entry.key.clone())),
        }
    }
    take_out(&mut merged, &gone);
    Ok(Some(merged))
}

/// A mapping that the patch does not mention: merged lists in it are still brought into order, and empty values go.
fn tidy<'s>(
    schema: &'s Schema<'_>,
    dest: Option<&Node>,
    of: Option<Type<'s>>,
    path: Path<'_>,
) -> Result<Option<Node>, String> {
    let Some(dest) = dest else { return Ok(None) };
    let mut merged: Option<Node> = None;
    let mut gone: FxHashSet<SmolStr> = FxHashSet::default();
    for entry in dest.entries() {
        let value = walk_field(schema, Some(&entry.value), None, of, &entry.key, path)?;
        match value {
            Some(value) if value == entry.value => {}
            Some(value) => merged.get_or_insert_with(|| dest.clone()).set(&entry.key, value),
            None => drop(gone.insert(entry.key.clone())),
        }
    }
    let mut merged = merged.unwrap_or_else(|| dest.clone());
    take_out(&mut merged, &gone);
    Ok(Some(merged))
}

/// Takes keys out of a mapping, all at once.
fn take_out(node: &mut Node, keys: &FxHashSet<SmolStr>) {
    if keys.iter().any(|key| node.get(key).is_some())
        && let Some(map) = node.as_map_mut()
    {
        map.retain(|entry| !keys.contains(&entry.key));
    }
}

fn walk_field<'s>(
    schema: &'s Schema<'_>,
    dest: Option<&Node>,
    patch: Option<&Node>,
    of: Option<Type<'s>>,
    key: &str,
    path: Path<'_>,
) -> Result<Option<Node>, String> {
    let path = Path::Below(&path, key);
    let field = of.map(|of| schema.field(of, key)).unwrap_or_default();
    let is_list = |node: &Node| node.as_seq().is_some();
    match field.keys {
        Some(keys) if present(dest).or_else(|| present(patch)).is_some_and(is_list) => {
            walk_list(schema, dest, patch, &keys, field.items, path)
        }
        _ => walk(schema, dest, patch, field.of, path),
    }
}

/// A merged list: what the patch names comes first, in its order, then the rest of the object's items.
fn walk_list<'s>(
    schema: &'s Schema<'_>,
    dest: Option<&Node>,
    patch: Option<&Node>,
    keys: &[&str],
    of: Option<Type<'s>>,
    path: Path<'_>,
) -> Result<Option<Node>, String> {
    if patch.is_some_and(Node::is_null) {
        return Ok(None);
    }
    if let Some(bad) = [present(dest), patch].into_iter().flatten().find(|node| node.as_seq().is_none()) {
        return Err(format!("expected a list but found {} at `{path}`", kind_name(bad)));
    }
    let (directive, patch) = match patch {
        // In a new list it is an item like any other.
        Some(patch) if present(dest).is_none() => (Directive::Merge, Some(patch.clone())),
        Some(patch) => {
            let (directive, patch) = directive_of_list(patch)?;
            (directive, Some(patch))
        }
        None => (Directive::Merge, None),
    };
    if directive == Directive::Delete {
        return Ok(None);
    }
    let dest = present(dest).filter(|_| directive != Directive::Replace);
    let span = dest.or(patch.as_ref()).map_or(crate::source::Span::NONE, |node| node.span);
    let old: Option<Vec<Node>> = dest.map(|dest| dest.items().cloned().collect());
    let new: Vec<Node> = patch.as_ref().map(|patch| patch.items().cloned().collect()).unwrap_or_default();
    let items = if keys == [""] {
        merge_scalars(&old.unwrap_or_default(), &new)
    } else {
        let length = old.as_ref().map_or(0, Vec::len) + new.len();
        let is_plain = keyed_list::is_plain(old.as_deref(), &new, keys);
        if !is_plain && length.saturating_mul(keys.len()) > LONGEST {
            return Err(format!("the list at `{path}` is too long to be merged by several keys"));
        }
        schema.add_steps(if is_plain { 4 * length } else { length * length * keys.len() });
        keyed_list::merge(old, &new, keys, &mut |dest, patch| walk(schema, dest, patch, of, path))?
    };
    Ok(Some(Node::seq(items, span)))
}

fn merge_scalars(old: &[Node], new: &[Node]) -> Vec<Node> {
    let mut items: Vec<Node> = Vec::new();
    let mut texts: FxHashSet<&str> = FxHashSet::default();
    for item in new.iter().chain(old) {
        let is_new = match &item.value {
            Value::Str(text) => texts.insert(text),
            _ => !items.contains(item),
        };
        if is_new {
            items.push(item.clone());
        }
    }
    items
}
