//! Repositories that are broken, hostile or absurdly large: never a panic, never a hang, never a fault passed over.

use std::{
    fmt::Write as _,
    fs,
    time::{Duration, Instant},
};

use fluxdag::{
    Analysis, Options,
    finding::{Finding, Severity},
    lint,
};

use crate::support::{Repository, SYNC, SYNC_FILE, config_map};

/// Generous, because tests run unoptimised and side by side; what is quadratic here takes far longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A Kustomization with further fields of its spec.
fn kustomization(name: &str, path: &str, more: &str) -> String {
    format!(
        "---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: \"{name}\", namespace: flux-system}}\n\
         spec: {{interval: 10m, path: {path}, prune: true, sourceRef: {{kind: GitRepository, name: flux-system}}{more}}}\n"
    )
}

/// A repository of one cluster with these files beside its sync.
fn repository(files: &[(&str, String)]) -> Repository {
    let repository = Repository::cluster(files);
    fs::create_dir(repository.path(".git")).expect("a folder");
    repository
}

fn analyse(files: &[(&str, String)]) -> Analysis {
    let repository = repository(files);
    let start = Instant::now();
    let analysis = repository.analyse(&Options::default());
    assert!(start.elapsed() < PATIENCE, "took {:?}", start.elapsed());
    analysis
}

fn found<'a>(analysis: &'a Analysis, rule: &str) -> Vec<&'a Finding> {
    analysis.findings.iter().filter(|finding| finding.rule == rule).collect()
}

fn unresolved(analysis: &Analysis) -> Vec<&str> {
    let clusters = analysis.clusters.iter();
    clusters.flat_map(|cluster| &cluster.unresolved_details).map(|detail| detail.why.as_str()).collect()
}

#[test]
fn the_kustomization_file_that_a_path_is_built_with_is_checked() {
    let apps = ("clusters/prod/apps.yaml", kustomization("apps", "./apps", ""));
    for (text, rule, message) in [
        ("resources: [cm.yaml\n", "invalid-yaml", "apps/kustomization.yaml is not valid YAML"),
        ("text\n", "build-failure", "expected a mapping"),
        ("- cm.yaml\n", "build-failure", "expected a mapping"),
    ] {
        let files = [apps.clone(), ("apps/cm.yaml", config_map("x")), ("apps/kustomization.yaml", text.to_owned())];
        let analysis = analyse(&files);
        let findings = found(&analysis, rule);
        assert!(findings.len() == 1 && findings[0].message.contains(message), "{text:?}: {:?}", analysis.findings);
        let path = analysis.tree.path(findings[0].location.span().expect("a place").file);
        assert_eq!(path, "apps/kustomization.yaml", "{text:?}");
    }
}

#[test]
fn two_kustomization_files_in_a_folder_cannot_be_built() {
    let analysis = analyse(&[
        ("clusters/prod/apps.yaml", kustomization("apps", "./apps", "")),
        ("apps/cm.yaml", config_map("x")),
        ("apps/kustomization.yaml", "resources: [cm.yaml]".to_owned()),
        ("apps/kustomization.yml", "resources: [cm.yaml]".to_owned()),
    ]);
    let findings = found(&analysis, "build-failure");
    assert!(findings.len() == 1 && findings[0].message.contains("more than one"), "{:?}", analysis.findings);
}

/// Flux keeps kustomize from complaining of an empty kustomization, so it is built to nothing and becomes Ready.
#[test]
fn a_folder_without_manifests_and_an_empty_kustomization_are_built_to_nothing() {
    let apps = ("clusters/prod/apps.yaml", kustomization("apps", "./apps", ""));
    for file in [
        ("apps/README.md", "nothing"),
        ("apps/kustomization.yaml", ""),
        ("apps/kustomization.yaml", "kind: Kustomization\nresources: []\n"),
    ] {
        let analysis = analyse(&[apps.clone(), (file.0, file.1.to_owned())]);
        assert!(analysis.findings.is_empty(), "{file:?}: {:?}", analysis.findings);
    }
}

