//! Deadlocks on random clusters: one is reported exactly where no order of events brings everything up.

use std::collections::BTreeSet;

use fluxdag::{
    cluster::{Cluster, discover, resolve},
    graph::{Actor, EventGraph, Moment},
    source::Tree,
    yaml::Store,
};
use proptest::prelude::*;

/// A cluster: for each Kustomization what it applies, what it depends on, and whether it waits. The first is the root.
#[derive(Debug, Clone)]
struct Plan {
    nodes: Vec<Planned>,
}

#[derive(Debug, Clone)]
struct Planned {
    children: BTreeSet<usize>,
    dependencies: BTreeSet<usize>,
    waits: bool,
}

fn plans() -> impl Strategy<Value = Plan> {
    (2..9_usize).prop_flat_map(|count| {
        let some = |most| prop::collection::btree_set(0..count, 0..most);
        let node = (some(3), some(2), any::<bool>());
        prop::collection::vec(node, count).prop_map(|nodes| {
            let planned = |(children, dependencies, waits)| Planned { children, dependencies, waits };
            let mut nodes: Vec<Planned> = nodes.into_iter().map(planned).collect();
            // The root applies itself, as bootstrap has it, and depends on nothing. Any other that did would be a root.
            for (index, node) in nodes.iter_mut().enumerate() {
                node.children.remove(&index);
            }
            nodes[0].children.insert(0);
            nodes[0].dependencies.clear();
            Plan { nodes }
        })
    })
}

impl Plan {
    fn files(&self) -> Vec<(String, Vec<u8>)> {
        let mut files = Vec::new();
        for (index, node) in self.nodes.iter().enumerate() {
            let list = |items: &BTreeSet<usize>, item: &dyn Fn(&usize) -> String| {
                items.iter().map(item).collect::<Vec<_>>().join(", ")
            };
            let dependencies = list(&node.dependencies, &|on| format!("{{name: k{on}}}"));
            let object = format!(
                "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: k{index}, namespace: \
                 flux-system}}\nspec:\n  interval: 10m\n  prune: true\n  path: ./dir/k{index}\n  wait: {}\n  dependsOn: \
                 [{dependencies}]\n  sourceRef: {{kind: GitRepository, name: flux-system}}\n",
                node.waits
            );
            let children = list(&node.children, &|child| format!("../../ks/k{child}.yaml"));
            files.push((format!("ks/k{index}.yaml"), object.into_bytes()));
            files.push((format!("dir/k{index}/kustomization.yaml"), format!("resources: [{children}]\n").into_bytes()));
        }
        files
    }

    /// The nodes that some build leads to, and those of them that become Ready, by trying until nothing moves.
    fn outcome(&self) -> (BTreeSet<usize>, BTreeSet<usize>) {
        let mut reached = BTreeSet::from([0]);
        let mut open = vec![0];
        while let Some(at) = open.pop() {
            open.extend(self.nodes[at].children.iter().filter(|child| reached.insert(**child)));
        }
        let (mut applied, mut ready) = (BTreeSet::new(), BTreeSet::new());
        loop {
            let before = (applied.len(), ready.len());
            for index in &reached {
                let node = &self.nodes[*index];
                let exists =
                    *index == 0 || applied.iter().any(|parent: &usize| self.nodes[*parent].children.contains(index));
                let met = node.dependencies.iter().all(|on| !reached.contains(on) || ready.contains(on));
                if exists && met {
                    applied.insert(*index);
                }
                let healthy = !node.waits || node.children.iter().all(|child| child == index || ready.contains(child));
                if applied.contains(index) && healthy {
                    ready.insert(*index);
                }
            }
            if before == (applied.len(), ready.len()) {
                return (reached, ready);
            }
        }
    }
}

/// The one cluster that a root leads to.
fn cluster(plan: &Plan) -> Cluster {
    let store = Store::new(Tree::from_memory(plan.files()));
    let discovered = discover(&store, &fluxdag::cluster::Scope::default());
    let mut clusters = resolve(&store, "", &discovered, None);
    clusters.retain(|cluster| cluster.reached);
    assert_eq!(clusters.len(), 1, "{plan:?}");
    clusters.remove(0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_deadlock_is_reported_exactly_where_something_never_becomes_ready(plan in plans()) {
        let (reached, ready) = plan.outcome();
        let cluster = cluster(&plan);
        let graph = EventGraph::of(&cluster);
        let solution = graph.reachable();
        let found: BTreeSet<String> = cluster
            .nodes()
            .filter(|(id, _)| graph.id(Actor::Node(*id), Moment::Ready).is_some_and(|event| solution.time(event).is_some()))
            .map(|(_, node)| node.key.name.to_string())
            .collect();
        let expected: BTreeSet<String> = ready.iter().map(|index| format!("k{index}")).collect();
        prop_assert_eq!(cluster.nodes.len(), reached.len());
        prop_assert_eq!(&found, &expected);
        prop_assert_eq!(graph.deadlocks().is_empty(), reached == ready);
    }

    #[test]
    fn every_reported_loop_is_a_chain_that_comes_back_and_holds_only_what_never_happens(plan in plans()) {
        let cluster = cluster(&plan);
        let graph = EventGraph::of(&cluster);
        let solution = graph.reachable();
        for deadlock in graph.deadlocks() {
            let steps = &deadlock.steps;
            for (step, next) in steps.iter().zip(steps.iter().cycle().skip(1)) {
                prop_assert_eq!(step.after, next.before);
                let id = graph.id(step.after.actor, step.after.moment).unwrap();
                prop_assert!(solution.time(id).is_none());
            }
        }
    }
}
