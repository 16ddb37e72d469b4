//! The built-in field specs (kustomize 5.5, `konfig/builtinpluginconsts`), as rules instead of the long list they make.

use super::config::{Config, Reference};
use crate::kustomize::{id::Gvk, transform::fields::FieldSpec};

/// `group/version/kind`, any part empty.
fn gvk(text: &str) -> Gvk {
    let mut parts = text.split('/');
    let mut part = || parts.next().unwrap_or_default().into();
    Gvk { group: part(), version: part(), kind: part() }
}

fn specs(list: &[(&str, &[&str])], create: bool) -> Vec<FieldSpec> {
    list.iter()
        .flat_map(|(path, kinds)| kinds.iter().map(move |kind| FieldSpec::new(gvk(kind), path, create)))
        .collect()
}

impl Config {
    /// The fields that kustomize changes where no `configurations` say otherwise.
    pub(super) fn of_kustomize() -> Self {
        Self {
            name_prefix: specs(&[("metadata/name", &["//"])], false),
            name_suffix: specs(&[("metadata/name", &["//"])], false),
            namespace: specs(
                &[
                    ("metadata/name", &["//Namespace"]),
                    ("spec/service/namespace", &["apiregistration.k8s.io//APIService"]),
                ],
                true,
            ),
            labels: Vec::new(),
            template_labels: template_labels(),
            common_labels: common_labels(),
            common_annotations: common_annotations(),
            images: ["spec/containers[]/image", "spec/initContainers[]/image"]
                .iter()
                .flat_map(|path| [(*path).to_owned(), format!("spec/template/{path}")])
                .map(|path| FieldSpec::new(Gvk::default(), &path, true))
                .collect(),
            replicas: specs(
                &[("spec/replicas", &["//Deployment", "//ReplicationController", "//ReplicaSet", "//StatefulSet"])],
                true,
            ),
            vars: vars(),
            references: references(),
        }
    }
}

fn template_labels() -> Vec<FieldSpec> {
    specs(
        &[
            ("metadata/labels", &["//"]),
            (
                "spec/template/metadata/labels",
                &[
                    "/v1/ReplicationController",
                    "//Deployment",
                    "//ReplicaSet",
                    "//DaemonSet",
                    "apps//StatefulSet",
                    "batch//Job",
                ],
            ),
            ("spec/jobTemplate/metadata/labels", &["batch//CronJob"]),
            ("spec/jobTemplate/spec/template/metadata/labels", &["batch//CronJob"]),
        ],
        true,
    )
}

fn common_labels() -> Vec<FieldSpec> {
    let mut all = specs(
        &[
            ("spec/selector", &["/v1/Service", "/v1/ReplicationController"]),
            ("spec/selector/matchLabels", &["//Deployment", "//ReplicaSet", "//DaemonSet", "apps//StatefulSet"]),
            ("spec/volumeClaimTemplates[]/metadata/labels", &["apps//StatefulSet"]),
        ],
        true,
    );
    let mut existing: Vec<(String, &[&str])> = vec![
        ("spec/selector/matchLabels".into(), &["batch//Job", "policy//PodDisruptionBudget"]),
        ("spec/jobTemplate/spec/selector/matchLabels".into(), &["batch//CronJob"]),
        ("spec/podSelector/matchLabels".into(), &["networking.k8s.io//NetworkPolicy"]),
        ("spec/ingress/from/podSelector/matchLabels".into(), &["networking.k8s.io//NetworkPolicy"]),
        ("spec/egress/to/podSelector/matchLabels".into(), &["networking.k8s.io//NetworkPolicy"]),
        (
            "spec/template/spec/topologySpreadConstraints/labelSelector/matchLabels".into(),
            &["apps//Deployment", "apps//StatefulSet"],
        ),
    ];
    for affinity in ["podAffinity", "podAntiAffinity"] {
        for term in [
            "preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm",
            "requiredDuringSchedulingIgnoredDuringExecution",
        ] {
            let path = format!("spec/template/spec/affinity/{affinity}/{term}/labelSelector/matchLabels");
            existing.push((path, &["apps//Deployment", "apps//StatefulSet"]));
        }
    }
    for (path, kinds) in &existing {
        all.extend(specs(&[(path, kinds)], false));
    }
    all.extend(template_labels());
    all
}

