//! Namespaces that objects go into and that nothing makes: the dry-run ends with `HelmRelease/web/web not found: namespaces "web" not
//! found` (kustomize-controller 1.9.4 on Kubernetes 1.36, as observed), and the retries end the same way until somebody makes it.

mod makers;

use std::collections::BTreeMap;

use smol_str::SmolStr;

use super::{Blocker, Cause, View, apply_of, renamed_namespaces, scopes::Scopes};
use crate::{
    cluster::{Cluster, NodeId, ObjectKey, Provider},
    finding::{Confidence, Subject},
    flux::{Policy, is_open_text},
    graph::{Actor, Moment, Reason},
    source::{FileId, Span},
};
use makers::Makers;
pub(super) use makers::charted as chart_naming;

/// Whether a file beside the builds speaks of a namespace: what it holds may come from there.
pub(super) fn is_spoken_of(view: View<'_>, name: &str) -> bool {
    Makers::new(view).are_spoken_of(name)
}

/// A namespace that nothing makes, as far as the repository shows.
#[derive(Debug, Clone)]
pub struct NamespaceFact {
    /// Its name.
    pub name: SmolStr,
    /// Who puts something into it, in the order of the cluster, each once; at least one.
    pub uses: Vec<NamespaceUse>,
    /// A file with a Namespace of that name, which no build of the cluster holds.
    pub unlisted: Option<FileId>,
    /// Who may make it all the same, as a noun phrase.
    pub maybe: Option<String>,
    /// How sure it is. What is made by hand leaves no trace, so it is never certain.
    pub confidence: Confidence,
}

/// Something that goes into a namespace.
#[derive(Debug, Clone)]
pub struct NamespaceUse {
    /// The Kustomization, ResourceSet or HelmRelease.
    pub user: Subject,
    /// How it names the namespace.
    pub field: NamespaceField,
    /// The text that names it.
    pub span: Span,
    /// How many objects it puts there; none that are known of a release.
    pub objects: usize,
    /// The first of them.
    pub first: ObjectKey,
    /// What does not happen.
    events: Vec<(Actor, Moment)>,
}

/// How a namespace is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamespaceField {
    /// By `targetNamespace` of a Kustomization.
    OfKustomization,
    /// By `targetNamespace` of a HelmRelease that does not create it.
    OfRelease,
    /// By a kustomization file, or by the objects themselves.
    OfObjects,
}

impl NamespaceFact {
    /// What it may keep from happening. It annotates and does not stop: in every repository that was looked at, a namespace without a
    /// maker was made by Terraform or by hand, and the rest of the cold start is worth knowing.
    pub fn blockers(&self) -> impl Iterator<Item = Blocker> {
        self.uses.iter().flat_map(move |used| {
            let text = match used.field {
                NamespaceField::OfRelease => format!("installs into namespace {}, which nothing makes", self.name),
                _ => format!("applies {} into namespace {}, which nothing makes", used.first.subject(), self.name),
            };
            used.events.iter().map(move |(actor, moment)| Blocker {
                actor: *actor,
                moment: *moment,
                reason: Reason::NeedsNamespace,
                cause: Cause::MissingNamespace,
                text: text.clone(),
                span: used.span,
                confidence: Confidence::Low,
            })
        })
    }
}

/// Namespaces of the cluster's distribution, which are there before Flux.
const DISTRIBUTIONS: [&str; 14] = [
    "aks-",
    "amazon-",
    "azure-arc",
    "calico-apiserver",
    "calico-system",
    "cattle-",
    "fleet-",
    "gatekeeper-system",
    "gke-",
    "gmp-",
    "kube-",
    "local-path-storage",
    "openshift",
    "tigera-operator",
];

