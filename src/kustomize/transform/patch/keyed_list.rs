//! Lists whose items are told apart by keys, merged as kyaml does (`walk.setAssociativeSequenceElements`, kustomize 5.5):
//! new items first, then the object's own in their order. With several keys, which not every item has, the outcome is
//! kustomize's and often not what the patch meant.

use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use crate::{kustomize::id::scalar_text, yaml::Node};

/// Merges one item; `None` takes it out.
pub(in crate::kustomize) type Walk<'w> =
    &'w mut dyn FnMut(Option<&Node>, Option<&Node>) -> Result<Option<Node>, String>;

/// Whether merging takes no longer than the lists are.
pub(in crate::kustomize) fn is_plain(old: Option<&[Node]>, new: &[Node], keys: &[&str]) -> bool {
    Plain::new(old, new, keys).is_some()
}

/// The list that comes of `old`, if there is one, and the items of a patch.
pub(in crate::kustomize) fn merge(
    old: Option<Vec<Node>>,
    new: &[Node],
    keys: &[&str],
    walk: Walk<'_>,
) -> Result<Vec<Node>, String> {
    let is_new = old.is_none();
    if let ([key], Some(plain)) = (keys, Plain::new(old.as_deref(), new, keys)) {
        return plain.merge(key, walk);
    }
    // A new list is merged with itself.
    let mut old = old.unwrap_or_else(|| new.iter().map(|item| without_directive(item, keys)).collect());
    let mut values = Vec::new();
    for item in new.iter().chain(&old) {
        let value: Vec<SmolStr> =
            keys.iter().map(|key| item.get(key).and_then(scalar_text).unwrap_or_default()).collect();
        if !values.contains(&value) {
            values.push(value);
        }
    }
    if keys.len() > 1 {
        unite(&mut values);
    }
    let used: Vec<usize> = (0..keys.len()).filter(|key| values.iter().any(|value| !value[*key].is_empty())).collect();
    let used: Vec<usize> = if used.is_empty() { (0..keys.len()).collect() } else { used };
    let names: Vec<&str> = used.iter().map(|key| keys[*key]).collect();
    let mut merged: Vec<Node> = Vec::new();
    for value in &values {
        let texts: Vec<SmolStr> = used.iter().map(|key| value[*key].clone()).collect();
        let set: Vec<(&str, &SmolStr)> =
            names.iter().copied().zip(&texts).filter(|(_, text)| !text.is_empty()).collect();
        let is = |item: &&Node| {
            item.as_map().is_some()
                && !set.is_empty()
                && set.iter().all(|(key, text)| item.get(key).and_then(scalar_text).as_ref() == Some(*text))
        };
        let at = old.iter().position(|item| is(&item));
        let patch = new.iter().find(is);
        let item = walk(at.map(|at| &old[at]).filter(|_| !is_new), patch)?;
        let Some(item) = item.filter(|item| item.as_map().is_none_or(|map| !map.is_empty())) else {
            set_item(&mut old, &names, &texts, None);
            continue;
        };
        // An item that `$patch: replace` puts in place of another does not change the object's list, which comes last.
        let replaced = !is_new && patch.and_then(|patch| patch.find_str(&["$patch"])) == Some("replace");
        if let Some(at) = at.filter(|_| !replaced) {
            old[at] = item.clone();
        }
        set_item(&mut merged, &names, &texts, Some(item));
    }
    if !values.is_empty() {
        append(&mut merged, old, &names);
    }
    Ok(merged)
}

/// A list as nearly all are: one key, which every item has, and no two items the same. The outcome is that of the general way,
/// which takes the square of the length.
struct Plain<'n> {
    /// Where each text of the key is, in the object's list and in the patch.
    places: FxHashMap<SmolStr, (Option<&'n Node>, Option<&'n Node>)>,
    /// The texts in their order: those of the patch first.
    order: Vec<SmolStr>,
}

