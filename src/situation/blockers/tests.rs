//! Small repositories, and what is stopped in them.

use super::*;
use crate::{
    cluster::{Scope, discover, resolve},
    source::Tree,
};

/// What `flux bootstrap --path=cluster` writes.
const SYNC: &str = "\
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: flux-system, namespace: flux-system}
spec: {interval: 1m, url: 'https://example.org/x.git'}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: flux-system, namespace: flux-system}
spec: {interval: 10m, path: ./cluster, prune: true, sourceRef: {kind: GitRepository, name: flux-system}}
";

/// What is stopped in the repository of these files, as `object moment cause (confidence): text`.
fn stopped(files: &[(&str, &str)]) -> Vec<String> {
    let sync = ("cluster/flux-system/gotk-sync.yaml", SYNC);
    let files = files.iter().chain([&sync]).map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()));
    let store = Store::new(Tree::from_memory(files));
    let clusters = resolve(&store, "", &discover(&store, &Scope::default()), None);
    let cluster = clusters.iter().find(|cluster| cluster.reached).expect("a cluster");
    let facts = Facts::find(View { cluster, clusters: &clusters, store: &store });
    let line = |blocker: Blocker| {
        let Blocker { actor, moment, cause, text, confidence, .. } = blocker;
        format!("{} {moment:?} {cause:?} ({confidence:?}): {text}", actor.subject(cluster).name)
    };
    facts.blockers().into_iter().map(line).collect()
}

/// The same, what is read and missing alone.
fn unread(files: &[(&str, &str)]) -> Vec<String> {
    stopped(files).into_iter().filter(|line| line.contains(" MissingInput ")).collect()
}

/// A Kustomization `apps` of the folder `apps`, with `spec` besides.
fn apps(spec: &str) -> String {
    format!(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: apps, namespace: flux-system}}\n\
         spec:\n  interval: 1h\n  prune: true\n  path: apps\n  sourceRef: {{kind: GitRepository, name: flux-system}}\n{spec}"
    )
}

const CONFIG_MAP: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web, namespace: default}\ndata: {a: '${A}'}\n";

#[test]
fn a_build_that_fails_keeps_back_everything_that_it_would_apply() {
    let kustomization = "resources: [namespace.yaml, absent.yaml]\n";
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: web}\n";
    let files = [
        ("cluster/apps.yaml", apps("")),
        ("apps/kustomization.yaml", kustomization.to_owned()),
        ("apps/namespace.yaml", namespace.to_owned()),
    ];
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    let found = stopped(&files);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("apps Defined FailedBuild (High): fails to build: "), "{found:?}");
    assert!(found[0].contains("absent.yaml"), "{found:?}");
}

#[test]
fn a_file_that_is_no_manifest_fails_the_generated_build() {
    let apps = apps("");
    let files = [("cluster/apps.yaml", apps.as_str()), ("apps/web.yaml", CONFIG_MAP), ("apps/values.yaml", "a: 1\n")];
    let found = stopped(&files);
    assert!(matches!(&found[..], [only] if only.starts_with("apps Applied FailedBuild (High): ")), "{found:?}");
}

#[test]
fn a_variable_that_is_set_nowhere_fails_a_strict_build_only() {
    let apps = apps("  postBuild: {substitute: {B: b}}\n");
    let files = [("cluster/apps.yaml", apps.as_str()), ("apps/web.yaml", CONFIG_MAP)];
    let text = "uses the variable `A`, which is set nowhere and has no default";
    assert_eq!(stopped(&files), [format!("apps Applied FailedBuild (Medium): {text}")]);
    let release = |version: &str| {
        format!(
            "apiVersion: v1\nkind: Namespace\nmetadata: {{name: flux-system, labels: {{app.kubernetes.io/part-of: flux, \
             app.kubernetes.io/version: {version}}}}}\n"
        )
    };
    for (version, expected) in
        [("v2.9.1", vec![format!("apps Applied FailedBuild (High): {text}")]), ("v2.8.0", vec![])]
    {
        let release = release(version);
        let files = [files[0], files[1], ("cluster/flux-system/gotk-components.yaml", release.as_str())];
        assert_eq!(stopped(&files), expected, "{version}");
    }
}

