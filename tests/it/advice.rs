//! What findings advise, followed to the letter: the finding is gone then, nothing new has come, and the minutes that were
//! reported are those of the edited tree.

use std::{collections::BTreeSet, fs};

use crate::{rule_pages, support::Repository};
use fluxdag::{
    Options, Survey,
    cluster::{Cluster, NodeKey},
    finding::{Finding, about},
    graph::{Actor, EventGraph, Moment, Repaired},
    query::Change,
    timing::{ColdStart, Durations, Profile},
};

/// The first bad example of a rule's page whose files satisfy `is_wanted`.
fn example(rule: &str, is_wanted: impl Fn(&str) -> bool) -> Repository {
    let files = rule_pages::bad_examples(rule).into_iter().find(|files| files.iter().any(|(_, text)| is_wanted(text)));
    Repository::new(&files.unwrap_or_else(|| panic!("{rule}: no such example")))
}

fn findings(tree: &Repository) -> Vec<Finding> {
    tree.analyse(&Options::default()).findings
}

/// The one finding of a rule.
fn finding(tree: &Repository, rule: &str) -> Finding {
    let mut of_rule: Vec<Finding> = findings(tree).into_iter().filter(|finding| finding.rule == rule).collect();
    assert_eq!(of_rule.len(), 1, "{rule}");
    of_rule.remove(0)
}

/// The first text in backticks that starts with `start`.
fn quoted<'t>(text: &'t str, start: &str) -> &'t str {
    let texts = text.split('`').skip(1).step_by(2);
    texts.into_iter().find(|quoted| quoted.starts_with(start)).unwrap_or_else(|| panic!("no `{start}…` in: {text}"))
}

/// The edited tree is free of the finding, and has none that was not there before.
fn mended(tree: &Repository, rule: &str, before: &[Finding]) {
    let known: BTreeSet<&str> = before.iter().map(|finding| finding.rule).collect();
    for finding in findings(tree) {
        assert!(finding.rule != rule && known.contains(finding.rule), "{}: {}", finding.rule, finding.message);
    }
}

/// When a Kustomization starts and is Ready, typically, on slow hardware.
fn times(tree: &Repository, name: &str) -> [std::time::Duration; 2] {
    let Survey { mut clusters, .. } = tree.survey();
    clusters.retain(|cluster| cluster.reached);
    let cluster: &Cluster = &clusters[0];
    let (graph, durations) = (EventGraph::new(cluster, Vec::new()), Durations::new(cluster, Profile::Slow, &[]));
    let cold_start = ColdStart::new(&graph, &durations, Repaired::Nothing);
    let node = cluster.find(&NodeKey::new("flux-system", name)).unwrap();
    [Moment::Start, Moment::Ready]
        .map(|moment| cold_start.time(graph.id(Actor::Node(node), moment).unwrap()).unwrap().typical)
}

#[test]
fn a_narrower_dependency_starts_as_much_earlier_as_told() {
    let tree = example("umbrella-wait", |_| true);
    let before = findings(&tree);
    let reported = finding(&tree, "umbrella-wait");
    assert_eq!(quoted(&reported.help, "{name:"), "{name: cert-manager}");
    let [start, _] = times(&tree, "apps");
    tree.edit("clusters/prod/infrastructure.yaml", "- name: infrastructure", "- name: cert-manager");
    mended(&tree, "umbrella-wait", &before);
    let [earlier, _] = times(&tree, "apps");
    let promised = format!("start about {} earlier", about(start - earlier));
    assert!(reported.message.contains(&promised), "{promised}: {}", reported.message);
}

#[test]
fn a_narrower_dependency_keeps_its_promise_in_what_if_too() {
    let tree = example("umbrella-wait", |_| true);
    let of = || "apps".to_owned();
    let changes = [
        Change::DropDependency { of: of(), on: "infrastructure".to_owned() },
        Change::AddDependency { of: of(), on: "cert-manager".to_owned() },
    ];
    let [answer] = tree.ask(|session| session.what_if(&changes)).unwrap().clusters;
    let apps = answer.nodes.iter().find(|node| node.node.name == "apps").unwrap();
    let then = apps.ready.after.unwrap().typical;
    tree.edit("clusters/prod/infrastructure.yaml", "- name: infrastructure", "- name: cert-manager");
    assert_eq!(times(&tree, "apps")[1].as_secs(), then.as_secs());
}

