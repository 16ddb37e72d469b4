//! A cluster as it would be after a change of its manifests.

use std::fmt;

use smol_str::SmolStr;

use super::{Cluster, Manifest, Node, NodeId, NodeKey, ObjectKey, closure::finish::owned};
use crate::{
    flux::{Policy, api::DependencyReference, is_kustomization},
    yaml::{self, Value},
};

/// A change of the manifests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// A Kustomization waits for nothing any more: neither `wait` nor `healthChecks`.
    UnsetWait(NodeKey),
    /// An entry of `dependsOn` goes, of a Kustomization.
    DropDependency {
        /// Whose entry it is.
        of: NodeKey,
        /// What it names.
        on: NodeKey,
    },
    /// A Kustomization gets an entry of `dependsOn`.
    AddDependency {
        /// Whose entry it is.
        of: NodeKey,
        /// What it names.
        on: NodeKey,
    },
    /// An object leaves whatever applies it, and a Kustomization applies it instead.
    Move {
        /// The object.
        object: ObjectKey,
        /// The Kustomization.
        to: NodeKey,
    },
    /// Objects leave a Kustomization for a new one beside it, which has its dependencies and waits for nothing.
    Split {
        /// The Kustomization.
        of: NodeKey,
        /// The objects.
        objects: Vec<ObjectKey>,
        /// Name of the new one.
        name: SmolStr,
    },
    /// A Kustomization gets another `timeout`, a duration as Flux reads it.
    Timeout(NodeKey, String),
}

/// Why an edit cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// There is no such Kustomization.
    #[error("there is no Kustomization {0}")]
    NoNode(NodeKey),
    /// The dependency is not there.
    #[error("{of} does not depend on {on}")]
    NoDependency {
        /// Whose entry it would be.
        of: NodeKey,
        /// What it would name.
        on: NodeKey,
    },
    /// No Kustomization applies the object.
    #[error("no Kustomization applies {0}")]
    NoObject(String),
    /// The Kustomization waits for nothing as it is.
    #[error("{0} has neither `wait` nor `healthChecks`")]
    NoWait(NodeKey),
    /// A Kustomization of the new name is there already.
    #[error("there is a Kustomization {0} already")]
    Exists(NodeKey),
    /// Nothing would be left, or nothing would go.
    #[error("{0} has nothing to split off")]
    NothingToSplit(NodeKey),
}

impl fmt::Display for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnsetWait(node) => write!(f, "take the gate off {node}"),
            Self::DropDependency { of, on } => write!(f, "drop `dependsOn` {on} of {of}"),
            Self::AddDependency { of, on } => write!(f, "let {of} depend on {on}"),
            Self::Move { object, to } => write!(f, "move {} to {to}", object.subject()),
            Self::Split { of, objects, name } => {
                let objects: Vec<String> = objects.iter().map(|object| object.subject().to_string()).collect();
                write!(f, "split {} off {of} into {name}", objects.join(", "))
            }
            Self::Timeout(node, timeout) => write!(f, "set `timeout: {timeout}` on {node}"),
        }
    }
}

impl Cluster {
    /// The cluster with `edits` made, one after the other.
    ///
    /// # Errors
    /// Where one of them has nothing to change.
    pub fn edited(&self, edits: &[Edit]) -> Result<Self, EditError> {
        let mut nodes = self.nodes.clone();
        for edit in edits {
            apply(&mut nodes, edit)?;
        }
        nodes.sort_by(|left, right| left.key.cmp(&right.key));
        let (objects, releases) = owned(&nodes);
        let implicit = self.implicit.again(&nodes, &releases, &objects);
        Ok(Self {
            root: self.root.clone(),
            reached: self.reached,
            version: self.version,
            tells_version: self.tells_version,
            controllers: self.controllers.clone(),
            nodes,
            releases,
            objects,
            implicit,
        })
    }

    /// The keys of what a Kustomization applies itself.
    pub fn applied_by(&self, id: NodeId) -> impl Iterator<Item = ObjectKey> {
        keys(self.node(id)).map(|(_, key)| key)
    }
}

fn keys(node: &Node) -> impl Iterator<Item = (usize, ObjectKey)> {
    let objects = node.applied.build.objects.iter().enumerate();
    objects.filter(|(_, object)| Policy::new(&object.node).applied).map(|(index, object)| (index, object.id().into()))
}

fn find<'n>(nodes: &'n mut [Node], key: &NodeKey) -> Result<&'n mut Node, EditError> {
    nodes.iter_mut().find(|node| node.key == *key).ok_or_else(|| EditError::NoNode(key.clone()))
}

