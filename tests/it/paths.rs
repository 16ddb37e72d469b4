//! Any folder, any file, every command: how the repository is found, and what is reported of it.

use std::{collections::BTreeSet, fs, ops::Deref, path::Path};

use serde_json::Value;

use crate::support::{Done, Program, Repository, config_map, copy_folder, program, sync};

/// A Kustomization of this repository.
fn node(name: &str, path: &str, more: &str) -> String {
    format!(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: \"{name}\", namespace: flux-system}}\n\
         spec: {{interval: 1h, retryInterval: 2m, timeout: 5m, path: {path}, prune: true, \
         sourceRef: {{kind: GitRepository, name: flux-system}}{more}}}\n"
    )
}

const RELEASE: &str = "apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web, namespace: default}
spec: {interval: 1h, chartRef: {kind: OCIRepository, name: web}}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: web, namespace: default}
spec: {interval: 1h, url: 'oci://registry.example/charts/web'}
";

/// A repository, and what commands say in its folders.
struct Fleet(Repository);

impl Deref for Fleet {
    type Target = Repository;

    fn deref(&self) -> &Repository {
        &self.0
    }
}

impl Fleet {
    fn of(files: &[(&str, String)]) -> Self {
        Self(Repository::new(files))
    }

    /// Two clusters, `prod` and `staging`. In both `infra` waits for what is nowhere, and so does `x`, which `apps` applies.
    fn sample() -> Self {
        let missing = |name: &str| format!(", dependsOn: [{{name: {name}}}]");
        let fleet = Self::of(&[
            ("apps/kustomization.yaml", "resources: [x/ks.yaml, ../base]\n".to_owned()),
            ("apps/x/ks.yaml", node("x", "./apps/x/app", &missing("nowhere-x"))),
            ("apps/x/app/settings.yaml", config_map("x")),
            ("base/kustomization.yaml", "resources: [web.yaml]\n".to_owned()),
            ("base/web.yaml", RELEASE.to_owned()),
            ("infra/settings.yaml", config_map("infra")),
            ("docs/README.md", "nothing of Flux\n".to_owned()),
        ]);
        for cluster in ["prod", "staging"] {
            let file = |name: &str| format!("clusters/{cluster}/{name}");
            let (path, text) = sync(cluster);
            fleet.write(&path, text);
            fleet.write(&file("apps.yaml"), node("apps", "./apps", ""));
            fleet.write(&file("infra.yaml"), node("infra", "./infra", &missing("nowhere-infra")));
        }
        fleet
    }

    /// Runs the program in a folder of it.
    fn run(&self, folder: &str, arguments: &[&str]) -> Done {
        self.run_in(folder, arguments)
    }

    fn json(&self, folder: &str, arguments: &[&str]) -> Value {
        let done = self.run(folder, &[&arguments[..1], &["-o", "json"], &arguments[1..]].concat());
        assert!(done.code < 2, "{arguments:?}: {}", done.err);
        done.json()
    }

    /// Rules and names of what `lint` reports.
    fn found(&self, folder: &str, arguments: &[&str]) -> BTreeSet<String> {
        let json = self.json(folder, &[&["lint", "--exit-zero"], arguments].concat());
        let findings = json["findings"].as_array().unwrap();
        findings.iter().map(|it| format!("{} {}", it["rule"], it["subject"]["name"]).replace('"', "")).collect()
    }

