//! `fluxdag what-if` as a process, and edits of a cluster held against the same edits of its files.

use std::path::Path;

use fluxdag::{
    Options, Survey,
    cluster::{Cluster, Edit, NodeKey, ObjectKey},
    survey,
    timing::{Comparison, Durations, Profile, Scenario, compare},
};

use crate::support::{Repository, corpus, fixture as folder};

/// The one cluster of a folder.
fn cluster(folder: &Path) -> Cluster {
    let Survey { mut clusters, .. } = survey(&[folder.to_owned()], &Options::default()).unwrap();
    clusters.retain(|cluster| cluster.reached);
    assert_eq!(clusters.len(), 1);
    clusters.remove(0)
}

/// The minutes of two clusters on slow hardware.
fn minutes(before: &Cluster, after: &Cluster) -> Comparison {
    compare(&Durations::new(before, Profile::Slow, &[]), [before, after].map(Scenario::repaired))
}

fn key(name: &str) -> NodeKey {
    NodeKey::new("flux-system", name)
}

fn release(cluster: &Cluster, name: &str) -> ObjectKey {
    let mut keys = cluster.objects.keys();
    keys.find(|key| key.is_helm_release() && key.name == name).unwrap().clone()
}

/// A copy of a fixture, with one file changed.
fn changed(name: &str, file: &str, change: impl FnOnce(String) -> String) -> Repository {
    let copy = Repository::fixture(name);
    let text = copy.read(file);
    let new = change(text.clone());
    assert_ne!(new, text, "the edit of {file} changes nothing");
    copy.write(file, new);
    copy
}

fn same(one: &Comparison, other: &Comparison) {
    assert_eq!(one.total, other.total);
    assert_eq!(one.changes, other.changes);
}

type TextChange = fn(String) -> String;

#[test]
fn an_edit_gives_the_minutes_of_the_edited_files() {
    let before = cluster(&folder("heavy-in-wait"));
    let cases: [(Edit, &str, TextChange); 2] = [
        (Edit::UnsetWait(key("core")), "clusters/home/core.yaml", |text| text.replace("wait: true", "wait: false")),
        (Edit::DropDependency { of: key("configs"), on: key("issuers") }, "clusters/home/configs.yaml", |text| {
            text.replace("    - name: issuers\n", "").replace("  dependsOn:\n", "")
        }),
    ];
    for (edit, file, change) in cases {
        let in_mind = before.edited(std::slice::from_ref(&edit)).unwrap();
        let copy = changed("heavy-in-wait", file, change);
        same(&minutes(&before, &in_mind), &minutes(&before, &cluster(copy.folder())));
    }
}

#[test]
fn moving_the_heavy_charts_is_the_fixed_fixture() {
    let (before, fixed) = (cluster(&folder("heavy-in-wait")), cluster(&folder("heavy-in-wait-fixed")));
    let edits = [
        Edit::Move { object: release(&before, "kube-prometheus-stack"), to: key("monitoring") },
        Edit::Move { object: release(&before, "postgres-operator"), to: key("database") },
    ];
    let after = before.edited(&edits).unwrap();
    let ready = |other: &Cluster| {
        let comparison = minutes(&before, other);
        let core = comparison.changes.into_iter().find(|change| change.node == key("core")).unwrap();
        core.after.unwrap().typical.as_secs()
    };
    let (moved, written) = (ready(&after), ready(&fixed));
    assert!(moved.abs_diff(written) <= 2, "{moved} s and {written} s: only the sources of the charts stay behind");
}

#[test]
fn edits_without_anything_to_change_say_so() {
    let before = cluster(&folder("heavy-in-wait"));
    let error = |edit: Edit| before.edited(&[edit]).map(|_| "made").unwrap_err().to_string();
    assert_eq!(error(Edit::UnsetWait(key("nobody"))), "there is no Kustomization flux-system/nobody");
    assert!(error(Edit::UnsetWait(key("notes"))).contains("neither `wait` nor `healthChecks`"));
    let on = key("notes");
    assert!(error(Edit::DropDependency { of: key("core"), on }).contains("does not depend on"));
    let split = |name: &str| Edit::Split { of: key("core"), objects: Vec::new(), name: name.into() };
    assert!(error(split("configs")).contains("already"));
    assert!(error(split("new")).contains("nothing to split off"));
}

#[test]
fn a_split_takes_its_objects_along_and_waits_for_nothing() {
    let before = cluster(&folder("heavy-in-wait"));
    let objects = vec![release(&before, "kube-prometheus-stack")];
    let after = before.edited(&[Edit::Split { of: key("core"), objects, name: "core-heavy".into() }]).unwrap();
    let id = after.find(&key("core-heavy")).unwrap();
    assert_eq!(after.applied_by(id).count(), 1);
    assert!(!after.node(id).has_gate());
    assert_eq!(after.nodes.len(), before.nodes.len() + 1);
    assert!(after.nodes.is_sorted_by(|one, other| one.key < other.key));
}

