//! `timeline` and `what-if`: what they answer, and what the program prints of it.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use fluxdag::{
    Options, Session,
    query::{Change, ClusterTimeline, ClusterWhatIf, NodeTimeline, Sides, Timeline, TimelineOptions},
    timing::Profile,
};

use crate::support::{self, Done, Repository, fluxdag, root};

const GATE: &str = "fixtures/heavy-in-wait";

fn run(arguments: &[&str]) -> Done {
    fluxdag(root(), arguments)
}

fn ask<T>(folder: &Path, profile: Profile, ask: impl FnOnce(&Session<'_>) -> T) -> T {
    support::ask(folder, &Options { profile, ..Options::default() }, ask)
}

fn timeline(folder: &Path, options: &TimelineOptions) -> ClusterTimeline {
    let Timeline { mut clusters, .. } = ask(folder, Profile::Slow, |session| session.timeline(options).unwrap());
    assert_eq!(clusters.len(), 1);
    clusters.remove(0)
}

fn what_if(folder: &str, change: Change) -> ClusterWhatIf {
    let [cluster] = ask(&root().join(folder), Profile::Slow, |session| session.what_if(&[change]).unwrap()).clusters;
    cluster
}

fn gate() -> PathBuf {
    root().join(GATE)
}

fn runs(runs: u32, seed: u64) -> TimelineOptions {
    TimelineOptions { runs, seed, to: None }
}

fn node<'c>(cluster: &'c ClusterTimeline, kind: &str, name: &str) -> &'c NodeTimeline {
    cluster.nodes.iter().find(|node| node.node.kind == kind && node.node.name == name).unwrap()
}

#[test]
fn a_timeline_tells_what_is_needed_and_what_the_controllers_make_of_it() {
    let cluster = timeline(&gate(), &TimelineOptions::default());
    assert_eq!(cluster.cluster, "clusters/home");
    let core = node(&cluster, "Kustomization", "core");
    let analytic = core.analytic.unwrap();
    assert!(analytic.on_critical_path);
    // Its timeout of 5 min is half of what it needs: it gives up and tries again.
    let ready = analytic.ready.unwrap().typical;
    assert!((540..=720).contains(&ready.as_secs()), "{ready:?}");
    assert!(!core.simulated.timed_out_s.is_empty());
    assert!(core.simulated.attempts > 1);
    assert!(core.simulated.ready_s.unwrap().0 > ready);
    let chart = node(&cluster, "HelmRelease", "kube-prometheus-stack");
    assert!(chart.duration_origin.contains("catalogue"));
    let names: Vec<&str> = cluster.critical_path.iter().map(|subject| subject.name.as_str()).collect();
    assert!(names.contains(&"kube-prometheus-stack"), "{names:?}");
    let sum: Duration = cluster.critical_path_shares.iter().map(|share| share.time_s.0).sum();
    assert_eq!(sum, cluster.total.unwrap().typical);
    assert_eq!(cluster.never_ready, 0);
}

#[test]
fn a_timeline_ends_where_it_is_asked_to_and_fits_a_terminal() {
    let all = run(&["timeline", "-C", GATE]);
    assert!(all.out.lines().all(|line| line.chars().count() <= 100), "{}", all.out);
    assert!(all.out.contains("gives up at its timeout after"), "{}", all.out);
    let issuers = timeline(&gate(), &TimelineOptions { to: Some("issuers".to_owned()), ..TimelineOptions::default() });
    assert_eq!(issuers.to.as_ref().unwrap().name, "issuers");
    assert!(issuers.nodes.iter().all(|node| node.node.name != "blog"));
    let wrong = run(&["timeline", "--to", "isuers", "-C", GATE]);
    assert!(wrong.code == 2 && wrong.err.contains("did you mean"), "{}", wrong.err);
}

