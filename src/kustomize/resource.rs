use smol_str::SmolStr;

use super::{
    Change, Object, Step,
    id::{Gvk, ResId},
};
use crate::{source::Span, yaml::Node};

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
        Self {
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

    /// Notes the present id before it changes.
    pub(super) fn store_id(&mut self) {
        let id = self.id();
        self.previous.push((id.gvk.kind, id.namespace, id.name));
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
        self.object.changes.push(Change { step, at });
    }

    /// Puts `node` in place of the present one. Where the values are the same, only their places are new: who sets what is
    /// there already decides it, and changes nothing.
    pub(super) fn replace_node(&mut self, node: Node, step: Step, at: Span) {
        if self.set_node(node) {
            self.changed(step, at);
        }
    }

    /// As [`Self::replace_node`], without noting the change. Tells whether there is one.
    pub(super) fn set_node(&mut self, node: Node) -> bool {
        let is_change = self.object.node != node;
        self.object.node = node;
        is_change
    }
}