#[test]
fn an_expression_that_nothing_substitutes_is_refused_where_the_field_takes_no_such_text() {
    let other = apps("").replace("name: apps", "name: other").replace("path: apps", "path: other");
    let apps = apps("  postBuild: {substitute: {CLUSTER_IP: 10.0.0.1}}\n");
    let service = |field: &str| {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: dns, namespace: default}}\nspec: {{{field}: '${{CLUSTER_IP}}'}}\n"
        )
    };
    let (address, text) = (service("clusterIP"), service("sessionAffinity"));
    let files = [("cluster/apps.yaml", apps.as_str()), ("cluster/other.yaml", &other), ("apps/a.yaml", CONFIG_MAP)];
    let found = stopped(&[&files[..2], &[("apps/a.yaml", "# empty\n"), ("other/service.yaml", &address)]].concat());
    assert_eq!(
        found,
        [
            "other Applied RefusedManifest (Medium): applies Service/default/dns, which the API server refuses: `spec.clusterIP` holds \
             `${…}`, and nothing substitutes it"
        ]
    );
    let found = stopped(&[&files[..2], &[("apps/a.yaml", "# empty\n"), ("other/service.yaml", &text)]].concat());
    assert_eq!(found, [""; 0]);
}

#[test]
fn a_webhook_that_sets_variables_leaves_it_open() {
    let apps = apps("  postBuild: {substitute: {B: b}}\n");
    let webhook = "apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingWebhookConfiguration\nmetadata: {name: variables}\n\
                   webhooks: [{name: x, rules: [{resources: [RESOURCE]}]}]\n";
    for (resource, confidence) in [("kustomizations", "Low"), ("pods", "Medium")] {
        let webhook = webhook.replace("RESOURCE", resource);
        let files =
            [("cluster/apps.yaml", apps.as_str()), ("apps/web.yaml", CONFIG_MAP), ("cluster/webhook.yaml", &webhook)];
        let found = stopped(&files);
        let start = format!("apps Applied FailedBuild ({confidence}): ");
        assert!(matches!(&found[..], [only] if only.starts_with(&start)), "{found:?}");
    }
}

#[test]
fn what_nothing_builds_may_be_made_outside_and_is_a_guess() {
    let apps = apps(
        "  decryption: {provider: sops, secretRef: {name: sops-age}}\n  postBuild: {substituteFrom: [{kind: ConfigMap, name: settings}]}\n",
    );
    let found = unread(&[("cluster/apps.yaml", &apps)]);
    assert_eq!(
        found,
        [
            "apps Start MissingInput (Low): reads ConfigMap/flux-system/settings (`postBuild.substituteFrom`), which no build holds",
            "apps Start MissingInput (Low): reads Secret/flux-system/sops-age (`decryption.secretRef`), which no build holds",
        ]
    );
}

#[test]
fn what_is_built_under_another_name_is_surely_not_there() {
    let apps = apps("  postBuild: {substituteFrom: [{kind: ConfigMap, name: cluster-vars}]}\n");
    let with = |config_map: &str| unread(&[("cluster/apps.yaml", &apps), ("cluster/vars.yaml", config_map)]);
    let line = |confidence: &str| {
        format!(
            "apps Start MissingInput ({confidence}): reads ConfigMap/flux-system/cluster-vars (`postBuild.substituteFrom`), which no build \
             holds"
        )
    };
    let named = |kind: &str, namespace: &str, name: &str| {
        format!("apiVersion: v1\nkind: {kind}\nmetadata: {{name: {name}, namespace: {namespace}}}\n")
    };
    assert_eq!(with(&named("ConfigMap", "flux-system", "cluster-vars")), [""; 0]);
    assert_eq!(with(&named("ConfigMap", "flux-system", "cluster-varz")), [line("Medium")]);
    assert_eq!(with(&named("ConfigMap", "default", "cluster-vars")), [line("Medium")]);
    assert_eq!(with(&named("Secret", "flux-system", "cluster-vars")), [line("Medium")]);
    assert_eq!(with(&named("ConfigMap", "flux-system", "other")), [line("Low")]);
    let generator = "resources: [flux-system/gotk-sync.yaml, apps.yaml]\n\
                     configMapGenerator: [{name: cluster-vars, namespace: flux-system, literals: [A=b]}]\n";
    let found = unread(&[("cluster/apps.yaml", &apps), ("cluster/kustomization.yaml", generator)]);
    assert_eq!(found, [line("High")]);
}

