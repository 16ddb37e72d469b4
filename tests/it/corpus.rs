//! Real repositories: what the analysis says of them, and that it always says the same.

use std::path::PathBuf;

use fluxdag::{
    Analysis, Error, Options,
    finding::{Confidence, Finding, Severity},
};

use crate::support::{corpus, repositories};

fn lint(path: PathBuf) -> Analysis {
    fluxdag::lint(&[path], &Options::default()).unwrap()
}

fn repository(corpus: &std::path::Path, name: &str) -> Analysis {
    lint(corpus.join("repos").join(name))
}

/// What a default run shows.
fn shown(analysis: &Analysis) -> impl Iterator<Item = &Finding> {
    let findings = analysis.findings.iter();
    findings.filter(|finding| finding.severity >= Severity::Warning && finding.confidence >= Confidence::Medium)
}

fn of<'a>(analysis: &'a Analysis, rule: &'a str) -> Vec<&'a Finding> {
    shown(analysis).filter(|finding| finding.rule == rule).collect()
}

/// `path:line` of a finding.
fn place(analysis: &Analysis, finding: &Finding) -> String {
    let span = finding.location.span().unwrap();
    format!("{}:{}", analysis.tree.path(span.file), analysis.tree.position(span).line)
}

/// The line a span starts on, without what surrounds the text.
fn line(analysis: &Analysis, span: fluxdag::source::Span) -> String {
    let text = analysis.tree.text(span.file).unwrap();
    text.lines().nth(analysis.tree.position(span).line as usize - 1).unwrap().trim().to_owned()
}

#[test]
fn every_repository_is_analysed_alike_whatever_the_number_of_threads() {
    let Some(corpus) = corpus() else { return };
    for (name, path) in repositories(&corpus) {
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let result = pool.install(|| fluxdag::lint(std::slice::from_ref(&path), &Options::default()));
            match result {
                Ok(analysis) => {
                    let findings: Vec<_> = analysis
                        .findings
                        .iter()
                        .map(|finding| (finding.location.span().map(|at| analysis.tree.position(at)), finding.clone()))
                        .collect();
                    format!("{findings:#?} {:?}", analysis.clusters)
                }
                Err(Error::NoFluxObjects { templates, .. }) => format!("nothing, templates: {templates}"),
                Err(error) => panic!("{name}: {error}"),
            }
        };
        let alone = run(1);
        assert_eq!(alone.starts_with("nothing"), name == "onedr0p__cluster-template", "{name}: {alone}");
        for threads in [2, 8] {
            assert!(run(threads) == alone, "{name} with {threads} threads differs from one");
        }
    }
}