/// The facts of a cluster, sorted by namespace.
pub(super) fn find(view: View<'_>) -> Vec<NamespaceFact> {
    let cluster = view.cluster;
    if !cluster.reached {
        return Vec::new();
    }
    let mut missing = uses(cluster);
    if missing.is_empty() {
        return Vec::new();
    }
    // Of a Namespace that a build renames, that is said.
    for renamed in renamed_namespaces::find(view) {
        missing.remove(&renamed.original);
    }
    let makers = Makers::new(view);
    let facts = missing.into_iter().filter_map(|(name, mut uses)| {
        // What names it for all of a build is the place to look at.
        uses.sort_by_key(|used| used.field == NamespaceField::OfObjects);
        let found = makers.find(&name)?;
        let confidence = if found.maybe.is_some() { Confidence::Low } else { Confidence::Medium };
        Some(NamespaceFact { name, uses, unlisted: found.unlisted, maybe: found.maybe, confidence })
    });
    facts.collect()
}

/// Whether the namespace is there, or something in the cluster makes it.
fn is_there(cluster: &Cluster, name: &str) -> bool {
    cluster.has_namespace(name) || DISTRIBUTIONS.iter().any(|known| name.starts_with(known))
}

/// An object and who applies it.
type Placed<'c> = (&'c ObjectKey, Provider);

/// What goes into namespaces that nothing known makes.
fn uses(cluster: &Cluster) -> BTreeMap<SmolStr, Vec<NamespaceUse>> {
    let scopes = Scopes::new(cluster);
    let mut found: BTreeMap<SmolStr, Vec<NamespaceUse>> = BTreeMap::new();
    let mut by_node: BTreeMap<(NodeId, Option<usize>), Vec<Placed<'_>>> = BTreeMap::new();
    for (key, providers) in &cluster.objects {
        let is_open = key.namespace.is_empty() || is_open_text(&key.namespace);
        if is_open || scopes.namespaced(&key.group, &key.kind).is_none() || is_there(cluster, &key.namespace) {
            continue;
        }
        for provider in providers {
            let is_applied = Policy::new(&cluster.object(*provider).node).applied;
            if is_applied && !cluster.node(provider.node).is_remote() {
                by_node.entry((provider.node, provider.set)).or_default().push((key, *provider));
            }
        }
    }
    for (key, provider) in by_node.into_values().flat_map(|mut objects| {
        objects.sort_by_key(|(_, provider)| *provider);
        objects
    }) {
        let uses = found.entry(key.namespace.clone()).or_default();
        let (user, event) = (cluster.owner(provider), apply_of(cluster, provider));
        if let Some(used) = uses.iter_mut().find(|used| used.user == user) {
            used.objects += 1;
            if !used.events.contains(&event) {
                used.events.push(event);
            }
            continue;
        }
        let object = cluster.object(provider);
        let place = object.node.find(&["metadata", "namespace"]).map_or(Span::NONE, |node| node.span);
        let target = cluster.node(provider.node).kustomization.span(&["spec", "targetNamespace"]);
        let field = if place == target { NamespaceField::OfKustomization } else { NamespaceField::OfObjects };
        let (span, first) = (place.or(object.place()), key.clone());
        uses.push(NamespaceUse { user, field, span, objects: 1, first, events: vec![event] });
    }
    add_releases(cluster, &mut found);
    found
}

/// Adds the releases that install into another namespace and do not create it.
fn add_releases(cluster: &Cluster, found: &mut BTreeMap<SmolStr, Vec<NamespaceUse>>) {
    for (index, release) in cluster.releases.iter().enumerate() {
        let Some(target) = release.helm.spec.target_namespace.as_deref() else { continue };
        let is_remote = release.helm.object.node.find(&["spec", "kubeConfig"]).is_some();
        if is_remote || target.is_empty() || is_open_text(target) || is_there(cluster, target) {
            continue;
        }
        if target == release.key.namespace {
            // The release itself cannot be applied, which is said of who applies it.
            continue;
        }
        found.entry(target.into()).or_default().push(NamespaceUse {
            user: release.subject(),
            field: NamespaceField::OfRelease,
            span: release.helm.span(&["spec", "targetNamespace"]),
            objects: 0,
            first: ObjectKey::from(release.helm.object.id()),
            events: vec![(Actor::Release(index as u32), Moment::Ready)],
        });
    }
}
