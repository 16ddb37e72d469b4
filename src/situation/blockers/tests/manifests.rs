//! Manifests that the API server refuses.

use super::*;

#[test]
fn a_manifest_that_is_refused_fails_the_stage_that_holds_it() {
    let apps = apps("  timeout: 1 hour\n");
    let found = stopped(&[("cluster/apps.yaml", &apps), ("apps/web.yaml", CONFIG_MAP)]);
    assert_eq!(
        found,
        [
            "flux-system Applied RefusedManifest (High): applies Kustomization/flux-system/apps, which the API server refuses: \
             `spec.timeout` is `1 hour`, which is no duration"
        ]
    );
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: Web}\n";
    let found = stopped(&[("cluster/namespace.yaml", namespace)]);
    assert!(
        matches!(&found[..], [only] if only.starts_with("flux-system Defined RefusedManifest (High): ")),
        "{found:?}"
    );
}

#[test]
fn a_number_among_texts_is_refused_whether_written_or_substituted() {
    let apps = apps("  postBuild: {substitute: {A: '2'}}\n");
    let found = stopped(&[("cluster/apps.yaml", apps.as_str()), ("apps/web.yaml", CONFIG_MAP)]);
    let text =
        "applies ConfigMap/default/web, which the API server refuses: `data.a` is a number, where text is wanted";
    assert_eq!(found, [format!("apps Applied RefusedManifest (High): {text}")]);
    let written = CONFIG_MAP.replace("'${A}'", "2");
    let found = stopped(&[("cluster/web.yaml", written.as_str())]);
    assert_eq!(found, [format!("flux-system Applied RefusedManifest (High): {text}")]);
}

#[test]
fn a_field_that_no_crd_declares_is_refused_of_flux_objects_only() {
    let apps = apps("  validation: client\n");
    let extra = CONFIG_MAP.replace("data: {a: '${A}'}", "validation: client");
    let found = stopped(&[("cluster/apps.yaml", apps.as_str()), ("apps/web.yaml", &extra)]);
    assert_eq!(
        found,
        [
            "flux-system Applied RefusedManifest (High): applies Kustomization/flux-system/apps, whose CRD declares no `spec.validation`"
        ]
    );
}

/// What is wrong with an object of the folder `apps`, in which `NUMBER` is 3 and `TRUTH` is yes.
fn refused(object: &str) -> Vec<String> {
    let apps = apps("  postBuild: {substitute: {NUMBER: '3', TRUTH: 'yes'}}\n");
    let found = stopped(&[("cluster/apps.yaml", &apps), ("apps/x.yaml", object)]);
    faults(&found)
}

/// The faults among what is stopped. What no variable is known for stops a strict build besides.
fn faults(stopped: &[String]) -> Vec<String> {
    let refused = stopped.iter().filter(|line| line.contains(" RefusedManifest "));
    refused.map(|line| line.rsplit_once("refuses: ").map_or(line.as_str(), |(_, fault)| fault).to_owned()).collect()
}

#[test]
fn types_of_kubernetes_own_kinds_are_checked_behind_substitution() {
    let pod = |container: &str| {
        refused(&format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: x, namespace: default}}\nspec: {{containers: [{{name: x, image: y, {container}}}]}}\n"
        ))
    };
    let text = |path: &str, is: &str| format!("`spec.containers[0].{path}` is {is}, where text is wanted");
    assert_eq!(pod("args: ['${NUMBER}', '${TRUTH}']"), [text("args[0]", "a number"), text("args[1]", "a truth value")]);
    assert_eq!(pod("env: [{name: A, value: true}]"), [text("env[0].value", "a truth value")]);
    assert_eq!(pod("tty: 'true'"), ["`spec.containers[0].tty` is text, where true or false is wanted"]);
    assert_eq!(
        pod("ports: [{containerPort: '80'}]"),
        ["`spec.containers[0].ports[0].containerPort` is text, where a number is wanted"]
    );
    // Quantities and ports by number or name are written either way.
    for fine in [
        "args: ['x${NUMBER}']",
        "resources: {limits: {cpu: 1, memory: '${NUMBER}'}}",
        "livenessProbe: {httpGet: {port: '${NUMBER}'}}",
    ] {
        assert_eq!(pod(fine), [""; 0], "{fine}");
    }
    let annotated = "apiVersion: example.org/v1\nkind: Any\nmetadata: {name: x, namespace: default, annotations: {a: '${TRUTH}'}}\n";
    assert_eq!(refused(annotated), ["`metadata.annotations.a` is a truth value, where text is wanted"]);
    assert_eq!(
        refused("apiVersion: example.org/v1\nkind: Any\nmetadata: {name: x, namespace: default}\nspec: {a: 1}\n"),
        [""; 0]
    );
}

