use std::time::Duration;

use serde_json::Value;

use crate::flux::{Controllers, api::HelmReleaseSpec, helm_timeout, parse_duration};

/// Delay between the attempts of `RetryOnFailure` where none is given (helm-controller v1.6).
const RETRY_ON_FAILURE: Duration = Duration::from_secs(300);

/// What helm-controller does in an installation or upgrade, and after one that failed (v1.6,
/// `internal/reconcile/atomic_release.go`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HelmAction {
    /// Budget; `None` where it does not wait for anything (`disableWait`).
    pub timeout: Option<Duration>,
    /// What follows a failure.
    pub failure: HelmFailure,
}

/// What follows a failed installation or upgrade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HelmFailure {
    /// It is tried again after this time, as it stands, without end (`RetryOnFailure`).
    Retry(Duration),
    /// It is undone and tried again so many times, then the release is Stalled (`RetriesExceeded`).
    Remediate(u32),
    /// It is undone and tried again without end (`retries` below zero).
    RemediateEndlessly,
}

impl HelmAction {
    /// The first installation.
    #[must_use]
    pub fn install(spec: &HelmReleaseSpec, controllers: &Controllers) -> Self {
        Self::new(spec, spec.install.as_ref(), controllers)
    }

    /// An upgrade.
    #[must_use]
    pub fn upgrade(spec: &HelmReleaseSpec, controllers: &Controllers) -> Self {
        Self::new(spec, spec.upgrade.as_ref(), controllers)
    }

    fn new(spec: &HelmReleaseSpec, settings: Option<&Value>, controllers: &Controllers) -> Self {
        let field = |route: &[&str]| route.iter().try_fold(settings?, |value, key| value.get(key));
        let duration = |route: &[&str]| field(route).and_then(Value::as_str).and_then(parse_duration);
        let waits = field(&["disableWait"]).and_then(Value::as_bool) != Some(true);
        let timeout = waits.then(|| duration(&["timeout"]).unwrap_or_else(|| helm_timeout(spec)));
        let strategy = field(&["strategy", "name"]).and_then(Value::as_str);
        let retries = field(&["remediation", "retries"]).and_then(Value::as_i64);
        let failure = match (strategy, retries) {
            (Some("RetryOnFailure"), _) => {
                HelmFailure::Retry(duration(&["strategy", "retryInterval"]).unwrap_or(RETRY_ON_FAILURE))
            }
            (None, None) if controllers.helm.has_gate("DefaultToRetryOnFailure") => {
                HelmFailure::Retry(RETRY_ON_FAILURE)
            }
            (_, Some(..0)) => HelmFailure::RemediateEndlessly,
            (_, retries) => HelmFailure::Remediate(u32::try_from(retries.unwrap_or(0)).unwrap_or(u32::MAX)),
        };
        Self { timeout, failure }
    }
}

impl HelmFailure {
    /// Whether the release never is Stalled, so that no health check learns early that it failed.
    #[must_use]
    pub const fn is_endless(self) -> bool {
        !matches!(self, Self::Remediate(_))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn action(install: Value) -> HelmAction {
        let spec = HelmReleaseSpec { install: Some(install), ..HelmReleaseSpec::default() };
        HelmAction::install(&spec, &Controllers::default())
    }

    #[test]
    fn what_follows_a_failure_is_read_as_the_controller_reads_it() {
        assert_eq!(action(json!({})).failure, HelmFailure::Remediate(0));
        assert_eq!(action(json!({"remediation": {"retries": 3}})).failure, HelmFailure::Remediate(3));
        assert_eq!(action(json!({"remediation": {"retries": -1}})).failure, HelmFailure::RemediateEndlessly);
        let retry =
            json!({"strategy": {"name": "RetryOnFailure", "retryInterval": "2m"}, "remediation": {"retries": 3}});
        assert_eq!(action(retry).failure, HelmFailure::Retry(Duration::from_secs(120)));
        let other = json!({"strategy": {"name": "RemediateOnFailure"}});
        assert!(!action(other).failure.is_endless());
    }

    #[test]
    fn an_action_has_its_own_timeout_or_none() {
        assert_eq!(action(json!({})).timeout, Some(Duration::from_secs(300)));
        assert_eq!(action(json!({"timeout": "10m"})).timeout, Some(Duration::from_secs(600)));
        assert_eq!(action(json!({"disableWait": true})).timeout, None);
    }
}
