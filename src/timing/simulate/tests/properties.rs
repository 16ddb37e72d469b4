//! Random clusters: what has to agree with the graph does.

use std::time::Duration;

use proptest::prelude::*;

use super::{cluster, config_map, kustomization, namespace, release};
use crate::{
    cluster::{Cluster, NodeId},
    graph::{Actor, Assume, EventGraph, Moment, Repaired},
    timing::{Assumptions, ColdStart, Durations, Quantile, Simulation},
};

/// A Kustomization: what applies it, whether it waits, what it depends on, its releases with what those depend on, and the
/// namespaces it makes and uses. Numbers are taken modulo what there is.
type Shape = (usize, bool, Vec<usize>, Vec<Option<usize>>, Option<usize>, Option<usize>);

fn shapes() -> impl Strategy<Value = Vec<Shape>> {
    let numbers = |most| prop::collection::vec(0..100_usize, 0..most);
    let releases = prop::collection::vec(prop::option::of(0..100_usize), 0..3);
    let maybe = || prop::option::weighted(0.2, 0..3_usize);
    prop::collection::vec((0..100_usize, prop::bool::weighted(0.4), numbers(3), releases, maybe(), maybe()), 1..9)
}

/// One of `count` things, mostly before that at `index`, so that loops are rare enough.
fn earlier(number: usize, index: usize, count: usize) -> usize {
    if number.is_multiple_of(33) || index == 0 { number % count } else { number % index }
}

fn drawn(shapes: &[Shape], namespaces: bool) -> Cluster {
    let mut files: Vec<(String, String)> = Vec::new();
    let names: Vec<String> = (0..shapes.len()).map(|index| format!("n{index}")).collect();
    let releases: Vec<String> = (shapes.iter().enumerate())
        .flat_map(|(node, shape)| (0..shape.3.len()).map(move |release| format!("r{node}-{release}")))
        .collect();
    for (index, (parent, waits, depends, own, makes, uses)) in shapes.iter().enumerate() {
        let folder = if index == 0 || parent.is_multiple_of(3) { "cluster" } else { &names[parent % index] };
        let target = |number: &usize| earlier(*number, index, shapes.len());
        let depends: Vec<String> =
            depends.iter().map(|number| format!("{{name: {}}}", names[target(number)])).collect();
        let fields = format!("wait: {waits}, timeout: 10m, retryInterval: 1m, dependsOn: [{}]", depends.join(", "));
        files.push((format!("{folder}/{}.yaml", names[index]), kustomization(&names[index], &fields)));
        let mut text = config_map(&names[index], "flux-system");
        for (place, dependency) in own.iter().enumerate() {
            let own = format!("r{index}-{place}");
            let position = releases.iter().position(|name| *name == own).unwrap();
            let depends = dependency.filter(|_| position > 0).map(|number| {
                format!("dependsOn: [{{name: {}}}]", releases[earlier(number, position, releases.len())])
            });
            text += &release(&own, &depends.unwrap_or_default());
        }
        if namespaces {
            text += &makes.map(|number| namespace(&format!("space{number}"))).unwrap_or_default();
            text += &uses.map(|number| config_map("used", &format!("space{number}"))).unwrap_or_default();
        }
        files.push((format!("{}/objects.yaml", names[index]), text));
    }
    cluster(&files)
}

fn ready_by_graph(graph: &EventGraph, actor: Actor) -> bool {
    graph.id(actor, Moment::Ready).is_some_and(|id| graph.reach(Assume::AS_IS).happens(id))
}

/// Controllers that cost nothing: a worker for everything, no polling, no timeouts. A run then takes what the rollout needs.
fn ideal(cluster: &Cluster) -> Assumptions {
    Assumptions {
        kustomize_workers: u32::MAX,
        helm_workers: u32::MAX,
        kustomize_requeue: Duration::ZERO,
        helm_requeue: Duration::ZERO,
        resource_set_requeue: Duration::ZERO,
        health_poll: Duration::ZERO,
        timeouts: false,
        ..Assumptions::new(cluster)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn controllers_that_cost_nothing_are_as_fast_as_the_graph_allows(shapes in shapes()) {
        let cluster = drawn(&shapes, false);
        let (graph, durations) = (EventGraph::new(&cluster, Vec::new()), Durations::new(&cluster, crate::timing::Profile::Slow, &[]));
        let (cold, assumptions) = (ColdStart::new(&graph, &durations, Repaired::Nothing), ideal(&cluster));
        // The low end of what polling costs is nothing.
        let run = Simulation::new(&cluster, &graph, &durations, assumptions).run(Quantile::Low);
        let time = |actor, moment| Some(cold.time(graph.id(actor, moment)?)?.low);
        for (index, outcome) in run.nodes.iter().enumerate() {
            let actor = Actor::Node(NodeId(index as u32));
            prop_assert_eq!(outcome.start, time(actor, Moment::Start), "start of {}", &cluster.nodes[index].key);
            prop_assert_eq!(outcome.applied, time(actor, Moment::Applied), "apply of {}", &cluster.nodes[index].key);
            prop_assert_eq!(outcome.ready, time(actor, Moment::Ready), "ready of {}", &cluster.nodes[index].key);
        }
        for (index, outcome) in run.releases.iter().enumerate() {
            let actor = Actor::Release(index as u32);
            prop_assert_eq!(outcome.start, time(actor, Moment::Start));
            prop_assert_eq!(outcome.ready, time(actor, Moment::Ready));
        }
        // The controllers as they are cannot be faster.
        let real = Simulation::new(&cluster, &graph, &durations, Assumptions::new(&cluster)).run(Quantile::Low);
        for (real, ideal) in real.nodes.iter().zip(&run.nodes) {
            prop_assert!(real.ready.unwrap_or(Duration::MAX) >= ideal.ready.unwrap_or(Duration::MAX));
        }
    }

    #[test]
    fn all_becomes_ready_but_what_is_in_a_deadlock(shapes in shapes(), workers in 1..5_u32) {
        let cluster = drawn(&shapes, true);
        let (graph, durations) = (EventGraph::new(&cluster, Vec::new()), Durations::new(&cluster, crate::timing::Profile::Slow, &[]));
        let assumptions = Assumptions { kustomize_workers: workers, ..Assumptions::new(&cluster) };
        let run = Simulation::new(&cluster, &graph, &durations, assumptions).run(Quantile::Typical);
        for (index, outcome) in run.nodes.iter().enumerate() {
            let ready = ready_by_graph(&graph, Actor::Node(NodeId(index as u32)));
            prop_assert_eq!(outcome.ready.is_some(), ready, "{}: {:?}", &cluster.nodes[index].key, outcome);
            prop_assert_eq!(outcome.stuck.is_some(), !ready);
        }
        prop_assert!(!run.is_cut_off);
        for (index, outcome) in run.releases.iter().enumerate() {
            prop_assert_eq!(outcome.ready.is_some(), ready_by_graph(&graph, Actor::Release(index as u32)));
        }
    }
}
