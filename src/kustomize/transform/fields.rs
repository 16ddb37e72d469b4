//! Field specs: which fields of which kinds a transformer sets (kustomize `api/filters/fieldspec`).

use smol_str::SmolStr;

use crate::{
    kustomize::id::Gvk,
    source::Span,
    yaml::{Node, Value},
};

/// A field of some kinds of objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::kustomize) struct FieldSpec {
    pub(in crate::kustomize) gvk: Gvk,
    /// Keys; one that ends in `[]` wants a list.
    pub(in crate::kustomize) path: Vec<SmolStr>,
    /// Whether the field is made where it is missing.
    pub(in crate::kustomize) create: bool,
}

/// What a missing field is made as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::kustomize) enum Make {
    Nothing,
    Scalar,
    Map,
}

/// Gives the new value of a field, or `None` to leave it.
pub(in crate::kustomize) type Set<'f> = &'f mut dyn FnMut(&Node) -> Result<Option<Node>, String>;

impl FieldSpec {
    pub(in crate::kustomize) fn new(gvk: Gvk, path: &str, create: bool) -> Self {
        Self { gvk, path: split_path(path), create }
    }

    /// The path as written.
    pub(in crate::kustomize) fn text(&self) -> String {
        self.path.join("/")
    }

    /// Applies `set` to the fields of `object` that the spec names; `None` where nothing changed. New mappings get `at`.
    pub(in crate::kustomize) fn apply(
        &self,
        object: &Node,
        make: Make,
        at: Span,
        set: Set<'_>,
    ) -> Result<Option<Node>, String> {
        if !self.gvk.selects_node(object) {
            return Ok(None);
        }
        let make = if self.create { make } else { Make::Nothing };
        update(object, &self.path, make, at, set).map_err(|error| format!("{error} at `{}`", self.text()))
    }
}

/// Splits at `/`; `\/` is a slash inside a key.
pub(in crate::kustomize) fn split_path(path: &str) -> Vec<SmolStr> {
    let mut parts: Vec<String> = Vec::new();
    for part in path.split('/') {
        match parts.last_mut() {
            Some(last) if last.ends_with('\\') => {
                last.pop();
                last.push('/');
                last.push_str(part);
            }
            _ => parts.push(part.to_owned()),
        }
    }
    parts.into_iter().map(SmolStr::from).collect()
}

/// Applies `set` to every value at `path` below `node`, through lists without index. Shares what does not change.
pub(in crate::kustomize) fn update(
    node: &Node,
    path: &[SmolStr],
    make: Make,
    at: Span,
    set: Set<'_>,
) -> Result<Option<Node>, String> {
    let Some((key, rest)) = path.split_first() else { return set(node) };
    match &node.value {
        Value::Null => Ok(None),
        Value::Seq(items) => {
            let mut changed: Option<Vec<Node>> = None;
            for (index, item) in items.iter().enumerate() {
                if let Some(new) = update(item, path, make, at, set)? {
                    changed.get_or_insert_with(|| items.to_vec())[index] = new;
                }
            }
            Ok(changed.map(|items| Node::seq(items, node.span)))
        }
        Value::Map(map) => {
            let (name, wants_list) = key.strip_suffix("[]").map_or((key.as_str(), false), |name| (name, true));
            let make_here = if wants_list { Make::Nothing } else { make };
            let made = match (make_here, rest.is_empty()) {
                (Make::Nothing, _) => None,
                (Make::Scalar, true) => Some(Node::new(Value::Str(SmolStr::default()), at)),
                _ => Some(Node::empty_map(at)),
            };
            let child = match (map.get(name), made.as_ref()) {
                (Some(child), _) if !child.is_null() => child,
                (_, Some(made)) => made,
                _ => return Ok(None),
            };
            let Some(new) = update(child, rest, make, at, set)? else { return Ok(None) };
            let mut node = node.clone();
            node.set(name, new);
            Ok(Some(node))
        }
        _ => Err("expected a mapping or a list".to_owned()),
    }
}

/// A setter of one scalar.
pub(in crate::kustomize) fn set_scalar(value: Node) -> impl FnMut(&Node) -> Result<Option<Node>, String> {
    move |old| match &old.value {
        Value::Map(_) | Value::Seq(_) => Err("expected a scalar".to_owned()),
        _ => Ok(Some(value.clone())),
    }
}

/// A setter of entries of one mapping.
pub(in crate::kustomize) fn set_entries(
    entries: &[(SmolStr, Node)],
) -> impl FnMut(&Node) -> Result<Option<Node>, String> {
    move |old| {
        if old.as_map().is_none() {
            return Err("expected a mapping".to_owned());
        }
        let mut new = old.clone();
        for (key, value) in entries {
            new.set(key, value.clone());
        }
        Ok(Some(new))
    }
}
