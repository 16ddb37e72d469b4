//! Bounds on how many Kustomizations are followed, so that folders that go on building themselves come to an end.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::Draft;
use crate::{
    cluster::NodeKey,
    flux::{Kustomization, SourceRef},
    kustomize::{Cost, Hidden, Unresolved},
    source::normalize,
};

/// Most Kustomizations of one cluster.
const NODES: usize = 30_000;

/// Most Kustomizations of one cluster that build a folder which one of their owners builds already, under another name.
const RECURSIONS: usize = 32;

/// Most times that a Kustomization is begun anew because another build makes it in another way: some go to and fro.
const RENEWALS: usize = 16;

/// The most that the builds of one cluster may cost together, beside [`EACH`]: a few of the largest.
const ALL: Cost = Cost { steps: 95_000_000, nodes: 6_000_000, bytes: 256 << 20 };

/// What each Kustomization adds to that. An ordinary one takes 5,000 to 20,000 steps.
const EACH: Cost = Cost { steps: 50_000, nodes: 500, bytes: 32 << 10 };

/// What a build may cost at the first attempt, while others are built beside it. Nearly all take less; the rest is built one after
/// the other, so that what is left does not depend on which thread comes first.
pub(in crate::cluster) const FIRST: Cost = Cost { steps: 2_000_000, nodes: 200_000, bytes: 8 << 20 };

/// How many are built at the same time.
pub(super) const TOGETHER: usize = 64;

/// What all builds of a cluster have spent.
#[derive(Debug, Default)]
pub(super) struct Spent(Cost);

impl Spent {
    /// Adds what one build cost.
    pub(super) fn add(&mut self, cost: Cost) {
        self.0 = self.0.and(cost);
    }

    /// What another build may cost, where there are `nodes` of them; `None` once all is spent.
    pub(super) fn left(&self, nodes: usize) -> Option<Cost> {
        let most = ALL.and(EACH.times(nodes as u64));
        (!self.0.exceeds(most)).then(|| most.less(self.0).at_most(Cost::BUILD))
    }
}

/// Why a Kustomization is not built once all is spent.
pub(super) fn excess(nodes: usize) -> String {
    let most = ALL.and(EACH.times(nodes as u64));
    format!(
        "the builds of this cluster take more than {} million steps, {} million nodes or {} MiB of text together, and this \
         one is left out",
        most.steps / 1_000_000,
        most.nodes / 1_000_000,
        most.bytes >> 20
    )
}

/// Keeps count of the Kustomizations that were found.
#[derive(Debug, Default)]
pub(in crate::cluster) struct ClosureLimits {
    adopted: usize,
    recursions: usize,
    /// Nodes some of whose children are not followed, and why.
    refused: BTreeMap<NodeKey, String>,
}

impl ClosureLimits {
    /// How many Kustomizations were taken in.
    pub(in crate::cluster) const fn adopted(&self) -> usize {
        self.adopted
    }

    /// Forgets whose children were refused: the next look at all of them tells again.
    pub(in crate::cluster) fn start_round(&mut self) {
        self.refused.clear();
    }

    /// Whether a Kustomization found in the build of `owner` is followed.
    pub(in crate::cluster) fn admits(
        &mut self,
        drafts: &BTreeMap<NodeKey, Draft>,
        child: &Kustomization,
        owner: Option<&NodeKey>,
    ) -> bool {
        let recursive = is_recursive(drafts, child, owner);
        let why = if drafts.len() >= NODES {
            format!("the cluster has more than {NODES} Kustomizations, and no more of them are followed")
        } else if recursive && self.recursions >= RECURSIONS {
            format!("`{}` goes on building itself under ever new names", place(child).1)
        } else {
            self.adopted += 1;
            self.recursions += usize::from(recursive);
            return true;
        };
        if let Some(owner) = owner {
            self.refused.entry(owner.clone()).or_insert(why);
        }
        false
    }

    /// Whether `draft`, which is found to be made in another way, is begun anew.
    pub(in crate::cluster) fn renews(&mut self, draft: &Draft, owner: Option<&NodeKey>) -> bool {
        let is_one = draft.renewals < RENEWALS;
        if let Some(owner) = owner.filter(|_| !is_one) {
            let why = format!("`{}` is made in ever other ways", place(&draft.kustomization).1);
            self.refused.entry(owner.clone()).or_insert(why);
        }
        is_one
    }

    /// Notes on the nodes what was not followed. `is_settled` tells whether the search came to an end of its own.
    pub(in crate::cluster) fn tell(self, drafts: &mut BTreeMap<NodeKey, Draft>, is_settled: bool) {
        for (key, draft) in drafts {
            let what_why = match self.refused.get(key) {
                Some(why) => Some(("Kustomizations that it builds", why.clone())),
                None if !is_settled && draft.raw.is_none() => {
                    Some(("its manifests", "it is nested too deep to be followed".to_owned()))
                }
                None => None,
            };
            if let Some((what, why)) = what_why {
                let span = draft.kustomization.span(&["spec", "path"]);
                draft.unresolved.push(Unresolved { what: what.to_owned(), why, span, hides: Hidden::Objects });
            }
        }
    }
}

/// Whether an owner of `child`, however far up, builds the same folder of the same source, in whatever namespace the source is: a
/// target namespace renames the source along with the Kustomization, so that the names go on growing.
fn is_recursive(drafts: &BTreeMap<NodeKey, Draft>, child: &Kustomization, owner: Option<&NodeKey>) -> bool {
    let wanted = place(child);
    let mut seen = BTreeSet::new();
    let mut above = owner;
    while let Some((key, draft)) = above.and_then(|key| drafts.get_key_value(key)) {
        if !seen.insert(key) {
            return false;
        }
        let (source, folder) = place(&draft.kustomization);
        if (&source.kind, &source.name, &folder) == (&wanted.0.kind, &wanted.0.name, &wanted.1) {
            return true;
        }
        above = draft.manifests.first().and_then(|manifest| manifest.owner.as_ref());
    }
    false
}

fn place(kustomization: &Kustomization) -> (SourceRef, String) {
    let spec = &kustomization.spec;
    let source = SourceRef::new(&spec.source_ref, &kustomization.namespace);
    (source, normalize(spec.path.as_deref().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builds_of_one_cluster_spend_from_one_purse() {
        let mut spent = Spent::default();
        let whole = spent.left(1).expect("nothing is spent");
        assert_eq!(whole, Cost::BUILD);
        for _ in 0..4 {
            spent.add(Cost::BUILD);
        }
        let rest = spent.left(1).expect("something is left");
        assert!(rest.steps < Cost::BUILD.steps && rest.steps > 0, "{rest:?}");
        spent.add(Cost::BUILD);
        assert_eq!(spent.left(1), None);
        // More Kustomizations may take more.
        assert!(spent.left(10_000).is_some());
        assert!(excess(1).contains("more than 95 million steps"), "{}", excess(1));
    }
}
