use std::time::Duration;

use crate::flux::{
    api::{HelmReleaseSpec, KustomizationSpec},
    parse_duration,
};

/// Least timeout of a Kustomization: shorter ones are raised to it (kustomize-controller v1.9, `GetTimeout`).
const LEAST_TIMEOUT: Duration = Duration::from_secs(30);

/// Timeout of a Helm action where none is given (helm-controller v1.6, `GetTimeout`).
const HELM_TIMEOUT: Duration = Duration::from_secs(300);

/// The budget of a Kustomization's health check: `timeout`, else `interval` less 30 s, never below 30 s
/// (kustomize-controller v1.9, `api/v1/kustomization_types.go`, `GetTimeout`). `None` where neither can be read.
#[must_use]
pub fn kustomization_timeout(spec: &KustomizationSpec) -> Option<Duration> {
    let read = |text: &Option<String>| text.as_deref().and_then(parse_duration);
    let timeout = match &spec.timeout {
        Some(_) => read(&spec.timeout)?,
        None => read(&spec.interval)?.saturating_sub(LEAST_TIMEOUT),
    };
    Some(timeout.max(LEAST_TIMEOUT))
}

/// The budget of each Helm action of a HelmRelease.
#[must_use]
pub fn helm_timeout(spec: &HelmReleaseSpec) -> Duration {
    spec.timeout.as_deref().and_then(parse_duration).unwrap_or(HELM_TIMEOUT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_default_to_the_interval_less_half_a_minute_and_have_a_floor() {
        let seconds = |timeout: Option<&str>, interval: &str| {
            let spec = KustomizationSpec {
                timeout: timeout.map(str::to_owned),
                interval: Some(interval.to_owned()),
                ..KustomizationSpec::default()
            };
            kustomization_timeout(&spec).map(|timeout| timeout.as_secs())
        };
        assert_eq!(seconds(None, "10m"), Some(570));
        assert_eq!(seconds(None, "1m"), Some(30));
        assert_eq!(seconds(Some("10s"), "1h"), Some(30));
        assert_eq!(seconds(Some("5m"), "1h"), Some(300));
        assert_eq!(seconds(Some("soon"), "1h"), None);
    }
}
