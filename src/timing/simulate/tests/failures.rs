//! Timeouts, retries, and what never comes.

use super::{Case, NotReadyCause, at, config_map, namespace, release, s, timed_out};

#[test]
fn a_timeout_costs_the_retry_interval_on_top() {
    // Applied at 2, the check ends at 302, the workloads are healthy at 402. The next attempt begins at 302 + 120 = 422, is applied
    // at 424 and passes at its first poll. Without retryInterval it begins at 302 + 3600.
    let case = |fields: &str| Case::default().node("a", fields).apply(&[("a", 2)]).health(&[("a", 400)]).run();
    let ran = case("wait: true, timeout: 5m, retryInterval: 2m");
    assert_eq!((ran.node("a").ready, ran.node("a").attempts), (s(424), 2));
    assert_eq!((ran.node("a").applied, &ran.node("a").timed_out), (s(2), &timed_out(&[302])));
    assert_eq!(case("wait: true, timeout: 5m").node("a").ready, s(302 + 3600 + 2));
}

#[test]
fn a_poll_as_the_timeout_ends_comes_too_late() {
    // Applied at 0: healthy at 298 is seen at 300 at the earliest, and then the five minutes are over. At 295 it is in time.
    let case = |health| {
        let case = Case::default().node("a", "wait: true, timeout: 5m, retryInterval: 2m");
        case.health(&[("a", health)]).run().node("a").ready
    };
    assert_eq!((case(295), case(298)), (s(295), s(420)));
}

#[test]
fn several_attempts_may_be_needed() {
    // The timeout is the interval less 30 s: 30 s. Attempts at 0, 90 and 180, each with 30 s to look and 60 s to rest; the workloads
    // are healthy at 170, which the first poll at 180 sees.
    let ran = Case::default().node("a", "wait: true, interval: 1m").health(&[("a", 170)]).run();
    assert_eq!((ran.node("a").ready, ran.node("a").attempts), (s(180), 3));
    assert_eq!(ran.node("a").timed_out, timed_out(&[30, 120]));
}

/// A Kustomization that waits for a release, and one that depends on it.
fn waiting(fields: &str, seconds: u32) -> super::Ran {
    let case =
        Case::default().node("app", "wait: true, timeout: 15m, retryInterval: 1m").folder("app", release("r", fields));
    case.node("next", "dependsOn: [{name: app}]").apply(&[("app", 2)]).releases(&[("r", seconds)]).run()
}

#[test]
fn without_retries_one_timeout_is_the_end() {
    // The release starts at 2 and is out of time at 302: Stalled. app polls at 302 and fails with it.
    let ran = waiting("", 400);
    assert_eq!((ran.release("r").ready, ran.release("r").attempts), (None, 1));
    assert_eq!(ran.release("r").timed_out, timed_out(&[302]));
    assert_eq!(ran.stuck(ran.release("r")), (NotReadyCause::Retries, None));
    assert_eq!(ran.stuck(ran.node("app")), (NotReadyCause::Failed, Some("r".to_owned())));
    assert_eq!(ran.stuck(ran.node("next")), (NotReadyCause::Dependency, Some("app".to_owned())));
    assert_eq!((ran.node("app").attempts, ran.run.ended), (1, std::time::Duration::from_secs(302)));
}

#[test]
fn a_retry_without_remediation_finds_what_came_up_meanwhile() {
    // Out of time at 302, again five minutes later: by 602 the 400 s are over, and app polls at 602.
    let ran = waiting("install: {strategy: {name: RetryOnFailure}}", 400);
    assert_eq!((ran.release("r").ready, ran.release("r").attempts), (s(602), 2));
    assert_eq!((ran.node("app").ready, ran.node("next").start), (s(602), s(630)));
    // With 1 m between the attempts: at 362 all but 400 - 360 = 40 s are over.
    let ran = waiting("install: {strategy: {name: RetryOnFailure, retryInterval: 1m}}", 400);
    assert_eq!(ran.release("r").ready, s(402));
}

#[test]
fn a_retry_with_remediation_begins_anew_with_warm_images() {
    // Out of time at 302 and again after 0.75 s. Three quarters of the 300 s need not be spent again: 175 s are left.
    let ran = waiting("install: {remediation: {retries: 1}}", 400);
    assert_eq!(ran.release("r").ready, at(302.75 + 175.0));
    // app polls at 2 + 5·95 = 477, 482.
    assert_eq!(ran.node("app").ready, s(482));
}

