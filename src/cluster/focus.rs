//! What is reported of each cluster, where the user asked about a part of the repository. The clusters themselves are always
//! whole: what waits for what does not depend on where the user stands.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashSet;

use super::{Cluster, Folder, Node, NodeId, ObjectRef, Scope, Use, builders, is_decided_by};
use crate::{
    finding::{Finding, Subject, count},
    flux::api::kinds::EXTERNAL_ARTIFACT,
    source::{FileId, Span, Tree, readable},
    yaml::Store,
};

/// What a part of the repository has to do with a Kustomization or HelmRelease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// Its files define it.
    Defines,
    /// It contains the folder that the Kustomization applies, or that of the Kustomization that applies the HelmRelease.
    Contains,
    /// The Kustomization's build reads its files.
    ReadBy,
}

/// What is reported of the clusters.
#[derive(Debug, Clone, Default)]
pub struct Focus {
    scope: Scope,
    /// One for each cluster; `None` where all of every cluster is reported.
    parts: Option<Vec<Part>>,
}

/// What is reported of one cluster.
#[derive(Debug, Clone, Default)]
struct Part {
    /// Whether the scope holds its entry point, and so stands for all of it.
    is_whole: bool,
    nodes: BTreeMap<NodeId, Relation>,
    releases: BTreeMap<usize, Relation>,
}

impl Scope {
    /// What is reported of `clusters`. A path that holds an entry point stands for the whole cluster; another one for what it
    /// defines, contains, or is read by. Where every path holds one, the clusters that none of them enters are left out of
    /// `clusters`, and are the second part of the result.
    pub fn narrow(&self, store: &Store, clusters: &mut Vec<Cluster>) -> (Focus, Vec<Cluster>) {
        let focus = Focus { scope: self.clone(), parts: None };
        if self.is_everything() {
            return (focus, Vec::new());
        }
        let tree = store.tree();
        let alone = |path: &String| Self::new(vec![path.clone()]);
        let is_reached = |cluster: &&Cluster| cluster.reached;
        let enters = |path: &&String| clusters.iter().filter(is_reached).any(|it| alone(path).is_entered(tree, it));
        let (entering, others): (Vec<&String>, Vec<&String>) = self.paths().iter().partition(enters);
        let entering = Self::new(entering.into_iter().cloned().collect());
        if others.is_empty() && !entering.paths().is_empty() {
            return (focus, clusters.extract_if(.., |cluster| !entering.is_entered(tree, cluster)).collect());
        }
        let others = Self::new(others.into_iter().cloned().collect());
        let files: FxHashSet<FileId> = tree.files().filter(|file| others.covers(tree.path(*file))).collect();
        let part = |cluster: &Cluster| match cluster.reached && entering.is_entered(tree, cluster) {
            true => Part { is_whole: true, ..Part::default() },
            false => Part::new(cluster, &others, &files),
        };
        (Focus { parts: Some(clusters.iter().map(part).collect()), ..focus }, Vec::new())
    }

    /// Whether the scope stands for the cluster: it holds its root, or all its entry points or what they apply; any of them
    /// for a group that no entry point reaches.
    fn is_entered(&self, tree: &Tree, cluster: &Cluster) -> bool {
        let in_scope = |span: Span| self.covers(tree.path(span.file));
        // Nodes that only each other apply have no entry point: each stands for the group.
        let is_circular = !cluster.nodes.iter().any(|node| node.is_entry);
        let mut entries = cluster.nodes.iter().filter(|node| node.is_entry || is_circular);
        let is_inside = |node: &Node| {
            let inside = matches!(&node.folder, Folder::Here(folder) if self.covers(folder));
            inside || node.manifests.iter().any(|manifest| in_scope(manifest.object.source))
        };
        match cluster.reached {
            true => self.covers(&cluster.root) || entries.all(is_inside),
            false => entries.any(is_inside),
        }
    }
}

impl Part {
    fn new(cluster: &Cluster, scope: &Scope, files: &FxHashSet<FileId>) -> Self {
        let uses: BTreeMap<NodeId, Use> = builders(cluster, files).into_iter().collect();
        let relation = |(id, node): (NodeId, &Node)| {
            let of = uses.get(&id).copied().unwrap_or_default();
            let relation = match () {
                () if of.defines => Relation::Defines,
                () if is_contained(node, scope) => Relation::Contains,
                () if of.objects > 0 || of.reads => Relation::ReadBy,
                () => return None,
            };
            Some((id, relation))
        };
        let nodes: BTreeMap<NodeId, Relation> = cluster.nodes().filter_map(relation).collect();
        let releases = cluster.releases.iter().enumerate().filter_map(|(index, release)| {
            let mut providers = release.providers.iter();
            if providers.clone().any(|provider| is_decided_by(cluster.object(*provider), files)) {
                return Some((index, Relation::Defines));
            }
            let is_inside = providers.any(|provider| nodes.get(&provider.node) == Some(&Relation::Contains));
            is_inside.then_some((index, Relation::Contains))
        });
        Self { is_whole: false, releases: releases.collect(), nodes }
    }

