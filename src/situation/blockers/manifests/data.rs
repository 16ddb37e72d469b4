//! What the API server checks of ConfigMaps and Secrets (Kubernetes 1.36, `pkg/apis/core/validation`, `ValidateConfigMap`,
//! `ValidateSecret`).

use super::{FieldFault, Flaw, crd::is_open, flaw::Form};
use crate::{kustomize::Object, situation::blockers::decryption::is_base64, yaml::Node};

/// Keys that Secrets of a type must have.
const OF_TYPES: [(&str, &[&str]); 3] = [
    ("kubernetes.io/dockerconfigjson", &[".dockerconfigjson"]),
    ("kubernetes.io/ssh-auth", &["ssh-privatekey"]),
    ("kubernetes.io/tls", &["tls.crt", "tls.key"]),
];

/// The keys and values of a ConfigMap or Secret that are refused.
pub(super) fn faults(object: &Object, group: &str, version: &str, kind: &str) -> Vec<FieldFault> {
    let mut faults = Vec::new();
    let binary = match (group, version, kind) {
        ("", "v1", "ConfigMap") => "binaryData",
        ("", "v1", "Secret") => "data",
        _ => return faults,
    };
    // What is encrypted is another text once it is decrypted.
    if object.node.get("sops").is_some() {
        return faults;
    }
    for field in ["binaryData", "data", "stringData"] {
        for entry in object.node.get(field).into_iter().flat_map(Node::entries) {
            let path = format!("{field}.{}", entry.key);
            if !is_open(&entry.key) && !is_key(&entry.key) {
                let span = entry.key_span.or(entry.value.span).or(object.source);
                let flaw = Flaw::Check {
                    is: "has a key with other letters than letters, digits, `-`, `_` and `.`".to_owned(),
                    said: "Invalid value: a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
                    cure: format!("write the key with letters, digits, `-`, `_` and `.`: `{}`", entry.key),
                };
                faults.push(FieldFault { path: path.clone(), flaw, span });
            }
            let text = entry.value.as_str().filter(|text| field == binary && !is_open(text));
            if text.is_some_and(|text| !is_base64(text)) {
                let span = entry.value.span.or(entry.key_span).or(object.source);
                let plain = if kind == "Secret" { "stringData" } else { "data" };
                let flaw = Flaw::Check {
                    is: "is no base64".to_owned(),
                    said: "illegal base64 data",
                    cure: format!("encode the value, or write it as it is below `{plain}`"),
                };
                faults.push(FieldFault { path, flaw, span });
            }
        }
    }
    // The Flux Operator copies the data of what carries this annotation.
    if object.node.find(&["metadata", "annotations", "fluxcd.controlplane.io/copyFrom"]).is_some() {
        return faults;
    }
    let wanted = OF_TYPES.iter().find(|row| object.node.find_str(&["type"]) == Some(row.0));
    for key in wanted.map_or(&[][..], |row| row.1).iter().filter(|_| kind == "Secret") {
        let fields = ["data", "stringData"];
        let is_there = fields.iter().any(|field| {
            let entries = object.node.get(field).into_iter().flat_map(Node::entries);
            entries.into_iter().any(|entry| entry.key == **key || is_open(&entry.key))
        });
        if !is_there {
            let span = object.node.find(&["type"]).map_or(object.source, |node| node.span.or(object.source));
            faults.push(FieldFault { path: format!("data[{key}]"), flaw: Flaw::Missing(Form::Any), span });
        }
    }
    faults
}

fn is_key(key: &str) -> bool {
    (1..=253).contains(&key.len())
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
        && key != "."
        && !key.starts_with("..")
}
