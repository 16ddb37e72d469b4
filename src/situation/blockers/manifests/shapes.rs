//! Fields of Kubernetes' own kinds that do not fit their types. kustomize-controller converts such objects to their Go types and back;
//! where that fails they go to the API server as they are, which answers `failed to create typed patch object (…): .data.replicas: expected
//! string, got …` (fluxcd/pkg ssa, `normalize.UnstructuredList`; kustomize-controller 1.9.4 on Kubernetes 1.36, as observed).

use std::sync::Arc;

use k8s_openapi::api::{
    apps::v1 as apps, autoscaling::v2 as autoscaling, batch::v1 as batch, core::v1 as core,
    networking::v1 as networking, policy::v1 as policy, rbac::v1 as rbac, scheduling::v1 as scheduling,
    storage::v1 as storage,
};

use super::{FieldFault, fields};
use crate::{
    flux::is_open_text,
    kustomize::Object,
    source::Span,
    yaml::{DecodeError, Node, Store, Value, decode},
};

/// Reads an object as a type, and forgets it.
type Fit = fn(&Node) -> Result<(), DecodeError>;

fn fit<T: serde::de::DeserializeOwned>(node: &Node) -> Result<(), DecodeError> {
    decode::<T>(node).map(|_| ())
}

/// The kinds that are checked: group, version, kind, and the type.
const KINDS: &[(&str, &str, &str, Fit)] = &[
    ("", "v1", "LimitRange", fit::<core::LimitRange>),
    ("", "v1", "Namespace", fit::<core::Namespace>),
    ("", "v1", "PersistentVolume", fit::<core::PersistentVolume>),
    ("", "v1", "PersistentVolumeClaim", fit::<core::PersistentVolumeClaim>),
    ("", "v1", "Pod", fit::<core::Pod>),
    ("", "v1", "ResourceQuota", fit::<core::ResourceQuota>),
    ("", "v1", "Service", fit::<core::Service>),
    ("", "v1", "ServiceAccount", fit::<core::ServiceAccount>),
    ("apps", "v1", "DaemonSet", fit::<apps::DaemonSet>),
    ("apps", "v1", "Deployment", fit::<apps::Deployment>),
    ("apps", "v1", "ReplicaSet", fit::<apps::ReplicaSet>),
    ("apps", "v1", "StatefulSet", fit::<apps::StatefulSet>),
    ("autoscaling", "v2", "HorizontalPodAutoscaler", fit::<autoscaling::HorizontalPodAutoscaler>),
    ("batch", "v1", "CronJob", fit::<batch::CronJob>),
    ("batch", "v1", "Job", fit::<batch::Job>),
    ("networking.k8s.io", "v1", "Ingress", fit::<networking::Ingress>),
    ("networking.k8s.io", "v1", "IngressClass", fit::<networking::IngressClass>),
    ("networking.k8s.io", "v1", "NetworkPolicy", fit::<networking::NetworkPolicy>),
    ("policy", "v1", "PodDisruptionBudget", fit::<policy::PodDisruptionBudget>),
    ("rbac.authorization.k8s.io", "v1", "ClusterRole", fit::<rbac::ClusterRole>),
    ("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", fit::<rbac::ClusterRoleBinding>),
    ("rbac.authorization.k8s.io", "v1", "Role", fit::<rbac::Role>),
    ("rbac.authorization.k8s.io", "v1", "RoleBinding", fit::<rbac::RoleBinding>),
    ("scheduling.k8s.io", "v1", "PriorityClass", fit::<scheduling::PriorityClass>),
    ("storage.k8s.io", "v1", "StorageClass", fit::<storage::StorageClass>),
];

/// Metadata that is not looked at here: what the API server writes itself, annotations, which are checked of every kind, and labels. A
/// label that is no text is lost, with all others, when kustomize-controller adds its own (apimachinery, `Unstructured.GetLabels`).
const PASSED_OVER: [&str; 6] =
    ["annotations", "creationTimestamp", "deletionTimestamp", "labels", "managedFields", "ownerReferences"];

/// Most faults of one object.
const MOST: usize = 20;

