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

/// The bad example of a rule that a text tells from the others, what is found in it, and the finding of the rule.
fn reported(rule: &str, text: &str) -> (Repository, Vec<Finding>, Finding) {
    let tree = example(rule, |file| file.contains(text));
    let (before, reported) = (findings(&tree), finding(&tree, rule));
    (tree, before, reported)
}

/// Moves a file, its folders made.
fn move_file(tree: &Repository, from: &str, to: &str) {
    tree.write(to, tree.read(from));
    tree.remove(from);
}

#[test]
fn a_kustomization_file_is_found_once_it_is_renamed() {
    let (tree, before, reported) = reported("build-failure", "nameSuffix: -web");
    assert_eq!(quoted(&reported.help, "apps/"), "apps/Kustomization.yaml");
    assert!(!reported.help.contains("kustomize build"), "{}", reported.help);
    move_file(&tree, "apps/Kustomization.yaml", &format!("apps/{}", quoted(&reported.help, "kustomization.")));
    mended(&tree, "build-failure", &before);
}

#[test]
fn a_path_leads_somewhere_as_it_is_told() {
    let (tree, before, reported) = reported("build-failure", "    - components/labels");
    let meant = quoted(&reported.help, "..");
    assert_eq!(meant, "../components/labels");
    assert!(!reported.help.contains("kustomize build"), "{}", reported.help);
    tree.edit("clusters/prod/apps.yaml", "    - components/labels", &format!("    - {meant}"));
    mended(&tree, "build-failure", &before);
}

#[test]
fn paths_that_are_nearly_right_are_told_as_they_have_to_be() {
    for (written, meant) in [
        ("../base", "../../base"),
        ("../../bases", "../../base"),
        (r"..\..\base", "../../base"),
        ("../../../../base", "../../base"),
        ("settigns.yaml", "settings.yaml"),
        ("overlays/prod/settings.yaml", "settings.yaml"),
    ] {
        let list = format!("resources:\n  - '{written}'\n");
        let map = crate::support::config_map;
        let mut files = vec![("overlays/prod/kustomization.yaml", list), ("overlays/prod/settings.yaml", map("here"))];
        files.push(("base/kustomization.yaml", "resources: [map.yaml]\n".to_owned()));
        files.push(("base/map.yaml", map("base")));
        files.push((
            "clusters/prod/apps.yaml",
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps, namespace: flux-system}\nspec: {interval: \
             1h, path: ./overlays/prod, prune: true, sourceRef: {kind: GitRepository, name: flux-system}}\n"
                .to_owned(),
        ));
        let tree = Repository::cluster(&files);
        let help = finding(&tree, "build-failure").help;
        assert!(help.contains(&format!("write `{meant}` at")), "{written}: {help}");
        tree.edit("overlays/prod/kustomization.yaml", written, meant);
        assert!(findings(&tree).iter().all(|finding| finding.rule != "build-failure"), "{meant}");
    }
}

#[test]
fn a_component_that_two_folders_take_in_has_a_namespace_in_each() {
    let (tree, before, reported) = reported("build-failure", "../../components/alerts");
    for file in ["apps/blue/kustomization.yaml:7", "apps/green/kustomization.yaml:7"] {
        assert!(reported.help.contains(file), "{}", reported.help);
    }
    tree.edit("apps/blue/kustomization.yaml", "namespace: default", "namespace: kube-system");
    mended(&tree, "build-failure", &before);
}

#[test]
fn the_copy_below_is_the_one_to_remove() {
    let (tree, before, reported) = reported("duplicate-node", "path: ./teams");
    assert!(reported.help.contains("remove the manifest at blue/teams.yaml:4"), "{}", reported.help);
    tree.remove("blue/teams.yaml");
    tree.write("blue/settings.yaml", crate::support::config_map("blue"));
    mended(&tree, "duplicate-node", &before);
}

#[test]
fn an_operator_moves_out_of_the_entry_point_and_what_needs_it_behind_it() {
    let (tree, before, _) = reported("crd-deadlock", "kind: SealedSecret");
    move_file(&tree, "clusters/prod/sealed-secrets.yaml", "sealed-secrets/release.yaml");
    move_file(&tree, "clusters/prod/token.yaml", "token/token.yaml");
    let node = |name: &str, more: &str| {
        format!(
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: flux-system}}\nspec:\n  \
             interval: 1h\n  retryInterval: 1m\n  timeout: 5m\n  path: ./{name}\n  prune: true\n  sourceRef: {{kind: GitRepository, name: \
             flux-system}}\n  {more}\n"
        )
    };
    tree.write("clusters/prod/operators.yaml", node("sealed-secrets", "wait: true"));
    tree.write("clusters/prod/tokens.yaml", node("token", "dependsOn: [{name: sealed-secrets}]"));
    mended(&tree, "crd-deadlock", &before);
}

