//! Who applied an object, whether that deletes what leaves it, and which of two owners comes first.

use std::collections::{BTreeMap, BTreeSet};

use super::super::Situation;
use crate::{
    cluster::{Cluster, Folder, Node, NodeKey, ObjectKey, Provider},
    finding::Subject,
    flux::api::kinds::{KUSTOMIZATION, RESOURCE_SET},
    graph::{Actor, Moment},
    source::Tree,
};

/// What applies objects, and keeps an inventory of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// A Kustomization.
    Kustomization(NodeKey),
    /// A ResourceSet.
    ResourceSet(NodeKey),
}

impl Owner {
    /// That of a provider of `cluster`.
    #[must_use]
    pub fn of(cluster: &Cluster, provider: Provider) -> Self {
        let node = cluster.node(provider.node);
        match provider.set.and_then(|set| node.resource_sets.get(set)) {
            Some(set) => Self::ResourceSet(NodeKey::new(set.namespace.clone(), set.name.clone())),
            None => Self::Kustomization(node.key.clone()),
        }
    }

    /// Its own object.
    #[must_use]
    pub fn key(&self) -> ObjectKey {
        match self {
            Self::Kustomization(key) => ObjectKey::new(KUSTOMIZATION, key.namespace.clone(), key.name.clone()),
            Self::ResourceSet(key) => ObjectKey::new(RESOURCE_SET, key.namespace.clone(), key.name.clone()),
        }
    }

    /// It as a subject.
    #[must_use]
    pub fn subject(&self) -> Subject {
        self.key().subject()
    }

    /// The Kustomization of that key in `cluster`.
    #[must_use]
    pub fn node<'c>(&self, cluster: &'c Cluster) -> Option<&'c Node> {
        match self {
            Self::Kustomization(key) => cluster.find(key).map(|id| cluster.node(id)),
            Self::ResourceSet(_) => None,
        }
    }
}

/// Whether an owner deletes what leaves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prunes {
    /// It does.
    Yes,
    /// The same commit changes that: a Kustomization may reconcile the new revision before its parent has applied its new spec.
    Perhaps,
    /// It does not.
    No,
}

/// In which order two owners come to reconcile one revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// The new one waits for the former.
    FormerFirst,
    /// The former waits for the new one.
    NewFirst,
    /// Neither.
    Race,
}

/// The owners of both clusters.
pub(super) struct Owners<'a> {
    before: &'a Cluster,
    after: &'a Situation<'a>,
}

impl<'a> Owners<'a> {
    pub(super) fn new(before: &'a Situation<'_>, after: &'a Situation<'_>) -> Self {
        Self { before: before.cluster, after }
    }

    /// Whether the owner comes to reconcile the later revision: no build has to hold it for that, where it exists already.
    pub(super) fn is_there(&self, owner: &Owner) -> bool {
        match owner {
            Owner::Kustomization(key) => {
                let lost =
                    || owner.node(self.before).is_some_and(|old| prunes_itself(old, self.after.view.store.tree()));
                self.after.cluster.find(key).is_some() || lost()
            }
            Owner::ResourceSet(_) => self.after.cluster.objects.contains_key(&owner.key()),
        }
    }

    /// Whether an owner of the later cluster applies what it holds.
    pub(super) fn applies(&self, owner: &Owner) -> bool {
        owner.node(self.after.cluster).is_none_or(reconciles)
    }

    /// Whether an owner of both clusters deletes what leaves it (kustomize-controller v1.9, `prune`; the Flux Operator keeps an
    /// inventory of each ResourceSet). Kustomizations in `failing` never come to that.
    pub(super) fn prunes(&self, owner: &Owner, failing: &BTreeSet<NodeKey>) -> Prunes {
        let Owner::Kustomization(key) = owner else { return Prunes::Yes };
        let (Some(old), Some(new)) = (owner.node(self.before), owner.node(self.after.cluster)) else {
            let is_lost = owner.node(self.before).is_some_and(|old| prunes_itself(old, self.after.view.store.tree()));
            return if is_lost && owner.node(self.after.cluster).is_none() { Prunes::Yes } else { Prunes::No };
        };
        let is_known = !hides_more(old, new) && old.is_remote() == new.is_remote();
        if failing.contains(key) || !is_known || !is_built(new) || !self.is_delivered(old, new) {
            return Prunes::No;
        }
        let does = |node: &Node| node.kustomization.spec.prune == Some(true) && !node.kustomization.spec.suspend;
        match (does(old), does(new)) {
            (true, true) => Prunes::Yes,
            (false, false) => Prunes::No,
            _ => Prunes::Perhaps,
        }
    }

