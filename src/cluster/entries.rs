//! Which Kustomizations exist before anything is reconciled, and which of them form one cluster.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::{
    Cluster, Declared, Discovered, Folder,
    closure::{Closure, Roots, close},
    finish::finish,
    root::is_below,
};
use crate::{
    flux::{
        Artifacts, FluxVersion, Inputs, Kustomization, SourceRef,
        api::{ArtifactGeneratorSpec, GeneratorSource, KUSTOMIZE_GROUP, SOURCE_EXTENSIONS_GROUP, SOURCE_GROUP},
        build,
    },
    kustomize::Object,
    source::{FileId, Span, normalize, parent},
    yaml::{Store, decode},
};

/// The clusters of the repository whose artifact root is `folder` of the store's tree, sorted by root, groups that no
/// root reaches last. `assumed` is the Flux release where the repository tells none.
#[must_use]
pub fn resolve(store: &Store, folder: &str, discovered: &Discovered, assumed: Option<FluxVersion>) -> Vec<Cluster> {
    let artifacts = Artifacts::new(store, folder).assuming(assumed);
    let finder = Finder { store, folder, artifacts: &artifacts, discovered };
    let named = finder.explicit();
    let mut clusters: Vec<(String, Closure)> =
        named.into_par_iter().map(|(root, roots)| (root, close(&artifacts, &roots))).collect();
    let (tops, unreached) = finder.leftover(&clusters);
    clusters.extend(tops.into_par_iter().map(|(root, roots)| (root, close(&artifacts, &roots))).collect::<Vec<_>>());
    clusters.sort_by(|(left, _), (right, _)| left.cmp(right));
    let mut clusters: Vec<Cluster> = clusters.into_iter().map(|(root, closure)| finish(root, true, closure)).collect();
    let groups = unreached.into_par_iter().map(|(root, roots)| finish(root, false, close(&artifacts, &roots)));
    clusters.extend(groups.collect::<Vec<_>>());
    clusters
}

struct Finder<'a, 't> {
    store: &'a Store,
    folder: &'a str,
    artifacts: &'a Artifacts<'t>,
    discovered: &'a Discovered,
}

type Named = BTreeMap<String, Roots>;

/// Documents by the name of their group.
type Tops<'d> = BTreeMap<String, Vec<&'d Declared>>;

impl Finder<'_, '_> {
    /// Entry points that say so themselves: syncs of the Flux Operator, and Kustomizations that their own path builds.
    fn explicit(&self) -> Named {
        let mut named = Named::new();
        for (_, sync) in &self.discovered.syncs {
            if sync.path.contains("${") {
                continue;
            }
            let roots = named.entry(normalize(&sync.path)).or_default();
            if roots.kustomizations.is_empty() {
                roots.kustomizations.push(Kustomization::read(sync.kustomization.clone()));
                roots.is_generated = sync.is_hidden;
                roots.objects.push(sync.source.clone());
                roots.version = sync.version;
            }
        }
        let selves: Vec<(String, Kustomization)> =
            self.discovered.kustomizations.par_iter().filter_map(|declared| self.self_managed(declared)).collect();
        for (path, kustomization) in selves {
            // Where the operator syncs the same folder, its own Kustomization is the entry point.
            let roots = named.entry(path).or_default();
            if roots.kustomizations.is_empty() {
                roots.kustomizations.push(kustomization);
            }
        }
        named
    }

    /// The folder of `declared` and its definition in there, where building its path yields it again.
    fn self_managed(&self, declared: &Declared) -> Option<(String, Kustomization)> {
        let kustomization = &declared.kustomization;
        let path = kustomization.spec.path.as_deref()?;
        if path.contains("${") || kustomization.spec.source_ref.kind.as_deref() == Some("ExternalArtifact") {
            return None;
        }
        let path = normalize(path);
        // The root of a repository holds everything, so only bootstrap's own file speaks for it.
        let is_bootstrap = self.relative(declared.file).is_some_and(|file| file.ends_with("gotk-sync.yaml"));
        if (path.is_empty() && !is_bootstrap) || !self.may_hold(&path, declared.file) {
            return None;
        }
        let built = self.children(&path).into_iter().find(|child| {
            let same_name = child.name == kustomization.name;
            same_name && child.spec.path.as_deref().map(normalize).as_deref() == Some(path.as_str())
        });
        built.map(|built| (path, built))
    }