#[test]
fn a_claim_moves_out_of_the_parent_of_its_class() {
    let (tree, before, reported) = reported("unordered-storage-class", "name: csi");
    assert!(!reported.help.contains("dependsOn` of storage"), "{}", reported.help);
    let child = tree.read("storage/csi.yaml").replace("csi", "claims") + "  dependsOn:\n    - name: csi\n";
    tree.write("storage/claims.yaml", child);
    move_file(&tree, "storage/claim.yaml", "claims/claim.yaml");
    mended(&tree, "unordered-storage-class", &before);
}

#[test]
fn a_path_below_the_own_file_is_the_one_that_was_meant() {
    let (tree, before, reported) = reported("overlapping-path", "path: ./apps/shop");
    let path = quoted(&reported.help, "spec.path:").strip_prefix("spec.").unwrap().to_owned();
    tree.edit("apps/shop/ks.yaml", "path: ./apps/shop", &path);
    mended(&tree, "overlapping-path", &before);
}

#[test]
fn a_namespace_that_all_protect_may_have_one_owner_less() {
    let (tree, before, reported) = reported("duplicate-owner", "prune: disabled");
    let annotation = quoted(&reported.help, "kustomize.toolkit");
    let protected = format!("metadata:\n  annotations: {{{annotation}}}\n");
    tree.edit("shop/namespace.yaml", "metadata:\n", &protected);
    mended(&tree, "duplicate-owner-as-warning", &before);
    let now = findings(&tree).into_iter().filter(|finding| finding.rule == "duplicate-owner");
    assert!(now.into_iter().all(|finding| finding.severity < fluxdag::finding::Severity::Warning));
    tree.write("shop/namespace.yaml", crate::support::config_map("shop"));
    mended(&tree, "duplicate-owner", &before);
}

#[test]
fn a_namespace_keeps_its_name_without_a_target() {
    let (tree, before, _) = reported("renamed-namespace", "  targetNamespace: flux-system");
    tree.edit("clusters/prod/shop.yaml", "  targetNamespace: flux-system", "  timeout: 5m");
    mended(&tree, "renamed-namespace", &before);
}

#[test]
fn a_release_has_the_time_that_it_is_told() {
    let (tree, before, reported) =
        reported("timeout-below-need", "kind: HelmRelease\nmetadata:\n  name: kube-prometheus-stack");
    let timeout = quoted(&reported.help, "spec.timeout:").strip_prefix("spec.").unwrap().to_owned();
    tree.edit("monitoring/stack.yaml", "  chart:\n", &format!("  {timeout}\n  chart:\n"));
    mended(&tree, "timeout-below-need", &before);
}

#[test]
fn quotes_in_the_value_make_it_text() {
    let files = [
        (
            "clusters/prod/apps.yaml",
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps, namespace: flux-system}\nspec:\n  interval: \
             1h\n  path: ./apps\n  prune: true\n  sourceRef: {kind: GitRepository, name: flux-system}\n  postBuild:\n    substitute:\n      \
             version: \"2\"\n",
        ),
        (
            "apps/child.yaml",
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: child, namespace: flux-system}\nspec:\n  interval: \
             1h\n  path: ./child\n  prune: true\n  sourceRef: {kind: GitRepository, name: flux-system}\n  postBuild:\n    substitute:\n      \
             version: \"${version}\"\n",
        ),
        ("child/map.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: child, namespace: default}\n"),
    ];
    let tree = Repository::cluster(&files);
    let before = findings(&tree);
    let reported = finding(&tree, "invalid-manifest");
    assert!(reported.help.contains(r#"`NAME: '"2"'`"#), "{}", reported.help);
    tree.edit("clusters/prod/apps.yaml", r#"version: "2""#, r#"version: '"2"'"#);
    mended(&tree, "invalid-manifest", &before);
}

#[test]
fn a_kustomization_gets_another_name_in_two_steps() {
    let node = |name: &str, more: &str| {
        format!(
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: flux-system}}\nspec:\n  \
             interval: 1h\n  path: ./shop\n  prune: true\n  sourceRef: {{kind: GitRepository, name: flux-system}}\n{more}"
        )
    };
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n";
    let files = [("clusters/prod/shop.yaml", node("shop", "")), ("shop/namespace.yaml", namespace.to_owned())];
    let tree = Repository::cluster(&files).under_git();
    tree.commit("shop");
    let lint = || tree.json(&["lint", "--since", "HEAD~1", "--min-severity", "info"]).to_string();
    tree.write("clusters/prod/shop.yaml", node("store", ""));
    tree.commit("store");
    let at_once = lint();
    assert!(at_once.contains("ownership-move") && !at_once.contains("deletes nothing"), "{at_once}");
    tree.write("clusters/prod/shop.yaml", node("shop", "  deletionPolicy: Orphan\n"));
    tree.commit("shop, which leaves behind what it applied");
    tree.write("clusters/prod/shop.yaml", node("store", ""));
    tree.commit("store");
    let in_two_steps = lint();
    assert!(!in_two_steps.contains("ownership-move"), "{in_two_steps}");
}

