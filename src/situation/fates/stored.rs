//! Fields as the API server stores them: two texts that it decodes and fills in to the same value are no change.
//!
//! Sources: Kubernetes 1.34, `SetDefaults_…` in `pkg/apis/*/v1/defaults.go` and the `+default` marks of the types. A value that the server
//! fills in, and one that means the same as leaving it out, is taken away on both sides.

use crate::yaml::{Node, Value};

/// Values that the API server fills in: where the field stands (the end of the path, `*` is an item of a list), its name, the value.
const DEFAULTS: &[(&str, &str, &str)] = &[
    // SetDefaults_RoleBinding, SetDefaults_ClusterRoleBinding
    ("roleRef", "apiGroup", "rbac.authorization.k8s.io"),
    // SetDefaults_PodSpec
    ("template.spec", "dnsPolicy", "ClusterFirst"),
    ("template.spec", "restartPolicy", "Always"),
    ("template.spec", "schedulerName", "default-scheduler"),
    ("template.spec", "terminationGracePeriodSeconds", "30"),
    // SetDefaults_Container; `imagePullPolicy` is in `fill_in`
    ("containers.*", "terminationMessagePath", "/dev/termination-log"),
    ("containers.*", "terminationMessagePolicy", "File"),
    ("initContainers.*", "terminationMessagePath", "/dev/termination-log"),
    ("initContainers.*", "terminationMessagePolicy", "File"),
    // ContainerPort, `+default="TCP"`
    ("ports.*", "protocol", "TCP"),
    ("ports.*", "hostPort", "0"),
    // SetDefaults_Probe
    ("livenessProbe", "failureThreshold", "3"),
    ("livenessProbe", "initialDelaySeconds", "0"),
    ("livenessProbe", "periodSeconds", "10"),
    ("livenessProbe", "successThreshold", "1"),
    ("livenessProbe", "timeoutSeconds", "1"),
    ("readinessProbe", "failureThreshold", "3"),
    ("readinessProbe", "initialDelaySeconds", "0"),
    ("readinessProbe", "periodSeconds", "10"),
    ("readinessProbe", "successThreshold", "1"),
    ("readinessProbe", "timeoutSeconds", "1"),
    ("startupProbe", "failureThreshold", "3"),
    ("startupProbe", "initialDelaySeconds", "0"),
    ("startupProbe", "periodSeconds", "10"),
    ("startupProbe", "successThreshold", "1"),
    ("startupProbe", "timeoutSeconds", "1"),
    // SetDefaults_HTTPGetAction
    ("httpGet", "path", "/"),
    ("httpGet", "scheme", "HTTP"),
    // SetDefaults_ObjectFieldSelector
    ("fieldRef", "apiVersion", "v1"),
    // SetDefaults_SecretVolumeSource and the like: 0644
    ("volumes.*.configMap", "defaultMode", "420"),
    ("volumes.*.downwardAPI", "defaultMode", "420"),
    ("volumes.*.projected", "defaultMode", "420"),
    ("volumes.*.secret", "defaultMode", "420"),
    // SetDefaults_ServiceAccountTokenProjection
    ("sources.*.serviceAccountToken", "expirationSeconds", "3600"),
    // ISCSIVolumeSource, RBDVolumeSource, AzureDiskVolumeSource, ScaleIOVolumeSource, `+default`
    ("volumes.*.iscsi", "iscsiInterface", "default"),
    ("volumes.*.rbd", "pool", "rbd"),
    ("volumes.*.rbd", "user", "admin"),
    ("volumes.*.rbd", "keyring", "/etc/ceph/keyring"),
    ("volumes.*.azureDisk", "cachingMode", "ReadWrite"),
    ("volumes.*.azureDisk", "fsType", "ext4"),
    ("volumes.*.azureDisk", "kind", "Shared"),
    ("volumes.*.scaleIO", "fsType", "xfs"),
    ("volumes.*.scaleIO", "storageMode", "ThinProvisioned"),
    // SetDefaults_PersistentVolumeClaimSpec
    ("volumeClaimTemplates.*.spec", "volumeMode", "Filesystem"),
    ("volumeClaimTemplate.spec", "volumeMode", "Filesystem"),
];

/// Fields that the server sets itself, whatever is written: the type of an embedded claim, and its status
/// (`Convert_v1_StatefulSetSpec_To_apps_StatefulSetSpec`).
const OWN: &[(&str, &str)] = &[
    ("volumeClaimTemplates.*", "apiVersion"),
    ("volumeClaimTemplates.*", "kind"),
    ("volumeClaimTemplates.*", "status"),
    ("volumeClaimTemplates.*.metadata", "creationTimestamp"),
    ("template.metadata", "creationTimestamp"),
    ("volumeClaimTemplate.metadata", "creationTimestamp"),
];

