use k8s_openapi::{
    ClusterResourceScope, NamespaceResourceScope, Resource,
    api::{
        admissionregistration::v1 as admission, apps::v1 as apps, autoscaling::v2 as autoscaling, batch::v1 as batch,
        certificates::v1 as certificates, core::v1 as core, flowcontrol::v1 as flowcontrol,
        networking::v1 as networking, node::v1 as node, policy::v1 as policy, rbac::v1 as rbac,
        scheduling::v1 as scheduling, storage::v1 as storage,
    },
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
    kube_aggregator::pkg::apis::apiregistration::v1::APIService,
};

use super::*;
use crate::flux::api;

#[test]
fn the_table_is_sorted_and_no_alias_has_two_meanings() {
    assert!(KINDS.windows(2).all(|pair| pair[0].id < pair[1].id));
    assert!(KUBERNETES_GROUPS.is_sorted());
    let mut aliases: Vec<&str> = KINDS.iter().flat_map(|row| row.aliases).copied().collect();
    let count = aliases.len();
    aliases.sort_unstable();
    aliases.dedup();
    assert_eq!(aliases.len(), count);
    assert_eq!(by_alias("KS").map(|row| row.id), Some(KUSTOMIZATION));
    assert!(by_alias("ingress").is_none(), "a namespace may be called so");
}

#[test]
fn every_constant_has_a_row() {
    let all = [
        [KUSTOMIZATION, HELM_RELEASE, GIT_REPOSITORY, OCI_REPOSITORY, HELM_REPOSITORY, HELM_CHART],
        [BUCKET, EXTERNAL_ARTIFACT, ARTIFACT_GENERATOR, RESOURCE_SET, FLUX_INSTANCE, CONFIG_MAP],
        [SECRET, NAMESPACE, CLAIM, DEPLOYMENT, CRD, STORAGE_CLASS],
    ];
    for id in all.as_flattened() {
        assert_eq!(kind(id.group, id.kind).map(|row| row.id), Some(*id));
    }
}

#[test]
fn kinds_of_flux_are_those_of_its_types() {
    fn of<K: kube::Resource<DynamicType = ()>>() -> (String, String) {
        (K::group(&()).into_owned(), K::kind(&()).into_owned())
    }
    let types = [
        of::<api::Kustomization>(),
        of::<api::HelmRelease>(),
        of::<api::GitRepository>(),
        of::<api::ArtifactGenerator>(),
    ];
    for (group, name) in types {
        assert_eq!(is_namespaced(&group, &name), Some(true), "{name}.{group}");
    }
}

#[test]
fn scopes_are_those_of_kubernetes() {
    fn namespaced<K: Resource<Scope = NamespaceResourceScope>>() -> (&'static str, &'static str, bool) {
        (K::GROUP, K::KIND, true)
    }
    fn cluster<K: Resource<Scope = ClusterResourceScope>>() -> (&'static str, &'static str, bool) {
        (K::GROUP, K::KIND, false)
    }
    let kubernetes = [
        cluster::<APIService>(),
        cluster::<CustomResourceDefinition>(),
        cluster::<admission::MutatingWebhookConfiguration>(),
        cluster::<admission::ValidatingAdmissionPolicy>(),
        cluster::<admission::ValidatingAdmissionPolicyBinding>(),
        cluster::<admission::ValidatingWebhookConfiguration>(),
        cluster::<certificates::CertificateSigningRequest>(),
        cluster::<core::ComponentStatus>(),
        cluster::<core::Namespace>(),
        cluster::<core::Node>(),
        cluster::<core::PersistentVolume>(),
        cluster::<flowcontrol::FlowSchema>(),
        cluster::<flowcontrol::PriorityLevelConfiguration>(),
        cluster::<networking::IngressClass>(),
        cluster::<node::RuntimeClass>(),
        cluster::<rbac::ClusterRole>(),
        cluster::<rbac::ClusterRoleBinding>(),
        cluster::<scheduling::PriorityClass>(),
        cluster::<storage::CSIDriver>(),
        cluster::<storage::CSINode>(),
        cluster::<storage::StorageClass>(),
        cluster::<storage::VolumeAttachment>(),
        namespaced::<apps::DaemonSet>(),
        namespaced::<apps::Deployment>(),
        namespaced::<apps::ReplicaSet>(),
        namespaced::<apps::StatefulSet>(),
        namespaced::<autoscaling::HorizontalPodAutoscaler>(),
        namespaced::<batch::CronJob>(),
        namespaced::<batch::Job>(),
        namespaced::<core::ConfigMap>(),
        namespaced::<core::PersistentVolumeClaim>(),
        namespaced::<core::Pod>(),
        namespaced::<core::ReplicationController>(),
        namespaced::<core::Secret>(),
        namespaced::<core::Service>(),
        namespaced::<core::ServiceAccount>(),
        namespaced::<networking::Ingress>(),
        namespaced::<networking::NetworkPolicy>(),
        namespaced::<policy::PodDisruptionBudget>(),
        namespaced::<rbac::Role>(),
        namespaced::<rbac::RoleBinding>(),
    ];
    for (group, name, expected) in kubernetes {
        assert_eq!(is_namespaced(group, name), Some(expected), "{name} of {group}");
        assert_ne!(health_of(group, name), Health::Custom, "{name} of {group}");
    }
    assert_eq!(is_namespaced("example.org", "Namespace"), None);
}

#[test]
fn health_is_told_by_the_group_where_the_kind_is_unknown() {
    assert_eq!(health_of("apps", "Deployment"), Health::Awaited);
    assert_eq!(health_of(HELM_GROUP, "HelmRelease"), Health::Awaited);
    assert_eq!(health_of("", "ConfigMap"), Health::AtOnce);
    assert_eq!(health_of("", "Endpoints"), Health::AtOnce);
    assert_eq!(health_of(SOURCE_GROUP, "Bucket"), Health::AtOnce);
    assert_eq!(health_of("example.org", "Deployment"), Health::Custom);
}