#[test]
fn an_unknown_field_is_lost_in_the_root_kustomization_and_an_error_in_a_base() {
    let files = |root: &str, base: &str| {
        analyse(&[
            ("clusters/prod/apps.yaml", kustomization("apps", "./apps", "")),
            ("apps/kustomization.yaml", format!("resources: [../base]\n{root}")),
            ("base/kustomization.yaml", format!("resources: [cm.yaml]\n{base}")),
            ("base/cm.yaml", config_map("x")),
        ])
    };
    assert!(files("commonLabel: {a: b}\n", "").findings.is_empty());
    let analysis = files("", "commonLabel: {a: b}\n");
    let findings = found(&analysis, "build-failure");
    assert!(findings.len() == 1 && findings[0].message.contains("commonLabels"), "{:?}", analysis.findings);
}

#[test]
fn a_missing_source_reference_is_called_so() {
    let text = kustomization("apps", "./apps", "").replace("{kind: GitRepository, name: flux-system}", "x");
    let analysis = analyse(&[("clusters/prod/apps.yaml", text), ("apps/cm.yaml", config_map("x"))]);
    assert!(unresolved(&analysis).iter().any(|why| why.contains("it names no source")), "{:?}", unresolved(&analysis));
}

#[test]
fn deep_nesting_is_followed_and_what_is_not_followed_is_told() {
    let nested = |depth: usize| {
        let mut files = vec![("clusters/prod/apps.yaml".to_owned(), kustomization("n0", "./a/0", ""))];
        for level in 0..depth {
            let child = kustomization(&format!("n{}", level + 1), &format!("./a/{}", level + 1), "");
            files.push((format!("a/{level}/ks.yaml"), child));
        }
        files.push((format!("a/{depth}/cm.yaml"), config_map("x")));
        let files: Vec<(&str, String)> = files.iter().map(|(path, text)| (path.as_str(), text.clone())).collect();
        analyse(&files)
    };
    let analysis = nested(100);
    assert_eq!(analysis.clusters[0].nodes, 102);
    assert_eq!(analysis.clusters[0].unresolved, 0);
    let analysis = nested(300);
    assert!(unresolved(&analysis).iter().any(|why| why.contains("nested too deep")));
}

#[test]
fn a_folder_that_goes_on_building_itself_comes_to_an_end() {
    // Two children, each of which builds the folder again under a longer name: twice as many at every level.
    let child = |letter: char| {
        kustomization(
            &format!("${{N}}{letter}"),
            "./apps",
            &format!(", postBuild: {{substitute: {{N: \"${{N}}{letter}\"}}}}"),
        )
    };
    let files = [
        ("clusters/prod/apps.yaml", kustomization("a", "./apps", ", postBuild: {substitute: {N: a}}")),
        ("apps/ks.yaml", child('x') + &child('y')),
    ];
    let analysis = analyse(&files);
    assert!(analysis.clusters.iter().map(|cluster| cluster.nodes).sum::<usize>() < 200);
    assert!(unresolved(&analysis).iter().any(|why| why.contains("goes on building itself")));
}

/// Kustomizations over one folder each, with what `depends_on` says of each.
fn many(count: usize, depends_on: impl Fn(usize) -> Vec<usize>) -> Analysis {
    let mut text = String::new();
    for index in 0..count {
        let entries: Vec<String> = depends_on(index).iter().map(|on| format!("{{name: n{on}}}")).collect();
        text += &kustomization(&format!("n{index}"), "./apps", &format!(", dependsOn: [{}]", entries.join(", ")));
    }
    analyse(&[("clusters/prod/apps.yaml", text), ("apps/cm.yaml", config_map("x"))])
}

#[test]
fn a_loop_of_a_thousand_is_found_once_and_in_time() {
    for back in [false, true] {
        let next = |index: usize| if back { (index + 1) % 1000 } else { (index + 999) % 1000 };
        let analysis = many(1000, |index| vec![next(index)]);
        let cycles = found(&analysis, "dependency-cycle");
        assert_eq!(cycles.len(), 1);
        assert_eq!(cycles[0].related.len(), 999);
    }
}

