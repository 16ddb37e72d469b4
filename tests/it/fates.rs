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

use crate::support::{Program, Repository, SYNC, SYNC_FILE, reached, recorded};

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

const EMPTIES: &str =
    "nothing empties a namespace there, so what Flux has in its own, and all that it applied, outlives it";

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
                UninstallReason::Deleted => again == of.again,
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
    problems
        .extend(unused.iter().map(|(label, object, _)| format!("{label}: {object}: agrees, so it is no exception")));
    println!("{} commits compared", judged.len());
    assert!(judged.len() > 40 && problems.is_empty(), "{}", problems.join("\n"));
}

/// The findings of a commit that leads from some files to others: rule, severity and message of each that is no advice.
fn lint(before: &[(&str, &str)], after: &[(&str, &str)]) -> Vec<String> {
    let repository = Repository::committed(&[&[(SYNC_FILE, SYNC)], before].concat());
    for (path, _) in before.iter().filter(|(path, _)| !after.iter().any(|(kept, _)| kept == path)) {
        repository.remove(path);
    }
    for (path, text) in after {
        repository.write(path, text);
    }
    let json = repository.json(&["lint", "--since", "HEAD"]);
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    let told = json["findings"].as_array().expect("a list").iter().map(|finding| {
        format!("{} {}: {}", text(finding, "rule"), text(finding, "severity"), text(finding, "message"))
    });
    told.collect()
}

fn node(name: &str, more: &str) -> String {
    format!(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: flux-system}}\nspec:\n  \
         interval: 1h\n  retryInterval: 2m\n  path: ./{name}\n  sourceRef: {{kind: GitRepository, name: flux-system}}\n{more}"
    )
}

const PRUNE: &str = "  prune: true\n";
const CLAIM: &str = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data, namespace: default}\nspec:\n  accessModes: \
                     [ReadWriteOnce]\n  resources: {requests: {storage: 1Gi}}\n";
const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: rest, namespace: default}\n";

#[test]
fn protection_in_the_same_commit_may_come_too_late() {
    let (pruned, kept) = (node("app", PRUNE), node("app", "  prune: false\n"));
    let files = |node: &'static str| vec![("app/rest.yaml", MAP), ("clusters/prod/app.yaml", node)];
    let (pruned, kept): (&'static str, &'static str) = (pruned.leak(), kept.leak());
    let with_claim = |node| [files(node), vec![("app/claim.yaml", CLAIM)]].concat();
    assert_eq!(
        lint(&with_claim(pruned), &files(kept)),
        ["data-loss warning: PersistentVolumeClaim/default/data may be deleted with its data"]
    );
    assert_eq!(lint(&with_claim(kept), &files(kept)), [""; 0]);
    assert_eq!(
        lint(&with_claim(pruned), &files(pruned)),
        ["data-loss error: PersistentVolumeClaim/default/data is deleted with its data"]
    );
}

#[test]
fn what_is_no_longer_applied_stays_in_the_inventory() {
    let app = node("app", PRUNE);
    let marked = |mark: &str| {
        let annotations = format!("namespace: default, annotations: {{kustomize.toolkit.fluxcd.io/{mark}}}");
        CLAIM.replace("namespace: default", &annotations)
    };
    let claims = ["reconcile: disabled", "ssa: Ignore", "ssa: IfNotPresent"].map(marked);
    let files = |claim| [("app/rest.yaml", MAP), ("clusters/prod/app.yaml", app.as_str()), ("app/claim.yaml", claim)];
    for claim in &claims {
        assert_eq!(lint(&files(CLAIM), &files(claim)), [""; 0], "{claim}");
    }
    // A list that puts the mark on everything does the same.
    let list =
        "resources: [rest.yaml, claim.yaml]\ncommonAnnotations: {kustomize.toolkit.fluxcd.io/reconcile: disabled}\n";
    let with_list = [&files(CLAIM)[..], &[("app/kustomization.yaml", list)]].concat();
    assert_eq!(lint(&files(CLAIM), &with_list), [""; 0]);
    // So does a Kustomization that its parent no longer applies, with all that it applied.
    let frozen = app.replace(
        "namespace: flux-system}",
        "namespace: flux-system, annotations: {kustomize.toolkit.fluxcd.io/reconcile: disabled}}",
    );
    let with_frozen = [("app/rest.yaml", MAP), ("clusters/prod/app.yaml", &frozen), ("app/claim.yaml", CLAIM)];
    assert_eq!(lint(&files(CLAIM), &with_frozen), [""; 0]);
    // Another owner that does not apply it either is none: the former one deletes it.
    let other = node("other", PRUNE);
    let moved = marked("reconcile: disabled");
    let nodes =
        [("app/rest.yaml", MAP), ("clusters/prod/app.yaml", app.as_str()), ("clusters/prod/other.yaml", &other)];
    let rest = MAP.replace("rest", "other");
    let nodes = [&nodes[..], &[("other/rest.yaml", rest.as_str())]].concat();
    assert_eq!(
        lint(
            &[&nodes[..], &[("app/claim.yaml", CLAIM)]].concat(),
            &[&nodes[..], &[("other/claim.yaml", &moved)]].concat()
        ),
        ["data-loss error: PersistentVolumeClaim/default/data is deleted with its data"]
    );
}