    /// Names of what `list` has of each cluster.
    fn listed(&self, folder: &str, arguments: &[&str]) -> Vec<(String, Vec<String>)> {
        let json = self.json(folder, &[&["list"], arguments].concat());
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let names = |cluster: &Value| -> Vec<String> {
            cluster["nodes"].as_array().unwrap().iter().map(|it| text(&it["node"]["name"])).collect()
        };
        json["clusters"].as_array().unwrap().iter().map(|it| (text(&it["cluster"]), names(it))).collect()
    }
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

const WHOLE: [&str; 2] = ["dangling-dependency infra", "dangling-dependency x"];

#[test]
fn the_repository_is_found_from_every_folder_with_and_without_git() {
    let fleet = Fleet::sample();
    let whole = fleet.found("", &[]);
    assert_eq!(whole, set(&WHOLE));
    for git in [false, true] {
        if git {
            fs::create_dir(fleet.path(".git")).unwrap();
        }
        for folder in ["apps/x/app", "base", "infra", "docs", "clusters/staging/flux-system", "clusters"] {
            let done = fleet.run(folder, &["lint", "--exit-zero"]);
            assert_eq!((done.code, done.err.as_str()), (0, ""), "{folder}, git {git}");
            // The model is that of the whole repository: the same names are known everywhere.
            let names = fleet.run(folder, &["why", "infra", "--cluster", "staging", "-q"]);
            assert_eq!(names.code, 0, "{folder}: {}", names.err);
        }
        assert_eq!(fleet.found("clusters", &[]), whole);
    }
}

#[test]
fn a_folder_narrows_to_what_it_defines_contains_or_is_read_by() {
    let fleet = Fleet::sample();
    assert_eq!(fleet.found("apps", &[]), set(&["dangling-dependency x"]));
    assert_eq!(fleet.found("infra", &[]), set(&["dangling-dependency infra"]));
    assert_eq!(fleet.found("", &["apps/x"]), fleet.found("apps/x", &["."]));
    let relations = |arguments: &[&str]| {
        let json = fleet.json("", &[&["list"], arguments].concat());
        let nodes = json["clusters"][0]["nodes"].as_array().unwrap();
        nodes.iter().map(|it| format!("{} {}", it["node"]["name"], it["relation"]).replace('"', "")).collect::<Vec<_>>()
    };
    assert_eq!(relations(&["apps/x"]), ["apps read-by", "x defines"]);
    assert_eq!(relations(&["apps"]), ["apps contains", "x defines", "web contains"]);
    assert_eq!(relations(&["base"]), ["apps read-by", "web defines"]);
    assert_eq!(relations(&["apps/x/app"]), ["x contains"]);
    assert_eq!(relations(&["clusters/prod"]), ["apps null", "flux-system null", "infra null", "x null", "web null"]);
    let note = fleet.run("", &["list", "apps/x"]).err;
    assert_eq!(note, "note: narrowed to 4 Kustomizations that apps/x defines (2) and that read it (2)\n");
    assert_eq!(fleet.run("", &["list", "apps/x", "-q"]).err, "");
    let summary = fleet.run("", &["lint", "apps/x"]).out;
    let expected = "found 1 error in 2 clusters, 4 nodes (narrowed to 4 Kustomizations that apps/x defines (2) and that read it (2)";
    assert!(summary.contains(expected), "{summary}");
}

#[test]
fn a_file_narrows_like_a_folder() {
    let fleet = Fleet::sample();
    assert_eq!(fleet.found("", &["apps/x/ks.yaml"]), set(&["dangling-dependency x"]));
    assert_eq!(fleet.found("apps/x", &["ks.yaml"]), set(&["dangling-dependency x"]));
    assert_eq!(fleet.found("", &["clusters/prod/apps.yaml"]), set(&[]));
    let only = |path: &str| fleet.listed("", &[path]);
    assert_eq!(only("base/web.yaml")[1], ("clusters/staging".to_owned(), vec!["apps".to_owned(), "web".to_owned()]));
    let prod = only("clusters/prod/apps.yaml");
    assert_eq!(prod, [("clusters/prod".to_owned(), vec!["apps".to_owned(), "flux-system".to_owned()])]);
    // The file of the one entry point stands for its cluster, as its folder does.
    let (entry, folder) = (only("clusters/prod/flux-system/gotk-sync.yaml"), only("clusters/prod"));
    assert!(entry == folder && entry.len() == 1 && entry[0].1.len() == 5, "{entry:?}");
    // An entry point and something else: all of the one, and what the other has to do with.
    let both = fleet.listed("", &["clusters/prod", "infra/settings.yaml"]);
    assert_eq!((both[0].1.len(), both[1].1.clone()), (5, vec!["infra".to_owned()]));
}

#[test]
fn a_narrowed_run_says_nothing_that_the_whole_does_not() {
    let fleet = Fleet::sample();
    let prints = |arguments: &[&str]| -> BTreeSet<String> {
        let json =
            fleet.json("", &[&["lint", "--min-severity", "info", "--min-confidence", "low"], arguments].concat());
        json["findings"].as_array().unwrap().iter().map(|it| it["fingerprint"].to_string()).collect()
    };
    let whole = prints(&[]);
    let mut together = BTreeSet::new();
    for path in ["apps", "infra", "apps/x/ks.yaml", "clusters/prod/infra.yaml"] {
        let part = prints(&[path]);
        assert!(!part.is_empty() && part.is_subset(&whole), "{path}: {part:?}");
        together.extend(part);
    }
    assert!(together.len() > 1);
}

#[test]
fn every_command_takes_a_folder_or_a_file_and_goes_where_it_is_told() {
    let fleet = Fleet::sample();
    let commands: [&[&str]; 9] = [
        &["lint", "--exit-zero"],
        &["timeline"],
        &["list"],
        &["why", "apps", "--cluster", "prod"],
        &["impact", "apps", "--"],
        &["what-if", "--fail", "apps", "--cluster", "prod"],
        &["render", "apps", "--cluster", "prod"],
        &["init", "--stdout"],
        &["config", "show"],
    ];
    for command in commands {
        for path in ["./apps", "apps/x/ks.yaml", "clusters/prod", "./docs"] {
            let done = fleet.run("", &[command, &[path]].concat());
            assert_eq!(done.code, 0, "{command:?} {path}: {}", done.err);
        }
        for folder in ["apps", "apps/x/app", "clusters/prod/flux-system", "base"] {
            let (here, there) = (fleet.run(folder, command), fleet.run("", &[&["-C", folder], command].concat()));
            assert_eq!((here.code, &here.err), (0, &there.err), "{command:?} in {folder}");
            assert_eq!(here.out, there.out, "{command:?} in {folder}");
        }
    }
    // Each -C counts from the one before.
    assert_eq!(fleet.run("", &["-C", "apps", "-C", "x", "list"]).out, fleet.run("apps/x", &["list"]).out);
    for (folder, text) in [("nowhere", "go to the folder nowhere"), ("apps/x/ks.yaml", "PATH of the command")] {
        let done = fleet.run("", &["list", "-C", folder]);
        assert!(done.code == 2 && done.err.contains(text), "{}", done.err);
    }
}

#[test]
fn what_is_not_there_or_has_nothing_of_flux_around_it_is_exit_code_2() {
    let fleet = Fleet::sample();
    let empty = Fleet::of(&[("web.yaml", config_map("web"))]);
    let elsewhere = empty.path("web.yaml");
    let root = Path::new("/").canonicalize().unwrap();
    for command in ["lint", "list", "timeline", "what-if"] {
        let typo = fleet.run("", &[command, "aps"]);
        assert!(typo.code == 2 && typo.err.contains("no such file or folder: aps"), "{command}: {}", typo.err);
        for path in [empty.path(""), elsewhere.clone()] {
            let done = fleet.run("", &[command, path.to_str().unwrap()]);
            assert_eq!((done.code, done.out.as_str()), (2, ""), "{command} {}", path.display());
            assert!(done.err.contains("no Flux Kustomization"), "{command}: {}", done.err);
        }
        let top = fleet.run("", &[command, root.to_str().unwrap()]);
        assert!(top.code == 2 && top.err.contains("root of the file system"), "{command}: {}", top.err);
    }
    assert_eq!(empty.run("", &["lint", "--allow-empty"]).code, 0);
}

#[test]
fn a_path_of_the_repository_without_a_part_in_it_is_no_error() {
    let fleet = Fleet::sample();
    fleet.write("apps/broken.yaml", "a: [\n");
    for path in ["docs", "docs/README.md"] {
        let done = fleet.run("", &["lint", path]);
        let line = format!(
            "no cluster was looked at: narrowed to nothing: {path} defines and contains no Kustomization, and none reads it\n"
        );
        assert_eq!((done.code, done.out, done.err.as_str()), (0, line, ""));
        let list = fleet.run("", &["list", path]);
        assert!(list.code == 0 && list.out.is_empty() && list.err.contains("narrowed to nothing"), "{}", list.err);
    }
    // Nothing lists the broken file, so it is reported for itself.
    assert_eq!(fleet.run("", &["lint", "apps/broken.yaml"]).code, 0);
    fleet.write("apps/kustomization.yaml", "resources: [x/ks.yaml, broken.yaml]\n");
    let done = fleet.run("apps", &["lint", "broken.yaml", "-o", "concise"]);
    assert!(done.code == 1 && done.out.contains("apps/broken.yaml:"), "{}{}", done.out, done.err);
}

#[cfg(unix)]
#[test]
fn a_link_stands_for_what_it_leads_to() {
    let fleet = Fleet::sample();
    let outside = Fleet::of(&[]);
    std::os::unix::fs::symlink(fleet.path("apps/x"), outside.path("link")).unwrap();
    std::os::unix::fs::symlink("nowhere", outside.path("dangling")).unwrap();
    assert_eq!(outside.found("", &["link"]), set(&["dangling-dependency x"]));
    assert_eq!(outside.run("", &["lint", "dangling"]).code, 2);
}

#[test]
fn two_repositories_are_not_one() {
    let (one, other) = (Fleet::sample(), Fleet::sample());
    for git in [false, true] {
        if git {
            fs::create_dir(one.path(".git")).unwrap();
            fs::create_dir(other.path(".git")).unwrap();
            let paths = [one.path("apps"), other.path("apps")];
            let done = one.run("", &["lint", paths[0].to_str().unwrap(), paths[1].to_str().unwrap()]);
            assert!(done.code == 2 && done.err.contains("different repositories"), "{}", done.err);
            assert!(done.err.contains("a run of its own"), "{}", done.err);
        }
        // Another one may be named from anywhere.
        assert_eq!(one.found("", &[other.path("apps").to_str().unwrap()]), set(&["dangling-dependency x"]));
    }
    let outside = one.run("", &["lint", other.path("apps").to_str().unwrap(), "--root", "."]);
    assert!(outside.code == 2 && outside.err.contains("is not below the root"), "{}", outside.err);
}

#[test]
fn bases_without_an_entry_point_are_told_in_one_line() {
    let files =
        [("base/web.yaml", RELEASE.to_owned()), ("base/kustomization.yaml", "resources: [web.yaml]".to_owned())];
    let bases = Fleet::of(&files);
    let line = "no entry point reaches what there is of Flux: 1 HelmRelease, 1 OCIRepository";
    let done = bases.run("", &["lint"]);
    assert_eq!((done.code, done.out, done.err), (0, format!("no cluster was looked at: {line}\n"), String::new()));
    for command in ["timeline", "list"] {
        let done = bases.run("base", &[command]);
        assert_eq!((done.code, done.out.as_str(), done.err), (0, "", format!("note: {line}\n")), "{command}");
    }
    let json = bases.json("", &["list"]);
    assert_eq!(json["clusters"], serde_json::json!([]));
    // Elsewhere in a repository that is marked as one, by Git or by its configuration.
    bases.write("docs/README.md", "x");
    assert_eq!(bases.run("docs", &["lint"]).code, 2);
    bases.write("fluxdag.toml", "");
    assert_eq!(bases.run("docs", &["lint"]).code, 0);
}

#[test]
fn a_configuration_file_marks_the_repository_without_git() {
    let fleet = Fleet::sample();
    let nested = Fleet::of(&[("fluxdag.toml", "root = \"fleet\"\n".to_owned())]);
    copy_folder(&fleet.path(""), &nested.path("fleet"));
    nested.write("handbook/README.md", "x");
    assert_eq!(nested.found("fleet/apps", &[]), set(&["dangling-dependency x"]));
    assert_eq!(nested.found("", &[]), set(&WHOLE));
    let beside = nested.run("handbook", &["lint"]);
    assert!(beside.code == 2 && beside.err.contains("is not below the root"), "{}", beside.err);
    // Without a root in it, the nearest folder that tells one is taken.
    nested.write("fluxdag.toml", "");
    let beside = nested.run("handbook", &["lint"]);
    assert_eq!(beside.code, 0, "{}", beside.err);
    assert!(beside.out.contains("lies beside the artifact root"), "{}", beside.out);
}

#[test]
fn a_cluster_whose_path_does_not_exist_has_no_timeline() {
    let instance = "apiVersion: fluxcd.controlplane.io/v1\nkind: FluxInstance\nmetadata: {name: flux, namespace: flux-system}\n\
                    spec: {distribution: {version: 2.x, registry: ghcr.io/fluxcd}, sync: {kind: GitRepository, url: \
                    'https://example.com/x.git', ref: refs/heads/main, path: clusters/nowhere}}\n";
    let fleet = Fleet::sample();
    fleet.write("instances/nowhere.yaml", instance);
    let done = fleet.run("", &["timeline"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.out.contains("in cluster clusters/prod") && !done.out.contains("clusters/nowhere"), "{}", done.out);
    assert_eq!(done.err, "note: cluster clusters/nowhere is left out: its path does not exist\n");
    assert!(fleet.listed("", &[]).iter().any(|(root, _)| root == "clusters/nowhere"));
}

#[test]
fn a_path_behind_a_name_says_which_cluster_is_meant() {
    let fleet = Fleet::sample();
    let cluster = |arguments: &[&str]| fleet.json("", arguments)["clusters"][0]["cluster"].as_str().unwrap().to_owned();
    assert_eq!(fleet.run("", &["why", "apps"]).code, 2);
    assert_eq!(cluster(&["why", "apps", "clusters/prod"]), "clusters/prod");
    assert_eq!(cluster(&["why", "apps", "./clusters/staging"]), "clusters/staging");
    assert_eq!(cluster(&["why", "apps", "infra", "clusters/prod"]), "clusters/prod");
    assert_eq!(cluster(&["why", "apps", "--", "clusters/prod"]), "clusters/prod");
    // A word without a slash is a name first, and a folder where no object has it.
    assert_eq!(cluster(&["why", "apps", "clusters", "--cluster", "prod"]), "clusters/prod");
    assert_eq!(cluster(&["what-if", "--fail", "apps", "clusters/prod"]), "clusters/prod");
    let from_there = fleet.run("clusters/prod", &["why", "apps", "-o", "json"]);
    assert!(from_there.code == 0 && from_there.out.contains("\"cluster\": \"clusters/prod\""), "{}", from_there.err);
    let impact = fleet.json("", &["impact", "apps", "--", "clusters/prod"]);
    assert_eq!(impact["clusters"].as_array().unwrap().len(), 1);
    // A bare word is a name, though there is a folder of that name.
    let two = fleet.json("", &["why", "apps", "infra", "--cluster", "prod"]);
    assert_eq!(two["clusters"][0]["on"]["name"], "infra");
    let docs = |path: &str| {
        let done = fleet.run("", &["why", "apps", path, "--cluster", "prod"]);
        (done.code, done.out)
    };
    assert_eq!(docs("docs"), docs("./docs"));
    let many = fleet.run("", &["why", "apps", "infra", "x"]);
    assert!(many.code == 2 && many.err.contains("`x` is one name too many"), "{}", many.err);
}

#[test]
fn files_that_are_asked_about_say_where_the_repository_is() {
    let (fleet, elsewhere) = (Fleet::sample(), Fleet::of(&[]));
    let file = fleet.path("base/web.yaml");
    let json = elsewhere.json("", &["impact", file.to_str().unwrap()]);
    assert_eq!(json["clusters"].as_array().unwrap().len(), 2);
    // It narrows nothing: what is in the folder of one cluster may matter to another.
    let json = fleet.json("clusters/prod", &["impact", "./apps.yaml"]);
    assert_eq!(json["clusters"].as_array().unwrap().len(), 1);
    let commit = fleet.run("base", &["timeline", "--commit", "web.yaml"]);
    assert!(commit.code == 0 && commit.out.contains("apps"), "{}{}", commit.out, commit.err);
}

#[test]
fn a_folder_is_built_from_wherever_one_stands() {
    let (fleet, nested) = (Fleet::sample(), Fleet::of(&[("docs/README.md", "x".to_owned())]));
    copy_folder(&fleet.path(""), &nested.path("fleet"));
    let expected = fleet.run("", &["render", "--path", "apps"]);
    assert!(expected.code == 0 && expected.out.contains("kind: HelmRelease"), "{}", expected.err);
    for git in [false, true] {
        if git {
            fs::create_dir(nested.path(".git")).unwrap();
        }
        for (folder, path) in [("", "fleet/apps"), ("fleet/apps", "."), ("docs", "../fleet/apps"), ("fleet", "apps")] {
            let done = nested.run(folder, &["render", "--path", path]);
            assert_eq!((done.code, &done.out), (0, &expected.out), "{path} from {folder:?}: {}", done.err);
        }
    }
}

#[test]
fn a_difference_is_narrowed_too() {
    let fleet = Fleet::sample();
    fleet.git(&["init", "--quiet", "--initial-branch=main"]);
    fleet.commit("one");
    for cluster in ["prod", "staging"] {
        fleet.write(&format!("clusters/{cluster}/infra.yaml"), node("infra", "./infra", ", wait: true"));
    }
    fleet.write("apps/x/ks.yaml", node("x", "./apps/x/app", ", wait: true, dependsOn: [{name: nowhere-y}]"));
    let changed = |folder: &str, arguments: &[&str]| {
        let json = fleet.json(folder, &[&["diff"], arguments].concat());
        let clusters = json["clusters"].as_array().unwrap();
        let gates = clusters.iter().flat_map(|it| it["gates"].as_array().unwrap());
        let gates: BTreeSet<String> = gates.map(|it| it["node"]["name"].as_str().unwrap().to_owned()).collect();
        let new = json["new_findings"].as_array().unwrap().len();
        let files: Vec<String> = json["touched_files"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["path"].as_str().unwrap().to_owned())
            .collect();
        (gates, new, files.len())
    };
    assert_eq!(changed("", &["HEAD"]), (set(&["infra", "x"]), 1, 3));
    for arguments in [&["HEAD", "--", "apps"][..], &["HEAD", "apps"], &["HEAD", "./apps/x"]] {
        assert_eq!(changed("", arguments), (set(&["x"]), 1, 1), "{arguments:?}");
    }
    assert_eq!(changed("apps", &["HEAD"]), (set(&["x"]), 1, 1));
    assert_eq!(changed("infra", &["HEAD"]), (set(&["infra"]), 0, 0));
    assert_eq!(changed("", &["HEAD", "clusters/prod"]), (set(&["infra", "x"]), 1, 3));
    assert_eq!(fleet.run("", &["diff", "HEAD", "aps"]).code, 2);
    let since = fleet.found("apps", &["--since", "HEAD"]);
    assert_eq!(since, set(&["dangling-dependency x"]));
    assert_eq!(fleet.run("infra", &["lint", "--since", "HEAD"]).code, 0);
    // A folder that is new is compared with a repository that has no such folder, not with no repository.
    fleet.write("apps/y/ks.yaml", node("y", "./infra", ""));
    fleet.write("apps/kustomization.yaml", "resources: [x/ks.yaml, y/ks.yaml, ../base]\n");
    let json = fleet.json("", &["diff", "HEAD", "--", "apps/y"]);
    let nodes = json["clusters"][0]["nodes"].as_array().unwrap();
    assert!(json["clusters"][0]["change"].is_null(), "{json}");
    assert!(nodes.iter().any(|it| it["node"]["name"] == "y" && it["change"] == "added"), "{json}");
    assert_eq!(fleet.run("", &["diff", "HEAD", "--", "apps/z"]).code, 2);
}

#[test]
fn what_there_is_is_listed_with_its_state() {
    let fleet = Fleet::sample();
    fleet.write("clusters/prod/paused.yaml", node("paused", "./infra", ", suspend: true"));
    let loops = node("one", "./infra", ", dependsOn: [{name: two}]")
        + "---\n"
        + &node("two", "./infra", ", dependsOn: [{name: one}]");
    fleet.write("clusters/prod/loop.yaml", &loops);
    let json = fleet.json("", &["list", "clusters/prod"]);
    assert_eq!((&json["schema_version"], &json["command"]), (&2.into(), &"list".into()));
    assert_eq!(json["tool"]["name"], "fluxdag");
    let cluster = &json["clusters"][0];
    assert_eq!(cluster["cluster"], "clusters/prod");
    let of = |name: &str| cluster["nodes"].as_array().unwrap().iter().find(|it| it["node"]["name"] == name).unwrap();
    let apps = of("apps");
    assert_eq!(apps["node"], serde_json::json!({"kind": "Kustomization", "namespace": "flux-system", "name": "apps"}));
    assert_eq!((&apps["state"], &apps["path"], &apps["obstacle"]), (&"ready".into(), &"./apps".into(), &Value::Null));
    assert_eq!(apps["location"]["path"], "clusters/prod/apps.yaml");
    assert_eq!(apps["location"]["start"], serde_json::json!({"line": 3, "column": 18}));
    assert_eq!(apps["applied_by"][0]["name"], "flux-system");
    let ready = &apps["ready"];
    let of_ready = |key: &str| ready[key].as_u64().unwrap();
    assert!(of_ready("low_s") <= of_ready("typical_s") && of_ready("typical_s") > 0, "{ready}");
    let web = of("web");
    assert_eq!((&web["chart"], &web["path"]), (&"web".into(), &Value::Null));
    assert_eq!((&of("paused")["state"], &of("paused")["ready"]), (&"suspended".into(), &Value::Null));
    assert_eq!(of("one")["state"], "never");
    let obstacle = &of("one")["obstacle"];
    assert_eq!(obstacle["cause"], "deadlock");
    assert!(obstacle["message"].as_str().unwrap().contains("waits for itself"), "{obstacle}");
    assert_eq!(obstacle["location"]["path"], "clusters/prod/loop.yaml");
    let text = fleet.run("", &["list", "clusters/prod"]).out;
    assert!(text.starts_with("7 Kustomizations and 1 HelmRelease in cluster clusters/prod\n\n"), "{text}");
    assert!(text.contains("1 suspended, 4 never Ready.\n"), "{text}");
    assert!(text.lines().any(|line| line.starts_with("Never") && line.contains("ks/flux-system/one")), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
}

#[test]
fn names_are_for_shells_and_hostile_ones_are_left_out() {
    let fleet = Fleet::sample();
    fleet.write("apps/x/ks.yaml", &(node("$(reboot)", "./infra", "") + "---\n" + &node("a b", "./infra", "")));
    let names = fleet.run("apps", &["list", "..", "-o", "names"]);
    assert_eq!((names.code, names.err.as_str()), (0, ""));
    let expected = [
        "HelmRelease/default/web",
        "Kustomization/flux-system/apps",
        "Kustomization/flux-system/flux-system",
        "Kustomization/flux-system/infra",
    ];
    assert_eq!(names.out.lines().collect::<Vec<_>>(), expected);
    for name in names.out.lines() {
        assert_eq!(fleet.run("", &["why", name, "clusters/prod"]).code, 0, "{name}");
    }
    let text = fleet.run("", &["list"]).out;
    assert!(text.contains("$(reboot)"), "{text}");
    let offered = Program::of(program(), fleet.path("apps"), &["--", "fluxdag", "why", ""]);
    let offered =
        offered.env("FLUXDAG_COMPLETE", "bash").env("_CLAP_IFS", "\n").env("_CLAP_COMPLETE_INDEX", "2").run().out;
    let offered: Vec<&str> = offered.lines().filter(|line| !line.starts_with('-')).collect();
    assert_eq!(offered, ["apps", "flux-system", "infra", "web"]);
}
