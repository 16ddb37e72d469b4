//! The configuration file as the program finds it, heeds it, and complains of it; and the folders it maps.

use std::fs;

use fluxdag::{Options, config::Config, lint};

use crate::support::{Program, Repository};

fn fixture() -> Repository {
    Repository::fixture("mapped-sources")
}

#[test]
fn what_is_mapped_is_built_and_its_faults_are_located() {
    let fixture = fixture();
    let done = fixture.lint(&[]);
    let lines: Vec<&str> = done.out.lines().collect();
    assert_eq!((done.code, lines.len()), (1, 2), "{}{}", done.out, done.err);
    assert!(lines[0].starts_with("vendor/base/redis/release.yaml:9:"), "{}", done.out);
    assert!(lines[1].starts_with("vendor/platform/deploy/release.yaml:9:"), "{}", done.out);
    assert!(!fixture.lint(&["-v"]).err.contains("not resolved"));
    // The shape of the run does not matter.
    assert_eq!(fixture.lint_in("clusters/prod", &[]).out, done.out);
    assert_eq!(fixture.lint(&["clusters/prod", "--threads", "1"]).out, done.out);
}

#[test]
fn without_the_file_what_is_mapped_is_unresolved() {
    let fixture = fixture();
    let done = fixture.lint(&["--no-config", "-v"]);
    assert_eq!((done.code, done.out.as_str()), (0, ""), "{}", done.err);
    assert!(done.err.contains("remote base https://github.com/example/base//redis?ref=v1"), "{}", done.err);
    assert!(done.err.contains("is another repository (github.com/example/platform)"), "{}", done.err);
}

#[test]
fn a_folder_outside_the_repository_needs_a_file_the_user_names() {
    let fixture = fixture();
    fs::create_dir(fixture.path("fleet")).expect("created");
    for name in ["clusters", "apps", "fluxdag.toml"] {
        fs::rename(fixture.path(name), fixture.path("fleet").join(name)).expect("moved");
    }
    let text = fixture.read("fleet/fluxdag.toml");
    fixture.write("fleet/fluxdag.toml", text.replace("vendor/", "../vendor/"));
    let found = fixture.lint_in("fleet", &[]);
    assert_eq!((found.code, found.out.as_str()), (2, ""));
    assert!(found.err.contains("fluxdag.toml:4:8: `../vendor/base` lies outside the repository"), "{}", found.err);
    let done = fixture.lint_in("fleet", &["--config", "fluxdag.toml"]);
    let lines: Vec<&str> = done.out.lines().collect();
    assert_eq!(lines.len(), 2, "{}{}", done.out, done.err);
    assert!(lines[0].starts_with("../vendor/base/redis/release.yaml:9:"), "{}", done.out);
    assert!(lines[1].starts_with("../vendor/platform/deploy/release.yaml:9:"), "{}", done.out);
    assert_eq!(fixture.lint_in("fleet/clusters/prod", &["--config", "../../fluxdag.toml"]).out, done.out);
}

#[test]
fn what_a_mapping_lacks_is_an_error_that_names_it() {
    let fixture = fixture();
    fs::remove_dir_all(fixture.path("vendor/base/redis")).expect("removed");
    fs::rename(fixture.path("vendor/platform/deploy"), fixture.path("vendor/platform/moved")).expect("moved");
    let done = fixture.lint(&[]);
    let base =
        "`https://github.com/example/base//redis?ref=v1` is mapped to the folder `vendor/base`, which holds no `redis`";
    assert!(done.out.contains("apps/kustomization.yaml:4:") && done.out.contains(base), "{}", done.out);
    assert!(done.out.contains("clusters/prod/platform.yaml:"), "{}", done.out);
    assert!(done.out.contains("does not exist in `vendor/platform`, which its source is mapped to"), "{}", done.out);
    // Another revision is not what is mapped.
    let kustomization = fixture.read("apps/kustomization.yaml");
    fixture.write("apps/kustomization.yaml", kustomization.replace("ref=v1", "ref=v3"));
    let done = fixture.lint(&["-v"]);
    assert!(
        !done.out.contains("apps/kustomization.yaml") && done.err.contains("remote base"),
        "{}{}",
        done.out,
        done.err
    );
}

#[test]
fn a_mapped_base_stays_within_its_folder() {
    let fixture = fixture();
    let base = "resources:\n  - ../../../apps\n  - release.yaml\n";
    fixture.write("vendor/base/redis/kustomization.yaml", base);
    let done = fixture.lint(&[]);
    assert!(done.out.contains("vendor/base/redis/kustomization.yaml:2:"), "{}", done.out);
    assert!(done.out.contains("leads out of the source's artifact"), "{}", done.out);
    // A base that uses itself by its own URL ends as a loop, not as a hang.
    fixture.write("vendor/base/redis/kustomization.yaml", "resources:\n  - github.com/example/base//redis?ref=v1\n");
    let done = fixture.lint(&[]);
    assert!(
        done.out.contains("cycle of bases") && done.out.contains("`github.com/example/base?ref=v1//redis`"),
        "{}",
        done.out
    );
}

