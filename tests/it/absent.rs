//! Health checks on workloads that no build holds: who may make them all the same.

use fluxdag::Options;

use crate::support::Repository;

const NAMESPACE: &str = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n";
const CHECK: &str = "  healthChecks: [{apiVersion: apps/v1, kind: Deployment, name: shop-web, namespace: shop}]\n";

fn release(namespace: &str, more: &str) -> String {
    format!(
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {{name: charts, namespace: default}}\nspec: {{interval: 1h, url: \
         'https://charts.example.com'}}\n---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: other, namespace: \
         {namespace}}}\nspec:\n  interval: 1h\n  chart: {{spec: {{chart: other, sourceRef: {{kind: HelmRepository, name: charts, namespace: \
         default}}}}}}\n{more}"
    )
}

fn node(name: &str, more: &str) -> String {
    format!(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: flux-system}}\nspec:\n  interval: \
         1h\n  path: ./{name}\n  prune: true\n  timeout: 5m\n  sourceRef: {{kind: GitRepository, name: flux-system}}\n{more}"
    )
}

/// Whether the check of `shop-web` is found to lead nowhere, beside other files.
fn is_told(others: &[(&str, String)]) -> bool {
    let mut files =
        vec![("clusters/prod/shop.yaml", node("shop", CHECK)), ("shop/namespace.yaml", NAMESPACE.to_owned())];
    for (path, text) in others {
        files.retain(|(known, _)| known != path);
        files.push((path, text.clone()));
    }
    let found = Repository::cluster(&files).analyse(&Options::default()).findings;
    found.iter().any(|finding| finding.rule == "broken-health-check")
}

#[test]
fn nothing_makes_a_workload_in_a_namespace_that_is_empty() {
    assert!(is_told(&[]));
    // What lies elsewhere, and what runs nothing, changes nothing.
    assert!(is_told(&[("shop/release.yaml", release("default", ""))]));
    let secret = "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: login, namespace: shop}\nspec: {}\n";
    assert!(is_told(&[("shop/secret.yaml", secret.to_owned())]));
}

#[test]
fn a_release_may_make_it() {
    for (namespace, more) in [
        ("shop", ""),
        ("default", "  targetNamespace: shop\n"),
        ("default", "  targetNamespace: ${tenant}\n"),
        ("default", "  values: {web: {namespaceOverride: shop}}\n"),
    ] {
        assert!(!is_told(&[("shop/release.yaml", release(namespace, more))]), "{namespace}{more}");
    }
    let named = release("default", "").replace("name: other,", "name: shop,");
    assert!(!is_told(&[("shop/release.yaml", named)]));
}

#[test]
fn an_operator_may_make_it() {
    for metadata in ["{name: main, namespace: shop}", "{name: main}"] {
        let custom = format!("apiVersion: apps.example.com/v1\nkind: Shop\nmetadata: {metadata}\nspec: {{}}\n");
        assert!(!is_told(&[("shop/custom.yaml", custom)]), "{metadata}");
    }
}

#[test]
fn a_namespace_that_is_not_of_the_repository_holds_what_others_put_there() {
    assert!(!is_told(&[("shop/namespace.yaml", crate::support::config_map("shop"))]));
}

#[test]
fn what_is_not_in_sight_may_hold_it() {
    let base = "resources: [namespace.yaml, 'https://example.com/shop/deploy.yaml']\n";
    assert!(!is_told(&[("shop/kustomization.yaml", base.to_owned())]));
    let failing = [
        ("clusters/prod/base.yaml", node("base", "")),
        ("base/kustomization.yaml", "resources: [none.yaml]\n".to_owned()),
    ];
    assert!(!is_told(&failing));
    let open = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: '${app}-web', namespace: shop}\nspec: {selector: {matchLabels: {app: web}}, \
                template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: web}]}}}\n";
    let substituted = node("shop", &format!("{CHECK}  postBuild: {{substituteFrom: [{{kind: Secret, name: app}}]}}\n"));
    assert!(!is_told(&[("clusters/prod/shop.yaml", substituted), ("shop/web.yaml", open.to_owned())]));
}

#[test]
fn what_sets_the_cluster_up_may_make_it() {
    let helmfile = "releases:\n  - {name: shop, namespace: shop, chart: acme/shop}\n";
    assert!(!is_told(&[("bootstrap/helmfile.yaml", helmfile.to_owned())]));
}

#[test]
fn a_kustomization_that_is_suspended_looks_at_nothing() {
    let suspended = node("shop", &format!("{CHECK}  suspend: true\n"));
    let tree =
        Repository::cluster(&[("clusters/prod/shop.yaml", suspended), ("shop/namespace.yaml", NAMESPACE.to_owned())]);
    let found = tree.analyse(&Options::default()).findings;
    let [finding] = found.iter().filter(|finding| finding.rule == "broken-health-check").collect::<Vec<_>>()[..] else {
        panic!("one finding")
    };
    assert_eq!(finding.confidence, fluxdag::finding::Confidence::Low);
}

