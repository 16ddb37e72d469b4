//! Builds every path of the corpus and compares objects, order and digests with what `kubectl kustomize` made of it.

use std::{collections::BTreeMap, fmt::Write as _, fs, time::Instant};

use fluxdag::{
    flux::{Generated, IgnoreRules, generated_kustomization},
    kustomize::{Build, Error, Kustomize, legacy_order},
    source::{Artifact, Tree},
    yaml::{Node, Store},
};
use rayon::prelude::*;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::support::{corpus, entries};

struct Outcome {
    path: String,
    wrong: Option<String>,
}

#[test]
fn builds_equal_those_of_kustomize() {
    let Some(corpus) = corpus() else { return };
    let only = std::env::var("FLUXDAG_GOLDEN").unwrap_or_default();
    let (mut total, mut matched, mut shown) = (0, 0, 0);
    for golden in entries(&corpus.join("golden")) {
        let name = golden.file_stem().expect("named").to_string_lossy().into_owned();
        if !name.contains(&only) {
            continue;
        }
        let repository = corpus.join("repos").join(name.replace(".incidents__", ".incidents/"));
        let started = Instant::now();
        let tree = Tree::load(&repository).expect("a repository");
        let store = Store::new(tree);
        let rules = IgnoreRules::for_git(store.tree(), "", None);
        let artifact = Artifact::new(store.tree(), "", |path| rules.keeps(path));
        let kustomize = Kustomize::new(&store, artifact);
        let text = fs::read_to_string(&golden).expect("read");
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let outcomes: Vec<Outcome> =
            lines.par_iter().map(|line| check(&kustomize, kustomize.artifact(), store.tree(), line)).collect();
        let good = outcomes.iter().filter(|outcome| outcome.wrong.is_none()).count();
        println!("{name}: {good}/{} in {:?}", outcomes.len(), started.elapsed());
        total += outcomes.len();
        matched += good;
        for outcome in outcomes.iter().filter(|outcome| outcome.wrong.is_some()) {
            shown += 1;
            if shown <= 40 || !only.is_empty() {
                println!("  MISMATCH {}: {}", outcome.path, outcome.wrong.as_deref().unwrap_or_default());
            }
        }
    }
    println!("TOTAL {matched}/{total}");
    assert_eq!(matched, total);
}

/// Faults that only kubectl's setting has, not Flux's.
fn is_only_kubectls(error: &str) -> bool {
    [
        "no 'git' program",
        "no network",
        "Could not resolve host",
        "git cmd",
        "http",
        "helm",
        "dial tcp",
        "unable to access",
        "hit 27s timeout",
        "git fetch",
    ]
    .iter()
    .any(|reason| error.contains(reason))
}

fn check(kustomize: &Kustomize<'_>, artifact: &Artifact, tree: &Tree, line: &Value) -> Outcome {
    let path = line["path"].as_str().expect("a path");
    let dir = if path == "." { "" } else { path };
    let (root, errors) = match line["generated"] == true {
        true => generated(line, kustomize.store(), artifact, dir),
        false => (None, Vec::new()),
    };
    let mut build = kustomize.build(dir, root.as_ref());
    build.errors.extend(errors);
    let wrong = match (line["error"].as_str(), line["objects"].as_array()) {
        (Some(_), _) if !build.errors.is_empty() => None,
        (Some(error), _) if error.contains("is empty") || (is_only_kubectls(error) && !build.unresolved.is_empty()) => {
            None
        }
        (Some(error), _) => Some(format!("built, but kustomize says: {}", error.chars().take(600).collect::<String>())),
        (None, Some(objects)) => compare(&mut build, objects, tree),
        (None, None) => None,
    };
    Outcome { path: path.to_owned(), wrong }
}

