//! What the API server checks of Kubernetes' own kinds beyond their schemas (Kubernetes 1.36, `pkg/apis/apps/validation`,
//! `pkg/apis/batch/validation`, `pkg/apis/core/validation`, `pkg/apis/networking/validation`, `pkg/apis/rbac/validation`).

use super::{
    FieldFault, Flaw,
    crd::is_open,
    fields::visit,
    flaw::Form,
    lists::{CONTAINERS, pod_of},
};
use crate::{kustomize::Object, source::Span, yaml::Node};

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

/// The checks of one object, and what they find.
struct Checks<'o> {
    object: &'o Object,
    faults: Vec<FieldFault>,
}

/// What the API server refuses of an object of Kubernetes' own kinds, in the version that is current.
pub(super) fn faults(object: &Object, group: &str, version: &str, kind: &str) -> Vec<FieldFault> {
    let mut checks = Checks { object, faults: Vec::new() };
    let spec = object.node.get("spec").filter(|spec| spec.as_map().is_some());
    match (group, version, kind) {
        ("", "v1", "Service") => spec.into_iter().for_each(|spec| checks.service(spec)),
        ("networking.k8s.io", "v1", "Ingress") => spec.into_iter().for_each(|spec| checks.ingress(spec)),
        ("policy", "v1", "PodDisruptionBudget") => spec.into_iter().for_each(|spec| checks.budget(spec)),
        ("rbac.authorization.k8s.io", "v1", "ClusterRole" | "Role") => checks.rules(kind),
        ("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding" | "RoleBinding") => checks.subjects(kind),
        ("apps", "v1", _) => spec.into_iter().for_each(|spec| checks.workload(spec, kind)),
        ("batch", "v1", "CronJob") => {
            checks.job(&["spec", "jobTemplate", "spec"]);
            checks.short_name();
        }
        ("batch", "v1", "Job") => checks.job(&["spec"]),
        ("", "v1", "Pod") => {}
        _ => return Vec::new(),
    }
    // Of a StatefulSet no more of the pod than its labels is looked at.
    if kind != "StatefulSet"
        && let Some(path) = pod_of(group, kind)
    {
        visit(&object.node, path, "", &mut |pod, _, shown| {
            if let Some(pod) = pod {
                checks.pod(pod, &shown);
            }
        });
    }
    checks.faults
}