    /// Whether it is worth looking into `path` for a Kustomization declared in `file`: the file lies below it, or the
    /// folder has a kustomization file, which may reach anywhere.
    fn may_hold(&self, path: &str, file: FileId) -> bool {
        let kustomize = self.artifacts.git(None);
        let inside = self.relative(file).is_some_and(|file| is_below(file, path));
        let artifact = kustomize.artifact();
        artifact.is_folder(path) && (inside || kustomize.kustomization_node(path).is_some())
    }

    /// The Kustomizations that `path` builds, as it stands.
    fn children(&self, path: &str) -> Vec<Kustomization> {
        self.shallow(path).into_iter().map(Kustomization::read).collect()
    }

    fn shallow(&self, path: &str) -> Vec<Object> {
        let kustomize = self.artifacts.git(None);
        if !kustomize.artifact().is_folder(path) {
            return Vec::new();
        }
        let nothing =
            Kustomization::read(Object { node: crate::yaml::Node::NULL, source: Span::NONE, changes: Vec::new() });
        let build = build(&nothing, Inputs { kustomize: &kustomize, folder: path });
        let is_kustomization = |object: &Object| {
            let id = object.id();
            id.kind == "Kustomization" && id.group == KUSTOMIZE_GROUP
        };
        build.objects.into_iter().filter(is_kustomization).collect()
    }

    /// The path of a file in the artifact.
    fn relative(&self, file: FileId) -> Option<&str> {
        let path = self.store.tree().path(file);
        if self.folder.is_empty() { Some(path) } else { path.strip_prefix(self.folder)?.strip_prefix('/') }
    }

    /// What no entry point reaches: further clusters, applied by hand, and groups that nothing reaches.
    fn leftover(&self, clusters: &[(String, Closure)]) -> (Named, Named) {
        let reached: BTreeSet<(FileId, u32)> = clusters
            .iter()
            .flat_map(|(_, closure)| closure.drafts.values())
            .flat_map(|draft| draft.definitions.iter().map(|definition| document(definition.object.source)))
            .collect();
        // Without a source it is a patch, or a template that something else completes.
        let left: Vec<&Declared> = self
            .discovered
            .kustomizations
            .iter()
            .filter(|declared| !reached.contains(&document(declared.span)) && is_complete(declared))
            .collect();
        let tops = self.tops(&left);
        let mut groups = Tops::new();
        let mut unreached = Tops::new();
        let known: Vec<&str> = clusters.iter().map(|(root, _)| root.as_str()).collect();
        for top in tops {
            let file = self.relative(top.file).unwrap_or_default();
            match cluster_folder(file) {
                Some(folder) if !known.iter().any(|root| is_below(root, folder)) && !is_covered(file, clusters) => {
                    groups.entry(folder.to_owned()).or_default().push(top);
                }
                None if clusters.is_empty() => groups.entry(parent(file).to_owned()).or_default().push(top),
                _ => unreached.entry(file.to_owned()).or_default().push(top),
            }
        }
        if clusters.is_empty() {
            self.drop_covered(&mut groups, &mut unreached);
        }
        let mut unreached = self.rooted(unreached);
        for roots in unreached.values_mut() {
            roots.is_unreached = true;
        }
        (self.rooted(groups), unreached)
    }

