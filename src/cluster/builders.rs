//! Which Kustomizations are built from a file.

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Cluster, Folder, Node, NodeId};
use crate::{
    flux::api::kinds::EXTERNAL_ARTIFACT,
    kustomize::{Kustomize, Object},
    source::{FileId, Tree, join, parent},
    yaml::{self, Store, Value},
};

/// What files have to do with a Kustomization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Use {
    /// They define it: its spec changes with them.
    pub defines: bool,
    /// They hold, or decide something of, this many of the objects it applies.
    pub objects: usize,
    /// Its build reads them: kustomization files, patches, files of generators.
    pub reads: bool,
}

impl Use {
    const fn is_any(self) -> bool {
        self.defines || self.objects > 0 || self.reads
    }
}

/// The Kustomizations of `cluster` that any of `files` matters to, in the order of the cluster.
#[must_use]
pub fn builders(store: &Store, cluster: &Cluster, files: &FxHashSet<FileId>) -> Vec<(NodeId, Use)> {
    let mut readers = Readers::new(store, files);
    let is_made = |object: &Object| is_decided_by(object, files);
    let of = |readers: &mut Readers<'_>, node: &Node| {
        let own = &node.applied.build.objects;
        let made = node.resource_sets.iter().flat_map(|set| &set.objects);
        Use {
            defines: node.definitions.iter().any(|definition| is_made(&definition.object)),
            objects: own.iter().chain(made).filter(|object| is_made(object)).count(),
            reads: readers.node(node),
        }
    };
    let uses = cluster.nodes().map(|(id, node)| (id, of(&mut readers, node)));
    uses.filter(|(_, of)| of.is_any()).collect()
}

/// Whether any text of `files` made or changed the object.
#[must_use]
pub fn is_decided_by(object: &Object, files: &FxHashSet<FileId>) -> bool {
    files.contains(&object.source.file)
        || object.changes.iter().any(|change| files.contains(&change.at.file))
        || holds(&object.node, files)
}

fn holds(node: &yaml::Node, files: &FxHashSet<FileId>) -> bool {
    files.contains(&node.span.file)
        || match &node.value {
            Value::Map(map) => map.entries().iter().any(|entry| holds(&entry.value, files)),
            Value::Seq(items) => items.iter().any(|item| holds(item, files)),
            _ => false,
        }
}

/// Fields of kustomization files that name files or folders, at whatever depth.
const PATHS: &[&str] = &[
    "resources",
    "bases",
    "components",
    "crds",
    "configurations",
    "generators",
    "transformers",
    "validators",
    "patchesStrategicMerge",
    "patchesJson6902",
    "patches",
    "replacements",
    "configMapGenerator",
    "secretGenerator",
    "openapi",
    "helmCharts",
];

/// Whether the build of a folder reads one of some files: what its kustomization file names, bases and components
/// included; without one, the folders below that have one (fluxcd/pkg kustomize, `scanManifests`).
struct Readers<'a> {
    store: &'a Store,
    files: &'a FxHashSet<FileId>,
    /// Every folder with a kustomization file, sorted.
    kustomizations: Vec<String>,
    known: FxHashMap<String, bool>,
}

impl<'a> Readers<'a> {
    fn new(store: &'a Store, files: &'a FxHashSet<FileId>) -> Self {
        let tree = store.tree();
        let is_kustomization = |path: &&str| Kustomize::is_kustomization_file(path.rsplit('/').next().unwrap_or(path));
        let paths = tree.all_files().map(|file| tree.path(file)).filter(is_kustomization);
        let mut kustomizations: Vec<String> = paths.map(|path| parent(path).to_owned()).collect();
        kustomizations.sort_unstable();
        kustomizations.dedup();
        Self { store, files, kustomizations, known: FxHashMap::default() }
    }

    fn node(&mut self, node: &Node) -> bool {
        let spans = node
            .applied
            .build
            .errors
            .iter()
            .flat_map(|error| error.related.iter().map(|(span, _)| *span).chain([error.span]));
        if spans.into_iter().any(|span| self.files.contains(&span.file)) {
            return true;
        }
        let Folder::Here(folder) = &node.folder else { return false };
        if node.kustomization.spec.source_ref.is(EXTERNAL_ARTIFACT) {
            // Its folders are not those of the repository.
            return false;
        }
        let components = node.kustomization.spec.components.iter();
        let components: Vec<String> = components.filter_map(|path| join(folder, path)).collect();
        self.folder(folder, true) || components.iter().any(|path| self.folder(path, true))
    }

    fn folder(&mut self, folder: &str, is_root: bool) -> bool {
        if let Some(known) = self.known.get(folder) {
            return *known;
        }
        // A loop of bases ends here.
        self.known.insert(folder.to_owned(), false);
        let reads = match self.kustomization_file(folder) {
            Some(file) => self.files.contains(&file) || self.named(folder, file),
            None if is_root => self.below(folder),
            None => false,
        };
        self.known.insert(folder.to_owned(), reads);
        reads
    }

    fn kustomization_file(&self, folder: &str) -> Option<FileId> {
        let names = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
        let mut names = names.iter().filter(|name| Kustomize::is_kustomization_file(name));
        names.find_map(|name| self.tree().file(&join(folder, name)?))
    }

    fn named(&mut self, folder: &str, file: FileId) -> bool {
        let Some(document) = self.store.parse(file).documents.first() else { return false };
        let mut texts = Vec::new();
        for entry in document.root.entries().filter(|entry| PATHS.contains(&entry.key.as_str())) {
            scalars(&entry.value, &mut texts);
        }
        texts.into_iter().any(|text| self.path(folder, text))
    }

    /// `text` as a path seen from `folder`; in lists of a generator's files a key may stand before it.
    fn path(&mut self, folder: &str, text: &str) -> bool {
        let text = text.split_once('=').map_or(text, |(_, path)| path);
        let Some(path) = join(folder, text).filter(|path| path != folder && !text.contains('\n')) else { return false };
        match self.tree().file(&path) {
            Some(file) => self.files.contains(&file),
            None => self.kustomization_file(&path).is_some() && self.folder(&path, false),
        }
    }

    /// Whether a folder below one without kustomization file reads one of the files. What lies there itself shows in the
    /// objects and the errors of the build.
    fn below(&mut self, folder: &str) -> bool {
        self.folders_with_kustomization(folder).iter().any(|path| self.folder(path, false))
    }

    /// Whether a folder between `folder` and `path` has a kustomization file.
    fn is_entered(&self, folder: &str, path: &str) -> bool {
        let mut at = parent(path);
        while at.len() > folder.len() {
            if self.kustomization_file(at).is_some() {
                return true;
            }
            at = parent(at);
        }
        false
    }

    /// The folders below `folder` that have a kustomization file, those below another one of them left out.
    fn folders_with_kustomization(&self, folder: &str) -> Vec<String> {
        let start = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let from = self.kustomizations.partition_point(|path| *path < start);
        let below = self.kustomizations[from..].iter().take_while(|path| path.starts_with(&start));
        below.filter(|path| *path != folder && !self.is_entered(folder, path)).cloned().collect()
    }

    fn tree(&self) -> &Tree {
        self.store.tree()
    }
}

fn scalars<'n>(node: &'n yaml::Node, found: &mut Vec<&'n str>) {
    match &node.value {
        Value::Str(text) => found.push(text),
        Value::Map(map) => map.entries().iter().for_each(|entry| scalars(&entry.value, found)),
        Value::Seq(items) => items.iter().for_each(|item| scalars(item, found)),
        _ => {}
    }
}
