//! What is there before Flux runs, as far as the scripts, machine configurations and READMEs of the repository show.
//!
//! All of them are read once, into a set of facts, those at least in which one automaton finds anything that may be asked for.
//! The names in them are the keys of the facts, so a question is a look-up.

mod commands;
mod names;
mod namespaces;
mod needles;
mod objects;
mod places;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, OnceLock},
};

use rayon::prelude::*;
use rustc_hash::FxHashSet;
use smol_str::SmolStr;

pub use self::namespaces::{NamespaceTexts, has_word, makes_namespaces};

use self::{
    commands::Commands,
    names::Names,
    needles::Needles,
    places::{Place, Role},
};
use super::ObjectKey;
use crate::{
    catalog::CrdOwner,
    flux::{Artifacts, Reading, Selection, is_open_text, reads_as},
    kustomize::Hidden,
    source::{FileId, Tree, is_yaml, parent},
    yaml::Store,
};

/// What the files of a repository install before Flux does.
#[derive(Debug, Clone, Default)]
pub(super) struct Bootstrap(Arc<Facts>);

#[derive(Debug, Default)]
struct Facts {
    names: Names,
    /// Objects that scripts, templates and commands make, by kind and name; those whose name holds a variable under the
    /// kind alone.
    made: BTreeMap<(SmolStr, SmolStr), Vec<Maker>>,
    /// Files that are applied by their name.
    files: FxHashSet<FileId>,
    /// Objects of the folders that are applied.
    objects: BTreeSet<ObjectKey>,
    /// What they say of namespaces.
    namespaces: OnceLock<NamespaceTexts>,
}

/// An object that is made before Flux runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Maker {
    kind: SmolStr,
    /// Its namespace, where that is written.
    namespace: Option<SmolStr>,
    name: SmolStr,
    /// The name of the file that makes it, less what marks it as a template.
    stem: SmolStr,
}

/// What one file says.
#[derive(Debug, Default)]
struct Found {
    names: Names,
    made: Vec<Maker>,
    files: Vec<FileId>,
    folders: Vec<String>,
}

/// A file that may say what is there before Flux runs.
struct Text<'t> {
    place: Place<'t>,
    bytes: &'t [u8],
}

/// Files above this size are no scripts.
const LARGEST: usize = 1 << 20;

/// Below so many bytes in all, reading every file takes less time than making the automaton.
const WORTH_FILTERING: usize = 256 << 10;

impl<'t> Text<'t> {
    fn of(tree: &'t Tree, file: FileId) -> Option<Self> {
        let place = Place::of(tree.path(file))?;
        let bytes = tree.bytes(file).ok().filter(|bytes| bytes.len() <= LARGEST)?;
        Some(Self { place, bytes })
    }
}

impl Bootstrap {
    /// Reads the files beside the builds. `used` are those that Flux builds from: they are what comes later. `releases` are
    /// names of HelmReleases.
    pub(super) fn read<'n>(
        store: &Store,
        artifacts: &Artifacts<'_>,
        root: &str,
        used: &FxHashSet<FileId>,
        releases: impl Iterator<Item = &'n str>,
    ) -> Self {
        let tree = store.tree();
        let folders = folders_of(tree);
        let texts: Vec<Text<'_>> =
            tree.files().filter(|file| !used.contains(file)).filter_map(|file| Text::of(tree, file)).collect();
        let size: usize = texts.iter().map(|text| text.bytes.len()).sum();
        let needles = if size < WORTH_FILTERING { Needles::none() } else { Needles::new(releases) };
        let found = texts.par_iter().filter_map(|text| {
            // The name of a file may be that of a CRD.
            if !needles.are_in(text.bytes) && !text.place.is_named_after_crd() {
                return None;
            }
            Some(read(tree, &folders, &text.place, std::str::from_utf8(text.bytes).ok()?))
        });
        let mut facts = Facts::default();
        let mut applied = BTreeSet::new();
        for found in found.collect::<Vec<_>>() {
            facts.names.merge(found.names);
            facts.files.extend(found.files);
            applied.extend(found.folders);
            for maker in found.made {
                let name = if is_open(&maker.name) { SmolStr::default() } else { maker.name.clone() };
                facts.made.entry((maker.kind.clone(), name)).or_default().push(maker);
            }
        }
        for folder in applied {
            facts.apply(store, artifacts, root, &folder);
        }
        facts.apply_files(store);
        Self(Arc::new(facts))
    }

    /// Whether some such file names the chart.
    pub(super) fn installs(&self, chart: &str) -> bool {
        self.0.names.has_chart(chart)
    }

    /// Whether some such file installs the CRD of `kind`, whose row of the catalogue is `row`: by a chart of that row, by a
    /// manifest of its project, or by name.
    pub(super) fn installs_crd(&self, group: &str, kind: &str, row: Option<&CrdOwner>) -> bool {
        let facts = &*self.0;
        facts.names.has_crd(group, kind)
            || row.is_some_and(|row| {
                row.all_charts().any(|chart| self.installs(chart))
                    || row.projects().any(|project| facts.names.has_manifest_of(project))
            })
    }

    /// Whether an object is there before Flux runs. `files` are those of the builds that hold it, by name.
    pub(super) fn makes(&self, key: &ObjectKey, files: &[&str]) -> bool {
        let facts = &*self.0;
        let exact = || facts.made.get(&(key.kind.clone(), key.name.clone()));
        let open = || facts.made.get(&(key.kind.clone(), SmolStr::default()));
        let is_it = |maker: &Maker| {
            // A template of the very file is the file before it was filled in.
            reads_as(&maker.name, &key.name) >= Reading::Fits
                && maker.is_in(&key.namespace)
                && !files.contains(&maker.stem.as_str())
        };
        facts.objects.contains(key) || exact().into_iter().chain(open()).flatten().any(is_it)
    }

    /// What the files of the repository say of namespaces. `store` is that of the repository.
    pub(super) fn namespaces(&self, store: &Store) -> &NamespaceTexts {
        self.0.namespaces.get_or_init(|| NamespaceTexts::read(store))
    }

    /// Whether a file is applied by its name before Flux runs.
    pub(super) fn applies(&self, file: FileId) -> bool {
        self.0.files.contains(&file)
    }
}

