//! What the facts on health checks, expressions and suspension stop, beside what real controllers did with the same files:
//! kustomize-controller 1.9.4 and helm-controller 1.6.3 on an API server without a kubelet.

use std::collections::{BTreeMap, BTreeSet};

use fluxdag::{
    cluster::{Cluster, Scope, discover, resolve},
    finding::Confidence,
    graph::{Blocker, Event, EventGraph, EventId, Moment},
    situation::{Facts, View},
    source::Tree,
    yaml::Store,
};
use serde::Deserialize;

use crate::support::{SYNC, SYNC_FILE, recorded};

/// An example of a rule page, and what became of it.
#[derive(Deserialize)]
struct Example {
    label: String,
    files: BTreeMap<String, String>,
    /// What the cluster did not have, so that it says nothing about who becomes Ready.
    lab_lacks: Option<String>,
    observed: BTreeMap<String, Observed>,
}

#[derive(Deserialize)]
struct Observed {
    ready_s: Option<f64>,
}

/// A manifest below a Kustomization with `wait: true`, and whether that became Ready.
#[derive(Deserialize)]
struct Kind {
    files: String,
    observed: String,
}

/// Rules whose facts these are.
const RULES: [&str; 6] = [
    "blind-health-check",
    "broken-health-check",
    "ignored-health-checks",
    "invalid-expression",
    "never-ready-object",
    "suspended-dependency",
];

/// What was not Ready for a reason that the files do not hold.
const LACKING: [(&str, &str); 1] =
    [("ignored-health-checks/Good/Listed objects alone", "the cluster has no DaemonSet kube-system/flannel")];

/// Kinds whose readiness rests on a controller that the cluster did not have, or on a server out of reach.
const UNDECIDED: [&str; 11] = [
    "cr-old-generation",
    "daemonset",
    "deployment-paused",
    "deployment-zero",
    "helmrepository-unreachable",
    "ocirepository-unreachable",
    "pod",
    "pvc-unbound",
    "replicaset",
    "statefulset",
    "kustomization-child",
];

/// Looks at the one cluster that these files lead to.
fn with_cluster<T>(files: &BTreeMap<String, String>, judge: impl FnOnce(&Cluster, Vec<Blocker>) -> T) -> T {
    let tree = Tree::from_memory(files.iter().map(|(path, text)| (path.clone(), text.clone().into_bytes())));
    let store = Store::new(tree);
    let clusters = resolve(&store, "", &discover(&store, &Scope::default()), None);
    let cluster = clusters.iter().find(|cluster| cluster.reached).expect("an entry point");
    let facts = Facts::find(View { cluster, clusters: &clusters, store: &store });
    // The other facts have tests of their own, and files here are no more than these need.
    let (expressions, health_checks) = (facts.expressions, facts.health_checks);
    let (never_ready, suspended) = (facts.never_ready, facts.suspended);
    let facts = Facts { expressions, health_checks, never_ready, suspended, ..Facts::default() };
    judge(cluster, facts.blockers())
}

/// What never becomes Ready: events happen as soon as all they need has happened, or, of several providers, one.
fn never_ready(cluster: &Cluster, blockers: &[Blocker]) -> BTreeSet<String> {
    let graph = EventGraph::new(cluster, Vec::new());
    let blocking = blockers.iter().filter(|blocker| blocker.confidence > Confidence::Low);
    let blocked: BTreeSet<EventId> = blocking.filter_map(|it| graph.id(it.actor, it.moment)).collect();
    let mut happened: BTreeSet<EventId> = BTreeSet::new();
    loop {
        let comes = |id: &EventId| {
            let mut inputs = graph.inputs(*id).map(|(input, _)| happened.contains(&input)).peekable();
            let is_met = match graph.event(*id).is_or() && inputs.peek().is_some() {
                true => inputs.any(|it| it),
                false => inputs.all(|it| it),
            };
            is_met && !blocked.contains(id) && !happened.contains(id)
        };
        let new: Vec<EventId> = graph.events().filter(comes).collect();
        if new.is_empty() {
            break;
        }
        happened.extend(new);
    }
    let late = graph.events().filter(|id| !happened.contains(id)).map(|id| graph.event(id));
    let late = late.filter(|event: &Event| event.moment == Moment::Ready);
    late.map(|event| event.actor.subject(cluster).to_string()).collect()
}

