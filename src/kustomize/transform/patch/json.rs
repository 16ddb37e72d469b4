//! JSON patches (RFC 6902) on nodes, as the library behind kustomize applies them (evanphx/json-patch v4): spans survive,
//! and what a patch sets carries the patch's.

use crate::{
    kustomize::accumulate::limits::{NODES, excess, measured, within_limits},
    source::Span,
    yaml::{Node, Value},
};

/// Deepest pointer that is followed.
const DEPTH: usize = 256;

/// `object` with the operations of `patch`, a list, applied in order. The error names the operation at fault, and whether it is a
/// limit of ours. `affords` spends steps.
pub(in crate::kustomize) fn apply(
    object: &Node,
    patch: &Node,
    affords: &mut dyn FnMut(usize) -> bool,
) -> Result<Node, Failure> {
    let mut node = object.clone();
    let mut copies = Copies { nodes: 0, affords };
    for operation in patch.items() {
        apply_one(&mut node, operation, &mut copies).map_err(|why| Failure { why, at: operation.span })?;
    }
    if within_limits(&node) { Ok(node) } else { Err(Failure { why: Why::Limit(excess()), at: patch.span }) }
}

/// An operation that cannot be applied.
pub(in crate::kustomize) struct Failure {
    pub(in crate::kustomize) why: Why,
    pub(in crate::kustomize) at: Span,
}

/// Why it cannot.
pub(in crate::kustomize) enum Why {
    /// kustomize refuses it too.
    Fault(String),
    /// It runs into a limit of ours.
    Limit(String),
    /// The budget is used up, which is reported already.
    Spent,
}

impl From<String> for Why {
    fn from(message: String) -> Self {
        Self::Fault(message)
    }
}

/// What operations copy and move: each copy may double the object, and each move may nest it deeper.
struct Copies<'a> {
    nodes: usize,
    affords: &'a mut dyn FnMut(usize) -> bool,
}

impl Copies<'_> {
    fn take(&mut self, value: &Node, is_copy: bool) -> Result<(), Why> {
        let Some(nodes) = measured(value) else { return Err(Why::Limit(excess())) };
        if !(self.affords)(nodes) {
            return Err(Why::Spent);
        }
        if is_copy {
            self.nodes += nodes;
        }
        if self.nodes > NODES { Err(Why::Limit(excess())) } else { Ok(()) }
    }
}

fn apply_one(node: &mut Node, operation: &Node, copies: &mut Copies<'_>) -> Result<(), Why> {
    let op = operation.find_str(&["op"]).ok_or_else(|| "the operation has no `op`".to_owned())?;
    let path = operation.find_str(&["path"]).ok_or_else(|| format!("the `{op}` operation has no `path`"))?;
    let keys = pointer(path)?;
    let value = || operation.get("value").cloned().unwrap_or(Node::new(Value::Null, operation.span));
    let from = || -> Result<Vec<String>, String> {
        pointer(operation.find_str(&["from"]).ok_or_else(|| format!("the `{op}` operation has no `from`"))?)
    };
    match op {
        "add" => add(node, &keys, value())?,
        "remove" => drop(remove(node, &keys)?),
        "replace" => replace(node, &keys, value())?,
        "test" => {
            let found = find(node, &keys).map_or(Node::NULL, |node| node.clone());
            if found != value() {
                return Err(format!("testing the value at `{path}` failed").into());
            }
        }
        "copy" => {
            let from = from()?;
            let value = match find(node, &from) {
                Some(value) => value.clone(),
                // A missing key of a mapping that is there counts as null, unlike the RFC has it.
                None => from
                    .split_last()
                    .and_then(|(_, parents)| find(node, parents).filter(|parent| parent.as_map().is_some()))
                    .map(|_| Node::new(Value::Null, operation.span))
                    .ok_or_else(|| missing("copy", path))?,
            };
            copies.take(&value, true)?;
            add(node, &keys, value)?;
        }
        "move" => {
            let value = remove(node, &from()?)?;
            copies.take(&value, false)?;
            add(node, &keys, value)?;
        }
        op => return Err(format!("`{op}` is no operation of a JSON patch").into()),
    }
    Ok(())
}

