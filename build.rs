//! Tells the program which commit it was built from, in release builds: a version that changed with every commit would
//! make each of them compile the whole library anew while somebody works on it. And makes JSON of the catalogue, which is
//! written as YAML for people: every run reads it, and JSON is read in a tenth of the time.

use std::{env, fs, path::Path, process::Command};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=FLUXDAG_COMMIT");
    let version = env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let is_release = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let commit = if is_release { named().or_else(checked_out).or_else(packaged) } else { None };
    let told = commit.map_or_else(|| version.clone(), |commit| format!("{version} ({commit})"));
    println!("cargo:rustc-env=FLUXDAG_VERSION={told}");
    compile_catalog(Path::new("rules/catalog"), Path::new(&env::var("OUT_DIR").expect("set by Cargo")));
}

/// Writes each YAML file of `folder` as JSON into `out`.
fn compile_catalog(folder: &Path, out: &Path) {
    println!("cargo:rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder).expect("the catalogue is part of the package") {
        let path = entry.expect("a readable folder").path();
        println!("reading {}", path.display());
        let text = fs::read_to_string(&path).expect("a readable file");
        let data: serde_json::Value =
            serde_yaml::from_str(&text).expect("the catalogue is YAML, see the file read last");
        let name = path.with_extension("json");
        fs::write(out.join(name.file_name().expect("a file has a name")), data.to_string()).expect("a writable folder");
    }
}

/// What whoever builds without the repository at hand says it is.
fn named() -> Option<String> {
    short(&env::var("FLUXDAG_COMMIT").ok()?)
}

/// The commit of the repository that this folder is the top of.
fn checked_out() -> Option<String> {
    // An archive that is unpacked within another repository is no part of that.
    if !git(&["rev-parse", "--show-prefix"])?.is_empty() {
        return None;
    }
    let head = git(&["symbolic-ref", "--quiet", "HEAD"]);
    for name in ["HEAD", "packed-refs"].into_iter().chain(head.as_deref()) {
        let path = git(&["rev-parse", "--git-path", name]).filter(|path| Path::new(path).exists());
        if let Some(path) = path {
            println!("cargo:rerun-if-changed={path}");
        }
    }
    git(&["ls-files", "--error-unmatch", "build.rs"])?;
    short(&git(&["rev-parse", "HEAD"])?)
}

/// What `cargo package` noted.
fn packaged() -> Option<String> {
    let note = fs::read_to_string(".cargo_vcs_info.json").ok()?;
    short(note.split("\"sha1\"").nth(1)?.split('"').nth(1)?)
}

fn short(commit: &str) -> Option<String> {
    let commit = commit.trim().get(..12)?;
    commit.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| commit.to_owned())
}

fn git(arguments: &[&str]) -> Option<String> {
    let done = Command::new("git").args(arguments).output().ok().filter(|done| done.status.success())?;
    Some(String::from_utf8(done.stdout).ok()?.trim().to_owned())
}
