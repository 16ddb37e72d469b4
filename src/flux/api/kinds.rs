//! The kinds of objects that the analysis names: Flux's own, and those of Kubernetes. One row holds what is known of one kind.

use super::{HELM_GROUP, KUSTOMIZE_GROUP, OPERATOR_GROUP, SOURCE_EXTENSIONS_GROUP, SOURCE_GROUP};
use crate::{kustomize::ApiVersion, yaml::Node};

/// API group and kind of an object. Two kinds of one name in different groups have nothing to do with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupKind {
    /// Kind.
    pub kind: &'static str,
    /// API group; empty for the core group.
    pub group: &'static str,
}

impl GroupKind {
    const fn new(group: &'static str, kind: &'static str) -> Self {
        Self { kind, group }
    }

    /// Whether an object of `kind` of `group` is of this kind.
    #[must_use]
    pub fn is(self, group: &str, kind: &str) -> bool {
        self.kind == kind && self.group == group
    }

    /// Whether `object` is of this kind, of whatever version.
    #[must_use]
    pub fn is_kind_of(self, object: &Node) -> bool {
        object.find_str(&["kind"]) == Some(self.kind)
            && object.find_str(&["apiVersion"]).is_some_and(|text| ApiVersion::parse(text).group == self.group)
    }
}

/// A Kustomization of Flux.
pub const KUSTOMIZATION: GroupKind = GroupKind::new(KUSTOMIZE_GROUP, "Kustomization");
/// A HelmRelease.
pub const HELM_RELEASE: GroupKind = GroupKind::new(HELM_GROUP, "HelmRelease");
/// A GitRepository.
pub const GIT_REPOSITORY: GroupKind = GroupKind::new(SOURCE_GROUP, "GitRepository");
/// An OCIRepository.
pub const OCI_REPOSITORY: GroupKind = GroupKind::new(SOURCE_GROUP, "OCIRepository");
/// A HelmRepository.
pub const HELM_REPOSITORY: GroupKind = GroupKind::new(SOURCE_GROUP, "HelmRepository");
/// A HelmChart.
pub const HELM_CHART: GroupKind = GroupKind::new(SOURCE_GROUP, "HelmChart");
/// A Bucket.
pub const BUCKET: GroupKind = GroupKind::new(SOURCE_GROUP, "Bucket");
/// An ExternalArtifact (source-controller v1.7, `api/v1/externalartifact_types.go`).
pub const EXTERNAL_ARTIFACT: GroupKind = GroupKind::new(SOURCE_GROUP, "ExternalArtifact");
/// An ArtifactGenerator.
pub const ARTIFACT_GENERATOR: GroupKind = GroupKind::new(SOURCE_EXTENSIONS_GROUP, "ArtifactGenerator");
/// A ResourceSet.
pub const RESOURCE_SET: GroupKind = GroupKind::new(OPERATOR_GROUP, "ResourceSet");
/// A FluxInstance.
pub const FLUX_INSTANCE: GroupKind = GroupKind::new(OPERATOR_GROUP, "FluxInstance");
/// A ConfigMap.
pub const CONFIG_MAP: GroupKind = GroupKind::new("", "ConfigMap");
/// A Secret.
pub const SECRET: GroupKind = GroupKind::new("", "Secret");
/// A Namespace.
pub const NAMESPACE: GroupKind = GroupKind::new("", "Namespace");
/// A PersistentVolumeClaim.
pub const CLAIM: GroupKind = GroupKind::new("", "PersistentVolumeClaim");
/// A Deployment.
pub const DEPLOYMENT: GroupKind = GroupKind::new("apps", "Deployment");
/// A `CustomResourceDefinition`.
pub const CRD: GroupKind = GroupKind::new("apiextensions.k8s.io", "CustomResourceDefinition");
/// A StorageClass.
pub const STORAGE_CLASS: GroupKind = GroupKind::new("storage.k8s.io", "StorageClass");

/// Kinds that `spec.sourceRef` of a Kustomization takes (kustomize-controller v1.9, `reference_types.go`).
pub const KUSTOMIZATION_SOURCES: &[&str] =
    &[OCI_REPOSITORY.kind, GIT_REPOSITORY.kind, BUCKET.kind, EXTERNAL_ARTIFACT.kind];