impl Checks<'_> {
    fn add(&mut self, path: impl Into<String>, span: Span, flaw: Flaw) {
        self.faults.push(FieldFault { path: path.into(), flaw, span: span.or(self.object.source) });
    }

    fn refuse(&mut self, path: impl Into<String>, span: Span, (is, said): (&str, &'static str), cure: &str) {
        self.add(path, span, Flaw::Check { is: is.to_owned(), said, cure: cure.to_owned() });
    }

    fn workload(&mut self, spec: &Node, kind: &str) {
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
    fn job(&mut self, path: &[&str]) {
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
    fn short_name(&mut self) {
        let Some(name) = self.object.node.find(&["metadata", "name"]) else { return };
        if let Some(text) = name.as_str().filter(|text| text.len() > 52 && !is_open(text)) {
            let is = format!("has {} letters, where 52 are allowed for a CronJob", text.len());
            let what = (is.as_str(), "Invalid value: must be no more than 52 characters");
            self.refuse("metadata.name", name.span, what, "shorten `metadata.name`");
        }
    }

    fn pod(&mut self, pod: &Node, shown: &str) {
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
                    self.mounts(container, &path, &names);
                }
                self.container(container, &path);
            });
        }
    }

    /// Mounts of volumes that the pod does not have.
    fn mounts(&mut self, container: &Node, shown: &str, names: &[Option<&str>]) {
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

    fn container(&mut self, container: &Node, shown: &str) {
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
        self.names_once(container.get("ports"), &format!("{shown}.ports"));
    }

    /// Ports with the name of an earlier one.
    fn names_once(&mut self, ports: Option<&Node>, shown: &str) {
        let mut seen: Vec<&str> = Vec::new();
        for (index, port) in ports.into_iter().flat_map(Node::items).enumerate() {
            let Some(name) = port.get("name") else { continue };
            let Some(text) = name.as_str().filter(|text| !text.is_empty() && !is_open(text)) else { continue };
            if seen.contains(&text) {
                let is = format!("is `{text}`, as that of an earlier port");
                self.refuse(
                    format!("{shown}[{index}].name"),
                    name.span,
                    (is.as_str(), "Duplicate value"),
                    "give each port a name of its own",
                );
            }
            seen.push(text);
        }
    }

    fn service(&mut self, spec: &Node) {
        let kind = match set(spec, "type") {
            None => "ClusterIP",
            Some(kind) => kind.as_str().unwrap_or_default(),
        };
        let ports = set(spec, "ports");
        let count = ports.map_or(0, |ports| ports.items().count());
        if kind == "ExternalName" {
            if set(spec, "externalName").is_none_or(is_empty) {
                self.add("spec.externalName", spec.span, Flaw::Missing(Form::Any));
            }
            return;
        }
        let is_headless = spec.find_str(&["clusterIP"]) == Some("None");
        let is_open = is_open(kind) || spec.find_str(&["clusterIP"]).is_some_and(is_open);
        if count == 0 && !is_headless && !is_open {
            self.add("spec.ports", spec.span, Flaw::Missing(Form::Any));
        }
        for (index, port) in ports.into_iter().flat_map(Node::items).enumerate().filter(|(_, it)| it.as_map().is_some())
        {
            if count > 1 && set(port, "name").is_none_or(is_empty) {
                let path = format!("spec.ports[{index}].name");
                self.add(path, port.span, Flaw::Missing(Form::Any));
            }
            if kind == "ClusterIP"
                && let Some(node_port) =
                    set(port, "nodePort").filter(|it| it.as_i64().is_some_and(|number| number != 0))
            {
                let what =
                    ("is set in a Service of type ClusterIP", "Forbidden: may not be used when `type` is 'ClusterIP'");
                let cure = "remove `nodePort`, or set `spec.type` to `NodePort` or `LoadBalancer`";
                self.refuse(format!("spec.ports[{index}].nodePort"), node_port.span, what, cure);
            }
        }
        self.names_once(ports, "spec.ports");
    }

    fn ingress(&mut self, spec: &Node) {
        let is_missing = |key: &str| set(spec, key).is_none_or(is_empty);
        if is_missing("defaultBackend") && is_missing("rules") {
            let what = (
                "has neither `rules` nor `defaultBackend`",
                "Invalid value: either `defaultBackend` or `rules` must be specified",
            );
            self.refuse("spec", spec.span, what, "add `spec.rules` or `spec.defaultBackend`");
        }
        visit(spec, &["rules", "*", "http", "paths", "*"], "spec", &mut |entry, _, shown| {
            let Some(entry) = entry.filter(|entry| entry.as_map().is_some()) else { return };
            if let Some(backend) = set(entry, "backend") {
                self.backend(backend, &format!("{shown}.backend"));
            }
            let kind = entry.find_str(&["pathType"]);
            let path = set(entry, "path");
            let text = path.map_or(Some(""), Node::as_str);
            if matches!(kind, Some("Exact" | "Prefix"))
                && let Some(text) = text.filter(|text| !text.starts_with('/') && !is_open(text))
            {
                let is = if text.is_empty() {
                    "is missing".to_owned()
                } else {
                    format!("is `{text}`, which does not begin with `/`")
                };
                let span = path.map_or(entry.span, |path| path.span);
                let what = (is.as_str(), "Invalid value: must be an absolute path");
                self.refuse(format!("{shown}.path"), span, what, "begin the path with `/`");
            }
        });
        if let Some(backend) = set(spec, "defaultBackend") {
            self.backend(backend, "spec.defaultBackend");
        }
    }

    fn backend(&mut self, backend: &Node, shown: &str) {
        if backend.as_map().is_none() {
            return;
        }
        if set(backend, "service").is_none() && set(backend, "resource").is_none() {
            let old = ["serviceName", "servicePort"].iter().any(|key| set(backend, key).is_some());
            let cure = if old {
                "write `service: {name: …, port: {number: …}}`: `serviceName` and `servicePort` are fields of `v1beta1`"
            } else {
                "add `service`, with `name` and `port`"
            };
            self.refuse(
                shown,
                backend.span,
                ("has neither `service` nor `resource`", "Required value: resource or service backend is required"),
                cure,
            );
        }
        let Some(port) = backend.find(&["service", "port"]).filter(|port| port.as_map().is_some()) else { return };
        let shown = format!("{shown}.service.port");
        match (set(port, "name"), set(port, "number")) {
            (None, None) => self.refuse(
                shown,
                port.span,
                ("has neither `name` nor `number`", "Required value: port name or number is required"),
                "add `name` or `number`",
            ),
            (Some(_), Some(_)) => self.refuse(
                shown,
                port.span,
                ("has both `name` and `number`", "Invalid value: cannot set both port name & port number"),
                "keep one of `name` and `number`; a patch that replaces the one sets it to null",
            ),
            _ => {}
        }
    }

    fn budget(&mut self, spec: &Node) {
        if let (Some(_), Some(most)) = (set(spec, "minAvailable"), set(spec, "maxUnavailable")) {
            let what = (
                "has both `minAvailable` and `maxUnavailable`",
                "Invalid value: minAvailable and maxUnavailable cannot be both set",
            );
            self.refuse("spec", most.span, what, "keep one of them; a patch that replaces the one sets it to null");
        }
    }

    /// Rules say of which resources, or of which URLs, they are (`ValidatePolicyRule`).
    fn rules(&mut self, kind: &str) {
        let object = self.object;
        for (index, rule) in object.node.get("rules").into_iter().flat_map(Node::items).enumerate() {
            let is_set = |key: &str| set(rule, key).is_some_and(|node| !is_empty(node));
            if rule.as_map().is_none() || (is_set("nonResourceURLs") && kind == "ClusterRole") {
                continue;
            }
            for key in ["apiGroups", "resources"] {
                if !is_set(key) {
                    self.add(format!("rules[{index}].{key}"), rule.span, Flaw::Missing(Form::Any));
                }
            }
        }
    }

    fn subjects(&mut self, kind: &str) {
        let object = self.object;
        for (index, subject) in object.node.get("subjects").into_iter().flat_map(Node::items).enumerate() {
            let is_account = subject.find_str(&["kind"]) == Some("ServiceAccount");
            if is_account && kind == "ClusterRoleBinding" && set(subject, "namespace").is_none_or(is_empty) {
                self.add(format!("subjects[{index}].namespace"), subject.span, Flaw::Missing(Form::Any));
            }
        }
    }
}

/// The value of a field; `None` where it is null.
fn set<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    node.get(key).filter(|value| !value.is_null())
}

/// The keys of a mapping whose values are not null.
fn set_entries(node: &Node) -> impl Iterator<Item = &str> {
    node.entries().filter(|entry| !entry.value.is_null()).map(|entry| entry.key.as_str())
}

/// Whether a value holds nothing.
fn is_empty(node: &Node) -> bool {
    node.as_str() == Some("")
        || node.as_seq().is_some_and(<[Node]>::is_empty)
        || node.as_map().is_some_and(|map| map.is_empty())
}
