//! Follows Kustomizations to what they apply, round after round, until nothing new appears.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use rayon::prelude::*;
use smol_str::SmolStr;

use super::{
    Definition, Folder, NodeKey, ObjectKey, configs::configs, controllers::controllers, growth::Growth, model::set_key,
    sources::Sources,
};
use crate::{
    flux::{
        Applied, Artifacts, Controllers, FluxVersion, Inputs, Kustomization, Policy, ResourceSet, SourceRef, Sync,
        Variables, Where,
        api::{SubstituteReference, kinds::EXTERNAL_ARTIFACT},
        build, expand_resource_sets, is_kustomization, is_open_text, substitute, variable_sources,
    },
    kustomize::{Build, Hidden, Kustomize, Object, Unresolved},
    source::{Artifact, names, normalize, parent},
    yaml,
};

/// Rounds after which the search stops. Each level of nesting takes one, each level of ConfigMaps with variables
/// another.
const ROUNDS: usize = 256;

/// Rounds without a new node after which the search stops: what is left goes to and fro.
const ROUNDS_WITHOUT_NEW: usize = 48;

/// A node in the making.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) kustomization: Kustomization,
    pub(super) is_entry: bool,
    pub(super) is_generated: bool,
    pub(super) definitions: Vec<Definition>,
    pub(super) folder: Folder,
    pub(super) applied: Arc<Applied>,
    pub(super) resource_sets: Arc<Vec<ResourceSet>>,
    pub(super) unresolved: Vec<Unresolved>,
    /// The build before substitution, and the variables it was last substituted with.
    pub(super) raw: Option<Arc<Build>>,
    variables: Option<Variables>,
    /// Whether that substitution was strict.
    strict: bool,
}

/// Everything the entry points lead to.
pub(super) struct Closure {
    pub(super) drafts: BTreeMap<NodeKey, Draft>,
    pub(super) version: Option<FluxVersion>,
    pub(super) controllers: Controllers,
}

/// Entry points that form one cluster.
#[derive(Debug, Clone, Default)]
pub(super) struct Roots {
    /// The Kustomizations that exist before anything is reconciled.
    pub(super) kustomizations: Vec<Kustomization>,
    /// Whether the Flux Operator makes them, so that no file holds them.
    pub(super) is_generated: bool,
    /// Sources that are this repository, beside those of the Kustomizations.
    pub(super) own: Vec<SourceRef>,
    /// Further objects that exist then: sources.
    pub(super) objects: Vec<Object>,
    /// Whether no entry point leads to them. The root of a repository is not built for them: it would hold everything.
    pub(super) is_unreached: bool,
    /// Whether they are built by each other alone, so that none of them is an entry point.
    pub(super) is_circular: bool,
    /// The Flux release, where the entry point tells it.
    pub(super) version: Option<FluxVersion>,
    /// How the controllers are run, where the entry point tells it.
    pub(super) controllers: Option<Controllers>,
}

