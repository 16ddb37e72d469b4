//! The configuration file as the program finds it, heeds it, and complains of it; and the folders it maps.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use fluxdag::{Options, config::Config, lint};

/// A repository in a folder of its own.
pub(crate) struct Repository(tempfile::TempDir);

pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Repository {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("below the folder")).expect("created");
            fs::write(path, text).expect("written");
        }
        Self(folder)
    }

    fn fixture() -> Self {
        Self::of("mapped-sources")
    }

    /// A copy of a fixture.
    pub(crate) fn of(fixture: &str) -> Self {
        let top = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures")).join(fixture);
        let files = files(&top);
        Self::new(&files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect::<Vec<_>>())
    }

    /// Its files, with what they hold.
    pub(crate) fn files(&self) -> Vec<(String, String)> {
        files(self.0.path())
    }

    pub(crate) fn path(&self, path: &str) -> std::path::PathBuf {
        self.0.path().join(path)
    }

    /// The program in `folder`.
    pub(crate) fn call(&self, folder: &str, arguments: &[&str]) -> Done {
        self.call_with(folder, arguments, &[])
    }

    /// The program in `folder`, with variables of the environment.
    pub(crate) fn call_with(&self, folder: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Done {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fluxdag"));
        command.args(arguments).current_dir(self.path(folder)).env_clear();
        if let Some(root) = std::env::var_os("SystemRoot") {
            command.env("SystemRoot", root);
        }
        let output = command.envs(variables.iter().copied()).stdin(Stdio::null()).output().expect("the program starts");
        let text = |bytes| String::from_utf8(bytes).expect("the program writes text");
        Done { code: output.status.code().expect("a code"), out: text(output.stdout), err: text(output.stderr) }
    }

    pub(crate) fn write(&self, path: &str, text: &str) -> &Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("created");
        fs::write(path, text).expect("written");
        self
    }

    pub(crate) fn lint(&self, arguments: &[&str]) -> Done {
        self.run("", arguments, &[])
    }

    /// `fluxdag lint -o concise` in `folder`.
    pub(crate) fn run(&self, folder: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Done {
        self.call_with(folder, &[&["lint", "-o", "concise"], arguments].concat(), variables)
    }
}

/// The files below a folder, with what they hold.
fn files(top: &Path) -> Vec<(String, String)> {
    let entries = walkdir::WalkDir::new(top).into_iter().map(|entry| entry.expect("readable"));
    let files = entries.filter(|entry| entry.file_type().is_file()).map(|entry| {
        let path = entry.path().strip_prefix(top).expect("below").to_str().expect("text").replace('\\', "/");
        (path, fs::read_to_string(entry.path()).expect("text"))
    });
    files.collect()
}

#[test]
fn what_is_mapped_is_built_and_its_faults_are_located() {
    let fixture = Repository::fixture();
    let done = fixture.lint(&[]);
    let lines: Vec<&str> = done.out.lines().collect();
    assert_eq!((done.code, lines.len()), (1, 2), "{}{}", done.out, done.err);
    assert!(lines[0].starts_with("vendor/base/redis/release.yaml:9:"), "{}", done.out);
    assert!(lines[1].starts_with("vendor/platform/deploy/release.yaml:9:"), "{}", done.out);
    assert!(!fixture.lint(&["-v"]).err.contains("not resolved"));
    // The shape of the run does not matter.
    assert_eq!(fixture.run("clusters/prod", &[], &[]).out, done.out);
    assert_eq!(fixture.lint(&["clusters/prod", "--threads", "1"]).out, done.out);
}

#[test]
fn without_the_file_what_is_mapped_is_unresolved() {
    let fixture = Repository::fixture();
    let done = fixture.lint(&["--no-config", "-v"]);
    assert_eq!((done.code, done.out.as_str()), (0, ""), "{}", done.err);
    assert!(done.err.contains("remote base https://github.com/example/base//redis?ref=v1"), "{}", done.err);
    assert!(done.err.contains("is another repository (github.com/example/platform)"), "{}", done.err);
}