#[test]
fn many_runs_are_the_same_for_the_same_seed() {
    let total = |seed| timeline(&gate(), &runs(50, seed)).monte_carlo_total.unwrap();
    let one = total(1);
    assert_eq!(one, total(1));
    assert_ne!(one.p50_s, total(2).p50_s);
    assert!(one.p90_s >= one.p50_s);
}

#[test]
fn many_runs_tell_what_is_critical_how_often() {
    let varied = timeline(&gate(), &runs(50, 1));
    let shares: Vec<f64> = varied.nodes.iter().map(|node| node.monte_carlo.unwrap().critical_share).collect();
    assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)), "{shares:?}");
    assert!(shares.iter().any(|share| *share > 0.5) && shares.iter().any(|share| *share < 0.5), "{shares:?}");
    let once = timeline(&gate(), &TimelineOptions::default());
    assert!(once.nodes.iter().all(|node| node.monte_carlo.is_none()));
    let text = run(&["timeline", "--runs", "50", "-C", GATE]).words();
    assert!(text.contains("Most often on the path to the last Ready: "), "{text}");
}

#[test]
fn hardware_decides_the_minutes() {
    let total = |profile: Profile| {
        let timeline = ask(&gate(), profile, |session| session.timeline(&TimelineOptions::default()).unwrap());
        assert_eq!(timeline.profile, profile.name());
        timeline.clusters[0].total.unwrap().typical
    };
    assert!(total(Profile::Slow) > 2 * total(Profile::Fast));
    let folder = Repository::empty();
    let config = folder.path("fluxdag.toml");
    std::fs::write(&config, "profile = \"fast\"\n").unwrap();
    let done = run(&["timeline", "-C", GATE, "--config", config.to_str().unwrap()]);
    assert!(done.code == 0 && done.out.contains("on fast hardware"), "{}", done.out);
}

#[test]
fn a_commit_holds_up_what_depends_on_what_it_changes() {
    let commit =
        ask(&gate(), Profile::Slow, |session| session.commit(&["infrastructure/traefik/release.yaml"]).unwrap());
    let [commit] = &commit.clusters[0].commits[..] else { panic!("one source") };
    let of = |name: &str| commit.nodes.iter().find(|node| node.node.name == name).unwrap();
    assert!(of("core").is_changed && !of("blog").is_changed);
    let ready = |name: &str| of(name).simulated.ready_s.unwrap();
    assert!(ready("blog") > ready("core") && ready("namespaces") < ready("core"));
    let nothing = run(&["timeline", "--commit", "README.md", "-C", GATE]);
    assert!(nothing.code == 0 && nothing.out.contains("No Kustomization is built from that"), "{}", nothing.out);
    let missing = run(&["timeline", "--commit", "nowhere.yaml", "-C", GATE]);
    assert_eq!(missing.code, 2);
}

#[test]
fn a_change_is_told_in_both_layers() {
    let blog = |cluster: &ClusterWhatIf| {
        let node = cluster.nodes.iter().find(|node| node.node.name == "blog").unwrap();
        node.ready.map(|times| times.map(|times| times.typical))
    };
    let split = what_if(GATE, Change::Split("core".to_owned()));
    assert!(blog(&split).after < blog(&split).before);
    assert_eq!(split.outcome.as_ref().map(|outcome| outcome.counts.never_ready), Sides { before: 0, after: 0 });
    let longer = Change::Timeout { node: "core".to_owned(), timeout: "30m".to_owned() };
    let timeout = what_if("fixtures/timeout-below-content", longer);
    assert_eq!(timeout.total.before, timeout.total.after, "what is needed stays the same");
    let simulated = timeout.simulated_total_s;
    assert!(simulated.after < simulated.before, "but no attempt fails any more");
    let fail = what_if(GATE, Change::Fail("issuers".to_owned()));
    assert_eq!(blog(&fail).after, None);
    let counts = fail.outcome.as_ref().map(|outcome| outcome.counts.never_ready);
    assert!(counts.after > counts.before);
    assert_eq!(fail.outcome.after.obstacles[0].cause, "assumed");
    assert!(fail.simulated_never_ready.after > fail.simulated_never_ready.before, "nor in the simulation");
}

