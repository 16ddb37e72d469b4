//! Whole repositories: what a default run says about each folder of `fixtures/`.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use fluxdag::{
    Analysis, Error, Options,
    finding::{Confidence, Severity},
    lint,
    rules::RULES,
};

use crate::support::{copy_folder, entries, fixture};

/// The rule and the subject of every finding of a fixture.
type Expected = &'static [(&'static str, &'static str)];

const FIXTURES: &[(&str, Expected)] = &[
    (
        "broken-references",
        &[
            ("missing-path", "Kustomization/flux-system/data"),
            ("missing-source", "HelmRelease/web/vault"),
            ("missing-source", "HelmRelease/web/web"),
            ("missing-substitute-source", "Kustomization/flux-system/apps"),
        ],
    ),
    ("broken-yaml", &[("invalid-yaml", "File/apps/ks.yaml"), ("dangling-dependency", "Kustomization/flux-system/web")]),
    ("clean-application", &[]),
    ("clean-applied-by-hand", &[]),
    ("clean-artifact-generator", &[]),
    ("clean-bootstrap", &[]),
    ("clean-equal-names", &[]),
    ("clean-flux-instance", &[]),
    ("clean-generated", &[]),
    ("clean-home-ops", &[]),
    ("clean-home-vars", &[]),
    ("clean-hub", &[]),
    ("clean-other-revisions", &[]),
    ("clean-outside-inputs", &[]),
    ("clean-own-root", &[]),
    ("clean-parent-entries", &[]),
    ("clean-patched-instance", &[]),
    ("clean-patched-sync", &[]),
    ("clean-path-prefix", &[]),
    ("clean-plain-roots", &[]),
    ("clean-set-up-before", &[]),
    ("clean-shared-base", &[]),
    ("clean-remote-cluster", &[]),
    ("clean-resource-set", &[]),
    ("clean-templates", &[]),
    ("clean-two-providers", &[]),
    ("cr-beside-operator", &[("crd-deadlock", "Kustomization/flux-system/cert-manager")]),
    ("dangling-beside-unknown", &[("dangling-dependency", "Kustomization/flux-system/apps")]),
    ("documentation", &[("heavy-in-wait", "Kustomization/flux-system/core")]),
    ("input-without-edge", &[("unordered-input", "Kustomization/flux-system/web")]),
    ("namespace-too-late", &[("namespace-deadlock", "Kustomization/flux-system/agents")]),
    ("namespace-cycle", &[("namespace-deadlock", "Kustomization/flux-system/policies")]),
    ("namespace-without-edge", &[("unordered-namespace", "Kustomization/flux-system/media")]),
    ("secret-without-edge", &[("unordered-input", "Kustomization/flux-system/web")]),
    ("chain-without-retry-interval", &[("retry-cliff", "Kustomization/flux-system/namespaces")]),
    ("cyclic-bases", &[("build-failure", "Kustomization/flux-system/apps")]),
    ("deadlock-no-wait", &[("wait-deadlock", "Kustomization/flux-system/apps")]),
    ("edge-on-unready-gate", &[("unready-gate", "Kustomization/flux-system/infrastructure")]),
    (
        "heavy-in-wait",
        &[
            ("heavy-in-wait", "Kustomization/flux-system/core"),
            ("duplicate-owner", "HelmRelease/monitoring/kube-prometheus-stack"),
            ("duplicate-owner", "HelmRelease/postgres-operator/postgres-operator"),
        ],
    ),
    ("heavy-in-wait-fixed", &[]),
    ("mapped-sources", &[]),
    ("link-out", &[("build-failure", "Kustomization/flux-system/apps")]),
    ("missing-file", &[("build-failure", "Kustomization/flux-system/web")]),
    ("sync-not-listed", &[]),
    (
        "resource-set-conflict",
        &[("duplicate-owner", "ConfigMap/blue/settings"), ("dangling-dependency", "Kustomization/flux-system/web")],
    ),
    ("timeout-below-content", &[("timeout-below-need", "Kustomization/flux-system/core")]),
    ("two-owners", &[("duplicate-owner", "ConfigMap/default/settings")]),
    (
        "unlisted-file",
        &[
            ("unlisted-file", "Kustomization/flux-system/database"),
            ("dangling-dependency", "Kustomization/flux-system/web"),
        ],
    ),
    (
        "unreached-cycle",
        &[
            ("dependency-cycle", "Kustomization/flux-system/seafile"),
            ("duplicate-node", "Kustomization/flux-system/seafile-database"),
        ],
    ),
];