#[test]
fn a_child_created_suspended_times_its_parent_out() {
    // p is applied at 1 and gives up at 61. Nothing will change; the run ends there.
    let case = Case::default().node("p", "wait: true, timeout: 1m, retryInterval: 1m").under("p", "c", "suspend: true");
    let ran = case.node("next", "dependsOn: [{name: c}]").apply(&[("p", 1)]).run();
    assert_eq!((ran.node("p").ready, &ran.node("p").timed_out), (None, &timed_out(&[61])));
    assert_eq!(ran.stuck(ran.node("p")), (NotReadyCause::Health, Some("c".to_owned())));
    assert_eq!(ran.stuck(ran.node("c")), (NotReadyCause::Suspended, None));
    assert_eq!(
        (ran.node("c").start, ran.stuck(ran.node("next"))),
        (None, (NotReadyCause::Dependency, Some("c".to_owned())))
    );
}

#[test]
fn a_release_created_suspended_is_current_at_once() {
    let case = Case::default().node("p", "wait: true").folder("p", release("r", "suspend: true"));
    let ran = case.apply(&[("p", 1)]).releases(&[("r", 50)]).run();
    assert_eq!((ran.node("p").ready, ran.release("r").ready), (s(1), None));
}

#[test]
fn a_child_that_depends_on_its_waiting_parent_waits_for_ever() {
    let case = Case::default().node("p", "wait: true, timeout: 1m, retryInterval: 1m").under(
        "p",
        "c",
        "dependsOn: [{name: p}]",
    );
    let ran = case.apply(&[("p", 1)]).run();
    assert_eq!(ran.stuck(ran.node("p")), (NotReadyCause::Health, Some("c".to_owned())));
    assert_eq!(ran.stuck(ran.node("c")), (NotReadyCause::Dependency, Some("p".to_owned())));
    assert_eq!((ran.node("p").applied, &ran.node("p").timed_out), (s(1), &timed_out(&[61])));
}

/// A Kustomization with a custom resource whose manifest another applies after so many seconds.
fn custom(seconds: u32) -> super::Ran {
    let manifest = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: widgets.example.org}\n\
                      spec: {group: example.org, names: {kind: Widget, plural: widgets}, scope: Namespaced}\n";
    let custom = "apiVersion: example.org/v1\nkind: Widget\nmetadata: {name: w, namespace: flux-system}\n";
    let case = Case::default().node("crds", "").folder("crds", manifest);
    let case = case.node("app", "retryInterval: 1m").folder("app", custom);
    case.apply(&[("app", 3)].into_iter().chain([("crds", seconds)]).collect::<Vec<_>>()).run()
}

#[test]
fn a_definition_that_comes_later_is_seen_by_a_later_attempt() {
    // The dry-run at 3 fails. Attempts begin at 63, 126, …, each with its dry-run 3 s later.
    let ran = custom(20);
    assert_eq!((ran.node("app").start, ran.node("app").applied, ran.node("app").attempts), (s(0), s(66), 2));
    // At 64 the second attempt is under way, and its dry-run at 66 finds the manifest. At 67 it is the third's turn.
    assert_eq!((custom(64).node("app").applied, custom(64).node("app").attempts), (s(66), 2));
    assert_eq!((custom(67).node("app").applied, custom(67).node("app").attempts), (s(129), 3));
    assert_eq!(custom(2).node("app").attempts, 1);
    assert_eq!(ran.path(), ["crds", "app"]);
}

#[test]
fn a_namespace_that_comes_later_costs_the_interval_without_a_retry_interval() {
    // The dry-run at 3 fails, the next attempt begins at 3 + 3600.
    let case = (Case::default().node("infra", "").folder("infra", namespace("shop")))
        .node("app", "")
        .folder("app", config_map("a", "shop"))
        .apply(&[("infra", 8), ("app", 3)]);
    let ran = case.run();
    assert_eq!((ran.node("app").applied, ran.node("app").attempts), (s(3606), 2));
}