#[test]
fn an_object_that_names_an_input_may_make_it() {
    let apps = apps("  postBuild: {substituteFrom: [{kind: Secret, name: cluster-vars}]}\n");
    let sealed = "apiVersion: example.org/v1\nkind: Maker\nmetadata: {name: x, namespace: flux-system}\nspec: {target: cluster-vars}\n";
    assert_eq!(unread(&[("cluster/apps.yaml", &apps), ("cluster/maker.yaml", sealed)]), [""; 0]);
}

#[test]
fn values_of_a_release_are_read_before_it_starts() {
    let release = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: web, namespace: default}\n\
                   spec: {interval: 1h, chartRef: {kind: OCIRepository, name: web}, valuesFrom: [{kind: ConfigMap, name: web-values}]}\n\
                   ---\napiVersion: v1\nkind: Secret\nmetadata: {name: web-values, namespace: default}\n";
    let text = "reads ConfigMap/default/web-values (`valuesFrom`), which no build holds";
    assert_eq!(unread(&[("cluster/release.yaml", release)]), [format!("web Start MissingInput (Medium): {text}")]);
}

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
fn an_object_without_a_namespace_is_refused_where_its_kind_is_known_to_have_one() {
    let bare = |kind: &str| format!("apiVersion: {kind}\nmetadata: {{name: x}}\n");
    let with = |spec: &str, object: &str| stopped(&[("cluster/apps.yaml", &apps(spec)), ("apps/x.yaml", object)]);
    let text = |kind: &str, confidence: &str| {
        [format!("apps Applied RefusedManifest ({confidence}): applies {kind}/x, which has no namespace")]
    };
    let config_map = bare("v1\nkind: ConfigMap");
    assert_eq!(with("", &config_map), text("ConfigMap", "High"));
    assert_eq!(with("  targetNamespace: default\n", &config_map), [""; 0]);
    let list = "apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: Secret, metadata: {name: x}}]\n";
    assert_eq!(with("", list), text("Secret", "High"));
    let secret = bare("external-secrets.io/v1\nkind: ExternalSecret");
    assert_eq!(with("", &secret), text("ExternalSecret", "Medium"));
    for other in ["external-secrets.io/v1\nkind: ClusterSecretStore", "rbac.authorization.k8s.io/v1\nkind: ClusterRole"]
    {
        assert_eq!(with("", &bare(other)), [""; 0]);
    }
    assert_eq!(with("", &bare("example.org/v1\nkind: Unheard")), [""; 0]);
    let ignored =
        config_map.replace("name: x", "name: x, annotations: {kustomize.toolkit.fluxcd.io/reconcile: disabled}");
    assert_eq!(with("", &ignored), [""; 0]);
}

#[test]
fn a_component_that_is_elsewhere_may_set_the_namespace() {
    let kustomization = "resources: [x.yaml]\ncomponents: ['https://example.org/x//namespace']\n";
    let object = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n";
    let files = [
        ("cluster/apps.yaml", apps("")),
        ("apps/kustomization.yaml", kustomization.into()),
        ("apps/x.yaml", object.into()),
    ];
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    assert_eq!(stopped(&files), ["apps Applied RefusedManifest (Low): applies ConfigMap/x, which has no namespace"]);
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

#[test]
fn ciphertext_is_applied_unless_it_cannot_be_converted_or_its_schema_is_closed() {
    let apps = apps("");
    let sops = "sops: {mac: x, lastmodified: x}\n";
    let with = |object: &str| stopped(&[("cluster/apps.yaml", &apps), ("apps/web.yaml", &format!("{object}{sops}"))]);
    let secret = |field: &str| {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: web, namespace: default}}\n{field}: {{a: 'ENC[AES256_GCM,data:x]'}}\n"
        )
    };
    assert_eq!(with(&secret("stringData")), [""; 0]);
    assert_eq!(with(CONFIG_MAP), [""; 0]);
    assert_eq!(
        with(&secret("data")),
        [
            "apps Applied RefusedManifest (High): builds Secret/default/web, which SOPS encrypted, and has no `spec.decryption`"
        ]
    );
    let custom = "apiVersion: example.org/v1\nkind: Widget\nmetadata: {name: web, namespace: default}\n";
    assert_eq!(
        with(custom),
        ["apps Applied RefusedManifest (High): applies Widget/default/web, whose schema has no field `sops`"]
    );
}