#[test]
fn a_custom_resource_elsewhere_that_names_the_namespace_may_make_it() {
    let elsewhere = |spec: &str| {
        let text = format!(
            "apiVersion: apps.example.com/v1\nkind: Shop\nmetadata: {{name: main, namespace: default}}\nspec: {spec}\n"
        );
        [("shop/custom.yaml", text)]
    };
    for spec in [
        "{targetNamespace: shop}",
        "{deployment: {namespaces: [shop]}}",
        "{values: \"a: b\\nnamespace: shop\\n\"}",
        "{namespaces: {shop: {size: 1}}}",
    ] {
        assert!(!is_told(&elsewhere(spec)), "{spec}");
    }
    for spec in ["{targetNamespace: shopping}", "{host: shop-web}", "{}"] {
        assert!(is_told(&elsewhere(spec)), "{spec}");
    }
    // What only makes Secrets, makes no workload of them.
    let secret = "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: login, namespace: default}\nspec: {target: {name: shop}}\n";
    assert!(is_told(&[("shop/secret.yaml", secret.to_owned())]));
}

#[test]
fn a_job_that_names_the_namespace_may_make_it() {
    let job = |container: &str| {
        format!(
            "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: install, namespace: default}}\nspec: {{template: {{spec: {{restartPolicy: Never, \
             containers: [{{name: helm, image: alpine/helm, {container}}}]}}}}}}\n"
        )
    };
    for container in ["args: [install, -n, shop, web]", "command: [sh, -c, 'kubectl -n shop apply -f /all.yaml']"] {
        assert!(!is_told(&[("shop/job.yaml", job(container))]), "{container}");
    }
    assert!(is_told(&[("shop/job.yaml", job("args: [migrate]"))]));
    let script = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: script, namespace: default}\ndata: {run.sh: helm install -n shop web .}\n";
    assert!(is_told(&[("shop/job.yaml", job("args: [migrate]")), ("shop/script.yaml", script.to_owned())]));
    let mounted = job("envFrom: [{configMapRef: {name: script}}]");
    assert!(!is_told(&[("shop/job.yaml", mounted), ("shop/script.yaml", script.to_owned())]));
}

#[test]
fn values_that_name_the_namespace_or_cannot_be_read_may_make_it() {
    let from = |kind: &str, object: &str| {
        let text = release("default", &format!("  valuesFrom: [{{kind: {kind}, name: values}}]\n"));
        let object =
            format!("apiVersion: v1\nkind: {kind}\nmetadata: {{name: values, namespace: default}}\n{object}\n");
        is_told(&[("shop/release.yaml", text), ("shop/values.yaml", object)])
    };
    assert!(from("ConfigMap", "data: {values.yaml: 'size: 1'}"));
    assert!(!from("ConfigMap", "data: {values.yaml: 'into: shop'}"));
    assert!(from("Secret", "stringData: {values.yaml: 'size: 1'}"));
    assert!(!from("Secret", "data: {values.yaml: c2l6ZTogMQ==}"));
    let missing = release("default", "  valuesFrom: [{kind: Secret, name: values}]\n");
    assert!(!is_told(&[("shop/release.yaml", missing)]));
    assert!(!is_told(&[("shop/release.yaml", release("default", "  values: {into: shop}\n"))]));
}

/// What is said of why the check fails, beside other fields of the Kustomization.
fn why(more: &str) -> String {
    let files = [
        ("clusters/prod/shop.yaml", node("shop", &format!("{CHECK}{more}"))),
        ("shop/namespace.yaml", NAMESPACE.to_owned()),
    ];
    let found = Repository::cluster(&files).analyse(&Options::default()).findings;
    let finding = found.into_iter().find(|finding| finding.rule == "broken-health-check");
    finding.map(|finding| finding.why).unwrap_or_default()
}

#[test]
fn what_comes_first_is_never_the_fault_itself() {
    assert!(why("").starts_with("The object stays NotFound"), "{}", why(""));
    let second = CHECK.replace("  healthChecks: [", "").replace("shop-web", "shop-api").replace("]\n", "");
    let two = node("shop", &CHECK.replace("]\n", &format!(", {second}]\n")));
    let files = [("clusters/prod/shop.yaml", two), ("shop/namespace.yaml", NAMESPACE.to_owned())];
    let found = Repository::cluster(&files).analyse(&Options::default()).findings;
    let whys: Vec<&str> = found
        .iter()
        .filter(|finding| finding.rule == "broken-health-check")
        .map(|finding| finding.why.as_str())
        .collect();
    assert!(whys.len() == 2 && whys.iter().all(|why| why.starts_with("The object stays")), "{whys:?}");
    // What stops it before it is applied does come first.
    let behind = why("  dependsOn: [{name: none}]\n");
    assert!(
        behind.starts_with("Today it never comes to this, since Kustomization/flux-system/shop depends"),
        "{behind}"
    );
}