#[test]
fn a_folder_outside_the_repository_needs_a_file_the_user_names() {
    let fixture = Repository::fixture();
    fs::create_dir(fixture.path("fleet")).expect("created");
    for name in ["clusters", "apps", "fluxdag.toml"] {
        fs::rename(fixture.path(name), fixture.path("fleet").join(name)).expect("moved");
    }
    let text = fs::read_to_string(fixture.path("fleet/fluxdag.toml")).expect("text");
    fixture.write("fleet/fluxdag.toml", &text.replace("vendor/", "../vendor/"));
    let found = fixture.run("fleet", &[], &[]);
    assert_eq!((found.code, found.out.as_str()), (2, ""));
    assert!(found.err.contains("fluxdag.toml:4:8: `../vendor/base` lies outside the repository"), "{}", found.err);
    let done = fixture.run("fleet", &["--config", "fluxdag.toml"], &[]);
    let lines: Vec<&str> = done.out.lines().collect();
    assert_eq!(lines.len(), 2, "{}{}", done.out, done.err);
    assert!(lines[0].starts_with("../vendor/base/redis/release.yaml:9:"), "{}", done.out);
    assert!(lines[1].starts_with("../vendor/platform/deploy/release.yaml:9:"), "{}", done.out);
    assert_eq!(fixture.run("fleet/clusters/prod", &["--config", "../../fluxdag.toml"], &[]).out, done.out);
}

#[test]
fn what_a_mapping_lacks_is_an_error_that_names_it() {
    let fixture = Repository::fixture();
    fs::remove_dir_all(fixture.path("vendor/base/redis")).expect("removed");
    fs::rename(fixture.path("vendor/platform/deploy"), fixture.path("vendor/platform/moved")).expect("moved");
    let done = fixture.lint(&[]);
    let base =
        "`https://github.com/example/base//redis?ref=v1` is mapped to the folder `vendor/base`, which holds no `redis`";
    assert!(done.out.contains("apps/kustomization.yaml:4:") && done.out.contains(base), "{}", done.out);
    assert!(done.out.contains("clusters/prod/platform.yaml:"), "{}", done.out);
    assert!(done.out.contains("does not exist in `vendor/platform`, which its source is mapped to"), "{}", done.out);
    // Another revision is not what is mapped.
    let kustomization = fs::read_to_string(fixture.path("apps/kustomization.yaml")).expect("text");
    fixture.write("apps/kustomization.yaml", &kustomization.replace("ref=v1", "ref=v3"));
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
    let fixture = Repository::fixture();
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
    let fixture = Repository::fixture();
    let done = fixture.lint(&[]);
    let text = fs::read_to_string(fixture.path("fluxdag.toml")).expect("text");
    let host = "\n[[sources]]\nurl = \"https://example.org\"\npath = \"vendor\"\n";
    assert_eq!(fixture.write("fluxdag.toml", &format!("{text}{host}")).lint(&[]).out, done.out);
}

#[test]
fn a_bucket_a_raw_file_and_a_component_are_mapped_too() {
    let fixture = Repository::fixture();
    let text = fs::read_to_string(fixture.path("clusters/prod/platform.yaml")).expect("text");
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
    let config = fs::read_to_string(fixture.path("fluxdag.toml")).expect("text");
    fixture.write(
        "fluxdag.toml",
        &config.replace("https://github.com/example/platform", "https://s3.example.com/platform"),
    );
    let done = fixture.lint(&["-v"]);
    assert_eq!(done.out.lines().count(), 2, "{}{}", done.out, done.err);
    assert!(!done.err.contains("not resolved"), "{}", done.err);
}

#[cfg(unix)]
#[test]
fn links_in_a_mapped_folder_are_not_followed() {
    let fixture = Repository::fixture();
    let outside = Repository::new(&[("secret.yaml", "kind: Secret\nmetadata: {name: outside}\n")]);
    std::os::unix::fs::symlink(outside.path("secret.yaml"), fixture.path("vendor/platform/deploy/x.yaml"))
        .expect("linked");
    std::os::unix::fs::symlink(outside.path(""), fixture.path("vendor/platform/deploy/all")).expect("linked");
    let options = options(&fixture);
    let analysis = lint(&[fixture.path("")], &options).expect("an analysis");
    assert!(analysis.tree.all_files().all(|file| !analysis.tree.path(file).contains("secret")));
    assert_eq!(fixture.lint(&[]).out.lines().count(), 2);
}

