//! Follows Kustomizations to what they apply, round after round, until nothing new appears.

mod configs;
mod controllers;
mod draft;
pub(super) mod finish;
mod limits;
mod roots;
mod sources;

use std::collections::BTreeMap;

use rayon::prelude::*;
use smol_str::SmolStr;

use crate::{
    cluster::{Manifest, NodeKey, entries::origin::Origin, model::set_key},
    flux::{
        Artifacts, Controllers, FluxVersion, Kustomization,
        api::{SubstituteReference, kinds::HELM_RELEASE},
        is_kustomization,
    },
    kustomize::{Cost, Fault},
    source::{FileId, Span, join, normalize, parent},
};
use configs::configs;
use controllers::controllers;
pub(super) use draft::Draft;
use draft::applied_objects;
pub(super) use limits::FIRST;
use limits::{ClosureLimits, Spent, TOGETHER};
pub(super) use roots::Roots;
use sources::Sources;

/// Rounds after which the search stops. Each level of nesting takes one, each level of ConfigMaps with variables
/// another.
const ROUNDS: usize = 256;

/// Rounds without a new node after which the search stops: what is left goes to and fro.
const ROUNDS_WITHOUT_NEW: usize = 48;

/// Everything the entry points lead to.
pub(super) struct Closure {
    pub(super) drafts: BTreeMap<NodeKey, Draft>,
    pub(super) version: Option<FluxVersion>,
    /// Whether the repository tells it.
    pub(super) tells_version: bool,
    pub(super) controllers: Controllers,
}

impl Closure {
    /// The names of the HelmReleases in its builds.
    pub(super) fn releases(&self) -> impl Iterator<Item = SmolStr> {
        let objects = self.drafts.values().flat_map(Draft::local_objects).map(|object| object.id());
        objects.filter(|id| HELM_RELEASE.is(&id.group, &id.kind)).map(|id| id.name)
    }

    /// The files that its builds read.
    pub(super) fn files(&self) -> impl Iterator<Item = FileId> {
        let builds = self.drafts.values().map(|draft| &draft.applied.build);
        builds.flat_map(|build| {
            build.reads.files().into_iter().chain(build.objects.iter().map(|object| object.source.file))
        })
    }
}

/// Computes the closure of `roots`.
pub(super) fn close<'t>(artifacts: &Artifacts<'t>, origin: &Origin<'t>, roots: &Roots) -> Closure {
    let assumed = artifacts.assumed_version();
    let mut drafts = roots.drafts();
    let beside = version_beside(artifacts, roots);
    let mut version = roots.version;
    let mut growth = ClosureLimits::default();
    let mut spent = Spent::default();
    let mut since_new = 0;
    let mut is_settled = false;
    let mut known_instance = None;
    for _ in 0..ROUNDS {
        let built = drafts.values().flat_map(Draft::local_objects);
        let sources = Sources::new(artifacts, origin, &roots.own, roots.objects.iter().chain(built));
        version = version.or_else(|| told_version(&drafts));
        let how = controllers(artifacts, &drafts, roots.controllers.as_ref(), &mut known_instance);
        let strict = how.has_strict_substitution(version.or(beside).or(assumed));
        let configs = configs(&drafts);
        let find = |draft: &Draft, reference: &SubstituteReference| {
            let key =
                (SmolStr::new(&reference.kind), draft.kustomization.namespace.clone(), SmolStr::new(&reference.name));
            configs.get(&key).cloned()
        };
        let is_built = |draft: &Draft| {
            let path = draft.kustomization.spec.path.as_deref();
            !roots.is_unreached || path.is_some_and(|path| !normalize(path).is_empty())
        };
        let advance =
            |draft: &Draft, most: Cost| draft.advance(&sources, &|reference| find(draft, reference), strict, most);
        let advanced = advance_all(&drafts, &is_built, &advance, &mut spent);
        let changed = !advanced.is_empty();
        drafts.extend(advanced);
        let known = growth.adopted();
        if !(adopt_children(&mut drafts, &mut growth) || changed) {
            is_settled = true;
            break;
        }
        since_new = if growth.adopted() > known { 0 } else { since_new + 1 };
        if since_new > ROUNDS_WITHOUT_NEW {
            break;
        }
    }
    growth.tell(&mut drafts, is_settled);
    if roots.is_circular {
        for draft in drafts.values_mut() {
            draft.is_entry = false;
        }
    }
    let controllers = controllers(artifacts, &drafts, roots.controllers.as_ref(), &mut known_instance);
    Closure {
        drafts,
        version: version.or(beside).or(assumed),
        tells_version: version.or(beside).is_some(),
        controllers,
    }
}

