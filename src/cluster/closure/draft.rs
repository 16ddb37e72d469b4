//! A Kustomization on its way into the closure.

use std::{collections::BTreeSet, sync::Arc};

use super::sources::Sources;
use crate::{
    cluster::{Folder, Manifest, ObjectKey},
    flux::{
        Applied, Inputs, Kustomization, Policy, ResourceSet, SourceLocation, SourceRef, Variables,
        api::SubstituteReference, build, expand_resource_sets, is_open_text, substitute, variable_sources,
    },
    kustomize::{Build, Cost, Error, Fault, Hidden, Object, Unresolved, caught},
    source::{Artifact, names, normalize, parent},
    yaml,
};

/// What looking at a node once costs, whatever it builds.
const STEP: Cost = Cost { steps: 1_000, nodes: 0, bytes: 0 };

/// A node in the making.
#[derive(Debug, Clone)]
pub(in crate::cluster) struct Draft {
    pub(in crate::cluster) kustomization: Kustomization,
    pub(in crate::cluster) is_entry: bool,
    pub(in crate::cluster) is_generated: bool,
    pub(in crate::cluster) manifests: Vec<Manifest>,
    pub(in crate::cluster) folder: Folder,
    pub(in crate::cluster) applied: Arc<Applied>,
    pub(in crate::cluster) resource_sets: Arc<Vec<ResourceSet>>,
    pub(in crate::cluster) unresolved: Vec<Unresolved>,
    /// The build before substitution, and the variables it was last substituted with.
    pub(in crate::cluster) raw: Option<Arc<Build>>,
    variables: Option<Variables>,
    /// Whether that substitution was strict.
    strict: bool,
    /// How often it was begun anew, since what makes it changed.
    pub(in crate::cluster) renewals: usize,
    /// Whether it is not built at all.
    is_left_out: bool,
}

impl Draft {
    pub(in crate::cluster) fn new(kustomization: Kustomization, is_entry: bool, manifests: Vec<Manifest>) -> Self {
        Self {
            kustomization,
            is_entry,
            is_generated: false,
            manifests,
            folder: Folder::Unknown,
            applied: Arc::default(),
            resource_sets: Arc::default(),
            unresolved: Vec::new(),
            raw: None,
            variables: None,
            strict: true,
            renewals: 0,
            is_left_out: false,
        }
    }

    /// Begun anew for another manifest of it.
    pub(in crate::cluster) fn renewed(&self, kustomization: Kustomization, manifests: Vec<Manifest>) -> Self {
        Self { renewals: self.renewals + 1, ..Self::new(kustomization, self.is_entry, manifests) }
    }

    /// What it applies to the cluster it lives in, and what is made there of the ResourceSets among it.
    pub(in crate::cluster) fn local_objects(&self) -> impl Iterator<Item = &Object> {
        let is_local = !self.kustomization.spec.is_remote();
        self.applied.build.objects.iter().chain(self.made()).filter(move |_| is_local)
    }

    pub(in crate::cluster) fn made(&self) -> impl Iterator<Item = &Object> {
        self.resource_sets.iter().flat_map(|set| &set.objects)
    }

    /// What it took to come here from `before`.
    pub(in crate::cluster) fn cost_since(&self, before: &Self) -> Cost {
        let is_same = |raw: &Arc<Build>| before.raw.as_ref().is_some_and(|before| Arc::ptr_eq(raw, before));
        let known = self.raw.as_ref().filter(|raw| is_same(raw)).map_or_else(Cost::default, |raw| raw.cost);
        self.applied.build.cost.less(known).and(STEP)
    }

    /// Itself, its build left out for the reason given.
    pub(in crate::cluster) fn left_out(&self, message: String, fault: Fault) -> Self {
        let span = self.kustomization.span(&["spec", "path"]);
        let error = Error { message, span, related: Vec::new(), twice: None, fault };
        let build = Build { errors: vec![error], ..Build::default() };
        let applied = Applied { build: build.clone(), ..Applied::default() };
        Self { raw: Some(Arc::new(build)), applied: Arc::new(applied), is_left_out: true, ..self.clone() }
    }

    /// One step further, where there is one to go. A bug of ours that strikes here is an error of this build, and the others go
    /// on.
    pub(in crate::cluster) fn advance(
        &self,
        sources: &Sources<'_, '_>,
        find: &dyn Fn(&SubstituteReference) -> Option<yaml::Node>,
        strict: bool,
        most: Cost,
    ) -> Option<Self> {
        if self.is_left_out {
            return None;
        }
        let advanced = caught(|| self.step(sources, find, strict, most));
        advanced.unwrap_or_else(|bug| Some(self.left_out(bug, Fault::Bug)))
    }

    fn step(
        &self,
        sources: &Sources<'_, '_>,
        find: &dyn Fn(&SubstituteReference) -> Option<yaml::Node>,
        strict: bool,
        most: Cost,
    ) -> Option<Self> {
        // A source that was unknown may have turned up in the meantime.
        let waits_for_source = matches!(self.folder, Folder::Elsewhere(_));
        let (raw, folder) = match &self.raw {
            Some(raw) if !waits_for_source => (Arc::clone(raw), self.folder.clone()),
            _ => {
                let (build, folder) = build_folder(&self.kustomization, sources, most);
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
        let applied = substitute(&self.kustomization, &raw, &variables, strict, most);
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
fn build_folder(kustomization: &Kustomization, sources: &Sources<'_, '_>, most: Cost) -> (Build, Folder) {
    let spec = &kustomization.spec;
    let path = spec.path.as_deref().unwrap_or_default();
    let written = kustomization.object.node.find(&["spec", "path"]);
    let is_text = written.is_none_or(|path| path.is_null() || path.as_str().is_some());
    if is_open_text(path) || !is_text {
        return (Build::default(), Folder::Unknown);
    }
    let source = SourceRef::new(&spec.source_ref, &kustomization.namespace);
    let (kustomize, mapping) = match sources.find(&source) {
        SourceLocation::Here(kustomize) => (kustomize, None),
        SourceLocation::Mapped { kustomize, written } => (kustomize, Some(written)),
        SourceLocation::Elsewhere(why) => return (Build::default(), Folder::Elsewhere(why)),
    };
    let folder = normalize(path);
    let artifact = kustomize.artifact();
    if artifact.is_cut() {
        let why = "its source leaves files out by more rules than are followed, in `.sourceignore` or `spec.ignore`";
        return (Build::default(), Folder::Elsewhere(why.to_owned()));
    }
    if !artifact.is_folder(&folder) {
        if let Some(why) = sources.filled_from(&source, &folder).filter(|_| mapping.is_none()) {
            return (Build::default(), Folder::Elsewhere(why));
        }
        let other = artifact.file(&folder).map(|_| "a file");
        let similar = similar_folder(artifact, &folder);
        return (Build::default(), Folder::Missing { path: folder, other, similar, mapping });
    }
    let build = build(kustomization, Inputs { most, kustomize: &kustomize, folder: &folder });
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

/// The objects a build applies, by key, less those that annotations exempt.
pub(in crate::cluster) fn applied_keys(applied: &Applied) -> impl Iterator<Item = (usize, ObjectKey)> {
    applied_objects(applied).map(|(index, object)| (index, object.id().into()))
}

pub(in crate::cluster) fn applied_objects(applied: &Applied) -> impl Iterator<Item = (usize, &Object)> {
    applied.build.objects.iter().enumerate().filter(|(_, object)| Policy::new(&object.node).applied)
}