#[test]
fn what_no_entry_point_reaches_stops_nothing() {
    let kustomization = apps("  timeout: 1 hour\n");
    let files = [("elsewhere/apps.yaml", kustomization.as_str()), ("apps/values.yaml", "a: 1\n")];
    assert_eq!(stopped(&files), [""; 0]);
}

/// What is wrong with an object of the folder `apps`, in which `NUMBER` is 3 and `TRUTH` is yes.
fn refused(object: &str) -> Vec<String> {
    let apps = apps("  postBuild: {substitute: {NUMBER: '3', TRUTH: 'yes'}}\n");
    let found = stopped(&[("cluster/apps.yaml", &apps), ("apps/x.yaml", object)]);
    let faults =
        found.iter().map(|line| line.rsplit_once("refuses: ").map_or(line.as_str(), |(_, fault)| fault).to_owned());
    faults.collect()
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
    assert_eq!(deployment("volumeMounts: [{name: a, mountPath: /a}, {name: a, mountPath: /b}]"), [""; 0]);
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
    assert_eq!(service("web", "'a b': c"), ["`metadata.labels.a b` is no key for a label or annotation"]);
    assert_eq!(service("web", "'a/b/c': c"), ["`metadata.labels.a/b/c` is no key for a label or annotation"]);
    assert_eq!(service("web", "a: '', example.org/A_b.c: 1.2.x"), [""; 0]);
}

#[test]
fn values_are_read_out_of_what_is_built() {
    let release = |values: &str, data: &str| {
        let release = format!(
            "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: web, namespace: default}}\n\
             spec: {{interval: 1h, chartRef: {{kind: OCIRepository, name: web}}, valuesFrom: [{{kind: ConfigMap, name: v{values}}}]}}\n\
             ---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: v, namespace: default{data}}}\n"
        );
        unread(&[("cluster/release.yaml", &release)])
    };
    let no_key = |confidence: &str, key: &str| {
        [format!(
            "web Start MissingInput ({confidence}): reads the key `{key}` of ConfigMap/default/v, which has no such key"
        )]
    };
    assert_eq!(release("", "}\ndata: {a.yaml: 'b: c'"), no_key("High", "values.yaml"));
    assert_eq!(release(", valuesKey: b", "}\ndata: {a: 'b: c'"), no_key("High", "b"));
    // What is empty, or bears the mark of a replicator, is filled by somebody.
    assert_eq!(release("", ""), no_key("Low", "values.yaml"));
    assert_eq!(
        release("", ", annotations: {replicator.v1.mittwald.de/replicate-from: a/b}}\ndata: {a: b"),
        no_key("Low", "values.yaml")
    );
    for fine in [
        ("", "}\ndata: {values.yaml: 'b: c'"),
        (", optional: true", "}\ndata: {a: b"),
        (", valuesKey: a, targetPath: a.b", "}\ndata: {a: b"),
        (", valuesKey: a, targetPath: a", "}\ndata: {a: '\"b,c\"'"),
        (", valuesKey: a, targetPath: a, literal: true", "}\ndata: {a: 'b,c'"),
        ("", "}\ndata: {values.yaml: ''"),
        (", valuesKey: a", "}\ndata: {a: '${B}'"),
    ] {
        assert_eq!(release(fine.0, fine.1), [""; 0], "{fine:?}");
    }
    let text = "web Start MissingInput (High): reads the key `a` of ConfigMap/default/v, whose text";
    assert_eq!(release(", valuesKey: a", "}\ndata: {a: b"), [format!("{text} is no values")]);
    assert_eq!(
        release(", valuesKey: a, targetPath: c", "}\ndata: {a: 'b,c'"),
        [format!("{text} cannot be set at a path")]
    );
    // Without a path nothing is literal.
    assert_eq!(release(", valuesKey: a, literal: true", "}\ndata: {a: b"), [format!("{text} is no values")]);
}