/// Maps of texts: an empty text in one is a value.
const TEXTS: &[&str] = &[
    "annotations",
    "binaryData",
    "data",
    "labels",
    "matchLabels",
    "nodeSelector",
    "options",
    "parameters",
    "stringData",
    "volumeAttributes",
];

/// Fields whose `false` or empty text is another value than none: pointers in the types of the API.
const POINTERS: &[&str] = &[
    "allowPrivilegeEscalation",
    "automountServiceAccountToken",
    "enableServiceLinks",
    "hostUsers",
    "optional",
    "privileged",
    "readOnlyRootFilesystem",
    "runAsNonRoot",
    "setHostnameAsFQDN",
    "shareProcessNamespace",
    "storageClassName",
];

/// The field at `path` of an object as the API server stores it; `None` where that is the same as leaving it out.
pub(crate) fn stored(object: &Node, path: &[&str]) -> Option<Node> {
    let mut node = object.find(path)?.clone();
    let mut at = path.to_vec();
    normalize(&mut node, &mut at);
    (!is_nothing(&node, path)).then_some(node)
}

fn normalize(node: &mut Node, at: &mut Vec<&str>) {
    let is_amounts =
        ends(at, "resources.requests") || ends(at, "resources.limits") || ends(at, "template.spec.overhead");
    if is_amounts || ends(at, "emptyDir.sizeLimit") || ends(at, "resourceFieldRef.divisor") {
        amounts(node, is_amounts);
        return;
    }
    match &node.value {
        Value::Map(map) => {
            let keys: Vec<smol_str::SmolStr> = map.entries().iter().map(|entry| entry.key.clone()).collect();
            fill_in(node, at);
            let is_texts = at.last().is_some_and(|last| TEXTS.contains(last));
            for key in &keys {
                // A path is compared with the tables only, so that the key may be lent for as long as its value is looked at.
                let mut inner: Vec<&str> = at.clone();
                inner.push(key);
                let Some(value) = node.get_mut(key) else { continue };
                normalize(value, &mut inner);
                let is_dropped =
                    if is_texts { value.is_null() } else { is_nothing(value, &inner) || is_filled(value, &inner) };
                if is_dropped {
                    node.remove(key);
                }
            }
        }
        Value::Seq(_) => {
            at.push("*");
            // Items stay, even empty ones: they count.
            for item in node.as_seq_mut().into_iter().flatten() {
                normalize(item, at);
            }
            at.pop();
        }
        _ => {}
    }
}

/// What depends on other fields of the same map.
fn fill_in(node: &mut Node, at: &[&str]) {
    let containers = ["containers.*", "initContainers.*"].iter().any(|place| ends(at, place));
    let pull = match () {
        () if containers => Some(("image", "imagePullPolicy")),
        () if ends(at, "volumes.*.image") => Some(("reference", "pullPolicy")),
        () => None,
    };
    // SetDefaults_Container, SetDefaults_Volume
    if let Some((image, policy)) = pull {
        let default = if is_latest(node.find_str(&[image]).unwrap_or_default()) { "Always" } else { "IfNotPresent" };
        if node.find_str(&[policy]) == Some(default) {
            node.remove(policy);
        }
    }
    // The older name of the same field (`Convert_v1_PodSpec_To_core_PodSpec`).
    if ends(at, "template.spec")
        && node.get("serviceAccount").is_some()
        && node.get("serviceAccount") == node.get("serviceAccountName")
    {
        node.remove("serviceAccount");
    } else if ends(at, "template.spec")
        && node.get("serviceAccountName").is_none()
        && let Some(account) = node.remove("serviceAccount")
    {
        node.set("serviceAccountName", account);
    }
}

/// Whether an image is the latest one: by its tag, or as it has neither tag nor digest (`parsers.ParseImageName`).
fn is_latest(image: &str) -> bool {
    let (name, digest) = image.split_once('@').map_or((image, None), |(name, digest)| (name, Some(digest)));
    match name.rsplit('/').next().unwrap_or(name).split_once(':') {
        Some((_, tag)) => tag == "latest",
        None => digest.is_none(),
    }
}

fn is_filled(value: &Node, path: &[&str]) -> bool {
    let Some((key, place)) = path.split_last() else { return false };
    let is_own = OWN.iter().any(|(at, name)| name == key && ends(place, at));
    let text = || match &value.value {
        Value::Str(text) => Some(text.to_string()),
        Value::Int(number) => Some(number.to_string()),
        _ => None,
    };
    let mut defaults = DEFAULTS.iter().filter(|(at, name, _)| name == key && ends(place, at));
    is_own || defaults.any(|(.., default)| text().as_deref() == Some(default))
}

