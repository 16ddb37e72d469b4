//! Workloads and their pods.

use super::{Checks, is_empty, set, set_entries};
use crate::{
    situation::{
        blockers::manifests::{Flaw, crd::is_open, fields::visit, lists::CONTAINERS},
        fates::quantity,
    },
    yaml::{Node, Trail},
};

/// What a volume may be of (`core/v1`, `VolumeSource`).
const VOLUMES: [&str; 30] = [
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "gitRepo",
    "glusterfs",
    "hostPath",
    "image",
    "iscsi",
    "nfs",
    "persistentVolumeClaim",
    "photonPersistentDisk",
    "portworxVolume",
    "projected",
    "quobyte",
    "rbd",
    "scaleIO",
    "secret",
    "storageos",
    "vsphereVolume",
];

impl Checks<'_> {
    pub(super) fn workload(&mut self, spec: &Node, kind: &str) {
        if !matches!(kind, "DaemonSet" | "Deployment" | "ReplicaSet" | "StatefulSet") {
            return;
        }
        let strategy = spec.get("strategy").filter(|_| kind == "Deployment");
        if let Some(strategy) = strategy
            && strategy.find_str(&["type"]) == Some("Recreate")
            && let Some(rolling) = set(strategy, "rollingUpdate")
        {
            let what = (
                "stands beside `type: Recreate`",
                "Forbidden: may not be specified when strategy `type` is 'Recreate'",
            );
            self.refuse(
                "spec.strategy.rollingUpdate",
                rolling.span,
                what,
                "remove `rollingUpdate`; in a patch, set it to null",
            );
        }
        let Some(selector) = spec.get("selector").filter(|selector| selector.as_map().is_some()) else { return };
        if selector.entries().all(|entry| entry.value.is_null() || is_empty(&entry.value)) {
            let what = ("is empty", "Invalid value: empty selector is invalid");
            self.refuse("spec.selector", selector.span, what, "add `matchLabels` with labels that the template has");
            return;
        }
        let Some(template) = spec.get("template").filter(|template| template.as_map().is_some()) else { return };
        let labels = template.find(&["metadata", "labels"]).filter(|labels| !labels.is_null());
        // Labels that hold a variable, or are no text, are a fault of their own or become something else.
        let is_plain = |node: &Node| {
            node.entries().all(|entry| entry.value.as_str().is_some_and(|text| !is_open(text)) && !is_open(&entry.key))
        };
        let Some(wanted) = selector.get("matchLabels").filter(|labels| is_plain(labels)) else { return };
        if labels.is_some_and(|labels| labels.as_map().is_none() || !is_plain(labels)) {
            return;
        }
        let has = |key: &str| labels.and_then(|labels| labels.get(key)).and_then(Node::as_str);
        let lacking = wanted.entries().find(|entry| has(&entry.key) != entry.value.as_str());
        if let Some(entry) = lacking {
            let (key, value) = (&entry.key, entry.value.as_str().unwrap_or_default());
            let is = match has(key) {
                Some(other) => format!("have `{key}: {other}`, where the selector asks for `{key}: {value}`"),
                None => format!("lack `{key}: {value}`, which the selector asks for"),
            };
            let said = "Invalid value: `selector` does not match template `labels`";
            let cure = format!("give the template the label `{key}: {value}`, or correct `spec.selector.matchLabels`");
            self.add("spec.template.metadata.labels", entry.value.span, Flaw::Check { is, said, cure });
        }
    }

    /// Pods of a Job are not restarted forever (`ValidateJobSpec`); what is left out is `Always`.
    pub(super) fn job(&mut self, path: &[&str]) {
        let Some(pod) = self.object.node.find(path).and_then(|spec| spec.find(&["template", "spec"])) else { return };
        let policy = set(pod, "restartPolicy");
        let shown = format!("{}.template.spec.restartPolicy", path.join("."));
        let is = match policy.map(Node::as_str) {
            None => "is missing",
            Some(Some("Always")) => "is `Always`",
            Some(_) => return,
        };
        let span = policy.map_or(pod.span, |policy| policy.span);
        let what = (is, "Required value: valid values: \"OnFailure\", \"Never\"");
        self.refuse(shown.as_str(), span, what, &format!("set `{shown}` to `OnFailure` or `Never`"));
    }

    /// Names of the Jobs of a CronJob have eleven more letters.
    pub(super) fn short_name(&mut self) {
        let Some(name) = self.object.node.find(&["metadata", "name"]) else { return };
        if let Some(text) = name.as_str().filter(|text| text.len() > 52 && !is_open(text)) {
            let is = format!("has {} letters, where 52 are allowed for a CronJob", text.len());
            let what = (is.as_str(), "Invalid value: must be no more than 52 characters");
            self.refuse("metadata.name", name.span, what, "shorten `metadata.name`");
        }
    }

    pub(super) fn pod(&mut self, pod: &Node, shown: Trail<'_>) {
        let volumes = || pod.get("volumes").into_iter().flat_map(Node::items);
        for (index, volume) in volumes().enumerate() {
            let sources: Vec<&str> = set_entries(volume).filter(|key| VOLUMES.contains(key)).collect();
            if let [first, second, ..] = sources.as_slice() {
                let is = format!("has both `{first}` and `{second}`");
                let what = (is.as_str(), "Forbidden: may not specify more than 1 volume type");
                let cure = format!("keep one of them; a patch that replaces `{first}` sets it to null");
                self.refuse(format!("{shown}.volumes[{index}]"), volume.span, what, &cure);
            }
        }
        let names: Vec<Option<&str>> = volumes().map(|volume| volume.find_str(&["name"])).collect();
        let are_known = names.iter().all(|name| name.is_some_and(|name| !is_open(name)));
        for list in CONTAINERS {
            visit(pod, &[list, "*"], shown, &mut |container, _, path| {
                let Some(container) = container.filter(|it| it.as_map().is_some()) else { return };
                if are_known {
                    self.mounts(container, path, &names);
                }
                self.container(container, path);
            });
        }
    }

    /// Mounts of volumes that the pod does not have.
    fn mounts(&mut self, container: &Node, shown: Trail<'_>, names: &[Option<&str>]) {
        for (list, kind) in [("volumeMounts", "mounted"), ("volumeDevices", "used")] {
            let entries = container.get(list).into_iter().flat_map(Node::items).enumerate();
            for (index, name) in entries.filter_map(|(index, mount)| Some((index, mount.get("name")?))) {
                let Some(text) = name.as_str().filter(|text| !text.is_empty() && !is_open(text)) else { continue };
                if !names.contains(&Some(text)) {
                    let is = format!("is `{text}`, a volume that the pod does not have");
                    let cure =
                        format!("add the volume `{text}` to the pod, or correct the name of the one that is {kind}");
                    self.refuse(format!("{shown}.{list}[{index}].name"), name.span, (is.as_str(), "Not found"), &cure);
                }
            }
        }
    }

    fn container(&mut self, container: &Node, shown: Trail<'_>) {
        for (index, variable) in container.get("env").into_iter().flat_map(Node::items).enumerate() {
            let value = set(variable, "value").filter(|value| value.as_str() != Some(""));
            if let (Some(_), Some(from)) = (value, set(variable, "valueFrom")) {
                let what =
                    ("stands beside `value`", "Invalid value: \"\": may not be specified when `value` is not empty");
                let cure = "keep one of `value` and `valueFrom`; a patch that replaces the one sets it to null";
                self.refuse(format!("{shown}.env[{index}].valueFrom"), from.span, what, cure);
            }
        }
        for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
            let Some(node) = set(container, probe).filter(|node| node.as_map().is_some()) else { continue };
            let handlers: Vec<&str> =
                ["exec", "grpc", "httpGet", "tcpSocket"].into_iter().filter(|it| set(node, it).is_some()).collect();
            let path = format!("{shown}.{probe}");
            match handlers.as_slice() {
                [] => self.refuse(
                    path,
                    node.span,
                    ("has no handler", "Required value: must specify a handler type"),
                    "add one of `exec`, `grpc`, `httpGet` and `tcpSocket`",
                ),
                [_] => {}
                [first, second, ..] => {
                    let is = format!("has both `{first}` and `{second}`");
                    let what = (is.as_str(), "Forbidden: may not specify more than 1 handler type");
                    let cure = format!("keep one of them; a patch that replaces `{first}` sets it to null");
                    self.refuse(path, node.span, what, &cure);
                }
            }
        }
        self.resources(container, shown);
        self.names_once(container.get("ports"), &format!("{shown}.ports"));
    }

    /// Requests above the limit of the same resource (`validateResourceRequirements`).
    fn resources(&mut self, container: &Node, shown: Trail<'_>) {
        let of = |key: &str| container.find(&["resources", key]).into_iter().flat_map(Node::entries);
        for (key, entry) in ["limits", "requests"].into_iter().flat_map(|key| of(key).map(move |entry| (key, entry))) {
            self.amount(&entry.value, &format!("{shown}.resources.{key}.{}", entry.key));
        }
        for request in of("requests") {
            let Some(limit) = of("limits").find(|limit| limit.key == request.key) else { continue };
            if quantity(&request.value).zip(quantity(&limit.value)).is_some_and(|(request, limit)| request > limit) {
                let is = format!("asks for more `{}` than the limit", request.key);
                let what = (is.as_str(), "Invalid value: must be less than or equal to the limit");
                let cure = format!("raise `limits.{0}`, or lower `requests.{0}`", request.key);
                self.refuse(format!("{shown}.resources.requests.{}", request.key), request.value.span, what, &cure);
            }
        }
    }
}
