//! Who may make a namespace that no build holds: people by hand, a script, Terraform, a chart, an operator, another repository.

use crate::{
    catalog::NamespaceCatalog,
    cluster::{Cluster, NamespaceTexts, ObjectKey, chart_of, has_word, makes_namespaces},
    flux::{api::kinds::NAMESPACE, is_open_text},
    kustomize::{Object, Unresolved},
    situation::blockers::{
        View,
        hidden::{Unseen, Wanted, failing},
    },
    source::FileId,
    yaml::{Node, Value},
};

/// What is known beside the builds of one namespace.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// A file with a Namespace of that name.
    pub(super) unlisted: Option<FileId>,
    /// Who may make it.
    pub(super) maybe: Option<String>,
}

/// Who may make namespaces in one cluster.
pub(super) struct Makers<'a> {
    view: View<'a>,
    /// What may make any namespace.
    any: Option<String>,
    /// Parts of builds that are not here.
    unseen: Unseen<'a>,
    /// What the files of the repository say of namespaces.
    texts: &'a NamespaceTexts,
}

/// Groups of operators that make namespaces of people or teams.
const OPERATORS: [&str; 5] =
    ["capsule.clastix.io", "hnc.x-k8s.io", "management.loft.sh", "storage.loft.sh", "tenancy.kiosk.sh"];

/// Kinds of custom resources that a controller makes a namespace of the same name of.
const KINDS: [&str; 8] = [
    "HierarchicalNamespace",
    "ManagedNamespace",
    "Project",
    "ProjectRequest",
    "SubnamespaceAnchor",
    "Team",
    "Tenant",
    "Workspace",
];

impl<'a> Makers<'a> {
    pub(super) fn new(view: View<'a>) -> Self {
        let any = any(view);
        let unseen = Unseen::new(view.cluster, None);
        Self { view, any, unseen, texts: view.cluster.implicit.namespace_texts(view.store) }
    }

    /// What is known of the namespace; `None` where something outside the builds is known to make it.
    pub(super) fn find(&self, name: &str) -> Option<Found> {
        let cluster = self.view.cluster;
        if self.texts.is_made(name) || self.is_made_by_another_root(name) {
            return None;
        }
        let mut found = Found { unlisted: None, maybe: self.any.clone() };
        for file in self.texts.manifests_of(name) {
            let path = self.view.store.tree().path(*file);
            if NamespaceTexts::is_before_flux(path) {
                return None;
            }
            found.unlisted = found.unlisted.or(Some(*file));
        }
        if found.maybe.is_none() {
            found.maybe = self.unseen.part(Wanted { kind: NAMESPACE.kind, namespace: "", name }, &|_| false);
        }
        let objects = || cluster.objects.values().flatten().map(|provider| cluster.object(*provider));
        if found.maybe.is_none() {
            let object = objects().find(|object| makes(object, name));
            found.maybe = object.map(|object| ObjectKey::from(object.id()).subject().to_string());
        }
        if found.maybe.is_none() {
            found.maybe = charted(cluster, name);
        }
        if found.maybe.is_none() {
            found.maybe = self.mention(name);
        }
        Some(found)
    }

    /// Whether a script, or another file beside the builds, speaks of the namespace: it may put something into it.
    pub(super) fn are_spoken_of(&self, name: &str) -> bool {
        self.texts.is_made(name) || self.mention(name).is_some()
    }

    /// Another entry point above or below this one, of the same cluster then, or one that nothing reaches: its files are
    /// applied by hand.
    fn is_made_by_another_root(&self, name: &str) -> bool {
        let View { cluster, clusters, .. } = self.view;
        let is_near = |other: &&Cluster| {
            let (one, two) = (format!("{}/", cluster.root), format!("{}/", other.root));
            !self.view.is_of(other) && (!other.reached || one.starts_with(&two) || two.starts_with(&one))
        };
        clusters.iter().filter(is_near).any(|other| other.implicit.namespace(name).is_some())
    }

    /// A file that is no manifest of a build and speaks of the namespace: machine configurations, modules and playbooks make
    /// namespaces in more ways than can be read.
    fn mention(&self, name: &str) -> Option<String> {
        let file = self.texts.mention(name)?;
        Some(format!("`{}`, which names it", self.view.store.tree().path(file)))
    }
}

/// What may make any namespace, as a noun phrase.
fn any(view: View<'_>) -> Option<String> {
    let cluster = view.cluster;
    if !is_bootstrapped(view) {
        return Some("what applies the entry point".to_owned());
    }
    if let Some(node) = failing(cluster) {
        return Some(format!("the build of {}, which fails", node.subject()));
    }
    for node in &cluster.nodes {
        let sets = node.resource_sets.iter();
        if let Some(set) = sets.into_iter().find(|set| set.unresolved.iter().any(Unresolved::hides_objects)) {
            return Some(format!("ResourceSet/{}/{}", set.namespace, set.name));
        }
    }
    if let Some(key) = cluster.objects.keys().find(|key| OPERATORS.contains(&key.group.as_str())) {
        return Some(format!("the operator of {}", key.subject()));
    }
    // A namespace whose name is a variable, and a policy that makes one for each of something.
    let objects = cluster.objects.iter().flat_map(|(key, all)| all.iter().map(move |provider| (key, provider)));
    for (key, provider) in objects {
        let is_open = key.is(NAMESPACE) && is_open_text(&key.name);
        if is_open || (!key.is(NAMESPACE) && holds_open_namespace(&cluster.object(*provider).node)) {
            return Some(key.subject().to_string());
        }
    }
    homemade(view)
}

