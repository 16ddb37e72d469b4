//! What the API server checks of Kubernetes' own kinds beyond their schemas (Kubernetes 1.36, `pkg/apis/apps/validation`,
//! `pkg/apis/batch/validation`, `pkg/apis/core/validation`, `pkg/apis/networking/validation`, `pkg/apis/rbac/validation`).

mod pods;

use super::{FieldFault, Flaw, crd::is_open, fields::visit, flaw::Form, lists::pod_of};
use crate::{
    kustomize::Object,
    source::Span,
    yaml::{Node, Trail},
};

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
        ("", "v1", "PersistentVolumeClaim") => {
            let storage = ["spec", "resources", "requests", "storage"];
            object.node.find(&storage).into_iter().for_each(|amount| checks.amount(amount, &storage.join(".")));
        }
        ("", "v1", "Pod") => {}
        _ => return Vec::new(),
    }
    // Of a StatefulSet no more of the pod than its labels is looked at.
    if kind != "StatefulSet"
        && let Some(path) = pod_of(group, kind)
    {
        visit(&object.node, path, Trail::Top, &mut |pod, _, shown| {
            if let Some(pod) = pod {
                checks.pod(pod, shown);
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

    /// A quantity of the API, such as `500m` or `2Gi` (apimachinery, `resource.ParseQuantity`).
    fn amount(&mut self, node: &Node, shown: &str) {
        if let Some(text) = node.as_str().filter(|text| !is_open(text) && !is_quantity(text)) {
            let is = format!("is `{text}`, which is no quantity");
            let said = "Invalid value: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
            let cure = format!(
                "write `{shown}` as a number, with a unit such as `m`, `k`, `M`, `G`, `Ki`, `Mi` or `Gi` behind it"
            );
            self.refuse(shown, node.span, (is.as_str(), said), &cure);
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
        visit(spec, &["rules", "*", "http", "paths", "*"], Trail::Key(&Trail::Top, "spec"), &mut |entry, _, shown| {
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

fn is_quantity(text: &str) -> bool {
    const UNITS: [&str; 16] = ["", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = text.find(|sign: char| !sign.is_ascii_digit() && sign != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let is_number = number.matches('.').count() <= 1 && number.bytes().any(|byte| byte.is_ascii_digit());
    let is_exponent = || {
        let power = unit.strip_prefix(['e', 'E']).map(|power| power.strip_prefix(['+', '-']).unwrap_or(power));
        power.is_some_and(|power| !power.is_empty() && power.bytes().all(|byte| byte.is_ascii_digit()))
    };
    is_number && (UNITS.contains(&unit) || is_exponent())
}

/// Whether a value holds nothing.
fn is_empty(node: &Node) -> bool {
    node.as_str() == Some("")
        || node.as_seq().is_some_and(<[Node]>::is_empty)
        || node.as_map().is_some_and(|map| map.is_empty())
}
