use std::sync::Arc;

use smol_str::SmolStr;

use super::{
    Object, Step, budget,
    id::{Gvk, ResId, scalar_text},
    object,
};
use crate::{
    source::Span,
    yaml::{Node, Value},
};

/// Steps that making an id takes.
const ID: usize = 4;

/// What kustomize's generators mark what they make with; anything may bear it.
const NEEDS_HASH: &str = "internal.config.kubernetes.io/needsHashSuffix";

/// An object on its way through a build, with what kustomize notes in annotations of its own: former ids, affixes, and
/// how it was generated.
#[derive(Debug, Clone)]
pub(super) struct Resource {
    pub(super) object: Object,
    /// Kind, effective namespace and name it had before, oldest first.
    previous: Vec<(SmolStr, SmolStr, SmolStr)>,
    pub(super) prefixes: Vec<SmolStr>,
    pub(super) suffixes: Vec<SmolStr>,
    pub(super) behavior: Behavior,
    pub(super) needs_hash: bool,
    /// Where it comes from and what changed it, where the build asks for that.
    pub(super) origin: Option<Origin>,
    pub(super) transformations: Vec<SmolStr>,
    /// Deleted by a patch; taken out after the step.
    pub(super) deleted: bool,
    /// How many nodes it stands for, aliases expanded.
    pub(super) size: usize,
    /// How many of them are no part of what was parsed, at most.
    own: usize,
}

/// What changing an object came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Change {
    /// Whether its values are others now.
    pub(super) is_one: bool,
    /// Nodes that were compared and copied.
    pub(super) seen: usize,
    /// Nodes that it holds more in memory.
    pub(super) made: usize,
}

/// Where a resource comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// A file.
    File(SmolStr),
    /// A generator, in YAML.
    Made(SmolStr),
}

/// What a generator does about an object that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Behavior {
    #[default]
    Create,
    Replace,
    Merge,
}

impl Resource {
    pub(super) fn new(node: Node, source: Span) -> Self {
        let needs_hash = node.find_str(&["metadata", "annotations", NEEDS_HASH]) == Some("enabled");
        let size = budget::size(&node);
        Self {
            size,
            own: 0,
            object: Object { node, source, changes: Vec::new() },
            previous: Vec::new(),
            prefixes: Vec::new(),
            suffixes: Vec::new(),
            behavior: Behavior::Create,
            needs_hash,
            origin: None,
            transformations: Vec::new(),
            deleted: false,
        }
    }

    pub(super) const fn node(&self) -> &Node {
        &self.object.node
    }

    pub(super) fn gvk(&self) -> Gvk {
        Gvk::new(self.node())
    }

    /// The id it has.
    pub(super) fn id(&self) -> ResId {
        ResId::from_node(self.node())
    }

    /// The ids it had, oldest first. Group and version are the present ones (`utils.PrevIds`).
    pub(super) fn previous_ids(&self) -> impl Iterator<Item = ResId> {
        let gvk = self.gvk();
        self.previous.iter().map(move |(kind, namespace, name)| {
            ResId::new(Gvk { kind: kind.clone(), ..gvk.clone() }, namespace, name.clone())
        })
    }

    /// Whether it ever had another id.
    pub(super) fn was_renamed(&self) -> bool {
        !self.previous.is_empty()
    }

    /// The id it was first read with.
    pub(super) fn original_id(&self) -> ResId {
        self.previous_ids().next().unwrap_or_else(|| self.id())
    }

    /// Every id it had and has.
    pub(super) fn any_id(&self, mut is: impl FnMut(&ResId) -> bool) -> bool {
        self.previous_ids().any(|id| is(&id)) || is(&self.id())
    }

    /// Whether its name is, or was, `name`: the quick part of asking whether it has an id.
    pub(super) fn has_name(&self, name: &str) -> bool {
        self.previous.iter().any(|(_, _, previous)| previous == name)
            || match self.node().find(&["metadata", "name"]) {
                Some(Node { value: Value::Str(text), .. }) => text == name,
                Some(other) => scalar_text(other).unwrap_or_default() == name,
                None => name.is_empty(),
            }
    }

    /// What another copy of it takes in memory, as nodes: where it comes from, and what became of it.
    pub(super) fn copy_size(&self) -> usize {
        2 + self.previous.len()
            + (self.prefixes.len() + self.suffixes.len() + self.transformations.len()) / 2
            + self.object.changes.len() / 4
    }