/// Whether the entry point is one that bootstrap or the Flux Operator makes. What else applies one may apply more.
fn is_bootstrapped(view: View<'_>) -> bool {
    let tree = view.store.tree();
    view.cluster.nodes.iter().filter(|node| node.is_entry).any(|node| {
        let is_own = node.manifests.iter().any(|manifest| manifest.owner.as_ref() == Some(&node.key));
        node.is_generated || is_own || tree.path(node.kustomization.object.source.file).ends_with("gotk-sync.yaml")
    })
}

/// A chart of this repository that makes namespaces, for a release whose chart may be that one.
fn homemade(view: View<'_>) -> Option<String> {
    let release = view.cluster.releases.iter().find(|release| {
        let spec = &release.helm.spec;
        let reference = spec.chart_ref.as_ref().or_else(|| spec.chart.as_ref().map(|chart| &chart.spec.source_ref));
        let kind = reference.and_then(|reference| reference.kind.as_deref());
        matches!(kind, Some("GitRepository" | "Bucket" | "ExternalArtifact" | "HelmChart"))
    })?;
    let is_made = view.cluster.implicit.namespace_texts(view.store).is_in_chart();
    is_made.then(|| format!("a chart in this repository, as that of {} may be", release.subject()))
}

/// A chart that makes the namespace, by the catalogue, or whose values name it.
pub(in crate::situation::blockers) fn charted(cluster: &Cluster, name: &str) -> Option<String> {
    cluster.releases.iter().find_map(|release| {
        let chart = chart_of(cluster, release)?.name;
        let values = release.helm.object.node.find(&["spec", "values"]);
        let is_named = || {
            let is_target =
                release.key.namespace == name || release.helm.spec.target_namespace.as_deref() == Some(name);
            !is_target && values.is_some_and(|values| names_namespace(values, false, name))
        };
        (NamespaceCatalog::builtin().makes(&chart, name) || is_named())
            .then(|| format!("the chart of {}", release.subject()))
    })
}

/// Whether a value under a key that speaks of namespaces is `name`.
fn names_namespace(node: &Node, is_about: bool, name: &str) -> bool {
    let about = |key: &str| is_about || key.to_ascii_lowercase().contains("namespace");
    (is_about && node.as_str() == Some(name))
        || node.items().any(|item| names_namespace(item, is_about, name))
        || node.entries().any(|entry| {
            (about(&entry.key) && entry.key == name) || names_namespace(&entry.value, about(&entry.key), name)
        })
}

/// Whether `object` is one that a controller makes the namespace of, holds a manifest of it, or a script that makes it.
fn makes(object: &Object, name: &str) -> bool {
    let id = object.id();
    let is_source = id.group.contains('.') && (KINDS.contains(&id.kind.as_str()) || id.kind.contains("Namespace"));
    (is_source && id.name == name) || (id.kind != NAMESPACE.kind && holds(&object.node, name))
}

fn holds(node: &Node, name: &str) -> bool {
    let is_namespace = || node.find_str(&["kind"]) == Some(NAMESPACE.kind);
    let is_named = || {
        ["name", "namespace"]
            .iter()
            .any(|key| node.find_str(&["metadata", key]) == Some(name) || node.find_str(&[key]) == Some(name))
    };
    match &node.value {
        Value::Str(text) => {
            text.contains('\n') && has_word(text, name) && makes_namespaces(text) || is_command(text, name)
        }
        Value::Map(_) if is_namespace() && is_named() => true,
        _ => node.items().any(|item| holds(item, name)) || node.entries().any(|entry| holds(&entry.value, name)),
    }
}

/// Whether a line is a command that makes the namespace.
fn is_command(text: &str, name: &str) -> bool {
    !text.contains('\n') && text.contains("create") && makes_namespaces(text) && has_word(text, name)
}

/// Whether a Namespace without a known name stands inside of an object: of a policy that generates it, for instance.
fn holds_open_namespace(node: &Node) -> bool {
    let is_namespace = node.find_str(&["kind"]) == Some(NAMESPACE.kind);
    let makes = is_namespace && ["data", "spec", "metadata"].iter().any(|key| node.get(key).is_some()) && {
        let name = node.find_str(&["metadata", "name"]).or_else(|| node.find_str(&["name"]));
        name.is_none_or(|name| name.contains("{{") || name.contains("<<") || is_open_text(name))
    };
    let inside = |node: &Node| holds_open_namespace(node);
    (makes && node.get("apiVersion").is_some())
        || node.items().any(inside)
        || node.entries().any(|entry| inside(&entry.value))
}