    fn is_empty(&self) -> bool {
        !self.is_whole && self.nodes.is_empty() && self.releases.is_empty()
    }

    fn subjects(&self, cluster: &Cluster) -> BTreeSet<Subject> {
        let nodes = self.nodes.keys().map(|id| cluster.node(*id).subject());
        nodes.chain(self.releases.keys().map(|index| cluster.releases[*index].subject())).collect()
    }

    /// The objects that are applied out of the scope, less what is a Kustomization itself.
    fn contents(&self, cluster: &Cluster) -> BTreeSet<Subject> {
        let contained = |id: &NodeId| self.nodes.get(id) == Some(&Relation::Contains);
        let nodes = cluster.nodes().map(|(id, _)| id).filter(contained);
        let keys = nodes.flat_map(|id| cluster.applied_by(id).collect::<Vec<_>>());
        keys.filter(|key| !key.is_kustomization()).map(|key| key.subject()).collect()
    }
}

/// Whether the folder that the node applies lies in the scope.
fn is_contained(node: &Node, scope: &Scope) -> bool {
    // The folders of an ExternalArtifact are not those of the repository.
    let is_here = !node.kustomization.spec.source_ref.is(EXTERNAL_ARTIFACT);
    is_here && matches!(&node.folder, Folder::Here(folder) if scope.covers(folder))
}

impl Focus {
    /// Whether anything of the cluster at `index` is reported.
    #[must_use]
    pub fn has_cluster(&self, index: usize) -> bool {
        self.parts.as_ref().is_none_or(|parts| parts.get(index).is_some_and(|part| !part.is_empty()))
    }

    /// What the scope has to do with a Kustomization or HelmRelease of the cluster at `index`; `None` where nothing, and where
    /// all of the cluster is reported.
    #[must_use]
    pub fn relation(&self, index: usize, named: ObjectRef) -> Option<Relation> {
        let part = self.parts.as_ref()?.get(index)?;
        match named {
            ObjectRef::Node(id) => part.nodes.get(&id).copied(),
            ObjectRef::Release(at) => part.releases.get(&at).copied(),
            ObjectRef::Object(_) => None,
        }
    }

    /// Whether a Kustomization or HelmRelease of the cluster at `index` is reported.
    #[must_use]
    pub fn has(&self, index: usize, named: ObjectRef) -> bool {
        let is_whole = self.parts.as_ref().is_none_or(|parts| parts.get(index).is_some_and(|part| part.is_whole));
        is_whole || self.relation(index, named).is_some()
    }

    /// The Kustomizations and HelmReleases that are reported of the cluster at `index`; `None` for all.
    #[must_use]
    pub fn subjects(&self, index: usize, cluster: &Cluster) -> Option<BTreeSet<Subject>> {
        let part = self.parts.as_ref()?.get(index)?;
        (!part.is_whole).then(|| part.subjects(cluster))
    }

    /// Whether what becomes of the file at `path` is reported by itself.
    #[must_use]
    pub fn has_file(&self, path: &str) -> bool {
        self.parts.is_none() || self.scope.covers(path)
    }

    /// Leaves the findings that are reported: those in the scope, and those about what is reported of `clusters`.
    pub fn retain(&self, findings: &mut Vec<Finding>, tree: &Tree, clusters: &[Cluster]) {
        let Some(parts) = &self.parts else { return };
        let reported: Vec<(&Cluster, bool, BTreeSet<Subject>)> = clusters
            .iter()
            .zip(parts)
            .map(|(cluster, part)| {
                let mut subjects = part.subjects(cluster);
                subjects.extend(part.contents(cluster));
                (cluster, part.is_whole, subjects)
            })
            .collect();
        findings.retain(|finding| {
            let others = finding.related.iter().filter_map(|related| related.location);
            self.scope.touches(tree, finding.location.span(), others)
                || reported.iter().any(|(cluster, is_whole, subjects)| {
                    let is_here = match cluster.reached {
                        true => finding.clusters.contains(&cluster.root),
                        false => finding.clusters.is_empty(),
                    };
                    let mut about = finding.members.iter().chain([&finding.subject]);
                    is_here && (*is_whole || about.any(|subject| subjects.contains(subject)))
                })
        });
    }

