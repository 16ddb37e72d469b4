//! Which Kustomizations exist before anything is reconciled, and which of them form one cluster.

mod aside;
pub(super) mod coverage;
pub(super) mod discover;
mod groups;
mod holds;
mod identity;
mod layout;
pub(super) mod origin;
pub(super) mod present;
pub(super) mod root;
pub(super) mod scope;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::OnceLock,
};

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::{
    Cluster, Declared, Discovered, Folder, ObjectKey,
    bootstrap::Bootstrap,
    closure::{Closure, FIRST, Roots, close, finish::finish},
};
use crate::{
    flux::{
        Artifacts, FluxVersion, Inputs, Kustomization, Selection, SourceRef,
        api::{OPERATOR_GROUP, SOURCE_GROUP, kinds::EXTERNAL_ARTIFACT},
        build, syncs,
    },
    kustomize::{Build, Kustomize, Object, caught},
    source::{FileId, Span, is_below, normalize, parent},
    yaml::Store,
};
use aside::{copied_by_scripts, has_placeholder, is_aside, is_copied};
use discover::document;
use groups::nothing;
use holds::may_hold_any;
use identity::{Identity, Verdict, fed, url_in};
use layout::{cluster_folder, drop_contained, drop_replaced, is_covered, is_of_cluster, spans};
use origin::Origin;

/// The clusters of the repository whose artifact root is `folder` of the store's tree, sorted by root, groups that no
/// root reaches last. `assumed` is the Flux release where the repository tells none.
#[must_use]
pub fn resolve(store: &Store, folder: &str, discovered: &Discovered, assumed: Option<FluxVersion>) -> Vec<Cluster> {
    let artifacts = Artifacts::new(store, folder).assuming(assumed);
    let origin = Origin::new(store.tree());
    let finder = Finder {
        store,
        folder,
        artifacts: &artifacts,
        origin,
        discovered,
        sources: OnceLock::new(),
        declaring: OnceLock::new(),
        copied: OnceLock::new(),
    };
    let named = finder.explicit();
    let identity = Identity::new(named.values());
    let synced = named.iter().filter(|(_, roots)| roots.is_synced).map(|(root, _)| root.clone()).collect();
    let mut clusters: Vec<(String, Closure)> = finder.close_all(named);
    drop_contained(&mut clusters);
    let replaced = drop_replaced(&mut clusters, &synced);
    finder.drop_templates(&mut clusters);
    let (tops, unreached) = finder.leftover(&clusters, &replaced, &identity);
    clusters.extend(finder.close_all(tops));
    clusters.sort_by(|(left, _), (right, _)| left.cmp(right));
    let used = clusters.iter().flat_map(|(_, closure)| closure.files()).collect();
    let releases: BTreeSet<_> = clusters.iter().flat_map(|(_, closure)| closure.releases()).collect();
    let releases = releases.iter().map(|name| name.as_str());
    let (bootstrap, tree) = (Bootstrap::read(store, &artifacts, folder, &used, releases), store.tree());
    let reached = clusters.into_iter().map(|(root, closure)| finish(root, true, closure, &bootstrap, tree));
    let mut clusters: Vec<Cluster> = reached.collect();
    let groups = finder.close_all(unreached).into_iter();
    clusters.extend(groups.map(|(root, closure)| finish(root, false, closure, &bootstrap, tree)));
    clusters
}

struct Finder<'a, 't> {
    store: &'a Store,
    folder: &'a str,
    artifacts: &'a Artifacts<'t>,
    origin: Origin<'t>,
    discovered: &'a Discovered,
    /// Source objects by path, gathered when first asked for.
    sources: OnceLock<Vec<(&'a str, Object)>>,
    /// Files that declare Kustomizations, gathered when first asked for.
    declaring: OnceLock<FxHashSet<FileId>>,
    /// Folders that scripts copy to make a cluster, gathered when first asked for.
    copied: OnceLock<BTreeSet<String>>,
}

/// The file of the entry point that bootstrap writes.
const SYNC_FILE: &str = "gotk-sync.yaml";

type RootsByName = BTreeMap<String, Roots>;

/// Documents by the name of their group.
type Tops<'d> = BTreeMap<String, Vec<&'d Declared>>;

impl<'a> Finder<'a, '_> {
    fn close(&self, roots: &Roots) -> Closure {
        close(self.artifacts, &self.origin, roots)
    }