impl Maker {
    fn is_in(&self, namespace: &str) -> bool {
        self.namespace
            .as_deref()
            .is_none_or(|own| own.is_empty() || namespace.is_empty() || reads_as(own, namespace) != Reading::No)
    }
}

impl Facts {
    /// Takes in what a folder builds: `kubectl apply -k`.
    fn apply(&mut self, store: &Store, artifacts: &Artifacts<'_>, root: &str, folder: &str) {
        let inner = if root.is_empty() {
            Some(folder)
        } else {
            folder.strip_prefix(root).map(|rest| rest.trim_start_matches('/'))
        };
        let kustomize = artifacts.git(&Selection::default());
        let Some(inner) = inner.filter(|inner| kustomize.kustomization_node(inner).is_some()) else {
            let below = format!("{folder}/");
            let tree = store.tree();
            let is_inside = |file: &FileId| {
                let rest = tree.path(*file).strip_prefix(&below);
                rest.is_some_and(|rest| !rest.contains('/') && is_yaml(rest))
            };
            self.files.extend(tree.files().filter(is_inside));
            return;
        };
        let build = kustomize.build(inner, None);
        self.objects.extend(build.objects.iter().map(|object| ObjectKey::from(object.id())));
        for part in &build.unresolved {
            if let Hidden::Remote(url) = &part.hides {
                self.names.add_manifest(url);
            }
        }
    }

    /// Takes in what the files hold that are applied by name.
    fn apply_files(&mut self, store: &Store) {
        let files: BTreeSet<FileId> = self.files.iter().copied().collect();
        for file in files {
            for document in &store.parse(file).documents {
                let text = |keys: &[&str]| document.root.find_str(keys).map(SmolStr::new);
                let (kind, name) = (text(&["kind"]), text(&["metadata", "name"]));
                let (Some(kind), Some(name)) = (kind, name) else { continue };
                if kind == "CustomResourceDefinition" {
                    self.names.add_dotted(&name);
                }
                let namespace = text(&["metadata", "namespace"]);
                let key = if is_open(&name) { SmolStr::default() } else { name.clone() };
                let maker = Maker { kind: kind.clone(), namespace, name, stem: SmolStr::default() };
                self.made.entry((kind, key)).or_default().push(maker);
            }
        }
    }
}

fn is_open(text: &str) -> bool {
    is_open_text(text) || text.contains("{{")
}

/// Every folder of a tree.
fn folders_of(tree: &Tree) -> FxHashSet<&str> {
    let mut folders = FxHashSet::default();
    for file in tree.files() {
        let mut folder = parent(tree.path(file));
        while !folder.is_empty() && folders.insert(folder) {
            folder = parent(folder);
        }
    }
    folders
}

/// What a file says.
fn read<'t>(tree: &'t Tree, folders: &FxHashSet<&'t str>, place: &Place<'t>, text: &str) -> Found {
    let mut found = Found::default();
    let has_kubectl = text.contains("kubectl");
    let is_prose = place.role == Role::Prose;
    if place.role != Role::Template && (!is_prose || has_kubectl) {
        let has_words = match place.role {
            Role::Setup => !is_flux_manifest(place, text),
            Role::Script => text.contains("helm"),
            Role::Prose | Role::Template => false,
        };
        found.names.read(text, has_words, is_prose);
        names::read_path(&mut found.names, place);
        Commands { tree, place, found: &mut found, folders }.read(text);
    }
    if !is_prose || has_kubectl {
        objects::read(text, place, &mut found.made);
    }
    found
}

/// Whether a file is a manifest that Flux reads: what it names comes later.
fn is_flux_manifest(place: &Place<'_>, text: &str) -> bool {
    const KINDS: [&str; 3] = ["kind: HelmRelease", "kind: OCIRepository", "kind: HelmRepository"];
    text.contains(KINDS[0]) || (is_yaml(place.path) && KINDS.iter().any(|kind| text.contains(kind)))
}

#[cfg(test)]
mod tests;
