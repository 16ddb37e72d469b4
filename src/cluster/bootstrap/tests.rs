use super::*;
use crate::{catalog::CrdCatalog, flux::api::kinds::GroupKind};

fn bootstrap(files: &[(&str, &str)]) -> Bootstrap {
    let files = files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()));
    let store = Store::new(Tree::from_memory(files));
    Bootstrap::read(&store, &Artifacts::new(&store, ""), "", &FxHashSet::default(), std::iter::empty())
}

/// Whether one file installs the CRD of a kind.
fn has_crd(path: &str, text: &str, group: &str, kind: &str) -> bool {
    bootstrap(&[(path, text)]).installs_crd(group, kind, CrdCatalog::builtin().owner(group, kind))
}

fn makes(files: &[(&str, &str)], kind: GroupKind, namespace: &str, name: &str) -> bool {
    bootstrap(files).makes(&ObjectKey::new(kind, namespace, name), &[])
}

use crate::flux::api::kinds::{CONFIG_MAP, KUSTOMIZATION, NAMESPACE, SECRET};

#[test]
fn charts_are_known_by_name_and_by_the_other_charts_of_their_row() {
    const GROUP: &str = "monitoring.coreos.com";
    for (path, text) in [
        (
            "bootstrap/helmfile.yaml",
            "releases:\n- name: crds\n  chart: oci://ghcr.io/x/charts/prometheus-operator-crds\n",
        ),
        (
            "ansible/roles/x/tasks/main.yml",
            "- kubernetes.core.helm: {chart_ref: prometheus-community/kube-prometheus-stack}\n",
        ),
        ("infra/main.tf", "resource \"helm_release\" \"x\" {\n  chart = \"kube-prometheus-stack\"\n}\n"),
        ("justfile", "up:\n  helm install kube-prometheus-stack prometheus-community/kube-prometheus-stack\n"),
        (".taskfiles/k8s/Taskfile.yaml", "tasks:\n  x:\n    cmd: helm template kube_prometheus_stack\n"),
    ] {
        assert!(has_crd(path, text, GROUP, "AlertmanagerConfig"), "{path}");
    }
    for (path, text) in [
        ("kubernetes/apps/notes.yaml", "chart: kube-prometheus-stack\n"),
        ("docs/monitoring.md", "We run kube-prometheus-stack.\n"),
        ("bootstrap/x.yaml", "kind: HelmRelease\nspec: {chart: {spec: {chart: kube-prometheus-stack}}}\n"),
        ("scripts/down.sh", "helm uninstall kube-prometheus-stack\n"),
        (".github/workflows/e2e.sh", "helm install x prometheus-community/kube-prometheus-stack\n"),
        ("bootstrap/labels.sh", "kubectl api-resources --api-group monitoring.coreos.com\n"),
    ] {
        assert!(!has_crd(path, text, GROUP, "AlertmanagerConfig"), "{path}");
    }
}

#[test]
fn a_bare_api_group_is_no_chart_and_what_is_disabled_is_not_installed() {
    let annotated = "annotations: {cert-manager.io/cluster-issuer: x}\n";
    assert!(!has_crd("bootstrap/ingress.yaml", annotated, "cert-manager.io", "Certificate"));
    assert!(has_crd("bootstrap/x.sh", "install cert-manager.yaml\n", "cert-manager.io", "Certificate"));
    for text in ["k3s server --disable traefik\n", "disable:\n  - servicelb\n  - traefik\nother: x\n"] {
        assert!(!has_crd("k3s/config.yaml", text, "traefik.io", "IngressRoute"), "{text}");
    }
    assert!(has_crd("k3s/config.yaml", "disable:\n  - servicelb\nchart: traefik\n", "traefik.io", "IngressRoute"));
    // A chart whose name is any word has to stand where charts are named.
    assert!(!has_crd("ansible/x.yml", "base: debian\n", "networking.istio.io", "Gateway"));
    assert!(has_crd("ansible/x.yml", "chart: istio/base\n", "networking.istio.io", "Gateway"));
}

