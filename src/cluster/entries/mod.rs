//! Which Kustomizations exist before anything is reconciled, and which of them form one cluster.

pub(super) mod discover;
mod layout;
pub(super) mod present;
pub(super) mod root;
pub(super) mod scope;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::OnceLock,
};

use rayon::prelude::*;

use super::{
    Cluster, Declared, Discovered, Folder, ObjectKey,
    bootstrap::Bootstrap,
    closure::{Closure, Roots, close, finish::finish},
};
use crate::{
    flux::{
        Artifacts, FluxVersion, Inputs, Kustomization, Selection, SourceRef,
        api::{OPERATOR_GROUP, SOURCE_EXTENSIONS_GROUP, SOURCE_GROUP, kinds::EXTERNAL_ARTIFACT},
        build, syncs,
    },
    kustomize::Object,
    source::{FileId, Span, normalize, parent},
    yaml::Store,
};
use discover::document;
use layout::{cluster_folder, covers, drop_contained, generator_sources, is_covered, spans};
use root::is_below;

/// The clusters of the repository whose artifact root is `folder` of the store's tree, sorted by root, groups that no
/// root reaches last. `assumed` is the Flux release where the repository tells none.
#[must_use]
pub fn resolve(store: &Store, folder: &str, discovered: &Discovered, assumed: Option<FluxVersion>) -> Vec<Cluster> {
    let artifacts = Artifacts::new(store, folder).assuming(assumed);
    let finder = Finder { store, folder, artifacts: &artifacts, discovered, sources: OnceLock::new() };
    let named = finder.explicit();
    let mut clusters: Vec<(String, Closure)> =
        named.into_par_iter().map(|(root, roots)| (root, close(&artifacts, &roots))).collect();
    drop_contained(&mut clusters);
    finder.drop_templates(&mut clusters);
    let (tops, unreached) = finder.leftover(&clusters);
    clusters.extend(tops.into_par_iter().map(|(root, roots)| (root, close(&artifacts, &roots))).collect::<Vec<_>>());
    clusters.sort_by(|(left, _), (right, _)| left.cmp(right));
    let used = clusters.iter().flat_map(|(_, closure)| closure.files()).collect();
    let releases: BTreeSet<_> = clusters.iter().flat_map(|(_, closure)| closure.releases()).collect();
    let releases = releases.iter().map(|name| name.as_str());
    let (bootstrap, tree) = (Bootstrap::read(store, &artifacts, folder, &used, releases), store.tree());
    let reached = clusters.into_iter().map(|(root, closure)| finish(root, true, closure, &bootstrap, tree));
    let mut clusters: Vec<Cluster> = reached.collect();
    let groups =
        unreached.into_par_iter().map(|(root, roots)| finish(root, false, close(&artifacts, &roots), &bootstrap, tree));
    clusters.extend(groups.collect::<Vec<_>>());
    clusters
}

struct Finder<'a, 't> {
    store: &'a Store,
    folder: &'a str,
    artifacts: &'a Artifacts<'t>,
    discovered: &'a Discovered,
    /// Source objects by path, gathered when first asked for.
    sources: OnceLock<Vec<(&'a str, Object)>>,
}

type RootsByName = BTreeMap<String, Roots>;

/// Documents by the name of their group.
type Tops<'d> = BTreeMap<String, Vec<&'d Declared>>;

impl<'a> Finder<'a, '_> {
    /// Entry points that say so themselves: syncs of the Flux Operator, and Kustomizations that their own path builds.
    fn explicit(&self) -> RootsByName {
        let mut named = RootsByName::new();
        for (_, sync) in &self.discovered.syncs {
            let kustomize = self.artifacts.git(&Selection::default());
            let sync = sync.clone().patched(&kustomize);
            if sync.path.contains("${") {
                continue;
            }
            let roots = named.entry(normalize(&sync.path)).or_default();
            if roots.kustomizations.is_empty() {
                *roots = Roots::synced(&sync, &kustomize);
            }
        }
        let selves: Vec<(String, Roots)> =
            self.discovered.kustomizations.par_iter().filter_map(|declared| self.self_managed(declared)).collect();
        for (path, own) in selves {
            // Where the operator syncs the same folder, its own Kustomization is the entry point.
            let roots = named.entry(path).or_default();
            if roots.kustomizations.is_empty() {
                *roots = own;
            }
        }
        let folders = self.bootstrapped().filter(|folder| !named.contains_key(*folder)).collect::<Vec<_>>();
        let patched: Vec<(String, Roots)> = folders
            .into_par_iter()
            .filter_map(|folder| Some((folder.to_owned(), self.built_by(folder, None)?)))
            .collect();
        named.extend(patched);
        named
    }

