//! Builds that fail: what the user reads in the cluster, and the cure for each cause.

use crate::support::{Repository, config_map};
use fluxdag::{Options, finding::Finding};

const HEAD: &str = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n";
const COMPONENT: &str = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n";
const BY_HAND: &str = "fails in the same way";

/// The repository whose cluster applies the folder `apps`, and the findings of failed builds in it.
fn failures(files: &[(&str, String)]) -> Vec<Finding> {
    let apps = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps, namespace: flux-system}\n\
                spec: {interval: 1h, path: ./apps, prune: true, sourceRef: {kind: GitRepository, name: flux-system}}\n";
    let mut all = vec![("clusters/prod/apps.yaml", apps.to_owned())];
    all.extend(files.iter().cloned());
    let findings = Repository::cluster(&all).analyse(&Options::default()).findings;
    findings.into_iter().filter(|finding| finding.rule == "build-failure").collect()
}

/// The only one.
fn failure(files: &[(&str, String)]) -> Finding {
    let mut found = failures(files);
    assert_eq!(found.len(), 1, "{found:#?}");
    found.remove(0)
}

#[test]
fn charts_and_plugins_are_what_flux_never_runs() {
    let chart =
        failure(&[("apps/kustomization.yaml", format!("{HEAD}helmCharts:\n- {{name: web, repo: 'https://x'}}\n"))]);
    assert!(chart.why.contains("must specify --enable-helm"), "{}", chart.why);
    assert!(chart.help.contains("HelmRelease") && !chart.help.contains(BY_HAND), "{}", chart.help);
    let plugin = |kind: &str| {
        failure(&[
            ("apps/kustomization.yaml", format!("{HEAD}generators: [g.yaml]\n")),
            ("apps/g.yaml", format!("apiVersion: example.org/v1\nkind: {kind}\nmetadata: {{name: g}}\n")),
        ])
    };
    assert!(plugin("ksops").help.contains("spec.decryption"));
    assert!(plugin("Maker").why.contains("external plugins disabled; unable to load external plugin 'Maker'"));
    let globals = [("apps/kustomization.yaml", format!("{HEAD}helmGlobals: {{chartHome: x}}\nresources: [a.yaml]\n"))];
    assert_eq!(failures(&[&globals[..], &[("apps/a.yaml", config_map("a"))]].concat()).len(), 0);
}

#[test]
fn a_remote_base_without_its_scheme_is_told_so() {
    let base = |url: &str| failures(&[("apps/kustomization.yaml", format!("{HEAD}resources: ['{url}']\n"))]);
    let found = base("gitlab.com/a/b//c?ref=v1");
    assert!(found[0].help.contains("put `https://` in front") && found[0].help.contains(BY_HAND), "{}", found[0].help);
    assert_eq!(base("github.com/a/b//c?ref=v1").len(), 0);
    assert_eq!(base("https://gitlab.com/a/b//c?ref=v1").len(), 0);
}

#[test]
fn paths_are_corrected() {
    let files = |entry: &str| {
        [
            ("apps/kustomization.yaml", format!("{HEAD}resources: ['{entry}']\n")),
            ("apps/web/a.yaml", config_map("a")),
            ("shared/b.yaml", config_map("b")),
        ]
    };
    assert!(failure(&files("web\\a.yaml")).help.starts_with("write `web/a.yaml` at apps/kustomization.yaml:3"));
    assert!(failure(&files("../../shared/b.yaml")).help.starts_with("write `../shared/b.yaml` at"));
    assert!(failure(&files("shared/b.yaml")).help.starts_with("write `../shared/b.yaml` at"));
}

#[test]
fn what_the_artifact_leaves_out_does_not_fail_by_hand() {
    let mut files =
        vec![("apps/kustomization.yaml", format!("{HEAD}resources: [a.yaml]\n")), ("apps/a.yaml", config_map("a"))];
    files.push((".sourceignore", "/apps/a.yaml\n".to_owned()));
    assert!(!failure(&files).help.contains(BY_HAND));
    files.retain(|(path, _)| *path == "apps/kustomization.yaml");
    assert!(failure(&files).help.contains(BY_HAND));
}

#[test]
fn a_component_that_hits_other_objects_is_named() {
    let component = "patches:\n- target: {kind: ConfigMap}\n  patch: |\n    - op: remove\n      path: /data/x\n";
    let found = failure(&[
        ("apps/kustomization.yaml", format!("{HEAD}resources: [a.yaml]\ncomponents: [../quiet]\n")),
        ("apps/a.yaml", config_map("a")),
        ("quiet/kustomization.yaml", format!("{COMPONENT}{component}")),
    ]);
    assert!(found.help.starts_with("take `quiet` in where only the objects are that are meant"), "{}", found.help);
    assert!(found.related.iter().any(|related| related.message == "the object"), "{:?}", found.related);
    // The same patch of an overlay is its own business.
    let own = failure(&[
        ("apps/kustomization.yaml", format!("{HEAD}resources: [a.yaml]\n{component}")),
        ("apps/a.yaml", config_map("a")),
    ]);
    assert!(own.help.starts_with("correct the place shown"), "{}", own.help);
}

#[test]
fn two_objects_of_one_name_are_shown_with_what_lists_them() {
    let found = failure(&[
        ("apps/kustomization.yaml", format!("{HEAD}resources: [one, two]\n")),
        ("apps/one/kustomization.yaml", format!("{HEAD}resources: [a.yaml]\n")),
        ("apps/one/a.yaml", config_map("a")),
        ("apps/two/kustomization.yaml", format!("{HEAD}resources: [b.yaml]\n")),
        ("apps/two/b.yaml", config_map("a")),
    ]);
    let listed = found.related.iter().filter(|related| related.message == "listed here").count();
    // Both files, and the folder that holds the second of them.
    assert_eq!(listed, 3, "{:#?}", found.related);
}
