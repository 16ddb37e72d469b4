pub(super) mod charts;
pub(super) mod externals;
pub(super) mod health_set;
mod keys;
pub(super) mod object_query;

pub use keys::{NodeKey, ObjectKey};

use std::collections::BTreeMap;

use super::{Externals, Implicit};
use crate::{
    finding::Subject,
    flux::{
        Applied, Controllers, FluxVersion, HelmRelease, Kustomization, Policy, ResourceSet, SourceRef,
        api::kinds::{HELM_RELEASE, KUSTOMIZATION, NAMESPACE, RESOURCE_SET},
    },
    kustomize::{Object, Unresolved},
    source::{Span, normalize},
};

/// A cluster: everything that one set of entry points leads to.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// Folder of its entry point, relative to the artifact root; what names it in output.
    pub root: String,
    /// Whether an entry point leads here. What only a file outside every build defines forms groups of its own, which
    /// are analysed with less weight.
    pub reached: bool,
    /// The Flux release that runs there, where the repository tells.
    pub version: Option<FluxVersion>,
    /// Whether a file tells that, so that it is not what the user has set.
    pub tells_version: bool,
    /// How the Flux controllers are run there, as far as the repository tells.
    pub controllers: Controllers,
    /// Its Kustomizations, sorted by key.
    pub nodes: Vec<Node>,
    /// Its HelmReleases, sorted by key.
    pub releases: Vec<Release>,
    /// Every object and the Kustomizations that apply it, in node order.
    pub objects: BTreeMap<ObjectKey, Vec<Provider>>,
    /// What its nodes supply to each other without a name: manifests, namespaces, Secrets.
    pub implicit: Implicit,
}

/// A Kustomization of a cluster, by position in [`Cluster::nodes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

/// Who applies an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Provider {
    /// The Kustomization.
    pub node: NodeId,
    /// Position in [`Node::resource_sets`], where the Kustomization applies not the object but a ResourceSet that makes
    /// it.
    pub set: Option<usize>,
    /// Position of the object in what the Kustomization or the ResourceSet applies.
    pub object: usize,
}

/// A Kustomization and what it applies.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its identity.
    pub key: NodeKey,
    /// The Kustomization itself.
    pub kustomization: Kustomization,
    /// Whether it exists before anything is reconciled.
    pub is_entry: bool,
    /// Whether the Flux Operator makes it of chart values, so that no object of the repository shows it.
    pub is_generated: bool,
    /// Every manifest that the builds of this cluster hold, the one in force first.
    pub manifests: Vec<Manifest>,
    /// Where its manifests are.
    pub folder: Folder,
    /// What it applies.
    pub applied: Applied,
    /// The ResourceSets it applies, and what the Flux Operator makes of them. Their objects are not part of the
    /// Kustomization's own health check.
    pub resource_sets: Vec<ResourceSet>,
    /// What about it cannot be known from the repository.
    pub unresolved: Vec<Unresolved>,
}

/// A document that defines a node.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// The Kustomization whose build holds it; `None` for an entry point.
    pub owner: Option<NodeKey>,
    /// The ResourceSet that makes it, where the owner's build holds not the object but that.
    pub resource_set: Option<NodeKey>,
    /// The object.
    pub object: Object,
}

/// Where the manifests of a node are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Folder {
    /// In this folder of its artifact.
    Here(String),
    /// In this folder of a source that is mapped to a folder on disk.
    Mapped(String),
    /// Nowhere: the artifact has no such folder. The file, where there is one of that name.
    Missing {
        /// The folder that is not there.
        path: String,
        /// Whether a file or a link stands in its place.
        other: Option<&'static str>,
        /// The artifact's folder of the nearest name.
        similar: Option<String>,
        /// The folder on disk that the source is mapped to, where it is, as the user wrote it.
        mapping: Option<String>,
    },
    /// In a source whose files this repository does not hold, and why.
    Elsewhere(String),
    /// Unknown: the path holds a variable that is set outside the repository.
    Unknown,
}

/// A HelmRelease of a cluster.
#[derive(Debug, Clone)]
pub struct Release {
    /// Its identity.
    pub key: NodeKey,
    /// The HelmRelease.
    pub helm: HelmRelease,
    /// Who applies it.
    pub providers: Vec<Provider>,
}

impl Release {
    /// The release as the subject of a finding.
    #[must_use]
    pub fn subject(&self) -> Subject {
        self.key.subject(HELM_RELEASE.kind)
    }
}

/// The folder that the root of a cluster names.
#[must_use]
pub fn folder_of(root: &str) -> &str {
    root.split(" (").next().unwrap_or(root)
}

impl NodeId {
    /// Position in [`Cluster::nodes`].
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl Cluster {
    /// The node of that id.
    #[must_use]
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    /// The folder that its root names: where one holds several clusters, the root names more.
    #[must_use]
    pub fn folder(&self) -> &str {
        folder_of(&self.root)
    }

    /// Its root for people.
    #[must_use]
    pub fn shown_root(&self) -> &str {
        if self.root.is_empty() { "." } else { &self.root }
    }

    /// The nodes with their ids.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.nodes.iter().enumerate().map(|(index, node)| (NodeId(index as u32), node))
    }

    /// The node of that key.
    #[must_use]
    pub fn find(&self, key: &NodeKey) -> Option<NodeId> {
        self.nodes.binary_search_by(|node| node.key.cmp(key)).ok().map(|index| NodeId(index as u32))
    }

    /// The nodes of that name, in whatever namespace.
    pub fn named<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Node> {
        self.nodes.iter().filter(move |node| node.key.name == name)
    }