    /// Whether a change of the Kustomization itself reaches the cluster: its parent has to apply it.
    fn is_delivered(&self, old: &Node, new: &Node) -> bool {
        if old.kustomization.object.node == new.kustomization.object.node {
            return true;
        }
        let parent = new.manifests.first().and_then(|manifest| manifest.owner.as_ref());
        let parent = parent.filter(|parent| **parent != new.key).and_then(|parent| self.after.cluster.find(parent));
        parent.is_none_or(|parent| reconciles(self.after.cluster.node(parent)))
    }

    /// Which of the two waits for the other in each revision. Only with one source does waiting mean this revision
    /// (kustomize-controller v1.9, `checkDependencies`).
    pub(super) fn order(&self, old: &Owner, new: &Owner) -> Order {
        let (Owner::Kustomization(old), Owner::Kustomization(new)) = (old, new) else { return Order::Race };
        let after = self.after;
        let (Some(one), Some(other)) = (after.cluster.find(old), after.cluster.find(new)) else { return Order::Race };
        let source = |id| after.cluster.node(id).source();
        if source(one) != source(other) {
            return Order::Race;
        }
        let waits = |waiting, first| {
            let start = after.graph.id(Actor::Node(waiting), Moment::Start);
            let ready = after.graph.id(Actor::Node(first), Moment::Ready);
            start.zip(ready).is_some_and(|(start, ready)| after.graph.behind(&[start]).contains(&ready))
        };
        match (waits(other, one), waits(one, other)) {
            (true, _) => Order::FormerFirst,
            (_, true) => Order::NewFirst,
            _ => Order::Race,
        }
    }
}

/// The objects of all builds that kustomize-controller does not apply, with the Kustomizations whose inventories record them.
pub(super) fn skipped(cluster: &Cluster) -> BTreeMap<ObjectKey, Vec<Owner>> {
    let mut found: BTreeMap<ObjectKey, Vec<Owner>> = BTreeMap::new();
    for node in &cluster.nodes {
        for object in node.skipped() {
            found.entry(object.id().into()).or_default().push(Owner::Kustomization(node.key.clone()));
        }
    }
    found
}

/// Whether a Kustomization gets as far as applying something.
pub(super) fn reconciles(node: &Node) -> bool {
    is_built(node) && !node.kustomization.spec.suspend
}

fn is_built(node: &Node) -> bool {
    matches!(node.folder, Folder::Here(_) | Folder::Mapped(_)) && node.applied.build.errors.is_empty()
}

/// Whether the Kustomization of an entry point that was part of its own build is gone from the files of the later revision, while
/// its folder is still there: then it builds that, finds itself missing, and deletes itself.
#[must_use]
pub fn prunes_itself(node: &Node, after: &Tree) -> bool {
    let spec = &node.kustomization.spec;
    let holds_itself = node.manifests.iter().any(|manifest| manifest.owner.as_ref() == Some(&node.key));
    let Folder::Here(folder) = &node.folder else { return false };
    let is_inside = |path: &str| path.strip_prefix(folder.as_str()).is_some_and(|rest| rest.starts_with('/'));
    node.is_entry
        && holds_itself
        && spec.prune == Some(true)
        && !spec.suspend
        && !folder.is_empty()
        && after.files().any(|file| is_inside(after.path(file)))
}

/// Whether objects may be missing from the later build for a reason that the earlier one did not have.
fn hides_more(old: &Node, new: &Node) -> bool {
    let is_known = |what: &str| old.unresolved.iter().any(|part| part.hides_objects() && part.what == what);
    new.unresolved.iter().any(|part| part.hides_objects() && !is_known(&part.what))
}

/// Whether an owner that is deleted takes along what it applied (kustomize-controller v1.9, `finalizerShouldDeleteResources`).
pub(super) fn deletes_with_it(cluster: &Cluster, owner: &Owner) -> bool {
    let Some(node) = owner.node(cluster) else { return matches!(owner, Owner::ResourceSet(_)) };
    let spec = &node.kustomization.spec;
    // A suspended one deletes nothing, whatever its policy.
    !spec.suspend
        && match spec.deletion_policy.as_deref() {
            Some("Delete" | "WaitForTermination") => true,
            Some("Orphan") => false,
            _ => spec.prune == Some(true),
        }
}
