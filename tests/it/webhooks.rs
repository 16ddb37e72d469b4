//! Objects that come while the operator whose webhook checks them still starts, in layouts that the page does not show.

use fluxdag::{
    Options,
    finding::{Confidence, Finding},
};

use crate::support::{Repository, config_map};

/// A Kustomization of the folder of its name.
fn node(name: &str, more: &str) -> (String, String) {
    let text = format!(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: flux-system}}\nspec:\n  interval: \
         1h\n  path: ./{name}\n  prune: true\n  timeout: 20m\n  sourceRef: {{kind: GitRepository, name: flux-system}}\n{more}"
    );
    (format!("clusters/prod/{name}.yaml"), text)
}

/// A release of a chart of its own name.
fn release(chart: &str, values: &str) -> String {
    format!(
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {{name: {chart}, namespace: flux-system}}\nspec: {{interval: 1h, \
         url: 'https://charts.example.com/{chart}'}}\n---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: {chart}, \
         namespace: flux-system}}\nspec:\n  interval: 1h\n  timeout: 20m\n  chart: {{spec: {{chart: {chart}, sourceRef: {{kind: HelmRepository, \
         name: {chart}}}}}}}\n{values}"
    )
}

fn crd(group: &str, kind: &str) -> String {
    let plural = format!("{}s", kind.to_ascii_lowercase());
    format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: {plural}.{group}}}\nspec:\n  group: {group}\n  names: \
         {{kind: {kind}, plural: {plural}}}\n  scope: Namespaced\n  versions: [{{name: v1, served: true, storage: true, schema: {{openAPIV3Schema: \
         {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}}}]\n"
    )
}

const ISSUER: &str =
    "apiVersion: cert-manager.io/v1\nkind: Issuer\nmetadata: {name: own, namespace: default}\nspec: {selfSigned: {}}\n";
const AFTER_CRDS: &str = "  dependsOn: [{name: crds}]\n";

fn repository(files: &[(String, String)]) -> Repository {
    let files: Vec<(&str, String)> = files.iter().map(|(path, text)| (path.as_str(), text.clone())).collect();
    Repository::cluster(&files)
}

/// The CRD of issuers first, cert-manager with `gate` and `values`, and an issuer with `order`.
fn issuers(gate: &str, values: &str, order: &str) -> Vec<(String, String)> {
    vec![
        node("crds", "  wait: true\n"),
        node("operator", gate),
        node("issuers", order),
        ("crds/issuers.yaml".to_owned(), crd("cert-manager.io", "Issuer")),
        ("operator/release.yaml".to_owned(), release("cert-manager", values)),
        ("issuers/issuer.yaml".to_owned(), ISSUER.to_owned()),
    ]
}

fn of(files: &[(String, String)], rule: &str) -> Vec<Finding> {
    let found = repository(files).analyse(&Options::default()).findings;
    found.into_iter().filter(|finding| finding.rule == rule).collect()
}

fn webhook(files: &[(String, String)]) -> Vec<Finding> {
    of(files, "unordered-webhook")
}

#[test]
fn the_advice_names_the_dependency_and_what_it_lacks() {
    let gated = format!("{AFTER_CRDS}  wait: true\n");
    for (gate, order, advice, edit) in [
        (gated.as_str(), AFTER_CRDS, "add `- name: operator` to `spec.dependsOn` of issuers;", "issuers"),
        (
            AFTER_CRDS,
            AFTER_CRDS,
            "and `wait: true` (or `healthChecks` for HelmRelease/flux-system/cert-manager) to operator;",
            "both",
        ),
        (
            AFTER_CRDS,
            "  dependsOn: [{name: operator}]\n",
            "add `wait: true` (or `healthChecks` for HelmRelease/flux-system/cert-manager) to operator, on which issuers already depends",
            "operator",
        ),
    ] {
        let found = webhook(&issuers(gate, "", order));
        assert_eq!(found.len(), 1, "{advice}");
        assert!(found[0].help.contains(advice), "{}", found[0].help);
        assert!(found[0].why.contains("failed calling webhook \"webhook.cert-manager.io\""), "{}", found[0].why);
        let (gate, order) = match edit {
            "issuers" => (gate.to_owned(), "  dependsOn: [{name: operator}]\n"),
            "operator" => (format!("{gate}  wait: true\n"), order),
            _ => (format!("{gate}  wait: true\n"), "  dependsOn: [{name: operator}]\n"),
        };
        let mended = repository(&issuers(&gate, "", order)).analyse(&Options::default()).findings;
        let named: Vec<&str> = mended.iter().map(|finding| finding.message.as_str()).collect();
        assert!(mended.iter().all(|finding| finding.severity < fluxdag::finding::Severity::Warning), "{named:#?}");
    }
}