#[test]
fn what_is_read_before_the_build_is_looked_for_after_the_retry_interval() {
    // vars applies the ConfigMap at 100. app looks at 0, 60, 120: three attempts.
    let case = (Case::default().node("vars", "").folder("vars", config_map("settings", "flux-system")))
        .node("app", "retryInterval: 1m, postBuild: {substituteFrom: [{kind: ConfigMap, name: settings}]}")
        .apply(&[("vars", 100), ("app", 2)]);
    let ran = case.run();
    assert_eq!((ran.node("app").start, ran.node("app").ready, ran.node("app").attempts), (s(120), s(122), 3));
}

#[test]
fn missing_values_are_looked_for_ever_more_seldom() {
    // vars applies the ConfigMap at 10. The release looks at 0, 0.75, 2.25, 5.25, 11.25.
    let case = (Case::default().node("vars", "").folder("vars", config_map("settings", "flux-system")))
        .folder("cluster", release("r", "valuesFrom: [{kind: ConfigMap, name: settings}]"))
        .apply(&[("vars", 10)]);
    let ran = case.run();
    assert_eq!((ran.release("r").start, ran.release("r").attempts), (at(11.25), 5));
}

#[test]
fn what_fails_behind_a_failed_release_is_told_by_its_first_reason() {
    // b depends on a, which stalls: nothing is left to wait for.
    let text = release("a", "") + &release("b", "dependsOn: [{name: a}]");
    let ran = Case::default().folder("cluster", text).releases(&[("a", 301), ("b", 1)]).run();
    assert_eq!(ran.stuck(ran.release("b")), (NotReadyCause::Dependency, Some("a".to_owned())));
    assert_eq!(ran.run.ended, std::time::Duration::from_secs(300));
}

#[test]
fn durations_of_nothing_take_no_endless_time() {
    // The release is out of time at once and tries again each second, while it comes up: 10 s later it is there.
    let ran = waiting("timeout: 0s, install: {strategy: {name: RetryOnFailure, retryInterval: 0s}}", 10);
    assert_eq!((ran.release("r").ready, ran.release("r").attempts), (s(12), 11));
    // Undone each time, it never gets anywhere.
    let ran = waiting("timeout: 0s, install: {remediation: {retries: -1}}", 10);
    assert_eq!((ran.release("r").ready, ran.run.is_cut_off), (None, true));
    assert!((100..200).contains(&ran.release("r").attempts), "{:?}", ran.release("r").attempts);
    // A dry-run that fails without a delay sees the manifest as soon as it is there.
    let ran = (Case::default().node("infra", "").folder("infra", namespace("shop")))
        .node("app", "retryInterval: 0s")
        .folder("app", config_map("a", "shop"))
        .apply(&[("infra", 8)])
        .run();
    assert_eq!(ran.node("app").applied, s(8));
}

#[test]
fn what_is_a_guess_may_be_left_out() {
    // The catalogue says that the chart provides the CRD, which its own Kustomization needs before the release is applied.
    let text = release("stack", "").replace(
        "chartRef: {kind: OCIRepository, name: elsewhere}",
        "chart: {spec: {chart: kube-prometheus-stack, sourceRef: {kind: HelmRepository, name: elsewhere}}}",
    ) + "---\napiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata: {name: rules, namespace: flux-system}\n";
    let case = || Case::default().node("app", "").folder("app", text.clone()).releases(&[("stack", 60)]);
    assert_eq!(case().run().stuck(case().run().node("app")).0, NotReadyCause::DryRun);
    let sure = case().assume(|assumptions| assumptions.least = crate::finding::Confidence::High).run();
    assert_eq!((sure.node("app").ready, sure.release("stack").ready), (s(0), s(60)));
}

#[test]
fn attempts_of_what_never_comes_are_counted_until_the_end() {
    // slow keeps the run going until 600; app tries at 0, 63, …, 63·9 = 567.
    let case = (Case::default().node("slow", "").node("app", "retryInterval: 1m"))
        .folder("app", config_map("a", "shop"))
        .node("never", "suspend: true")
        .folder("never", namespace("shop"))
        .apply(&[("slow", 600), ("app", 3)]);
    let ran = case.run();
    assert_eq!((ran.node("app").attempts, ran.stuck(ran.node("app")).0), (10, NotReadyCause::DryRun));
}