    /// Those of `left` that no other of them builds.
    fn tops<'d>(&self, left: &[&'d Declared]) -> Vec<&'d Declared> {
        let built: Vec<(usize, Vec<(FileId, u32)>)> = left
            .par_iter()
            .enumerate()
            .map(|(index, declared)| {
                let path = declared.kustomization.spec.path.as_deref().map(normalize).unwrap_or_default();
                // The root of some other source, as a rule: this repository's would hold everything.
                let built = if path.is_empty() { Vec::new() } else { self.shallow(&path) };
                (index, built.into_iter().map(|object| document(object.source)).collect())
            })
            .collect();
        let is_built =
            |top: usize| built.iter().any(|(index, spans)| *index != top && spans.contains(&document(left[top].span)));
        left.iter().enumerate().filter(|(index, _)| !is_built(*index)).map(|(_, declared)| *declared).collect()
    }

    /// Groups as roots: one for each source of a folder. Sources and generators that lie beside them belong to all.
    fn rooted(&self, groups: Tops<'_>) -> Named {
        let mut named = Named::new();
        for (root, tops) in groups {
            let objects = self.sources_below(&root);
            let generated: Vec<SourceRef> = objects.iter().flat_map(generator_sources).collect();
            let mut by_source: BTreeMap<Option<SourceRef>, Roots> = BTreeMap::new();
            for top in tops {
                let source = SourceRef::of(&top.kustomization.spec.source_ref, &top.kustomization.namespace);
                // What an ExternalArtifact is made of lies in the folder's own source.
                let own = (source.kind != "ExternalArtifact").then_some(source).or_else(|| generated.first().cloned());
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
        let tree = self.store.tree();
        let is_source = |node: &crate::yaml::Node| {
            let version = node.find_str(&["apiVersion"]).unwrap_or_default();
            version.starts_with(SOURCE_GROUP) || version.starts_with(SOURCE_EXTENSIONS_GROUP)
        };
        let mut objects = Vec::new();
        for file in tree.files().filter(|file| self.relative(*file).is_some_and(|path| is_below(path, folder))) {
            let path = tree.path(file);
            let is_yaml = path.ends_with(".yaml") || path.ends_with(".yml");
            if is_yaml
                && tree
                    .text(file)
                    .is_some_and(|text| text.contains(".toolkit.fluxcd.io") || text.contains(SOURCE_EXTENSIONS_GROUP))
            {
                let documents = self.store.parse(file).documents.iter().filter(|document| is_source(&document.root));
                objects.extend(documents.map(|document| Object {
                    node: document.root.clone(),
                    source: document.span,
                    changes: Vec::new(),
                }));
            }
        }
        objects
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

/// Which document a span stands for: its end tells, whether or not the mark before it counts as its start.
fn document(span: Span) -> (FileId, u32) {
    (span.file, span.end)
}

/// Whether a document is a Kustomization of its own, and no patch.
fn is_complete(declared: &Declared) -> bool {
    let Kustomization { name, spec, .. } = &declared.kustomization;
    !name.is_empty() && !name.contains("${") && !spec.source_ref.name.is_empty()
}

fn is_covered(file: &str, clusters: &[(String, Closure)]) -> bool {
    clusters.iter().any(|(_, closure)| covers(closure, file))
}

/// Whether `file` lies in a folder that some node of the closure builds.
fn covers(closure: &Closure, file: &str) -> bool {
    closure.drafts.values().any(|draft| matches!(&draft.folder, Folder::Here(folder) if is_below(file, folder)))
}

/// The sources an ArtifactGenerator copies from.
fn generator_sources(object: &Object) -> Vec<SourceRef> {
    let id = object.id();
    if id.kind != "ArtifactGenerator" {
        return Vec::new();
    }
    let namespace = id.namespace.unwrap_or_default();
    let spec: ArtifactGeneratorSpec = object.node.get("spec").and_then(|spec| decode(spec).ok()).unwrap_or_default();
    let source = |source: &GeneratorSource| SourceRef {
        kind: source.kind.as_str().into(),
        namespace: source.namespace.as_deref().map_or_else(|| namespace.clone(), Into::into),
        name: source.name.as_str().into(),
    };
    spec.sources.iter().map(source).collect()
}

/// The folder that stands for one cluster by the layout of Flux's own examples: the one below `clusters` or `cluster`.
fn cluster_folder(file: &str) -> Option<&str> {
    let folder = parent(file);
    let mut end = 0;
    let mut below_clusters = false;
    for part in folder.split('/') {
        end += part.len();
        if below_clusters {
            return Some(&folder[..end]);
        }
        below_clusters = part == "clusters";
        end += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_the_folder_below_clusters() {
        assert_eq!(cluster_folder("kubernetes/clusters/prod/infra/ks.yaml"), Some("kubernetes/clusters/prod"));
        assert_eq!(cluster_folder("clusters/prod/apps.yaml"), Some("clusters/prod"));
        assert_eq!(cluster_folder("kubernetes/apps/x/ks.yaml"), None);
    }
}
