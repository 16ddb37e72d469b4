//! Entries of `dependsOn` that lead nowhere. The controllers look the dependency up before anything else, and try again
//! forever (kustomize-controller v1.9 and helm-controller v1.6, `checkDependencies`).

use std::cell::LazyCell;

use super::{
    Blocker, Cause, View,
    hidden::{Unseen, Wanted},
    outside,
    renames::{Broken, Rename, Renames},
};
use crate::{
    cluster::{Cluster, Node, NodeKey, Release, folder_of},
    finding::{Confidence, Subject, list},
    flux::{Reading, SourceRef, api::DependencyReference, is_open_text},
    graph::{Actor, Moment, Reason},
    kustomize::Object,
    source::{
        Span,
        names::{NEAR, best_by, is_slip, likeness},
    },
};

/// An entry of `dependsOn`, of a Kustomization or a HelmRelease, that leads to no object of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DependencyFact {
    /// The object that has the entry.
    pub actor: Actor,
    /// The same by name.
    pub subject: Subject,
    /// The name in the entry.
    pub name: String,
    /// The namespace that the name is looked up in.
    pub namespace: String,
    /// The namespace in the entry.
    pub declared_namespace: Option<String>,
    /// The place of the entry.
    pub span: Span,
    /// Why it leads nowhere.
    pub problem: DependencyProblem,
    /// Why the dependency may exist all the same.
    pub doubt: Option<Doubt>,
    /// What shows that another repository may define it, where it would be in a namespace that this one knows nothing of.
    pub outside: Option<String>,
    /// How sure it is that the dependency does not exist.
    pub confidence: Confidence,
}

/// Why an entry of `dependsOn` leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DependencyProblem {
    /// An overlay renamed or moved one of the two objects.
    Renamed(Rename),
    /// Objects of that name and kind exist in these other namespaces only.
    OtherNamespace(Vec<(String, Span)>),
    /// Only an object of the other kind has the name.
    OtherKind {
        /// That object.
        object: Subject,
        /// Its place.
        place: Span,
        /// The Kustomization that applies it, where it is a HelmRelease.
        owner: Option<NodeKey>,
    },
    /// Nothing in the cluster has the name.
    Nowhere {
        /// Where other parts of the repository have it.
        elsewhere: Vec<Elsewhere>,
        /// The name in this cluster that is most like it.
        similar: Option<String>,
    },
}

/// An object of the wanted kind and name that is no part of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// The root of its cluster; `None` where no entry point reaches it.
    pub cluster: Option<String>,
    /// The place of its name.
    pub place: Span,
}

/// What may provide a dependency that no build of the cluster holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// A part of a build that the repository does not show.
    Hidden(String),
    /// Whatever applies the dependent: nothing in this repository does.
    AppliedFromOutside,
    /// A template.
    Template(String),
    /// An object whose name holds a variable.
    Open(Subject),
}

impl DependencyFact {
    /// The object that the entry asks for.
    #[must_use]
    pub fn wanted(&self) -> Subject {
        NodeKey::new(self.namespace.as_str(), self.name.as_str()).subject(&self.subject.kind)
    }

    /// What is wrong, as a clause that follows the name of the dependent.
    #[must_use]
    pub fn clause(&self) -> String {
        let (wanted, name) = (self.wanted(), &self.name);
        match &self.problem {
            DependencyProblem::Renamed(rename) => format!("depends on {wanted}, {}", rename.clause(&self.subject.kind)),
            DependencyProblem::OtherNamespace(there) => {
                let namespaces: Vec<String> = there.iter().map(|(namespace, _)| format!("`{namespace}`")).collect();
                format!("depends on {wanted}, but `{name}` lives in namespace {}", list(&namespaces))
            }
            DependencyProblem::OtherKind { object, .. } => {
                format!("depends on {wanted}, but `{name}` is a {}", object.kind)
            }
            DependencyProblem::Nowhere { .. } => format!("depends on {wanted}, which nothing in this cluster defines"),
        }
    }

