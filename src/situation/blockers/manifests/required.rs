//! Fields that Kubernetes' own kinds must have. kustomize-controller's round trip through the Go types makes what is left out empty, and the
//! API server refuses that: `Deployment.apps "web" is invalid: spec.selector: Required value` (Kubernetes 1.36, `pkg/apis/*/validation`).

use super::{FieldFault, Flaw, fields::visit, flaw::Form, lists::pod_of};
use crate::{
    kustomize::Object,
    yaml::{Node, Trail},
};

type Path = &'static [&'static str];

const WORKLOAD: &[Path] = &[&["spec"], &["spec", "selector"], &["spec", "template"], &["spec", "template", "spec"]];

/// Fields by group, version and kind. Those below something that is not there are not asked for.
const KINDS: &[(&str, &str, &str, &[Path])] = &[
    ("", "v1", "PersistentVolume", &[&["spec"], &["spec", "capacity"], &["spec", "accessModes"]]),
    (
        "",
        "v1",
        "PersistentVolumeClaim",
        &[
            &["spec"],
            &["spec", "accessModes"],
            &["spec", "resources"],
            &["spec", "resources", "requests"],
            &["spec", "resources", "requests", "storage"],
        ],
    ),
    ("", "v1", "Pod", &[&["spec"]]),
    ("", "v1", "Service", &[&["spec"], &["spec", "ports", "*", "port"]]),
    ("apps", "v1", "DaemonSet", WORKLOAD),
    ("apps", "v1", "Deployment", WORKLOAD),
    ("apps", "v1", "ReplicaSet", &[&["spec"], &["spec", "selector"]]),
    ("apps", "v1", "StatefulSet", &[&["spec"], &["spec", "selector"]]),
    (
        "autoscaling",
        "v2",
        "HorizontalPodAutoscaler",
        &[
            &["spec"],
            &["spec", "maxReplicas"],
            &["spec", "scaleTargetRef"],
            &["spec", "scaleTargetRef", "kind"],
            &["spec", "scaleTargetRef", "name"],
            &["spec", "metrics", "*", "type"],
        ],
    ),
    (
        "batch",
        "v1",
        "CronJob",
        &[
            &["spec"],
            &["spec", "schedule"],
            &["spec", "jobTemplate"],
            &["spec", "jobTemplate", "spec"],
            &["spec", "jobTemplate", "spec", "template"],
            &["spec", "jobTemplate", "spec", "template", "spec"],
        ],
    ),
    ("batch", "v1", "Job", &[&["spec"], &["spec", "template"], &["spec", "template", "spec"]]),
    (
        "networking.k8s.io",
        "v1",
        "Ingress",
        &[
            &["spec", "rules", "*", "http", "paths"],
            &["spec", "rules", "*", "http", "paths", "*", "pathType"],
            &["spec", "rules", "*", "http", "paths", "*", "backend"],
            &["spec", "rules", "*", "http", "paths", "*", "backend", "service", "name"],
            &["spec", "rules", "*", "http", "paths", "*", "backend", "service", "port"],
            &["spec", "defaultBackend", "service", "name"],
            &["spec", "defaultBackend", "service", "port"],
        ],
    ),
    ("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", BINDING),
    ("rbac.authorization.k8s.io", "v1", "RoleBinding", BINDING),
    ("rbac.authorization.k8s.io", "v1", "ClusterRole", &[&["rules", "*", "verbs"]]),
    ("rbac.authorization.k8s.io", "v1", "Role", &[&["rules", "*", "verbs"]]),
    ("storage.k8s.io", "v1", "StorageClass", &[&["provisioner"]]),
];

const BINDING: &[Path] =
    &[&["roleRef"], &["roleRef", "kind"], &["roleRef", "name"], &["subjects", "*", "kind"], &["subjects", "*", "name"]];

/// Fields of a pod.
const OF_POD: &[Path] = &[
    &["containers"],
    &["containers", "*", "name"],
    &["containers", "*", "image"],
    &["containers", "*", "ports", "*", "containerPort"],
    &["containers", "*", "env", "*", "name"],
    &["containers", "*", "volumeMounts", "*", "name"],
    &["containers", "*", "volumeMounts", "*", "mountPath"],
    &["initContainers", "*", "name"],
    &["initContainers", "*", "image"],
    &["initContainers", "*", "env", "*", "name"],
    &["initContainers", "*", "volumeMounts", "*", "name"],
    &["initContainers", "*", "volumeMounts", "*", "mountPath"],
    &["volumes", "*", "name"],
];

/// The fields that an object of Kubernetes' own kinds lacks.
pub(super) fn faults(object: &Object, group: &str, version: &str, kind: &str) -> Vec<FieldFault> {
    let mut faults = Vec::new();
    let known = KINDS.iter().find(|row| (row.0, row.1, row.2) == (group, version, kind));
    let Some((.., fields)) = known else { return faults };
    for path in *fields {
        lacks(&object.node, path, Trail::Top, object, &mut faults);
    }
    // Of a StatefulSet the API server looks at no more of the pod than its labels (`ValidatePodTemplateSpecForStatefulSet`).
    if kind != "StatefulSet"
        && let Some(path) = pod_of(group, kind)
    {
        visit(&object.node, path, Trail::Top, &mut |pod, _, shown| {
            for path in OF_POD {
                if let Some(pod) = pod {
                    lacks(pod, path, shown, object, &mut faults);
                }
            }
        });
    }
    faults
}

fn lacks(node: &Node, path: Path, shown: Trail<'_>, object: &Object, faults: &mut Vec<FieldFault>) {
    visit(node, path, shown, &mut |found, span, path| {
        // Empty is as good as left out.
        let is_empty = |node: &Node| node.as_str() == Some("") || node.as_seq().is_some_and(<[Node]>::is_empty);
        if found.is_none_or(is_empty) {
            faults.push(FieldFault {
                path: path.to_string(),
                flaw: Flaw::Missing(Form::Any),
                span: span.or(object.source),
            });
        }
    });
}
