//! The program, in every format.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use fluxdag::report::Format;

use super::consumers;
use crate::support::{Done, Repository, SYNC, SYNC_FILE, entries, root};

const BROKEN: &str = "\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec:
  interval: 1h
  path: ./nowhere
  prune: true
  sourceRef: {kind: GitRepository, name: flux-system}
  dependsOn:
    - name: \"no-such\\tone\"
";

/// A Git repository whose artifact is its folder `deploy`.
fn repository() -> Repository {
    Repository::new(&[
        (".git/HEAD", "ref: refs/heads/main\n"),
        (&format!("deploy/{SYNC_FILE}"), SYNC),
        ("deploy/clusters/prod/apps.yaml", BROKEN),
        ("other/x.yaml", "a: 1\n"),
    ])
}

#[test]
fn paths_are_seen_from_the_root_of_the_repository() {
    let folder = repository();
    for (format, path) in [
        ("sarif", "\"uri\": \"deploy/clusters/prod/apps.yaml\""),
        ("github", " file=deploy/clusters/prod/apps.yaml,line=6,"),
        ("gitlab", "\"path\": \"deploy/clusters/prod/apps.yaml\""),
        ("junit", "<testsuite name=\"deploy/clusters/prod/apps.yaml\" "),
        ("checkstyle", "<file name=\"deploy/clusters/prod/apps.yaml\">"),
        ("rdjson", "\"path\": \"deploy/clusters/prod/apps.yaml\""),
        ("markdown", "`deploy/clusters/prod/apps.yaml:6:9`"),
        ("json", "\"artifact_root\": \"deploy\""),
    ] {
        let Done { code, out, .. } = folder.run(&["lint", "--root", "deploy", "deploy", "-o", format]);
        assert!(code == 1 && out.contains(path), "{format}: {out}");
    }
}