fn compare(build: &mut Build, wanted: &[Value], tree: &Tree) -> Option<String> {
    if !build.errors.is_empty() {
        let mut text = String::new();
        for error in build.errors.iter().take(3) {
            let at = tree.position(error.span);
            let _ = write!(text, "{}:{}: {}; ", tree.path(error.span.file), at.line, error.message);
        }
        return Some(text);
    }
    legacy_order(&mut build.objects);
    let got: Vec<(String, String, String)> = build
        .objects
        .iter()
        .map(|object| {
            let canonical = canonical(&object.node);
            (object.id().to_string(), hex(&Sha256::digest(canonical.as_bytes())), canonical)
        })
        .collect();
    let id = |object: &Value| {
        let text = |key: &str| object[key].as_str().unwrap_or_default();
        match object["namespace"].as_str() {
            Some(namespace) => format!("{}/{namespace}/{}", text("kind"), text("name")),
            None => format!("{}/{}", text("kind"), text("name")),
        }
    };
    let ids: Vec<&String> = got.iter().map(|(id, ..)| id).collect();
    let wanted_ids: Vec<String> = wanted.iter().map(id).collect();
    if ids != wanted_ids.iter().collect::<Vec<_>>() {
        let missing: Vec<_> = wanted_ids.iter().filter(|id| !ids.contains(id)).take(5).collect();
        let extra: Vec<_> = ids.iter().filter(|id| !wanted_ids.contains(id)).take(5).collect();
        return Some(format!("missing {missing:?}, extra {extra:?} (or another order)"));
    }
    got.iter()
        .zip(wanted)
        .find(|((_, digest, _), wanted)| wanted["sha256"] != digest.as_str())
        .map(|((id, _, text), _)| format!("{id} differs: {}", text.chars().take(15_000).collect::<String>()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The corpus' canonical JSON.
fn canonical(node: &Node) -> String {
    fn sorted(value: Value) -> Value {
        match value {
            Value::Object(map) => {
                let entries: BTreeMap<String, Value> = map.into_iter().collect();
                entries.into_iter().map(|(key, value)| (key, sorted(value))).collect()
            }
            Value::Array(items) => items.into_iter().map(sorted).collect(),
            Value::Number(number) => match number.as_f64() {
                Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0 => {
                    Value::from(float as i64)
                }
                _ => Value::Number(number),
            },
            other => other,
        }
    }
    fn write(value: &Value, out: &mut String) {
        match value {
            Value::Object(map) => {
                out.push('{');
                for (index, (key, value)) in map.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { "," });
                    let _ = write!(out, "{}:", Value::from(key.as_str()));
                    write(value, out);
                }
                out.push('}');
            }
            Value::Array(items) => {
                out.push('[');
                for (index, value) in items.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { "," });
                    write(value, out);
                }
                out.push(']');
            }
            Value::Number(number) if number.is_f64() => out.push_str(&python(number.as_f64().expect("a float"))),
            other => out.push_str(&other.to_string()),
        }
    }
    let mut out = String::new();
    write(&sorted(serde_json::to_value(node).expect("JSON")), &mut out);
    out
}

/// A float as Python spells it.
fn python(float: f64) -> String {
    let text = format!("{float:e}");
    let (digits, exponent) = text.split_once('e').expect("an exponent");
    let exponent: i32 = exponent.parse().expect("a number");
    if (-4..16).contains(&exponent) {
        return format!("{float:?}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// The kustomization that Flux makes for a path; it must list what the golden lists.
fn generated(line: &Value, store: &Store, artifact: &Artifact, dir: &str) -> (Option<Node>, Vec<Error>) {
    let Generated { root, errors, .. } = generated_kustomization(store, artifact, dir);
    if let (Some(listed), true) = (line["resources"].as_array(), errors.is_empty()) {
        let entries: Vec<_> = root.get("resources").expect("set").items().filter_map(Node::as_str).collect();
        assert_eq!(entries, listed.iter().filter_map(Value::as_str).collect::<Vec<_>>(), "{dir}");
    }
    (Some(root), errors)
}