/// Fixtures that hold nothing to analyse, and whether they hold templates.
const EMPTY: [(&str, bool); 2] = [("no-flux", false), ("templates-only", true)];

fn folder() -> PathBuf {
    fixture("")
}

#[test]
fn fixtures_give_the_findings_they_are_there_for() {
    let mut wrong = Vec::new();
    for (name, expected) in FIXTURES.iter().copied() {
        let copy = copy(name);
        let analysis = run(&copy.path().join(name), name);
        let found = shown(&analysis);
        let expected = expected.iter().map(|(rule, subject)| ((*rule).to_owned(), (*subject).to_owned())).collect();
        let differ =
            |these: &BTreeSet<_>, those: &BTreeSet<_>| format!("{:?}", these.difference(those).collect::<Vec<_>>());
        if found != expected {
            wrong.push(format!(
                "{name}: missing {}, unexpected {}",
                differ(&expected, &found),
                differ(&found, &expected)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_clean_fixture_gives_no_finding_of_an_error_rule_at_any_severity() {
    let errors: BTreeSet<&str> =
        RULES.iter().filter(|rule| rule.info.severity == Severity::Error).map(|rule| rule.info.id).collect();
    let mut wrong = Vec::new();
    for (name, _) in FIXTURES.iter().copied().filter(|(name, _)| name.starts_with("clean-")) {
        let copy = copy(name);
        let findings = run(&copy.path().join(name), name).findings;
        let of_errors =
            findings.iter().filter(|finding| errors.contains(finding.rule) && finding.confidence >= Confidence::Medium);
        wrong.extend(of_errors.map(|finding| format!("{name}: {} {}", finding.rule, finding.message)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_fixture_inside_this_repository_and_its_copy_are_judged_alike() {
    for (name, _) in FIXTURES.iter().copied().filter(|(name, _)| *name != "link-out") {
        let copy = copy(name);
        assert_eq!(shown(&run(&folder().join(name), name)), shown(&run(&copy.path().join(name), name)), "{name}");
    }
}

#[test]
fn nothing_to_analyse_is_an_error_that_says_why() {
    for (name, expected) in EMPTY {
        // Around the fixture itself there is Flux enough.
        let copy = copy(name);
        match lint(&[copy.path().join(name)], &Options::default()) {
            Err(Error::NoFluxObjects { templates, .. }) => assert_eq!(templates, expected, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn every_fixture_says_in_one_line_what_it_proves_and_is_listed() {
    let present: BTreeSet<PathBuf> = entries(&folder()).into_iter().collect();
    let names = || FIXTURES.iter().map(|(name, _)| *name).chain(EMPTY.iter().map(|(name, _)| *name));
    assert_eq!(present, names().map(|name| folder().join(name)).collect());
    for name in names() {
        let text = fs::read_to_string(folder().join(name).join("README.md")).expect("a README.md");
        let lines: Vec<_> = text.lines().collect();
        assert!(matches!(lines[..], [title, "", _] if title.strip_prefix("# ") == Some(name)), "{name}");
    }
}

#[cfg(unix)]
#[test]
fn what_a_link_points_to_is_never_read() {
    let copy = copy("link-out");
    let analysis = run(&copy.path().join("link-out"), "link-out");
    assert_eq!(analysis.tree.files().filter(|file| analysis.tree.path(*file).ends_with("outside.yaml")).count(), 0);
    let text = format!("{:?}", analysis.findings);
    assert!(!text.contains("outside-secret"), "{text}");
}

#[test]
fn the_artifact_root_does_not_depend_on_where_one_stands() {
    let cases = [
        ("clean-applied-by-hand", "clusters/home", "", "clusters/home", 5),
        ("clean-path-prefix", "deploy/clusters", "deploy", "clusters/production", 3),
        ("clean-path-prefix", "", "deploy", "clusters/production", 3),
    ];
    for (name, from, root, cluster, nodes) in cases {
        let copy = copy(name);
        let base = copy.path().join(name).canonicalize().expect("present");
        let analysis = run(&base.join(from), name);
        assert_eq!(Path::new(&analysis.artifact_root), base.join(root), "{name} from `{from}`");
        let found: Vec<_> = analysis.clusters.iter().map(|found| (found.root.as_str(), found.nodes)).collect();
        assert_eq!(found, [(cluster, nodes)], "{name} from `{from}`");
    }
}

#[test]
fn what_lies_beside_the_artifact_root_may_be_named_as_well() {
    let copy = copy("clean-path-prefix");
    let base = copy.path().join("clean-path-prefix");
    let paths = [base.join("deploy/clusters/production/ks.yaml"), base.join("service")];
    let analysis = lint(&paths, &Options::default()).expect("an analysis");
    assert_eq!((analysis.clusters.len(), analysis.findings.len()), (1, 0));
}

#[test]
fn clusters_are_told_from_their_bases() {
    let cases: [(&str, &[(&str, usize)]); 6] = [
        ("clean-home-vars", &[("kubernetes/flux", 2)]),
        ("clean-hub", &[("clusters/hub", 2)]),
        ("clean-patched-instance", &[("clusters/production", 3), ("clusters/staging", 3)]),
        ("clean-patched-sync", &[("clusters/production", 3), ("clusters/staging", 3)]),
        ("clean-shared-base", &[("clusters/production", 3), ("clusters/staging", 3)]),
        ("sync-not-listed", &[("fleet/home", 2), ("fleet/lab", 3)]),
    ];
    for (name, expected) in cases {
        let analysis = run(&folder().join(name), name);
        let found: Vec<_> = analysis.clusters.iter().map(|found| (found.root.as_str(), found.nodes)).collect();
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn only_what_is_certainly_this_revision_is_built() {
    let copy = copy("clean-other-revisions");
    let analysis = run(&copy.path().join("clean-other-revisions"), "clean-other-revisions");
    let counts: Vec<_> = analysis.clusters.iter().map(|cluster| (cluster.nodes, cluster.unresolved)).collect();
    assert_eq!(counts, [(7, 4)]);
}

fn run(path: &Path, name: &str) -> Analysis {
    lint(&[path.to_owned()], &Options::default()).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Rule and subject of what a default run shows.
fn shown(analysis: &Analysis) -> BTreeSet<(String, String)> {
    let findings = analysis.findings.iter();
    findings
        .filter(|finding| finding.severity >= Severity::Warning && finding.confidence >= Confidence::Medium)
        .map(|finding| (finding.rule.to_owned(), finding.subject.to_string()))
        .collect()
}

/// A folder that holds a copy of the fixture, without any git repository around it. `link-out` gets its link.
fn copy(name: &str) -> tempfile::TempDir {
    let copy = tempfile::tempdir().expect("a temporary folder");
    copy_folder(&folder().join(name), &copy.path().join(name));
    #[cfg(unix)]
    if name == "link-out" {
        let outside = copy.path().join("outside.yaml");
        let secret = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: outside-secret\n  namespace: default\n";
        fs::write(&outside, secret).expect("written");
        std::os::unix::fs::symlink(&outside, copy.path().join("link-out/apps/outside.yaml")).expect("linked");
    }
    copy
}