/// The fields of an object of Kubernetes' own kinds that do not fit their types.
pub(super) fn faults(object: &Object, group: &str, version: &str, kind: &str, store: &Store) -> Vec<FieldFault> {
    let mut faults = Vec::new();
    let Some((.., fits)) = KINDS.iter().find(|row| (row.0, row.1, row.2) == (group, version, kind)) else {
        return faults;
    };
    let mut node = object.node.clone();
    if let Some(root) = node.as_map_mut() {
        root.retain(|entry| entry.key != "status");
    }
    if let Some(metadata) = node.get_mut("metadata").and_then(Node::as_map_mut) {
        metadata.retain(|entry| !PASSED_OVER.contains(&entry.key.as_str()));
    }
    // A decoder stops at the first fault: that one is taken away, and the next found.
    for _ in 0..MOST {
        let Err(error) = fits(&node) else { break };
        let Some(wanted) = wanted(&error.message) else { break };
        let Some(steps) = find(&node, error.span, wanted) else { break };
        let Some(at) = target(&mut node, &steps) else { break };
        let fitting = fitting(wanted, at.span);
        let found = std::mem::replace(at, fitting);
        // A variable that is not known may be of any type.
        if !found.as_str().is_some_and(is_open_text) {
            let span = found.span.or(object.source);
            let flaw = fields::type_flaw(&found, wanted, span, store);
            faults.push(FieldFault { path: path(&steps), flaw, span });
        }
    }
    faults
}

/// Something that is what is wanted.
fn fitting(wanted: &str, span: Span) -> Node {
    let value = match wanted {
        "text" => return Node::str("", span),
        "a mapping" => Value::Map(Arc::default()),
        "a list" => Value::Seq(Arc::default()),
        "true or false" => Value::Bool(false),
        _ => Value::Int(0),
    };
    Node::new(value, span)
}

/// A step of a path.
#[derive(Debug, Clone)]
enum Step {
    Key(String),
    Index(usize),
}

fn path(steps: &[Step]) -> String {
    let mut path = String::new();
    for step in steps {
        match step {
            Step::Key(key) if path.is_empty() => path.push_str(key),
            Step::Key(key) => path.push_str(&format!(".{key}")),
            Step::Index(index) => path.push_str(&format!("[{index}]")),
        }
    }
    path
}

fn target<'n>(node: &'n mut Node, steps: &[Step]) -> Option<&'n mut Node> {
    steps.iter().try_fold(node, |node, step| match step {
        Step::Key(key) => node.get_mut(key),
        Step::Index(index) => node.as_seq_mut()?.get_mut(*index),
    })
}

/// The way to the node at `span` that is not what is wanted, the deepest first. Several nodes may come of one text.
fn find(node: &Node, span: Span, wanted: &str) -> Option<Vec<Step>> {
    let below = |step: Step, node: &Node| {
        find(node, span, wanted).map(|mut steps| {
            steps.insert(0, step);
            steps
        })
    };
    let in_items = node.items().enumerate().find_map(|(index, item)| below(Step::Index(index), item));
    let found =
        in_items.or_else(|| node.entries().find_map(|entry| below(Step::Key(entry.key.to_string()), &entry.value)));
    found.or_else(|| (span.is_some() && node.span == span && !is(node, wanted)).then(Vec::new))
}

fn is(node: &Node, wanted: &str) -> bool {
    match wanted {
        "text" => node.as_str().is_some(),
        "a mapping" => node.as_map().is_some(),
        "a list" => node.as_seq().is_some(),
        "true or false" => node.as_bool().is_some(),
        _ => matches!(node.value, Value::Int(_) | Value::Uint(_)),
    }
}

/// What a decoder wanted, in the words of messages; `None` for what is not about a type.
fn wanted(message: &str) -> Option<&'static str> {
    // The controllers make nothing of null.
    let found = message.strip_prefix("invalid type: ").filter(|found| !found.starts_with("null"))?;
    let (_, wanted) = found.rsplit_once(", expected ")?;
    match wanted {
        "a string" | "string" => Some("text"),
        "a boolean" => Some("true or false"),
        "a sequence" => Some("a list"),
        "a map" => Some("a mapping"),
        // These are written in several ways.
        "Quantity" | "Time" | "MicroTime" | "ByteString" | "IntOrString" | "JSON" | "RawExtension" => None,
        _ if wanted.starts_with("struct ") || wanted.chars().next().is_some_and(char::is_uppercase) => {
            Some("a mapping")
        }
        "i32" | "i64" | "u32" | "u64" | "f64" => Some("a number"),
        _ => None,
    }
}