#[test]
fn a_health_check_names_what_it_looks_at_and_not_what_that_waits_for() {
    let node = |name: &str, more: &str| {
        format!(
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: flux-system}}\nspec:\n  \
             interval: 1h\n  path: ./{name}\n  prune: true\n  wait: true\n  sourceRef: {{kind: GitRepository, name: flux-system}}\n{more}"
        )
    };
    let chart = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {name: charts, namespace: flux-system}\nspec: {interval: \
                 1h, url: 'https://prometheus-community.github.io/helm-charts'}\n---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: \
                 HelmRelease\nmetadata: {name: kube-prometheus-stack, namespace: flux-system}\nspec:\n  interval: 1h\n  timeout: 40m\n  chart: \
                 {spec: {chart: kube-prometheus-stack, sourceRef: {kind: HelmRepository, name: charts}}}\n";
    let tree = Repository::cluster(&[
        ("clusters/prod/top.yaml", node("top", "  timeout: 5m\n")),
        ("clusters/prod/last.yaml", node("last", "  timeout: 5m\n  dependsOn: [{name: top}]\n")),
        ("top/child.yaml", node("child", "  timeout: 40m\n")),
        ("child/release.yaml", chart.to_owned()),
        ("last/map.yaml", crate::support::config_map("last")),
    ]);
    let why = finding(&tree, "timeout-below-need").why;
    assert!(why.contains("timeout waiting for: [Kustomization/flux-system/child status"), "{why}");
}

#[test]
fn a_path_that_takes_in_several_clusters_is_that_of_one() {
    let node = |cluster: &str| {
        format!(
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: apps, namespace: flux-system}}\nspec: {{interval: \
             1h, path: ./apps/{cluster}, prune: true, sourceRef: {{kind: GitRepository, name: flux-system}}}}\n"
        )
    };
    let sync = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: flux-system, namespace: flux-system}\nspec: {interval: \
                1m, ref: {branch: main}, secretRef: {name: flux-system}, url: 'ssh://git@example.com/fleet'}\n---\napiVersion: \
                kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: flux-system, namespace: flux-system}\nspec:\n  interval: \
                10m\n  path: ./\n  prune: true\n  sourceRef: {kind: GitRepository, name: flux-system}\n";
    let tree = Repository::new(&[
        ("clusters/east/flux-system/gotk-sync.yaml", sync.to_owned()),
        ("clusters/east/apps.yaml", node("east")),
        ("clusters/west/apps.yaml", node("west")),
        ("apps/east/map.yaml", crate::support::config_map("east")),
        ("apps/west/map.yaml", crate::support::config_map("west")),
    ]);
    assert!(findings(&tree).iter().all(|finding| finding.rule != "duplicate-node"));
    let (before, reported) = (findings(&tree), finding(&tree, "build-failure"));
    let path = quoted(&reported.help, "./clusters/").to_owned();
    assert_eq!(path, "./clusters/east");
    tree.edit("clusters/east/flux-system/gotk-sync.yaml", "path: ./\n", &format!("path: {path}\n"));
    let after = findings(&tree);
    let errors = |found: &[Finding]| {
        found.iter().filter(|finding| finding.severity == fluxdag::finding::Severity::Error).count()
    };
    assert!(
        errors(&before) == 1 && errors(&after) == 0,
        "{:?}",
        after.iter().map(|one| &one.message).collect::<Vec<_>>()
    );
}

#[test]
fn data_stays_where_it_is_protected_in_a_commit_before() {
    let node = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: shop, namespace: flux-system}\nspec: {interval: 1h, \
                path: ./shop, prune: true, sourceRef: {kind: GitRepository, name: flux-system}}\n";
    let claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: data\n  namespace: default\nspec: {accessModes: [ReadWriteOnce], \
                 resources: {requests: {storage: 1Gi}}}\n";
    let map = crate::support::config_map("shop");
    let tree =
        Repository::cluster(&[("clusters/prod/shop.yaml", node), ("shop/claim.yaml", claim), ("shop/map.yaml", &map)])
            .under_git();
    tree.commit("shop");
    let lint = || tree.json(&["lint", "--since", "HEAD~1", "--min-severity", "info"]).to_string();
    tree.remove("shop/claim.yaml");
    tree.commit("without the claim");
    let at_once = lint();
    assert!(at_once.contains("data-loss"), "{at_once}");
    let help =
        at_once.split('`').find(|text| text.starts_with("kustomize.toolkit.fluxcd.io/prune")).expect("an annotation");
    tree.write(
        "shop/claim.yaml",
        claim.replace("  name: data\n", &format!("  name: data\n  annotations: {{{help}}}\n")),
    );
    tree.commit("a claim that is not pruned");
    tree.remove("shop/claim.yaml");
    tree.commit("without the claim");
    let in_two_steps = lint();
    assert!(!in_two_steps.contains("data-loss"), "{in_two_steps}");
}