fn common_annotations() -> Vec<FieldSpec> {
    specs(
        &[
            ("metadata/annotations", &["//"]),
            (
                "spec/template/metadata/annotations",
                &[
                    "/v1/ReplicationController",
                    "//Deployment",
                    "//ReplicaSet",
                    "//DaemonSet",
                    "//StatefulSet",
                    "batch//Job",
                ],
            ),
            ("spec/jobTemplate/metadata/annotations", &["batch//CronJob"]),
            ("spec/jobTemplate/spec/template/metadata/annotations", &["batch//CronJob"]),
        ],
        true,
    )
}

/// Where each kind keeps the spec of its pods.
const POD_SPECS: &[(&str, &str)] = &[
    ("/v1/Pod", "spec"),
    ("//PodTemplate", "template/spec"),
    ("//Deployment", "spec/template/spec"),
    ("//ReplicaSet", "spec/template/spec"),
    ("//DaemonSet", "spec/template/spec"),
    ("//StatefulSet", "spec/template/spec"),
    ("//Job", "spec/template/spec"),
    ("//CronJob", "spec/jobTemplate/spec/template/spec"),
];

/// The same for the references to service accounts, claims and priority classes, where the list is another one.
const POD_OWNERS: &[(&str, &str)] = &[
    ("//Pod", "spec"),
    ("//StatefulSet", "spec/template/spec"),
    ("//Deployment", "spec/template/spec"),
    ("//ReplicationController", "spec/template/spec"),
    ("//CronJob", "spec/jobTemplate/spec/template/spec"),
    ("//Job", "spec/template/spec"),
    ("//DaemonSet", "spec/template/spec"),
];

fn in_pods(pods: &[(&str, &str)], fields: &[&str]) -> Vec<FieldSpec> {
    let of = |(kind, spec): &(&str, &str), field: &&str| FieldSpec::new(gvk(kind), &format!("{spec}/{field}"), false);
    pods.iter().flat_map(|pod| fields.iter().map(move |field| of(pod, field))).collect()
}

fn reference(target: &str, fields: Vec<FieldSpec>) -> Reference {
    Reference { target: gvk(target), fields }
}

const ROLES: &[&str] = &["//Role", "//ClusterRole"];
const KNATIVE: &str = "serving.knative.dev/v1/Service";

fn references() -> Vec<Reference> {
    let mut all: Vec<Reference> = ["//Deployment", "//ReplicationController", "//ReplicaSet", "//StatefulSet"]
        .iter()
        .map(|target| reference(target, specs(&[("spec/scaleTargetRef/name", &["//HorizontalPodAutoscaler"])], false)))
        .collect();
    all.push(reference("/v1/ConfigMap", config_map_fields()));
    all.push(reference("/v1/Secret", secret_fields()));
    all.push(reference("/v1/Service", service_fields()));
    let rbac = |kind: &str| format!("rbac.authorization.k8s.io//{kind}");
    let (binding, cluster_binding) = (rbac("RoleBinding"), rbac("ClusterRoleBinding"));
    all.push(reference(&rbac("Role"), specs(&[("roleRef/name", &[binding.as_str()])], false)));
    let both: &[&str] = &[&binding, &cluster_binding];
    all.push(reference(&rbac("ClusterRole"), specs(&[("roleRef/name", both)], false)));
    let mut accounts = specs(&[("subjects", both)], false);
    accounts.extend(in_pods(POD_OWNERS, &["serviceAccountName"]));
    all.push(reference("/v1/ServiceAccount", accounts));
    let claims = in_pods(POD_OWNERS, &["volumes/persistentVolumeClaim/claimName"]);
    all.push(reference("/v1/PersistentVolumeClaim", claims));
    all.push(reference(
        "/v1/PersistentVolume",
        specs(&[("spec/volumeName", &["//PersistentVolumeClaim"]), ("rules/resourceNames", &["//ClusterRole"])], false),
    ));
    all.push(reference(
        "storage.k8s.io/v1/StorageClass",
        specs(
            &[
                ("spec/storageClassName", &["//PersistentVolume", "//PersistentVolumeClaim"]),
                ("spec/volumeClaimTemplates/spec/storageClassName", &["//StatefulSet"]),
            ],
            false,
        ),
    ));
    all.push(reference("scheduling.k8s.io/v1/PriorityClass", in_pods(POD_OWNERS, &["priorityClassName"])));
    all
}

