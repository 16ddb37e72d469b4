use rayon::prelude::*;

use super::layout::generator_copies;
use crate::{
    cluster::Scope,
    flux::{
        Kustomization, Sync,
        api::{KUSTOMIZE_GROUP, SOURCE_EXTENSIONS_GROUP},
        is_kustomization, is_open_text, syncs,
    },
    kustomize::Object,
    source::{FileId, Span, is_yaml},
    yaml::Store,
};

/// What the files of a repository declare, before anything is built.
#[derive(Debug, Default)]
pub struct Discovered {
    /// Documents of kind Kustomization, patches among them.
    pub kustomizations: Vec<Declared>,
    /// Entry points of the Flux Operator.
    pub syncs: Vec<(FileId, Sync)>,
    /// Folders that ArtifactGenerators copy from: they exist below the artifact root, as `spec.path`s do.
    pub copied: Vec<String>,
}

impl Discovered {
    /// Whether there is neither a Kustomization nor an entry point.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kustomizations.is_empty() && self.syncs.is_empty()
    }
}

/// A Kustomization as a file declares it.
#[derive(Debug)]
pub struct Declared {
    /// The file.
    pub file: FileId,
    /// The document.
    pub span: Span,
    /// The object, unbuilt.
    pub kustomization: Kustomization,
}

impl Declared {
    /// Whether it is a Kustomization of its own, and no patch.
    pub(in crate::cluster) fn is_complete(&self) -> bool {
        let Kustomization { name, spec, .. } = &self.kustomization;
        !name.is_empty() && !name.contains("${") && !spec.source_ref.name.is_empty()
    }

    /// Whether it names a source, and so is no patch.
    pub(in crate::cluster) fn has_source(&self) -> bool {
        !self.kustomization.spec.source_ref.name.is_empty()
    }

    /// Whether something else fills in its name, so that it is none as it stands.
    pub(in crate::cluster) fn is_open(&self) -> bool {
        let name = &self.kustomization.name;
        is_open_text(name) || name.contains("{{")
    }

    /// Whether it is there to be copied or filled in: it has placeholders, or `path`, its own, leads through a folder of templates.
    pub(in crate::cluster) fn is_template(&self, path: &str) -> bool {
        let spec = &self.kustomization.spec;
        let is_open_path = |text: &str| is_open_text(text) || text.contains("{{");
        let is_folder = |part: &str| matches!(part.trim_start_matches(['.', '_']), "template" | "templates");
        self.is_open() || spec.path.as_deref().is_some_and(is_open_path) || path.split('/').rev().skip(1).any(is_folder)
    }
}

/// Which document a span stands for: its end tells, whether or not the mark before it counts as its start.
pub(in crate::cluster) fn document(span: Span) -> (FileId, u32) {
    (span.file, span.end)
}

/// Reads every YAML file in `scope` that may hold a Flux Kustomization or an entry point. Others are not parsed.
#[must_use]
pub fn discover(store: &Store, scope: &Scope) -> Discovered {
    let tree = store.tree();
    let files: Vec<FileId> =
        tree.files().filter(|file| is_yaml(tree.path(*file)) && scope.covers(tree.path(*file))).collect();
    let found: Vec<Discovered> = files.into_par_iter().filter_map(|file| read(store, file)).collect();
    let mut all = Discovered::default();
    for mut one in found {
        all.kustomizations.append(&mut one.kustomizations);
        all.syncs.append(&mut one.syncs);
        all.copied.append(&mut one.copied);
    }
    all.kustomizations.sort_by_key(|declared| (tree.path(declared.file), declared.span.start));
    all.syncs.sort_by_key(|(file, _)| tree.path(*file));
    all
}

fn read(store: &Store, file: FileId) -> Option<Discovered> {
    let Some(text) = store.tree().text(file) else {
        note_unreadable(store, file);
        return None;
    };
    let has_kustomizations = text.contains(KUSTOMIZE_GROUP);
    let may_sync = text.contains("sync:") && text.contains("path:");
    let has_generators = text.contains(SOURCE_EXTENSIONS_GROUP);
    if !has_kustomizations && !may_sync && !has_generators {
        return None;
    }
    let mut found = Discovered::default();
    for document in &store.parse(file).documents {
        if has_kustomizations && is_kustomization(&document.root) {
            let object = Object { node: document.root.clone(), source: document.span, changes: Vec::new() };
            let kustomization = Kustomization::read(object);
            found.kustomizations.push(Declared { file, span: document.span, kustomization });
        } else if may_sync && let Some(sync) = syncs(&document.root) {
            found.syncs.push((file, sync));
        } else if has_generators {
            found.copied.extend(generator_copies(&document.root));
        }
    }
    Some(found)
}

/// Parses a file that is no text or cannot be read, so that it is known as broken, unless its bytes say that it has
/// nothing to do with Flux.
fn note_unreadable(store: &Store, file: FileId) {
    let speaks_of_flux = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains(KUSTOMIZE_GROUP);
    if store.tree().bytes(file).map_or(true, speaks_of_flux) {
        let _ = store.parse(file);
    }
}
