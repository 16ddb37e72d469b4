//! What becomes of every object of a running cluster when one revision follows another, as the garbage collection of
//! kustomize-controller, the Flux Operator and helm-controller do it: by owner labels, inventories and finalizers, and by who
//! comes first.

mod fields;
mod owners;
mod releases;
mod stakes;
mod stored;

pub use owners::{Owner, prunes_itself};
pub use releases::{Uninstall, UninstallReason};
pub use stakes::{Stake, stake};
pub(in crate::situation) use stored::quantity;
pub(crate) use stored::stored;

use std::collections::{BTreeMap, BTreeSet};

use owners::{Owners, Prunes, deletes_with_it};

use super::Situation;
use crate::{
    cluster::{Cluster, NodeKey, ObjectKey, Provider},
    flux::{
        Policy,
        api::kinds::{CRD, KUSTOMIZATION, NAMESPACE},
    },
};

/// What becomes of the objects of a cluster with a change.
#[derive(Debug, Default)]
pub struct Fates {
    objects: BTreeMap<ObjectKey, Fate>,
    uninstalled: BTreeMap<NodeKey, Uninstall>,
}

/// What becomes of an object that is not simply kept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "hardly any is of the small one")]
pub enum Fate {
    /// The API server refuses the change of this field, which stops the Kustomization: nothing else of it is applied or deleted.
    Refused(&'static str),
    /// It is deleted.
    Deleted(Deletion),
}

/// How an object is deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deletion {
    /// What deletes it.
    pub by: By,
    /// Whether somebody makes it again, without what it held.
    pub again: bool,
    /// Whether it depends on who comes first.
    pub race: bool,
    /// What in the change leads to it.
    pub cause: Cause,
}

/// What deletes an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// Who applied it: it left the build, or the owner is deleted itself.
    Owner(Owner),
    /// Kubernetes, together with its namespace.
    Namespace,
    /// Kubernetes, together with the CRD of its kind.
    Crd,
    /// kustomize-controller, since a field cannot be changed in place and `force` is set.
    Force,
}

/// What in a change leads to deletions: the first step of the chain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// An object leaves what its owner makes.
    Left {
        /// The owner.
        owner: Owner,
        /// The object.
        object: ObjectKey,
    },
    /// An object goes from one owner to another.
    Moved {
        /// The former one.
        from: Owner,
        /// The new one.
        to: Owner,
        /// The object.
        object: ObjectKey,
    },
    /// An object is recreated by force.
    Forced {
        /// Who applies it.
        owner: Owner,
        /// The object.
        object: ObjectKey,
        /// The field that cannot be changed in place.
        field: &'static str,
    },
}

impl Cause {
    /// The object that goes first.
    #[must_use]
    pub const fn object(&self) -> &ObjectKey {
        match self {
            Self::Left { object, .. } | Self::Moved { object, .. } | Self::Forced { object, .. } => object,
        }
    }

    /// Who deletes it.
    #[must_use]
    pub const fn owner(&self) -> &Owner {
        match self {
            Self::Left { owner, .. } | Self::Moved { from: owner, .. } | Self::Forced { owner, .. } => owner,
        }
    }
}

impl Fates {
    /// Those of the step from `before` to `after`.
    #[must_use]
    pub fn new(before: &Situation<'_>, after: &Situation<'_>) -> Self {
        let model = Model::new(before, after);
        let mut objects = model.direct();
        while model.spread(&mut objects) {}
        let deleted = |key: &ObjectKey| match objects.get(key) {
            Some(Fate::Deleted(deletion)) => Some(deletion.clone()),
            _ => None,
        };
        let uninstalled = releases::uninstalled(before.cluster, after.cluster, &deleted);
        Self { objects, uninstalled }
    }

    /// What becomes of an object; `None` where it is kept.
    #[must_use]
    pub fn of(&self, key: &ObjectKey) -> Option<&Fate> {
        self.objects.get(key)
    }