/// One step of each node that has one to go, as long as there is something left to spend.
fn advance_all(
    drafts: &BTreeMap<NodeKey, Draft>,
    is_built: &dyn Fn(&Draft) -> bool,
    advance: &(dyn Fn(&Draft, Cost) -> Option<Draft> + Sync),
    spent: &mut Spent,
) -> Vec<(NodeKey, Draft)> {
    let waiting: Vec<(&NodeKey, &Draft)> = drafts.iter().filter(|(_, draft)| is_built(draft)).collect();
    let mut advanced = Vec::new();
    for together in waiting.chunks(TOGETHER) {
        let Some(left) = spent.left(drafts.len()) else {
            let left_out = |draft: &Draft| draft.left_out(limits::excess(drafts.len()), Fault::Limit);
            let open = together.iter().filter(|(_, draft)| draft.raw.is_none());
            advanced.extend(open.map(|(key, draft)| ((*key).clone(), left_out(draft))));
            continue;
        };
        let first = left.at_most(FIRST);
        let done: Vec<Option<Draft>> = together.par_iter().map(|(_, draft)| advance(draft, first)).collect();
        for ((key, draft), done) in together.iter().zip(done) {
            let Some(mut done) = done else { continue };
            spent.add(done.cost_since(draft));
            if done.applied.build.cost.exceeds(first)
                && let Some(left) = spent.left(drafts.len())
                && let Some(whole) = advance(draft, left)
            {
                spent.add(whole.cost_since(draft));
                done = whole;
            }
            advanced.push(((*key).clone(), done));
        }
    }
    advanced
}

/// The release that bootstrap wrote beside an entry point, where no build holds it: a kustomization file may leave it out, and it was
/// installed from there all the same.
fn version_beside(artifacts: &Artifacts<'_>, roots: &Roots) -> Option<FluxVersion> {
    let store = artifacts.store();
    let sources = roots.kustomizations.iter().map(|entry| entry.object.source).filter(|source| source.is_some());
    let components = |source: Span| {
        let folder = parent(store.tree().path(source.file));
        store.tree().file(&join(folder, "gotk-components.yaml")?)
    };
    let documents = |file| {
        let parsed = store.parse(file);
        parsed.documents.iter().find_map(|document| FluxVersion::told_by(&document.root))
    };
    sources.filter_map(components).find_map(documents)
}

fn told_version(drafts: &BTreeMap<NodeKey, Draft>) -> Option<FluxVersion> {
    drafts.values().flat_map(Draft::local_objects).find_map(|object| FluxVersion::told_by(&object.node))
}

/// Takes in the Kustomizations that builds hold, and drops those that none holds any more. Tells whether anything
/// changed.
fn adopt_children(drafts: &mut BTreeMap<NodeKey, Draft>, growth: &mut ClosureLimits) -> bool {
    growth.start_round();
    let mut children: BTreeMap<NodeKey, Vec<Manifest>> = BTreeMap::new();
    for (owner, draft) in drafts.iter() {
        if draft.kustomization.spec.is_remote() {
            continue;
        }
        let own = applied_objects(&draft.applied).map(|(_, object)| (object, None));
        let made = draft.resource_sets.iter().flat_map(|set| set.objects.iter().map(move |object| (object, Some(set))));
        for (object, set) in own.chain(made) {
            if is_kustomization(&object.node) {
                let id = object.id();
                let key = NodeKey::new(id.namespace.unwrap_or_default(), id.name);
                let resource_set = set.map(set_key);
                let manifest = Manifest { owner: Some(owner.clone()), resource_set, object: object.clone() };
                children.entry(key).or_default().push(manifest);
            }
        }
    }
    let before: Vec<NodeKey> = drafts.keys().cloned().collect();
    drafts.retain(|key, draft| draft.is_entry || children.contains_key(key));
    let mut changed = before.len() != drafts.len();
    for (key, mut manifests) in children {
        // A node that defines itself and another that defines it too: the other one comes first.
        manifests.sort_by_key(|manifest| manifest.owner.as_ref() == Some(&key));
        let Some(first) = manifests.first() else { continue };
        let Some(draft) = drafts.get_mut(&key) else {
            let kustomization = Kustomization::read(first.object.clone());
            if !growth.admits(drafts, &kustomization, first.owner.as_ref()) {
                continue;
            }
            drafts.insert(key, Draft::new(kustomization, false, manifests));
            changed = true;
            continue;
        };
        // What the cluster's own build says of an entry point is what will be in force.
        if draft.kustomization.object.node != first.object.node {
            if !growth.renews(draft, first.owner.as_ref()) {
                draft.manifests = manifests;
                continue;
            }
            let kustomization = Kustomization::read(first.object.clone());
            // Only what is read off the spec decides the build: a new place of the same text changes nothing.
            *draft = draft.renewed(kustomization, manifests);
            changed = true;
        } else {
            draft.manifests = manifests;
        }
    }
    changed
}
