//! What the entries of `dependsOn` lead to.

use std::cell::OnceCell;

use super::{Situation, names::likeness, wording::requeue};
use crate::{
    cluster::{Cluster, NodeKey, Release},
    finding::{Confidence, Finding, Subject},
    flux::{api::DependencyReference, is_open_text},
    kustomize::Unresolved,
    source::{Span, Tree},
};

/// From this likeness on, a name is worth asking about.
const NEAR: f64 = 0.7;

/// An entry of `dependsOn`.
pub(in crate::rules) struct Entry<'a> {
    /// Whose entry it is.
    pub(in crate::rules) subject: Subject,
    /// The name it holds.
    pub(in crate::rules) name: &'a str,
    /// The namespace it is looked up in.
    pub(in crate::rules) namespace: String,
    /// The namespace it holds.
    pub(in crate::rules) declared_namespace: Option<&'a str>,
    /// Where it stands.
    pub(in crate::rules) span: Span,
    /// What it leads to.
    pub(in crate::rules) target: Target,
}

/// What an entry leads to.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::rules) enum Target {
    /// The object, or something that is not known well enough to say.
    Found,
    /// Objects of that name and kind in other namespaces.
    OtherNamespace(Vec<(String, Span)>),
    /// An object of that name, but of the other kind.
    OtherKind { subject: Subject, span: Span, owner: Option<String> },
    /// Nothing of that name.
    Nothing,
}

/// Every entry of every Kustomization and HelmRelease of a cluster.
pub(in crate::rules) fn entries<'a>(situation: &Situation<'a>) -> Vec<Entry<'a>> {
    let cluster = situation.cluster;
    let of_nodes = cluster.nodes.iter().flat_map(|node| {
        let span = |index| node.kustomization.item_span(&["spec", "dependsOn"], index);
        let found = node.kustomization.spec.depends_on.iter().enumerate();
        found.map(move |(index, entry)| (node.subject(), &node.key, entry, span(index)))
    });
    let of_releases = cluster.releases.iter().flat_map(|release| {
        let span = |index| release.helm.item_span(&["spec", "dependsOn"], index);
        let found = release.helm.spec.depends_on.iter().enumerate();
        found.map(move |(index, entry)| (release.subject(), &release.key, entry, span(index)))
    });
    of_nodes.chain(of_releases).map(|(subject, key, entry, span)| resolve(cluster, subject, key, entry, span)).collect()
}

fn resolve<'a>(
    cluster: &'a Cluster,
    subject: Subject,
    key: &NodeKey,
    entry: &'a DependencyReference,
    span: Span,
) -> Entry<'a> {
    let namespace = entry.namespace.as_deref().unwrap_or(&key.namespace).to_owned();
    let target = target(cluster, &subject.kind, &namespace, &entry.name);
    Entry { subject, name: &entry.name, namespace, declared_namespace: entry.namespace.as_deref(), span, target }
}

fn target(cluster: &Cluster, kind: &str, namespace: &str, name: &str) -> Target {
    let wanted = NodeKey::new(namespace, name);
    let is_node = kind == "Kustomization";
    if if is_node { cluster.find(&wanted).is_some() } else { cluster.release(&wanted).is_some() } {
        return Target::Found;
    }
    if cluster.is_external(kind, namespace, name) {
        return Target::Found;
    }
    let same_kind: Vec<(&NodeKey, Span)> = if is_node { nodes(cluster, name) } else { releases(cluster, name) };
    // Where the namespace of either side is not known, the name decides.
    let is_open = |key: &NodeKey| key.namespace.is_empty() || namespace.is_empty();
    let is_known = same_kind.iter().any(|(key, _)| **key == wanted || is_open(key));
    if is_known || name.is_empty() || is_open_text(name) || is_open_text(namespace) {
        return Target::Found;
    }
    if !same_kind.is_empty() {
        return Target::OtherNamespace(
            same_kind.into_iter().map(|(key, span)| (key.namespace.to_string(), span)).collect(),
        );
    }
    let other_kind = if is_node { releases(cluster, name) } else { nodes(cluster, name) };
    let Some((key, span)) = other_kind.into_iter().max_by_key(|(key, _)| key.namespace == namespace) else {
        return Target::Nothing;
    };
    let owner = cluster.release(key).filter(|_| is_node).and_then(|index| {
        let provider = cluster.releases[index].providers.first()?;
        Some(cluster.node(provider.node).key.to_string())
    });
    Target::OtherKind { subject: key.subject(if is_node { "HelmRelease" } else { "Kustomization" }), span, owner }
}

/// Most names that a missing one is compared with: where there are more, a slip in one place costs too much time.
const COMPARED: usize = 3000;

/// Whether texts of these lengths can be alike at all.
fn is_of_like_length(left: &str, right: &str) -> bool {
    let (left, right) = (left.chars().count(), right.chars().count());
    left.abs_diff(right) * 10 <= left.max(right) * 3
}

fn nodes<'a>(cluster: &'a Cluster, name: &str) -> Vec<(&'a NodeKey, Span)> {
    cluster.named(name).map(|node| (&node.key, node.span())).collect()
}

fn releases<'a>(cluster: &'a Cluster, name: &str) -> Vec<(&'a NodeKey, Span)> {
    let named = cluster.releases.iter().filter(|release| release.key.name == name);
    named.map(|release| (&release.key, release.helm.name_span())).collect()
}