impl<'n> Plain<'n> {
    fn new(old: Option<&'n [Node]>, new: &'n [Node], keys: &[&str]) -> Option<Self> {
        let [key] = keys else { return None };
        let old = old.unwrap_or_default();
        let mut plain = Self { places: FxHashMap::default(), order: Vec::new() };
        for (item, is_old) in new.iter().map(|item| (item, false)).chain(old.iter().map(|item| (item, true))) {
            let text = item.get(key).and_then(scalar_text).filter(|text| !text.is_empty())?;
            let place = plain.places.entry(text.clone()).or_default();
            if *place == (None, None) {
                plain.order.push(text);
            }
            let side = if is_old { &mut place.0 } else { &mut place.1 };
            if side.replace(item).is_some() {
                return None;
            }
        }
        Some(plain)
    }

    fn merge(self, key: &str, walk: Walk<'_>) -> Result<Vec<Node>, String> {
        let mut merged = Vec::with_capacity(self.order.len());
        for text in &self.order {
            let Some((old, patch)) = self.places.get(text) else { continue };
            let item = walk(*old, *patch)?;
            let Some(item) = item.filter(|item| item.as_map().is_none_or(|map| !map.is_empty())) else { continue };
            // What `$patch: replace` puts in place of an item gives way to the object's own, which comes last.
            let replaced = patch.and_then(|patch| patch.find_str(&["$patch"])) == Some("replace");
            let own = old.filter(|_| replaced).cloned().unwrap_or(item);
            if own.get(key).is_some() {
                merged.push(own);
            }
        }
        Ok(merged)
    }
}

fn without_directive(item: &Node, keys: &[&str]) -> Node {
    let mut item = item.clone();
    if keys.iter().any(|key| item.get(key).is_some()) {
        item.remove("$patch");
    }
    item
}

/// Values that differ only where one of them has nothing count as one (kyaml `mergeValues`).
fn unite(values: &mut [Vec<SmolStr>]) {
    for one in 0..values.len() {
        let first = values[one].clone();
        for two in 0..values.len() {
            if let Some(both) = united(&first, &values[two]) {
                values[one].clone_from(&both);
                values[two] = both;
            }
        }
    }
}

fn united(one: &[SmolStr], two: &[SmolStr]) -> Option<Vec<SmolStr>> {
    let mut common = false;
    let mut both = Vec::new();
    for (one, two) in one.iter().zip(two) {
        common |= one == two;
        if one != two && !one.is_empty() && !two.is_empty() {
            return None;
        }
        both.push(if one.is_empty() { two.clone() } else { one.clone() });
    }
    common.then_some(both)
}

/// Puts `item` in place of those that have `values` at `keys`, else at the end; without `item` takes them out (kyaml
/// `ElementSetter`). An empty value is met by any, a missing one by what the key before it met.
fn set_item(items: &mut Vec<Node>, keys: &[&str], values: &[SmolStr], item: Option<Node>) {
    let mut found = false;
    let mut kept = Vec::with_capacity(items.len() + 1);
    for old in items.drain(..) {
        if old.is_null() || old.as_map().is_some_and(crate::yaml::Map::is_empty) {
            continue;
        }
        let has = |(key, value): (&&str, &SmolStr)| {
            old.get(key).is_some_and(|node| value.is_empty() || scalar_text(node).as_ref() == Some(value))
        };
        if old.as_map().is_none() {
            kept.push(old);
        } else if values.is_empty() || !keys.iter().zip(values).all(has) {
            if !values.is_empty() {
                kept.push(old);
            }
        } else {
            found = true;
            kept.extend(item.clone());
        }
    }
    *items = kept;
    if let Some(item) = item.filter(|_| !found) {
        items.push(item);
    }
}

/// Adds the object's own items (kyaml `appendListNode`).
fn append(items: &mut Vec<Node>, own: Vec<Node>, keys: &[&str]) {
    for item in own {
        let mut values = Vec::new();
        for key in keys {
            match item.get(key) {
                Some(value) => values.push(scalar_text(value).unwrap_or_default()),
                None => items.push(item.clone()),
            }
        }
        if keys.len() > 1 {
            set_item(items, keys, &values, None);
        }
        set_item(items, keys, &values, Some(item));
    }
}
