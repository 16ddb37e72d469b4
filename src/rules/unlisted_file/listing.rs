//! What the kustomization files of a repository list, and which of them builds use.

use std::collections::{BTreeMap, BTreeSet};

use super::super::Context;
use crate::{
    cluster::{Cluster, Folder},
    flux::api::kinds::EXTERNAL_ARTIFACT,
    kustomize::Kustomize,
    source::{FileId, Tree, is_yaml, join, parent},
    yaml::{Node, Value},
};

/// Every kustomization file of the repository, and what they name.
pub(in crate::rules) struct Listing {
    /// By folder.
    kustomizations: BTreeMap<String, FileId>,
    /// The folders with kustomization files that each of them names.
    bases: BTreeMap<String, Vec<String>>,
    /// YAML files beside a kustomization file that none names and no build reads, by folder.
    beside: BTreeMap<String, Vec<FileId>>,
}

impl Listing {
    pub(in crate::rules) fn new(context: &Context<'_>) -> Self {
        let tree = context.tree;
        let name = |path: &str| path[parent(path).len()..].trim_start_matches('/').to_owned();
        let mut kustomizations = BTreeMap::new();
        for file in tree.files() {
            let path = tree.path(file);
            if Kustomize::is_kustomization_file(&name(path)) {
                kustomizations.entry(parent(path).to_owned()).or_insert(file);
            }
        }
        let mut named: BTreeSet<FileId> = built_files(context);
        let mut bases: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (folder, file) in &kustomizations {
            for document in &context.store.parse(*file).documents {
                texts(&document.root, &mut |text| {
                    // A generator's file may have a key in front.
                    for text in [Some(text), text.split_once('=').map(|(_, path)| path)].into_iter().flatten() {
                        let Some(path) = join(folder, text) else { continue };
                        if let Some(file) = tree.file(&path) {
                            named.insert(file);
                        } else if kustomizations.contains_key(&path) {
                            bases.entry(folder.clone()).or_default().push(path);
                        }
                    }
                });
            }
        }
        let mut beside: BTreeMap<String, Vec<FileId>> = BTreeMap::new();
        for file in tree.files().filter(|file| !named.contains(file)) {
            let path = tree.path(file);
            let is_hidden = name(path).starts_with('.');
            if is_yaml(path)
                && !is_hidden
                && !Kustomize::is_kustomization_file(&name(path))
                && kustomizations.contains_key(parent(path))
            {
                beside.entry(parent(path).to_owned()).or_default().push(file);
            }
        }
        Self { kustomizations, bases, beside }
    }

    /// The kustomization file of a folder.
    pub(in crate::rules) fn kustomization(&self, folder: &str) -> Option<FileId> {
        self.kustomizations.get(folder).copied()
    }

    /// The unlisted files of a folder.
    pub(super) fn beside(&self, folder: &str) -> impl Iterator<Item = FileId> {
        self.beside.get(folder).into_iter().flatten().copied()
    }

    /// The folders below `folder` that its kustomization file names.
    pub(super) fn bases(&self, folder: &str) -> &[String] {
        self.bases.get(folder).map(Vec::as_slice).unwrap_or_default()
    }

    /// Folders with a kustomization file that no other one names, sorted.
    pub(super) fn unnamed(&self) -> impl Iterator<Item = (&str, FileId)> {
        let named: BTreeSet<&String> = self.bases.values().flatten().collect();
        let all = self.kustomizations.iter().filter(move |(folder, _)| !named.contains(folder));
        all.map(|(folder, file)| (folder.as_str(), *file))
    }

    /// The folders whose kustomization files the builds of a cluster use.
    pub(super) fn used_by(&self, tree: &Tree, cluster: &Cluster) -> BTreeSet<String> {
        let mut open: Vec<String> = Vec::new();
        let mut generated: BTreeSet<&str> = BTreeSet::new();
        for node in &cluster.nodes {
            let spec = &node.kustomization.spec;
            if let Folder::Here(folder) = &node.folder
                && !spec.source_ref.is(EXTERNAL_ARTIFACT)
            {
                if self.kustomizations.contains_key(folder) {
                    open.push(folder.clone());
                } else {
                    generated.insert(folder);
                }
                open.extend(spec.components.iter().filter_map(|component| join(folder, component)));
            }
            // Where the folders are not known, the objects tell from where they were taken.
            let sources =
                node.applied.build.objects.iter().map(|object| object.source).filter(|source| source.is_some());
            let folders = sources.map(|source| parent(tree.path(source.file)));
            open.extend(folders.filter(|folder| self.kustomizations.contains_key(*folder)).map(str::to_owned));
        }
        // Only what lies below is looked at: with many clusters, most of a repository belongs to others.
        for root in &generated {
            let top = if root.is_empty() { String::new() } else { format!("{root}/") };
            let below = self.kustomizations.range(top.clone()..).map(|(folder, _)| folder);
            let below = below.take_while(|folder| folder.starts_with(&top));
            open.extend(below.filter(|folder| self.is_scanned(folder, &generated)).cloned());
        }
        let mut used = BTreeSet::new();
        while let Some(folder) = open.pop() {
            if used.insert(folder.clone()) {
                open.extend(self.bases.get(&folder).into_iter().flatten().cloned());
            }
        }
        used
    }

    /// Whether the kustomization that Flux generates for one of `roots` takes in `folder`.
    fn is_scanned(&self, folder: &str, roots: &BTreeSet<&str>) -> bool {
        let mut above = folder;
        while !above.is_empty() {
            above = parent(above);
            if self.kustomizations.contains_key(above) {
                return false;
            }
            if roots.contains(above) {
                return true;
            }
        }
        false
    }
}

/// The files that some build, of whatever cluster, takes objects from, and those of entry points.
fn built_files(context: &Context<'_>) -> BTreeSet<FileId> {
    let nodes = || context.situations.iter().flat_map(|situation| &situation.cluster.nodes);
    let built = nodes().flat_map(|node| &node.applied.build.objects).map(|object| object.source);
    // What stands at the top of a group that nothing reaches is in no build.
    let reached = context.situations.iter().filter(|situation| situation.cluster.reached);
    let defined = reached.flat_map(|situation| &situation.cluster.nodes).flat_map(|node| &node.manifests);
    let defined = defined.map(|definition| definition.object.source);
    built.chain(defined).filter(|span| span.is_some()).map(|span| span.file).collect()
}

/// Every text of one line below a node.
fn texts(node: &Node, found: &mut impl FnMut(&str)) {
    match &node.value {
        Value::Str(text) if !text.contains('\n') && !text.is_empty() => found(text),
        Value::Seq(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Map(map) => map.entries().iter().for_each(|entry| texts(&entry.value, found)),
        _ => {}
    }
}