    /// Whether an object is deleted, and not made again.
    #[must_use]
    pub fn removes(&self, key: &ObjectKey) -> bool {
        matches!(self.objects.get(key), Some(Fate::Deleted(deletion)) if !deletion.again)
    }

    /// Every object that is deleted, sorted.
    pub fn deleted(&self) -> impl Iterator<Item = (&ObjectKey, &Deletion)> {
        self.objects.iter().filter_map(|(key, fate)| match fate {
            Fate::Deleted(deletion) => Some((key, deletion)),
            Fate::Refused(_) => None,
        })
    }

    /// Every object whose change the API server refuses, sorted, with the field.
    pub fn refused(&self) -> impl Iterator<Item = (&ObjectKey, &'static str)> {
        self.objects.iter().filter_map(|(key, fate)| match fate {
            Fate::Refused(field) => Some((key, *field)),
            Fate::Deleted(_) => None,
        })
    }

    /// The HelmReleases whose charts are uninstalled, sorted.
    #[must_use]
    pub const fn uninstalled(&self) -> &BTreeMap<NodeKey, Uninstall> {
        &self.uninstalled
    }
}

/// The two clusters.
struct Model<'a> {
    before: &'a Cluster,
    after: &'a Cluster,
    owners: Owners<'a>,
    /// Namespaces that Flux itself is in.
    homes: BTreeSet<&'a str>,
    /// What the later builds hold and nobody applies, with the Kustomizations that keep it in their inventories.
    skipped: BTreeMap<ObjectKey, Vec<Owner>>,
}

impl<'a> Model<'a> {
    fn new(before: &'a Situation<'_>, after: &'a Situation<'_>) -> Self {
        let entries = before.cluster.nodes.iter().filter(|node| node.is_entry);
        Self {
            homes: entries.map(|node| node.key.namespace.as_str()).collect(),
            skipped: owners::skipped(after.cluster),
            owners: Owners::new(before, after),
            before: before.cluster,
            after: after.cluster,
        }
    }

    /// The objects of the earlier cluster that have a name.
    fn objects(&self) -> impl Iterator<Item = (&'a ObjectKey, &'a [Provider])> {
        let named = self.before.objects.iter().filter(|(key, _)| !key.is_unresolved());
        named.map(|(key, providers)| (key, providers.as_slice()))
    }

    fn providers_after(&self, key: &ObjectKey) -> &'a [Provider] {
        self.after.objects.get(key).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether an owner of the later cluster keeps the object in its inventory. One with `reconcile: disabled` or `ssa: Ignore` is no
    /// longer applied, and still recorded, so it is not pruned (fluxcd/pkg, `inventory.AddChangeSet` takes skipped objects too).
    fn keeps(&self, owner: &Owner, key: &ObjectKey) -> bool {
        self.providers_after(key).iter().any(|provider| Owner::of(self.after, *provider) == *owner)
            || self.skipped.get(key).is_some_and(|owners| owners.contains(owner))
    }

    /// Whether no owner marks the object as one that is not pruned. Of several owners the last one's marks count, so it takes all.
    fn is_pruned(&self, providers: &[Provider]) -> bool {
        providers.iter().all(|provider| Policy::new(&self.before.object(*provider).node).pruned)
    }

    /// What owners that go on reconciling do with objects that leave them.
    fn direct(&self) -> BTreeMap<ObjectKey, Fate> {
        let mut fates = BTreeMap::new();
        let mut failing = BTreeSet::new();
        for (key, old) in self.objects() {
            if let Some(fate) = self.changed_in_place(key, old, &mut failing) {
                fates.insert(key.clone(), fate);
            }
        }
        for (key, old) in self.objects().filter(|(_, old)| self.is_pruned(old)) {
            if let Some(deletion) = self.departure(key, old, &failing) {
                fates.insert(key.clone(), Fate::Deleted(deletion));
            }
        }
        fates
    }

