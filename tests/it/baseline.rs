//! What is known from a baseline is counted, what is new fails, and what is gone is reported.

use std::fs;

use crate::support::{Done, Repository, SYNC, SYNC_FILE};

/// A repository with a dependency on nothing.
fn repository() -> Repository {
    let repository = Repository::new(&[(SYNC_FILE, SYNC)]);
    repository.write("clusters/prod/apps.yaml", node("apps", "nothing"));
    repository
        .write("apps/settings.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: default}\n");
    repository
}

fn node(name: &str, on: &str) -> String {
    format!(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: flux-system}}\nspec:\n  \
         dependsOn: [{{name: {on}}}]\n  interval: 1h\n  path: ./apps\n  prune: true\n  \
         sourceRef: {{kind: GitRepository, name: flux-system}}\n"
    )
}

const FILE: &str = "fluxdag-baseline.json";

#[test]
fn what_is_known_does_not_fail_and_what_is_new_does() {
    let repository = repository();
    assert_eq!(repository.lint(&[]).code, 1);
    let written = repository.lint(&["--write-baseline"]);
    assert_eq!((written.code, written.out.as_str()), (0, ""), "{}", written.err);
    assert!(written.err.contains("wrote 1 finding to fluxdag-baseline.json"), "{}", written.err);
    assert!(written.err.contains("note: runs read it with --baseline=fluxdag-baseline.json"), "{}", written.err);
    let text = repository.read(FILE);
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((&json["version"], &json["findings"][0]["rule"]), (&1.into(), &"dangling-dependency".into()));
    assert_eq!(json["findings"][0]["subject"], "Kustomization/flux-system/apps");

    assert_eq!(repository.lint(&[]).code, 1, "a baseline that nobody names is not read");
    let known = repository.lint(&["--baseline", FILE]);
    assert_eq!((known.code, known.out.as_str()), (0, ""), "{}", known.err);
    assert!(known.err.contains("no problems found in 1 cluster, 2 nodes (1 known from the baseline"), "{}", known.err);
    repository.write("fluxdag.toml", format!("baseline = \"{FILE}\"\n"));
    assert_eq!(repository.lint(&[]).code, 0);
    assert_eq!(repository.lint_in("clusters/prod", &[]).code, 0);
    assert_eq!(repository.lint(&["--no-baseline"]).code, 1);

    // Lines that move do not make it new, another object does.
    repository.write("clusters/prod/apps.yaml", format!("# moved\n\n{}", node("apps", "nothing")));
    assert_eq!(repository.lint(&[]).code, 0);
    repository.write("clusters/prod/web.yaml", node("web", "nowhere"));
    let new = repository.lint(&[]);
    assert!(new.code == 1 && new.out.lines().all(|line| !line.contains("system/apps depends")), "{}", new.out);
    assert!(new.out.contains("Kustomization/flux-system/web depends on"), "{}", new.out);
}

#[test]
fn what_is_known_stays_in_json() {
    let repository = repository();
    repository.lint(&["--write-baseline=known.json"]);
    repository.lint(&["--baseline", "known.json", "-o", "json=out.json"]);
    let text = repository.read("out.json");
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((&json["summary"]["known"], &json["summary"]["suppressed"]), (&1.into(), &0.into()));
    assert_eq!(json["findings"][0]["suppressed"], serde_json::json!({"kind": "baseline", "reason": null}));
}

#[test]
fn what_is_gone_is_told_and_pruned() {
    let repository = repository();
    repository.write("fluxdag.toml", format!("baseline = \"{FILE}\"\n"));
    repository.lint(&["--write-baseline"]);
    repository
        .write("clusters/prod/apps.yaml", node("apps", "nothing").replace("  dependsOn: [{name: nothing}]\n", ""));
    let reported = repository.lint(&[]);
    assert!(
        reported.code == 0 && reported.err.contains("1 finding of fluxdag-baseline.json is gone"),
        "{}",
        reported.err
    );
    assert!(reported.err.contains("Kustomization/flux-system/apps[dangling-dependency]"), "{}", reported.err);
    // A part of the repository, or of the rules, does not tell.
    for part in [&["clusters/prod/flux-system"][..], &["--cluster", "prod"], &["--select", "gate"]] {
        let done = repository.lint(part);
        assert!(done.code == 0 && !done.err.contains("gone"), "{part:?}: {}", done.err);
    }
    let part = repository.lint(&["--prune-baseline", "--cluster", "prod"]);
    assert!(part.code == 2 && part.err.contains("help: run it without paths"), "{}", part.err);
    let pruned = repository.lint(&["--prune-baseline"]);
    assert!(pruned.code == 0 && pruned.err.contains("removed 1 finding from fluxdag-baseline.json"), "{}", pruned.err);
    assert_eq!(repository.read(FILE), "{\n  \"version\": 1,\n  \"findings\": []\n}\n");
    assert!(!repository.lint(&[]).err.contains("gone"));
}

