//! A new revision in a cluster that is up.

use super::{Built, Case, NotReadyCause, Ran, config_map, release, s, timed_out};
use crate::{cluster::NodeKey, flux::SourceRef, timing::Quantile};

fn commit(built: Built, changed: &[&str]) -> Ran {
    let source =
        SourceRef { kind: "GitRepository".into(), namespace: "flux-system".into(), name: "flux-system".into() };
    let ids: Vec<_> = (changed.iter())
        .map(|name| built.cluster.find(&NodeKey::new("flux-system", *name)).expect("a Kustomization of that name"))
        .collect();
    let run = built.simulation.commit(&source, &ids, Quantile::Typical);
    Ran { built, run }
}

#[test]
fn a_chain_of_one_source_costs_half_a_minute_per_edge_at_every_commit() {
    // Nothing changed but the revision, applying takes 5 s each. a is Ready at 5; b looks at 0, 30 and is Ready at 35;
    // c looks at 60 and is Ready at 65.
    let case = Case::default().node("a", "").node("b", "dependsOn: [{name: a}]").node("c", "dependsOn: [{name: b}]");
    let ran = commit(case.apply(&[("a", 5), ("b", 5), ("c", 5)]).built(), &[]);
    assert_eq!(["a", "b", "c"].map(|name| ran.node(name).ready), [s(5), s(35), s(65)]);
    assert_eq!((ran.path(), ran.run.total.as_secs()), (vec!["a".to_owned(), "b".to_owned(), "c".to_owned()], 65));
}

#[test]
fn a_dependency_of_another_source_is_ready_as_it_is() {
    let other = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: other, namespace: flux-system}\n\
                 spec: {interval: 1m, url: https://example.org/other}\n";
    let case = (Case::default().folder("cluster", other))
        .node("a", "sourceRef: {kind: GitRepository, name: other}")
        .node("b", "dependsOn: [{name: a}]");
    let ran = commit(case.apply(&[("b", 5)]).built(), &[]);
    assert_eq!((ran.node("b").ready, ran.node("a").ready, ran.node("a").attempts), (s(5), s(0), 0));
}

#[test]
fn what_changed_is_waited_for_again() {
    // app is applied at 5; its release runs to 45 and its own workloads to 25; polls at 5, …, 45. The release of same is left
    // alone, and the first poll of same passes.
    let case = (Case::default().node("app", "wait: true").folder("app", release("r", "")))
        .node("same", "wait: true")
        .folder("same", release("q", ""))
        .apply(&[("app", 5), ("same", 5)])
        .health(&[("app", 20), ("same", 20)])
        .releases(&[("r", 40), ("q", 40)]);
    let ran = commit(case.built(), &["app"]);
    assert_eq!((ran.node("app").ready, ran.node("same").ready), (s(45), s(5)));
    assert_eq!((ran.release("r").start, ran.release("r").ready, ran.release("q").attempts), (s(5), s(45), 0));
}

#[test]
fn a_waiting_parent_sees_its_child_reconcile() {
    // c starts at 0 as p does, so p finds it under way: applied at 2, it polls until c is Ready at 8, at 12.
    let case = Case::default().node("p", "wait: true").under("p", "c", "");
    let ran = commit(case.apply(&[("p", 2), ("c", 8)]).built(), &[]);
    assert_eq!((ran.node("c").ready, ran.node("p").ready), (s(8), s(12)));
}

#[test]
fn a_waiting_parent_slips_through_where_its_child_got_no_worker_yet() {
    // One worker: the entry point and p come first in the queue, and c is still Ready at the old revision.
    let case = Case::default().node("p", "wait: true").under("p", "z", "");
    let case = case.apply(&[("p", 2), ("z", 8)]).assume(|assumptions| assumptions.kustomize_workers = 1);
    let ran = commit(case.built(), &[]);
    assert_eq!((ran.node("p").ready, ran.node("z").ready), (s(2), s(10)));
}

#[test]
fn a_suspended_dependency_holds_its_dependents_at_the_old_revision() {
    let case = Case::default().node("a", "suspend: true").node("b", "dependsOn: [{name: a}]").node("c", "");
    let ran = commit(case.apply(&[("c", 3)]).built(), &[]);
    assert_eq!(ran.stuck(ran.node("b")), (NotReadyCause::Dependency, Some("a".to_owned())));
    assert_eq!((ran.node("a").ready, ran.node("c").ready), (None, s(3)));
}

#[test]
fn an_upgrade_out_of_time_stops_the_rollout() {
    // app is applied at 1, the upgrade has 60 s; app polls at 61 and fails with it.
    let text = release("r", "upgrade: {timeout: 1m}") + &config_map("x", "flux-system");
    let case = Case::default().node("app", "wait: true, timeout: 10m").folder("app", text);
    let ran = commit(case.apply(&[("app", 1)]).releases(&[("r", 90)]).built(), &["app"]);
    assert_eq!((ran.release("r").ready, &ran.release("r").timed_out), (None, &timed_out(&[61])));
    assert_eq!(ran.stuck(ran.node("app")), (NotReadyCause::Failed, Some("r".to_owned())));
}

#[test]
fn a_circle_loses_the_event_for_all() {
    // b and c depend on each other: nothing is queued, and a comes round after its interval.
    let case = (Case::default().node("a", "interval: 10m"))
        .node("b", "interval: 10m, dependsOn: [{name: c}]")
        .node("c", "interval: 10m, dependsOn: [{name: b}]");
    let ran = commit(case.apply(&[("a", 4)]).built(), &[]);
    assert_eq!((ran.node("a").start, ran.node("a").ready, ran.node("b").ready), (s(600), s(604), None));
}
