//! What the facts of a cluster say is stopped, beside what real controllers did with the same files.

use std::{collections::BTreeMap, fs, path::PathBuf};

use fluxdag::{
    cluster::{Scope, discover, resolve},
    finding::Confidence,
    situation::{Facts, View},
    source::Tree,
    yaml::Store,
};
use serde::Deserialize;

/// An example of a rule page, and what became of it.
#[derive(Deserialize)]
struct Example {
    label: String,
    files: BTreeMap<String, String>,
    /// What the real cluster did not have, so that it says nothing about who becomes Ready.
    lab_lacks: Option<String>,
    observed: BTreeMap<String, Observed>,
}

#[derive(Deserialize)]
struct Observed {
    ready_s: Option<f64>,
    /// The last Ready condition: status, reason, message.
    last: Option<[Option<String>; 3]>,
}

impl Observed {
    /// Whether a build, an apply or the reading of values failed last, and by which reason.
    fn failure(&self) -> Option<&str> {
        let [_, reason, _] = self.last.as_ref().filter(|_| self.ready_s.is_none())?;
        let failures = ["BuildFailed", "ReconciliationFailed", "ValuesError"];
        reason.as_deref().filter(|reason| failures.contains(reason))
    }
}

/// Rules whose facts are builds, inputs and manifests.
const RULES: [&str; 8] = [
    "build-failure",
    "decryption-missing",
    "duplicate-node",
    "invalid-manifest",
    "invalid-yaml",
    "missing-substitute-source",
    "unknown-field",
    "unset-variable",
];

/// The examples that `FLUXDAG_REAL` holds; `None`, said aloud, where it is not set.
fn examples() -> Option<Vec<Example>> {
    let Some(folder) = std::env::var_os("FLUXDAG_REAL") else {
        eprintln!("skipped: FLUXDAG_REAL names no folder of what real controllers did");
        return None;
    };
    let path = PathBuf::from(folder).join("examples.json");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Some(serde_json::from_str(&text).unwrap())
}

/// The objects that some blocker stops for sure, each with the first reason.
fn stopped(example: &Example) -> BTreeMap<String, String> {
    let files = example.files.iter().map(|(path, text)| (path.clone(), text.clone().into_bytes()));
    let store = Store::new(Tree::from_memory(files));
    let clusters = resolve(&store, "", &discover(&store, &Scope::default()), None);
    let mut stopped = BTreeMap::new();
    for view in clusters.iter().map(|cluster| View { cluster, clusters: &clusters, store: &store }) {
        let blockers = Facts::find(view).blockers();
        for blocker in blockers.into_iter().filter(|blocker| blocker.confidence > Confidence::Low) {
            stopped.entry(blocker.actor.subject(view.cluster).to_string()).or_insert(blocker.text);
        }
    }
    stopped
}

#[test]
fn what_a_real_cluster_failed_to_build_or_apply_has_a_blocker() {
    let mut checked = 0;
    let mut wrong = Vec::new();
    for example in examples().into_iter().flatten().filter(|example| example.lab_lacks.is_none()) {
        let rule = example.label.split('/').next().unwrap_or_default();
        let stopped = stopped(&example);
        for (object, observed) in example.observed.iter().filter(|_| RULES.contains(&rule)) {
            checked += 1;
            if let Some(reason) = observed.failure().filter(|_| !stopped.contains_key(object)) {
                wrong.push(format!("{}: {object} ended in {reason} and has no blocker", example.label));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(checked > 40 || std::env::var_os("FLUXDAG_REAL").is_none(), "{checked} objects");
}

#[test]
fn what_became_ready_in_a_real_cluster_has_none() {
    let mut wrong = Vec::new();
    for example in examples().into_iter().flatten().filter(|example| example.lab_lacks.is_none()) {
        let stopped = stopped(&example);
        for (object, observed) in &example.observed {
            if let Some(text) = stopped.get(object).filter(|_| observed.ready_s.is_some()) {
                wrong.push(format!("{}: {object} became Ready, but {text}", example.label));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