/// Whether it is the same as no value: the server decodes it to the zero of its type.
fn is_nothing(value: &Node, path: &[&str]) -> bool {
    let is_pointer = path.last().is_some_and(|key| POINTERS.contains(key));
    match &value.value {
        Value::Null => true,
        Value::Map(map) => map.is_empty(),
        Value::Seq(items) => items.is_empty(),
        Value::Str(text) => text.is_empty() && !is_pointer,
        Value::Bool(is_set) => !is_set && !is_pointer,
        _ => false,
    }
}

/// Whether a path ends with the parts of `pattern`.
fn ends(path: &[&str], pattern: &str) -> bool {
    let mut rest = path.iter().rev();
    pattern.rsplit('.').all(|part| rest.next() == Some(&part))
}

/// Puts quantities in one form: a number of billionths. What is none stays as it is.
fn amounts(node: &mut Node, is_list: bool) {
    let of = |node: &Node| {
        let amount = quantity(node)?;
        // SetDefaults_ResourceList rounds up to thousandths.
        let amount = if is_list { (amount + 999_999).div_euclid(1_000_000) } else { amount };
        Some(if amount == 0 && !is_list { Node::NULL } else { Node::str(amount.to_string(), node.span) })
    };
    if node.as_map().is_none() {
        *node = of(node).unwrap_or_else(|| node.clone());
        return;
    }
    for entry in node.as_map_mut().into_iter().flat_map(crate::yaml::Map::entries_mut) {
        entry.value = of(&entry.value).unwrap_or_else(|| entry.value.clone());
    }
}

/// The billionths that a quantity such as `10Gi`, `1.5` or `100m` means, rounded up (`resource.ParseQuantity`).
pub(in crate::situation) fn quantity(node: &Node) -> Option<i128> {
    match &node.value {
        Value::Str(text) => billionths(text),
        Value::Int(number) => Some(i128::from(*number) * 1_000_000_000),
        Value::Uint(number) => Some(i128::from(*number) * 1_000_000_000),
        Value::Float(number) => billionths(&number.to_string()),
        _ => None,
    }
}