#[test]
fn code_scanning_knows_every_enabled_rule() {
    let folder = repository();
    let rules = |flags: &[&str]| {
        let arguments = [&["lint", "--root", "deploy", "deploy", "-o", "sarif"][..], flags].concat();
        let log = folder.run(&arguments).json();
        let rules = consumers::list(&log["runs"][0]["tool"]["driver"]["rules"]);
        rules.iter().map(|rule| consumers::text(&rule["id"]).to_owned()).collect::<Vec<_>>()
    };
    let enabled = |pedantic| {
        fluxdag::rules::enabled(&fluxdag::rules::Selection::default(), pedantic)
            .into_iter()
            .map(|rule| rule.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(rules(&[]), enabled(false));
    assert_eq!(rules(&["--pedantic"]), enabled(true));
    assert!(enabled(true).len() > enabled(false).len());
}

#[test]
fn what_lies_outside_of_the_repository_gives_no_place() {
    let folder = repository();
    fs::create_dir_all(folder.path("deploy/clusters/.git")).expect("created");
    let arguments = ["lint", "--root", "deploy", "deploy/clusters/prod", "-o", "gitlab"];
    let Done { out, .. } = folder.run(&arguments);
    assert!(consumers::gitlab(&out) > 0 && out.contains("\"path\": \"prod/apps.yaml\""), "{out}");
    let Done { out: json, .. } = folder.run(&[&arguments[..4], &["-o", "json"]].concat());
    assert!(json.contains("\"artifact_root\": \"..\""), "{json}");
}

#[test]
fn bytes_depend_on_neither_threads_nor_working_directory_nor_colour() {
    let folder = repository();
    let absolute = folder.path("deploy");
    let absolute = absolute.to_str().expect("text");
    for format in Format::ALL {
        let format = format.to_string();
        let Done { out: expected, .. } = folder.run(&["lint", "--root", "deploy", "deploy", "-o", &format]);
        assert!(expected.contains("missing-path") && expected.contains("dangling-dependency"), "{format}: {expected}");
        for (from, arguments) in [
            ("deploy", &["lint", "--root", ".", "."][..]),
            ("other", &["lint", "--root", "../deploy", "../deploy"]),
            ("deploy/clusters", &["lint", "--root", absolute, absolute]),
            (".", &["lint", "--root", "deploy", "deploy", "--threads", "1"]),
            (".", &["lint", "--root", "deploy", "deploy", "--threads", "7"]),
        ] {
            let Done { out, .. } = folder.run_in(from, &[arguments, &["-o", &format]].concat());
            assert_eq!(out, expected, "{format} from `{from}` with {arguments:?}");
        }
        let always = ["lint", "--root", "deploy", "deploy", "--color", "always", "-o"];
        let Done { out, .. } = folder.run(&[&always[..], &[&format]].concat());
        assert_eq!(out == expected, !["full", "concise"].contains(&format.as_str()), "{format}");
        let file = format!("{format}=out.txt");
        folder.run(&[&always[..], &[&file]].concat());
        assert_eq!(folder.read("out.txt"), expected, "{format}");
        folder.remove("out.txt");
    }
}

#[test]
fn exit_codes_do_not_depend_on_the_format() {
    let folder = repository();
    for format in Format::ALL {
        let format = format.to_string();
        let code = |more: &[&str]| {
            folder.run(&[&["lint", "--root", "deploy", "deploy", "-o", &format][..], more].concat()).code
        };
        assert_eq!(code(&[]), 1, "{format}");
        assert_eq!(code(&["--fail-on", "warning"]), 1, "{format}");
        assert_eq!(code(&["--exit-zero"]), 0, "{format}");
        let empty = Repository::empty();
        let nothing = |more: &[&str]| empty.run(&[&["lint", "-o", &format], more].concat()).code;
        assert_eq!((nothing(&[]), nothing(&["--allow-empty"])), (2, 0), "{format}");
        // A folder without Flux in a repository that has some: nothing of it is reported.
        assert_eq!(folder.run_in("other", &["lint", "-o", &format]).code, 0, "{format}");
    }
}

#[test]
fn summaries_are_told_where_no_one_else_tells_them() {
    let folder = repository();
    for format in Format::ALL {
        let Done { out, err, .. } = folder.run(&["lint", "--root", "deploy", "deploy", "-o", &format.to_string()]);
        let is_told = err.contains("found ") && err.contains("1 cluster");
        assert_eq!(is_told, matches!(format, Format::Concise | Format::Github), "{format}: {out}{err}");
    }
}

#[test]
fn every_fixture_is_read_by_every_reader() {
    let readers: BTreeMap<String, consumers::Reader> =
        consumers::READERS.iter().map(|(format, read)| (format.to_string(), *read)).collect();
    let mut total = 0;
    for fixture in entries(&root().join("fixtures")) {
        let out = Repository::empty();
        let path = fixture.to_str().expect("text");
        let mut arguments = vec!["lint".to_owned(), path.to_owned()];
        arguments
            .extend("--allow-empty --pedantic --min-severity info --min-confidence low".split(' ').map(str::to_owned));
        arguments.extend(readers.keys().flat_map(|format| ["-o".to_owned(), format!("{format}={format}")]));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let Done { code, err, .. } = out.run(&arguments);
        assert!(code < 2, "{path}: {err}");
        let text = |format: &str| out.read(format);
        let counts: BTreeMap<&str, usize> =
            readers.iter().map(|(format, read)| (format.as_str(), read(&text(format)))).collect();
        let json: serde_json::Value = serde_json::from_str(&text("json")).expect("JSON");
        let silent = json["summary"]["suppressed"].as_u64().expect("a number") as usize;
        let shown = counts["json"] - silent;
        let findings =
            json["findings"].as_array().expect("a list").iter().filter(|found| found["suppressed"].is_null());
        let groups: Vec<&str> = findings.filter_map(|found| found["group"].as_str()).collect();
        let causes = shown - groups.len() + groups.iter().collect::<BTreeSet<_>>().len();
        for (format, count) in &counts {
            let expected = match *format {
                "json" | "sarif" => shown + silent,
                "github" if causes > 10 => continue,
                "github" | "markdown" | "full" | "concise" => causes,
                _ => shown,
            };
            assert_eq!(*count, expected, "{format} of {path}");
        }
        total += shown;
    }
    assert!(total > 50, "{total} findings in all fixtures");
}