/// Kinds that `spec.chartRef` of a HelmRelease takes (helm-controller v1.6, `reference_types.go`).
pub const CHART_REFERENCES: &[&str] = &[OCI_REPOSITORY.kind, HELM_CHART.kind, EXTERNAL_ARTIFACT.kind];
/// Kinds that `spec.chart.spec.sourceRef` of a HelmRelease takes (helm-controller v1.6, `helmrelease_types.go`).
pub const CHART_SOURCES: &[&str] = &[HELM_REPOSITORY.kind, GIT_REPOSITORY.kind, BUCKET.kind];

/// Whether objects of a kind belong to a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// They belong to a namespace.
    Namespaced,
    /// They belong to the cluster.
    Cluster,
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

/// Who makes of an object what its spec says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reconciler {
    /// kustomize-controller.
    Kustomize,
    /// helm-controller.
    Helm,
    /// source-controller.
    Source,
    /// source-watcher.
    SourceWatcher,
    /// The Flux Operator.
    Operator,
    /// Kubernetes itself.
    Kubernetes,
}

impl Reconciler {
    /// The name of its Deployment or, of Kubernetes, of its process.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kustomize => "kustomize-controller",
            Self::Helm => "helm-controller",
            Self::Source => "source-controller",
            Self::SourceWatcher => "source-watcher",
            Self::Operator => "flux-operator",
            Self::Kubernetes => "kube-controller-manager",
        }
    }
}

/// What is known of a kind.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// Group and kind.
    pub id: GroupKind,
    /// Names for it on the command line, as `kubectl` and `flux` know them. Empty for a kind that nobody asks for by name: a
    /// namespace may be called like it.
    pub aliases: &'static [&'static str],
    /// Whether it belongs to a namespace.
    pub scope: Scope,
    /// What the health check makes of it.
    pub health: Health,
    /// Who reconciles it.
    pub reconciler: Reconciler,
}

impl Kind {
    const fn flux(id: GroupKind, health: Health, reconciler: Reconciler, aliases: &'static [&'static str]) -> Self {
        Self { id, aliases, scope: Scope::Namespaced, health, reconciler }
    }

    const fn source(id: GroupKind, aliases: &'static [&'static str]) -> Self {
        // Sources are awaited too, but prove only that files could be fetched.
        Self::flux(id, Health::AtOnce, Reconciler::Source, aliases)
    }

    const fn of_cluster(group: &'static str, kind: &'static str) -> Self {
        let id = GroupKind::new(group, kind);
        Self { id, aliases: &[], scope: Scope::Cluster, health: Health::AtOnce, reconciler: Reconciler::Kubernetes }
    }

    const fn namespaced(group: &'static str, kind: &'static str) -> Self {
        Self { scope: Scope::Namespaced, ..Self::of_cluster(group, kind) }
    }

    const fn workload(group: &'static str, kind: &'static str) -> Self {
        Self { health: Health::Awaited, ..Self::namespaced(group, kind) }
    }

    const fn named(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }
}