#[test]
fn a_mapping_of_a_host_does_not_take_the_repository_for_another() {
    let fixture = fixture();
    let done = fixture.lint(&[]);
    let text = fixture.read("fluxdag.toml");
    let host = "\n[[sources]]\nurl = \"https://example.org\"\npath = \"vendor\"\n";
    assert_eq!(fixture.write("fluxdag.toml", format!("{text}{host}")).lint(&[]).out, done.out);
}

#[test]
fn a_bucket_a_raw_file_and_a_component_are_mapped_too() {
    let fixture = fixture();
    let text = fixture.read("clusters/prod/platform.yaml");
    let bucket = text.replace("kind: GitRepository", "kind: Bucket").replace(
        "  url: ssh://git@github.com/example/platform.git",
        "  endpoint: s3.example.com\n  bucketName: platform",
    );
    let bucket = bucket.replacen("  ref:\n    tag: v2\n", "", 1);
    fixture.write("clusters/prod/platform.yaml", &bucket);
    fixture.write(
        "apps/kustomization.yaml",
        "resources:\n  - https://raw.githubusercontent.com/example/base/v1/redis/release.yaml\ncomponents:\n  \
         - git@github.com:example/base.git//component?ref=v1\n",
    );
    fixture.write(
        "vendor/base/component/kustomization.yaml",
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [../common]\n",
    );
    let config = fixture.read("fluxdag.toml");
    fixture.write(
        "fluxdag.toml",
        config.replace("https://github.com/example/platform", "https://s3.example.com/platform"),
    );
    let done = fixture.lint(&["-v"]);
    assert_eq!(done.out.lines().count(), 2, "{}{}", done.out, done.err);
    assert!(!done.err.contains("not resolved"), "{}", done.err);
}

#[cfg(unix)]
#[test]
fn links_in_a_mapped_folder_are_not_followed() {
    let fixture = fixture();
    let outside = Repository::new(&[("secret.yaml", "kind: Secret\nmetadata: {name: outside}\n")]);
    std::os::unix::fs::symlink(outside.path("secret.yaml"), fixture.path("vendor/platform/deploy/x.yaml"))
        .expect("linked");
    std::os::unix::fs::symlink(outside.path(""), fixture.path("vendor/platform/deploy/all")).expect("linked");
    let options = options(&fixture);
    let analysis = fixture.analyse(&options);
    assert!(analysis.tree.all_files().all(|file| !analysis.tree.path(file).contains("secret")));
    assert_eq!(fixture.lint(&[]).out.lines().count(), 2);
}

#[test]
fn mapped_files_are_no_part_of_the_repository() {
    let fixture = fixture();
    let analysis = fixture.analyse(&options(&fixture));
    let (own, all) = (analysis.tree.files(), analysis.tree.all_files());
    let is_vendored = |file| analysis.tree.path(file).starts_with("vendor/");
    assert!(!own.into_iter().any(is_vendored));
    assert_eq!(all.filter(|file| is_vendored(*file)).count(), 5);
    // The repository itself may be mapped too: then its files are known once.
    fixture.write("fluxdag.toml", "[[sources]]\nurl = \"https://github.com/example/platform\"\npath = \".\"\n");
    let analysis = lint(&[fixture.path("clusters/prod")], &options(&fixture)).expect("an analysis");
    let mut paths: Vec<&str> = analysis.tree.all_files().map(|file| analysis.tree.path(file)).collect();
    let count = paths.len();
    paths.sort_unstable();
    paths.dedup();
    assert_eq!((paths.len(), analysis.tree.files().count()), (count, count));
}

fn options(repository: &Repository) -> Options {
    let (text, path) = (repository.read("fluxdag.toml"), repository.path("fluxdag.toml"));
    let config = Config::parse(&text, &path, None).expect("valid");
    Options { sources: config.sources, ..Options::default() }
}