#[test]
fn the_shortest_loop_of_a_knot_is_the_one_shown() {
    // A loop of 100 with a short cut that makes one of 3.
    let analysis = many(100, |index| match index {
        40 => vec![39, 42],
        _ => vec![(index + 99) % 100],
    });
    let cycles = found(&analysis, "dependency-cycle");
    assert_eq!(cycles.len(), 1);
    assert_eq!(cycles[0].related.len(), 2);
}

#[test]
fn dense_dependencies_take_no_time() {
    let analysis = many(600, |index| (index.saturating_sub(50)..index).collect());
    assert!(found(&analysis, "dependency-cycle").is_empty() && found(&analysis, "dangling-dependency").is_empty());
    // All of them build one object: the message names some and counts the rest.
    let shared = found(&analysis, "overlapping-path");
    assert_eq!((shared.len(), found(&analysis, "duplicate-owner").len()), (1, 0));
    assert!(shared[0].message.len() < 500 && shared[0].message.contains("594 more"), "{}", shared[0].message);
}

#[test]
fn many_faults_in_one_large_file_take_no_time() {
    let mut text = String::new();
    for index in 0..3000 {
        let _ = writeln!(
            text,
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: same, labels: {{i: \"{index}\"}}}}"
        );
    }
    let files = [("clusters/prod/apps.yaml", kustomization("apps", "./apps", "")), ("apps/cm.yaml", text)];
    assert!(!found(&analyse(&files), "build-failure").is_empty());
}

#[test]
fn many_missing_folders_among_many_take_no_time() {
    let mut text = String::new();
    let mut files = Vec::new();
    for index in 0..1500 {
        text += &kustomization(&format!("n{index}"), &format!("./app/folder-{index}"), "");
        files.push((format!("apps/folder-{index}/cm.yaml"), config_map("x")));
    }
    files.push(("clusters/prod/apps.yaml".to_owned(), text));
    let files: Vec<(&str, String)> = files.iter().map(|(path, text)| (path.as_str(), text.clone())).collect();
    let analysis = analyse(&files);
    let missing = found(&analysis, "missing-path");
    assert_eq!(missing.len(), 1500);
    assert!(
        missing[0].help.contains("apps/folder-") || missing[0].message.contains("apps/folder-"),
        "{:?}",
        missing[0]
    );
}

#[test]
fn a_broken_bootstrap_file_is_an_error() {
    let repository = repository(&[
        ("clusters/prod/apps.yaml", kustomization("apps", "./apps", "")),
        ("apps/cm.yaml", config_map("x")),
    ]);
    let check = || {
        let analysis = repository.analyse(&Options::default());
        let findings = found(&analysis, "invalid-yaml");
        assert_eq!(findings.len(), 1, "{:?}", analysis.findings);
        assert_eq!(findings[0].severity, Severity::Error);
        assert_eq!(analysis.tree.path(findings[0].location.span().expect("a place").file), SYNC_FILE);
    };
    repository.write(SYNC_FILE, format!("{SYNC}broken: [\n"));
    check();
    // Latin-1, as some editors save it.
    repository.write(SYNC_FILE, [SYNC.as_bytes(), b"# caf\xe9\n"].concat());
    check();
}

#[cfg(unix)]
#[test]
fn what_cannot_be_read_is_told() {
    use std::os::unix::fs::PermissionsExt as _;
    let repository = repository(&[
        ("clusters/prod/apps.yaml", kustomization("apps", "./apps", "")),
        ("apps/cm.yaml", config_map("x")),
    ]);
    let apps = repository.path("apps");
    fs::set_permissions(&apps, fs::Permissions::from_mode(0o000)).expect("permissions");
    let may_read_all = fs::read_dir(&apps).is_ok();
    let analysis = repository.analyse(&Options::default());
    let alone = lint(std::slice::from_ref(&apps), &Options::default());
    fs::set_permissions(&apps, fs::Permissions::from_mode(0o755)).expect("permissions");
    // The superuser reads everything.
    if !may_read_all {
        assert_eq!(analysis.tree.unreadable().len(), 1);
        assert!(matches!(alone, Err(fluxdag::Error::Source(_))));
    }
}

#[test]
fn where_nothing_but_a_broken_flux_object_is_there_that_is_an_error() {
    let repository = Repository::new(&[(
        "apps.yaml",
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: x\nspec: [\n",
    )]);
    let analysis = repository.analyse(&Options::default());
    let findings = found(&analysis, "invalid-yaml");
    assert!(findings.len() == 1 && findings[0].severity == Severity::Error, "{:?}", analysis.findings);
}

/// Comparing two texts of a million letters by their letters takes terabytes.
#[test]
fn names_of_a_million_letters_are_not_compared_with_each_other() {
    let long = "a".repeat(1_000_000);
    let release = |name: &str, on: &str| {
        format!(
            "---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: \"{name}\", namespace: default}}\n\
             spec: {{interval: 1h, chartRef: {{kind: OCIRepository, name: \"{on}\"}}, dependsOn: [{{name: \"{on}\"}}]}}\n\
             ---\napiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata: {{name: \"{name}\", namespace: default}}\n\
             spec: {{interval: 1h, url: 'oci://example.com/x'}}\n"
        )
    };
    let apps = kustomization("apps", &format!("./{long}"), &format!(", dependsOn: [{{name: {long}b}}]"));
    let more = kustomization(&long, "./apps", "");
    let analysis = analyse(&[
        ("clusters/prod/apps.yaml", apps),
        ("clusters/prod/more.yaml", more),
        ("apps/release.yaml", release(&long, &format!("{long}b"))),
        ("apps/ignored.yaml", format!("{}# fluxdag: ignore[{long}]\n", config_map("x"))),
    ]);
    assert_eq!(found(&analysis, "dangling-dependency").len(), 2);
    assert_eq!(found(&analysis, "missing-path").len(), 1);
}

#[test]
fn comments_in_great_number_take_no_time() {
    const MANY: usize = 20_000;
    let ids: Vec<String> = (0..MANY).map(|at| format!("r{at}")).collect();
    let (line, first) = ("# fluxdag: ignore[retry-cliff]\n", "# fluxdag: ignore-file[retry-cliff] x\n");
    let keys: String = (0..MANY).map(|at| format!("  # fluxdag: ignore[retry-cliff]\n  k{at}: v\n")).collect();
    let analysis = analyse(&[
        ("clusters/prod/apps.yaml", kustomization("apps", "./apps", "")),
        ("apps/behind.yaml", format!("{}{}", config_map("a"), line.repeat(MANY))),
        ("apps/above.yaml", format!("{}{}", first.repeat(MANY), config_map("b"))),
        ("apps/keys.yaml", format!("{}data:\n{keys}", config_map("c"))),
        ("apps/ids.yaml", format!("# fluxdag: ignore[{}]\n{}", ids.join(","), config_map("d"))),
        ("apps/line.yaml", format!("# x {}\n{}", "# fluxdag: ignore[retry-cliff] ".repeat(MANY), config_map("e"))),
    ]);
    assert!(found(&analysis, "unused-suppression").len() >= 5 * MANY, "{}", analysis.findings.len());
}

/// What several builds share knows none of the places that name it: here `z` is built first, and `a` tells.
#[test]
fn an_empty_base_is_told_with_the_place_that_names_it_in_that_build() {
    let analysis = analyse(&[
        ("clusters/prod/z.yaml", kustomization("z", "./z", "")),
        ("z/kustomization.yaml", "resources: [../base, a.yaml]\n".to_owned()),
        ("z/a.yaml", kustomization("a", "./a", "")),
        ("a/kustomization.yaml", "resources: [../base]\n".to_owned()),
        ("base/kustomization.yaml", "apiVersion: kustomize.config.k8s.io/v1beta1\n".to_owned()),
    ]);
    let findings = found(&analysis, "build-failure");
    assert!(findings.len() == 1 && findings[0].subject.name == "a", "{:?}", analysis.findings);
    let used = findings[0].related.iter().find(|related| related.message == "used here").expect("what names it");
    assert_eq!(analysis.tree.path(used.location.expect("a place").file), "a/kustomization.yaml");
}