    /// Steps that [`Self::any_id`] takes.
    pub(super) fn id_cost(&self) -> usize {
        ID * (1 + self.previous.len())
    }

    /// Notes the present id before it changes.
    pub(super) fn store_id(&mut self) {
        let id = self.id();
        let former = (id.gvk.kind, id.namespace, id.name);
        // Each patch notes the id, changed or not; which one comes first, and which there are, is all that counts.
        if !self.previous.contains(&former) {
            self.previous.push(former);
        }
    }

    /// Takes over what `other` had noted: when a generator merges into it.
    pub(super) fn take_history(&mut self, other: &Self) {
        self.previous.clone_from(&other.previous);
        self.prefixes.clone_from(&other.prefixes);
        self.suffixes.clone_from(&other.suffixes);
        if self.behavior == Behavior::Merge {
            self.origin.clone_from(&other.origin);
        }
        self.transformations.clone_from(&other.transformations);
        self.behavior = other.behavior;
        self.needs_hash &= other.needs_hash;
    }

    pub(super) fn set_meta(&mut self, key: &str, value: Node) {
        let span = value.span;
        if let Some(metadata) = self.object.node.ensure_map(&["metadata"], span) {
            metadata.set(key, value);
        }
    }

    /// Notes that `step` changed it.
    pub(super) fn changed(&mut self, step: Step, at: Span) {
        self.object.changes.push(object::Change { step, at });
    }

    /// Puts `node` in place of the present one. Where the values are the same, only their places are new: who sets what is
    /// there already decides it, and changes nothing.
    pub(super) fn replace_node(&mut self, node: Node, step: Step, at: Span) -> Change {
        let change = self.set_node(node);
        if change.is_one {
            self.changed(step, at);
        }
        change
    }

    /// As [`Self::replace_node`], without noting the change.
    pub(super) fn set_node(&mut self, node: Node) -> Change {
        let mut found = Difference::default();
        found.look(&self.object.node, &node);
        self.object.node = node;
        self.size = (self.size + found.more).saturating_sub(found.less);
        let own = (self.own + found.made).min(self.size);
        let made = own.saturating_sub(self.own);
        self.own = own;
        Change { is_one: found.is_one, seen: found.seen + found.made, made }
    }
}

/// What is different between two versions of an object. What they share is not looked at.
#[derive(Default)]
struct Difference {
    is_one: bool,
    seen: usize,
    /// Nodes of maps and lists that are not shared.
    made: usize,
    /// Nodes that only the new one has.
    more: usize,
    /// Nodes that only the old one has.
    less: usize,
}

impl Difference {
    fn look(&mut self, old: &Node, new: &Node) {
        self.seen += 1;
        match (&old.value, &new.value) {
            (Value::Map(old), Value::Map(new)) => {
                if Arc::ptr_eq(old, new) {
                    return;
                }
                self.made += new.len();
                self.is_one |= old.len() != new.len();
                // Nearly always the keys are the same and in the same order.
                let mut beside = old.entries().iter();
                let mut common = 0;
                for entry in new.entries() {
                    let same_place = beside.next().filter(|old| old.key == entry.key);
                    match same_place.map(|old| &old.value).or_else(|| old.get(&entry.key)) {
                        Some(old) => {
                            common += 1;
                            self.look(old, &entry.value);
                        }
                        None => {
                            self.is_one = true;
                            self.more += self.count(&entry.value);
                        }
                    }
                }
                if common < old.len() {
                    self.is_one = true;
                    for entry in old.entries().iter().filter(|entry| new.get(&entry.key).is_none()) {
                        self.less += self.count(&entry.value);
                    }
                }
            }
            (Value::Seq(old), Value::Seq(new)) => {
                if Arc::ptr_eq(old, new) {
                    return;
                }
                self.made += new.len();
                self.is_one |= old.len() != new.len();
                old.iter().zip(new.iter()).for_each(|(old, new)| self.look(old, new));
                let common = old.len().min(new.len());
                for node in &new[common..] {
                    self.more += self.count(node);
                }
                for node in &old[common..] {
                    self.less += self.count(node);
                }
            }
            (old_value, new_value) => {
                if old_value != new_value {
                    self.is_one = true;
                    self.less += self.count(old);
                    self.more += self.count(new);
                }
            }
        }
    }

    fn count(&mut self, node: &Node) -> usize {
        let size = budget::size(node);
        self.seen += size;
        size
    }
}
