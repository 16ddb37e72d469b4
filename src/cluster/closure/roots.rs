use std::collections::BTreeMap;

use super::draft::Draft;
use crate::{
    cluster::{Manifest, NodeKey},
    flux::{Controllers, FluxVersion, Kustomization, SourceRef, Sync},
    kustomize::{Kustomize, Object},
};

/// Entry points that form one cluster.
#[derive(Debug, Clone, Default)]
pub(in crate::cluster) struct Roots {
    /// The Kustomizations that exist before anything is reconciled.
    pub(in crate::cluster) kustomizations: Vec<Kustomization>,
    /// Whether the Flux Operator makes them.
    pub(in crate::cluster) is_synced: bool,
    /// Whether no file holds them.
    pub(in crate::cluster) is_generated: bool,
    /// Sources that are this repository.
    pub(in crate::cluster) own: Vec<SourceRef>,
    /// Further objects that exist then: sources.
    pub(in crate::cluster) objects: Vec<Object>,
    /// Whether no entry point leads to them. The root of a repository is not built for them: it would hold everything.
    pub(in crate::cluster) is_unreached: bool,
    /// Whether they are built by each other alone, so that none of them is an entry point.
    pub(in crate::cluster) is_circular: bool,
    /// The Flux release, where the entry point tells it.
    pub(in crate::cluster) version: Option<FluxVersion>,
    /// How the controllers are run, where the entry point tells it.
    pub(in crate::cluster) controllers: Option<Controllers>,
}

impl Roots {
    /// The entry point that the Flux Operator makes.
    pub(in crate::cluster) fn synced(sync: &Sync, kustomize: &Kustomize<'_>) -> Self {
        Self {
            kustomizations: vec![Kustomization::read(sync.kustomization.clone())],
            is_synced: true,
            is_generated: sync.is_hidden,
            objects: vec![sync.source.clone()],
            version: sync.version,
            controllers: Some(sync.controllers(kustomize)),
            ..Self::default()
        }
    }

    /// The nodes to begin with.
    pub(in crate::cluster) fn drafts(&self) -> BTreeMap<NodeKey, Draft> {
        let mut drafts: BTreeMap<NodeKey, Draft> = BTreeMap::new();
        for kustomization in &self.kustomizations {
            let key = NodeKey::new(kustomization.namespace.clone(), kustomization.name.clone());
            let manifest = Manifest { owner: None, resource_set: None, object: kustomization.object.clone() };
            match drafts.get_mut(&key) {
                Some(draft) => draft.manifests.push(manifest),
                None => {
                    let mut draft = Draft::new(kustomization.clone(), true, vec![manifest]);
                    draft.is_generated = self.is_generated;
                    drafts.insert(key, draft);
                }
            }
        }
        drafts
    }
}
