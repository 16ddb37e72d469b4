//! Objects of Flux whose controller the repository leaves out of Flux, so that the API server does not know their kind.

use std::collections::BTreeMap;

use super::{Blocker, Cause, View, apply_of, hidden::is_partial, set_of};
use crate::{
    cluster::{Cluster, ObjectKey, Provider, chart_of},
    finding::Confidence,
    flux::{
        api::{HELM_GROUP, IMAGE_GROUP, NOTIFICATION_GROUP, SOURCE_EXTENSIONS_GROUP, kinds},
        instance_of,
    },
    graph::{Actor, Moment, Reason},
    source::Span,
    yaml,
};

/// Objects of one build whose controller is not installed, and so neither are their CRDs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentFact {
    /// What applies them.
    pub provider: Provider,
    /// The objects, each with its place.
    pub objects: Vec<(ObjectKey, Span)>,
    /// The controller that is missing: `image-reflector-controller`, …
    pub controller: &'static str,
    /// The text that says which controllers there are.
    pub listed_at: Span,
    /// How that is said.
    pub listed_by: ListedBy,
    /// The event that applies them.
    at: (Actor, Moment),
    /// How sure it is.
    pub confidence: Confidence,
}

/// What says which controllers a cluster has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListedBy {
    /// The manifests that `flux bootstrap` or `flux install` wrote.
    Manifests,
    /// `spec.components` of a FluxInstance, or its default.
    Instance,
}

/// The controllers that a FluxInstance has where `spec.components` does not say (flux-operator v0.58, `api/v1`, `GetComponents`).
const BY_DEFAULT: [&str; 4] =
    ["source-controller", "kustomize-controller", "helm-controller", "notification-controller"];

/// The controller that reconciles a kind, of those that can be left out.
fn controller_of(key: &ObjectKey) -> Option<&'static str> {
    match (key.group.as_str(), key.kind.as_str()) {
        (HELM_GROUP, "HelmRelease") => Some("helm-controller"),
        (NOTIFICATION_GROUP, "Alert" | "Provider" | "Receiver") => Some("notification-controller"),
        (IMAGE_GROUP, "ImageRepository" | "ImagePolicy") => Some("image-reflector-controller"),
        (IMAGE_GROUP, "ImageUpdateAutomation") => Some("image-automation-controller"),
        (SOURCE_EXTENSIONS_GROUP, "ArtifactGenerator") => Some("source-watcher"),
        _ => None,
    }
}

impl ComponentFact {
    /// What is wrong, as a clause that follows the name of what applies them.
    #[must_use]
    pub fn clause(&self) -> String {
        let first = self.objects.first().map(|(key, _)| key.subject().to_string()).unwrap_or_default();
        let more = match self.objects.len() {
            0 | 1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        format!("applies {first}{more}, but this Flux has no {}", self.controller)
    }

    /// The dry-run of the whole build fails.
    #[must_use]
    pub fn blocker(&self) -> Option<Blocker> {
        let (actor, moment) = self.at;
        let (_, span) = self.objects.first()?;
        Some(Blocker {
            actor,
            moment,
            reason: Reason::NeedsKind,
            cause: Cause::UnknownKind,
            text: self.clause(),
            span: *span,
            confidence: self.confidence,
        })
    }
}

/// Finds those of a cluster, one for each build and controller.
pub(super) fn find(view: View<'_>) -> Vec<ComponentFact> {
    let cluster = view.cluster;
    let Some((installed, listed_at, listed_by)) = installed(cluster).filter(|_| cluster.reached) else {
        return Vec::new();
    };
    let mut found: BTreeMap<(Provider, &'static str), ComponentFact> = BTreeMap::new();
    for (key, providers) in &cluster.objects {
        let Some(controller) = controller_of(key).filter(|controller| !installed.contains(controller)) else {
            continue;
        };
        let is_external = || cluster.implicit.externals().have_crd(&key.group, &key.kind);
        // A CRD may come without its controller, which then is somewhere else.
        if cluster.implicit.kind(&key.group, &key.kind).is_some() || is_external() {
            continue;
        }
        let is_applied =
            |provider: &&Provider| !cluster.node(provider.node).is_remote() && !awaits_crds(cluster, **provider);
        for provider in providers.iter().filter(is_applied) {
            let place = cluster.object(*provider).place();
            let of = Provider { object: 0, ..*provider };
            let fact = found.entry((of, controller)).or_insert_with(|| ComponentFact {
                provider: *provider,
                objects: Vec::new(),
                controller,
                listed_at,
                listed_by,
                at: apply_of(cluster, *provider),
                confidence: Confidence::Medium,
            });
            fact.objects.push((key.clone(), place));
        }
    }
    if !found.is_empty() && is_partial(cluster) {
        found.values_mut().for_each(|fact| fact.confidence = Confidence::Low);
    }
    found.into_values().collect()
}

/// Whether a ResourceSet makes the object, and only once some CRD is there: it applies nothing without.
fn awaits_crds(cluster: &Cluster, provider: Provider) -> bool {
    let set = set_of(cluster, provider).and_then(|index| cluster.objects.values().nth(index)?.first());
    let entries = set.and_then(|first| cluster.object(*first).node.find(&["spec", "dependsOn"]));
    let mut entries = entries.into_iter().flat_map(yaml::Node::items);
    entries.any(|entry| entry.find_str(&["kind"]) == Some(kinds::CRD.kind))
}

/// The controllers of the cluster, where the repository says which: its Deployments, or a FluxInstance.
fn installed(cluster: &Cluster) -> Option<(Vec<&str>, Span, ListedBy)> {
    // What a chart of Flux installs, its values say.
    let is_chart = |name: &str| matches!(name, "flux2" | "flux" | "flux-operator" | "flux-instance");
    let charts = cluster.releases.iter().filter_map(|release| chart_of(cluster, release));
    let has_chart = charts.into_iter().any(|chart| is_chart(&chart.name));
    let instances = cluster.objects.iter().filter(|(key, _)| key.is(kinds::FLUX_INSTANCE));
    for provider in instances.filter_map(|(_, providers)| providers.first()) {
        let object = cluster.object(*provider);
        let Some(instance) = instance_of(&object.node) else { continue };
        let components = instance.spec.get("components");
        let place = components.map_or(object.place(), |components| components.span.or(object.place()));
        let named: Vec<&str> = match components {
            Some(components) => components.items().filter_map(yaml::Node::as_str).collect(),
            None => BY_DEFAULT.to_vec(),
        };
        return Some((named, place, ListedBy::Instance));
    }
    if has_chart {
        return None;
    }
    let deployments: Vec<(&ObjectKey, Span)> = cluster
        .objects
        .iter()
        .filter(|(key, _)| {
            key.is(kinds::DEPLOYMENT) && (key.name.ends_with("-controller") || key.name == "source-watcher")
        })
        .filter_map(|(key, providers)| Some((key, cluster.object(*providers.first()?).place())))
        .collect();
    let (own, place) = deployments.iter().find(|(key, _)| key.name == "kustomize-controller")?;
    // One controller alone is an excerpt: no Flux does without a source.
    deployments.iter().find(|(key, _)| key.name == "source-controller" && key.namespace == own.namespace)?;
    let names = deployments.iter().filter(|(key, _)| key.namespace == own.namespace).map(|(key, _)| key.name.as_str());
    Some((names.collect(), *place, ListedBy::Manifests))
}
