//! What a finding is recognized by from one run to the next.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use fluxdag::{Analysis, Error, Options, finding::Finding, lint};

use crate::support::{Repository, corpus, fixtures, repositories, sync};

/// A copy of a fixture, its YAML files changed.
fn copy(name: &str, change: impl Fn(&str) -> String) -> Repository {
    let copy = Repository::fixture(name);
    for (path, text) in copy.files().iter().filter(|(path, _)| path.ends_with(".yaml")) {
        copy.write(path, change(text));
    }
    copy
}

fn pedantic(path: PathBuf) -> Option<Analysis> {
    match lint(&[path], &Options { pedantic: true, ..Options::default() }) {
        Ok(analysis) => Some(analysis),
        Err(Error::NoFluxObjects { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

/// Fingerprint and message of everything found.
fn prints(folder: &Path) -> Vec<(String, String)> {
    let findings = pedantic(folder.to_owned()).map(|analysis| analysis.findings).unwrap_or_default();
    let mut prints: Vec<_> =
        findings.into_iter().map(|finding| (finding.fingerprint, finding.subject.to_string())).collect();
    prints.sort();
    prints
}

#[test]
fn lines_above_change_no_fingerprint() {
    let mut seen = 0;
    for name in fixtures() {
        let before = prints(copy(&name, str::to_owned).folder());
        let after = prints(
            copy(&name, |text| format!("# one\n# two\n{}", text.replace("\nspec:", "\n# three\nspec:"))).folder(),
        );
        assert_eq!(before, after, "{name}");
        seen += before.len();
    }
    assert!(seen > 10, "{seen} findings in all fixtures");
}

#[test]
fn a_loop_keeps_its_fingerprint_when_its_files_are_renamed() {
    let folder = copy("unreached-cycle", str::to_owned);
    let cycle = |folder: &Path| {
        let analysis = pedantic(folder.to_owned()).unwrap();
        let found = analysis.findings.into_iter().find(|finding| finding.rule == "dependency-cycle").unwrap();
        (found.fingerprint, found.location.span().map(|span| analysis.tree.path(span.file).to_owned()).unwrap())
    };
    let (before, first) = cycle(folder.folder());
    let renamed = Path::new(&first).with_file_name("zzz.yaml");
    fs::rename(folder.path(&first), folder.folder().join(renamed)).unwrap();
    let (after, second) = cycle(folder.folder());
    assert_ne!(first, second);
    assert_eq!(before, after);
}

#[test]
fn another_cluster_changes_no_fingerprint() {
    let node = |name: &str, path: &str, depends_on: &str| {
        format!(
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: flux-system}}\nspec:\n  \
             interval: 1h\n  path: {path}\n  prune: true\n  sourceRef: {{kind: GitRepository, name: flux-system}}\n{depends_on}"
        )
    };
    let repository = Repository::empty();
    let write = |path: &str, text: &str| {
        repository.write(path, text);
    };
    write("base/ks.yaml", &node("shared", "./base/apps", "  dependsOn: [{name: nowhere}]\n"));
    write("base/apps/x.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: default}\n");
    write("base/kustomization.yaml", "resources: [ks.yaml]\n");
    let add = |cluster: &str| {
        let root = format!("clusters/{cluster}");
        let (path, text) = sync(cluster);
        write(&path, &text);
        write(&format!("{root}/kustomization.yaml"), "resources: [flux-system/gotk-sync.yaml, own.yaml, ../../base]\n");
        write(&format!("{root}/own.yaml"), &node("own", "./own", "  dependsOn: [{name: none}]\n"));
    };
    write("own/y.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: y, namespace: default}\n");
    add("prod");
    let one = prints(repository.folder());
    add("another");
    let two = prints(repository.folder());
    let of =
        |prints: &[(String, String)], name: &str| prints.iter().filter(|(_, subject)| subject.ends_with(name)).count();
    assert_eq!((of(&one, "/shared"), of(&two, "/shared")), (1, 1), "{two:?}");
    assert_eq!((of(&one, "/own"), of(&two, "/own")), (1, 2), "{two:?}");
    let lost: Vec<_> = one.iter().filter(|print| !two.contains(print)).collect();
    assert!(lost.is_empty(), "{lost:?}");
}

#[test]
fn fingerprints_of_real_repositories_are_unique() {
    let Some(corpus) = corpus() else { return };
    let mut seen = 0;
    for (name, path) in repositories(&corpus) {
        let Some(analysis) = pedantic(path) else { continue };
        let mut known: BTreeMap<&str, &Finding> = BTreeMap::new();
        for finding in &analysis.findings {
            let print = finding.fingerprint.as_str();
            assert!(print.len() == 16 && print.bytes().all(|byte| byte.is_ascii_hexdigit()), "{name}: {print}");
            if let Some(other) = known.insert(print, finding) {
                panic!("{name}: {print} is {} and {}", other.message, finding.message);
            }
        }
        seen += known.len();
    }
    assert!(seen > 50, "{seen} findings");
}