fn apply(nodes: &mut Vec<Node>, edit: &Edit) -> Result<(), EditError> {
    match edit {
        Edit::UnsetWait(key) => {
            let node = find(nodes, key)?;
            if !node.has_gate() {
                return Err(EditError::NoWait(key.clone()));
            }
            node.kustomization.spec.wait = false;
            node.kustomization.spec.health_checks.clear();
            for field in ["wait", "healthChecks"] {
                unset(&mut node.kustomization.object.node, field);
            }
        }
        Edit::DropDependency { of, on } => {
            let node = find(nodes, of)?;
            let namespace = node.key.namespace.clone();
            let is_named =
                |name: &str, other: Option<&str>| name == on.name && other.unwrap_or(&namespace) == on.namespace;
            let entries = &mut node.kustomization.spec.depends_on;
            let before = entries.len();
            entries.retain(|entry| !is_named(&entry.name, entry.namespace.as_deref()));
            if entries.len() == before {
                return Err(EditError::NoDependency { of: of.clone(), on: on.clone() });
            }
            let list = node.kustomization.object.node.find_mut(&["spec", "dependsOn"]).and_then(yaml::Node::as_seq_mut);
            if let Some(list) = list {
                list.retain(|entry| {
                    !is_named(entry.find_str(&["name"]).unwrap_or_default(), entry.find_str(&["namespace"]))
                });
            }
            // What other manifests say of it goes as well: the edit is of the one that is in force.
            node.manifests.retain(|manifest| manifest.object.source == node.kustomization.object.source);
        }
        Edit::AddDependency { of, on } => {
            find(nodes, on)?;
            let node = find(nodes, of)?;
            let namespace = Some(on.namespace.to_string());
            let entry = DependencyReference { name: on.name.to_string(), namespace, ..DependencyReference::default() };
            let span = node.span();
            let text = |text: &SmolStr| yaml::Node::new(Value::Str(text.clone()), span);
            let mut item = yaml::Node::empty_map(span);
            item.set("name", text(&on.name));
            item.set("namespace", text(&on.namespace));
            node.kustomization.spec.depends_on.push(entry);
            if let Some(spec) = node.kustomization.object.node.get_mut("spec") {
                match spec.get_mut("dependsOn").and_then(yaml::Node::as_seq_mut) {
                    Some(list) => list.push(item),
                    None => spec.set("dependsOn", yaml::Node::new(Value::Seq(vec![item].into()), span)),
                }
            }
        }
        Edit::Move { object, to } => move_object(nodes, object, to)?,
        Edit::Split { of, objects, name } => split(nodes, of, objects, name)?,
        Edit::Timeout(key, timeout) => {
            let node = find(nodes, key)?;
            node.kustomization.spec.timeout = Some(timeout.clone());
        }
    }
    Ok(())
}

fn unset(node: &mut yaml::Node, field: &str) {
    if let Some(spec) = node.get_mut("spec") {
        spec.remove(field);
    }
}

fn move_object(nodes: &mut [Node], object: &ObjectKey, to: &NodeKey) -> Result<(), EditError> {
    find(nodes, to)?;
    let mut moved = None;
    let mut is_held = false;
    for node in nodes.iter_mut() {
        let at: Vec<usize> = keys(node).filter(|(_, key)| key == object).map(|(index, _)| index).collect();
        if node.key == *to {
            is_held |= !at.is_empty();
            continue;
        }
        for index in at.into_iter().rev() {
            moved = Some(node.applied.build.objects.remove(index));
        }
    }
    let Some(moved) = moved else {
        return if is_held { Ok(()) } else { Err(EditError::NoObject(object.subject().to_string())) };
    };
    own(nodes, &moved.node, object, to);
    if !is_held {
        find(nodes, to)?.applied.build.objects.push(moved);
    }
    Ok(())
}

/// A Kustomization that is moved belongs to its new owner.
fn own(nodes: &mut [Node], moved: &yaml::Node, object: &ObjectKey, to: &NodeKey) {
    if !is_kustomization(moved) {
        return;
    }
    let child = NodeKey::new(object.namespace.clone(), object.name.clone());
    if let Some(node) = nodes.iter_mut().find(|node| node.key == child)
        && let Some(first) = node.manifests.first().cloned()
    {
        node.manifests = vec![Manifest { owner: Some(to.clone()), resource_set: None, ..first }];
    }
}

fn split(nodes: &mut Vec<Node>, of: &NodeKey, objects: &[ObjectKey], name: &SmolStr) -> Result<(), EditError> {
    let key = NodeKey { namespace: of.namespace.clone(), name: name.clone() };
    if nodes.iter().any(|node| node.key == key) {
        return Err(EditError::Exists(key));
    }
    let node = find(nodes, of)?;
    let goes = |object: &crate::kustomize::Object| objects.contains(&object.id().into());
    let (going, staying): (Vec<_>, Vec<_>) = node.applied.build.objects.drain(..).partition(goes);
    node.applied.build.objects = staying;
    if going.is_empty() || node.applied.build.objects.is_empty() {
        return Err(EditError::NothingToSplit(of.clone()));
    }
    let mut new = node.clone();
    new.key = key.clone();
    new.is_entry = false;
    new.kustomization.name = name.clone();
    new.kustomization.object.node.set("metadata", {
        let mut metadata = new.kustomization.object.node.get("metadata").cloned().unwrap_or(yaml::Node::NULL);
        let span = metadata.span;
        metadata.set("name", yaml::Node::new(Value::Str(name.clone()), span));
        metadata
    });
    new.kustomization.spec.wait = false;
    new.kustomization.spec.health_checks.clear();
    new.resource_sets.clear();
    new.applied.build.objects = going;
    let object = new.kustomization.object.clone();
    for manifest in &mut new.manifests {
        manifest.object = object.clone();
    }
    for moved in new.applied.build.objects.clone() {
        own(nodes, &moved.node, &moved.id().into(), &key);
    }
    nodes.push(new);
    Ok(())
}