#[test]
fn a_fault_of_the_file_is_exit_code_2_with_its_place() {
    let fixture = fixture();
    let done = fixture.write("fluxdag.toml", "\nmax_path = \"10m\"\n").lint(&[]);
    assert_eq!((done.code, done.out.as_str()), (2, ""));
    assert!(done.err.contains("error: fluxdag.toml:2:1: unknown key `max_path`"), "{}", done.err);
    assert!(done.err.contains("did you mean `max-path`?"), "{}", done.err);
    assert_eq!(fixture.lint(&["--no-config"]).code, 0);
    let done = fixture.write("fluxdag.toml", "").write(".fluxdag.toml", "").lint(&[]);
    assert!(done.code == 2 && done.err.contains("lie side by side"), "{}", done.err);
    let done = fixture.lint(&["--config", "nowhere.toml"]);
    assert!(done.code == 2 && done.err.contains("nowhere.toml") && done.err.contains("help: "), "{}", done.err);
    assert_eq!(fixture.lint(&["--config", "fluxdag.toml", "--no-config"]).code, 2);
}

#[test]
fn flag_environment_and_file_take_precedence_in_this_order() {
    let fixture = fixture();
    fixture
        .write("fluxdag.toml", "fail-on = \"never\"\nmax-path = \"1s\"\n")
        .write("env.toml", "")
        .write("flag.toml", "x = 1");
    let file = fixture.lint(&[]);
    assert!(file.code == 0 && file.out.contains("long-critical-path"), "{}{}", file.out, file.err);
    assert!(fixture.lint(&["--max-path", "10h"]).out.is_empty());
    let reported = |arguments: &[&str], config: &str| {
        let arguments = [&["lint", "-o", "concise"], arguments].concat();
        Program::new(fixture.folder(), &arguments).env("FLUXDAG_CONFIG", config).run()
    };
    assert!(reported(&[], "env.toml").out.is_empty());
    let flag = reported(&["--config", "flag.toml"], "env.toml");
    assert!(flag.code == 2 && flag.err.contains("flag.toml:1:1: unknown key `x`"), "{}", flag.err);
    assert!(reported(&["--no-config"], "flag.toml").out.is_empty());
}

#[test]
fn the_search_ends_at_the_repository() {
    let fixture = fixture();
    fixture.remove("fluxdag.toml");
    fs::create_dir(fixture.path("fleet")).expect("created");
    for name in ["clusters", "apps"] {
        fs::rename(fixture.path(name), fixture.path("fleet").join(name)).expect("moved");
    }
    fixture.write("fluxdag.toml", "nonsense = 1");
    // Without Git the file itself marks the repository.
    assert_eq!(fixture.lint_in("fleet/clusters/prod", &[]).code, 2);
    fs::create_dir(fixture.path("fleet/.git")).expect("created");
    assert_eq!(fixture.lint_in("fleet/clusters/prod", &[]).code, 0);
    fixture.write("fleet/fluxdag.toml", "nonsense = 1");
    assert_eq!(fixture.lint_in("fleet/clusters/prod", &[]).code, 2);
}

#[test]
fn root_and_version_come_from_the_file() {
    let fixture = fixture();
    let base = fixture.read("fluxdag.toml");
    fixture.write("fluxdag.toml", format!("root = \".\"\nflux-version = \"2.7\"\n{base}"));
    let done = fixture.lint_in("clusters", &["-v"]);
    assert!(done.err.contains("Flux 2.7"), "{}", done.err);
    assert!(done.err.contains("configuration "), "{}", done.err);
    fixture.write("fluxdag.toml", "root = \"vendor\"\n");
    let done = fixture.lint_in("clusters", &[]);
    assert!(done.code == 2 && done.err.contains("the root, from --root or the configuration"), "{}", done.err);
}

#[test]
fn the_profile_is_that_of_the_flag_then_of_the_file_and_durations_of_nothing_are_told() {
    let fixture = fixture();
    let base = fixture.read("fluxdag.toml");
    let durations = "[[durations]]\nchart = \"no-such-chart\"\ntypical = \"1m\"\n";
    fixture.write("fluxdag.toml", format!("profile = \"fast\"\n{base}{durations}"));
    let profile = |arguments: &[&str]| {
        let done = fixture.lint(&[&["-o", "json=out.json", "--exit-zero"], arguments].concat());
        assert_eq!(done.code, 0, "{}", done.err);
        assert!(
            done.err.contains("warning: `durations` of the configuration sets one for chart `no-such-chart`"),
            "{}",
            done.err
        );
        let json: serde_json::Value =
            serde_json::from_slice(&fs::read(fixture.path("out.json")).expect("written")).expect("JSON");
        json["profile"].as_str().expect("text").to_owned()
    };
    assert_eq!([profile(&[]), profile(&["--profile", "slow"])], ["fast", "slow"]);
    fixture.write("fluxdag.toml", format!("{base}{}", durations.replace("1m", "soon")));
    let done = fixture.lint(&[]);
    assert!(done.code == 2 && done.err.contains("`soon` is no duration"), "{}", done.err);
}