    /// The dependent never starts. A `readyExpr` changes nothing, since it is evaluated on the object that is missing.
    #[must_use]
    pub fn blocker(&self) -> Option<Blocker> {
        Some(Blocker {
            actor: self.actor,
            moment: Moment::Start,
            reason: Reason::DependsOn,
            cause: Cause::MissingDependency,
            text: self.clause(),
            span: self.span,
            confidence: self.confidence,
        })
    }
}

/// Finds those of a cluster: first of its Kustomizations, then of its HelmReleases.
pub(super) fn find(view: View<'_>) -> Vec<DependencyFact> {
    let unseen = LazyCell::new(|| Unseen::new(view.cluster, Some(view.store.tree())));
    let renames = LazyCell::new(|| Renames::new(view));
    let entries = entries(view.cluster).filter(|entry| !entry.is_found(view.cluster));
    let found = entries.filter_map(|entry| {
        let open = unseen.open(entry.wanted());
        // What stands around the variables of a name that is there says that it is this one.
        if open.as_ref().is_some_and(|(reading, _)| *reading >= Reading::Fits) {
            return None;
        }
        let problem = match entry.renamed(view.cluster, &renames) {
            Some(rename) => DependencyProblem::Renamed(rename),
            None => entry.problem(view)?,
        };
        let doubt = entry.doubt(view.cluster, &problem, &unseen, open);
        let confidence = match &doubt {
            None => Confidence::High,
            // The name that is meant is there, so it is hardly another one that cannot be seen.
            Some(_) if entry.is_misspelt(&problem) => Confidence::Medium,
            Some(_) => Confidence::Low,
        };
        let confidence = view.confidence(confidence);
        Some(DependencyFact {
            actor: entry.actor,
            subject: entry.key.subject(entry.kind),
            name: entry.name.to_owned(),
            namespace: entry.namespace.to_owned(),
            declared_namespace: entry.declared_namespace.map(str::to_owned),
            span: entry.span,
            problem,
            doubt,
            outside: None,
            confidence,
        })
    });
    let mut found: Vec<DependencyFact> = found.collect();
    outside::mark(view, &mut found);
    found
}

/// An entry of `dependsOn`.
struct Entry<'a> {
    actor: Actor,
    kind: &'static str,
    key: &'a NodeKey,
    object: &'a Object,
    name: &'a str,
    namespace: &'a str,
    declared_namespace: Option<&'a str>,
    span: Span,
}

/// Every entry of the Kustomizations and HelmReleases of a cluster.
fn entries(cluster: &Cluster) -> impl Iterator<Item = Entry<'_>> {
    let of_nodes = cluster.nodes().flat_map(|(id, node)| {
        let (kustomization, actor) = (&node.kustomization, Actor::Node(id));
        let entry = move |(index, reference)| {
            let span = kustomization.item_span(&["spec", "dependsOn"], index);
            Entry::new(actor, (NODE, &node.key, &kustomization.object), reference, span)
        };
        kustomization.spec.depends_on.iter().enumerate().map(entry)
    });
    let of_releases = cluster.releases.iter().enumerate().flat_map(|(position, release)| {
        let (helm, actor) = (&release.helm, Actor::Release(position as u32));
        let entry = move |(index, reference)| {
            let span = helm.item_span(&["spec", "dependsOn"], index);
            Entry::new(actor, (RELEASE, &release.key, &helm.object), reference, span)
        };
        helm.spec.depends_on.iter().enumerate().map(entry)
    });
    of_nodes.chain(of_releases)
}

const NODE: &str = "Kustomization";
const RELEASE: &str = "HelmRelease";