/// Computes the closure of `roots`.
pub(super) fn close(artifacts: &Artifacts<'_>, roots: &Roots) -> Closure {
    let assumed = artifacts.assumed_version();
    let fed = roots.kustomizations.iter().map(|entry| SourceRef::of(&entry.spec.source_ref, &entry.namespace));
    let own: Vec<SourceRef> =
        roots.own.iter().cloned().chain(fed.filter(|source| !source.is(EXTERNAL_ARTIFACT))).collect();
    let mut drafts = roots.drafts();
    let mut version = roots.version;
    let mut growth = Growth::default();
    let mut since_new = 0;
    let mut is_settled = false;
    for _ in 0..ROUNDS {
        let built = drafts.values().flat_map(Draft::local_objects);
        let sources = Sources::new(artifacts, &own, roots.objects.iter().chain(built));
        version = version.or_else(|| told_version(&drafts));
        let how = controllers(artifacts, &drafts, roots.controllers.as_ref());
        let strict = how.has_strict_substitution(version.or(assumed));
        let configs = configs(&drafts);
        let find = |draft: &Draft, reference: &SubstituteReference| {
            let key =
                (SmolStr::new(&reference.kind), draft.kustomization.namespace.clone(), SmolStr::new(&reference.name));
            configs.get(&key).cloned()
        };
        let advanced: Vec<(NodeKey, Draft)> = drafts
            .par_iter()
            .filter_map(|(key, draft)| {
                if roots.is_unreached
                    && draft.kustomization.spec.path.as_deref().is_none_or(|path| normalize(path).is_empty())
                {
                    return None;
                }
                Some((key.clone(), draft.advance(&sources, &|reference| find(draft, reference), strict)?))
            })
            .collect();
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
    let controllers = controllers(artifacts, &drafts, roots.controllers.as_ref());
    Closure { drafts, version: version.or(assumed), controllers }
}

impl Roots {
    /// The entry point that the Flux Operator makes.
    pub(super) fn synced(sync: &Sync, kustomize: &Kustomize<'_>) -> Self {
        Self {
            kustomizations: vec![Kustomization::read(sync.kustomization.clone())],
            is_generated: sync.is_hidden,
            objects: vec![sync.source.clone()],
            version: sync.version,
            controllers: Some(sync.controllers(kustomize)),
            ..Self::default()
        }
    }

    /// The nodes to begin with.
    fn drafts(&self) -> BTreeMap<NodeKey, Draft> {
        let mut drafts: BTreeMap<NodeKey, Draft> = BTreeMap::new();
        for kustomization in &self.kustomizations {
            let key = NodeKey::new(kustomization.namespace.clone(), kustomization.name.clone());
            let definition = Definition { owner: None, resource_set: None, object: kustomization.object.clone() };
            match drafts.get_mut(&key) {
                Some(draft) => draft.definitions.push(definition),
                None => {
                    let draft = Draft::new(kustomization.clone(), true, vec![definition]);
                    drafts.insert(key, Draft { is_generated: self.is_generated, ..draft });
                }
            }
        }
        drafts
    }
}

impl Draft {
    fn new(kustomization: Kustomization, is_entry: bool, definitions: Vec<Definition>) -> Self {
        Self {
            kustomization,
            is_entry,
            is_generated: false,
            definitions,
            folder: Folder::Unknown,
            applied: Arc::default(),
            resource_sets: Arc::default(),
            unresolved: Vec::new(),
            raw: None,
            variables: None,
            strict: true,
        }
    }

    /// What it applies to the cluster it lives in, and what is made there of the ResourceSets among it.
    pub(super) fn local_objects(&self) -> impl Iterator<Item = &Object> {
        let is_local = !self.kustomization.spec.is_remote();
        self.applied.build.objects.iter().chain(self.made()).filter(move |_| is_local)
    }

    pub(super) fn made(&self) -> impl Iterator<Item = &Object> {
        self.resource_sets.iter().flat_map(|set| &set.objects)
    }

    /// One step further, where there is one to go.
    fn advance(
        &self,
        sources: &Sources<'_, '_>,
        find: &dyn Fn(&SubstituteReference) -> Option<yaml::Node>,
        strict: bool,
    ) -> Option<Self> {
        // A source that was unknown may have turned up in the meantime.
        let waits_for_source = matches!(self.folder, Folder::Elsewhere(_));
        let (raw, folder) = match &self.raw {
            Some(raw) if !waits_for_source => (Arc::clone(raw), self.folder.clone()),
            _ => {
                let (build, folder) = build_folder(&self.kustomization, sources);
                (Arc::new(build), folder)
            }
        };
        let found: Vec<(&SubstituteReference, Option<yaml::Node>)> =
            variable_sources(&self.kustomization).map(|(reference, _)| (reference, find(reference))).collect();
        // Strictness and the strategy came with the same release.
        let variables = Variables::gather(&self.kustomization, strict, &|reference| {
            found.iter().find(|(known, _)| *known == reference).and_then(|(_, node)| node.as_ref())
        });
        let is_same = self.raw.is_some()
            && folder == self.folder
            && self.strict == strict
            && self.variables.as_ref() == Some(&variables);
        if is_same {
            return None;
        }
        let applied = substitute(&self.kustomization, &raw, &variables, strict);
        let missing: Vec<&SubstituteReference> =
            found.iter().filter(|(_, node)| node.is_none()).map(|(reference, _)| *reference).collect();
        let resource_sets = expand_resource_sets(applied_objects(&applied).map(|(_, object)| object));
        let mut unresolved = unresolved(&self.kustomization, &applied, &folder, &missing);
        unresolved.extend(resource_sets.iter().flat_map(|set| set.unresolved.iter().cloned()));
        Some(Self {
            folder,
            applied: Arc::new(applied),
            resource_sets: Arc::new(resource_sets),
            unresolved,
            raw: Some(raw),
            variables: Some(variables),
            strict,
            ..self.clone()
        })
    }
}

/// Finds the folder of a Kustomization and builds it.
fn build_folder(kustomization: &Kustomization, sources: &Sources<'_, '_>) -> (Build, Folder) {
    let spec = &kustomization.spec;
    let path = spec.path.as_deref().unwrap_or_default();
    let written = kustomization.object.node.find(&["spec", "path"]);
    let is_text = written.is_none_or(|path| path.is_null() || path.as_str().is_some());
    if is_open_text(path) || !is_text {
        return (Build::default(), Folder::Unknown);
    }
    let source = SourceRef::of(&spec.source_ref, &kustomization.namespace);
    let (kustomize, mapping) = match sources.find(&source) {
        Where::Here(kustomize) => (kustomize, None),
        Where::Mapped { kustomize, written } => (kustomize, Some(written)),
        Where::Elsewhere(why) => return (Build::default(), Folder::Elsewhere(why)),
    };
    let folder = normalize(path);
    let artifact = kustomize.artifact();
    if !artifact.is_folder(&folder) {
        if let Some(why) = sources.filled_from(&source, &folder).filter(|_| mapping.is_none()) {
            return (Build::default(), Folder::Elsewhere(why));
        }
        let other = artifact.file(&folder).map(|_| "a file");
        let similar = similar_folder(artifact, &folder);
        return (Build::default(), Folder::Missing { path: folder, other, similar, mapping });
    }
    let build = build(kustomization, Inputs { kustomize: &kustomize, folder: &folder });
    (build, if mapping.is_some() { Folder::Mapped(folder) } else { Folder::Here(folder) })
}

/// Most neighbours that a missing folder is compared with.
const NEIGHBOURS: usize = 1000;

/// The folder that `path` means, if one of its parts is misspelt: the most alike of those that differ in that part.
fn similar_folder(artifact: &Artifact, path: &str) -> Option<String> {
    let ends = path.char_indices().filter(|(_, letter)| *letter == '/').map(|(at, _)| at).chain([path.len()]);
    let end = ends.into_iter().find(|end| !artifact.is_folder(&path[..*end]))?;
    let start = path[..end].rfind('/').map_or(0, |slash| slash + 1);
    let beside = parent(&path[..end]);
    if artifact.names(beside).nth(NEIGHBOURS).is_some() {
        return None;
    }
    let part = &path[start..end];
    let with = |name: &str| format!("{}{name}{}", &path[..start], &path[end..]);
    names::nearest_of_all(part, artifact.names(beside).filter(|name| artifact.is_folder(&with(name)))).map(with)
}

fn unresolved(
    kustomization: &Kustomization,
    applied: &Applied,
    folder: &Folder,
    missing: &[&SubstituteReference],
) -> Vec<Unresolved> {
    let mut all = applied.build.unresolved.clone();
    for (problem, span) in &kustomization.problems {
        all.push(Unresolved {
            what: problem.clone(),
            why: "the field does not fit its type".to_owned(),
            span: *span,
            hides: Hidden::Values,
        });
    }
    match folder {
        Folder::Elsewhere(why) => all.push(Unresolved {
            what: "its manifests".to_owned(),
            why: why.clone(),
            span: kustomization.span(&["spec", "sourceRef"]),
            hides: Hidden::Objects,
        }),
        Folder::Unknown => all.push(Unresolved {
            what: "its manifests".to_owned(),
            why: "`spec.path` holds a variable that is set outside the repository, or is no text".to_owned(),
            span: kustomization.span(&["spec", "path"]),
            hides: Hidden::Objects,
        }),
        Folder::Here(_) | Folder::Mapped(_) | Folder::Missing { .. } => {}
    }
    let mut seen = BTreeSet::new();
    for (name, span) in &applied.unknown_variables {
        if seen.insert(name) {
            let from: Vec<String> =
                missing.iter().map(|reference| format!("{} {}", reference.kind, reference.name)).collect();
            let why = if from.is_empty() {
                "its value is encrypted".to_owned()
            } else {
                format!("it may be set in {}, which no file of this repository defines", from.join(" or "))
            };
            all.push(Unresolved { what: format!("the variable `{name}`"), why, span: *span, hides: Hidden::Values });
        }
    }
    all
}

fn told_version(drafts: &BTreeMap<NodeKey, Draft>) -> Option<FluxVersion> {
    drafts.values().flat_map(Draft::local_objects).find_map(|object| FluxVersion::told_by(&object.node))
}

/// Takes in the Kustomizations that builds hold, and drops those that none holds any more. Tells whether anything
/// changed.
fn adopt_children(drafts: &mut BTreeMap<NodeKey, Draft>, growth: &mut Growth) -> bool {
    growth.start_round();
    let mut children: BTreeMap<NodeKey, Vec<Definition>> = BTreeMap::new();
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
                let definition = Definition { owner: Some(owner.clone()), resource_set, object: object.clone() };
                children.entry(key).or_default().push(definition);
            }
        }
    }
    let before: Vec<NodeKey> = drafts.keys().cloned().collect();
    drafts.retain(|key, draft| draft.is_entry || children.contains_key(key));
    let mut changed = before.len() != drafts.len();
    for (key, mut definitions) in children {
        // A node that defines itself and another that defines it too: the other one comes first.
        definitions.sort_by_key(|definition| definition.owner.as_ref() == Some(&key));
        let Some(first) = definitions.first() else { continue };
        let Some(draft) = drafts.get_mut(&key) else {
            let kustomization = Kustomization::read(first.object.clone());
            if !growth.admits(drafts, &kustomization, first.owner.as_ref()) {
                continue;
            }
            drafts.insert(key, Draft::new(kustomization, false, definitions));
            changed = true;
            continue;
        };
        // What the cluster's own build says of an entry point is what will be in force.
        if draft.kustomization.object.node != first.object.node {
            let kustomization = Kustomization::read(first.object.clone());
            // Only what is read off the spec decides the build: a new place of the same text changes nothing.
            *draft = Draft::new(kustomization, draft.is_entry, definitions);
            changed = true;
        } else {
            draft.definitions = definitions;
        }
    }
    changed
}

/// The objects a build applies, by key, less those that annotations exempt.
pub(super) fn applied_keys(applied: &Applied) -> impl Iterator<Item = (usize, ObjectKey)> {
    applied_objects(applied).map(|(index, object)| (index, object.id().into()))
}

fn applied_objects(applied: &Applied) -> impl Iterator<Item = (usize, &Object)> {
    applied.build.objects.iter().enumerate().filter(|(_, object)| Policy::of(&object.node).applied)
}