/// Every kind that is known, sorted by kind and group.
pub static KINDS: &[Kind] = &[
    Kind::of_cluster("apiregistration.k8s.io", "APIService"),
    Kind::flux(ARTIFACT_GENERATOR, Health::Custom, Reconciler::SourceWatcher, &[]),
    Kind::source(BUCKET, &[]),
    Kind::of_cluster("storage.k8s.io", "CSIDriver"),
    Kind::of_cluster("storage.k8s.io", "CSINode"),
    Kind::of_cluster("certificates.k8s.io", "CertificateSigningRequest"),
    Kind::of_cluster("rbac.authorization.k8s.io", "ClusterRole"),
    Kind::of_cluster("rbac.authorization.k8s.io", "ClusterRoleBinding"),
    Kind::of_cluster("", "ComponentStatus"),
    Kind::namespaced("", "ConfigMap").named(&["cm", "configmap", "configmaps"]),
    Kind::namespaced("batch", "CronJob"),
    Kind::of_cluster("apiextensions.k8s.io", "CustomResourceDefinition"),
    Kind::workload("apps", "DaemonSet"),
    Kind::workload("apps", "Deployment"),
    Kind::flux(EXTERNAL_ARTIFACT, Health::Custom, Reconciler::SourceWatcher, &[]),
    Kind::of_cluster("flowcontrol.apiserver.k8s.io", "FlowSchema"),
    Kind::flux(FLUX_INSTANCE, Health::Custom, Reconciler::Operator, &[]),
    Kind::source(GIT_REPOSITORY, &["gitrepo", "gitrepository", "gitrepositories"]),
    Kind::source(HELM_CHART, &["hc", "helmchart", "helmcharts"]),
    Kind::flux(HELM_RELEASE, Health::Awaited, Reconciler::Helm, &["hr", "helmrelease", "helmreleases"]),
    Kind::source(HELM_REPOSITORY, &["helmrepo", "helmrepository", "helmrepositories"]),
    Kind::namespaced("autoscaling", "HorizontalPodAutoscaler"),
    Kind::namespaced("networking.k8s.io", "Ingress"),
    Kind::of_cluster("networking.k8s.io", "IngressClass"),
    Kind::workload("batch", "Job"),
    Kind::flux(KUSTOMIZATION, Health::Awaited, Reconciler::Kustomize, &["ks", "kustomization", "kustomizations"]),
    Kind::of_cluster("admissionregistration.k8s.io", "MutatingAdmissionPolicy"),
    Kind::of_cluster("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"),
    Kind::of_cluster("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    Kind::of_cluster("", "Namespace").named(&["ns", "namespace", "namespaces"]),
    Kind::namespaced("networking.k8s.io", "NetworkPolicy"),
    Kind::of_cluster("", "Node"),
    Kind::source(OCI_REPOSITORY, &["ocirepo", "ocirepository", "ocirepositories"]),
    Kind::of_cluster("", "PersistentVolume"),
    Kind::workload("", "PersistentVolumeClaim"),
    Kind::workload("", "Pod"),
    Kind::namespaced("policy", "PodDisruptionBudget"),
    Kind::of_cluster("scheduling.k8s.io", "PriorityClass"),
    Kind::of_cluster("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"),
    Kind::workload("apps", "ReplicaSet"),
    Kind::namespaced("", "ReplicationController"),
    Kind::flux(RESOURCE_SET, Health::Custom, Reconciler::Operator, &["rset", "resourceset", "resourcesets"]),
    Kind::namespaced("rbac.authorization.k8s.io", "Role"),
    Kind::namespaced("rbac.authorization.k8s.io", "RoleBinding"),
    Kind::of_cluster("node.k8s.io", "RuntimeClass"),
    Kind::namespaced("", "Secret").named(&["secret", "secrets"]),
    Kind::namespaced("", "Service"),
    Kind::namespaced("", "ServiceAccount"),
    Kind::workload("apps", "StatefulSet"),
    Kind::of_cluster("storage.k8s.io", "StorageClass"),
    Kind::of_cluster("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
    Kind::of_cluster("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"),
    Kind::of_cluster("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
    Kind::of_cluster("storage.k8s.io", "VolumeAttachment"),
];

/// Groups of Kubernetes itself. The health check takes objects of their other kinds for Current at once.
const KUBERNETES_GROUPS: &[&str] = &[
    "",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apps",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
];

/// What is known of `kind` of `group`.
#[must_use]
pub fn kind(group: &str, kind: &str) -> Option<&'static Kind> {
    KINDS.binary_search_by(|row| (row.id.kind, row.id.group).cmp(&(kind, group))).ok().map(|index| &KINDS[index])
}

/// Who reconciles objects of a kind of Flux, given its name alone.
#[must_use]
pub fn reconciler_of(kind_name: &str) -> Option<Reconciler> {
    KINDS.iter().find(|row| row.id.kind == kind_name).map(|row| row.reconciler)
}

/// The kind of Flux of that name: those are referred to by name alone.
#[must_use]
pub fn of_flux(kind_name: &str) -> Option<GroupKind> {
    let row = KINDS.iter().find(|row| row.id.kind == kind_name)?;
    (row.reconciler != Reconciler::Kubernetes).then_some(row.id)
}

/// What the health check makes of `kind` of `group`.
#[must_use]
pub fn health_of(group: &str, kind_name: &str) -> Health {
    match kind(group, kind_name) {
        Some(row) => row.health,
        None if group == KUSTOMIZE_GROUP || group == HELM_GROUP => Health::Awaited,
        None if group == SOURCE_GROUP || KUBERNETES_GROUPS.binary_search(&group).is_ok() => Health::AtOnce,
        None => Health::Custom,
    }
}

/// Whether objects of `kind` of `group` belong to a namespace. `None` for kinds that are not known.
#[must_use]
pub fn is_namespaced(group: &str, kind_name: &str) -> Option<bool> {
    kind(group, kind_name).map(|row| row.scope == Scope::Namespaced)
}

/// The kind that a user means by `alias`, in whatever case.
#[must_use]
pub fn by_alias(alias: &str) -> Option<&'static Kind> {
    let alias = alias.to_lowercase();
    KINDS.iter().find(|row| row.aliases.contains(&alias.as_str()))
}

#[cfg(test)]
mod tests;