impl<'a> Entry<'a> {
    fn new(
        actor: Actor,
        (kind, key, object): (&'static str, &'a NodeKey, &'a Object),
        reference: &'a DependencyReference,
        span: Span,
    ) -> Self {
        let declared_namespace = reference.namespace.as_deref();
        let namespace = declared_namespace.unwrap_or(&key.namespace);
        Self { actor, kind, key, object, name: &reference.name, namespace, declared_namespace, span }
    }

    /// Whether the entry leads to an object, or it cannot be said.
    fn is_found(&self, cluster: &Cluster) -> bool {
        let Self { kind, name, namespace, .. } = self;
        // Where the namespace of either side is not known, the name decides.
        let is_it = |key: &NodeKey| key.namespace == *namespace || key.namespace.is_empty() || namespace.is_empty();
        has(cluster, kind, &NodeKey::new(*namespace, *name))
            || cluster.is_external(kind, namespace, name)
            || name.is_empty()
            || is_open_text(name)
            || is_open_text(namespace)
            || named(cluster, kind, name).any(|(key, _)| is_it(key))
    }

    fn wanted(&self) -> Wanted<'a> {
        Wanted { kind: self.kind, namespace: self.namespace, name: self.name }
    }

    /// What may provide the dependency although nothing in sight does.
    fn doubt(
        &self,
        cluster: &Cluster,
        problem: &DependencyProblem,
        unseen: &Unseen<'_>,
        open: Option<(Reading, Subject)>,
    ) -> Option<Doubt> {
        let wanted = self.wanted();
        let (elsewhere, similar) = match problem {
            DependencyProblem::Renamed(_) => return None,
            DependencyProblem::Nowhere { elsewhere, similar } => (elsewhere.as_slice(), similar.as_deref()),
            // A name that is there, but not in that place, is no part of what cannot be seen.
            DependencyProblem::OtherNamespace(_) | DependencyProblem::OtherKind { .. } => {
                return unseen.template(wanted).map(Doubt::Template);
            }
        };
        if let Some((_, object)) = open {
            return Some(Doubt::Open(object));
        }
        if let Some(part) = unseen.part(wanted, &|_| false) {
            return Some(Doubt::Hidden(part));
        }
        if elsewhere.is_empty() && similar.is_none() && is_on_its_own(cluster, self.actor) {
            return Some(Doubt::AppliedFromOutside);
        }
        unseen.template(wanted).map(Doubt::Template)
    }

    /// Whether the name that is meant is in the cluster, written otherwise.
    fn is_misspelt(&self, problem: &DependencyProblem) -> bool {
        let DependencyProblem::Nowhere { similar: Some(similar), .. } = problem else { return false };
        is_slip(similar.rsplit('/').next().unwrap_or(similar), self.name)
    }

    fn renamed(&self, cluster: &Cluster, renames: &Renames<'_>) -> Option<Rename> {
        let broken = Broken {
            referrer: self.object,
            wanted: SourceRef { kind: self.kind.into(), namespace: self.namespace.into(), name: self.name.into() },
            is_relative: self.declared_namespace.is_none(),
        };
        renames.explain(&broken, &|namespace| has(cluster, self.kind, &NodeKey::new(namespace, self.name)))
    }

    /// What is wrong with an entry that no rename explains. `None` where no entry point reaches the object and some part
    /// of the repository has the name: nobody can say which cluster the object is for.
    fn problem(&self, view: View<'_>) -> Option<DependencyProblem> {
        let cluster = view.cluster;
        let there: Vec<(String, Span)> =
            named(cluster, self.kind, self.name).map(|(key, place)| (key.namespace.to_string(), place)).collect();
        if !there.is_empty() {
            return Some(DependencyProblem::OtherNamespace(there));
        }
        let other = if self.kind == NODE { RELEASE } else { NODE };
        let of_other_kind = named(cluster, other, self.name).max_by_key(|(key, _)| key.namespace == self.namespace);
        if let Some((key, place)) = of_other_kind {
            let release = cluster.release(key).filter(|_| other == RELEASE).map(|index| &cluster.releases[index]);
            let owner = release.and_then(|release| release.providers.first());
            let owner = owner.map(|provider| cluster.node(provider.node).key.clone());
            return Some(DependencyProblem::OtherKind { object: key.subject(other), place, owner });
        }
        let elsewhere = self.elsewhere(view);
        // Two groups of one folder may well be one cluster.
        let is_beside =
            |other: &Elsewhere| other.cluster.as_deref().is_some_and(|root| folder_of(root) == cluster.folder());
        let is_ambiguous = !cluster.reached && !elsewhere.is_empty() || elsewhere.iter().any(is_beside);
        (!is_ambiguous).then(|| DependencyProblem::Nowhere { elsewhere, similar: self.similar(cluster) })
    }

