//! Objects of Git that no Git makes.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use crate::support::{Program, Repository, SYNC, SYNC_FILE, config_map};

/// Generous, because tests run unoptimised and side by side.
const PATIENCE: Duration = Duration::from_secs(30);

fn repository() -> Repository {
    let repository = Repository::new(&[(SYNC_FILE, SYNC), ("apps/cm.yaml", &config_map("a"))]).under_git();
    repository.commit("base");
    repository
}

/// Runs Git with `stream` on standard input.
fn git(folder: &Path, arguments: &[&str], stream: &str) -> String {
    let git = Program::of("git", folder, arguments).with_committer().fed(stream);
    let done = git.env("PATH", std::env::var_os("PATH").unwrap_or_default()).run();
    assert_eq!(done.code, 0, "git {arguments:?}: {}", done.err);
    done.out.trim().to_owned()
}

/// Writes a tree of these entries without the checks of Git's own commands.
fn tree(repository: &Repository, entries: &[(&str, &str, &str)]) -> String {
    let mut bytes = Vec::new();
    for (mode, name, id) in entries {
        bytes.extend(format!("{mode} {name}\0").into_bytes());
        bytes.extend((0..20).map(|at| u8::from_str_radix(&id[2 * at..2 * at + 2], 16).expect("digits")));
    }
    fs::write(repository.path(".git/raw-tree"), bytes).expect("written");
    repository.git(&["hash-object", "-t", "tree", "--literally", "-w", ".git/raw-tree"])
}

/// A branch with one commit of a tree.
fn branch(repository: &Repository, name: &str, tree: &str) {
    let commit = git(repository.folder(), &["commit-tree", tree, "-m", "x"], "");
    repository.git(&["branch", "--force", name, &commit]);
}

#[test]
fn a_tree_with_names_that_lead_elsewhere_is_refused() {
    let repository = repository();
    let top = repository.git(&["rev-parse", "HEAD^{tree}"]);
    let apps = repository.git(&["rev-parse", "HEAD:apps"]);
    let clusters = repository.git(&["rev-parse", "HEAD:clusters"]);
    for name in ["..", ".", "", ".git", ".GIT", "git~1", "a/b.yaml", "../x"] {
        for deep in [false, true] {
            let mut evil = tree(&repository, &[("40000", name, &top), ("40000", "clusters", &clusters)]);
            if deep {
                evil = tree(&repository, &[("40000", "apps", &evil), ("40000", "clusters", &clusters)]);
            }
            branch(&repository, "evil", &evil);
            for arguments in
                [&["diff", "evil"][..], &["diff", "HEAD", "evil"], &["lint", "--since", "evil", "--no-merge-base"]]
            {
                let done = repository.run(arguments);
                assert!(done.code == 2 && done.err.contains("which Git takes for an attack"), "{name:?}: {}", done.err);
                assert_eq!(done.out, "", "{name:?}");
            }
        }
    }
    let twice = tree(&repository, &[("40000", "apps", &apps), ("40000", "apps", &clusters)]);
    branch(&repository, "twice", &twice);
    assert_eq!(repository.run(&["diff", "twice"]).code, 2);
}

#[test]
fn a_broken_object_is_called_broken_and_a_missing_one_missing() {
    let repository = repository();
    repository.write("apps/cm.yaml", config_map("b"));
    repository.commit("second");
    let paths = ["HEAD~1:apps/cm.yaml", "HEAD~1:apps", "HEAD~1^{tree}", "HEAD~1"];
    let ids = paths.map(|path| repository.git(&["rev-parse", path]));
    for (path, id) in paths.iter().zip(&ids) {
        let object = repository.path(&format!(".git/objects/{}/{}", &id[..2], &id[2..]));
        let bytes = fs::read(&object).expect("a loose object");
        fs::remove_file(&object).expect("removed");
        let missing = repository.run(&["diff", &ids[3]]);
        assert!(missing.code == 2 && !missing.err.contains("cannot be read"), "{path}: {}", missing.err);
        let cut = &bytes[..bytes.len() - 8];
        for broken in [b"no zlib".as_slice(), cut, &[]] {
            fs::write(&object, broken).expect("written");
            let done = repository.run(&["diff", &ids[3]]);
            let is_named = done.err.contains("cannot be read") || path == &"HEAD~1";
            assert!(done.code == 2 && is_named && !done.err.contains("lacks"), "{path}: {}", done.err);
            assert!(!done.err.contains("internal:"), "{}", done.err);
        }
        fs::write(&object, bytes).expect("written");
    }
}

/// A few objects that stand for very many files, or for very many bytes.
#[test]
fn what_a_few_objects_stand_for_is_limited() {
    let repository = repository();
    let clusters = repository.git(&["rev-parse", "HEAD:clusters"]);
    let blob = git(repository.folder(), &["hash-object", "-w", "--stdin"], &"x".repeat(1_000_000));
    let small = git(repository.folder(), &["hash-object", "-w", "--stdin"], &config_map("a"));
    let names: Vec<String> = (0..2_000).map(|index| format!("f{index:04}.yaml")).collect();
    let of =
        |blob: &str| tree(&repository, &names.iter().map(|name| ("100644", name.as_str(), blob)).collect::<Vec<_>>());
    let with = |apps: &str| tree(&repository, &[("40000", "apps", apps), ("40000", "clusters", &clusters)]);
    let large = with(&of(&blob));
    let mut folder = of(&small);
    let mut deep = folder.clone();
    for _ in 0..3 {
        let names: Vec<String> = (0..100).map(|index| format!("d{index:03}")).collect();
        folder =
            tree(&repository, &names.iter().map(|name| ("40000", name.as_str(), folder.as_str())).collect::<Vec<_>>());
    }
    for _ in 0..300 {
        deep = tree(&repository, &[("40000", "d", &deep)]);
    }
    // Nothing but a number: `git hash-object` would have to hold it all.
    for (name, top, why) in [
        ("large", large, "bytes of its files are copies of others"),
        ("many", with(&folder), "files are those of one folder"),
        ("deep", with(&deep), "nested more than 256 deep"),
    ] {
        branch(&repository, name, &top);
        let start = Instant::now();
        let done = repository.run(&["diff", name]);
        assert!(done.code == 2 && done.err.contains(why), "{name}: {}", done.err);
        assert!(start.elapsed() < PATIENCE, "{name}: {:?}", start.elapsed());
    }
}

/// The zlib stream of some kilobytes unpacks to a hundred megabytes.
#[test]
fn an_object_that_unpacks_to_very_much_is_not_unpacked() {
    let repository = repository();
    let clusters = repository.git(&["rev-parse", "HEAD:clusters"]);
    let blob = git(repository.folder(), &["hash-object", "-w", "--stdin"], &"x".repeat(100_000_000));
    let apps = tree(&repository, &[("100644", "a.yaml", &blob)]);
    let top = tree(&repository, &[("40000", "apps", &apps), ("40000", "clusters", &clusters)]);
    branch(&repository, "bomb", &top);
    let done = repository.run(&["diff", "bomb"]);
    assert!(done.code == 2 && done.err.contains("cannot be read"), "{}", done.err);
}