    /// What `clusters` are narrowed to, in words; `None` where all of them is reported.
    #[must_use]
    pub fn text(&self, clusters: &[Cluster]) -> Option<String> {
        let parts: Vec<(&Cluster, &Part)> = clusters.iter().zip(self.parts.as_ref()?).collect();
        let shown = |node: &Node| !node.is_generated;
        let nodes = parts.iter().flat_map(|(cluster, part)| {
            part.nodes.iter().filter(|(id, _)| shown(cluster.node(**id))).map(|(_, relation)| *relation)
        });
        let nodes: Vec<Relation> = nodes.collect();
        let releases: Vec<Relation> = parts.iter().flat_map(|(_, part)| part.releases.values().copied()).collect();
        let whole = parts.iter().filter(|(_, part)| part.is_whole).map(|(cluster, _)| readable(&cluster.root));
        let whole: Vec<String> = whole.map(|root| format!("cluster {root}")).collect();
        let paths: Vec<String> = self.scope.paths().iter().map(|path| readable(path).into_owned()).collect();
        let of = |relation| nodes.iter().chain(&releases).filter(|other| **other == relation).count();
        let counts = [Relation::Defines, Relation::Contains, Relation::ReadBy].map(of);
        let narrowed = sentence(&paths, [nodes.len(), releases.len()], counts);
        Some(match (whole.is_empty(), narrowed) {
            (true, None) => format!("narrowed to nothing: {}", nothing(&paths)),
            (true, Some(narrowed)) => format!("narrowed to {narrowed}"),
            (false, None) => format!("narrowed to {}", listed(&whole)),
            (false, Some(narrowed)) => format!("narrowed to {}, and to {narrowed}", listed(&whole)),
        })
    }
}

/// How many Kustomizations and HelmReleases there are, and what `paths` have to do with how many of them.
fn sentence(paths: &[String], things: [usize; 2], [defines, contains, read_by]: [usize; 3]) -> Option<String> {
    let counted = things.iter().zip(["Kustomization", "HelmRelease"]).filter(|(number, _)| **number > 0);
    let counted: Vec<String> = counted.map(|(number, kind)| count(*number, kind)).collect();
    if counted.is_empty() {
        return None;
    }
    let is_one = paths.len() == 1;
    let verbs = if is_one { ["defines", "contains"] } else { ["define", "contain"] };
    let own = [defines, contains].into_iter().zip(verbs).filter(|(number, _)| *number > 0);
    let own: Vec<String> = own.map(|(number, verb)| format!("{verb} ({number})")).collect();
    let named = listed(paths);
    let it = if is_one { "it" } else { "them" };
    let read = if read_by == 1 { "reads" } else { "read" };
    let relation = match (own.is_empty(), read_by) {
        (true, _) => format!("that {read} {named}"),
        (false, 0) => format!("that {named} {}", own.join(" or ")),
        (false, _) => format!("that {named} {} and that {read} {it} ({read_by})", own.join(" or ")),
    };
    Some(format!("{} {relation}", counted.join(" and ")))
}

/// Why nothing is left.
fn nothing(paths: &[String]) -> String {
    let named = listed(paths);
    match paths {
        [] => "what was asked about lies beside the artifact root".to_owned(),
        [_] => format!("{named} defines and contains no Kustomization, and none reads it"),
        _ => format!("{named} define and contain no Kustomization, and none reads them"),
    }
}

/// Paths that are named; more are counted.
const NAMED: usize = 3;

fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] if names.len() <= NAMED => format!("{} and {last}", first.join(", ")),
        _ => format!("{} and {} more", names[..NAMED - 1].join(", "), names.len() + 1 - NAMED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worded(paths: &[&str], things: [usize; 2], counts: [usize; 3]) -> Option<String> {
        sentence(&paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>(), things, counts)
    }

    #[test]
    fn a_narrowed_run_says_what_the_path_has_to_do_with_what_is_left() {
        let expected = "3 Kustomizations that apps/x defines (1) and that read it (2)";
        assert_eq!(worded(&["apps/x"], [3, 0], [1, 0, 2]).as_deref(), Some(expected));
        assert_eq!(worded(&["a"], [1, 0], [0, 0, 1]).as_deref(), Some("1 Kustomization that reads a"));
        let expected = "1 Kustomization and 2 HelmReleases that a and b define (2) or contain (1)";
        assert_eq!(worded(&["a", "b"], [1, 2], [2, 1, 0]).as_deref(), Some(expected));
        assert_eq!(worded(&["a"], [0, 0], [0, 0, 0]), None);
        let names: Vec<String> = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
        assert_eq!((listed(&names[..3]).as_str(), listed(&names).as_str()), ("a, b and c", "a, b and 2 more"));
    }
}