#[test]
fn the_paths_of_the_configuration_are_those_of_every_run() {
    let repository = repository();
    repository.write("fluxdag.toml", format!("baseline = \"{FILE}\"\npaths = [\"clusters/prod\"]\n"));
    let written = repository.lint(&["--write-baseline"]);
    assert!(written.code == 0 && !written.err.contains("part of the repository"), "{}", written.err);
    repository
        .write("clusters/prod/apps.yaml", node("apps", "nothing").replace("  dependsOn: [{name: nothing}]\n", ""));
    let part = repository.lint(&["--prune-baseline", "clusters/prod/flux-system"]);
    assert!(part.code == 2 && part.err.contains("does not tell what is gone"), "{}", part.err);
    let pruned = repository.lint(&["--prune-baseline"]);
    assert!(pruned.code == 0 && pruned.err.contains("removed 1 finding"), "{}", pruned.err);
    let part = repository.lint(&["--write-baseline", "clusters/prod/flux-system"]);
    assert!(part.code == 0 && part.err.contains("only a part of the repository"), "{}", part.err);
}

#[test]
fn what_cannot_be_read_is_an_error_with_its_place() {
    let repository = repository();
    let fails = |done: Done, part: &str| {
        assert!(done.code == 2 && done.out.is_empty() && done.err.contains(part), "{part}: {}{}", done.out, done.err);
        assert!(done.err.contains("help: "), "{}", done.err);
    };
    fails(repository.lint(&["--baseline", "nowhere.json"]), "failed to read the baseline nowhere.json");
    fails(repository.lint(&["--prune-baseline"]), "there is no baseline to prune");
    repository.write("bad.json", "{\n  \"version\": 1,\n  \"findings\": [1]\n}\n");
    fails(repository.lint(&["--baseline", "bad.json"]), "bad.json:3:");
    repository.write("bad.json", "{\"version\": 7}");
    fails(repository.lint(&["--baseline", "bad.json"]), "bad.json:1:2: version 7 of this file is not known");
    fails(repository.lint(&["--write-baseline=nowhere/known.json"]), "failed to write the baseline");
    assert_eq!(repository.lint(&["--baseline", "a", "--no-baseline"]).code, 2);
}

#[cfg(unix)]
#[test]
fn nothing_is_written_through_a_link() {
    let repository = repository();
    repository.write("elsewhere.txt", "kept\n");
    let elsewhere = repository.path("elsewhere.txt");
    let kept = || assert_eq!(fs::read_to_string(&elsewhere).expect("text"), "kept\n");
    std::os::unix::fs::symlink(&elsewhere, repository.path(FILE)).expect("linked");
    let baseline = repository.lint(&["--write-baseline"]);
    assert!(baseline.code == 2 && baseline.err.contains("is a link"), "{}", baseline.err);
    kept();
    for name in ["fluxdag.toml", ".fluxdag.toml"] {
        std::os::unix::fs::symlink(&elsewhere, repository.path(name)).expect("linked");
        let init = repository.run(&["init", "--force"]);
        assert!(init.code == 2 && init.err.contains("is a link or a folder"), "{name}: {}", init.err);
        assert_eq!(repository.run(&["init", "--stdout"]).code, 0, "{name}");
        kept();
        fs::remove_file(repository.path(name)).expect("removed");
    }
    // Who names it may not know that it is one.
    assert_eq!(repository.lint(&[&format!("--write-baseline={FILE}")]).code, 2);
    kept();
}

#[test]
fn what_a_failing_build_or_a_new_loop_hides_is_not_gone() {
    let repository = repository();
    let child = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: default}\n---\n".to_owned();
    repository.write("apps/settings.yaml", &(child + &node("below", "lost").replace("./apps", "./below")));
    repository
        .write("below/settings.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b, namespace: default}\n");
    repository.lint(&["--write-baseline"]);
    let known = || fs::read_to_string(repository.path(FILE)).expect("text").matches("\"fingerprint\"").count();
    assert_eq!(known(), 2);

    // Nothing of the folder is built any more, so nobody sees what `below` depends on.
    repository.write("apps/kustomization.yaml", "resources: [settings.yaml, gone.yaml]\n");
    let pruned = repository.lint(&["--baseline", FILE, "--prune-baseline"]);
    assert!(known() == 2 && !pruned.err.contains("removed"), "{}", pruned.err);
    repository.write("apps/kustomization.yaml", "resources: [settings.yaml]\n");

    // A loop among others stops nobody from being looked at.
    repository.write("clusters/prod/one.yaml", node("one", "two"));
    repository.write("clusters/prod/two.yaml", node("two", "one"));
    let pruned = repository.lint(&["--baseline", FILE, "--prune-baseline"]);
    assert!(known() == 2 && !pruned.err.contains("removed"), "{}", pruned.err);

    repository
        .write("apps/settings.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: default}\n");
    repository.lint(&["--baseline", FILE, "--prune-baseline"]);
    assert_eq!(known(), 1, "what is gone is gone");
}
