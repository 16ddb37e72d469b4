//! Small builds and what kustomize 5.5 makes of them, by subject in `cases/*.txt`: files, then `RESULT` as `kubectl
//! kustomize` prints it, or `FAILS` with the place of the fault. Where a `kubectl` with kustomize 5.5 is on the path, the
//! stored results are held against what it prints.

use std::{fs, process::Command};

use fluxdag::{
    kustomize::{Build, Kustomize, legacy_order},
    source::{Artifact, FileId, Tree},
    yaml::{Node, Store, parse},
};

use crate::support::{Repository, entries, root};

struct Case {
    name: String,
    files: Vec<(String, Vec<u8>)>,
    result: Option<String>,
    fails: String,
}

fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for path in entries(&root().join("tests/it/kustomize/cases")) {
        let subject = path.file_stem().expect("named").to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).expect("read");
        for case in text.split("==== ").skip(1) {
            let (name, rest) = case.split_once('\n').expect("a name");
            cases.push(read(format!("{subject}: {name}"), rest));
        }
    }
    cases
}

fn read(name: String, text: &str) -> Case {
    let mut case = Case { name, files: Vec::new(), result: None, fails: String::new() };
    let mut parts: Vec<(&str, String)> = Vec::new();
    for line in text.split_inclusive('\n') {
        match line.trim_end().strip_prefix("-- ").and_then(|line| line.strip_suffix(" --")) {
            Some(path) => parts.push((path, String::new())),
            None => parts.last_mut().expect("a part").1.push_str(line),
        }
    }
    for (path, text) in parts {
        match path {
            "RESULT" => case.result = Some(text),
            "FAILS" => case.fails = text.trim().to_owned(),
            path if path.ends_with(".bin") => case.files.push((path.to_owned(), bytes(text.trim()))),
            path => case.files.push((path.to_owned(), text.into_bytes())),
        }
    }
    case
}

/// The bytes of a `.bin` file, which stand in hexadecimal.
fn bytes(text: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal");
    (0..text.len()).step_by(2).map(byte).collect()
}

fn top(case: &Case) -> &'static str {
    if case.files.iter().any(|(path, _)| path.starts_with("top/")) { "top" } else { "" }
}

/// The build, and the place of its first fault.
fn build(files: &[(String, Vec<u8>)], top: &str) -> (Build, String) {
    let store = Store::new(Tree::from_memory(files.to_vec()));
    let kustomize = Kustomize::new(&store, Artifact::new(store.tree(), "", |_| true));
    let mut build = kustomize.build(top, None);
    let sorts = kustomize.kustomization_node(top).is_some_and(|node| node.get("sortOptions").is_some());
    if !sorts {
        legacy_order(&mut build.objects);
    }
    let place = build.errors.first().map(|error| {
        let at = store.tree().position(error.span);
        format!("{}:{}", store.tree().path(error.span.file), at.line)
    });
    (build, place.unwrap_or_default())
}

fn documents(text: &str) -> Vec<Node> {
    let documents = parse(FileId::NONE, text.as_bytes()).documents.into_iter();
    documents.map(|document| document.root).filter(|root| !root.is_null()).collect()
}

/// What is wrong with a build of a case.
fn fault(case: &Case, files: &[(String, Vec<u8>)]) -> Option<String> {
    let (build, place) = build(files, top(case));
    let errors: Vec<&String> = build.errors.iter().map(|error| &error.message).collect();
    let Some(result) = &case.result else {
        if place == case.fails && !(errors.is_empty() && build.unresolved.is_empty()) {
            return None;
        }
        return Some(format!("fails at `{place}`, not at `{}`: {errors:?}", case.fails));
    };
    if !errors.is_empty() || !build.unresolved.is_empty() {
        return Some(format!("{errors:?} {:?}", build.unresolved));
    }
    let wanted = documents(result);
    let built: Vec<Node> = build.objects.into_iter().map(|object| object.node).collect();
    (built != wanted).then(|| {
        let json = |nodes: &[Node]| serde_json::to_string_pretty(nodes).expect("JSON");
        format!("built {}\nwanted {}", json(&built), json(&wanted))
    })
}

#[test]
fn every_case_gives_what_kustomize_gives() {
    let cases = cases();
    assert!(cases.len() > 50);
    let faults: Vec<String> = cases
        .iter()
        .filter_map(|case| fault(case, &case.files).map(|fault| format!("{}: {fault}", case.name)))
        .collect();
    assert!(faults.is_empty(), "{} of {} cases:\n{}", faults.len(), cases.len(), faults.join("\n\n"));
}

#[test]
fn the_order_of_files_changes_nothing() {
    for case in cases() {
        let mut files = case.files.clone();
        files.reverse();
        assert_eq!(fault(&case, &files), None, "{}", case.name);
        let half = files.len() / 2;
        files.rotate_left(half);
        assert_eq!(fault(&case, &files), None, "{}", case.name);
    }
}

#[test]
fn threads_share_a_builder_without_a_trace() {
    let mut files = Vec::new();
    let cases = cases();
    for (index, case) in cases.iter().enumerate() {
        files.extend(case.files.iter().map(|(path, bytes)| (format!("{index}/{path}"), bytes.clone())));
    }
    let store = Store::new(Tree::from_memory(files));
    let kustomize = Kustomize::new(&store, Artifact::new(store.tree(), "", |_| true));
    let built = |index: usize| {
        let objects = kustomize.build(&format!("{index}/{}", top(&cases[index])), None).objects;
        objects.into_iter().map(|object| object.node).collect::<Vec<Node>>()
    };
    let alone: Vec<Vec<Node>> = (0..cases.len()).map(built).collect();
    std::thread::scope(|scope| {
        let run = || (0..cases.len()).rev().map(built).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(run)).collect();
        for thread in threads {
            let mut reversed = thread.join().expect("built");
            reversed.reverse();
            assert_eq!(reversed, alone);
        }
    });
}

/// What a build gives is built again into the same.
#[test]
fn results_are_their_own_builds() {
    for case in cases() {
        let Some(result) = case.result.as_ref().filter(|result| !result.trim().is_empty()) else { continue };
        let files = vec![
            ("r.yaml".to_owned(), result.clone().into_bytes()),
            ("kustomization.yaml".to_owned(), b"resources: [r.yaml]\nsortOptions: {order: fifo}\n".to_vec()),
        ];
        let (build, _) = build(&files, "");
        // What must not be read twice: local objects, annotations that a build takes out, objects without a name.
        let built: Vec<Node> = build.objects.into_iter().map(|object| object.node).collect();
        if build.errors.is_empty() && !result.contains("config.kubernetes.io/") {
            assert_eq!(built, documents(result), "{}", case.name);
        }
    }
}

#[test]
fn stored_results_are_those_of_kubectl() {
    let version = Command::new("kubectl").args(["version", "--client"]).output();
    let known =
        version.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("Kustomize Version: v5.5."));
    if !known {
        println!("SKIPPED: no kubectl with kustomize 5.5 on the path");
        return;
    }
    let mut compared = 0;
    for case in cases() {
        let folder = Repository::new(&case.files);
        let run = Command::new("kubectl")
            .args(["kustomize", "--load-restrictor", "LoadRestrictionsNone"])
            .arg(folder.path(top(&case)))
            .output()
            .expect("kubectl runs");
        let printed = run.status.success().then(|| documents(&String::from_utf8_lossy(&run.stdout)));
        assert_eq!(printed, case.result.as_deref().map(documents), "{}", case.name);
        compared += 1;
    }
    println!("{compared} cases compared with kubectl");
}
