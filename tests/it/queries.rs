//! `fluxdag why` and `fluxdag impact` as a process: how objects and files are named, and what is answered.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

const SYNC: &str = "apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: flux-system, namespace: flux-system}
spec: {interval: 1m, url: \"ssh://git@example.org/fleet\"}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: flux-system, namespace: flux-system}
spec:
  interval: 10m
  path: ./clusters/CLUSTER
  prune: true
  sourceRef: {kind: GitRepository, name: flux-system}
";

fn node(name: &str, rest: &str) -> String {
    format!(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: {name}, namespace: flux-system}}
spec:
  interval: 1h
  retryInterval: 2m
  timeout: 5m
  path: ./{name}
  prune: true
  sourceRef: {{kind: GitRepository, name: flux-system}}
{rest}"
    )
}

fn config_map(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: default}}\ndata: {{a: b}}\n")
}

struct Repository(tempfile::TempDir);

struct Done {
    code: i32,
    out: String,
    err: String,
}

impl Repository {
    fn new(files: &[(&str, String)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self(folder)
    }

    /// `infra` ← `apps`, with a base that `apps` patches, in the clusters of these names.
    fn chain(clusters: &[&str]) -> Self {
        let repository = Self::new(&[
            ("infra/settings.yaml", config_map("infra")),
            ("apps/kustomization.yaml", "resources: [../base]\npatches: [{path: patch.yaml}]\n".to_owned()),
            ("apps/patch.yaml", config_map("web").replace("a: b", "a: c")),
            ("base/kustomization.yaml", "resources: [web.yaml]\n".to_owned()),
            ("base/web.yaml", config_map("web")),
            ("docs/README.md", "nothing\n".to_owned()),
        ]);
        for cluster in clusters {
            let folder = repository.0.path().join("clusters").join(cluster);
            fs::create_dir_all(folder.join("flux-system")).unwrap();
            fs::write(folder.join("flux-system/gotk-sync.yaml"), SYNC.replace("CLUSTER", cluster)).unwrap();
            fs::write(folder.join("infra.yaml"), node("infra", "  wait: true\n")).unwrap();
            fs::write(folder.join("apps.yaml"), node("apps", "  dependsOn: [{name: infra}]\n")).unwrap();
        }
        repository
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.0.path().join(path), text).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Done {
        run_in(self.0.path(), arguments)
    }

    fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let done = self.run(&[arguments, &["-o", "json"]].concat());
        assert_eq!(done.code, 0, "{}", done.err);
        serde_json::from_str(&done.out).unwrap()
    }
}

