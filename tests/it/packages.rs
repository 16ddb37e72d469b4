//! The files that packages are built from: one version, one list of names, and hooks that run when they have to.

use std::{fs, path::Path};

use serde_json::Value;

use crate::support::{program, root};

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}")).replace('\r', "")
}

/// The first YAML document of `text`.
fn yaml(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

/// The targets that the release workflow makes archives for.
fn targets() -> Vec<String> {
    let workflow = yaml(&read(".github/workflows/release.yml"));
    let built = workflow["jobs"]["archive"]["strategy"]["matrix"]["include"].as_array().unwrap().clone();
    built.iter().map(|job| job["target"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_way_to_install_takes_an_archive_that_is_made() {
    let targets = targets();
    for wanted in [
        "x86_64-unknown-linux-musl",
        "aarch64-unknown-linux-musl",
        "x86_64-unknown-linux-gnu",
        "aarch64-unknown-linux-gnu",
        "x86_64-apple-darwin",
        "aarch64-apple-darwin",
        "x86_64-pc-windows-msvc",
    ] {
        assert!(targets.iter().any(|target| target == wanted), "{wanted} is not in {targets:?}");
    }
    let mut named = 0;
    for file in ["packaging/homebrew/fluxdag.rb.in", "packaging/flux/dag.yaml.in"] {
        for part in read(file).split('@').filter_map(|part| part.strip_prefix("URL:")) {
            assert!(targets.iter().any(|target| target == part), "{file}: {part}");
            assert!(read(file).contains(&format!("@SHA256:{part}@")), "{file}: {part} has no checksum");
            named += 1;
        }
    }
    assert_eq!(named, 9);
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let package = &manifest["package"];
    let binstall = &package["metadata"]["binstall"];
    let name = "/releases/download/v{ version }/fluxdag-{ version }-";
    let urls = binstall["overrides"].as_table().unwrap().values().chain([binstall]).map(|one| &one["pkg-url"]);
    for url in urls {
        let url = url.as_str().unwrap();
        let (_, file) = url.split_once(name).unwrap_or_else(|| panic!("{url}"));
        let target = file.trim_end_matches(".tar.gz").trim_end_matches(".zip");
        assert!(target == "{ target }" || targets.iter().any(|known| known == target), "{url}");
        assert_ne!(target, file, "{url}");
    }
}

#[test]
fn there_is_one_version() {
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let version = manifest["package"]["version"].as_str().unwrap();
    assert_eq!(version, env!("CARGO_PKG_VERSION"));
    let project: toml::Table = read("pyproject.toml").parse().unwrap();
    assert_eq!(project["project"].get("version"), None, "maturin reads it from Cargo.toml");
    assert_eq!(project["project"]["dynamic"].as_array().unwrap().first().unwrap().as_str(), Some("version"));
    assert!(read("flake.nix").contains("version = manifest.version;"));
    // The line that the action reads it from is the first of its kind.
    let first = read("Cargo.toml").lines().find(|line| line.starts_with("version = ")).unwrap().to_owned();
    assert_eq!(first, format!("version = \"{version}\""));
    for file in
        ["packaging/homebrew/fluxdag.rb.in", "packaging/flux/dag.yaml.in", "packaging/pre-commit/pyproject.toml.in"]
    {
        assert!(read(file).contains("@VERSION@") && !read(file).contains(version), "{file}");
    }
}

#[test]
fn what_is_released_is_optimised_and_what_is_built_by_others_is_built_fast() {
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let dist = &manifest["profile"]["dist"];
    assert_eq!((dist["inherits"].as_str(), dist["lto"].as_str()), (Some("release"), Some("thin")));
    assert_eq!(manifest["profile"].get("release"), None);
    for (file, builds) in [
        (".github/workflows/release.yml", &["cargo build --profile dist ", "args: --profile dist "][..]),
        ("Dockerfile", &["cargo build --profile dist ", "target/dist/fluxdag"]),
        ("flake.nix", &["buildType = \"dist\";"]),
        ("docs/install.md", &["cargo build --profile dist ", "--binary target/dist/fluxdag"]),
    ] {
        let text = read(file);
        assert!(builds.iter().all(|build| text.contains(build)), "{file}");
        assert!(!text.contains("--release") && !text.contains("target/release"), "{file}");
    }
}

#[test]
fn hooks_see_the_whole_repository_at_every_commit() {
    let hooks = yaml(&read(".pre-commit-hooks.yaml"));
    let hooks = hooks.as_array().unwrap();
    let ids: Vec<&str> = hooks.iter().map(|hook| hook["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["fluxdag", "fluxdag-src", "fluxdag-system", "fluxdag-docker"]);
    let languages: Vec<&str> = hooks.iter().map(|hook| hook["language"].as_str().unwrap()).collect();
    assert_eq!(languages, ["python", "rust", "system", "docker"]);
    let mirrored = yaml(&read("packaging/pre-commit/.pre-commit-hooks.yaml.in"));
    for hook in hooks.iter().chain(mirrored.as_array().unwrap()) {
        assert_eq!(hook["entry"], "fluxdag lint --no-progress --allow-empty");
        assert_eq!(hook["args"], serde_json::json!(["."]));
        assert_eq!((&hook["always_run"], &hook["require_serial"]), (&true.into(), &true.into()));
        assert_eq!(hook["pass_filenames"], false);
    }
}

#[test]
fn the_image_holds_a_static_program_that_nobody_in_particular_runs() {
    let file = read("Dockerfile");
    let last = file.rsplit("\nFROM ").next().unwrap();
    assert!(last.starts_with("scratch\n"), "{last}");
    assert!(file.contains("FROM rust:") && file.contains("-alpine AS build\n"), "musl links it statically");
    let user = last.lines().find_map(|line| line.strip_prefix("USER ")).unwrap();
    let (user, group) = user.split_once(':').unwrap();
    assert!(user.parse::<u32>().unwrap() > 0 && group.parse::<u32>().unwrap() > 0);
    assert!(last.contains("ENTRYPOINT [\"fluxdag\"]"));
    // What the build reads is let through, one folder or file on each line.
    let let_through: Vec<String> =
        read(".dockerignore").lines().filter_map(|line| line.strip_prefix('!').map(str::to_owned)).collect();
    for needed in ["Cargo.toml", "Cargo.lock", "build.rs", "src", "rules", "README.md", "LICENSE"] {
        assert!(let_through.iter().any(|path| path == needed), "{needed}");
        assert!(root().join(needed).exists(), "{needed}");
    }
}

#[cfg(unix)]
#[test]
fn an_archive_has_all_that_belongs_to_the_program_and_is_reproducible() {
    use std::process::Command;
    let folder = tempfile::tempdir().unwrap();
    let archive = |out: &str| {
        let out = folder.path().join(out);
        let mut python = Command::new("python3");
        python.arg(root().join("scripts/archive")).args(["--target", "x86_64-unknown-linux-musl"]);
        // Something small stands for the program: packing one that is not optimised takes long.
        python.arg("--binary").arg(root().join("LICENSE")).arg("--generator").arg(program());
        python.arg("--out").arg(&out);
        let done = python.env("SOURCE_DATE_EPOCH", "1700000000").output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        out.join(format!("fluxdag-{}-x86_64-unknown-linux-musl.tar.gz", env!("CARGO_PKG_VERSION")))
    };
    let (first, second) = (archive("a"), archive("b"));
    assert!(fs::read(&first).unwrap() == fs::read(second).unwrap(), "the same input gives other bytes");
    let list = Command::new("tar").arg("-tzf").arg(&first).output().unwrap();
    let list = String::from_utf8(list.stdout).unwrap();
    let paths: Vec<&str> = list.lines().collect();
    for path in [
        "fluxdag",
        "LICENSE",
        "README.md",
        "CHANGELOG.md",
        "completions/fluxdag.bash",
        "completions/_fluxdag",
        "completions/fluxdag.fish",
        "man/man1/fluxdag.1",
        "man/man1/fluxdag-lint.1",
    ] {
        assert!(paths.contains(&path), "{path} is not in {paths:?}");
    }
    let sum = fs::read_to_string(format!("{}.sha256", first.display())).unwrap();
    assert!(sum.len() > 66 && sum.ends_with("-x86_64-unknown-linux-musl.tar.gz\n"), "{sum}");

    let filled = |archives: &Path| {
        let mut python = Command::new("python3");
        python.arg(root().join("scripts/package-files")).arg("--archives").arg(archives);
        python.args(["--repository", "https://example.com/someone/fluxdag"]);
        python.arg("--out").arg(folder.path().join("packages")).output().unwrap()
    };
    let archives = first.parent().unwrap();
    assert!(!filled(archives).status.success(), "an archive that is not there is an error");
    for target in targets() {
        let end = if target.contains("windows") { "zip" } else { "tar.gz" };
        let file = format!("fluxdag-{}-{target}.{end}", env!("CARGO_PKG_VERSION"));
        fs::write(archives.join(format!("{file}.sha256")), format!("{}  {file}\n", "a".repeat(64))).unwrap();
    }
    let done = filled(archives);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let plugin = yaml(&fs::read_to_string(folder.path().join("packages/flux/dag.yaml")).unwrap());
    let platforms = plugin["versions"][0]["platforms"].as_array().unwrap();
    assert_eq!((platforms.len(), &plugin["bin"]), (5, &Value::from("fluxdag")));
    for platform in platforms {
        assert!(
            platform["url"].as_str().unwrap().starts_with("https://example.com/someone/fluxdag/releases/download/v")
        );
        assert_eq!(platform["checksum"], format!("sha256:{}", "a".repeat(64)));
    }
    let formula = fs::read_to_string(folder.path().join("packages/homebrew/fluxdag.rb")).unwrap();
    assert!(formula.contains(&"a".repeat(64)) && !formula.contains('@'), "{formula}");
}