    /// The folder of `declared` and its manifest in there with its source, where building its path yields it again.
    fn self_managed(&self, declared: &Declared) -> Option<(String, Roots)> {
        let kustomization = &declared.kustomization;
        let path = kustomization.spec.path.as_deref()?;
        if path.contains("${") || kustomization.spec.source_ref.is(EXTERNAL_ARTIFACT) {
            return None;
        }
        let path = normalize(path);
        // The root of a repository holds everything, so only bootstrap's own file speaks for it.
        let is_bootstrap = self.relative(declared.file).is_some_and(|file| file.ends_with("gotk-sync.yaml"));
        if (path.is_empty() && !is_bootstrap) || !self.may_hold(&path, declared.file) {
            return None;
        }
        if let Some(built) = self.built_by(&path, Some(&kustomization.name)) {
            return Some((path, built));
        }
        // Bootstrap applies its file, whether the folder's own kustomization lists it or not.
        let file = self.relative(declared.file).filter(|file| is_bootstrap && is_below(file, &path))?;
        let roots = Roots {
            kustomizations: vec![kustomization.clone()],
            objects: self.sources_below(parent(file)),
            ..Roots::default()
        };
        declared.is_complete().then_some((path, roots))
    }

    /// The Kustomization of `path` that building `path` yields, and its source: of that name, or of any.
    fn built_by(&self, path: &str, name: Option<&str>) -> Option<Roots> {
        let (kustomizations, mut objects) = self.shallow(path);
        let own = kustomizations.into_iter().map(Kustomization::read).find(|child| {
            let is_named = name.is_none_or(|name| child.name == name);
            is_named && child.spec.path.as_deref().map(normalize).as_deref() == Some(path)
        });
        let Some(own) = own else {
            let sync = objects.iter().filter(|_| name.is_none()).find_map(|object| syncs(&object.node))?;
            return (normalize(&sync.path) == path)
                .then(|| Roots::synced(&sync, &self.artifacts.git(&Selection::default())));
        };
        // What the source leaves out decides what this very path builds.
        let source = SourceRef::new(&own.spec.source_ref, &own.namespace);
        objects.retain(|object| {
            let id = object.id();
            id.kind == source.kind && id.name == source.name && id.namespace.unwrap_or_default() == source.namespace
        });
        Some(Roots { kustomizations: vec![own], objects, ..Roots::default() })
    }

    /// The folders above a `flux-system` folder with a kustomization file, which may patch a shared sync to point there.
    fn bootstrapped(&self) -> impl Iterator<Item = &str> {
        let files = self.store.tree().files().filter_map(|file| self.relative(file));
        let systems = files.filter(|file| file.ends_with("/flux-system/kustomization.yaml"));
        systems.map(|file| parent(parent(file)))
    }

    /// Whether it is worth looking into `path` for a Kustomization declared in `file`: the file lies below it, or the
    /// folder has a kustomization file, which may reach anywhere.
    fn may_hold(&self, path: &str, file: FileId) -> bool {
        let kustomize = self.artifacts.git(&Selection::default());
        let inside = self.relative(file).is_some_and(|file| is_below(file, path));
        let artifact = kustomize.artifact();
        artifact.is_folder(path) && (inside || kustomize.kustomization_node(path).is_some())
    }

