//! Which kinds belong to a namespace, as far as a repository and what is known of the world show.

use rustc_hash::FxHashMap;

use crate::{
    catalog::CrdCatalog,
    cluster::Cluster,
    finding::Confidence,
    flux::api::{OPERATOR_GROUP, kinds},
};

/// How the API groups of Flux's controllers end. All of their kinds belong to a namespace.
const TOOLKIT: &str = ".toolkit.fluxcd.io";

/// The scopes of kinds in one cluster.
pub(super) struct Scopes<'c> {
    /// Group and kind of the CRDs in builds, and whether their objects belong to a namespace; `None` where two of them differ.
    crds: FxHashMap<(&'c str, &'c str), Option<bool>>,
}

impl<'c> Scopes<'c> {
    pub(super) fn new(cluster: &'c Cluster) -> Self {
        let mut crds = FxHashMap::default();
        let providers = cluster.objects.iter().filter(|(key, _)| key.is(kinds::CRD)).flat_map(|(_, all)| all);
        for provider in providers {
            let Some(spec) = cluster.object(*provider).node.get("spec") else { continue };
            let (group, kind) = (spec.find_str(&["group"]), spec.find_str(&["names", "kind"]));
            let scope = match spec.find_str(&["scope"]) {
                Some("Namespaced") => Some(true),
                Some("Cluster") => Some(false),
                _ => None,
            };
            if let (Some(group), Some(kind)) = (group, kind) {
                let known = crds.entry((group, kind)).or_insert(scope);
                *known = known.filter(|known| Some(*known) == scope);
            }
        }
        Self { crds }
    }

    /// How sure it is that objects of the kind belong to a namespace; `None` where they do not, or nothing tells.
    pub(super) fn namespaced(&self, group: &str, kind: &str) -> Option<Confidence> {
        if let Some(is_namespaced) =
            kinds::is_namespaced(group, kind).or_else(|| self.crds.get(&(group, kind)).copied()?)
        {
            return is_namespaced.then_some(Confidence::High);
        }
        if group.ends_with(TOOLKIT) || group == OPERATOR_GROUP {
            return Some(Confidence::High);
        }
        let row = CrdCatalog::builtin().owner(group, kind)?;
        row.namespaced.iter().any(|known| known == kind).then_some(Confidence::Medium)
    }
}