#[test]
fn what_leaves_an_entry_point_is_protected_by_its_own_annotation() {
    let (app, namespace) = (node("app", PRUNE), "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n");
    let repository = Repository::committed(&[
        (SYNC_FILE, SYNC),
        ("clusters/prod/app.yaml", &app),
        ("clusters/prod/namespace.yaml", namespace),
        ("app/claim.yaml", &CLAIM.replace("namespace: default", "namespace: shop")),
    ]);
    repository.git(&["mv", "clusters/prod/namespace.yaml", "app/namespace.yaml"]);
    let json = repository.json(&["lint", "--since", "HEAD"]);
    let found: Vec<&Value> = json["findings"].as_array().expect("a list").iter().collect();
    assert_eq!(found.len(), 1, "{json}");
    assert_eq!(found[0]["subject"]["kind"], "Namespace", "{json}");
    let help = found[0]["help"].as_str().expect("an advice");
    assert!(help.contains("prune: disabled` on Namespace/shop") && !help.contains("prune: false"), "{help}");
}

#[test]
fn what_a_failing_or_foreign_build_no_longer_shows_is_kept() {
    let app = node("app", PRUNE);
    let list = |entry: &str| format!("resources:\n  - rest.yaml\n  - {entry}\n");
    let (own, broken) = (list("claim.yaml"), list("nowhere.yaml"));
    let foreign = list("https://example.com/base.git?ref=v1");
    let files = |list| {
        [
            ("app/rest.yaml", MAP),
            ("app/claim.yaml", CLAIM),
            ("clusters/prod/app.yaml", app.as_str()),
            ("app/kustomization.yaml", list),
        ]
    };
    for after in [&broken, &foreign] {
        let found = lint(&files(&own), &files(after));
        assert!(!found.iter().any(|line| line.starts_with("data-loss")), "{found:?}");
    }
    let found = lint(&files(&own), &files("resources: [rest.yaml]\n"));
    assert_eq!(found, ["data-loss error: PersistentVolumeClaim/default/data is deleted with its data"]);
}

#[test]
fn a_cluster_without_its_sync_file_deletes_itself() {
    let app = node("app", PRUNE);
    let before = [("app/rest.yaml", MAP), ("clusters/prod/app.yaml", app.as_str())];
    let repository = Repository::committed(&[&[(SYNC_FILE, SYNC)], &before[..]].concat());
    repository.remove(SYNC_FILE);
    let found = repository.lint(&["--since", "HEAD"]);
    assert!(
        found.code == 1 && found.out.contains("error[data-loss] Flux deletes itself"),
        "{}{}",
        found.out,
        found.err
    );
    // Without its folder the build fails, and nothing is deleted.
    repository.remove("clusters/prod/app.yaml");
    let found = repository.lint(&["--since", "HEAD"]);
    assert!(!found.out.contains("data-loss"), "{}", found.out);
}

#[test]
fn a_crd_takes_the_objects_of_others_along() {
    let crd = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: queues.example.org}\nspec:\n  group: \
               example.org\n  names: {kind: Queue, plural: queues}\n  scope: Namespaced\n  versions:\n    - name: v1\n      served: true\n      \
               storage: true\n      schema: {openAPIV3Schema: {type: object}}\n";
    let queue = "apiVersion: example.org/v1\nkind: Queue\nmetadata: {name: orders, namespace: default}\n";
    let (crds, app) = (node("crds", PRUNE), node("app", PRUNE));
    let nodes =
        [("clusters/prod/crds.yaml", crds.as_str()), ("clusters/prod/app.yaml", app.as_str()), ("crds/rest.yaml", MAP)];
    let before = [&nodes[..], &[("crds/crd.yaml", crd), ("app/queue.yaml", queue)]].concat();
    let after = [&nodes[..], &[("app/queue.yaml", queue)]].concat();
    let found = lint(&before, &after);
    let message = "data-loss error: CustomResourceDefinition/queues.example.org is deleted with what others have there: \
                   Queue/default/orders";
    assert!(found.iter().any(|line| line == message), "{found:?}");
    // What is removed together with its CRD is meant to go.
    let found = lint(&before, &[&nodes[..], &[("app/other.yaml", &MAP.replace("rest", "other"))]].concat());
    assert!(!found.iter().any(|line| line.starts_with("data-loss")), "{found:?}");
}

#[test]
fn an_input_that_a_resource_set_loses_takes_its_objects_along() {
    let set = |tenants: &str| {
        format!(
            "apiVersion: fluxcd.controlplane.io/v1\nkind: ResourceSet\nmetadata: {{name: tenants, namespace: flux-system}}\nspec:\n  \
             inputs:\n{tenants}  resources:\n    - apiVersion: v1\n      kind: PersistentVolumeClaim\n      metadata: {{name: << \
             inputs.id >>, namespace: default}}\n      spec:\n        accessModes: [ReadWriteOnce]\n        resources: {{requests: \
             {{storage: 1Gi}}}}\n"
        )
    };
    let app = node("app", PRUNE);
    let (both, one) = (set("    - id: one\n    - id: two\n"), set("    - id: one\n"));
    let files = |set| [("clusters/prod/app.yaml", app.as_str()), ("app/set.yaml", set)];
    let found = lint(&files(&both), &files(&one));
    assert!(
        found.contains(&"data-loss error: PersistentVolumeClaim/default/two is deleted with its data".to_owned()),
        "{found:?}"
    );
}

#[test]
fn a_pipeline_for_a_change_without_its_base_says_that_nothing_of_it_was_judged() {
    let app = node("app", PRUNE);
    let repository =
        Repository::committed(&[(SYNC_FILE, SYNC), ("clusters/prod/app.yaml", &app), ("app/rest.yaml", MAP)]);
    let run = |event: &str, arguments: &[&str]| {
        let arguments = [&["lint"], arguments].concat();
        Program::new(repository.folder(), &arguments).env("GITHUB_EVENT_NAME", event).run().err
    };
    assert!(run("merge_group", &[]).contains("was not judged") && run("pull_request", &[]).contains("--since"));
    assert!(!run("push", &[]).contains("judged") && !run("merge_group", &["--since", "HEAD"]).contains("judged"));
}
