//! Many runs.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use super::{Built, Case, cluster, config_map, kustomization, release};
use crate::{
    graph::EventGraph,
    timing::{Assumptions, Durations, Percentiles, Quantile, Simulation},
};

/// Two releases of the same range in one waiting Kustomization.
fn two() -> Built {
    let text = release("one", "timeout: 1h") + &release("two", "timeout: 1h");
    let case =
        Case::default().node("app", "wait: true, timeout: 1h").folder("app", text).node("never", "suspend: true");
    let mut built = case.built();
    built.simulation.load.release = vec![[40_000, 85_000, 300_000]; 2];
    built
}

#[test]
fn the_same_seed_gives_the_same_on_any_number_of_threads() {
    let built = two();
    let on = |threads: usize, seed| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| built.simulation.monte_carlo(300, seed))
    };
    assert_eq!(on(1, 7), on(4, 7));
    assert!(on(1, 7) != on(1, 8));
}

#[test]
fn percentiles_lie_in_the_range_and_the_slower_of_two_is_critical() {
    let built = two();
    let spread = built.simulation.monte_carlo(1000, 1);
    let [one, two] = [spread.releases[0], spread.releases[1]];
    let seconds = |duration: Option<Duration>| duration.expect("it is always Ready").as_secs();
    for release in [one, two] {
        let (p50, p90) = (seconds(release.ready.p50), seconds(release.ready.p90));
        assert!((80..140).contains(&p50) && p90 > p50 && p90 < 300, "{release:?}");
    }
    let [app, never] = ["app", "never"].map(|name| {
        let key = crate::cluster::NodeKey::new("flux-system", name);
        spread.nodes[built.cluster.find(&key).expect("there").index()]
    });
    // The later of two takes longer than either, and each is the later in about half of the runs.
    assert!(app.ready.p50 > one.ready.p50.max(two.ready.p50) && app.critical == 1000);
    assert!((400..600).contains(&one.critical) && one.critical + two.critical >= 1000, "{one:?} {two:?}");
    assert_eq!((never.ready, never.never), (Percentiles { p50: None, p90: None }, 1000));
    assert_eq!(spread.total, app.ready);
}

#[test]
fn a_range_without_a_width_gives_what_one_run_does() {
    let case = Case::default().node("a", "").node("b", "wait: true, dependsOn: [{name: a}]");
    let built = case.apply(&[("a", 10), ("b", 5)]).health(&[("b", 12)]).built();
    let (run, spread) = (built.simulation.run(Quantile::Typical), built.simulation.monte_carlo(20, 3));
    for (outcome, distribution) in run.nodes.iter().zip(&spread.nodes) {
        assert_eq!(distribution.ready, Percentiles { p50: outcome.ready, p90: outcome.ready });
    }
}

/// A hundred waiting Kustomizations, each with ninety-nine of its own: every second one waits, each third depends on the one before,
/// and each fourth has a release.
fn large() -> crate::cluster::Cluster {
    let mut files = Vec::new();
    for group in 0..100 {
        let before = if group % 10 == 0 { String::new() } else { format!("dependsOn: [{{name: g{:02}}}]", group - 1) };
        let name = format!("g{group:02}");
        files.push((
            format!("cluster/{name}.yaml"),
            kustomization(&name, &format!("timeout: 1h, retryInterval: 2m, {before}")),
        ));
        let mut children = String::new();
        for child in 0..99 {
            let name = format!("g{group:02}-{child:02}");
            let depends = if child % 3 == 2 {
                format!("dependsOn: [{{name: g{group:02}-{:02}}}]", child - 1)
            } else {
                String::new()
            };
            let fields = format!("wait: {}, timeout: 10m, retryInterval: 2m, {depends}", child % 2 == 0);
            let _ = write!(children, "{}", kustomization(&name, &fields));
            let mut objects = config_map(&name, "flux-system");
            if child % 4 == 0 {
                objects += &release(&name, "timeout: 10m");
            }
            files.push((format!("{name}/objects.yaml"), objects));
        }
        files.push((format!("{name}/children.yaml"), children));
    }
    cluster(&files)
}

/// Prints how long it takes; `cargo test --release -- --ignored --nocapture thousand_runs`.
#[test]
#[ignore = "a measurement"]
fn a_thousand_runs_of_ten_thousand_kustomizations() {
    let cluster = large();
    let (graph, durations) =
        (EventGraph::new(&cluster, Vec::new()), Durations::new(&cluster, crate::timing::Profile::Slow, &[]));
    for workers in [4, 20] {
        let assumptions =
            Assumptions { kustomize_workers: workers, helm_workers: workers, ..Assumptions::new(&cluster) };
        let begin = Instant::now();
        let simulation = Simulation::new(&cluster, &graph, &durations, assumptions);
        let laid_out = begin.elapsed();
        let run = simulation.run(Quantile::Typical);
        let once = begin.elapsed() - laid_out;
        let begin = Instant::now();
        let spread = simulation.monte_carlo(1000, 1);
        let took = begin.elapsed();
        println!(
            "{} nodes, {} releases, {} events, {workers} workers: laid out in {laid_out:?}, one run in {once:?}, 1000 runs in {took:?}; \
             ready after {:?}, {} nodes never, total {:?}",
            cluster.nodes.len(),
            cluster.releases.len(),
            graph.len(),
            run.total,
            run.nodes.iter().filter(|node| node.ready.is_none()).count(),
            spread.total
        );
        assert!(cfg!(debug_assertions) || took < Duration::from_secs(30), "{took:?}");
    }
}