#[test]
fn what_a_real_cluster_never_saw_ready_is_stopped_and_nothing_else() {
    let examples: Vec<Example> = recorded("examples.json").unwrap_or_default();
    let is_ours = |example: &&Example| {
        let rule = example.label.split('/').next().unwrap_or_default();
        example.lab_lacks.is_none() && RULES.contains(&rule)
    };
    let lacking = |example: &Example| LACKING.iter().any(|(label, _)| *label == example.label);
    let (mut wrong, mut stopped, mut checked) = (Vec::new(), 0, 0);
    for example in examples.iter().filter(is_ours).filter(|example| !lacking(example)) {
        let never = with_cluster(&example.files, |cluster, blockers| never_ready(cluster, &blockers));
        for (object, observed) in &example.observed {
            checked += 1;
            stopped += usize::from(never.contains(object));
            if never.contains(object) != observed.ready_s.is_none() {
                wrong.push(format!("{}: {object} was Ready after {:?} s", example.label, observed.ready_s));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(examples.is_empty() || (stopped >= 15 && checked - stopped >= 25), "{stopped} of {checked} are stopped");
}

#[test]
fn what_a_health_check_passed_has_no_blocker_and_what_it_held_has_one() {
    let kinds: BTreeMap<String, Kind> = recorded("kinds.json").unwrap_or_default();
    let gate = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: gate, namespace: flux-system}\n\
                spec: {interval: 1h, path: gate, prune: true, wait: true, sourceRef: {kind: GitRepository, name: flux-system}}\n";
    let mut wrong = Vec::new();
    for (name, kind) in kinds.iter().filter(|(name, _)| !UNDECIDED.contains(&name.as_str())) {
        let files = BTreeMap::from([
            (SYNC_FILE.to_owned(), SYNC.to_owned()),
            ("clusters/prod/gate.yaml".to_owned(), gate.to_owned()),
            ("gate/manifests.yaml".to_owned(), kind.files.clone()),
        ]);
        let is_held = with_cluster(&files, |cluster, blockers| {
            never_ready(cluster, &blockers).contains("Kustomization/flux-system/gate")
        });
        if is_held != (kind.observed != "passes") {
            wrong.push(format!("{name}: observed `{}`", kind.observed));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(kinds.is_empty() || kinds.len() > UNDECIDED.len() + 20, "{} kinds", kinds.len());
}

/// The blockers of a cluster whose entry point applies these manifests, as `subject moment cause confidence`. Other files
/// may be given with their paths.
fn blockers(manifests: &str, others: &[(&str, &str)]) -> Vec<String> {
    let mut files = BTreeMap::from([("clusters/prod/manifests.yaml".to_owned(), manifests.to_owned())]);
    files.extend(others.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())));
    files.entry(SYNC_FILE.to_owned()).or_insert_with(|| SYNC.to_owned());
    with_cluster(&files, |cluster, blockers| {
        let line =
            |it: &Blocker| format!("{} {:?} {:?} {:?}", it.actor.subject(cluster), it.moment, it.cause, it.confidence);
        blockers.iter().map(line).collect()
    })
}

/// A Kustomization of the folder of its name, with this in its spec besides.
fn kustomization(name: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: flux-system}}\n\
         spec:\n  interval: 1h\n  prune: true\n  path: {name}\n  sourceRef: {{kind: GitRepository, name: flux-system}}\n{spec}"
    )
}

const THING: (&str, &str) =
    ("a/thing.yaml", "apiVersion: example.org/v1\nkind: Thing\nmetadata: {name: s, namespace: default}\n");

#[test]
fn what_is_suspended_never_starts_and_a_suspended_source_is_never_fetched() {
    let source = |kind: &str, name: &str, spec: &str| {
        format!(
            "---\napiVersion: source.toolkit.fluxcd.io/v1\nkind: {kind}\nmetadata: {{name: {name}, namespace: flux-system}}\n\
             spec: {{interval: 1h, url: 'https://example.org/{name}', suspend: true{spec}}}\n"
        )
    };
    let release = "---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: r, namespace: flux-system}\n\
                   spec: {interval: 1h, suspend: true, chart: {spec: {chart: x, sourceRef: {kind: HelmRepository, name: oci}}}}\n";
    let manifests = [
        kustomization("a", "  suspend: true\n"),
        kustomization("b", "  suspend: ${SUSPEND}\n"),
        release.to_owned(),
        source("GitRepository", "git", ""),
        source("HelmRepository", "oci", ", type: oci"),
    ];
    assert_eq!(
        blockers(&manifests.concat(), &[THING]),
        [
            "Kustomization/flux-system/a Start Suspended High",
            "HelmRelease/flux-system/r Start Suspended High",
            "GitRepository/flux-system/git Ready Suspended High",
        ]
    );
}

#[test]
fn a_suspended_entry_point_never_starts_and_its_source_may_have_been_fetched() {
    let sync = crate::support::SYNC
        .replace("prune: true", "prune: true, suspend: true")
        .replace("spec: {interval: 1m", "spec: {suspend: true, interval: 1m");
    assert_eq!(
        blockers("", &[("clusters/prod/flux-system/gotk-sync.yaml", &sync)]),
        [
            "Kustomization/flux-system/flux-system Start Suspended High",
            "GitRepository/flux-system/flux-system Ready Suspended Low",
        ]
    );
}