#[test]
fn the_least_health_check_closes_the_gate() {
    for (what, file, spec) in [
        ("ClusterIssuer", "clusters/prod/cert-manager.yaml", "./cert-manager"),
        ("SealedSecret", "clusters/prod/vars.yaml", "./vars"),
    ] {
        let tree = example("unready-gate", |text| text.contains(what));
        let before = findings(&tree);
        let reported = finding(&tree, "unready-gate");
        let checks = quoted(&reported.help, "healthChecks:").to_owned();
        tree.edit(file, &format!("  path: {spec}\n"), &format!("  path: {spec}\n  {checks}\n"));
        mended(&tree, "unready-gate", &before);
    }
}

#[test]
fn a_new_kustomization_for_what_is_heavy_is_as_sketched() {
    let tree = example("heavy-in-wait", |_| true);
    let before = findings(&tree);
    let reported = finding(&tree, "heavy-in-wait");
    let sketch = quoted(&reported.help, "{apiVersion: kustomize.toolkit");
    tree.write("clusters/prod/infrastructure-heavy.yaml", format!("{sketch}\n"));
    fs::create_dir(tree.path("infrastructure-heavy")).unwrap();
    let file = "kube-prometheus-stack.yaml";
    fs::rename(tree.path("infrastructure").join(file), tree.path("infrastructure-heavy").join(file)).unwrap();
    mended(&tree, "heavy-in-wait", &before);
    let [_, ready] = times(&tree, "infrastructure");
    let promised = format!("then infrastructure is Ready after about {}", about(ready));
    assert!(reported.help.contains(&promised), "{promised}: {}", reported.help);
}

#[test]
fn the_timeout_told_is_enough() {
    let tree = example("timeout-below-need", |_| true);
    let before = findings(&tree);
    let reported = finding(&tree, "timeout-below-need");
    let timeout = quoted(&reported.help, "spec.timeout:").strip_prefix("spec.").unwrap().to_owned();
    let files = tree.files().into_iter();
    let mut files = files.filter(|(path, text)| path.starts_with("clusters/prod/") && text.contains("timeout: 5m"));
    let (path, _) = files.next().expect("a file with the timeout");
    tree.edit(&path, "timeout: 5m", &timeout);
    mended(&tree, "timeout-below-need", &before);
}

#[test]
fn the_settings_told_end_the_advice() {
    for (rule, file, from, start, indent) in [
        ("missing-timeout", "clusters/prod/web.yaml", "  path: ./web\n", "spec.timeout:", "  "),
        ("endless-retry", "cert-manager/release.yaml", "retries: -1", "remediation.retries:", ""),
    ] {
        let tree = example(rule, |_| true);
        let before = findings(&tree);
        let reported = finding(&tree, rule);
        let setting = quoted(&reported.help, start).rsplit_once('.').unwrap().1;
        let to = if from.starts_with("retries") { setting.to_owned() } else { format!("{from}{indent}{setting}\n") };
        tree.edit(file, from, &to);
        mended(&tree, rule, &before);
    }
}

#[test]
fn a_shorter_requeue_saves_what_is_told() {
    let tree = example("poll-depth", |_| true);
    let before = findings(&tree);
    let reported = finding(&tree, "poll-depth");
    let flag = quoted(&reported.help, "--requeue-dependency=");
    let [_, ready] = times(&tree, "apps");
    let patch = format!(
        "resources:\n  - gotk-sync.yaml\n  - gotk-components.yaml\npatches:\n  - target: {{kind: Deployment, name: kustomize-controller}}\n    \
         patch: |\n      - {{op: add, path: /spec/template/spec/containers/0/args/-, value: {flag}}}\n"
    );
    tree.write("clusters/prod/flux-system/kustomization.yaml", patch);
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: kustomize-controller\n  namespace: flux-system\n  labels: \
                      {app.kubernetes.io/part-of: flux, app.kubernetes.io/component: kustomize-controller}\nspec:\n  selector: {matchLabels: \
                      {app: kustomize-controller}}\n  template:\n    metadata: {labels: {app: kustomize-controller}}\n    spec:\n      \
                      containers:\n        - name: manager\n          image: ghcr.io/fluxcd/kustomize-controller:v1.9.4\n          args: \
                      [--watch-all-namespaces=true]\n";
    tree.write("clusters/prod/flux-system/gotk-components.yaml", deployment);
    mended(&tree, "poll-depth", &before);
    let [_, earlier] = times(&tree, "apps");
    let promised = format!("about {} shorter", about(ready - earlier));
    assert!(reported.help.contains(&promised), "{promised}: {}", reported.help);
}
