use std::fmt;

use super::{
    Override, Profile, app_values, constants, custom,
    estimate::{Layout, Seen},
    node_work::{Known, NodeWork},
    overrides,
    values::values_of,
};
use crate::{
    catalog::{Catalog, ChartWeight, Confidence, Range},
    cluster::{Chart, Cluster, ObjectKey, Release, chart_of},
    flux::{FluxVersion, HelmRelease, helm_timeout},
    graph::Actor,
    kustomize::{Object, ObjectId},
    source::Span,
    yaml::Node as Yaml,
};

/// How long something takes, and how that is known.
#[derive(Debug, Clone)]
pub struct Duration {
    /// From low to high.
    pub range: Range,
    /// Where the figure comes from.
    pub origin: Origin,
    /// The row of the catalogue for the chart, whether the figure comes from it or not.
    pub row: Option<&'static ChartWeight>,
}

/// Where a duration comes from.
#[derive(Debug, Clone)]
pub enum Origin {
    /// The user's configuration.
    Config,
    /// A row of the chart catalogue.
    Catalog(&'static ChartWeight),
    /// The objects that a Kustomization applies itself.
    Objects(Seen),
    /// The workloads that the values of the HelmRelease declare.
    Values(Seen),
    /// Helm does not wait for what the chart provides.
    WithoutWait,
    /// Nothing is known but what sort of thing it is.
    Default,
}

/// The durations of everything in a cluster that takes time of its own.
#[derive(Debug, Clone)]
pub struct Durations {
    profile: Profile,
    overrides: Vec<Override>,
    releases: Vec<Duration>,
    nodes: Vec<NodeWork>,
    /// What a dependent waits after its dependency turned Ready: a Kustomization, and a HelmRelease.
    polls: [Range; 2],
}

impl Durations {
    /// The durations of `cluster` on hardware of `profile`. Strongest first: what the user set, the catalogue, the estimate,
    /// a default.
    #[must_use]
    pub fn new(cluster: &Cluster, profile: Profile, overrides: &[Override]) -> Self {
        let releases: Vec<Duration> =
            cluster.releases.iter().map(|release| release_duration(cluster, release, profile, overrides)).collect();
        let controllers = [&cluster.controllers.kustomize, &cluster.controllers.helm];
        let polls = controllers.map(|controller| constants::dependency_poll(controller.requeue_dependency().value));
        let known = Known::new(cluster, profile, overrides);
        let nodes = (0..cluster.nodes.len()).map(|index| known.work(index)).collect();
        Self { profile, overrides: overrides.to_vec(), releases, nodes, polls }
    }

    /// The durations of another cluster, on the same hardware and with the same settings.
    #[must_use]
    pub fn again(&self, cluster: &Cluster) -> Self {
        Self::new(cluster, self.profile, &self.overrides)
    }

    /// The same durations where both controllers look again at a dependency after `requeue` (`--requeue-dependency`).
    #[must_use]
    pub fn with_requeue(&self, requeue: std::time::Duration) -> Self {
        Self { polls: [constants::dependency_poll(requeue); 2], ..self.clone() }
    }

    /// The hardware that they are for.
    #[must_use]
    pub const fn profile(&self) -> Profile {
        self.profile
    }

    /// How long the HelmRelease at `index` takes from its start until it is Ready.
    #[must_use]
    pub fn release(&self, index: usize) -> &Duration {
        &self.releases[index]
    }

    /// Makes the HelmRelease at `index` take `factor` times as long.
    pub(super) fn slow(&mut self, index: usize, factor: f64) {
        if let Some(duration) = self.releases.get_mut(index) {
            duration.range = duration.range.times(factor);
        }
    }

    /// How long the Kustomization at `index` waits after its apply for what it applies itself, HelmReleases and children
    /// apart; zero where it has no gate.
    #[must_use]
    pub fn own(&self, index: usize) -> &Duration {
        &self.nodes[index].health
    }

    /// What a dependent waits after its dependency turned Ready.
    #[must_use]
    pub fn poll(&self, dependent: Actor) -> Range {
        self.polls[usize::from(matches!(dependent, Actor::Release(_)))]
    }