#[test]
fn what_is_never_ready_then_is_no_gain() {
    let said = |arguments: &[&str]| {
        let done = run(&[&["what-if", "-C", GATE], arguments].concat());
        assert_eq!(done.code, 0, "{}", done.err);
        done.out.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let breaks = [(["--add-edge", "core:configs"], "6", "10"), (["--fail", "core"], "9", "7")];
    for (breaks, ready, never) in breaks {
        let out = said(&breaks);
        let head =
            format!("Then {ready} of 16 Kustomizations and HelmReleases become Ready, 16 of 16 as it is: {never} ");
        assert!(out.contains(&head), "{out}");
        assert!(out.contains(" as it is, and the last of those that do after about"), "{out}");
    }
    assert!(
        said(&["--fail", "notes"])
            .contains("Then 15 of 16 Kustomizations and HelmReleases become Ready, 16 of 16 as it is: 1 ")
    );
    let split = said(&["--split", "core"]);
    assert!(split.contains("as it is, and after about"), "{split}");
    // What is made by the change was not late before.
    assert!(!split.contains("never"), "{split}");
    assert!(split.contains(" s Kustomization/flux-system/core-heavy") && split.contains(": new "), "{split}");
}

#[test]
fn what_cannot_be_changed_is_said() {
    let says = |arguments: &[&str], words: &str| {
        let done = run(&[&["what-if", "-C", GATE], arguments].concat());
        assert!(done.code == 2 && done.err.contains(words), "{arguments:?}: {}", done.err);
    };
    says(&[], "there is nothing to change");
    says(&["--unset-wait", "nobody"], "there is no `nobody`");
    says(&["--drop-edge", "core"], "is not of the form NODE:DEPENDENCY");
    says(&["--drop-edge", "core:blog"], "does not depend on");
    says(&["--slow", "kube-prometheus-stack=fast"], "is no factor");
    says(&["--slow", "no-such-chart=2x"], "no HelmRelease is of a chart");
    says(&["--timeout", "core=soon"], "is no duration");
    says(&["--split", "blog"], "has no HelmRelease that takes much longer");
}

/// A cluster of `count` Kustomizations that each wait for a Deployment of their own.
fn alike(count: usize) -> Repository {
    let mut files = Vec::new();
    for index in 0..count {
        let name = format!("app-{index}");
        let node = format!(
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: flux-system}}\nspec: \
             {{interval: 1h, retryInterval: 2m, timeout: 15m, path: ./{name}, prune: true, wait: true, sourceRef: {{kind: GitRepository, \
             name: flux-system}}}}\n"
        );
        let deployment = format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: default}}\nspec:\n  selector: {{matchLabels: \
             {{app: {name}}}}}\n  template:\n    metadata: {{labels: {{app: {name}}}}}\n    spec: {{containers: [{{name: app, image: \
             ghcr.io/example/app:1}}]}}\n"
        );
        files.push((format!("clusters/prod/{name}.yaml"), node));
        files.push((format!("{name}/deployment.yaml"), deployment));
    }
    Repository::cluster(&files)
}

#[test]
fn what_waits_for_a_worker_is_told_apart() {
    let cluster = |count| {
        let cluster = timeline(alike(count).folder(), &TimelineOptions::default());
        (cluster.simulated_total_s.0.as_secs(), cluster.queueing_s.0.as_secs())
    };
    // Four workers, all of them free for four; a second round for eight.
    let (of_four, queueing) = cluster(4);
    assert_eq!(queueing, 0);
    let (of_eight, queueing) = cluster(8);
    assert!(queueing > 0 && of_eight - queueing <= of_four + 1, "{of_four} s, {of_eight} s, {queueing} s");
    let text = alike(8).run(&["timeline"]).out.replace('\n', " ");
    assert!(text.contains("waiting for a free worker"), "{text}");
}