#[test]
fn a_crd_that_comes_too_late_is_the_one_cause_told() {
    let crds_of_chart = "  values: {crds: {enabled: true}}\n";
    let files: Vec<_> = issuers("", crds_of_chart, "").into_iter().filter(|(path, _)| !path.contains("crds")).collect();
    assert!(webhook(&files).is_empty());
    assert_eq!(of(&files, "unordered-crd").len(), 1);
    let open: Vec<_> = issuers("", crds_of_chart, "  dependsOn: [{name: operator}]\n")
        .into_iter()
        .filter(|(path, _)| !path.contains("crds"))
        .collect();
    assert!(webhook(&open).is_empty());
    assert_eq!(of(&open, "unready-gate").len(), 1);
}

#[test]
fn what_is_applied_before_the_webhook_is_there_passes() {
    let mut own = issuers("", "", AFTER_CRDS);
    own.retain(|(path, _)| !path.contains("operator"));
    own.push(("issuers/release.yaml".to_owned(), release("cert-manager", "")));
    assert!(webhook(&own).is_empty());
    let mut child = issuers("", "", AFTER_CRDS);
    let (_, text) = child.remove(1);
    child.push(("issuers/operator.yaml".to_owned(), text));
    assert!(webhook(&child).is_empty());
}

#[test]
fn a_release_that_is_there_before_flux_answers_from_the_start() {
    let mut files = issuers(AFTER_CRDS, "", AFTER_CRDS);
    let helmfile = "releases:\n  - {name: cert-manager, namespace: flux-system, chart: jetstack/cert-manager}\n";
    files.push(("bootstrap/helmfile.yaml".to_owned(), helmfile.to_owned()));
    assert!(webhook(&files).is_empty());
}

#[test]
fn an_operator_that_runs_by_then_by_the_clock_is_not_waited_for() {
    let mut files = issuers(AFTER_CRDS, "", "  dependsOn: [{name: crds}, {name: slow}]\n");
    files.push(node("slow", "  wait: true\n  timeout: 90m\n"));
    files.last_mut().unwrap().1 = files.last().unwrap().1.replace("  timeout: 20m\n", "");
    files.push(("slow/release.yaml".to_owned(), release("gitlab", "").replace("timeout: 20m", "timeout: 90m")));
    assert!(webhook(&files).is_empty());
}

#[test]
fn kinds_of_kubernetes_are_told_only_behind_the_release() {
    let ingress = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web, namespace: default}\nspec: {defaultBackend: {service: {name: \
                   web, port: {number: 80}}}}\n";
    let files = |order: &str| {
        vec![
            node("operator", ""),
            node("web", order),
            ("operator/release.yaml".to_owned(), release("ingress-nginx", "")),
            ("web/ingress.yaml".to_owned(), ingress.to_owned()),
        ]
    };
    assert!(webhook(&files("")).is_empty());
    assert_eq!(webhook(&files("  dependsOn: [{name: operator}]\n")).len(), 1);
}

#[test]
fn a_chart_of_another_kind_has_no_say() {
    let mut files = issuers(AFTER_CRDS, "", AFTER_CRDS);
    files.retain(|(path, _)| !path.starts_with("issuers/"));
    files.push(("issuers/map.yaml".to_owned(), config_map("issuers")));
    assert!(webhook(&files).is_empty());
}

#[test]
fn a_release_that_is_suspended_or_goes_elsewhere_makes_no_webhook() {
    assert_eq!(webhook(&issuers(AFTER_CRDS, "", AFTER_CRDS)).len(), 1);
    for more in ["  suspend: true\n", "  kubeConfig: {secretRef: {name: remote}}\n"] {
        assert!(webhook(&issuers(AFTER_CRDS, more, AFTER_CRDS)).is_empty(), "{more}");
    }
    let suspended = format!("{AFTER_CRDS}  suspend: true\n");
    assert!(webhook(&issuers(&suspended, "", AFTER_CRDS)).is_empty());
}

const DATABASE: &str = "apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: db, namespace: data}\nspec: {secretName: db, dnsNames: [db.example.com], \
     issuerRef: {name: own}}\n";
