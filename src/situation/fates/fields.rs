//! Fields that the API server lets nobody change once an object exists.

use std::collections::BTreeMap;

use base64::Engine as _;

use super::stored::{quantity, stored};
use crate::{cluster::ObjectKey, flux::api::kinds::CLAIM, yaml::Node};

/// What SOPS makes of every value.
const CIPHERTEXT: &str = "ENC[";

/// Kinds with the fields that are fixed, by group and kind (Kubernetes 1.34, `Validate…Update` of each kind in
/// `pkg/apis/*/validation`).
const FIXED: &[(&str, &str, &[&str])] = &[
    ("", "PersistentVolume", &["spec.csi", "spec.nfs", "spec.hostPath", "spec.local"]),
    (
        "",
        "PersistentVolumeClaim",
        &["spec.accessModes", "spec.storageClassName", "spec.volumeMode", "spec.volumeName", "spec.selector"],
    ),
    ("", "Secret", &["type"]),
    ("apps", "DaemonSet", &["spec.selector"]),
    ("apps", "Deployment", &["spec.selector"]),
    ("apps", "ReplicaSet", &["spec.selector"]),
    (
        "apps",
        "StatefulSet",
        &["spec.selector", "spec.serviceName", "spec.podManagementPolicy", "spec.volumeClaimTemplates"],
    ),
    ("batch", "Job", &["spec.template", "spec.selector", "spec.completionMode"]),
    ("networking.k8s.io", "IngressClass", &["spec.controller"]),
    ("node.k8s.io", "RuntimeClass", &["handler"]),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding", &["roleRef"]),
    ("rbac.authorization.k8s.io", "RoleBinding", &["roleRef"]),
    ("scheduling.k8s.io", "PriorityClass", &["value"]),
    ("storage.k8s.io", "StorageClass", &["provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"]),
];

/// Fields that may be set later, but not changed: the API server fills them in where they are left out.
const FILLED: &[&str] = &[
    "spec.storageClassName",
    "spec.volumeMode",
    "spec.volumeName",
    "type",
    "spec.podManagementPolicy",
    "spec.completionMode",
    "spec.serviceName",
    "reclaimPolicy",
    "volumeBindingMode",
];

/// The field that `after` would change and the API server does not let it, if there is one.
pub(super) fn immutable_change(key: &ObjectKey, before: &Node, after: &Node) -> Option<&'static str> {
    let row = FIXED.iter().find(|(group, kind, _)| key.group == *group && key.kind == *kind);
    // A Job that is deleted once it has run is not there any more when it changes.
    let is_gone = key.kind == "Job" && before.find(&["spec", "ttlSecondsAfterFinished"]).is_some();
    if is_gone {
        return None;
    }
    let fields = row.map(|(.., fields)| *fields).unwrap_or_default();
    let fixed = fields.iter().copied().find(|field| differs(field, before, after));
    fixed
        .or_else(|| cluster_address(key, before, after))
        .or_else(|| frozen_data(key, before, after))
        .or_else(|| shrunk_claim(key, before, after))
}

/// A claim that asks for less than it has.
fn shrunk_claim(key: &ObjectKey, before: &Node, after: &Node) -> Option<&'static str> {
    let size = |node: &Node| quantity(node.find(&["spec", "resources", "requests", "storage"])?);
    let is_less = key.is(CLAIM) && size(before)? > size(after)?;
    is_less.then_some("spec.resources.requests.storage")
}

fn differs(field: &str, before: &Node, after: &Node) -> bool {
    let keys: Vec<&str> = field.split('.').collect();
    let (one, other) = (stored(before, &keys), stored(after, &keys));
    let is_left_out = one.is_none() || other.is_none();
    one != other && !(is_left_out && FILLED.contains(&field)) && ![&one, &other].into_iter().flatten().any(is_open)
}

/// An address that a Service has been given is kept.
fn cluster_address(key: &ObjectKey, before: &Node, after: &Node) -> Option<&'static str> {
    if !key.group.is_empty() || key.kind != "Service" {
        return None;
    }
    let to = after.find_str(&["spec", "clusterIP"]).filter(|to| !to.is_empty() && !to.contains("${"))?;
    let is_external = |node: &Node| node.find_str(&["spec", "type"]) == Some("ExternalName");
    let is_same = before.find_str(&["spec", "clusterIP"]) == Some(to);
    (!is_same && !is_external(before) && !is_external(after)).then_some("spec.clusterIP")
}

/// A ConfigMap or Secret that calls itself immutable.
fn frozen_data(key: &ObjectKey, before: &Node, after: &Node) -> Option<&'static str> {
    let holds_data = key.group.is_empty() && matches!(key.kind.as_str(), "ConfigMap" | "Secret");
    if !holds_data || before.get("immutable").and_then(Node::as_bool) != Some(true) {
        return None;
    }
    if key.kind == "Secret" {
        return frozen_secret(before, after);
    }
    ["data", "binaryData"].into_iter().find(|field| differs(field, before, after))
}

/// The field of a Secret that gives it other data. What stands in `stringData` goes into `data`, and wins there.
fn frozen_secret(before: &Node, after: &Node) -> Option<&'static str> {
    let fields = ["stringData", "data"];
    if [before, after].iter().any(|node| fields.iter().filter_map(|field| node.get(field)).any(is_open)) {
        return None;
    }
    let (one, other) = (secret_data(before), secret_data(after));
    let is_same = one.len() == other.len()
        && one.iter().all(|(key, value)| {
            // What cannot be read may be the same.
            other.get(key).is_some_and(|other| value.is_none() || other.is_none() || value == other)
        });
    let mut changed = fields.into_iter().filter(|field| before.get(field) != after.get(field));
    if is_same { None } else { changed.find(|field| after.get(field).is_some()).or(Some("data")) }
}