    /// What becomes of an object whose owner stays, where a field changes that cannot be changed.
    fn changed_in_place(&self, key: &ObjectKey, old: &[Provider], failing: &mut BTreeSet<NodeKey>) -> Option<Fate> {
        let new = self.providers_after(key);
        let ([one], [other]) = (old, new) else { return None };
        let (from, to) = (self.before.object(*one), self.after.object(*other));
        let (owner, node) = (Owner::of(self.before, *one), self.after.node(other.node));
        let policy = Policy::new(&to.node);
        if owner != Owner::of(self.after, *other) || !policy.applied || policy.if_not_present {
            return None;
        }
        let field = fields::immutable_change(key, &from.node, &to.node)?;
        // The controller gets as far as this object only where it builds at all.
        if !owners::reconciles(node) {
            return None;
        }
        if node.kustomization.spec.force || policy.forced {
            let cause = Cause::Forced { owner, object: key.clone(), field };
            return Some(Fate::Deleted(Deletion { by: By::Force, again: true, race: false, cause }));
        }
        if other.set.is_none() {
            failing.insert(node.key.clone());
        }
        Some(Fate::Refused(field))
    }

    /// How an object that no former owner applies any more is deleted by one that goes on.
    fn departure(&self, key: &ObjectKey, old: &[Provider], failing: &BTreeSet<NodeKey>) -> Option<Deletion> {
        let new = self.providers_after(key);
        let stays = |owner: &Owner| self.keeps(owner, key);
        let owners: Vec<(Owner, Provider)> =
            old.iter().map(|provider| (Owner::of(self.before, *provider), *provider)).collect();
        let is_shared = owners.iter().any(|(owner, _)| stays(owner));
        // One of two owners may drop an object once the other one has applied it: then it bears that one's labels. Where the
        // namespace of Flux is at stake, nobody should rely on having been the second.
        let is_home = key.is(NAMESPACE) && self.homes.contains(key.name.as_str());
        if is_shared && !is_home {
            return None;
        }
        let mut worst: Option<Deletion> = None;
        for (owner, provider) in owners.iter().filter(|(owner, _)| !stays(owner) && self.owners.is_there(owner)) {
            let prunes = self.owners.prunes(owner, failing);
            if prunes == Prunes::No || self.differ_in_target(*provider, new) {
                continue;
            }
            let by = By::Owner(owner.clone());
            let race = prunes == Prunes::Perhaps || is_shared;
            let deletion = match new.first().map(|provider| Owner::of(self.after, *provider)) {
                None => {
                    let cause = Cause::Left { owner: owner.clone(), object: key.clone() };
                    Deletion { by, again: false, race, cause }
                }
                Some(to) => {
                    let first = self.owners.order(owner, &to);
                    if first == owners::Order::NewFirst {
                        continue;
                    }
                    // One that changes parents is always deleted first: what takes it over cannot take off the finalizer.
                    let is_certain = first == owners::Order::FormerFirst || key.is(KUSTOMIZATION);
                    let again = self.owners.applies(&to);
                    let cause = Cause::Moved { from: owner.clone(), to, object: key.clone() };
                    Deletion { by, again, race: race || (again && !is_certain), cause }
                }
            };
            if worst.as_ref().is_none_or(|known| known.race && !deletion.race) {
                worst = Some(deletion);
            }
        }
        worst
    }

    /// Whether what is applied now is applied to another cluster than it was.
    fn differ_in_target(&self, old: Provider, new: &[Provider]) -> bool {
        let is_remote = self.before.node(old.node).is_remote();
        new.iter().any(|provider| self.after.node(provider.node).is_remote() != is_remote)
    }

    /// What goes with what is known to go. Gives whether there was anything new.
    fn spread(&self, fates: &mut BTreeMap<ObjectKey, Fate>) -> bool {
        let crds = self.deleted_crds(fates);
        let mut found = false;
        for (key, old) in self.objects() {
            if matches!(fates.get(key), Some(Fate::Deleted(deletion)) if !deletion.race) {
                continue;
            }
            let known = fates.contains_key(key);
            let next = self.with_owner(key, old, fates).or_else(|| self.with_container(key, old, fates, &crds));
            if let Some(next) = next.filter(|next| !known || !next.race) {
                fates.insert(key.clone(), Fate::Deleted(next));
                found = true;
            }
        }
        found
    }

