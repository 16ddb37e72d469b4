//! What becomes of every object with a commit, compared with what real controllers did: kustomize-controller 1.9.4 and
//! helm-controller 1.6.3 on a real API server. The recordings lie where `FLUXDAG_REAL` says.

use std::collections::BTreeMap;

use fluxdag::{
    Options, Session,
    cluster::{NodeKey, ObjectKey},
    situation::fates::{By, Deletion, Fate, Fates, UninstallReason},
};
use serde::Deserialize;
use serde_json::Value;

use crate::support::{Repository, SYNC, SYNC_FILE, reached, recorded};

/// A commit, and what became of the objects of the running cluster.
#[derive(Debug, Deserialize)]
struct Commit {
    label: String,
    before: BTreeMap<String, String>,
    after: BTreeMap<String, String>,
    /// What became of each object that was touched, in words.
    fate: BTreeMap<String, String>,
    /// What the cluster did not have. Then the recording says nothing.
    lab_lacks: Option<Value>,
}

/// Where the prediction differs from a recording, and why that is right.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("namespace-renamed-to-flux-system", "ConfigMap/default/r", EMPTIES),
    ("namespace-renamed-to-flux-system", "Kustomization/flux-system/rest", EMPTIES),
    ("namespace-renamed-to-flux-system", "GitRepository/flux-system/flux-system", EMPTIES),
    (
        "page/teardown-order/Bad/An operator of manifests",
        "Queue/default/orders",
        "not watched, and held by its finalizer: the operator that takes it off does not exist there",
    ),
];

const EMPTIES: &str = "nothing empties a namespace there, so what Flux has in its own, and all that it applied, outlives it";

/// Commits in which it depends on who comes first. The recordings show one outcome of it.
const RACES: &[&str] = &[
    "case/objects-move-to-child/bad",
    "moved-between-siblings",
    "page/ownership-move/Bad/To another folder",
    "release-moved-to-sibling",
];

fn repository(files: &BTreeMap<String, String>) -> Repository {
    let repository = Repository::new(&files.iter().collect::<Vec<_>>());
    if !files.contains_key(SYNC_FILE) {
        repository.write(SYNC_FILE, SYNC);
    }
    repository
}

/// The name of an object as the recordings have it.
fn name(key: &ObjectKey) -> String {
    let kind = if key.kind == "CustomResourceDefinition" { "CRD" } else { key.kind.as_str() };
    format!("{kind}/{}/{}", key.namespace, key.name)
}

/// Whether it was deleted, and whether it was made again: what waits for a finalizer cannot be made again.
fn observed(text: &str) -> Option<bool> {
    if text.starts_with("being deleted") {
        return Some(true);
    }
    text.starts_with("deleted").then(|| text.contains("created again"))
}

/// What the recording and the prediction disagree about: object and how.
fn compare(commit: &Commit) -> Vec<(String, String)> {
    let (before, after) = (repository(&commit.before), repository(&commit.after));
    let options = Options::default();
    let surveys = [&before, &after].map(|one| fluxdag::survey(&[one.folder().to_owned()], &options).expect("a survey"));
    let sessions = [&surveys[0], &surveys[1]].map(|survey| Session::new(survey, &options));
    let [one, other] = [reached(&sessions[0])[0], reached(&sessions[1])[0]];
    let fates = Fates::new(one, other);
    let mut wrong = Vec::new();
    let is_race = fates.deleted().any(|(_, deletion)| deletion.race);
    if is_race != RACES.contains(&commit.label.as_str()) {
        wrong.push((String::new(), format!("a race: predicted {is_race}")));
    }
    let mut differ = |name: String, how: String| wrong.push((name, how));
    for key in one.cluster.objects.keys() {
        let seen = commit.fate.get(&name(key)).and_then(|text| observed(text));
        let deletion = match fates.of(key) {
            Some(Fate::Deleted(deletion)) => Some(deletion),
            _ => None,
        };
        match (deletion, seen) {
            (None, None) | (Some(Deletion { race: true, .. }), _) => {}
            // Nothing deletes the contents of a namespace or a CRD there: both hang in deletion.
            (Some(Deletion { by: By::Namespace | By::Crd, .. }), _) => {}
            (Some(_), None) => differ(name(key), "predicted to be deleted, and kept".to_owned()),
            (None, Some(_)) => differ(name(key), "predicted to be kept, and deleted".to_owned()),
            (Some(deletion), Some(again)) => {
                // What waits for a finalizer, or lies in a namespace that does, cannot be made again.
                let waits = |name: &str| commit.fate.get(name).is_some_and(|text| text.starts_with("being deleted"));
                let is_held = waits(&name(key)) || waits(&format!("Namespace//{}", key.namespace));
                if deletion.again != again && !is_held {
                    differ(name(key), format!("made again: predicted {}, observed {again}", deletion.again));
                }
            }
        }
    }
    // What charts make is in no build: `NAME-main` is the Deployment of the release NAME.
    for (object, text) in commit.fate.iter().filter(|(object, _)| object.ends_with("-main")) {
        let parts: Vec<&str> = object.trim_end_matches("-main").split('/').collect();
        let uninstalled = fates.uninstalled().get(&NodeKey::new(parts[1], parts[2]));
        let is_same = match (observed(text), uninstalled) {
            (None, None) => true,
            (Some(again), Some(of)) => match &of.reason {
                UninstallReason::Deleted(deletion) => again == deletion.again,
                // Its objects have other names then.
                UninstallReason::Field(_) => !again,
            },
            _ => false,
        };
        if !is_same {
            differ(object.clone(), format!("{text}, and predicted {uninstalled:?}"));
        }
    }
    wrong
}

#[test]
fn what_a_commit_deletes_is_what_real_controllers_delete() {
    let Some(commits) = recorded::<Vec<Commit>>("changes.json") else { return };
    let judged: Vec<&Commit> = commits.iter().filter(|commit| commit.lab_lacks.is_none()).collect();
    let mut problems = Vec::new();
    let mut unused: Vec<_> = EXCEPTIONS.to_vec();
    for commit in &judged {
        for (object, how) in compare(commit) {
            let is_known = |(label, of, _): &(&str, &str, &str)| *label == commit.label && *of == object;
            match unused.iter().position(is_known) {
                Some(index) => drop(unused.remove(index)),
                None => problems.push(format!("{}: {object}: {how}", commit.label)),
            }
        }
    }
    problems.extend(unused.iter().map(|(label, object, _)| format!("{label}: {object}: agrees, so it is no exception")));
    println!("{} commits compared", judged.len());
    assert!(judged.len() > 40 && problems.is_empty(), "{}", problems.join("\n"));
}
