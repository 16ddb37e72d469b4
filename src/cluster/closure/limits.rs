//! Bounds on how many Kustomizations are followed, so that folders that go on building themselves come to an end.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::Draft;
use crate::{
    cluster::NodeKey,
    flux::{Kustomization, SourceRef},
    kustomize::{Hidden, Unresolved},
    source::normalize,
};

/// Most Kustomizations of one cluster.
const NODES: usize = 30_000;

/// Most Kustomizations of one cluster that build a folder which one of their owners builds already, under another name.
const RECURSIONS: usize = 32;

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

/// Whether an owner of `child`, however far up, builds the same folder of the same source.
fn is_recursive(drafts: &BTreeMap<NodeKey, Draft>, child: &Kustomization, owner: Option<&NodeKey>) -> bool {
    let wanted = place(child);
    let mut seen = BTreeSet::new();
    let mut above = owner;
    while let Some((key, draft)) = above.and_then(|key| drafts.get_key_value(key)) {
        if !seen.insert(key) {
            return false;
        }
        if place(&draft.kustomization) == wanted {
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