#[test]
fn what_has_slack_may_be_late_by_it_and_no_more() {
    use fluxdag::{
        graph::{Actor, EventGraph, Moment, Repaired},
        timing::{ColdStart, Disturbance},
    };
    let cluster = cluster(&folder("heavy-in-wait"));
    let (graph, durations) = (EventGraph::new(&cluster, Vec::new()), Durations::new(&cluster, Profile::Slow, &[]));
    let cold_start = ColdStart::new(&graph, &durations, Repaired::Nothing);
    let slack = cold_start.slack(&graph, &durations);
    let end = cold_start.time(cold_start.last(&graph).unwrap()).unwrap().typical;
    let index = cluster.release(&NodeKey::new("reloader", "reloader")).unwrap();
    let ready = graph.id(Actor::Release(index as u32), Moment::Ready).unwrap();
    let (slack, takes) = (slack[ready.index()].unwrap(), durations.release(index).range.typical);
    assert!(slack.as_secs() > 60, "{slack:?}");
    let total = |extra: f64| {
        let factor = (takes.as_secs_f64() + slack.as_secs_f64() + extra) / takes.as_secs_f64();
        let late = Disturbance::Slow { chart: "reloader".to_owned(), factor };
        let after = Scenario { disturbances: &[late], ..Scenario::repaired(&cluster) };
        compare(&durations, [Scenario::repaired(&cluster), after]).total[1].unwrap().typical
    };
    assert!(total(-1.0) <= end, "within its slack it delays nothing");
    assert!(total(60.0) > end, "beyond its slack it delays the end");
}

#[test]
fn the_time_on_the_critical_path_is_all_accounted_for() {
    use fluxdag::{
        graph::{EventGraph, Repaired},
        timing::ColdStart,
    };
    for name in ["heavy-in-wait", "heavy-in-wait-fixed", "clean-home-ops"] {
        let cluster = cluster(&folder(name));
        let (graph, durations) = (EventGraph::new(&cluster, Vec::new()), Durations::new(&cluster, Profile::Slow, &[]));
        let cold_start = ColdStart::new(&graph, &durations, Repaired::Nothing);
        let last = cold_start.last(&graph).unwrap();
        let shares = cold_start.shares(&graph, &durations, last);
        assert_eq!(shares.values().sum::<std::time::Duration>(), cold_start.time(last).unwrap().typical, "{name}");
    }
}

/// The edits that a help text tells: the text of an entry of `resources`, the file, and the line.
fn advised(help: &str) -> Vec<(String, String, usize)> {
    let parts = help.split("` from `resources` at ").collect::<Vec<_>>();
    parts
        .windows(2)
        .map(|pair| {
            let entry = pair[0].rsplit('`').next().unwrap().to_owned();
            let place = pair[1].split([' ', ',', ';']).next().unwrap();
            let (file, line) = place.rsplit_once(':').unwrap();
            (entry, file.to_owned(), line.parse().unwrap())
        })
        .collect()
}

/// Follows the advice on the one gate that mixes heavy and light to the letter; gives when it is Ready before and after.
fn heed(folder: &Path, gate: &NodeKey) -> (Comparison, String) {
    let copy = Repository::empty();
    copy.fill(folder);
    let find = || {
        let analysis = copy.analyse(&Options::default());
        analysis.findings.into_iter().find(|finding| finding.rule == "heavy-in-wait")
    };
    let finding = find().unwrap();
    assert_eq!(finding.subject.name, gate.name.as_str());
    let before = cluster(copy.folder());
    let mut edits = advised(&finding.help);
    assert!(!edits.is_empty(), "{}", finding.help);
    edits.sort_by_key(|(_, file, line)| std::cmp::Reverse((file.clone(), *line)));
    for (entry, file, line) in edits {
        let text = copy.read(&file);
        let mut lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[line - 1].trim(), format!("- {entry}"));
        lines.remove(line - 1);
        copy.write(&file, lines.join("\n") + "\n");
    }
    assert_eq!(find().map(|finding| finding.message), None, "the edited tree is free of it");
    (minutes(&before, &cluster(copy.folder())), finding.help)
}

#[test]
fn the_advice_on_a_heavy_gate_is_an_edit_that_keeps_its_promise() {
    let (comparison, help) = heed(&folder("heavy-in-wait"), &key("core"));
    let core = comparison.changes.iter().find(|change| change.node == key("core")).unwrap();
    let promised = format!("core is Ready after about {}", fluxdag::finding::about(core.after.unwrap().typical));
    assert!(help.contains(&promised), "{promised}: {help}");
}

#[test]
fn the_advice_mends_the_origin_repository() {
    let Some(corpus) = corpus() else { return };
    let gate = key("infrastructure-operators-core");
    let (comparison, help) = heed(&corpus.join("tazlab-dag-fix/before"), &gate);
    for entry in
        ["`../monitoring` from", "`../postgres-operator` from", "infrastructure/operators/core/kustomization.yaml:10"]
    {
        assert!(help.contains(entry), "{entry}: {help}");
    }
    let of = |name: &str| comparison.changes.iter().find(|change| change.node == key(name)).unwrap();
    let seconds = |name: &str| (of(name).before.unwrap().typical.as_secs(), of(name).after.unwrap().typical.as_secs());
    let (before, after) = seconds("infrastructure-operators-core");
    assert!((540..=660).contains(&before) && (110..=180).contains(&after), "{before} s, {after} s");
    let (before, after) = seconds("apps-static");
    assert!(before - after > 7 * 60, "{before} s, {after} s");
}