/// The entries of a Secret, decoded. `None` for one that only the cluster can read.
fn secret_data(secret: &Node) -> BTreeMap<&str, Option<Vec<u8>>> {
    let is_readable = |text: &&str| !text.starts_with(CIPHERTEXT);
    let entries = |field: &str| secret.get(field).into_iter().flat_map(Node::entries);
    let decoded = |entry: &Node| {
        let text: String = entry.as_str().filter(is_readable)?.split_ascii_whitespace().collect();
        base64::engine::general_purpose::STANDARD.decode(text).ok()
    };
    let plain = |entry: &Node| entry.as_str().filter(is_readable).map(|text| text.as_bytes().to_vec());
    let mut data: BTreeMap<&str, _> =
        entries("data").map(|entry| (entry.key.as_str(), decoded(&entry.value))).collect();
    data.extend(entries("stringData").map(|entry| (entry.key.as_str(), plain(&entry.value))));
    data
}

/// Whether a variable stands in it whose value only the cluster knows.
fn is_open(node: &Node) -> bool {
    node.as_str().is_some_and(|text| text.contains("${"))
        || node.items().any(is_open)
        || node.entries().any(|entry| entry.key.contains("${") || is_open(&entry.value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{flux::api::kinds::GroupKind, source::Span};

    fn node(pairs: &[(&[&str], &str)]) -> Node {
        let mut node = Node::empty_map(Span::NONE);
        for (keys, value) in pairs {
            let (last, path) = keys.split_last().expect("a key");
            let map = node.ensure_map(path, Span::NONE).expect("made");
            map.set(last, Node::str(*value, Span::NONE));
        }
        node
    }

    fn key(group: &'static str, kind: &'static str) -> ObjectKey {
        ObjectKey::new(GroupKind { group, kind }, "default", "x")
    }

    #[test]
    fn a_template_of_a_job_is_fixed_and_that_of_a_deployment_is_not() {
        let of = |image: &str| node(&[(&["spec", "template", "image"], image)]);
        assert_eq!(immutable_change(&key("batch", "Job"), &of("a"), &of("b")), Some("spec.template"));
        assert_eq!(immutable_change(&key("batch", "Job"), &of("a"), &of("a")), None);
        assert_eq!(immutable_change(&key("apps", "Deployment"), &of("a"), &of("b")), None);
        assert_eq!(immutable_change(&key("batch", "Job"), &of("${tag}"), &of("b")), None, "the value is not known");
    }

    #[test]
    fn what_the_server_fills_in_may_be_written_down_later() {
        let claim = key("", "PersistentVolumeClaim");
        let of = |class: &str| node(&[(&["spec", "storageClassName"], class)]);
        assert_eq!(immutable_change(&claim, &node(&[]), &of("fast")), None);
        assert_eq!(immutable_change(&claim, &of("slow"), &of("fast")), Some("spec.storageClassName"));
        let service = key("", "Service");
        let of = |address: &str| node(&[(&["spec", "clusterIP"], address)]);
        assert_eq!(immutable_change(&service, &node(&[]), &of("None")), Some("spec.clusterIP"));
        assert_eq!(immutable_change(&service, &of("None"), &node(&[])), None);
    }

    #[test]
    fn a_claim_may_grow_and_not_shrink() {
        let claim = key("", "PersistentVolumeClaim");
        let of = |size: &str| node(&[(&["spec", "resources", "requests", "storage"], size)]);
        assert_eq!(immutable_change(&claim, &of("1Gi"), &of("2000Mi")), None);
        assert_eq!(immutable_change(&claim, &of("1Ti"), &of("1T")), Some("spec.resources.requests.storage"));
        assert_eq!(immutable_change(&claim, &of("1Gi"), &of("much")), None);
    }

    #[test]
    fn a_map_that_calls_itself_immutable_keeps_its_data() {
        let of = |value: &str| node(&[(&["data", "a"], value)]);
        let mut frozen = of("1");
        frozen.set("immutable", Node { value: crate::yaml::Value::Bool(true), span: Span::NONE });
        assert_eq!(immutable_change(&key("", "ConfigMap"), &frozen, &of("2")), Some("data"));
        assert_eq!(immutable_change(&key("", "ConfigMap"), &of("1"), &of("2")), None);
    }

    #[test]
    fn a_secret_that_calls_itself_immutable_is_compared_by_its_bytes() {
        let of = |field: &str, value: &str| {
            let mut secret = node(&[(&[field, "a"], value)]);
            secret.set("immutable", Node { value: crate::yaml::Value::Bool(true), span: Span::NONE });
            secret
        };
        let change = |one: &Node, other: &Node| immutable_change(&key("", "Secret"), one, other);
        assert_eq!(change(&of("stringData", "b"), &of("data", "Yg==")), None);
        assert_eq!(change(&of("stringData", "b"), &of("data", "Yw==")), Some("data"));
        assert_eq!(change(&of("data", "Yg=="), &of("stringData", "c")), Some("stringData"));
        assert_eq!(change(&of("data", "ENC[1]"), &of("data", "ENC[2]")), None, "encrypted anew");
        assert_eq!(change(&of("data", "Yg=="), &node(&[])), Some("data"));
    }
}
