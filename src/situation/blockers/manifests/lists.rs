//! Lists with a key for each entry, in which two entries have the same. Server-side apply takes no such list: `failed to create typed patch
//! object (…): .spec.template.spec.containers[name="web"].env: duplicate entries for key [name="A"]` (structured-merge-diff v6,
//! `typed/validate.go`, `visitListItems`; the keys are the `x-kubernetes-list-map-keys` of Kubernetes' OpenAPI document).

use std::collections::BTreeMap;

use super::{FieldFault, Flaw, fields::visit};
use crate::{
    flux::is_open_text,
    kustomize::Object,
    yaml::{Node, Trail},
};

/// A list below a path, the keys of its entries, and what stands for a key that is left out.
type List = (&'static [&'static str], &'static [(&'static str, Option<&'static str>)]);

const NAME: &[(&str, Option<&str>)] = &[("name", None)];
/// The lists of containers of a pod.
pub(super) const CONTAINERS: [&str; 2] = ["containers", "initContainers"];

/// Lists of a container.
const OF_CONTAINER: &[List] = &[
    (&["env"], NAME),
    (&["ports"], &[("containerPort", None), ("protocol", Some("TCP"))]),
    (&["volumeMounts"], &[("mountPath", None)]),
    (&["volumeDevices"], &[("devicePath", None)]),
];

/// Lists of a pod.
const OF_POD: &[List] = &[
    (&["containers"], NAME),
    (&["initContainers"], NAME),
    (&["volumes"], NAME),
    (&["imagePullSecrets"], NAME),
    (&["hostAliases"], &[("ip", None)]),
    (&["topologySpreadConstraints"], &[("topologyKey", None), ("whenUnsatisfiable", None)]),
];

/// Lists of a Service.
const OF_SERVICE: &[List] = &[(&["spec", "ports"], &[("port", None), ("protocol", Some("TCP"))])];

/// Where a kind has its pod.
pub(super) fn pod_of(group: &str, kind: &str) -> Option<&'static [&'static str]> {
    match (group, kind) {
        ("", "Pod") => Some(&["spec"]),
        ("apps", "DaemonSet" | "Deployment" | "ReplicaSet" | "StatefulSet") | ("batch", "Job") => {
            Some(&["spec", "template", "spec"])
        }
        ("batch", "CronJob") => Some(&["spec", "jobTemplate", "spec", "template", "spec"]),
        _ => None,
    }
}

/// Entries of an object that have the key of an earlier one of their list.
pub(super) fn faults(object: &Object, group: &str, kind: &str) -> Vec<FieldFault> {
    let mut faults = Vec::new();
    if (group, kind) == ("", "Service") {
        doubles(&object.node, Trail::Top, OF_SERVICE, object, &mut faults);
    }
    let Some(path) = pod_of(group, kind) else { return faults };
    visit(&object.node, path, Trail::Top, &mut |pod, _, shown| {
        let Some(pod) = pod else { return };
        doubles(pod, shown, OF_POD, object, &mut faults);
        for list in CONTAINERS {
            visit(pod, &[list, "*"], shown, &mut |container, _, shown| {
                if let Some(container) = container {
                    doubles(container, shown, OF_CONTAINER, object, &mut faults);
                }
            });
        }
    });
    faults
}

fn doubles(node: &Node, shown: Trail<'_>, lists: &[List], object: &Object, faults: &mut Vec<FieldFault>) {
    for (path, keys) in lists {
        visit(node, path, shown, &mut |list, _, shown| {
            let mut seen: BTreeMap<Vec<String>, ()> = BTreeMap::new();
            for (index, item) in list.into_iter().flat_map(Node::items).enumerate() {
                let Some(values) = keys.iter().map(|key| value(item, *key)).collect::<Option<Vec<String>>>() else {
                    continue;
                };
                let key =
                    keys.iter().zip(&values).map(|((key, _), value)| format!("{key}: {value}")).collect::<Vec<_>>();
                if seen.insert(values, ()).is_some() {
                    let at = item.get(keys[0].0).map_or(item.span, |value| value.span).or(item.span);
                    faults.push(FieldFault {
                        path: format!("{shown}[{index}]"),
                        flaw: Flaw::Twice(key.join(", ")),
                        span: at.or(object.source),
                    });
                }
            }
        });
    }
}

/// The value of a key, as text; `None` where it is not known.
fn value(item: &Node, (key, default): (&str, Option<&str>)) -> Option<String> {
    let text = match item.get(key).filter(|value| !value.is_null()) {
        Some(value) => value.as_str().map(str::to_owned).or_else(|| value.as_i64().map(|number| number.to_string()))?,
        None => default?.to_owned(),
    };
    (!is_open_text(&text) && !text.contains("{{")).then_some(text)
}