    /// The Kustomizations and the sources that `path` builds, as it stands.
    fn shallow(&self, path: &str) -> (Vec<Object>, Vec<Object>) {
        let kustomize = self.artifacts.git(&Selection::default());
        if !kustomize.artifact().is_folder(path) {
            return (Vec::new(), Vec::new());
        }
        let nothing =
            Kustomization::read(Object { node: crate::yaml::Node::NULL, source: Span::NONE, changes: Vec::new() });
        let build = build(&nothing, Inputs { kustomize: &kustomize, folder: path });
        let is_kustomization = |object: &Object| ObjectKey::from(object.id()).is_kustomization();
        let (kustomizations, mut others): (Vec<_>, Vec<_>) = build.objects.into_iter().partition(is_kustomization);
        others.retain(|object| [SOURCE_GROUP, OPERATOR_GROUP].contains(&object.id().group.as_str()));
        (kustomizations, others)
    }

    /// The path of a file in the artifact.
    fn relative(&self, file: FileId) -> Option<&'a str> {
        let path = self.store.tree().path(file);
        if self.folder.is_empty() { Some(path) } else { path.strip_prefix(self.folder)?.strip_prefix('/') }
    }

    /// What no entry point reaches: further clusters, applied by hand, and groups that nothing reaches.
    fn leftover(&self, clusters: &[(String, Closure)]) -> (RootsByName, RootsByName) {
        let reached: BTreeSet<(FileId, u32)> = clusters
            .iter()
            .flat_map(|(_, closure)| closure.drafts.values())
            .flat_map(|draft| {
                // What a node applies to another cluster is a node there.
                let remote = draft.kustomization.spec.is_remote();
                let applied = draft.applied.build.objects.iter().filter(move |_| remote);
                let defined = draft.manifests.iter().map(|manifest| &manifest.object);
                defined.chain(applied).map(|object| document(object.source))
            })
            .collect();
        // Without a source it is a patch, or a template that something else completes.
        let left: Vec<&Declared> = self
            .discovered
            .kustomizations
            .iter()
            .filter(|declared| !reached.contains(&document(declared.span)) && declared.is_complete())
            .collect();
        let (tops, circular) = self.tops(&left);
        let mut groups = Tops::new();
        let mut unreached = Tops::new();
        let known: Vec<&str> = clusters.iter().map(|(root, _)| root.as_str()).collect();
        let used = self.used_files(clusters);
        // What other clusters build of is a base of theirs.
        let is_base = |folder: &str| used.iter().any(|file| is_below(file, folder));
        for top in tops {
            let file = self.relative(top.file).unwrap_or_default();
            match cluster_folder(file) {
                Some(folder)
                    if !known.iter().any(|root| is_below(root, folder))
                        && !is_covered(file, clusters)
                        && !is_base(folder) =>
                {
                    groups.entry(folder.to_owned()).or_default().push(top);
                }
                None if clusters.is_empty() => groups.entry(parent(file).to_owned()).or_default().push(top),
                _ if top.is_template(file) => {}
                _ => unreached.entry(file.to_owned()).or_default().push(top),
            }
        }
        if clusters.is_empty() {
            self.drop_covered(&mut groups, &mut unreached);
        }
        let mut unreached = self.rooted(unreached);
        let file = |top: &Declared| self.relative(top.file).unwrap_or_default().to_owned();
        let mut circular = self.rooted(circular.into_iter().map(|top| (file(top), vec![top])).collect());
        for roots in circular.values_mut() {
            roots.is_circular = true;
        }
        unreached.extend(circular);
        for roots in unreached.values_mut() {
            roots.is_unreached = true;
        }
        (self.rooted(groups), unreached)
    }

    /// Drops entry points that lead nowhere and stand in a file that other clusters build of: they patch the path.
    fn drop_templates(&self, clusters: &mut Vec<(String, Closure)>) {
        let is_lost = |closure: &Closure| {
            closure.drafts.values().all(|draft| draft.is_entry && matches!(draft.folder, Folder::Missing { .. }))
        };
        if clusters.iter().any(|(_, closure)| is_lost(closure)) {
            let used = self.used_files(clusters);
            let is_used =
                |span: &Span| span.is_some() && self.relative(span.file).is_some_and(|file| used.contains(file));
            let lost = |closure: &Closure| is_lost(closure) && spans(closure, true).iter().any(is_used);
            let mut kept = clusters.iter().map(|(_, closure)| !lost(closure)).collect::<Vec<_>>().into_iter();
            clusters.retain(|_| kept.next().unwrap_or(true));
        }
    }

    /// The files that the clusters are built of.
    fn used_files(&self, clusters: &[(String, Closure)]) -> BTreeSet<&str> {
        let drafts = clusters.iter().flat_map(|(_, closure)| closure.drafts.values());
        let objects = drafts.flat_map(|draft| &draft.applied.build.objects).map(|object| object.source);
        objects.filter(|span| span.is_some()).filter_map(|span| self.relative(span.file)).collect()
    }

    /// Those of `left` that no other of them builds, and one of each circle that only builds itself.
    fn tops<'d>(&self, left: &[&'d Declared]) -> (Vec<&'d Declared>, Vec<&'d Declared>) {
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

    /// Groups as roots: one for each source of a folder. Sources and generators that lie beside them belong to all.
    fn rooted(&self, groups: Tops<'_>) -> RootsByName {
        let mut named = RootsByName::new();
        for (root, tops) in groups {
            let objects = self.sources_below(&root);
            let generated: Vec<SourceRef> = objects.iter().flat_map(generator_sources).collect();
            let mut by_source: BTreeMap<Option<SourceRef>, Roots> = BTreeMap::new();
            for top in tops {
                let source = SourceRef::new(&top.kustomization.spec.source_ref, &top.kustomization.namespace);
                // What an ExternalArtifact is built from lies in the folder's own source.
                let own = (!source.is(EXTERNAL_ARTIFACT)).then_some(source).or_else(|| generated.first().cloned());
                by_source.entry(own).or_default().kustomizations.push(top.kustomization.clone());
            }
            let single = by_source.len() == 1;
            for (source, roots) in by_source {
                let name = match &source {
                    Some(source) if !single => format!("{root} ({source})"),
                    _ => root.clone(),
                };
                named.insert(name, Roots { own: source.into_iter().collect(), objects: objects.clone(), ..roots });
            }
        }
        named
    }

    /// Source objects that files below `folder` declare.
    fn sources_below(&self, folder: &str) -> Vec<Object> {
        let sources = self.sources.get_or_init(|| self.declared_sources());
        // Sorted by path, what lies below a folder is one run, but for siblings whose names go on where the folder's ends.
        let start = sources.partition_point(|(path, _)| *path < folder);
        let run = sources[start..].iter().take_while(|(path, _)| path.starts_with(folder));
        run.filter(|(path, _)| is_below(path, folder)).map(|(_, object)| object.clone()).collect()
    }

    /// Every source object of every file, sorted by path.
    fn declared_sources(&self) -> Vec<(&'a str, Object)> {
        let tree = self.store.tree();
        let is_source = |node: &crate::yaml::Node| {
            let version = node.find_str(&["apiVersion"]).unwrap_or_default();
            version.starts_with(SOURCE_GROUP) || version.starts_with(SOURCE_EXTENSIONS_GROUP)
        };
        let may_hold = |text: &str| text.contains(SOURCE_GROUP) || text.contains(SOURCE_EXTENSIONS_GROUP);
        let mut sources = Vec::new();
        for file in tree.files() {
            let Some(path) = self.relative(file).filter(|path| path.ends_with(".yaml") || path.ends_with(".yml"))
            else {
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
    fn drop_covered<'d>(&self, groups: &mut Tops<'d>, unreached: &mut Tops<'d>) {
        let closures: BTreeMap<String, Closure> = groups
            .par_iter()
            .map(|(root, tops)| {
                let kustomizations = tops.iter().map(|top| top.kustomization.clone()).collect();
                let objects = self.sources_below(root);
                let own = objects.iter().flat_map(generator_sources).collect();
                (root.clone(), close(self.artifacts, &Roots { kustomizations, objects, own, ..Roots::default() }))
            })
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
