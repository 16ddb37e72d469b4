//! Small repositories, and what is stopped in them.

mod manifests;
mod namespaces;

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

/// What `look` sees of the cluster in the repository of these files.
fn seen(files: &[(&str, &str)], look: impl FnOnce(&Cluster, &Facts) -> Vec<String>) -> Vec<String> {
    let sync = ("cluster/flux-system/gotk-sync.yaml", SYNC);
    let files = files.iter().chain([&sync]).map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()));
    let store = Store::new(Tree::from_memory(files));
    let clusters = resolve(&store, "", &discover(&store, &Scope::default()), None);
    let cluster = clusters.iter().find(|cluster| cluster.reached).expect("a cluster");
    look(cluster, &Facts::find(View { cluster, clusters: &clusters, store: &store }))
}

/// What is stopped in the repository of these files, as `object moment cause (confidence): text`.
fn stopped(files: &[(&str, &str)]) -> Vec<String> {
    seen(files, |cluster, facts| {
        let line = |blocker: Blocker| {
            let Blocker { actor, moment, cause, text, confidence, .. } = blocker;
            format!("{} {moment:?} {cause:?} ({confidence:?}): {text}", actor.subject(cluster).name)
        };
        facts.blockers().into_iter().map(line).collect()
    })
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
            "apiVersion: v1\nkind: Service\nmetadata: {{name: dns, namespace: default}}\nspec: {{ports: [{{port: 53}}], {field}: '${{CLUSTER_IP}}'}}\n"
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
