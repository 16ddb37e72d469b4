//! Where nothing fails.

use super::{Case, Moment, config_map, kustomization, release, s};
use crate::graph::Actor;

#[test]
fn a_health_check_notices_at_its_next_poll() {
    // Applied at 2, healthy at 2 + 11 = 13; polls at 2, 7, 12, 17.
    let case = Case::default().node("a", "wait: true").apply(&[("a", 2)]).health(&[("a", 11)]);
    let ran = case.run();
    assert_eq!((ran.node("a").start, ran.node("a").applied, ran.node("a").ready), (s(0), s(2), s(17)));
    assert_eq!((ran.node("a").attempts, ran.run.total), (1, std::time::Duration::from_secs(17)));
}

#[test]
fn what_is_healthy_at_a_poll_passes_it_and_what_has_no_gate_needs_none() {
    // Healthy at 2 + 10 = 12, which is a poll. Without a gate it is Ready at 2.
    let case = Case::default().node("a", "wait: true").node("b", "wait: false");
    let ran = case.apply(&[("a", 2), ("b", 2)]).health(&[("a", 10)]).run();
    assert_eq!((ran.node("a").ready, ran.node("b").ready), (s(12), s(2)));
}

#[test]
fn each_dependent_looks_at_its_own_beat() {
    // a is Ready at 10. b and c look at 0, 30, 60, …: b starts at 30 and is Ready at 30 + 5 = 35, c starts at 60.
    // p is applied at 7, so d looks at 7, 37, …
    let case = (Case::default().node("a", "").node("b", "dependsOn: [{name: a}]").node("c", "dependsOn: [{name: b}]"))
        .node("p", "")
        .under("p", "d", "dependsOn: [{name: a}]")
        .apply(&[("a", 10), ("b", 5), ("p", 7)]);
    let ran = case.run();
    assert_eq!((ran.node("b").start, ran.node("b").ready), (s(30), s(35)));
    assert_eq!((ran.node("c").start, ran.node("d").start), (s(60), s(37)));
    assert_eq!(ran.path(), ["a", "b", "c"]);
}

#[test]
fn several_dependencies_are_looked_at_together() {
    // a is Ready at 10, b at 70: c sees a at 30 and goes on to miss b, until the look at 90.
    let case = Case::default().node("a", "").node("b", "").node("c", "dependsOn: [{name: a}, {name: b}]");
    let ran = case.apply(&[("a", 10), ("b", 70)]).run();
    assert_eq!(ran.node("c").start, s(90));
}

#[test]
fn nested_waits_round_up_at_each_level() {
    // r is applied at 2, m at 2 + 3 = 5, l at 5 + 4 = 9 and healthy at 19, a poll of 9, 14, 19.
    // m polls at 5, 10, 15, 20 and r at 2, 7, 12, 17, 22.
    let case = (Case::default().node("r", "wait: true").under("r", "m", "wait: true").under("m", "l", "wait: true"))
        .apply(&[("r", 2), ("m", 3), ("l", 4)])
        .health(&[("l", 10)]);
    let ran = case.run();
    assert_eq!((ran.node("l").ready, ran.node("m").ready, ran.node("r").ready), (s(19), s(20), s(22)));
    assert_eq!(ran.path(), ["r", "m", "l", "m", "r"]);
}

/// Four Kustomizations wait, each for the next, and the last for a leaf.
fn nested() -> Case {
    let waits = "wait: true, timeout: 1m, retryInterval: 1m";
    (Case::default().node("p1", waits).under("p1", "p2", waits).under("p2", "p3", waits))
        .under("p3", "p4", "wait: true, timeout: 2m, retryInterval: 1m")
        .under("p4", "leaf", "")
        .apply(&[("p1", 1), ("p2", 1), ("p3", 1), ("p4", 1), ("leaf", 1)])
}

#[test]
fn four_waiting_parents_leave_no_worker_for_the_leaf() {
    // Applied at 1, 2, 3, 4; the leaf is there at 4, and all workers wait. p1 gives up at 61, p2 at 62, p3 at 63.
    // The leaf gets the worker of p1 and is Ready at 62; p4 polls at 4 + 60 = 64 and passes.
    // p1 comes again at 121, p2 at 122, p3 at 123: p3 is applied at 124 and passes at once; p2 polls at 123, 128;
    // p1 at 122, 127, 132.
    let ran = nested().run();
    assert_eq!((ran.node("leaf").start, ran.node("leaf").ready, ran.node("p4").ready), (s(61), s(62), s(64)));
    assert_eq!((ran.node("p3").ready, ran.node("p2").ready, ran.node("p1").ready), (s(124), s(128), s(132)));
    assert_eq!(ran.node("p1").timed_out, super::timed_out(&[61]));
    assert_eq!((ran.node("p1").attempts, ran.node("p4").attempts), (2, 1));
}

#[test]
fn a_fifth_worker_is_enough_for_the_leaf() {
    // The leaf runs from 4 to 5. p4 polls at 4, 9; p3 at 3, 8, 13; p2 at 2, 7, 12, 17; p1 at 1, 6, 11, 16, 21.
    let ran = nested().assume(|assumptions| assumptions.kustomize_workers = 5).run();
    let ready = ["leaf", "p4", "p3", "p2", "p1"].map(|name| ran.node(name).ready);
    assert_eq!(ready, [5, 9, 13, 17, 21].map(s));
}

