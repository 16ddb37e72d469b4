use std::time::Duration;

use super::{
    api::{HELM_GROUP, HelmReleaseSpec, KUSTOMIZE_GROUP, KustomizationSpec, SOURCE_GROUP},
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

/// What the health check makes of a kind, as far as Kubernetes and Flux define it (cli-utils v1.2 kstatus, `core.go` and
/// `generic.go`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// Current only once something runs, is bound, or has been reconciled.
    Awaited,
    /// Current as soon as it exists.
    AtOnce,
    /// A custom resource: its status decides, where it has one that kstatus understands.
    Custom,
}

/// Groups of Kubernetes itself, whose kinds are known.
const BUILTIN_GROUPS: &[&str] = &[
    "",
    "apps",
    "batch",
    "autoscaling",
    "policy",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "rbac.authorization.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
];

/// What the health check makes of `kind` of `group`.
#[must_use]
pub fn health_of(group: &str, kind: &str) -> Health {
    match (group, kind) {
        ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet")
        | ("batch", "Job")
        | ("", "Pod" | "PersistentVolumeClaim")
        | (KUSTOMIZE_GROUP | HELM_GROUP, _) => Health::Awaited,
        // Sources are awaited too, but prove only that files could be fetched.
        (SOURCE_GROUP, _) => Health::AtOnce,
        (group, _) if BUILTIN_GROUPS.contains(&group) => Health::AtOnce,
        _ => Health::Custom,
    }
}

/// Kinds of Kubernetes that belong to no namespace.
const CLUSTER_SCOPED: &[&str] = &[
    "APIService",
    "CSIDriver",
    "CSINode",
    "CertificateSigningRequest",
    "ClusterRole",
    "ClusterRoleBinding",
    "ComponentStatus",
    "CustomResourceDefinition",
    "FlowSchema",
    "IngressClass",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PriorityClass",
    "PriorityLevelConfiguration",
    "RuntimeClass",
    "StorageClass",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
    "VolumeAttachment",
];

/// Kinds of Kubernetes that belong to a namespace and that somebody may check the health of.
const NAMESPACED: &[(&str, &[&str])] = &[
    (
        "",
        &["ConfigMap", "PersistentVolumeClaim", "Pod", "ReplicationController", "Secret", "Service", "ServiceAccount"],
    ),
    ("apps", &["DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"]),
    ("batch", &["CronJob", "Job"]),
    ("autoscaling", &["HorizontalPodAutoscaler"]),
    ("policy", &["PodDisruptionBudget"]),
    ("networking.k8s.io", &["Ingress", "NetworkPolicy"]),
    ("rbac.authorization.k8s.io", &["Role", "RoleBinding"]),
    (KUSTOMIZE_GROUP, &["Kustomization"]),
    (HELM_GROUP, &["HelmRelease"]),
    (SOURCE_GROUP, &["Bucket", "GitRepository", "HelmChart", "HelmRepository", "OCIRepository"]),
];

/// Whether objects of `kind` of `group` belong to a namespace. `None` for custom resources that are not Flux's.
#[must_use]
pub fn is_namespaced(group: &str, kind: &str) -> Option<bool> {
    if BUILTIN_GROUPS.contains(&group) && CLUSTER_SCOPED.contains(&kind) {
        return Some(false);
    }
    NAMESPACED.iter().any(|(of, kinds)| *of == group && kinds.contains(&kind)).then_some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_their_group() {
        assert_eq!(health_of("apps", "Deployment"), Health::Awaited);
        assert_eq!(health_of(HELM_GROUP, "HelmRelease"), Health::Awaited);
        assert_eq!(health_of("", "ConfigMap"), Health::AtOnce);
        assert_eq!(health_of("example.org", "Deployment"), Health::Custom);
        assert_eq!(is_namespaced("apps", "Deployment"), Some(true));
        assert_eq!(is_namespaced("apiextensions.k8s.io", "CustomResourceDefinition"), Some(false));
        assert_eq!(is_namespaced("example.org", "Namespace"), None);
    }

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