#[test]
fn an_expression_stops_what_evaluates_it_and_a_refused_manifest_what_applies_it() {
    let exprs = |entries: &str| kustomization("a", &format!("  wait: true\n  healthCheckExprs:\n{entries}"));
    let of = |entries: &str| blockers(&exprs(entries), &[THING]);
    let refused = ["Kustomization/flux-system/flux-system Applied RefusedManifest High"];
    let stalled = ["Kustomization/flux-system/a Start InvalidExpression High"];
    let hopeless = ["Kustomization/flux-system/a Ready HopelessHealthCheck High"];
    let none: [&str; 0] = [];
    assert_eq!(of("    - {apiVersion: example.org/v1, kind: Thing}\n"), refused);
    assert_eq!(of("    - {apiVersion: example.org/v1, kind: Thing, current: ''}\n"), stalled);
    assert_eq!(of("    - {apiVersion: example.org/v1, kind: Thing, current: 'a ='}\n"), stalled);
    assert_eq!(of("    - {apiVersion: example.org/v1, kind: Thing, current: self.status.x}\n"), hopeless);
    assert_eq!(of("    - {apiVersion: example.org/v1, kind: Other, current: self.status.x}\n"), none);
    assert_eq!(of("    - {apiVersion: example.org/v1, kind: Thing, current: status.x}\n"), none);
    let on = |expr: &str| {
        let dependent = kustomization("b", &format!("  dependsOn: [{{name: a, readyExpr: \"{expr}\"}}]\n"));
        blockers(&format!("{}{dependent}", kustomization("a", "")), &[THING])
    };
    assert_eq!(on("dep.status.x"), ["Kustomization/flux-system/b Start InvalidExpression High"]);
    assert_eq!(on("isURL(dep.spec.path)"), ["Kustomization/flux-system/b Start InvalidExpression Medium"]);
    assert_eq!(on("dep.metadata.labels['x'] == '1'"), ["Kustomization/flux-system/b Start UnmetExpression Medium"]);
    assert_eq!(on("has(dep.spec.path)"), none);
}

#[test]
fn only_what_each_attempt_looks_at_can_hold_a_gate_forever() {
    let deployment = |mark: &str| {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web, namespace: default, annotations: {{{mark}}}}}\n\
             spec: {{paused: true, selector: {{matchLabels: {{a: b}}}}, template: {{metadata: {{labels: {{a: b}}}}}}}}\n"
        )
    };
    let of = |spec: &str, mark: &str| blockers(&kustomization("a", spec), &[("a/web.yaml", deployment(mark).as_str())]);
    let held = ["Kustomization/flux-system/a Ready HopelessHealthCheck Medium"];
    let none: [&str; 0] = [];
    let listed = "  healthChecks: [{kind: Deployment, name: web, namespace: default}]\n";
    assert_eq!(of("  wait: true\n", ""), held);
    assert_eq!(of(listed, ""), held);
    assert_eq!(of("", ""), none);
    assert_eq!(of("  wait: true\n", "kustomize.toolkit.fluxcd.io/ssa: IfNotPresent"), none);
    assert_eq!(of("  wait: true\n", "kustomize.toolkit.fluxcd.io/reconcile: disabled"), none);
    let read = "  wait: true\n  healthCheckExprs: [{apiVersion: apps/v1, kind: Deployment, current: status.x == 1}]\n";
    assert_eq!(of(read, ""), none);
    let remote = "  wait: true\n  kubeConfig: {secretRef: {name: other}}\n";
    assert_eq!(of(remote, ""), none);
}

#[test]
fn an_entry_of_health_checks_that_can_never_be_met_holds_its_kustomization() {
    let of = |spec: &str, others: &[(&str, &str)]| {
        blockers(&kustomization("a", &format!("  healthChecks:\n    - {{{spec}}}\n")), others)
    };
    let held = |confidence: &str| [format!("Kustomization/flux-system/a Ready HopelessHealthCheck {confidence}")];
    let none: [String; 0] = [];
    assert_eq!(of("apiVersion: v1, kind: Job, name: x, namespace: default", &[THING]), held("High"));
    assert_eq!(of("kind: Gateway, name: x, namespace: default", &[THING]), held("High"));
    assert_eq!(of("kind: Deployment, name: x", &[THING]), held("High"));
    assert_eq!(
        of("apiVersion: helm.toolkit.fluxcd.io/v2, kind: HelmRelease, name: x, namespace: y", &[THING]),
        held("High")
    );
    assert_eq!(of("kind: Deployment, name: 'x-${y}', namespace: default", &[THING]), held("Medium"));
    // A chart or a controller may make it.
    assert_eq!(of("kind: Deployment, name: x, namespace: default", &[THING]), none);
    // Itself is left out, whatever the group says.
    assert_eq!(of("kind: Kustomization, name: a, namespace: flux-system", &[THING]), none);
    let remote = ("a/kustomization.yaml", "resources: [thing.yaml, 'https://example.org/x.yaml']\n");
    let missing = "apiVersion: helm.toolkit.fluxcd.io/v2, kind: HelmRelease, name: x, namespace: y";
    assert_eq!(of(missing, &[THING, remote]), held("Low"));
}