#[test]
fn an_entry_of_a_list_may_not_come_twice() {
    let deployment = |container: &str| {
        refused(&format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: x, namespace: default}}\nspec:\n  selector: {{matchLabels: {{a: b}}}}\n  \
             template: {{metadata: {{labels: {{a: b}}}}, spec: {{containers: [{{name: x, image: y, {container}}}]}}}}\n"
        ))
    };
    let twice = |path: &str, key: &str| {
        [format!("`spec.template.spec.containers[0].{path}` has the same key as an earlier entry (`{key}`)")]
    };
    assert_eq!(deployment("env: [{name: A, value: a}, {name: B}, {name: A, value: b}]"), twice("env[2]", "name: A"));
    let ports = "ports: [{containerPort: 80}, {containerPort: 80, protocol: TCP}]";
    assert_eq!(deployment(ports), twice("ports[1]", "containerPort: 80, protocol: TCP"));
    assert_eq!(deployment("ports: [{containerPort: 80}, {containerPort: 80, protocol: UDP}]"), [""; 0]);
    assert_eq!(deployment("ports: [{containerPort: 80, name: a}, {containerPort: 81, name: b}]"), [""; 0]);
}

#[test]
fn names_and_labels_are_judged_as_they_are_at_last() {
    let service = |name: &str, labels: &str| {
        refused(&format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: default, labels: {{{labels}}}}}\nspec: {{ports: [{{port: 80}}]}}\n"
        ))
    };
    let long = "a".repeat(64);
    assert_eq!(service("web.x", ""), ["`metadata.name` is `web.x`, where at most 63 letters and no dots are allowed"]);
    assert_eq!(service("web", &format!("a: {long}")), ["`metadata.labels.a` has 64 letters, where 63 are allowed"]);
    assert!(service("web", "a: 'x y'")[0].starts_with("`metadata.labels.a` is `x y`, where only letters"));
    let key = |key: &str| service("web", &format!("'{key}': c")).join("");
    assert!(key("a b").starts_with("`metadata.labels.a b` is no key for a label or annotation: its name may have"));
    assert!(key("a/b/c").ends_with("annotation: it has more than one `/`"), "{}", key("a/b/c"));
    assert_eq!(service("web", "a: '', example.org/A_b.c: 1.2.x"), [""; 0]);
}

/// What is wrong with a Deployment, of what is not said in `spec` or `container`.
fn of_deployment(spec: &str, container: &str) -> Vec<String> {
    let found = refused(&format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: x, namespace: default}}\nspec:\n  {spec}\n  \
         template: {{metadata: {{labels: {{a: b, c: d}}}}, spec: {{volumes: [{{name: v, emptyDir: {{}}}}], containers: [{{{container}}}]}}}}\n"
    ));
    found.iter().map(|line| line.replace("spec.template.spec.containers[0].", "…")).collect()
}

const SELECTOR: &str = "selector: {matchLabels: {a: b}}";

#[test]
fn fields_that_kubernetes_own_kinds_must_have_are_missed() {
    assert_eq!(of_deployment(SELECTOR, "name: x, image: y"), [""; 0]);
    assert_eq!(of_deployment("replicas: 1", "name: x, image: y"), ["`spec.selector` is missing"]);
    assert_eq!(of_deployment(SELECTOR, "name: x"), ["`…image` is missing"]);
    assert_eq!(of_deployment(SELECTOR, "name: x, image: '${IMAGE}'"), [""; 0]);
    let of = |kind: &str, rest: &str| {
        refused(&format!("apiVersion: {kind}\nmetadata: {{name: x, namespace: default}}\n{rest}\n"))
    };
    let job = "spec: {template: {spec: {containers: [{name: x, image: y}]}}}";
    assert_eq!(of("batch/v1\nkind: Job", job), ["`spec.template.spec.restartPolicy` is missing"]);
    assert_eq!(
        of("v1\nkind: PersistentVolumeClaim", "spec: {resources: {requests: {storage: 1Gi}}}"),
        ["`spec.accessModes` is missing"]
    );
    assert_eq!(
        of("rbac.authorization.k8s.io/v1\nkind: RoleBinding", "subjects: [{kind: User, name: a}]"),
        ["`roleRef` is missing"]
    );
    assert_eq!(
        of("rbac.authorization.k8s.io/v1\nkind: Role", "rules: [{resources: [pods], verbs: [get]}]"),
        ["`rules[0].apiGroups` is missing"]
    );
    assert_eq!(of("v1\nkind: Service", "spec: {ports: [{name: a}]}"), ["`spec.ports[0].port` is missing"]);
    assert_eq!(of("v1\nkind: Service", "spec: {selector: {a: b}}"), ["`spec.ports` is missing"]);
    for fine in ["clusterIP: None", "type: ExternalName, externalName: example.org"] {
        assert_eq!(of("v1\nkind: Service", &format!("spec: {{{fine}}}")), [""; 0], "{fine}");
    }
    // Of a StatefulSet no pod is looked at: its volumes come of claims.
    let set = "spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: x}]}}}";
    assert_eq!(of("apps/v1\nkind: StatefulSet", set), [""; 0]);
}