    /// The HelmRelease of that key.
    #[must_use]
    pub fn release(&self, key: &NodeKey) -> Option<usize> {
        self.releases.binary_search_by(|release| release.key.cmp(key)).ok()
    }

    /// The object that a provider applies.
    #[must_use]
    pub fn object(&self, provider: Provider) -> &Object {
        self.node(provider.node).object(provider)
    }

    /// The Kustomization or ResourceSet that applies an object.
    #[must_use]
    pub fn owner(&self, provider: Provider) -> Subject {
        let node = self.node(provider.node);
        match provider.set.and_then(|set| node.resource_sets.get(set)) {
            Some(set) => set_key(set).subject(RESOURCE_SET.kind),
            None => node.subject(),
        }
    }

    /// Tells it what is made outside the repository and there from the start: whatever asks whether something is missing or
    /// comes too late finds it.
    pub fn declare(&mut self, externals: &Externals) {
        self.implicit.declare(externals.clone());
    }

    /// Whether the object is made outside the repository, as the user says.
    #[must_use]
    pub fn is_external(&self, kind: &str, namespace: &str, name: &str) -> bool {
        self.implicit.externals().have(kind, namespace, name)
    }

    /// Whether something makes the object: a build of the cluster, what sets the cluster up, or somebody outside the repository.
    #[must_use]
    pub fn provides(&self, key: &ObjectKey) -> bool {
        self.objects.contains_key(key)
            || self.is_external(&key.kind, &key.namespace, &key.name)
            || self.implicit.is_made_before(key)
    }

    /// Whether the namespace is there from the start, or something in the cluster makes it, sooner or later.
    #[must_use]
    pub fn has_namespace(&self, name: &str) -> bool {
        Implicit::is_given_namespace(name)
            || self.nodes.iter().any(|node| node.is_entry && node.key.namespace == name)
            || self.implicit.namespace(name).is_some()
            || self.is_external(NAMESPACE.kind, "", name)
    }

    /// Whether `wanted` names this cluster: by its root, by the end of that, or by one folder of it.
    #[must_use]
    pub fn is_named(&self, wanted: &str) -> bool {
        is_named(&self.root, wanted)
    }

    /// Whether its entry points lead nowhere: the folders that they apply are not there.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        let mut entries = self.nodes.iter().filter(|node| node.is_entry).peekable();
        entries.peek().is_some() && entries.all(|node| matches!(node.folder, Folder::Missing { .. }))
    }

    /// How many nodes are not wholly known.
    #[must_use]
    pub fn unresolved_nodes(&self) -> usize {
        self.nodes.iter().filter(|node| !node.unresolved.is_empty()).count()
    }
}

impl Node {
    /// An object that it provides.
    pub(super) fn object(&self, provider: Provider) -> &Object {
        let objects = match provider.set {
            Some(set) => &self.resource_sets[set].objects,
            None => &self.applied.build.objects,
        };
        &objects[provider.object]
    }

    /// The objects of its build that annotations exempt from being applied. They stay as they are, and in its inventory.
    pub fn skipped(&self) -> impl Iterator<Item = &Object> {
        self.applied.build.objects.iter().filter(|object| !Policy::new(&object.node).applied)
    }

    /// The node as the subject of a finding.
    #[must_use]
    pub fn subject(&self) -> Subject {
        self.key.subject(KUSTOMIZATION.kind)
    }

    /// The source that it takes its files from.
    #[must_use]
    pub fn source(&self) -> SourceRef {
        SourceRef::new(&self.kustomization.spec.source_ref, &self.key.namespace)
    }

    /// Whether kustomize-controller checks anything before it calls the node Ready (`wait` or `healthChecks`).
    #[must_use]
    pub fn has_gate(&self) -> bool {
        self.kustomization.spec.wait || !self.kustomization.spec.health_checks.is_empty()
    }

    /// Whether objects may be missing from what it builds.
    #[must_use]
    pub fn hides_objects(&self) -> bool {
        self.unresolved.iter().any(Unresolved::hides_objects)
    }

    /// Whether it applies to another cluster than the one it lives in.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        self.kustomization.spec.is_remote()
    }

    /// The place of its name.
    #[must_use]
    pub fn span(&self) -> Span {
        self.kustomization.name_span()
    }
}

impl Manifest {
    /// The Kustomization or ResourceSet that applies it.
    #[must_use]
    pub fn applied_by(&self) -> Option<Subject> {
        let set = self.resource_set.as_ref().map(|set| set.subject(RESOURCE_SET.kind));
        set.or_else(|| self.owner.as_ref().map(|owner| owner.subject(KUSTOMIZATION.kind)))
    }
}

/// Whether `wanted` names the cluster of that root: by the root, by the end of it, or by one folder of it.
#[must_use]
pub fn is_named(root: &str, wanted: &str) -> bool {
    let wanted = normalize(wanted);
    root == wanted || root.ends_with(&format!("/{wanted}")) || root.split('/').any(|part| part == wanted)
}

/// The key of a ResourceSet.
pub(super) fn set_key(set: &ResourceSet) -> NodeKey {
    NodeKey::new(set.namespace.clone(), set.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_named_by_its_path_or_a_folder_of_it() {
        let cluster = Cluster {
            root: "kubernetes/clusters/apps".to_owned(),
            reached: true,
            version: None,
            tells_version: false,
            controllers: Controllers::default(),
            nodes: Vec::new(),
            releases: Vec::new(),
            objects: BTreeMap::new(),
            implicit: Implicit::default(),
        };
        for wanted in ["kubernetes/clusters/apps", "clusters/apps", "apps", "./kubernetes/clusters/apps/"] {
            assert!(cluster.is_named(wanted), "{wanted}");
        }
        assert!(!cluster.is_named("app"));
    }
}
