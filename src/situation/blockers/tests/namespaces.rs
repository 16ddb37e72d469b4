//! Namespaces that nothing makes.

use super::*;

/// Namespaces that nothing makes in a cluster with these files, and who may make them.
fn unmade(files: &[(&str, &str)]) -> Vec<String> {
    let line = |fact: &NamespaceFact| format!("{} {}", fact.name, fact.maybe.as_deref().unwrap_or("nobody"));
    seen(files, |_, facts| facts.namespaces.iter().map(line).collect())
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