    /// Where other clusters, and files that no entry point reaches, have the object.
    fn elsewhere(&self, view: View<'_>) -> Vec<Elsewhere> {
        let is_it =
            |key: &NodeKey| key.namespace == self.namespace || key.namespace.is_empty() || self.namespace.is_empty();
        let others = view.clusters.iter().filter(|other| !view.is_of(other));
        let found = others.filter_map(|other| {
            let (_, place) = named(other, self.kind, self.name).find(|(key, _)| is_it(key))?;
            Some(Elsewhere { cluster: other.reached.then(|| other.root.clone()), place })
        });
        found.collect()
    }

    /// The name in the cluster that is most like the one asked for, if any is near.
    fn similar(&self, cluster: &Cluster) -> Option<String> {
        let keys: Vec<&NodeKey> = match self.kind {
            NODE => cluster.nodes.iter().map(|node| &node.key).collect(),
            _ => cluster.releases.iter().map(|release| &release.key).collect(),
        };
        let candidates = keys.into_iter().filter(|key| key.name != self.key.name);
        let best = best_by(candidates, |key| alike(&key.name, self.name));
        best.map(|(_, key)| if key.namespace == self.namespace { key.name.to_string() } else { key.to_string() })
    }
}

/// How alike the name of an object and the name in an entry are, where that is worth a question.
fn alike(known: &str, wanted: &str) -> Option<f64> {
    let (left, right) = (known.chars().count(), wanted.chars().count());
    if left.abs_diff(right) * 10 > left.max(right) * 3 {
        return None;
    }
    let (long, short) = if known.len() > wanted.len() { (known, wanted) } else { (wanted, known) };
    // `rook-ceph-cluster` for `storage-rook-ceph-cluster`: a prefix is easily added or left out.
    let is_tail = short.contains('-') && long.strip_suffix(short).is_some_and(|head| head.ends_with('-'));
    likeness(known, wanted, NEAR).or_else(|| is_tail.then_some(NEAR))
}

/// Whether the cluster has the Kustomization or HelmRelease.
fn has(cluster: &Cluster, kind: &str, key: &NodeKey) -> bool {
    if kind == NODE { cluster.find(key).is_some() } else { cluster.release(key).is_some() }
}

/// The Kustomizations or HelmReleases of that name, in whatever namespace, each with its place.
fn named<'a>(cluster: &'a Cluster, kind: &str, name: &str) -> impl Iterator<Item = (&'a NodeKey, Span)> {
    let (nodes, releases): (&[Node], &[Release]) =
        if kind == NODE { (&cluster.nodes, &[]) } else { (&[], &cluster.releases) };
    let nodes = nodes.iter().filter(move |node| node.key.name == name).map(|node| (&node.key, node.span()));
    let releases = releases.iter().filter(move |release| release.key.name == name);
    nodes.chain(releases.map(|release| (&release.key, release.helm.name_span())))
}

/// Whether an actor is a Kustomization that nothing in this repository applies, and that does not lie where the folders of
/// clusters do either: an application that ships its own Kustomization, for some cluster to take in.
fn is_on_its_own(cluster: &Cluster, actor: Actor) -> bool {
    let Actor::Node(id) = actor else { return false };
    let is_outside = |node: &Node| node.manifests.iter().all(|manifest| manifest.owner.is_none());
    let node = cluster.node(id);
    !cluster.root.split('/').any(|part| part == "clusters") && node.is_entry && is_outside(node)
}
