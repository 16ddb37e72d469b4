//! Writing: never through a link of a repository, never into Git's folders, never over what is not ours.

use std::fs;

use crate::support::{Program, Repository, SYNC, SYNC_FILE, config_map, entries, name};

const HOOK: &str = "#!/bin/sh\nexit 0\n";

fn repository() -> Repository {
    let repository = Repository::committed(&[(SYNC_FILE, SYNC)]);
    repository.write("apps/cm.yaml", config_map("a"));
    repository
}

#[test]
fn a_baseline_replaces_nothing_but_a_baseline() {
    let repository = repository();
    repository.write(".git/hooks/pre-commit", HOOK).write("clusters/prod/notes.txt", HOOK);
    for (named, why) in [
        (".git/hooks/pre-commit", "belongs to Git"),
        (".git/new", "belongs to Git"),
        ("apps/.GIT/x", "belongs to Git"),
        (SYNC_FILE, "is no baseline"),
        ("fluxdag.toml", "is no baseline"),
        ("clusters/prod/notes.txt", "is no baseline"),
    ] {
        for by_flag in [false, true] {
            repository.write("fluxdag.toml", if by_flag { String::new() } else { format!("baseline = \"{named}\"\n") });
            let before = fs::read(repository.path(named)).ok();
            let flag = if by_flag { format!("--write-baseline={named}") } else { "--write-baseline".to_owned() };
            let done = repository.lint(&[&flag]);
            // Of an empty file nothing is lost.
            if before.as_ref().is_some_and(Vec::is_empty) {
                continue;
            }
            assert!(done.code == 2 && done.err.contains(why), "{named}: {}", done.err);
            assert_eq!(fs::read(repository.path(named)).ok(), before, "{named}");
        }
    }
    repository.write("fluxdag.toml", "baseline = \"known.json\"\n");
    for text in [None, Some(""), Some("{\"version\": 7, \"findings\": [{\"new\": 1}]}")] {
        text.map(|text| repository.write("known.json", text));
        let done = repository.lint(&["--write-baseline"]);
        assert!(done.code == 0 && repository.read("known.json").contains("\"version\": 1"), "{}", done.err);
    }
}

#[cfg(unix)]
#[test]
fn no_link_of_a_repository_is_written_through() {
    use std::os::unix::fs::symlink;
    let outside = Repository::new(&[("secret", HOOK), ("deep/secret", HOOK)]);
    let repository = repository();
    symlink(outside.path("secret"), repository.path("findings.sarif")).expect("linked");
    symlink(outside.path("not-there"), repository.path("dangling")).expect("linked");
    symlink(outside.path("deep"), repository.path("reports")).expect("linked");
    symlink(".git", repository.path("inner")).expect("linked");
    symlink("/dev/null", repository.path("null")).expect("linked");
    let before = outside.files();
    for path in
        ["findings.sarif", "dangling", "reports/secret", "reports/new", "reports/../reports/new", "inner/x", "null"]
    {
        for arguments in [
            vec!["-o".to_owned(), format!("sarif={path}")],
            vec!["-o".to_owned(), format!("full={}", repository.path(path).display())],
            vec![format!("--write-baseline={path}")],
        ] {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let done = repository.run(&[&["lint"], arguments.as_slice()].concat());
            assert!(done.code == 2 && done.err.contains("link"), "{arguments:?}: {}", done.err);
        }
        assert_eq!(outside.files(), before, "{path}");
    }
    symlink(outside.folder(), repository.path("man")).expect("linked");
    for folder in ["man", "man/below"] {
        let done = repository.run(&["man", "--out", folder]);
        assert!(done.code == 2 && done.err.contains("is a link"), "{}", done.err);
    }
    assert_eq!(outside.files(), before);
    // A link of the user's own, outside of any repository, is followed.
    symlink(outside.path("deep"), outside.path("mine")).expect("linked");
    let mine = outside.path("mine/report.json");
    assert_eq!(repository.run(&["lint", "-o", &format!("json={}", mine.display())]).code, 0);
    assert!(outside.read("deep/report.json").starts_with('{'));
}

#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_used_where_the_user_names_it_alone() {
    let repository = repository();
    let made = Program::of("mkfifo", repository.folder(), &["bl.json"])
        .env("PATH", std::env::var_os("PATH").expect("a path"))
        .run();
    assert_eq!(made.code, 0, "{}", made.err);
    repository.write("fluxdag.toml", "baseline = \"bl.json\"\n");
    for arguments in [
        &["lint"][..],
        &["lint", "--write-baseline"],
        &["lint", "-o", "json=bl.json"],
        &["lint", "--write-baseline=/dev/null"],
    ] {
        let done = repository.run(arguments);
        assert!(done.code == 2 && done.err.contains("regular file"), "{arguments:?}: {}", done.err);
    }
    repository.write("fluxdag.toml", "");
    let stdout = repository.run(&["lint", "-q", "-o", "json=/dev/stdout"]);
    assert!(stdout.code == 0 && stdout.out.starts_with('{'), "{}", stdout.err);
    assert_eq!(repository.run(&["lint", "-o", "json=/dev/null"]).code, 0);
}

#[test]
fn what_is_replaced_is_replaced_as_a_whole() {
    let repository = repository();
    repository.write("out.json", "x".repeat(1_000_000));
    let done = repository.run(&["lint", "-o", "json=out.json"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(repository.read("out.json").ends_with("}\n"));
    let left = entries(repository.folder()).into_iter().find(|path| name(path).ends_with(".tmp"));
    assert_eq!(left, None);
}