#[test]
fn what_is_merged_into_an_object_that_is_there_need_not_be_complete() {
    let part = |metadata: &str| {
        refused(&format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: x, {metadata}}}\nspec: {{replicas: 3}}\n"
        ))
    };
    assert_eq!(part("namespace: default"), ["`spec.selector` is missing", "`spec.template` is missing"]);
    let merged = "namespace: default, annotations: {kustomize.toolkit.fluxcd.io/ssa: Merge}";
    for fine in [merged, "namespace: kube-system"] {
        assert_eq!(part(fine), [""; 0], "{fine}");
    }
}

#[test]
fn checks_beyond_the_schema_are_those_of_the_api_server() {
    let with = |container: &str| of_deployment(SELECTOR, &format!("name: x, image: y, {container}"));
    assert_eq!(
        of_deployment("selector: {matchLabels: {a: other}}", "name: x, image: y"),
        ["`spec.template.metadata.labels` have `a: b`, where the selector asks for `a: other`"]
    );
    assert_eq!(
        of_deployment(
            "strategy: {type: Recreate, rollingUpdate: {maxSurge: 1}}\n  selector: {matchLabels: {a: b}}",
            "name: x, image: y"
        ),
        ["`spec.strategy.rollingUpdate` stands beside `type: Recreate`"]
    );
    assert_eq!(
        with("volumeMounts: [{name: v, mountPath: /v}, {name: w, mountPath: /w}]"),
        ["`…volumeMounts[1].name` is `w`, a volume that the pod does not have"]
    );
    assert_eq!(
        with("env: [{name: A, value: a, valueFrom: {fieldRef: {fieldPath: x}}}]"),
        ["`…env[0].valueFrom` stands beside `value`"]
    );
    assert_eq!(
        with("livenessProbe: {httpGet: {port: 80}, exec: {command: [a]}}"),
        ["`…livenessProbe` has both `exec` and `httpGet`"]
    );
    assert_eq!(with("livenessProbe: {httpGet: {port: 80}, exec: null}"), [""; 0]);
    assert_eq!(
        with("resources: {requests: {cpu: 500m, memory: 2Gi}, limits: {cpu: 1, memory: 1024Mi}}"),
        ["`…resources.requests.memory` asks for more `memory` than the limit"]
    );
    assert_eq!(
        with("resources: {limits: {memory: 512MB}}"),
        ["`…resources.limits.memory` is `512MB`, which is no quantity"]
    );
    for fine in ["requests: {cpu: 0.5, memory: 1e3}, limits: {cpu: 500m, memory: 2k}", "requests: {memory: '${M}'}"] {
        assert_eq!(with(&format!("resources: {{{fine}}}")), [""; 0], "{fine}");
    }
    assert_eq!(
        with("ports: [{containerPort: 80, name: a}, {containerPort: 81, name: a}]"),
        ["`…ports[1].name` is `a`, as that of an earlier port"]
    );
    let ingress = |path: &str| {
        refused(&format!(
            "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: x, namespace: default}}\nspec: {{rules: [{{http: {{paths: [{{{path}}}]}}}}]}}\n"
        ))
    };
    let service = "backend: {service: {name: a, port: {number: 80}}}";
    let at = "`spec.rules[0].http.paths[0]";
    assert_eq!(ingress(&format!("path: /, pathType: Prefix, {service}")), [""; 0]);
    assert_eq!(ingress(&format!("path: /, {service}")), [format!("{at}.pathType` is missing")]);
    assert_eq!(
        ingress("path: /, pathType: Prefix, backend: {serviceName: a, servicePort: 80}"),
        [format!("{at}.backend` has neither `service` nor `resource`")]
    );
}

#[test]
fn the_data_of_secrets_is_base64_and_complete() {
    let secret = |rest: &str| {
        refused(&format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: x, namespace: default}}\n{rest}\n"))
    };
    assert_eq!(secret("data: {a: YQ==}\nstringData: {b: plain text}"), [""; 0]);
    assert_eq!(secret("data: {a: plain text}"), ["`data.a` is no base64"]);
    assert_eq!(secret("data: {a: '${SECRET}'}"), [""; 0]);
    assert_eq!(secret("type: kubernetes.io/tls\nstringData: {tls.crt: a}"), ["`data[tls.key]` is missing"]);
    assert!(secret("stringData: {a/b: c}")[0].starts_with("`stringData.a/b` has a key with other letters"));
}