#[test]
fn helm_releases_run_four_at_a_time() {
    // Five releases: the fifth starts when the first is done, at 100.
    let releases: String = (1..=5).map(|index| release(&format!("r{index}"), "")).collect();
    let case = Case::default().folder("cluster", releases);
    let ran = case.releases(&[("r1", 100), ("r2", 110), ("r3", 120), ("r4", 130), ("r5", 100)]).run();
    assert_eq!((ran.release("r4").ready, ran.release("r5").start, ran.release("r5").ready), (s(130), s(100), s(200)));
    // The worker that r1 freed decided.
    assert_eq!(ran.path(), ["r1", "r5"]);
}

#[test]
fn a_release_that_does_not_wait_has_no_timeout_and_its_dependents_look_every_half_minute() {
    // app is applied at 2, and with it both releases. a takes 320 s, more than its five minutes, but waits for nothing: Ready at
    // 322. b looks at 2, 32, …, 302, 332.
    let text = release("a", "install: {disableWait: true}") + &release("b", "dependsOn: [{name: a}]");
    let case = Case::default().node("app", "").folder("app", text);
    let ran = case.apply(&[("app", 2)]).releases(&[("a", 320), ("b", 10)]).run();
    assert_eq!((ran.release("a").ready, ran.release("b").start, ran.release("b").ready), (s(322), s(332), s(342)));
}

#[test]
fn the_earlier_of_two_providers_is_enough() {
    // fast makes the namespace at 5, slow at 40: the dry-run of app at 10 finds it.
    let case = (Case::default().node("fast", "").node("slow", "").node("app", ""))
        .folder("fast", super::namespace("shop"))
        .folder("slow", super::namespace("shop"))
        .folder("app", config_map("a", "shop"))
        .apply(&[("fast", 5), ("slow", 40), ("app", 10)]);
    let ran = case.run();
    assert_eq!((ran.node("app").applied, ran.node("app").attempts), (s(10), 1));
}

#[test]
fn a_ready_expr_that_asks_for_less_is_met_by_a_waiting_parent() {
    // p is applied at 3 and makes c, which starts at once, although it names p: the expression holds while p waits.
    // c is applied at 3 + 4 = 7; p polls at 3, 8.
    let case = Case::default().node("p", "wait: true").under(
        "p",
        "c",
        "dependsOn: [{name: p, readyExpr: 'dep.metadata.name == \"p\"'}]",
    );
    let ran = case.apply(&[("p", 3), ("c", 4)]).run();
    assert_eq!((ran.node("c").start, ran.node("c").ready, ran.node("p").ready), (s(3), s(7), s(8)));
}

#[test]
fn a_new_source_wakes_what_is_built_from_it() {
    // src applies the source at 10. Woken by its artifact, app starts then; without, it looks again at 60.
    let source = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: other, namespace: flux-system}\n\
                  spec: {interval: 1m, url: https://example.org/other}\n";
    let case = || {
        (Case::default().node("src", "").folder("src", source))
            .node("app", "sourceRef: {kind: GitRepository, name: other}, retryInterval: 1m")
            .apply(&[("src", 10)])
    };
    assert_eq!(case().run().node("app").start, s(10));
    assert_eq!(case().assume(|assumptions| assumptions.source_events = false).run().node("app").start, s(60));
}

#[test]
fn a_resource_set_looks_every_five_seconds() {
    // The set is there at 0 and asks for a, Ready at 12: it looks at 15, and app starts then.
    let set = format!(
        "apiVersion: fluxcd.controlplane.io/v1\nkind: ResourceSet\nmetadata: {{name: set, namespace: flux-system}}\nspec:\n  \
         dependsOn:\n  - {{apiVersion: kustomize.toolkit.fluxcd.io/v1, kind: Kustomization, name: a, namespace: flux-system, ready: true}}\n  \
         resources:\n  - {}\n",
        kustomization("app", "").trim_start_matches("---\n").trim_end().replace('\n', "\n    ")
    );
    let case = Case::default().node("a", "").folder("cluster", set).folder("app", config_map("app", "flux-system"));
    let ran = case.apply(&[("a", 12), ("app", 1)]).run();
    assert_eq!((ran.node("app").start, ran.node("app").ready), (s(15), s(16)));
}

#[test]
fn events_of_the_path_are_in_order_of_time() {
    let ran = nested().run();
    let times: Vec<_> = (ran.run.critical_path.iter())
        .filter_map(|id| match (ran.built.graph.event(*id).actor, ran.built.graph.event(*id).moment) {
            (Actor::Node(node), Moment::Ready) => ran.run.nodes[node.index()].ready,
            (Actor::Node(node), Moment::Applied) => ran.run.nodes[node.index()].applied,
            _ => None,
        })
        .collect();
    assert!(times.len() > 5 && times.is_sorted(), "{times:?}");
    assert_eq!(times.last().copied(), Some(ran.run.total));
}