#[test]
fn mapped_files_are_no_part_of_the_repository() {
    let fixture = Repository::fixture();
    let analysis = lint(&[fixture.path("")], &options(&fixture)).expect("an analysis");
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
    let path = repository.path("fluxdag.toml");
    let config = Config::parse(&fs::read_to_string(&path).expect("text"), &path, None).expect("valid");
    Options { sources: config.sources, ..Options::default() }
}

#[test]
fn a_fault_of_the_file_is_exit_code_2_with_its_place() {
    let fixture = Repository::fixture();
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
    let fixture = Repository::fixture();
    fixture
        .write("fluxdag.toml", "fail-on = \"never\"\nmax-path = \"1s\"\n")
        .write("env.toml", "")
        .write("flag.toml", "x = 1");
    let file = fixture.lint(&[]);
    assert!(file.code == 0 && file.out.contains("long-critical-path"), "{}{}", file.out, file.err);
    assert!(fixture.lint(&["--max-path", "10h"]).out.is_empty());
    let environment = [("FLUXDAG_CONFIG", "env.toml")];
    assert!(fixture.run("", &[], &environment).out.is_empty());
    let flag = fixture.run("", &["--config", "flag.toml"], &environment);
    assert!(flag.code == 2 && flag.err.contains("flag.toml:1:1: unknown key `x`"), "{}", flag.err);
    assert!(fixture.run("", &["--no-config"], &[("FLUXDAG_CONFIG", "flag.toml")]).out.is_empty());
}

#[test]
fn the_search_ends_at_the_repository() {
    let fixture = Repository::fixture();
    fs::remove_file(fixture.path("fluxdag.toml")).expect("removed");
    fs::create_dir(fixture.path("fleet")).expect("created");
    for name in ["clusters", "apps"] {
        fs::rename(fixture.path(name), fixture.path("fleet").join(name)).expect("moved");
    }
    fixture.write("fluxdag.toml", "nonsense = 1");
    // Without Git the file itself marks the repository.
    assert_eq!(fixture.run("fleet/clusters/prod", &[], &[]).code, 2);
    fs::create_dir(fixture.path("fleet/.git")).expect("created");
    assert_eq!(fixture.run("fleet/clusters/prod", &[], &[]).code, 0);
    fixture.write("fleet/fluxdag.toml", "nonsense = 1");
    assert_eq!(fixture.run("fleet/clusters/prod", &[], &[]).code, 2);
}

#[test]
fn root_and_version_come_from_the_file() {
    let fixture = Repository::fixture();
    let base = fs::read_to_string(fixture.path("fluxdag.toml")).expect("text");
    fixture.write("fluxdag.toml", &format!("root = \".\"\nflux-version = \"2.7\"\n{base}"));
    let done = fixture.run("clusters", &["-v"], &[]);
    assert!(done.err.contains("Flux 2.7"), "{}", done.err);
    assert!(done.err.contains("configuration "), "{}", done.err);
    fixture.write("fluxdag.toml", "root = \"vendor\"\n");
    let done = fixture.run("clusters", &[], &[]);
    assert!(done.code == 2 && done.err.contains("the root, from --root or the configuration"), "{}", done.err);
}

#[test]
fn the_profile_is_that_of_the_flag_then_of_the_file_and_durations_of_nothing_are_told() {
    let fixture = Repository::fixture();
    let base = fs::read_to_string(fixture.path("fluxdag.toml")).expect("text");
    let durations = "[[durations]]\nchart = \"no-such-chart\"\ntypical = \"1m\"\n";
    fixture.write("fluxdag.toml", &format!("profile = \"fast\"\n{base}{durations}"));
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
    fixture.write("fluxdag.toml", &format!("{base}{}", durations.replace("1m", "soon")));
    let done = fixture.lint(&[]);
    assert!(done.code == 2 && done.err.contains("`soon` is no duration"), "{}", done.err);
}
