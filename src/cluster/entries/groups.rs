//! Kustomizations that no entry point leads to, in groups: which of them are on top, and from where they are fed.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::{
    Finder, RootsByName, SYNC_FILE, Tops,
    discover::{Declared, document},
    identity::{Identity, Verdict, is_same, url_in},
    layout::{covers, generator_copies, generator_sources},
};
use crate::{
    cluster::closure::{Closure, Roots},
    flux::{
        Kustomization, Selection, SourceRef,
        api::{SOURCE_EXTENSIONS_GROUP, SOURCE_GROUP, kinds::EXTERNAL_ARTIFACT},
        is_open_text,
    },
    kustomize::Object,
    source::{FileId, Span, is_below, is_yaml, normalize},
};

impl<'a> Finder<'a, '_> {
    /// Those of `left` that no other of them builds, and one of each circle that only builds itself.
    pub(super) fn tops<'d>(&self, left: &[&'d Declared]) -> (Vec<&'d Declared>, Vec<&'d Declared>) {
        let built: Vec<(usize, Vec<Object>)> = left
            .par_iter()
            .enumerate()
            .map(|(index, declared)| {
                let path = declared.kustomization.spec.path.as_deref().map(normalize).unwrap_or_default();
                // The root of some other source, as a rule: this repository's would hold everything.
                (index, if path.is_empty() { Vec::new() } else { self.shallow(&path).0 })
            })
            .collect();
        let mut builders: BTreeMap<(FileId, u32), Vec<usize>> = BTreeMap::new();
        for (index, objects) in &built {
            for object in objects {
                builders.entry(document(object.source)).or_default().push(*index);
            }
        }
        let is_built = |top: usize| {
            let builders = builders.get(&document(left[top].span));
            builders.is_some_and(|builders| builders.iter().any(|index| *index != top))
        };
        let (tops, others): (Vec<usize>, Vec<usize>) = (0..left.len()).partition(|index| !is_built(*index));
        let by_document: BTreeMap<(FileId, u32), usize> =
            left.iter().enumerate().map(|(index, declared)| (document(declared.span), index)).collect();
        let mut is_reached = vec![false; left.len()];
        let reach = |from: usize, is_reached: &mut Vec<bool>| {
            let mut open = vec![from];
            while let Some(at) = open.pop() {
                if !std::mem::replace(&mut is_reached[at], true) {
                    let objects = &built[at].1;
                    open.extend(objects.iter().filter_map(|object| by_document.get(&document(object.source))));
                }
            }
        };
        for top in &tops {
            reach(*top, &mut is_reached);
        }
        let mut circular = Vec::new();
        for other in others {
            if !is_reached[other] {
                reach(other, &mut is_reached);
                circular.push(left[other]);
            }
        }
        (tops.into_iter().map(|index| left[index]).collect(), circular)
    }

    /// Groups as roots: one for each folder. Where two of its Kustomizations have one name, they are of several clusters,
    /// which their sources tell apart.
    pub(super) fn rooted(&self, groups: Tops<'_>, identity: &Identity) -> RootsByName {
        let mut named = RootsByName::new();
        for (root, tops) in groups {
            let mut of_name: BTreeMap<(&str, &str), BTreeSet<SourceRef>> = BTreeMap::new();
            for top in &tops {
                let Kustomization { namespace, name, .. } = &top.kustomization;
                of_name.entry((namespace, name)).or_default().insert(source(top));
            }
            if of_name.values().all(|sources| sources.len() == 1) {
                named.insert(root.clone(), self.group(&root, tops, identity));
                continue;
            }
            let mut by_source: BTreeMap<SourceRef, Vec<&Declared>> = BTreeMap::new();
            for top in tops {
                by_source.entry(source(top)).or_default().push(top);
            }
            for (source, tops) in by_source {
                named.insert(format!("{root} ({source})"), self.group(&root, tops, identity));
            }
        }
        named
    }

    /// `tops` of the folder `root`. Sources and generators that lie beside them belong to them.
    pub(super) fn group(&self, root: &str, tops: Vec<&Declared>, identity: &Identity) -> Roots {
        let objects = self.sources_below(root);
        let mut used: BTreeMap<SourceRef, Vec<String>> = BTreeMap::new();
        for top in &tops {
            let path = top.kustomization.spec.path.as_deref().unwrap_or_default();
            used.entry(source(top)).or_default().push(normalize(path));
        }
        // What an ExternalArtifact is built from lies in the folder's own source.
        let generators = objects.iter().flat_map(|object| {
            generator_sources(object).into_iter().map(|source| (source, generator_copies(&object.node)))
        });
        for (source, copies) in generators {
            used.entry(source).or_default().extend(copies);
        }
        used.retain(|source, _| !source.is(EXTERNAL_ARTIFACT));
        // Bootstrap writes its file into the repository that it names.
        let is_sync = |top: &&Declared| self.relative(top.file).is_some_and(|file| file.ends_with(SYNC_FILE));
        let synced: Vec<SourceRef> = tops.iter().copied().filter(is_sync).map(source).collect();
        let own = used
            .into_iter()
            .filter(|(source, paths)| synced.contains(source) || self.is_own(source, paths, &objects, identity));
        let own = own.map(|(source, _)| source).collect();
        let kustomizations = tops.into_iter().map(|top| top.kustomization.clone()).collect();
        Roots { kustomizations, objects, own, ..Roots::default() }
    }

    /// Whether `source` is this repository: its name or its URL says so, or neither says otherwise and one of `paths`,
    /// which are taken from it, builds something here. The root of any repository builds something.
    fn is_own(&self, source: &SourceRef, paths: &[String], objects: &[Object], identity: &Identity) -> bool {
        let declared = || url_in(source, self.all_sources().iter().map(|(_, object)| object));
        let url = match objects.iter().any(|object| is_declared(object, source)) {
            true => url_in(source, objects.iter()),
            false => declared(),
        };
        match identity.judge(source, url, &self.origin) {
            Verdict::Own => true,
            Verdict::Other => false,
            Verdict::Open => paths.iter().any(|path| !path.is_empty() && !is_open_text(path) && self.builds(path)),
        }
    }

    /// Whether `path` is a folder of this repository out of which something is built.
    fn builds(&self, path: &str) -> bool {
        let kustomize = self.artifacts.git(&Selection::default());
        if !kustomize.artifact().is_folder(path) {
            return false;
        }
        let build = self.built(&kustomize, path);
        // One that fails was meant to be built.
        !build.objects.is_empty() || !build.errors.is_empty() || !build.unresolved.is_empty()
    }

    /// Source objects that files below `folder` declare.
    pub(super) fn sources_below(&self, folder: &str) -> Vec<Object> {
        let sources = self.all_sources();
        // Sorted by path, what lies below a folder is one run, but for siblings whose names go on where the folder's ends.
        let start = sources.partition_point(|(path, _)| *path < folder);
        let run = sources[start..].iter().take_while(|(path, _)| path.starts_with(folder));
        run.filter(|(path, _)| is_below(path, folder)).map(|(_, object)| object.clone()).collect()
    }

    /// Every source object of every file, sorted by path.
    fn all_sources(&self) -> &[(&'a str, Object)] {
        self.sources.get_or_init(|| self.declared_sources())
    }

    fn declared_sources(&self) -> Vec<(&'a str, Object)> {
        let tree = self.store.tree();
        let is_source = |node: &crate::yaml::Node| {
            let version = node.find_str(&["apiVersion"]).unwrap_or_default();
            version.starts_with(SOURCE_GROUP) || version.starts_with(SOURCE_EXTENSIONS_GROUP)
        };
        let may_hold = |text: &str| text.contains(SOURCE_GROUP) || text.contains(SOURCE_EXTENSIONS_GROUP);
        let mut sources = Vec::new();
        for file in tree.files() {
            let Some(path) = self.relative(file).filter(|path| is_yaml(path)) else {
                continue;
            };
            if tree.text(file).is_some_and(may_hold) {
                let documents = self.store.parse(file).documents.iter().filter(|document| is_source(&document.root));
                let object =
                    |node: &crate::yaml::Node, source| Object { node: node.clone(), source, changes: Vec::new() };
                sources.extend(documents.map(|document| (path, object(&document.root, document.span))));
            }
        }
        sources.sort_by_key(|(path, _)| *path);
        sources
    }

    /// Where nothing names the roots: a group whose files lie below what a larger group builds is toggled off there.
    pub(super) fn drop_covered<'d>(&self, groups: &mut Tops<'d>, unreached: &mut Tops<'d>, identity: &Identity) {
        let closures: BTreeMap<String, Closure> = groups
            .par_iter()
            .map(|(root, tops)| (root.clone(), self.close(&self.group(root, tops.clone(), identity))))
            .collect();
        let mut by_size: Vec<&String> = closures.keys().collect();
        by_size.sort_by_key(|root| (std::cmp::Reverse(closures[*root].drafts.len()), (*root).clone()));
        let mut kept: Vec<&Closure> = Vec::new();
        for root in by_size {
            let files: Vec<&str> = groups[root].iter().filter_map(|top| self.relative(top.file)).collect();
            let covered = files.iter().all(|file| kept.iter().any(|closure| covers(closure, file)));
            if covered && !kept.is_empty() {
                for top in groups.remove(root).unwrap_or_default() {
                    let file = self.relative(top.file).unwrap_or_default().to_owned();
                    unreached.entry(file).or_default().push(top);
                }
            } else {
                kept.push(&closures[root]);
            }
        }
    }
}

/// A Kustomization without anything in it.
pub(super) fn nothing() -> Kustomization {
    Kustomization::read(Object { node: crate::yaml::Node::NULL, source: Span::NONE, changes: Vec::new() })
}

fn source(top: &Declared) -> SourceRef {
    SourceRef::new(&top.kustomization.spec.source_ref, &top.kustomization.namespace)
}

fn is_declared(object: &Object, source: &SourceRef) -> bool {
    let id = object.id();
    is_same(&SourceRef { kind: id.kind, namespace: id.namespace.unwrap_or_default(), name: id.name }, source)
}