/// What may define an object of `kind` without showing it: a ResourceSet that cannot be expanded, or a chart of this
/// repository that does.
pub(in crate::rules) fn templated_by(tree: &Tree, cluster: &Cluster, kind: &str) -> Option<String> {
    let sets = cluster.nodes.iter().flat_map(|node| &node.resource_sets);
    // What is known of a set in full hides nothing.
    if let Some(set) = sets.into_iter().find(|set| set.unresolved.iter().any(Unresolved::hides_objects)) {
        return Some(format!("ResourceSet/{}/{}", set.namespace, set.name));
    }
    let is_homemade = |release: &&Release| {
        let spec = &release.helm.spec;
        let chart = spec.chart.as_ref().map(|chart| &chart.spec.source_ref);
        let reference = spec.chart_ref.as_ref().or(chart);
        let kind = reference.and_then(|reference| reference.kind.as_deref());
        matches!(kind, Some("GitRepository" | "Bucket" | "ExternalArtifact" | "HelmChart"))
    };
    let release = cluster.releases.iter().find(is_homemade)?;
    let line = format!("kind: {kind}");
    let mut templates = tree.files().filter(|file| tree.path(*file).contains("/templates/"));
    let is_made =
        templates.any(|file| tree.text(file).is_some_and(|text| text.contains(&line) && text.contains(TOOLKIT)));
    is_made.then(|| format!("a chart in this repository, as that of {} may be", release.subject()))
}

/// What [`templated_by`] says of one cluster: it reads many files, so it is asked once.
pub(in crate::rules) struct Doubts<'a> {
    tree: &'a Tree,
    cluster: &'a Cluster,
    nodes: OnceCell<Option<String>>,
    releases: OnceCell<Option<String>>,
}

impl<'a> Doubts<'a> {
    pub(in crate::rules) const fn of(tree: &'a Tree, cluster: &'a Cluster) -> Self {
        Self { tree, cluster, nodes: OnceCell::new(), releases: OnceCell::new() }
    }

    fn of_kind(&self, kind: &str) -> Option<&str> {
        let known = if kind == "HelmRelease" { &self.releases } else { &self.nodes };
        known.get_or_init(|| templated_by(self.tree, self.cluster, kind)).as_deref()
    }
}

const TOOLKIT: &str = ".toolkit.fluxcd.io/";

impl Entry<'_> {
    /// The object it asks for, as `Kind/namespace/name`.
    pub(in crate::rules) fn wanted(&self) -> Subject {
        NodeKey::new(self.namespace.as_str(), self.name).subject(&self.subject.kind)
    }

    /// What it does at run time, as a sentence without full stop, with the controller's message (kustomize-controller
    /// v1.9 `checkDependencies`, helm-controller v1.6).
    pub(in crate::rules) fn symptom(&self, cluster: &Cluster) -> String {
        let message = match self.subject.kind.as_str() {
            "HelmRelease" => format!("unable to get '{}/{}' dependency", self.namespace, self.name),
            _ => format!("dependency '{}/{}' not found", self.namespace, self.name),
        };
        let every = requeue(cluster, &self.subject.kind);
        format!(
            "It stays at Ready=False, reason DependencyNotReady, `{message}`, and asks again every {every} for ever"
        )
    }

    /// Lowers the confidence of `finding` where something that this repository does not show may define what is asked
    /// for.
    pub(in crate::rules) fn doubted(&self, mut finding: Finding, doubts: &Doubts<'_>) -> Finding {
        if let Some(by) = doubts.of_kind(&self.subject.kind) {
            finding.confidence = Confidence::Low;
            finding.why.push_str(&format!(" It may be made by {by}."));
        }
        finding
    }

    /// Where another cluster defines what is asked for.
    pub(in crate::rules) fn defined_in(&self, cluster: &Cluster) -> Option<Span> {
        let found =
            if self.subject.kind == "Kustomization" { nodes(cluster, self.name) } else { releases(cluster, self.name) };
        found
            .into_iter()
            .find(|(key, _)| key.namespace == self.namespace || key.namespace.is_empty() || self.namespace.is_empty())
            .map(|(_, span)| span)
    }

    /// The name of this cluster that is most like the one asked for, if any is near.
    pub(in crate::rules) fn nearest(&self, cluster: &Cluster) -> Option<String> {
        let keys: Vec<&NodeKey> = if self.subject.kind == "Kustomization" {
            cluster.nodes.iter().map(|node| &node.key).collect()
        } else {
            cluster.releases.iter().map(|release| &release.key).collect()
        };
        if keys.len() > COMPARED {
            return None;
        }
        let score = |key: &NodeKey| {
            let (long, short) =
                if key.name.len() > self.name.len() { (&*key.name, self.name) } else { (self.name, &*key.name) };
            // `rook-ceph-cluster` for `storage-rook-ceph-cluster`: a prefix is easily added or left out.
            let is_tail = short.contains('-') && long.strip_suffix(short).is_some_and(|head| head.ends_with('-'));
            likeness(&key.name, self.name, NEAR).or_else(|| is_tail.then_some(NEAR))
        };
        let own = self.subject.name.as_str();
        let near = keys
            .into_iter()
            .filter(|key| key.name != own && is_of_like_length(&key.name, self.name))
            .filter_map(|key| Some((score(key)?, key)));
        let best =
            near.max_by(|(left, left_key), (right, right_key)| left.total_cmp(right).then(right_key.cmp(left_key)))?;
        let same_namespace = best.1.namespace == self.namespace;
        Some(if same_namespace { best.1.name.to_string() } else { best.1.to_string() })
    }
}
