//! What a change deletes, by cause: shared by the rules that word it.

use std::{cell::OnceCell, collections::BTreeMap};

use super::{
    super::{Context, Situation},
    changed::{Place, Trees},
};
use crate::{
    cluster::{NodeId, ObjectKey},
    flux::api::kinds::{CRD, FLUX_INSTANCE, HELM_RELEASE, KUSTOMIZATION, NAMESPACE},
    situation::fates::{By, Cause, Deletion, Fates, Stake, stake},
    source::Span,
};

/// The step from one revision of a cluster to the next.
pub(in crate::rules) struct Step<'a> {
    pub before: &'a Situation<'a>,
    pub after: &'a Situation<'a>,
    pub trees: Trees<'a>,
    pub fates: Fates,
    /// What takes the place of what is deleted, once somebody asks.
    pub twins: OnceCell<BTreeMap<ObjectKey, ObjectKey>>,
}

/// An object that is deleted.
#[derive(Debug, Clone)]
pub(in crate::rules) struct Lost {
    pub key: ObjectKey,
    pub deletion: Deletion,
    pub stake: Stake,
}

/// What is deleted for one reason.
#[derive(Debug)]
pub(in crate::rules) struct Group {
    pub place: Place,
    pub lost: Vec<Lost>,
}

/// The steps of all clusters that both revisions have.
pub(in crate::rules) fn steps<'a>(context: &Context<'a>) -> Vec<Step<'a>> {
    let Some(trees) = Trees::of(context) else { return Vec::new() };
    let pairs = context.changed().into_iter();
    let new = |(before, after)| Step { before, after, trees, fates: Fates::new(before, after), twins: OnceCell::new() };
    pairs.map(new).collect()
}

impl Step<'_> {
    /// What is lost with an object.
    pub(in crate::rules) fn lost(&self, key: &ObjectKey, deletion: &Deletion) -> Lost {
        let stake = stake(self.before.cluster, key, &deletion.by);
        Lost { key: key.clone(), deletion: deletion.clone(), stake }
    }

    /// What leaves a build, or is recreated by force, and all that goes with it: by the place of the change, in the order of the
    /// files.
    pub(in crate::rules) fn groups(&self) -> Vec<Group> {
        let mut places: BTreeMap<Cause, Place> = BTreeMap::new();
        let mut groups: BTreeMap<(Span, String), Group> = BTreeMap::new();
        let has_operator = self.has_operator();
        for (key, deletion) in self.fates.deleted() {
            let is_taken_over = has_operator && self.is_flux(deletion.cause.object());
            if is_taken_over || matches!(deletion.cause, Cause::Moved { .. }) {
                continue;
            }
            let new = || self.trees.place(self.before, self.after, &deletion.cause);
            let place = places.entry(deletion.cause.clone()).or_insert_with(new).clone();
            let at = (place.at, deletion.cause.owner().subject().to_string());
            let group = groups.entry(at).or_insert_with(|| Group { place, lost: Vec::new() });
            group.lost.push(self.lost(key, deletion));
        }
        groups.into_values().collect()
    }

    /// Whether the Flux Operator is there: it takes over what bootstrap installed, and looks after it from then on.
    fn has_operator(&self) -> bool {
        let has = |situation: &Situation<'_>| {
            let mut instances = situation.cluster.objects.range(ObjectKey::new(FLUX_INSTANCE, "", "")..);
            instances.next().is_some_and(|(key, _)| key.is(FLUX_INSTANCE))
        };
        has(self.before) || has(self.after)
    }

    /// Whether an object is part of Flux itself: what reconciles the cluster, where that comes from, and what runs it.
    pub(in crate::rules) fn is_flux(&self, key: &ObjectKey) -> bool {
        let entries = || self.before.cluster.nodes.iter().filter(|node| node.is_entry && !node.is_generated);
        if key.is(KUSTOMIZATION) {
            return entries().any(|node| node.key.name == key.name && node.key.namespace == key.namespace);
        }
        if key.is(NAMESPACE) {
            return entries().any(|node| node.key.namespace == key.name);
        }
        if key.is(CRD) {
            return key.name == "kustomizations.kustomize.toolkit.fluxcd.io"
                || key.name == "gitrepositories.source.toolkit.fluxcd.io";
        }
        let is_home = entries().any(|node| node.key.namespace == key.namespace);
        is_home && key.kind == "Deployment" && matches!(key.name.as_str(), "kustomize-controller" | "source-controller")
    }

    /// Of the objects that go with a Namespace or a CRD those that would stay without that.
    pub(in crate::rules) fn contents<'l>(&self, lost: &'l [Lost]) -> Vec<&'l Lost> {
        lost.iter().filter(|one| matches!(one.deletion.by, By::Namespace | By::Crd)).collect()
    }

    /// The HelmReleases that go on installing into a namespace that goes.
    pub(in crate::rules) fn tenants(&self, lost: &[Lost]) -> Vec<ObjectKey> {
        let gone: Vec<&str> =
            lost.iter().filter(|one| one.key.is(NAMESPACE)).map(|one| one.key.name.as_str()).collect();
        let stay = self.before.cluster.releases.iter().filter(|release| {
            let target = release.helm.spec.target_namespace.as_deref();
            let kept = || self.after.cluster.release(&release.key).map(|index| &self.after.cluster.releases[index]);
            target.is_some_and(|target| gone.contains(&target))
                && kept().is_some_and(|kept| kept.helm.spec.target_namespace.as_deref() == target)
        });
        let keys = stay.map(|one| ObjectKey::new(HELM_RELEASE, one.key.namespace.clone(), one.key.name.clone()));
        keys.filter(|key| !lost.iter().any(|one| one.key == *key)).collect()
    }

    /// Where a finding about a group points, and what that text has to do with it. Where no text of the change is left that is
    /// what takes the place of something that goes.
    pub(in crate::rules) fn anchor(&self, group: &Group) -> (Span, String) {
        let place = || {
            let mut worst: Vec<&Lost> = group.lost.iter().collect();
            worst.sort_by_key(|one| std::cmp::Reverse(one.stake));
            let twin = worst.into_iter().find_map(|one| self.twin(one))?;
            let provider = self.after.cluster.objects.get(&twin)?.first()?;
            let at = self.after.cluster.object(*provider).place();
            at.is_some().then(|| (at, "takes the place of what is deleted".to_owned()))
        };
        let twin = if group.place.is_elsewhere { place() } else { None };
        twin.unwrap_or_else(|| (group.place.at, group.place.label.clone()))
    }

    /// Where an object stood before the change.
    pub(in crate::rules) fn former_place(&self, key: &ObjectKey) -> Span {
        let provider = self.before.cluster.objects.get(key).and_then(|providers| providers.first());
        provider.map_or(Span::NONE, |one| self.before.cluster.object(*one).place())
    }

    /// The Kustomization of the later cluster that lost an object, for the words of the advice.
    pub(in crate::rules) fn owner_of(&self, key: &ObjectKey) -> Option<NodeId> {
        let provider = self.before.cluster.objects.get(key).and_then(|providers| providers.first())?;
        self.after.cluster.find(&self.before.cluster.node(provider.node).key)
    }
}

/// Names of objects, those first with which most is lost.
pub(in crate::rules) fn names<'l>(lost: impl IntoIterator<Item = &'l Lost>) -> Vec<String> {
    let mut all: Vec<&Lost> = lost.into_iter().collect();
    all.sort_by_key(|one| (std::cmp::Reverse(one.stake), one.key.clone()));
    all.into_iter().map(|one| one.key.subject().to_string()).collect()
}
