//! `kustomize build`, natively: files of an artifact in, objects with their origin out. Knows nothing of Flux.
//!
//! A [`Kustomize`] builds folders of one artifact. Objects are trees shared copy-on-write, so what a base gives is
//! accumulated once and handed to every overlay; each node keeps the span of the text that decided it, and each object
//! the list of the steps that changed it. Behaviour follows kustomize 5.5 to 5.8, object for object; where kustomize
//! would give up, the fault is located and the build goes on with what remains.

mod accumulate;
mod budget;
mod id;
mod object;
mod report;
mod resource;
mod schema;
mod text;
mod transform;

use std::{
    rc::Rc,
    sync::{Arc, Mutex, PoisonError},
};

use rustc_hash::FxHashMap;
use smol_str::SmolStr;

pub use accumulate::{
    order::legacy_order,
    reads::{Known, ReadSet},
};
pub use budget::{Budget, Cost, Unit, caught, size};
pub use id::ApiVersion;
pub use object::{Build, Change, Error, Fault, Hidden, IdlePatch, Miss, Object, ObjectId, Step, Unresolved};
pub use schema::scope::is_cluster_scoped;

use crate::{
    source::{Artifact, FileId, Span, normalize},
    yaml::{Document, Node, Store},
};
use accumulate::folder;

/// Builds folders of one artifact. What several builds share is accumulated once; many threads may build at a time.
#[derive(Debug)]
pub struct Kustomize<'t> {
    store: &'t Store,
    artifact: Artifact,
    known: Mutex<FxHashMap<String, Arc<accumulate::Accumulated>>>,
    /// Patches that are written as texts, parsed. One that Flux injects into many children stands at one place.
    texts: Mutex<FxHashMap<(Span, SmolStr), Documents>>,
}

/// The documents of a text, shared by all who ask for them.
type Documents = Arc<Vec<Document>>;

impl<'t> Kustomize<'t> {
    /// A builder of folders of `artifact`, whose files `store` parses.
    #[must_use]
    pub fn new(store: &'t Store, artifact: Artifact) -> Self {
        Self { store, artifact, known: Mutex::default(), texts: Mutex::default() }
    }

    /// The files behind the builder.
    #[must_use]
    pub const fn store(&self) -> &'t Store {
        self.store
    }

    /// The artifact whose folders it builds.
    #[must_use]
    pub const fn artifact(&self) -> &Artifact {
        &self.artifact
    }

    /// The contents of the kustomization file of `dir`; `None` where there is no such file.
    #[must_use]
    pub fn kustomization_node(&self, dir: &str) -> Option<Node> {
        let file = Self::kustomization_file(&self.artifact, dir)?;
        let document = self.store.parse(file).documents.iter().find(|document| !document.root.is_null());
        Some(document.map_or_else(|| Node::empty_map(Span::file_start(file)), |document| document.root.clone()))
    }

    /// Whether kustomization files have a field of that name.
    #[must_use]
    pub fn is_kustomization_field(name: &str) -> bool {
        accumulate::file::is_field(name)
    }

    /// Whether a file of that name is a kustomization file.
    #[must_use]
    pub fn is_kustomization_file(name: &str) -> bool {
        folder::NAMES.contains(&name)
    }

    /// What `kustomize build` makes of the folder `dir` of the artifact. `root` is the kustomization to use in place of
    /// the file there, for instance with fields that Flux writes into it; its paths are relative to `dir`.
    #[must_use]
    pub fn build(&self, dir: &str, root: Option<&Node>) -> Build {
        self.build_within(Cost::BUILD, dir, root)
    }

    /// As [`Self::build`], at no more than `most`.
    #[must_use]
    pub fn build_within(&self, most: Cost, dir: &str, root: Option<&Node>) -> Build {
        let dir = normalize(dir);
        let (accumulated, file) = accumulate::Session::new(self, most).root(&dir, root);
        accumulate::finish::finish(self.store.tree(), accumulated, file.as_ref())
    }

    /// `objects` with `patches` applied, entries of that field of a kustomization file in `dir`. What does not apply to
    /// them is passed over.
    #[must_use]
    pub fn patched<const N: usize>(&self, objects: [Object; N], dir: &str, patches: &[Node]) -> [Object; N] {
        let folder = folder::Folder::new(self, dir, Rc::default());
        let mut report = report::Report::default();
        objects.map(|object| {
            let mut resources = vec![resource::Resource::new(object.node.clone(), object.source)];
            for entry in patches {
                transform::patch::entry(&folder, &mut resources, entry, &mut report);
            }
            let changed = resources.pop().filter(|resource| !resource.deleted);
            changed.map_or(object, |resource| resource.object)
        })
    }

    /// The kustomization files of a folder: one at most, or kustomize refuses it.
    #[must_use]
    pub fn kustomization_files(artifact: &Artifact, dir: &str) -> Vec<FileId> {
        folder::kustomization_files(artifact, dir)
    }

    /// The kustomization file that a folder is built with, if it has one.
    #[must_use]
    pub fn kustomization_file(artifact: &Artifact, dir: &str) -> Option<FileId> {
        folder::kustomization_files(artifact, dir).first().copied()
    }

    /// The documents of the YAML in a scalar, see [`text::parse_scalar`].
    fn parsed_text(&self, text: &str, at: Span) -> Documents {
        let key = (at, SmolStr::new(text));
        let texts = || self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = texts().get(&key) {
            return known.clone();
        }
        let parsed = Arc::new(text::parse_scalar(self.store.tree(), text, at));
        texts().insert(key, parsed.clone());
        parsed
    }

    fn known(&self, path: &str) -> Option<Arc<accumulate::Accumulated>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
    }

    fn remember(&self, path: &str, accumulated: &Arc<accumulate::Accumulated>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(path.to_owned(), accumulated.clone());
    }
}
