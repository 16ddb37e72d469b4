//! The program as a process: what it prints where, and its exit codes.

use std::fs;

use crate::support::{Done, Program, Repository, fixture};

/// The program in an empty folder.
fn run(arguments: &[&str]) -> Done {
    run_with(arguments, &[])
}

/// The same, with variables of the environment.
fn run_with(arguments: &[&str], variables: &[(&str, &str)]) -> Done {
    let folder = Repository::empty();
    let program = Program::new(folder.folder(), arguments);
    variables.iter().fold(program, |program, (name, value)| program.env(name, value)).run()
}

#[test]
fn rules_are_listed_in_every_format() {
    let table = run(&["rules"]);
    assert_eq!((table.code, table.err.as_str()), (0, ""));
    assert!(table.out.starts_with("RULE") && table.out.contains("\ndependency-cycle "), "{}", table.out);

    let json = run(&["rules", "-o", "json"]).json();
    let rules = json["rules"].as_array().expect("a list");
    assert_eq!(rules.len(), fluxdag::rules::RULES.len());
    let cycle = rules.iter().find(|rule| rule["id"] == "dependency-cycle").expect("a rule there is");
    for key in ["summary", "category", "severity", "confidence", "tier", "since"] {
        assert!(cycle[key].is_string(), "{key}");
    }
    assert!(run(&["rules", "-o", "markdown"]).out.contains("| [`dependency-cycle`](dependency-cycle.md) | "));
}

#[test]
fn rules_are_explained_in_every_format() {
    let text = run(&["explain", "dependency-cycle"]);
    assert_eq!((text.code, text.err.as_str()), (0, ""));
    assert!(text.out.starts_with("dependency-cycle\n") && !text.out.contains("```"), "{}", text.out);
    assert!(run(&["explain", "dependency-cycle", "-o", "markdown"]).out.starts_with("# dependency-cycle\n"));
    let json = run(&["explain", "dependency-cycle", "-o", "json"]).json();
    assert_eq!(json["rules"][0]["id"], "dependency-cycle");
    assert!(json["page"].is_string());
}

#[test]
fn an_unknown_rule_is_answered_with_the_likely_one() {
    let done = run(&["explain", "dependancy-cycle"]);
    assert_eq!((done.code, done.out.as_str()), (2, ""));
    assert!(done.err.contains("error: there is no rule `dependancy-cycle`"), "{}", done.err);
    assert!(done.err.contains("did you mean `dependency-cycle`?"), "{}", done.err);
    let done = run(&["explain", "\u{1b}[2Jqqq"]);
    assert!(!done.err.contains('\u{1b}') && !done.err.contains("did you mean"), "{}", done.err);
}

#[test]
fn wrong_usage_is_exit_code_2_on_standard_error() {
    let wrong: [&[&str]; 6] =
        [&[], &["lnt"], &["lint", "--nonsense"], &["lint", "-o", "nonsense"], &["lint", "--threads=0"], &["explain"]];
    for arguments in wrong {
        let done = run(arguments);
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{arguments:?}");
        assert!(done.err.contains("Usage: fluxdag") || done.err.contains("error: "), "{}", done.err);
    }
    assert!(run(&["lnt"]).err.contains("'lint'"));
    assert!(
        run(&["lint", "-o", "nonsense"])
            .err
            .contains("known are full, concise, json, sarif, github, gitlab, junit, checkstyle, rdjson, markdown")
    );
    let both = run(&["lint", "-o", "full", "-o", "json"]);
    assert!(both.code == 2 && both.err.contains("-o json=PATH"), "{}", both.err);
}

#[test]
fn help_and_version_go_to_standard_output() {
    for arguments in [&["--help"][..], &["lint", "--help"], &["-h"], &["help", "explain"]] {
        let done = run(arguments);
        assert_eq!((done.code, done.err.as_str()), (0, ""), "{arguments:?}");
        assert!(done.out.contains("Usage: fluxdag"), "{}", done.out);
    }
    assert_eq!(run(&["--version"]).out, format!("fluxdag {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_path_that_is_not_there_is_exit_code_2() {
    let done = run(&["lint", "no-such-folder"]);
    assert_eq!((done.code, done.out.as_str()), (2, ""));
    assert!(done.err.contains("no-such-folder") && done.err.contains("help: "), "{}", done.err);
}

#[test]
fn no_flux_object_is_an_error_unless_allowed() {
    let done = run(&["lint"]);
    assert_eq!((done.code, done.out.as_str()), (2, ""));
    assert!(done.err.contains("--allow-empty"), "{}", done.err);
    let done = run(&["lint", "--allow-empty"]);
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    assert_eq!(done.out, "no problems found: there are no Flux objects here\n");
    let done = run(&["lint", "--allow-empty", "-q"]);
    assert_eq!((done.code, done.out.as_str(), done.err.as_str()), (0, "", ""));
}

#[test]
fn formats_go_where_they_are_sent() {
    let concise = run(&["lint", "--allow-empty", "-o", "concise"]);
    assert_eq!(concise.out, "");
    assert!(concise.err.starts_with("no problems found"), "{}", concise.err);

    let folder = Repository::empty();
    let file = folder.run(&["lint", "--allow-empty", "-o", "full", "-o", "json=out.json"]);
    assert!(file.out.starts_with("no problems found"), "{}", file.out);
    assert_eq!(file.err, "wrote out.json\n");
    let json = folder.read("out.json");
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&json["schema_version"], &json["findings"]), (&2.into(), &serde_json::json!([])));

    let missing = run(&["lint", "--allow-empty", "-o", "json=no/such/folder.json"]);
    assert_eq!(missing.code, 2);
    assert!(missing.err.contains("no/such/folder.json"), "{}", missing.err);
}