#[test]
fn crds_are_known_by_manifests_of_their_project() {
    let release =
        "https://github.com/prometheus-operator/prometheus-operator/releases/download/{{ version }}/bundle.yaml";
    for (path, text) in [
        ("talos/talconfig.yaml", format!("extraManifests:\n  - {release}\n")),
        ("ansible/vars.yml", format!("crds: \"{release}\"\n")),
        ("README.md", format!("kubectl create -f {release}\n")),
        ("cluster/up.sh", format!("kubectl apply --server-side -f {}\n", release.replace("{{ version }}", "$VERSION"))),
    ] {
        assert!(has_crd(path, &text, "monitoring.coreos.com", "AlertmanagerConfig"), "{path}");
    }
    let gateway = "kubectl apply -k github.com/kubernetes-sigs/gateway-api/config/crd?ref=v1.2.0\n";
    assert!(has_crd("README.md", gateway, "gateway.networking.k8s.io", "Gateway"));
    for (path, text) in [
        (
            "README.md",
            "see https://github.com/prometheus-operator/prometheus-operator/releases/download/v1/bundle.yaml\n",
        ),
        ("scripts/x.sh", "curl https://github.com/prometheus-operator/prometheus-operator\n"),
        (
            "scripts/x.sh",
            "kubectl delete -f https://github.com/prometheus-operator/prometheus-operator/releases/download/v1/bundle.yaml\n",
        ),
        (
            "scripts/x.sh",
            "curl https://raw.githubusercontent.com/prometheus-operator/kube-prometheus/main/manifests/dashboard.json\n",
        ),
        ("scripts/x.sh", "kubectl apply -f https://github.com/rook/rook/releases/download/v1/crds.yaml\n"),
    ] {
        assert!(!has_crd(path, text, "monitoring.coreos.com", "AlertmanagerConfig"), "{text}");
    }
}

#[test]
fn crds_are_known_by_the_names_of_their_files_and_by_their_own() {
    const GROUP: &str = "gateway.networking.k8s.io";
    for (path, text) in [
        ("talos/patches/crds.yaml", "- https://example.org/mirror/gateway.networking.k8s.io_httproutes.yaml\n"),
        ("bootstrap/crds/gateway.networking.k8s.io_httproutes.yaml", "kind: x\n"),
        ("Makefile", "\tkubectl wait --for condition=established crd/httproutes.gateway.networking.k8s.io\n"),
    ] {
        assert!(has_crd(path, text, GROUP, "HTTPRoute"), "{path}");
        assert!(!has_crd(path, text, GROUP, "TCPRoute"), "{path}");
    }
}

#[test]
fn objects_are_made_by_commands_templates_and_configurations() {
    for (path, text) in [
        ("bootstrap.sh", "kubectl -n flux-system create secret generic vars \\\n  --from-literal=A=b\n"),
        ("Makefile", "\tkubectl create secret generic --namespace=flux-system vars --from-file x\n"),
        (
            "scripts/x.sh",
            "kubectl create secret generic vars --dry-run=client -o yaml | kubectl apply -n flux-system -f -\n",
        ),
        ("README.md", "```\nflux create secret git vars --url=x\n```\nkubectl get nodes\n"),
        ("bootstrap/vars.yaml.j2", "apiVersion: v1\nkind: Secret\nmetadata:\n  name: vars\n  namespace: flux-system\n"),
        ("infra/vars.tpl", "kind: Secret\nmetadata: {namespace: flux-system, name: \"vars\"}\n"),
        (
            "x/main.tf",
            "resource \"kubernetes_secret_v1\" \"x\" {\n  metadata {\n    name      = \"vars\"\n    namespace = \"flux-system\"\n  }\n}\n",
        ),
        (
            "talos/c.yaml",
            "inlineManifests:\n  - name: x\n    contents: |\n      apiVersion: v1\n      kind: Secret\n      metadata:\n        name: vars\n        namespace: flux-system\n",
        ),
        (
            "ansible/t.yml",
            "- kubernetes.core.k8s:\n    definition:\n      apiVersion: v1\n      kind: Secret\n      metadata:\n        name: vars\n        namespace: \"{{ ns }}\"\n",
        ),
    ] {
        assert!(makes(&[(path, text)], SECRET, "flux-system", "vars"), "{path}: {:?}", bootstrap(&[(path, text)]));
        assert!(!makes(&[(path, text)], CONFIG_MAP, "flux-system", "vars"), "{path}");
        assert!(!makes(&[(path, text)], SECRET, "flux-system", "other"), "{path}");
    }
    let elsewhere = [("x.sh", "kubectl -n apps create secret generic vars\n")];
    assert!(!makes(&elsewhere, SECRET, "flux-system", "vars"));
    assert!(!makes(
        &[("x.sh", "kubectl create secret generic vars --dry-run=client -o yaml | kubeseal\n")],
        SECRET,
        "",
        "vars"
    ));
    assert!(!makes(&[("apps/x.yaml", "kind: Secret\nmetadata: {name: vars}\n")], SECRET, "", "vars"));
    assert!(!makes(&[("x.sh", "kubectl create secret generic \"$NAME\"\n")], SECRET, "", "vars"));
    assert!(makes(&[("x.sh", "kubectl create ns apps\n")], NAMESPACE, "", "apps"));
}