/// What is wrong with a Widget whose CRD is in the same cluster.
fn of_widget(version: &str, spec: &str) -> Vec<String> {
    let crd = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: widgets.example.org}\nspec:\n  group: example.org\n  \
               scope: Namespaced\n  names: {kind: Widget, plural: widgets}\n  versions:\n    - name: v1\n      served: true\n      storage: true\n      schema:\n        \
               openAPIV3Schema:\n          type: object\n          properties:\n            spec:\n              type: object\n              required: [size, mode]\n              \
               properties:\n                size: {type: integer}\n                mode: {type: string, enum: [Fast, Slow], default: Fast}\n                \
               port: {x-kubernetes-int-or-string: true}\n                labels: {type: object, additionalProperties: {type: string}}\n                \
               rest: {type: object, x-kubernetes-preserve-unknown-fields: true}\n                \
               parts: {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [name], items: {type: object, required: [name], properties: {name: {type: string}, on: {type: boolean}}}}\n    \
               - name: v1alpha1\n      served: false\n      storage: false\n      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}\n";
    let widget = format!(
        "apiVersion: example.org/{version}\nkind: Widget\nmetadata: {{name: x, namespace: default}}\nspec: {{{spec}}}\n"
    );
    let apps = apps("  dependsOn: [{name: crds}]\n  postBuild: {substitute: {NUMBER: '3'}}\n");
    let crds = self::apps("  wait: true\n").replace("name: apps", "name: crds").replace("path: apps", "path: crds");
    let found = stopped(&[
        ("cluster/apps.yaml", &apps),
        ("cluster/crds.yaml", &crds),
        ("crds/crd.yaml", crd),
        ("apps/x.yaml", &widget),
    ]);
    faults(&found)
}

#[test]
fn custom_resources_are_held_against_a_crd_in_a_build() {
    let fine = "size: 1, port: http, labels: {a: b}, rest: {a: {b: 1}}, parts: [{name: a, on: true}, {name: b}]";
    for fine in [fine, "size: 2.0, mode: Slow, port: 80", "size: '${SIZE}'", "size: null, mode: '{{ mode }}'"] {
        assert_eq!(of_widget("v1", fine), [""; 0], "{fine}");
    }
    for (spec, expected) in [
        ("size: '3'", "`spec.size` is text, where a number is wanted"),
        ("size: 1.5", "`spec.size` is 1.5, where a whole number is wanted"),
        ("mode: Slow", "`spec.size` is missing"),
        ("size: 1, mode: Quick", "`spec.mode` is `Quick`, where only Fast and Slow are known"),
        ("size: 1, labels: {a: '${NUMBER}'}", "`spec.labels.a` is a number, where text is wanted"),
        ("size: 1, parts: [{on: true}]", "`spec.parts[0].name` is missing"),
        ("size: 1, parts: [{name: a}, {name: a}]", "`spec.parts[1]` has the same key as an earlier entry (`name: a`)"),
    ] {
        assert_eq!(of_widget("v1", spec), [expected], "{spec}");
    }
    let found = of_widget("v1", "size: 1, sizes: 2");
    assert!(matches!(&found[..], [only] if only.ends_with("whose CRD declares no `spec.sizes`")), "{found:?}");
    assert_eq!(of_widget("v1alpha1", "a: 1"), ["`apiVersion` is `example.org/v1alpha1`, and the CRD serves v1"]);
}

#[test]
fn sources_have_urls_of_their_own_schemes() {
    let source = |kind: &str, spec: &str| {
        refused(&format!(
            "apiVersion: source.toolkit.fluxcd.io/v1\nkind: {kind}\nmetadata: {{name: x, namespace: default}}\nspec: {{{spec}}}\n"
        ))
    };
    assert_eq!(source("GitRepository", "interval: 1m, url: 'https://example.org/x'"), [""; 0]);
    assert_eq!(source("GitRepository", "interval: 1m, url: '${URL}'"), [""; 0]);
    assert_eq!(source("GitRepository", "url: 'https://example.org/x'"), ["`spec.interval` is missing"]);
    assert_eq!(
        source("GitRepository", "interval: 1m, url: 'git@example.org:x/y.git'"),
        [
            "`spec.url` is `git@example.org:x/y.git`, where a URL that begins with `http://`, `https://` or `ssh://` is wanted"
        ]
    );
    assert_eq!(source("HelmRepository", "url: 'oci://example.org/x', type: oci"), [""; 0]);
    assert_eq!(source("HelmRepository", "interval: 1m"), ["`spec.url` is missing"]);
}