#[test]
fn the_environment_names_the_default_format() {
    let json = run_with(&["lint", "--allow-empty"], &[("FLUXDAG_FORMAT", "json")]);
    assert!(json.out.starts_with('{') && json.err.is_empty(), "{}", json.out);
    let full = run_with(&["lint", "--allow-empty", "-o", "full"], &[("FLUXDAG_FORMAT", "json")]);
    assert!(full.out.starts_with("no problems"), "{}", full.out);
    let wrong = run_with(&["lint", "--allow-empty"], &[("FLUXDAG_FORMAT", "x")]);
    assert!(wrong.code == 2 && wrong.err.contains("FLUXDAG_FORMAT: `x` is no output format"), "{}", wrong.err);
    let empty = run_with(&["lint", "--allow-empty"], &[("FLUXDAG_FORMAT", "")]);
    assert_eq!(empty.code, 0);
}

#[test]
fn colour_is_asked_for_or_absent() {
    assert!(!run(&["rules"]).out.contains('\u{1b}'));
    assert!(run(&["rules", "--color", "always"]).out.contains('\u{1b}'));
    assert!(run_with(&["rules"], &[("FORCE_COLOR", "1")]).out.contains('\u{1b}'));
    assert!(!run_with(&["rules"], &[("FORCE_COLOR", "1"), ("NO_COLOR", "1")]).out.contains('\u{1b}'));
    assert!(run(&["--color=always", "lnt"]).err.contains('\u{1b}'));
    assert!(run(&["lint", "nowhere", "--color=always"]).err.contains('\u{1b}'));
}

#[test]
fn a_closed_pipe_is_no_error() {
    let folder = Repository::empty();
    let done = Program::new(folder.folder(), &["explain", "dependency-cycle"]).run_unread();
    assert_eq!((done.code, done.err.as_str()), (0, ""));
}

#[test]
fn two_outputs_do_not_overwrite_each_other() {
    let folder = Repository::empty();
    let done = folder.run(&["lint", "--allow-empty", "-o", "json=a.json", "-o", "sarif=./a.json"]);
    assert_eq!(done.code, 2, "{}", done.err);
    assert!(done.err.contains("cannot both go to ./a.json"), "{}", done.err);
    assert!(!folder.path("a.json").exists());
    // `-` is standard output, as it is standard input among the paths.
    let dash = folder.run(&["lint", "--allow-empty", "-o", "json=-"]);
    assert!(dash.code == 0 && dash.out.starts_with('{'), "{}", dash.err);
    assert!(!folder.path("-").exists());
}

#[test]
fn advice_where_there_is_nothing_fits_the_command() {
    let empty = |arguments: &[&str]| {
        let done = run(arguments);
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{arguments:?}");
        done.err
    };
    assert!(empty(&["lint"]).contains("--allow-empty"));
    for arguments in [&["init"][..], &["render", "apps"], &["why", "apps"], &["timeline"], &["impact", "apps"]] {
        let said = empty(arguments);
        assert!(said.contains("help: ") && !said.contains("--allow-empty"), "{arguments:?}: {said}");
        assert_eq!(run(&[arguments, &["--allow-empty"]].concat()).code, 2, "{arguments:?} has no such flag");
    }
}

#[test]
fn paths_of_two_repositories_are_not_taken_for_one_in_silence() {
    let folder = Repository::empty();
    let manifest = fs::read(fixture("heavy-in-wait/clusters/home/core.yaml")).expect("a fixture");
    for part in ["one", "other", "one/nested"] {
        fs::create_dir_all(folder.path(part).join(".git")).expect("a folder");
        folder.write(&format!("{part}/core.yaml"), &manifest);
    }
    let said = |paths: [&str; 2]| {
        let [one, other] = paths.map(|path| folder.path(path).to_str().expect("text").to_owned());
        let done = run(&["lint", "--exit-zero", &one, &other]);
        (done.code, done.err)
    };
    let (code, error) = said(["one", "other"]);
    assert!(code == 2 && error.contains("lie in different repositories"), "{error}");
    assert_eq!(said(["one", "one/nested"]).0, 0);
    assert_eq!(said(["one", "one/core.yaml"]).0, 0);
}