fn billionths(text: &str) -> Option<i128> {
    let (is_negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = text.find(|sign: char| !sign.is_ascii_digit() && sign != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{whole}{part}");
    let amount: i128 = digits.parse().ok()?;
    let (base, power): (i128, i32) = match unit {
        "" => (10, 0),
        "n" => (10, -9),
        "u" => (10, -6),
        "m" => (10, -3),
        "k" => (10, 3),
        "M" => (10, 6),
        "G" => (10, 9),
        "T" => (10, 12),
        "P" => (10, 15),
        "E" => (10, 18),
        "Ki" => (2, 10),
        "Mi" => (2, 20),
        "Gi" => (2, 30),
        "Ti" => (2, 40),
        "Pi" => (2, 50),
        "Ei" => (2, 60),
        _ => (10, unit.strip_prefix(['e', 'E'])?.parse().ok()?),
    };
    // As a fraction of two whole numbers, so that nothing is lost before it is rounded.
    let up = if power > 0 { base.checked_pow(power.unsigned_abs())? } else { 1 };
    let down = if power < 0 { base.checked_pow(power.unsigned_abs())? } else { 1 };
    let down = down.checked_mul(10_i128.checked_pow(u32::try_from(part.len()).ok()?)?)?;
    let over = amount.checked_mul(up)?.checked_mul(1_000_000_000)?;
    let rounded = over.checked_add(down - 1)?.div_euclid(down);
    Some(if is_negative { -rounded } else { rounded })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{source::FileId, yaml};

    fn same(field: &str, one: &str, other: &str) -> bool {
        let path: Vec<&str> = field.split('.').collect();
        let of = |text: &str| {
            let text = format!("{}{text}", path.iter().map(|key| format!("{{{key}: ")).collect::<String>());
            let text = format!("{text}{}", "}".repeat(path.len()));
            let file = yaml::parse(FileId::NONE, text.as_bytes());
            let document = file.documents.first().filter(|one| one.error.is_none()).expect("YAML");
            stored(&document.root, &path)
        };
        of(one) == of(other)
    }

    fn same_container(one: &str, other: &str) -> bool {
        let of = |text: &str| format!("{{spec: {{containers: [{{name: a, {text}}}]}}}}");
        same("spec.template", &of(one), &of(other))
    }

    #[test]
    fn quantities_are_numbers() {
        let of = |text: &str| billionths(text);
        for (one, other) in
            [("1024Mi", "1Gi"), ("1000m", "1"), ("1.5Gi", "1536Mi"), ("1e3", "1k"), ("0.1", "100m"), ("2E", "2000P")]
        {
            assert_eq!(of(one), of(other), "{one}");
        }
        assert_ne!(of("1G"), of("1Gi"));
        assert_eq!(of("0.0000000001"), Some(1), "rounded up");
        for none in ["", "much", "1K", "1GB", "1.2.3", "1e99"] {
            assert_eq!(of(none), None, "{none}");
        }
    }

    #[test]
    fn what_the_server_fills_in_is_no_change() {
        for (field, one, other) in [
            ("roleRef", "{kind: Role, name: a}", "{apiGroup: rbac.authorization.k8s.io, kind: Role, name: a}"),
            ("spec.template", "{spec: {dnsPolicy: ClusterFirst, securityContext: {}}, metadata: {labels: {}}}", "{}"),
            ("spec.template", "{spec: {serviceAccount: a}}", "{spec: {serviceAccountName: a}}"),
            ("spec.template", "{spec: {volumes: [{name: a}]}}", "{spec: {volumes: [{name: a, emptyDir: {}}]}}"),
            (
                "spec.template",
                "{spec: {volumes: [{name: a, secret: {secretName: b, defaultMode: 420}}]}}",
                "{spec: {volumes: [{name: a, secret: {secretName: b}}]}}",
            ),
            ("spec.nfs", "{path: /a, readOnly: false}", "{path: /a}"),
            ("spec.hostPath", "{path: /a, type: ''}", "{path: /a}"),
            ("spec.selector", "{matchLabels: {a: b}, matchExpressions: []}", "{matchLabels: {a: b}}"),
            (
                "spec.volumeClaimTemplates",
                "[{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: a, creationTimestamp: null}, status: {}}]",
                "[{metadata: {name: a}, spec: {volumeMode: Filesystem}}]",
            ),
        ] {
            assert!(same(field, one, other), "{one}");
        }
        for (one, other) in [
            ("image: 'b:1'", "image: 'b:1', imagePullPolicy: IfNotPresent"),
            ("image: 'host:5000/b'", "image: 'host:5000/b', imagePullPolicy: Always"),
            ("image: 'b@sha256:1'", "image: 'b@sha256:1', imagePullPolicy: IfNotPresent"),
            ("resources: {limits: {cpu: 1000m}}", "resources: {limits: {cpu: 1}}"),
            ("ports: [{containerPort: 80}]", "ports: [{containerPort: 80, protocol: TCP}]"),
            (
                "livenessProbe: {httpGet: {port: 1}}",
                "livenessProbe: {httpGet: {port: 1, scheme: HTTP}, periodSeconds: 10}",
            ),
            ("env: [{name: a}]", "env: [{name: a, value: ''}]"),
        ] {
            assert!(same_container(one, other), "{one}");
        }
    }

    #[test]
    fn what_means_something_else_stays_a_change() {
        for (field, one, other) in [
            ("roleRef", "{kind: Role, name: a}", "{kind: Role, name: b}"),
            ("spec.volumeClaimTemplates", "[{spec: {storageClassName: ''}}]", "[{spec: {}}]"),
            ("spec.volumeClaimTemplates", "[{spec: {volumeMode: Block}}]", "[{spec: {}}]"),
            ("spec.volumeClaimTemplates", "[{metadata: {name: a}}, {}]", "[{metadata: {name: a}}]"),
            ("spec.selector", "{matchLabels: {a: ''}}", "{matchLabels: {}}"),
            ("parameters", "{a: 'false'}", "{}"),
            ("spec.nfs", "{path: /a, readOnly: true}", "{path: /a}"),
            ("spec.template", "{spec: {automountServiceAccountToken: false}}", "{spec: {}}"),
            ("spec.template", "{spec: {terminationGracePeriodSeconds: 0}}", "{spec: {}}"),
        ] {
            assert!(!same(field, one, other), "{one}");
        }
        for (one, other) in [
            ("image: b", "image: b, imagePullPolicy: IfNotPresent"),
            ("image: 'b:1'", "image: 'b:1', imagePullPolicy: Always"),
            ("resources: {limits: {cpu: 1}}", "resources: {limits: {cpu: 2}}"),
            ("resources: {limits: {cpu: 0}}", "image: ''"),
            ("args: ['']", "args: []"),
            ("securityContext: {privileged: false}", "securityContext: {}"),
        ] {
            assert!(!same_container(one, other), "{one}");
        }
    }
}
