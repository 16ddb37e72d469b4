//! Follows Kustomizations to what they apply, round after round, until nothing new appears.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use rayon::prelude::*;
use smol_str::SmolStr;

use super::{Definition, Folder, NodeKey, ObjectKey, sources::Sources};
use crate::{
    flux::{
        Applied, Artifacts, FluxVersion, Inputs, Kustomization, Policy, SourceRef, Variables, Where,
        api::{KUSTOMIZE_GROUP, SubstituteReference},
        build, substitute, variable_sources,
    },
    kustomize::{Build, Hidden, Object, Unresolved},
    source::{Artifact, normalize},
    yaml,
};

/// Rounds after which the search stops. Each level of nesting takes one, each level of ConfigMaps with variables
/// another.
const ROUNDS: usize = 48;

/// A node in the making.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) kustomization: Kustomization,
    pub(super) is_entry: bool,
    pub(super) is_generated: bool,
    pub(super) definitions: Vec<Definition>,
    pub(super) folder: Folder,
    pub(super) applied: Arc<Applied>,
    pub(super) unresolved: Vec<Unresolved>,
    /// The build before substitution, and the variables it was last substituted with.
    raw: Option<Arc<Build>>,
    variables: Option<Variables>,
}

/// Everything the entry points lead to.
pub(super) struct Closure {
    pub(super) drafts: BTreeMap<NodeKey, Draft>,
    pub(super) version: Option<FluxVersion>,
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
    /// The Flux release, where the entry point tells it.
    pub(super) version: Option<FluxVersion>,
}

/// Computes the closure of `roots`.
pub(super) fn close(artifacts: &Artifacts<'_>, roots: &Roots) -> Closure {
    let assumed = artifacts.assumed_version();
    let fed = roots.kustomizations.iter().map(|entry| SourceRef::of(&entry.spec.source_ref, &entry.namespace));
    let own: Vec<SourceRef> =
        roots.own.iter().cloned().chain(fed.filter(|source| source.kind != "ExternalArtifact")).collect();
    let mut drafts: BTreeMap<NodeKey, Draft> = BTreeMap::new();
    for kustomization in &roots.kustomizations {
        let key = NodeKey::new(kustomization.namespace.clone(), kustomization.name.clone());
        let definition = Definition { owner: None, object: kustomization.object.clone() };
        match drafts.get_mut(&key) {
            Some(draft) => draft.definitions.push(definition),
            None => {
                let draft = Draft::new(kustomization.clone(), true, vec![definition]);
                drafts.insert(key, Draft { is_generated: roots.is_generated, ..draft });
            }
        }
    }
    let mut version = roots.version;
    for _ in 0..ROUNDS {
        let built = drafts.values().flat_map(|draft| &draft.applied.build.objects);
        let sources = Sources::new(artifacts, &own, roots.objects.iter().chain(built));
        version = version.or_else(|| told_version(&drafts));
        let strict = version.or(assumed).is_none_or(FluxVersion::has_strict_substitution);
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
        if !(adopt_children(&mut drafts) || changed) {
            break;
        }
    }
    Closure { drafts, version: version.or(assumed) }
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
            unresolved: Vec::new(),
            raw: None,
            variables: None,
        }
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
        let variables = Variables::gather(&self.kustomization, &|reference| {
            found.iter().find(|(known, _)| *known == reference).and_then(|(_, node)| node.as_ref())
        });
        let is_same = self.raw.is_some() && folder == self.folder && self.variables.as_ref() == Some(&variables);
        if is_same {
            return None;
        }
        let applied = substitute(&self.kustomization, &raw, &variables, strict);
        let missing: Vec<&SubstituteReference> =
            found.iter().filter(|(_, node)| node.is_none()).map(|(reference, _)| *reference).collect();
        let unresolved = unresolved(&self.kustomization, &applied, &folder, &missing);
        Some(Self {
            folder,
            applied: Arc::new(applied),
            unresolved,
            raw: Some(raw),
            variables: Some(variables),
            ..self.clone()
        })
    }
}

/// Finds the folder of a Kustomization and builds it.
fn build_folder(kustomization: &Kustomization, sources: &Sources<'_, '_>) -> (Build, Folder) {
    let spec = &kustomization.spec;
    let path = spec.path.as_deref().unwrap_or_default();
    if path.contains("${") {
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
        let other = artifact.file(&folder).map(|_| "a file");
        let similar = similar_folder(artifact, &folder);
        return (Build::default(), Folder::Missing { path: folder, other, similar, mapping });
    }
    let build = build(kustomization, Inputs { kustomize: &kustomize, folder: &folder });
    (build, if mapping.is_some() { Folder::Mapped(folder) } else { Folder::Here(folder) })
}

/// The folder whose path is most like `path`, if any is near.
fn similar_folder(artifact: &Artifact, path: &str) -> Option<String> {
    let near = |folder: &&str| strsim::normalized_damerau_levenshtein(folder, path) >= 0.8;
    let score = |folder: &&str| (strsim::normalized_damerau_levenshtein(folder, path) * 1e6) as u64;
    artifact.folders().filter(near).max_by_key(score).map(str::to_owned)
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
            why: "`spec.path` holds a variable that is set outside the repository".to_owned(),
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

type ConfigKey = (SmolStr, SmolStr, SmolStr);

/// The ConfigMaps and Secrets that some node applies: kind, namespace, name.
fn configs(drafts: &BTreeMap<NodeKey, Draft>) -> BTreeMap<ConfigKey, yaml::Node> {
    let mut configs = BTreeMap::new();
    for object in drafts.values().flat_map(|draft| &draft.applied.build.objects) {
        if object.node.find_str(&["apiVersion"]) != Some("v1") {
            continue;
        }
        if !matches!(object.node.find_str(&["kind"]), Some("ConfigMap" | "Secret")) {
            continue;
        }
        let id = object.id();
        configs.entry((id.kind, id.namespace.unwrap_or_default(), id.name)).or_insert_with(|| object.node.clone());
    }
    configs
}

fn told_version(drafts: &BTreeMap<NodeKey, Draft>) -> Option<FluxVersion> {
    drafts.values().flat_map(|draft| &draft.applied.build.objects).find_map(|object| FluxVersion::told_by(&object.node))
}

/// Takes in the Kustomizations that builds hold, and drops those that none holds any more. Tells whether anything
/// changed.
fn adopt_children(drafts: &mut BTreeMap<NodeKey, Draft>) -> bool {
    let mut children: BTreeMap<NodeKey, Vec<Definition>> = BTreeMap::new();
    for (owner, draft) in drafts.iter() {
        if draft.kustomization.spec.kube_config.is_some() {
            continue;
        }
        for object in &draft.applied.build.objects {
            if is_kustomization(object) && Policy::of(&object.node).applied {
                let id = object.id();
                let key = NodeKey::new(id.namespace.unwrap_or_default(), id.name);
                let definition = Definition { owner: Some(owner.clone()), object: object.clone() };
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

fn is_kustomization(object: &Object) -> bool {
    object.node.find_str(&["kind"]) == Some("Kustomization")
        && object.node.find_str(&["apiVersion"]).is_some_and(|version| version.starts_with(KUSTOMIZE_GROUP))
}

/// The objects a build applies, by key, less those that annotations exempt.
pub(super) fn applied_keys(applied: &Applied) -> impl Iterator<Item = (usize, ObjectKey)> {
    let objects = applied.build.objects.iter().enumerate();
    objects.filter(|(_, object)| Policy::of(&object.node).applied).map(|(index, object)| (index, object.id().into()))
}
