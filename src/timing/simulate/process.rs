//! A Kustomization or HelmRelease as its controller treats it.

use super::{
    clock::{Millis, NEVER, millis},
    lists::NONE,
};
use crate::{
    cluster::{Cluster, Node, Release},
    flux::{HelmAction, HelmFailure, kustomization_timeout, parse_duration},
};

/// Which controller reconciles it: position in the arrays that hold one entry each.
pub(super) const KUSTOMIZE: usize = 0;
/// The other one.
pub(super) const HELM: usize = 1;

/// Interval where the object's own cannot be read: that of `flux bootstrap`.
const INTERVAL: Millis = 600_000;

/// Shorter delays are not told apart, so that attempts which end at once cannot go on without time passing.
const LEAST_RETRY: Millis = 1_000;

/// A Kustomization or HelmRelease. Its events are positions in the graph, [`NONE`] where it has none such.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) controller: usize,
    pub(super) exists: u32,
    pub(super) start: u32,
    pub(super) defined: u32,
    pub(super) classified: u32,
    pub(super) applied: u32,
    pub(super) ready: u32,
    pub(super) suspended: bool,
    /// Whether a Kustomization checks the health of anything.
    pub(super) gate: bool,
    /// From one reconciliation to the next where nothing wakes it.
    pub(super) interval: Millis,
    /// From the end of a failed attempt to the next.
    pub(super) retry: Millis,
    /// Budget of the health check.
    pub(super) timeout: Millis,
    /// What Helm does in an installation, and in an upgrade.
    pub(super) actions: [Action; 2],
}

/// An installation or upgrade.
#[derive(Debug, Clone, Copy)]
pub(super) struct Action {
    /// Budget; never where it does not wait for anything (`disableWait`).
    pub(super) timeout: Millis,
    pub(super) failure: Failure,
}

/// What follows a failed action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// It is tried again after this time, as it stands, without end (`RetryOnFailure`).
    Retry(Millis),
    /// It is undone and tried again so many times, then the release is Stalled (`RetriesExceeded`). [`NONE`] is without
    /// end.
    Remediate(u32),
}

impl Process {
    /// A Kustomization: `retryInterval` is `interval` where unset (kustomize-controller v1.9, `GetRetryInterval`).
    pub(super) fn of_node(node: &Node) -> Self {
        let spec = &node.kustomization.spec;
        let read = |text: &Option<String>| text.as_deref().and_then(parse_duration).map(millis);
        let interval = read(&spec.interval).unwrap_or(INTERVAL);
        let timeout = kustomization_timeout(spec).map_or(INTERVAL, millis);
        let retry = read(&spec.retry_interval).unwrap_or(interval);
        Self { gate: node.has_gate(), interval, retry, timeout, ..Self::new(KUSTOMIZE, spec.suspend) }
    }

    /// A HelmRelease.
    pub(super) fn of_release(cluster: &Cluster, release: &Release) -> Self {
        let spec = &release.helm.spec;
        let actions =
            [HelmAction::install(spec, &cluster.controllers), HelmAction::upgrade(spec, &cluster.controllers)];
        Self { actions: actions.map(Action::from), ..Self::new(HELM, spec.suspend) }
    }

    fn new(controller: usize, suspended: bool) -> Self {
        let action = Action { timeout: NEVER, failure: Failure::Remediate(0) };
        Self {
            controller,
            exists: NONE,
            start: NONE,
            defined: NONE,
            classified: NONE,
            applied: NONE,
            ready: NONE,
            suspended,
            gate: false,
            interval: INTERVAL,
            retry: INTERVAL,
            timeout: INTERVAL,
            actions: [action; 2],
        }
    }
}

impl From<HelmAction> for Action {
    fn from(action: HelmAction) -> Self {
        let failure = match action.failure {
            HelmFailure::Retry(pause) => Failure::Retry(millis(pause).max(LEAST_RETRY)),
            HelmFailure::Remediate(retries) => Failure::Remediate(retries),
            HelmFailure::RemediateEndlessly => Failure::Remediate(NONE),
        };
        Self { timeout: action.timeout.map_or(NEVER, millis), failure }
    }
}