fn missing(op: &str, path: &str) -> String {
    format!("cannot {op} `{path}`: there is nothing at this path")
}

fn pointer(path: &str) -> Result<Vec<String>, String> {
    if path.is_empty() {
        return Ok(Vec::new());
    }
    // What stands before the first slash does not count, whatever it is.
    let Some((_, path)) = path.split_once('/') else {
        return Err(format!("the path `{path}` does not start with `/`"));
    };
    let keys: Vec<String> = path.split('/').map(|key| key.replace("~1", "/").replace("~0", "~")).collect();
    if keys.len() > DEPTH { Err("the path is deeper than 256 levels".to_owned()) } else { Ok(keys) }
}

/// The index that `key` means in a list of `len` items; negative ones count from the end.
fn index(key: &str, len: usize) -> Option<usize> {
    let at: i64 = key.parse().ok()?;
    let len = i64::try_from(len).ok()?;
    let at = if at < 0 { at + len } else { at };
    (0..=len).contains(&at).then(|| usize::try_from(at).ok()).flatten()
}

fn find<'n>(node: &'n mut Node, keys: &[String]) -> Option<&'n mut Node> {
    keys.iter().try_fold(node, |node, key| match &node.value {
        Value::Map(_) => node.get_mut(key),
        Value::Seq(items) => {
            let at = index(key, items.len())?;
            node.as_seq_mut()?.get_mut(at)
        }
        _ => None,
    })
}

fn add(node: &mut Node, keys: &[String], value: Node) -> Result<(), String> {
    let Some((last, parents)) = keys.split_last() else {
        *node = value;
        return Ok(());
    };
    let path = || format!("/{}", keys.join("/"));
    let parent = find(node, parents).ok_or_else(|| format!("cannot add `{}`: its parent does not exist", path()))?;
    match &parent.value {
        Value::Map(_) => {
            parent.set(last, value);
            Ok(())
        }
        Value::Seq(items) => {
            let at = if last == "-" { Some(items.len()) } else { index_to_add(last, items.len()) };
            let at = at.ok_or_else(|| format!("cannot add `{}`: the list has no such place", path()))?;
            if let Some(items) = parent.as_seq_mut() {
                items.insert(at, value);
            }
            Ok(())
        }
        _ => Err(format!("cannot add `{}`: its parent is neither a mapping nor a list", path())),
    }
}

/// Sets what is there; a missing key of a mapping is set too, unlike the RFC has it.
fn replace(node: &mut Node, keys: &[String], value: Node) -> Result<(), String> {
    let path = || format!("/{}", keys.join("/"));
    let Some((last, parents)) = keys.split_last() else {
        *node = value;
        return Ok(());
    };
    let parent = find(node, parents).ok_or_else(|| missing("replace", &path()))?;
    if let Value::Map(_) = parent.value {
        parent.set(last, value);
        return Ok(());
    }
    *find(parent, std::slice::from_ref(last)).ok_or_else(|| missing("replace", &path()))? = value;
    Ok(())
}

/// As [`index`], but of the place before which something is put: `-1` is the end.
fn index_to_add(key: &str, len: usize) -> Option<usize> {
    let at: i64 = key.parse().ok()?;
    let at = if at < 0 { at + i64::try_from(len).ok()? + 1 } else { at };
    usize::try_from(at).ok().filter(|at| *at <= len)
}

fn remove(node: &mut Node, keys: &[String]) -> Result<Node, String> {
    let path = || format!("/{}", keys.join("/"));
    let (last, parents) = keys.split_last().ok_or("cannot remove the whole object")?;
    let parent = find(node, parents).ok_or_else(|| missing("remove", &path()))?;
    match &parent.value {
        Value::Map(_) => parent.remove(last),
        Value::Seq(items) => {
            let at = index(last, items.len()).filter(|at| *at < items.len());
            at.and_then(|at| Some(parent.as_seq_mut()?.remove(at)))
        }
        _ => None,
    }
    .ok_or_else(|| missing("remove", &path()))
}