fn run_in(folder: &Path, arguments: &[&str]) -> Done {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fluxdag"));
    command.args(arguments).current_dir(folder).env_clear().stdin(Stdio::null());
    if let Some(root) = std::env::var_os("SystemRoot") {
        command.env("SystemRoot", root);
    }
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Done { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

fn names(list: &serde_json::Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|subject| subject["name"].as_str().unwrap()).collect()
}

#[test]
fn why_tells_what_is_waited_for_and_where_that_is_written() {
    let repository = Repository::chain(&["prod"]);
    let done = repository.run(&["why", "apps"]);
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    assert!(done.out.starts_with("Kustomization/flux-system/apps (clusters/prod/apps.yaml:3)"), "{}", done.out);
    assert!(done.out.contains("depends on Kustomization/flux-system/infra\n"), "{}", done.out);
    assert!(done.out.contains("(clusters/prod/apps.yaml:11)"), "{}", done.out);

    let json = repository.json(&["why", "ks/flux-system/apps"]);
    let reasons: Vec<_> = json["waits_for"].as_array().unwrap().iter().map(|link| &link["reason"]).collect();
    assert_eq!(reasons, ["depends-on", "applied-by", "source"]);
    assert_eq!(json["events"][3]["event"], "ready");
    let seconds = &json["events"][3]["at_seconds"];
    assert!(seconds["low"].as_u64() <= seconds["typical"].as_u64(), "{seconds}");
    assert_eq!(json["decides"][0]["event"], "start");
    assert_eq!((&json["stuck"], &json["schema_version"]), (&serde_json::Value::Null, &1.into()));
}

#[test]
fn why_tells_the_chain_between_two() {
    let repository = Repository::chain(&["prod"]);
    repository
        .write("clusters/prod/web.yaml", &node("web", "  dependsOn: [{name: apps}]\n").replace("./web", "./base"));
    let json = repository.json(&["why", "web", "infra"]);
    assert_eq!((&json["answer"], &json["reverse"]), (&"waits".into(), &"does-not-wait".into()));
    let chain = json["chains"][0].as_array().unwrap();
    assert_eq!((json["chains"].as_array().unwrap().len(), chain.len()), (1, 2));
    assert_eq!((&chain[0]["waits"]["name"], &chain[0]["on"]["name"]), (&"web".into(), &"apps".into()));
    assert_eq!(&chain[1]["on"]["name"], "infra");

    let done = repository.run(&["why", "infra", "web"]);
    assert_eq!(done.code, 0);
    assert!(done.out.contains("infra does not wait for Kustomization/flux-system/web."), "{}", done.out);
    assert!(done.out.contains("the other way round"), "{}", done.out);
}

#[test]
fn what_two_provide_may_be_waited_for() {
    let repository = Repository::chain(&["prod"]);
    let variables = "  postBuild: {substituteFrom: [{kind: ConfigMap, name: vars}]}\n";
    repository.write("clusters/prod/web.yaml", &node("web", variables).replace("./web", "./base"));
    for name in ["one", "two"] {
        fs::create_dir_all(repository.0.path().join(name)).unwrap();
        repository.write(&format!("{name}/vars.yaml"), &config_map("vars").replace("default", "flux-system"));
        repository.write(&format!("clusters/prod/{name}.yaml"), &node(name, ""));
    }
    let json = repository.json(&["why", "web", "one"]);
    assert_eq!(json["answer"], "may-wait");
    let last = json["chains"][0].as_array().unwrap().last().unwrap().clone();
    assert_eq!(names(&last["or"]), ["two"]);
    assert_eq!(repository.json(&["impact", "one"])["clusters"][0]["counts"]["starts_after"], 0);
}

#[test]
fn a_loop_is_told_in_order() {
    let repository = Repository::chain(&["prod"]);
    repository.write("clusters/prod/infra.yaml", &node("infra", "  dependsOn: [{name: apps}]\n"));
    repository
        .write("clusters/prod/web.yaml", &node("web", "  dependsOn: [{name: apps}]\n").replace("./web", "./base"));
    let json = repository.json(&["why", "web"]);
    assert_eq!(json["events"][3]["at_seconds"], serde_json::Value::Null);
    assert_eq!(names(&serde_json::json!([json["stuck"]["way"][0]["on"]])), ["apps"]);
    let around = json["stuck"]["loop"].as_array().unwrap();
    assert_eq!(around.len(), 2);
    assert_eq!(around[0]["on"], around[1]["waits"]);
    let done = repository.run(&["why", "web"]);
    assert!(done.code == 0 && done.out.contains("in a loop"), "{}", done.out);
    assert!(repository.run(&["impact", "web"]).out.contains("that never happens"));
}

#[test]
fn errors_in_the_way_are_told_with_the_times() {
    let repository = Repository::chain(&["prod"]);
    repository.write("clusters/prod/infra.yaml", &node("infra", "  dependsOn: [{name: nothing}]\n"));
    let json = repository.json(&["why", "apps"]);
    assert_eq!(json["problems"][0]["rule"], "dangling-dependency");
    assert_eq!(json["problems"][0]["location"]["path"], "clusters/prod/infra.yaml");
    assert!(repository.run(&["why", "apps"]).out.contains("error[dangling-dependency]"));
}

#[test]
fn impact_of_a_node_counts_and_names() {
    let repository = Repository::chain(&["prod"]);
    let json = repository.json(&["impact", "infra"]);
    let impact = &json["clusters"][0];
    assert_eq!(impact["counts"]["reconciles"], 3);
    assert_eq!(names(&impact["waits_each_commit"]), ["apps"]);
    assert_eq!(names(&impact["starts_after"]), ["apps"]);
    assert_eq!(names(&impact["ready_after"]), [] as [&str; 0]);
    let done = repository.run(&["impact", "infra"]);
    assert!(done.out.contains("1 held back in a cold start, until it is Ready"), "{}", done.out);
    assert!(repository.run(&["impact", "apps"]).out.contains("Nothing waits for it"));
}

#[test]
fn another_source_does_not_wait_at_each_commit() {
    let repository = Repository::chain(&["prod"]);
    let apps = node("apps", "  dependsOn: [{name: infra}]\n")
        .replace("GitRepository, name: flux-system", "GitRepository, name: other");
    repository.write("clusters/prod/apps.yaml", &apps);
    let impact = &repository.json(&["impact", "infra"])["clusters"][0];
    assert_eq!((&impact["counts"]["reconciles"], &impact["counts"]["waits_each_commit"]), (&2.into(), &0.into()));
    assert_eq!(names(&impact["starts_after"]), ["apps"]);
}

#[test]
fn impact_of_a_file_finds_the_builds_that_use_it() {
    let repository = Repository::chain(&["prod"]);
    let built = |file: &str| {
        let json = repository.json(&["impact", file]);
        let built = json["clusters"][0]["built"].clone();
        names(&serde_json::json!(built.as_array().unwrap().iter().map(|one| one["node"].clone()).collect::<Vec<_>>()))
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    // An object, a patch, and kustomization files that no object shows.
    for file in ["base/web.yaml", "apps/patch.yaml", "base/kustomization.yaml", "./apps/kustomization.yaml", "./base"] {
        assert_eq!(built(file), ["apps"], "{file}");
    }
    assert_eq!(built("infra/settings.yaml"), ["infra"]);
    // What defines a Kustomization is built by another.
    assert_eq!(built("clusters/prod/infra.yaml"), ["flux-system", "infra"]);
    let done = repository.run(&["impact", "docs/README.md"]);
    assert_eq!(done.code, 0);
    assert!(done.out.starts_with("No Kustomization is built from docs/README.md"), "{}", done.out);
}

#[test]
fn files_are_found_from_the_working_directory_and_from_the_root() {
    let repository = Repository::chain(&["prod"]);
    let folder = repository.0.path().join("base");
    for file in ["web.yaml", "base/web.yaml"] {
        let done = run_in(&folder, &["impact", file]);
        assert!(
            done.code == 0 && done.out.contains("base/web.yaml in cluster clusters/prod"),
            "{}{}",
            done.out,
            done.err
        );
    }
    let done = repository.run(&["impact", "base/wev.yaml"]);
    assert_eq!((done.code, done.out.as_str()), (2, ""));
    assert!(
        done.err.contains("no file `base/wev.yaml`") && done.err.contains("did you mean `base/web.yaml`?"),
        "{}",
        done.err
    );
    let outside = tempfile::tempdir().unwrap();
    let done = repository.run(&["impact", outside.path().to_str().unwrap()]);
    assert!(done.code == 2 && done.err.contains("no Flux Kustomization"), "{}", done.err);
    let done = repository.run(&["impact", outside.path().to_str().unwrap(), "--", "."]);
    assert!(done.code == 2 && done.err.contains("outside the repository"), "{}", done.err);
}

#[test]
fn a_typo_is_answered_with_the_likely_name() {
    let repository = Repository::chain(&["prod"]);
    for arguments in [&["why", "appz"][..], &["why", "infra", "appz"], &["impact", "appz"]] {
        let done = repository.run(arguments);
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{arguments:?}");
        assert!(done.err.contains("did you mean `Kustomization/flux-system/apps`?"), "{}", done.err);
    }
    assert!(repository.run(&["why", "a/b/c/d"]).err.contains("`a/b/c/d` is no name of an object"));
    assert!(repository.run(&["why", "apps", "ks/apps"]).err.contains("are the same object"));
    let done = repository.run(&["why", "ConfigMap/web"]);
    assert!(done.code == 2 && done.err.contains("`Kustomization/flux-system/apps`"), "{}", done.err);
}

#[test]
fn several_clusters_are_told_apart() {
    let repository = Repository::chain(&["prod", "staging"]);
    let done = repository.run(&["why", "apps"]);
    assert_eq!((done.code, done.out.as_str()), (2, ""));
    assert!(done.err.contains("names 2 objects") && done.err.contains("--cluster clusters/staging"), "{}", done.err);
    assert_eq!(repository.run(&["why", "apps", "--cluster", "staging"]).code, 0);
    let json = repository.json(&["impact", "base/web.yaml"]);
    let roots: Vec<_> = json["clusters"].as_array().unwrap().iter().map(|cluster| &cluster["cluster"]).collect();
    assert_eq!(roots, ["clusters/prod", "clusters/staging"]);
    fs::remove_file(repository.0.path().join("clusters/staging/infra.yaml")).unwrap();
    repository.write("clusters/staging/extra.yaml", &node("extra", "").replace("./extra", "./base"));
    assert_eq!(repository.json(&["why", "apps", "infra"])["cluster"], "clusters/prod");
    let done = repository.run(&["why", "infra", "extra"]);
    assert!(done.code == 2 && done.err.contains("no cluster has both"), "{}", done.err);
}

#[test]
fn one_name_in_two_namespaces_is_to_be_told_apart() {
    let repository = Repository::chain(&["prod"]);
    let other = node("apps", "").replace("name: apps, namespace: flux-system", "name: apps, namespace: team");
    repository.write("clusters/prod/team.yaml", &other);
    let done = repository.run(&["impact", "apps"]);
    assert_eq!(done.code, 2);
    assert!(done.err.contains("Kustomization/team/apps --cluster clusters/prod"), "{}", done.err);
    assert_eq!(repository.run(&["impact", "flux-system/apps"]).code, 0);
}

#[test]
fn an_empty_folder_is_exit_code_2_and_broken_yaml_is_none() {
    let empty = Repository::new(&[]);
    for arguments in [["why", "apps"], ["impact", "apps"]] {
        let done = empty.run(&arguments);
        assert_eq!((done.code, done.out.as_str()), (2, ""));
        assert!(done.err.contains("no Flux Kustomization") && done.err.contains("-C"), "{}", done.err);
    }
    let repository = Repository::chain(&["prod"]);
    repository.write("infra/broken.yaml", "a: [\n");
    assert_eq!(repository.json(&["why", "apps"])["problems"][0]["rule"], "invalid-yaml");
    let json = repository.json(&["impact", "infra/broken.yaml"]);
    assert_eq!(json["clusters"][0]["built"][0]["reads"], true);
}

#[test]
fn a_folder_is_told_in_a_headline() {
    let repository = Repository::chain(&["prod"]);
    for number in 0..20 {
        repository.write(&format!("base/map-{number}.yaml"), &config_map(&format!("map-{number}")));
    }
    let out = repository.run(&["impact", "base"]).out;
    let head = out.lines().next().unwrap();
    assert!(head.contains(" more in cluster clusters/prod") && head.matches(".yaml").count() == 5, "{head}");
    assert!(repository.json(&["impact", "base"])["files"].as_array().unwrap().len() >= 20);
}