    fn close_all(&self, named: RootsByName) -> Vec<(String, Closure)> {
        named.into_par_iter().map(|(root, roots)| (root, self.close(&roots))).collect()
    }

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
        for roots in named.values_mut() {
            roots.own = fed(roots).collect();
        }
        self.drop_foreign(&mut named);
        self.drop_aside(&mut named);
        named
    }

    /// Drops Kustomizations that their own path seems to hold, but whose source is another repository than that of the entry
    /// points that bootstrap or the Flux Operator made.
    fn drop_foreign(&self, named: &mut RootsByName) {
        let is_sure = |roots: &Roots| roots.is_synced || self.files_of(roots).any(|file| file.ends_with(SYNC_FILE));
        let identity = Identity::new(named.values().filter(|roots| is_sure(roots)));
        let is_other = |roots: &Roots| {
            fed(roots).any(|source| {
                let url = url_in(&source, roots.objects.iter());
                url.is_some() && identity.judge(&source, url, &self.origin) == Verdict::Other
            })
        };
        named.retain(|_, roots| is_sure(roots) || !is_other(roots));
    }

    /// Drops entry points that are set aside, where there are others.
    fn drop_aside(&self, named: &mut RootsByName) {
        let aside: Vec<String> =
            named.iter().filter(|(root, roots)| self.is_aside(root, roots)).map(|(root, _)| root.clone()).collect();
        if aside.len() < named.len() {
            named.retain(|root, _| !aside.contains(root));
        }
    }

    /// Whether a cluster is none: its folder says so, is copied by a script, or leads to a name that has to be filled in.
    fn is_aside(&self, root: &str, roots: &Roots) -> bool {
        let mut files = self.files_of(roots).peekable();
        let is_kept = files.peek().is_some() && files.all(|file| is_aside(parent(file)));
        let kustomize = self.artifacts.git(&Selection::default());
        let mut paths = roots.kustomizations.iter().filter_map(|entry| entry.spec.path.as_deref()).map(normalize);
        is_kept
            || is_aside(root)
            || is_copied(root, self.copied.get_or_init(|| copied_by_scripts(self.store.tree())))
            || paths.any(|path| has_placeholder(&path) && !kustomize.artifact().is_folder(&path))
    }

    /// The files that define the Kustomizations of `roots`.
    fn files_of(&self, roots: &Roots) -> impl Iterator<Item = &'a str> {
        let spans = roots.kustomizations.iter().map(|entry| entry.object.source).filter(|span| span.is_some());
        spans.filter_map(|span| self.relative(span.file))
    }

    /// The folder of `declared` and its manifest in there with its source, where building its path yields it again.
    fn self_managed(&self, declared: &Declared) -> Option<(String, Roots)> {
        let kustomization = &declared.kustomization;
        let path = kustomization.spec.path.as_deref()?;
        if declared.is_open() || path.contains("${") || kustomization.spec.source_ref.is(EXTERNAL_ARTIFACT) {
            return None;
        }
        let path = normalize(path);
        // The root of a repository holds everything, so only bootstrap's own file speaks for it.
        let is_bootstrap = self.relative(declared.file).is_some_and(|file| file.ends_with(SYNC_FILE));
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

    /// Whether it is worth looking into `path` for a Kustomization declared in `file`: the file lies below it, or what the
    /// folder lists holds some Kustomization, perhaps from elsewhere.
    fn may_hold(&self, path: &str, file: FileId) -> bool {
        let kustomize = self.artifacts.git(&Selection::default());
        let inside = self.relative(file).is_some_and(|file| is_below(file, path));
        let lists = || kustomize.kustomization_node(path).is_some();
        kustomize.artifact().is_folder(path)
            && (inside || (lists() && may_hold_any(&kustomize, path, self.declaring())))
    }

    /// The files that declare Kustomizations.
    fn declaring(&self) -> &FxHashSet<FileId> {
        self.declaring.get_or_init(|| self.discovered.kustomizations.iter().map(|declared| declared.file).collect())
    }

    /// The Kustomizations and the sources that `path` builds, as it stands.
    fn shallow(&self, path: &str) -> (Vec<Object>, Vec<Object>) {
        let kustomize = self.artifacts.git(&Selection::default());
        if !kustomize.artifact().is_folder(path) {
            return (Vec::new(), Vec::new());
        }
        let build = self.built(&kustomize, path);
        let is_kustomization = |object: &Object| ObjectKey::from(object.id()).is_kustomization();
        let (kustomizations, mut others): (Vec<_>, Vec<_>) = build.objects.into_iter().partition(is_kustomization);
        others.retain(|object| [SOURCE_GROUP, OPERATOR_GROUP].contains(&object.id().group.as_str()));
        (kustomizations, others)
    }

    /// What is built out of `path` as it stands, as far as that is cheap: whether it is an entry point shows early.
    fn built(&self, kustomize: &Kustomize<'_>, path: &str) -> Build {
        let inputs = Inputs { most: FIRST, kustomize, folder: path };
        // The closure builds it again, and tells of the bug.
        caught(|| build(&nothing(), inputs)).unwrap_or_default()
    }

    /// The path of a file in the artifact.
    fn relative(&self, file: FileId) -> Option<&'a str> {
        let path = self.store.tree().path(file);
        if self.folder.is_empty() { Some(path) } else { path.strip_prefix(self.folder)?.strip_prefix('/') }
    }

    /// What no entry point reaches: further clusters, applied by hand, and groups that nothing reaches.
    fn leftover(
        &self,
        clusters: &[(String, Closure)],
        replaced: &[String],
        identity: &Identity,
    ) -> (RootsByName, RootsByName) {
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
        let mut left: Vec<&Declared> = self
            .discovered
            .kustomizations
            .iter()
            .filter(|declared| !reached.contains(&document(declared.span)) && declared.is_complete())
            .collect();
        // What is set aside is looked at where there is nothing else.
        let is_live = |declared: &&Declared| !is_aside(parent(self.relative(declared.file).unwrap_or_default()));
        if !clusters.is_empty() || left.iter().any(is_live) {
            left.retain(is_live);
        }
        let (tops, circular) = self.tops(&left);
        let mut groups = Tops::new();
        let mut unreached = Tops::new();
        let known = clusters.iter().map(|(root, _)| root).chain(replaced).map(String::as_str);
        let known: Vec<&str> = known.collect();
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
            self.drop_covered(&mut groups, &mut unreached, identity);
        }
        let mut unreached = self.rooted(unreached, identity);
        let mut groups = self.rooted(groups, identity);
        let is_template = |(root, roots): (&String, &Roots)| self.is_aside(root, roots);
        if !clusters.is_empty() || !groups.iter().all(is_template) {
            groups.retain(|root, roots| !self.is_aside(root, roots));
        }
        if clusters.is_empty() {
            // Bases that are fed from elsewhere are for the clusters of others.
            let is_library = |root: &String, roots: &mut Roots| roots.own.is_empty() && !is_of_cluster(root);
            unreached.extend(groups.extract_if(.., is_library));
        }
        let file = |top: &Declared| self.relative(top.file).unwrap_or_default().to_owned();
        let mut circular = self.rooted(circular.into_iter().map(|top| (file(top), vec![top])).collect(), identity);
        for roots in circular.values_mut() {
            roots.is_circular = true;
        }
        unreached.extend(circular);
        for roots in unreached.values_mut() {
            roots.is_unreached = true;
        }
        (groups, unreached)
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
}