    pub(super) fn node(&self, index: usize) -> &NodeWork {
        &self.nodes[index]
    }
}

fn release_duration(cluster: &Cluster, release: &Release, profile: Profile, overrides: &[Override]) -> Duration {
    let chart = chart_of(cluster, release);
    let row = chart.as_ref().and_then(|chart| Catalog::builtin().lookup(&chart.name, chart.url.as_deref()));
    let set = overrides::of_release(overrides, release, chart.as_ref().map(|chart| chart.name.as_str()));
    if let Some(range) = set {
        return Duration { range, origin: Origin::Config, row };
    }
    let constants = profile.constants();
    if is_set(&release.helm, "disableWait") {
        return Duration { range: constants.chart_without_wait, origin: Origin::WithoutWait, row };
    }
    // What such a chart provides are custom resources alone.
    if row.is_some_and(|row| row.kind == "cr-only") && !waits_for_custom_resources(cluster, &release.helm) {
        return Duration { range: constants.chart_without_wait, origin: Origin::WithoutWait, row };
    }
    let estimated = || estimate(cluster, release, chart.as_ref(), profile);
    match row {
        Some(row) if is_guess(row) => estimated().map_or_else(
            || listed(row, profile),
            |(range, seen)| Duration { range, origin: Origin::Values(seen), row: Some(row) },
        ),
        Some(row) => listed(row, profile),
        None => {
            let (range, origin) = estimated()
                .map_or((constants.unknown_chart, Origin::Default), |(range, seen)| (range, Origin::Values(seen)));
            Duration { range, origin, row: None }
        }
    }
}

fn listed(row: &'static ChartWeight, profile: Profile) -> Duration {
    let range = match profile {
        Profile::Slow => row.slow,
        Profile::Fast => row.fast,
    };
    Duration { range, origin: Origin::Catalog(row), row: Some(row) }
}

/// Whether a row knows less than values that can be seen: of charts whose values decide everything, and of charts that
/// nobody looked into.
fn is_guess(row: &ChartWeight) -> bool {
    row.kind == "generic"
        || (row.confidence == Confidence::Low && row.basis.iter().all(|basis| basis == "assumed-layout"))
}

/// The estimate from the values of a HelmRelease, where they show workloads.
fn estimate(cluster: &Cluster, release: &Release, chart: Option<&Chart>, profile: Profile) -> Option<(Range, Seen)> {
    let values = values_of(cluster, release)?;
    let has_controllers = values.get("controllers").is_some();
    let is_known_form = chart.is_some_and(|chart| {
        let url = chart.url.as_deref().unwrap_or_default();
        chart.name == "app-template" || ["bjw-s", "k8s-at-home"].iter().any(|publisher| url.contains(publisher))
    });
    if !(has_controllers || is_known_form) {
        return None;
    }
    let mut layout = app_values::layout(&values)?;
    let is_poller = waits_for_custom_resources(cluster, &release.helm);
    // kstatus takes a Service for Current that has a cluster address; Helm 3 waited for the load balancer's
    // (helm-controller v1.4, Helm `kube.ReadyChecker`).
    layout.load_balancer &= !is_poller;
    if is_poller {
        add_custom_resources(&mut layout, cluster, release, &values, profile);
    }
    if is_set(&release.helm, "disableWaitForJobs") {
        layout.workloads.retain(|workload| !workload.is_job);
    }
    let seen = layout.seen();
    Some((layout.of_chart(profile, helm_timeout(&release.helm.spec)), seen))
}

fn add_custom_resources(layout: &mut Layout, cluster: &Cluster, release: &Release, values: &Yaml, profile: Profile) {
    for object in app_values::raw_objects(values) {
        let id: ObjectId = Object { node: object.clone(), source: Span::NONE, changes: Vec::new() }.id();
        let key = ObjectKey { namespace: release.key.namespace.clone(), ..ObjectKey::from(id) };
        if custom::is_awaited(&key.group, &key.kind, &release.helm.spec.health_check_exprs) {
            layout.custom = layout.custom.max(custom::cost(cluster, &key, object, profile));
            layout.custom_resources += 1;
        }
    }
}

/// Whether Helm waits with kstatus, so for custom resources too: since Flux 2.8, unless `waitStrategy` asks for what was
/// before (helm-controller v1.5, `spec.waitStrategy`). An unknown release counts as the newest.
fn waits_for_custom_resources(cluster: &Cluster, helm: &HelmRelease) -> bool {
    let strategy = helm.object.node.find_str(&["spec", "waitStrategy", "name"]);
    let is_legacy =
        strategy == Some("legacy") || (strategy.is_none() && cluster.controllers.helm.has_gate("UseHelm3Defaults"));
    cluster.version.is_none_or(FluxVersion::has_kstatus_wait) && !is_legacy
}

/// Whether a switch of `spec.install` is on.
fn is_set(helm: &HelmRelease, key: &str) -> bool {
    let install = helm.spec.install.as_ref();
    install.and_then(|install| install.get(key)).and_then(serde_json::Value::as_bool) == Some(true)
}

impl Duration {
    /// Whether the figure rests on more than a guess.
    #[must_use]
    pub fn is_trusted(&self) -> bool {
        match &self.origin {
            Origin::Config => true,
            Origin::Catalog(row) => row.confidence >= Confidence::Medium,
            Origin::Objects(_) | Origin::Values(_) | Origin::WithoutWait | Origin::Default => false,
        }
    }

    /// Whether it says something of this very chart: a default proves nothing either way.
    #[must_use]
    pub const fn is_known(&self) -> bool {
        matches!(self.origin, Origin::Config | Origin::Catalog(_))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config => f.write_str("set in the configuration"),
            Self::Catalog(row) => write!(f, "catalogue: {}, {} confidence", row.name, row.confidence),
            Self::Objects(seen) => write!(f, "estimated from its objects: {seen}"),
            Self::Values(seen) => write!(f, "estimated from its values: {seen}"),
            Self::WithoutWait => f.write_str("Helm does not wait for its objects"),
            Self::Default => f.write_str("default for an unknown chart"),
        }
    }
}