const ANY_ISSUER: &str =
    "apiVersion: cert-manager.io/v1\nkind: ClusterIssuer\nmetadata: {name: all}\nspec: {selfSigned: {}}\n";

/// A Certificate in a namespace with `labels`, or another object of cert-manager, beside its release with `values`.
fn certificates(labels: &str, values: &str, object: &str) -> Vec<Finding> {
    let kind = object.lines().find_map(|line| line.strip_prefix("kind: ")).unwrap();
    let mut files = issuers(AFTER_CRDS, values, AFTER_CRDS);
    files.retain(|(path, _)| path != "issuers/issuer.yaml");
    let namespace = format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: data, labels: {{{labels}}}}}\n");
    files.push(("crds/namespace.yaml".to_owned(), namespace));
    let mut crd = crd("cert-manager.io", kind);
    if kind == "ClusterIssuer" {
        crd = crd.replace("Namespaced", "Cluster");
    }
    files.push(("crds/other.yaml".to_owned(), crd));
    files.push(("issuers/object.yaml".to_owned(), object.to_owned()));
    webhook(&files)
}

#[test]
fn a_namespace_that_the_webhook_leaves_out_is_not_checked() {
    assert_eq!(certificates("team: data", "", DATABASE).len(), 1);
    assert_eq!(certificates("cert-manager.io/disable-validation: 'false'", "", DATABASE).len(), 1);
    assert!(certificates("cert-manager.io/disable-validation: 'true'", "", DATABASE).is_empty());
    // What belongs to no namespace is always sent, whatever namespace kustomize gives it.
    assert_eq!(certificates("cert-manager.io/disable-validation: 'true'", "", ANY_ISSUER).len(), 1);
    let moved = ANY_ISSUER.replace("{name: all}", "{name: all, namespace: data}");
    assert_eq!(certificates("cert-manager.io/disable-validation: 'true'", "", &moved).len(), 1);
}

#[test]
fn values_that_select_what_a_webhook_is_sent_leave_no_certainty() {
    let selector = "  values: {webhook: {config: {namespaceSelector: {matchLabels: {checked: 'yes'}}}}}\n";
    assert!(certificates("", selector, DATABASE).is_empty());
    assert_eq!(certificates("", selector, ANY_ISSUER).len(), 1);
    let objects = selector.replace("namespaceSelector", "objectSelector");
    assert!(certificates("", &objects, ANY_ISSUER).is_empty());
    let empty =
        "  values: {webhook: {config: {namespaceSelector: {}}}, prometheus: {namespaceSelector: {any: true}}}\n";
    assert_eq!(certificates("", empty, DATABASE).len(), 1);
    for nobody in ["replicaCount: 0", "replicas: 0"] {
        assert!(certificates("", &format!("  values: {{webhook: {{{nobody}}}}}\n"), DATABASE).is_empty(), "{nobody}");
    }
}

#[test]
fn a_webhook_that_the_release_patches_may_let_everything_pass() {
    let patch = |target: &str, text: &str| {
        let target =
            format!("  postRenderers: [{{kustomize: {{patches: [{{target: {{{target}}}, patch: \"{text}\"}}]}}}}]\n");
        certificates("", &target, DATABASE).len()
    };
    assert_eq!(patch("kind: ValidatingWebhookConfiguration", "- {op: remove, path: /metadata/labels}"), 0);
    assert_eq!(
        patch("name: cert-manager-webhook", "- {op: replace, path: /webhooks/0/failurePolicy, value: Ignore}"),
        0
    );
    assert_eq!(patch("kind: Deployment", "- {op: add, path: /spec/replicas, value: 2}"), 1);
}

#[test]
fn files_elsewhere_that_may_hold_the_crds_make_a_guess_of_their_order() {
    let confidence = |url: &str| {
        let mut files = issuers(AFTER_CRDS, "  values: {crds: {enabled: true}}\n", AFTER_CRDS);
        files.retain(|(path, _)| path != "crds/issuers.yaml");
        files.push(("crds/kustomization.yaml".to_owned(), format!("resources: ['{url}']\n")));
        of(&files, "unordered-crd").first().map(|finding| finding.confidence)
    };
    assert_eq!(confidence("https://files.example.com/all.yaml"), Some(Confidence::Low));
    let other = "https://raw.githubusercontent.com/prometheus-operator/prometheus-operator/v0.80.0/bundle.yaml";
    assert_eq!(confidence(other), Some(Confidence::Medium));
}