fn config_map_fields() -> Vec<FieldSpec> {
    let mut fields = in_pods(
        POD_SPECS,
        &[
            "volumes/configMap/name",
            "containers/env/valueFrom/configMapKeyRef/name",
            "initContainers/env/valueFrom/configMapKeyRef/name",
            "containers/envFrom/configMapRef/name",
            "initContainers/envFrom/configMapRef/name",
            "volumes/projected/sources/configMap/name",
        ],
    );
    fields.extend(specs(
        &[
            ("spec/configSource/configMap", &["//Node"]),
            ("rules/resourceNames", ROLES),
            ("metadata/annotations/nginx.ingress.kubernetes.io\\/fastcgi-params-configmap", &["//Ingress"]),
            ("spec/template/spec/containers/env/valueFrom/configMapKeyRef/name", &[KNATIVE]),
            ("spec/template/spec/containers/envFrom/configMapRef/name", &[KNATIVE]),
            ("spec/template/spec/volumes/configMap/name", &[KNATIVE]),
        ],
        false,
    ));
    fields
}

fn secret_fields() -> Vec<FieldSpec> {
    let mut fields = in_pods(
        POD_SPECS,
        &[
            "volumes/secret/secretName",
            "containers/env/valueFrom/secretKeyRef/name",
            "initContainers/env/valueFrom/secretKeyRef/name",
            "containers/envFrom/secretRef/name",
            "initContainers/envFrom/secretRef/name",
            "imagePullSecrets/name",
            "volumes/projected/sources/secret/name",
        ],
    );
    fields.extend(specs(
        &[
            ("spec/tls/secretName", &["//Ingress"]),
            ("metadata/annotations/ingress.kubernetes.io\\/auth-secret", &["//Ingress"]),
            ("metadata/annotations/nginx.ingress.kubernetes.io\\/auth-secret", &["//Ingress"]),
            ("metadata/annotations/nginx.ingress.kubernetes.io\\/auth-tls-secret", &["//Ingress"]),
            ("imagePullSecrets/name", &["//ServiceAccount"]),
            ("parameters/secretName", &["//StorageClass"]),
            ("parameters/adminSecretName", &["//StorageClass"]),
            ("parameters/userSecretName", &["//StorageClass"]),
            ("parameters/secretRef", &["//StorageClass"]),
            ("rules/resourceNames", ROLES),
            ("spec/template/spec/containers/env/valueFrom/secretKeyRef/name", &[KNATIVE]),
            ("spec/template/spec/containers/envFrom/secretRef/name", &[KNATIVE]),
            ("spec/template/spec/volumes/secret/secretName", &[KNATIVE]),
            ("spec/azureFile/secretName", &["//PersistentVolume"]),
        ],
        false,
    ));
    fields
}

fn service_fields() -> Vec<FieldSpec> {
    specs(
        &[
            ("spec/serviceName", &["apps//StatefulSet"]),
            ("spec/rules/http/paths/backend/serviceName", &["//Ingress"]),
            ("spec/backend/serviceName", &["//Ingress"]),
            ("spec/rules/http/paths/backend/service/name", &["//Ingress"]),
            ("spec/defaultBackend/service/name", &["//Ingress"]),
            ("spec/service/name", &["apiregistration.k8s.io//APIService"]),
            (
                "webhooks/clientConfig/service",
                &[
                    "admissionregistration.k8s.io//ValidatingWebhookConfiguration",
                    "admissionregistration.k8s.io//MutatingWebhookConfiguration",
                ],
            ),
        ],
        false,
    )
}

fn vars() -> Vec<FieldSpec> {
    let pods: Vec<(&str, &str)> = POD_SPECS.iter().copied().filter(|(kind, _)| *kind != "//PodTemplate").collect();
    let mut fields: Vec<String> = Vec::new();
    for list in ["containers", "initContainers"] {
        fields
            .extend(["args", "command", "env/value", "volumeMounts/mountPath"].map(|field| format!("{list}/{field}")));
    }
    let names: Vec<&str> = fields.iter().map(String::as_str).collect();
    let mut all = in_pods(&pods, &names);
    let with_volumes: Vec<(&str, &str)> = pods.into_iter().filter(|(kind, _)| *kind != "//StatefulSet").collect();
    all.extend(in_pods(&with_volumes, &["volumes/nfs/server"]));
    all.extend(specs(
        &[
            ("spec/rules/host", &["//Ingress"]),
            ("spec/tls/hosts", &["//Ingress"]),
            ("spec/tls/secretName", &["//Ingress"]),
            ("spec/ports/port", &["//Service"]),
            ("spec/ports/targetPort", &["//Service"]),
            ("spec/volumeClaimTemplates/spec/nfs/server", &["//StatefulSet"]),
            ("spec/nfs/server", &["//PersistentVolume"]),
            ("metadata/labels", &["//"]),
            ("metadata/annotations", &["//"]),
        ],
        false,
    ));
    all
}
