use std::fmt;

use super::constants;
use crate::{
    catalog::{Catalog, ChartWeight, Confidence, Range},
    cluster::{Cluster, Node, Release, chart_of},
    flux::Policy,
    graph::Actor,
    kustomize::Object,
};

/// How long something takes, and how that is known.
#[derive(Debug, Clone)]
pub struct Duration {
    /// From low to high.
    pub range: Range,
    /// Where the figure comes from.
    pub origin: Origin,
}

/// Where a duration comes from.
#[derive(Debug, Clone)]
pub enum Origin {
    /// A row of the chart catalogue.
    Catalog(&'static ChartWeight),
    /// The objects of the build.
    Objects,
    /// Nothing is known but what sort of thing it is.
    Default,
}

/// The durations of everything in a cluster that takes time of its own.
#[derive(Debug)]
pub struct Durations {
    releases: Vec<Duration>,
    nodes: Vec<NodeWork>,
    /// What a dependent waits after its dependency turned Ready: a Kustomization, and a HelmRelease.
    polls: [Range; 2],
}

/// The time a Kustomization takes for itself, children apart.
#[derive(Debug, Clone)]
pub(super) struct NodeWork {
    pub(super) apply: Range,
    /// Until its own workloads are healthy; zero without a gate.
    pub(super) health: Range,
}

impl Durations {
    /// The durations of `cluster`.
    #[must_use]
    pub fn of(cluster: &Cluster) -> Self {
        let releases = cluster.releases.iter().map(|release| release_duration(cluster, release)).collect();
        let controllers = [&cluster.controllers.kustomize, &cluster.controllers.helm];
        let polls = controllers.map(|controller| constants::dependency_poll(controller.requeue_dependency().value));
        Self { releases, nodes: cluster.nodes.iter().map(node_work).collect(), polls }
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

    pub(super) fn poll(&self, dependent: Actor) -> Range {
        self.polls[usize::from(matches!(dependent, Actor::Release(_)))]
    }

    pub(super) fn node(&self, index: usize) -> &NodeWork {
        &self.nodes[index]
    }
}

fn release_duration(cluster: &Cluster, release: &Release) -> Duration {
    let waits = |action: &Option<serde_json::Value>| {
        let disabled =
            action.as_ref().and_then(|action| action.get("disableWait")).and_then(serde_json::Value::as_bool);
        disabled != Some(true)
    };
    if !waits(&release.helm.spec.install) {
        return Duration { range: constants::CHART_WITHOUT_WAIT, origin: Origin::Default };
    }
    let row = chart_of(cluster, release).and_then(|chart| Catalog::builtin().lookup(&chart.name, chart.url.as_deref()));
    match row {
        Some(row) => Duration { range: row.slow, origin: Origin::Catalog(row) },
        None => Duration { range: constants::UNKNOWN_CHART, origin: Origin::Default },
    }
}

fn node_work(node: &Node) -> NodeWork {
    let objects = &node.applied.build.objects;
    let applied = objects.iter().filter(|object| Policy::of(&object.node).applied);
    let count = u32::try_from(objects.len()).unwrap_or(u32::MAX);
    let apply = constants::APPLY_OBJECT.saturating_mul(count);
    let nothing = Range { low: apply, typical: apply, high: apply };
    let health = if node.kustomization.spec.wait {
        applied.filter_map(object_duration).fold(Range::default(), |all, one| all.max(one))
    } else {
        Range::default()
    };
    NodeWork { apply: constants::FETCH.plus(nothing), health }
}

/// How long an object takes until kstatus calls it Current, where that is not at once.
fn object_duration(object: &Object) -> Option<Range> {
    match object.node.find_str(&["kind"])? {
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" => Some(constants::WORKLOAD),
        "Job" => Some(constants::JOB),
        _ => None,
    }
}

impl Duration {
    /// Whether the figure rests on more than a guess.
    #[must_use]
    pub fn is_trusted(&self) -> bool {
        matches!(&self.origin, Origin::Catalog(row) if row.confidence >= Confidence::Medium)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Catalog(row) => write!(f, "catalogue: {}, {} confidence", row.name, row.confidence),
            Self::Objects => f.write_str("estimated from its objects"),
            Self::Default => f.write_str("default for an unknown chart"),
        }
    }
}