    /// How an object goes with those who applied it: all of them that still do are deleted themselves.
    fn with_owner(&self, key: &ObjectKey, old: &[Provider], fates: &BTreeMap<ObjectKey, Fate>) -> Option<Deletion> {
        if !self.is_pruned(old) {
            return None;
        }
        let new = self.providers_after(key);
        let death = |owner: &Owner| match fates.get(&owner.key()) {
            Some(Fate::Deleted(deletion)) if owner.key() != *key => Some(deletion),
            _ => None,
        };
        let owners: Vec<Owner> = old.iter().map(|provider| Owner::of(self.before, *provider)).collect();
        let heirs: Vec<Owner> = new.iter().map(|provider| Owner::of(self.after, *provider)).collect();
        // Whoever applied it before and goes on keeps it.
        if owners.iter().any(|owner| self.keeps(owner, key) && death(owner).is_none()) {
            return None;
        }
        let (owner, provider) = owners.iter().zip(old).find(|(owner, _)| death(owner).is_some())?;
        let deletion = death(owner)?;
        if !deletes_with_it(self.before, owner) || self.differ_in_target(*provider, new) {
            return None;
        }
        let by = By::Owner(owner.clone());
        let heir = heirs.iter().find(|heir| !owners.contains(heir));
        if heirs.contains(owner) {
            // The same owner comes back, or not.
            return Some(Deletion { by, again: deletion.again, ..deletion.clone() });
        }
        let Some(to) = heir else { return Some(Deletion { by, again: false, ..deletion.clone() }) };
        let again = death(to).is_none_or(|heir| heir.again);
        // What moves together with the owner's own Kustomization has the same cause.
        let cause = match &deletion.cause {
            cause @ Cause::Moved { .. } => cause.clone(),
            _ => Cause::Moved { from: owner.clone(), to: to.clone(), object: key.clone() },
        };
        Some(Deletion { by, again, race: deletion.race, cause })
    }

    /// How an object goes with its namespace, or with the CRD of its kind.
    fn with_container(
        &self,
        key: &ObjectKey,
        old: &[Provider],
        fates: &BTreeMap<ObjectKey, Fate>,
        crds: &[(&str, &str, Deletion)],
    ) -> Option<Deletion> {
        let is_here = !old.iter().any(|provider| self.before.node(provider.node).is_remote());
        let again = self.after.objects.contains_key(key);
        let own = ObjectKey::new(NAMESPACE, "", key.namespace.clone());
        if let Some(Fate::Deleted(deletion)) = fates.get(&own).filter(|_| is_here && !key.namespace.is_empty()) {
            return Some(Deletion { by: By::Namespace, again, ..deletion.clone() });
        }
        let own = crds.iter().find(|(group, kind, _)| is_here && key.group == *group && key.kind == *kind);
        own.map(|(.., deletion)| Deletion { by: By::Crd, again, ..deletion.clone() })
    }

    /// Group and kind of the CRDs that go.
    fn deleted_crds(&self, fates: &BTreeMap<ObjectKey, Fate>) -> Vec<(&'a str, &'a str, Deletion)> {
        let gone = fates.iter().filter_map(|(key, fate)| match fate {
            Fate::Deleted(deletion) if key.is(CRD) => Some((key, deletion.clone())),
            _ => None,
        });
        let read = gone.filter_map(|(key, deletion)| {
            let spec = self.before.object(*self.before.objects.get(key)?.first()?).node.get("spec")?;
            Some((spec.find_str(&["group"])?, spec.find_str(&["names", "kind"])?, deletion))
        });
        read.collect()
    }
}
