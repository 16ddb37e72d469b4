use std::time::Duration;

use crate::{cluster::Cluster, finding::Confidence, graph::Repaired};

/// How the controllers are run and how they behave, where it is not written in each object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assumptions {
    /// Kustomizations reconciled at a time (`--concurrent` of kustomize-controller v1.9, 4 where unset).
    pub kustomize_workers: u32,
    /// HelmReleases reconciled at a time (`--concurrent` of helm-controller v1.6, 4 where unset).
    pub helm_workers: u32,
    /// After how long kustomize-controller looks at an unmet dependency again (`--requeue-dependency`).
    pub kustomize_requeue: Duration,
    /// After how long helm-controller looks at an unmet dependency again (`--requeue-dependency`).
    pub helm_requeue: Duration,
    /// After how long the Flux Operator looks at an unmet dependency of a ResourceSet again (v0.58, 5 s).
    pub resource_set_requeue: Duration,
    /// Period of a health check (fluxcd/pkg ssa, `WaitForSetWithContext`, called with 5 s by kustomize-controller v1.9).
    pub health_poll: Duration,
    /// Whether health checks and Helm actions end at their timeouts.
    pub timeouts: bool,
    /// Whether a source that gets an artifact wakes what is built from it at once (kustomize-controller v1.9,
    /// `requestsForRevisionChangeOf`; helm-controller v1.6, `requestsForHelmChartChange`). Without, a missing source is
    /// looked at again after `retryInterval`.
    pub source_events: bool,
    /// How much of the time that an installation took need not be spent again after Helm uninstalled it, in percent:
    /// the images stay on the nodes, the start-up begins anew. Judgement.
    pub kept_percent: u32,
    /// First delay before a HelmRelease that failed is tried again; it doubles each time (fluxcd/pkg runtime,
    /// `controller.GetRateLimiter`).
    pub backoff: Duration,
    /// Longest such delay.
    pub longest_backoff: Duration,
    /// Requirements less sure than this are taken for none.
    pub least: Confidence,
    /// Whether what stops something is taken as repaired.
    pub repaired: Repaired,
    /// What is not there by then is taken for never. Less than 49 days.
    pub horizon: Duration,
}

impl Assumptions {
    /// The controllers as the repository says they are run, and as they are where it does not say.
    #[must_use]
    pub fn new(cluster: &Cluster) -> Self {
        let controllers = &cluster.controllers;
        Self {
            kustomize_workers: controllers.kustomize.workers().value.max(1),
            helm_workers: controllers.helm.workers().value.max(1),
            kustomize_requeue: controllers.kustomize.requeue_dependency().value,
            helm_requeue: controllers.helm.requeue_dependency().value,
            resource_set_requeue: Duration::from_secs(5),
            health_poll: Duration::from_secs(5),
            timeouts: true,
            source_events: true,
            kept_percent: 75,
            backoff: Duration::from_millis(750),
            longest_backoff: Duration::from_secs(900),
            least: Confidence::Medium,
            repaired: Repaired::Nothing,
            horizon: Duration::from_secs(24 * 3600),
        }
    }
}