/// Namespaces that nothing makes in a cluster with these files, and who may make them.
fn unmade(files: &[(&str, &str)]) -> Vec<String> {
    let sync = ("cluster/flux-system/gotk-sync.yaml", SYNC);
    let files = files.iter().chain([&sync]).map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()));
    let store = Store::new(Tree::from_memory(files));
    let clusters = resolve(&store, "", &discover(&store, &Scope::default()), None);
    let cluster = clusters.iter().find(|cluster| cluster.reached).expect("a cluster");
    let facts = Facts::find(View { cluster, clusters: &clusters, store: &store });
    let line = |fact: &NamespaceFact| format!("{} {}", fact.name, fact.maybe.as_deref().unwrap_or("nobody"));
    facts.namespaces.iter().map(line).collect()
}

#[test]
fn a_namespace_is_missed_unless_something_may_make_it() {
    let apps = apps("  targetNamespace: shop\n");
    let with = |path: &str, text: &str| {
        unmade(&[("cluster/apps.yaml", &apps), ("apps/x.yaml", &CONFIG_MAP.replace("${A}", "b")), (path, text)])
    };
    assert_eq!(with("NOTES", ""), ["shop nobody"]);
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n";
    for (path, text) in [
        ("cluster/namespace.yaml", namespace),
        ("bootstrap/namespace.yaml", namespace),
        ("main.tf", "resource \"kubernetes_namespace\" \"this\" {\n  for_each = toset([\"shop\"])\n}\n"),
        ("up.sh", "for n in shop staff; do kubectl create namespace $n; done\n"),
        ("README.md", "First: `kubectl create ns shop`\n"),
        ("helmfile.yaml", "releases:\n  - name: x\n    namespace: shop\n    chart: y/x\n"),
    ] {
        assert_eq!(with(path, text), [""; 0], "{path}");
    }
    // Who names it without making it is no maker.
    assert_eq!(with("README.md", "`kubectl -n shop get pods`\n"), ["shop nobody"]);
    assert_eq!(with("elsewhere/namespace.yaml", namespace), ["shop nobody"]);
    let machine = "apiVersion: v1\nkind: Config\ncluster:\n  inlineManifests:\n    - name: n\n      contents: |\n        kind: Namespace\n        \
                   metadata: {name: shop}\n";
    assert_eq!(with("talos/patch.yaml", machine), ["shop `talos/patch.yaml`, which names it"]);
    assert_eq!(with("locals.tf", "locals { teams = [\"shop\"] }\n"), ["shop `locals.tf`, which names it"]);
    let release = |spec: &str| {
        format!(
            "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: r, namespace: default}}\nspec: {{interval: 1h, chart: {{spec: {{chart: c, sourceRef: {{kind: HelmRepository, name: c}}}}}}, {spec}}}\n"
        )
    };
    assert_eq!(with("cluster/r.yaml", &release("targetNamespace: shop, install: {createNamespace: true}")), [""; 0]);
    assert_eq!(
        with("cluster/r.yaml", &release("values: {jobs: {namespace: shop}}")),
        ["shop the chart of HelmRelease/default/r"]
    );
    assert_eq!(
        with(
            "cluster/r.yaml",
            &release("values: {resources: [{apiVersion: v1, kind: Namespace, metadata: {name: shop}}]}")
        ),
        ["shop HelmRelease/default/r"]
    );
    let tenant = "apiVersion: capsule.clastix.io/v1beta2\nkind: Tenant\nmetadata: {name: people}\n";
    assert_eq!(with("cluster/t.yaml", tenant), ["shop the operator of Tenant/people"]);
    let anchor = "apiVersion: example.org/v1\nkind: SubnamespaceAnchor\nmetadata: {name: shop, namespace: default}\n";
    assert_eq!(with("cluster/t.yaml", anchor), ["shop SubnamespaceAnchor/default/shop"]);
    let job = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: j, namespace: default}\ndata:\n  run: |\n    set -e\n    kubectl create namespace shop\n";
    assert_eq!(with("cluster/j.yaml", job), ["shop ConfigMap/default/j"]);
    let elsewhere = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: platform, namespace: flux-system}\n\
                     spec: {interval: 1h, path: ./x, prune: true, sourceRef: {kind: GitRepository, name: platform}}\n---\n\
                     apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: platform, namespace: flux-system}\nspec: {interval: 1h, url: 'https://example.org/p.git'}\n";
    let found = with("cluster/p.yaml", elsewhere);
    assert!(matches!(&found[..], [only] if only.ends_with("of Kustomization/flux-system/platform")), "{found:?}");
}
