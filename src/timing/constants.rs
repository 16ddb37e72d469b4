//! Every constant of the time model, with its reason. The profile is `slow`: a homelab of three small nodes with empty
//! image caches and one shared uplink.

use std::time::Duration;

use crate::catalog::Range;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// From the start of a reconciliation until the first object is applied: artifact download, build, dry-run.
/// Judgement; source operations are bounded by 60 s.
pub(super) const FETCH: Range = Range { low: seconds(2), typical: seconds(5), high: seconds(15) };

/// Per applied object: server-side apply and its dry-run, API latency included. Judgement.
pub(super) const APPLY_OBJECT: Duration = Duration::from_millis(120);

/// What a dependent waits after its dependency turned Ready: it polls at this interval (`--requeue-dependency` of
/// kustomize-controller v1.9 and helm-controller v1.6), so half of it on average.
pub(super) fn dependency_poll(requeue: Duration) -> Range {
    Range { low: seconds(0), typical: requeue / 2, high: requeue }
}

/// What a health check notices late: it polls every 5 s (kustomize-controller v1.9, `checkHealth`).
pub(super) const HEALTH_POLL: Range = Range { low: seconds(0), typical: seconds(3), high: seconds(5) };

/// A workload of the build itself: one image of about 110 MB at 5–10 MB/s, scheduling and start, first readiness probe,
/// warm-up of a small service.
pub(super) const WORKLOAD: Range = Range { low: seconds(30), typical: seconds(55), high: seconds(120) };

/// A Job of the build itself: image, start and run.
pub(super) const JOB: Range = Range { low: seconds(30), typical: seconds(60), high: seconds(180) };

/// A chart that nothing is known of: chart download, one workload, Helm's own bookkeeping. The median of the
/// catalogue's rows is within this range.
pub(super) const UNKNOWN_CHART: Range = Range { low: seconds(40), typical: seconds(85), high: seconds(300) };

/// A HelmRelease that does not wait for its objects (`disableWait`): chart download and apply alone.
pub(super) const CHART_WITHOUT_WAIT: Range = Range { low: seconds(8), typical: seconds(20), high: seconds(60) };