#[test]
fn a_template_of_the_very_file_is_no_other_maker() {
    let text = "apiVersion: v1\nkind: Secret\nmetadata: {name: vars, namespace: flux-system}\n";
    let bootstrap = bootstrap(&[("bootstrap/templates/flux/vars.sops.yaml.j2", text)]);
    let key = ObjectKey::new(SECRET, "flux-system", "vars");
    assert!(bootstrap.makes(&key, &[]) && !bootstrap.makes(&key, &["vars.sops.yaml"]));
}

#[test]
fn files_and_folders_are_applied_by_name() {
    const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: flux-system}\n";
    for (path, text) in [
        ("scripts/up.sh", "kubectl apply -f apps/settings.yaml\n"),
        ("scripts/up.sh", "for file in \"$ROOT/apps/settings.yaml\"; do\n  kubectl apply -f \"$file\"\ndone\n"),
        ("Taskfile.yaml", "cmd: sops -d {{.ROOT_DIR}}/apps/settings.yaml | kubectl apply --filename -\n"),
        ("apps/README.md", "`kubectl apply --filename=settings.yaml`\n"),
        ("justfile", "up:\n  kubectl apply -f apps/\n"),
    ] {
        assert!(makes(&[(path, text), ("apps/settings.yaml", MAP)], CONFIG_MAP, "flux-system", "settings"), "{text}");
    }
    for (path, text) in [
        ("scripts/check.sh", "kubectl apply --dry-run=server -f apps/settings.yaml\n"),
        ("scripts/down.sh", "kubectl delete -f apps/settings.yaml\n"),
        ("README.md", "Edit apps/settings.yaml, and look at it with kubectl.\n"),
        ("scripts/lint.sh", "yamllint apps/settings.yaml\n"),
    ] {
        assert!(!makes(&[(path, text), ("apps/settings.yaml", MAP)], CONFIG_MAP, "flux-system", "settings"), "{text}");
    }
}

#[test]
fn a_folder_applied_with_k_is_built() {
    let kustomization = "resources: [../ks/apps.yaml, \"https://github.com/cert-manager/cert-manager/releases/download/v1/cert-manager.crds.yaml\"]\n";
    let apps = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps, namespace: flux-system}\n";
    for (path, command) in [
        ("cluster/README.md", "kubectl apply --server-side --kustomize ./flux/config"),
        ("Taskfile.yaml", "- kubectl apply -k {{.CLUSTER}}/flux/config"),
        ("up.sh", "kustomize build \"${DIR}/flux/config\" | kubectl apply -f -"),
        ("up.sh", "kubectl kustomize cluster/flux/config | kubectl create -f -"),
    ] {
        let files = [
            ("cluster/flux/config/kustomization.yaml", kustomization),
            ("cluster/flux/ks/apps.yaml", apps),
            (path, command),
        ];
        assert!(makes(&files, KUSTOMIZATION, "flux-system", "apps"), "{command}");
        let row = CrdCatalog::builtin().owner("cert-manager.io", "Certificate");
        assert!(bootstrap(&files).installs_crd("cert-manager.io", "Certificate", row), "{command}");
    }
    let files = [("cluster/flux/config/kustomization.yaml", kustomization), ("cluster/flux/ks/apps.yaml", apps)];
    assert!(!makes(&files, KUSTOMIZATION, "flux-system", "apps"));
}

#[test]
fn what_flux_builds_from_is_not_what_comes_before_it() {
    let text = b"apiVersion: v1\nkind: Secret\nmetadata: {name: vars, namespace: flux-system}\n".to_vec();
    let store = Store::new(Tree::from_memory([("setup/vars.yaml".to_owned(), text)]));
    let used = store.tree().files().collect();
    let bootstrap = Bootstrap::read(&store, &Artifacts::new(&store, ""), "", &used, std::iter::empty());
    assert!(!bootstrap.makes(&ObjectKey::new(SECRET, "flux-system", "vars"), &[]));
}