#[test]
fn the_origin_story_is_found_before_the_fix_and_gone_after_it() {
    let Some(corpus) = corpus() else { return };
    let before = lint(corpus.join("tazlab-dag-fix/before"));
    let heavy = of(&before, "heavy-in-wait");
    assert_eq!(heavy.len(), 1, "{heavy:#?}");
    let finding = heavy[0];
    assert_eq!(finding.subject.name, "infrastructure-operators-core");
    assert_eq!(place(&before, finding), "clusters/tazlab-k8s/infrastructure-operators-core.yaml:15");
    for named in ["kube-prometheus-stack", "postgres-operator", "cert-manager", "traefik", "reloader"] {
        assert!(finding.message.contains(named), "{named} is missing: {}", finding.message);
    }
    for held in ["bridge", "configs", "instances", "auth"] {
        assert!(finding.message.contains(&format!("infrastructure-{held}")), "{held} is missing: {}", finding.message);
    }
    for held in ["apps-static", "apps-data"] {
        assert!(finding.message.contains(held), "{held} is missing: {}", finding.message);
    }
    let owners: Vec<String> = of(&before, "duplicate-owner").iter().map(|finding| finding.message.clone()).collect();
    for other in ["infrastructure-monitoring", "infrastructure-operators-data"] {
        let both = |message: &&String| message.contains("infrastructure-operators-core") && message.contains(other);
        assert!(owners.iter().any(|message| both(&message)), "{other}: {owners:#?}");
    }
    let after = lint(corpus.join("tazlab-dag-fix/after"));
    // An old API version is no part of the story, nor is the namespace that was made by hand.
    let aside = ["missing-namespace", "removed-api-version"];
    let left = shown(&after).filter(|finding| !aside.contains(&finding.rule));
    assert_eq!(left.map(|finding| &finding.message).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn a_node_defined_twice_and_a_cycle_are_found_in_a_file_no_root_reaches() {
    let Some(corpus) = corpus() else { return };
    let analysis = repository(&corpus, "bornav__fluxcd");
    let cycles = of(&analysis, "dependency-cycle");
    assert_eq!(cycles.len(), 1, "{cycles:#?}");
    assert!(cycles[0].message.contains("seafile-storage") && cycles[0].message.contains("seafile-app"));
    assert!(cycles[0].why.contains("No entry point"), "{}", cycles[0].why);
    let twice = of(&analysis, "duplicate-node");
    let twice: Vec<_> = twice.iter().filter(|finding| finding.subject.name == "seafile-storage").collect();
    assert_eq!(twice.len(), 1, "{twice:#?}");
    let places: Vec<String> = twice[0]
        .location
        .span()
        .into_iter()
        .chain(twice[0].related.iter().filter_map(|related| related.location))
        .map(|span| line(&analysis, span))
        .collect();
    assert_eq!(places.len(), 2, "{places:?}");
    assert!(places.iter().all(|line| line.contains("seafile-storage")), "{places:?}");
}

#[test]
fn a_dependency_on_what_only_its_own_path_builds_is_a_deadlock_in_that_cluster_alone() {
    let Some(corpus) = corpus() else { return };
    let analysis = repository(&corpus, "monosense-io__k8s-gitops");
    let deadlocks = of(&analysis, "wait-deadlock");
    assert_eq!(deadlocks.len(), 1, "{deadlocks:#?}");
    assert!(
        deadlocks[0].message.contains("cluster-apps-infrastructure") && deadlocks[0].message.contains("cilium-core")
    );
    assert_eq!(deadlocks[0].clusters, ["kubernetes/clusters/apps"]);
    let dangling = |cluster: &str| {
        let mut found: Vec<(String, String)> = of(&analysis, "dangling-dependency")
            .iter()
            .filter(|finding| finding.clusters.iter().any(|root| root == cluster))
            .map(|finding| {
                (
                    finding.subject.name.clone(),
                    line(&analysis, finding.location.span().unwrap()).replace("- name: ", ""),
                )
            })
            .collect();
        found.sort();
        found
    };
    let pairs = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(
        dangling("kubernetes/clusters/apps"),
        pairs(&[
            ("cluster-apps-messaging-kafka", "cluster-apps-messaging-strimzi-operator"),
            ("cluster-apps-messaging-kafka", "cluster-apps-storage-rook-ceph-cluster"),
            ("cluster-networkpolicy-baseline", "cluster-infra-infrastructure"),
            ("observability-victoria-logs", "infrastructure-storage-rook-ceph-cluster"),
            ("observability-victoria-metrics-vmcluster", "cluster-infra-infrastructure"),
        ])
    );
    assert_eq!(
        dangling("kubernetes/clusters/infra"),
        pairs(&[
            ("observability-victoria-logs", "infrastructure-storage-rook-ceph-cluster"),
            ("observability-victoria-metrics-vmagent", "cluster-apps-infrastructure"),
        ])
    );
}

#[test]
fn well_kept_repositories_show_no_broken_dependency() {
    let Some(corpus) = corpus() else { return };
    let rules = [
        "dangling-dependency",
        "wrong-kind-dependency",
        "wrong-namespace-dependency",
        "dependency-cycle",
        "wait-deadlock",
    ];
    for name in [
        "fluxcd__flux2-kustomize-helm-example",
        "onedr0p__home-ops",
        "bjw-s-labs__home-ops",
        "hmcts__sds-flux-config",
        "angelnu__k8s-gitops",
    ] {
        let analysis = repository(&corpus, name);
        let broken: Vec<_> = shown(&analysis).filter(|finding| rules.contains(&finding.rule)).collect();
        assert!(broken.is_empty(), "{name}: {broken:#?}");
    }
    let part = lint(corpus.join("repos/fluxcd__flux2-kustomize-helm-example/clusters/staging"));
    assert_eq!(shown(&part).count(), 0, "one cluster of a repository, whose paths only its generator knows");
    let analysis = repository(&corpus, "ricsanfre__pi-cluster");
    let prod = analysis.clusters.iter().find(|cluster| cluster.root == "kubernetes/clusters/prod").unwrap();
    assert_eq!(prod.nodes, 60);
    let broken: Vec<_> = shown(&analysis)
        .filter(|finding| finding.clusters.contains(&prod.root) && rules.contains(&finding.rule))
        .collect();
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn references_of_real_repositories_are_judged_as_their_manifests_read() {
    let Some(corpus) = corpus() else { return };
    let found = |name: &str, rule: &str| {
        let analysis = repository(&corpus, name);
        let mut found: Vec<String> = of(&analysis, rule).iter().map(|finding| finding.subject.name.clone()).collect();
        found.sort();
        found
    };
    assert_eq!(found("toboshii__home-ops", "missing-source"), ["node-problem-detector"]);
    assert_eq!(
        found("monosense-io__k8s-gitops", "unknown-field"),
        ["victoria-logs", "victoria-metrics", "victoria-metrics-global"],
        "`spec.version` of a HelmRelease"
    );
    assert_eq!(found("fluxcd__flux2-multi-tenancy", "removed-api-version"), ["kyverno-controller"]);
    assert_eq!(found("artazar__flux2-general", "removed-api-version"), Vec::<String>::new(), "it runs Flux 2.3");
    assert_eq!(found("angelnu__k8s-gitops", "unset-variable"), ["vpn-lidarr"]);
    assert_eq!(found("ricsanfre__pi-cluster", "unset-variable"), ["envoy-gateway-config"]);
}

#[test]
fn how_controllers_of_real_repositories_are_run_is_read() {
    let Some(corpus) = corpus() else { return };
    let cases = [
        ("fluxcd__flux2-multi-tenancy", "clusters/production", 4, true),
        ("fluxcd__flux2-kustomize-helm-example", "clusters/production", 20, false),
        ("controlplaneio-fluxcd__d1-fleet", "clusters/prod-eu", 10, true),
        ("angelnu__k8s-gitops", "clusters/prod/config", 5, false),
        ("onedr0p__home-ops", "kubernetes/flux/cluster", 20, false),
        ("bjw-s-labs__home-ops", "kubernetes/flux/cluster", 8, false),
        ("ricsanfre__pi-cluster", "kubernetes/clusters/prod", 20, false),
    ];
    for (name, root, workers, is_locked) in cases {
        let survey = fluxdag::survey(&[corpus.join("repos").join(name)], &Options::default()).unwrap();
        let cluster = survey.clusters.iter().find(|cluster| cluster.root == root).unwrap_or_else(|| panic!("{name}"));
        let kustomize = &cluster.controllers.kustomize;
        assert_eq!(
            (kustomize.is_read, kustomize.workers().value, kustomize.no_cross_namespace_refs().value),
            (true, workers, is_locked),
            "{name}"
        );
    }
}
