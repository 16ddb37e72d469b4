//! Deadlocks on random clusters: one is reported exactly where no order of events starts everything.

use std::collections::{BTreeMap, BTreeSet};

use fluxdag::{
    cluster::{Cluster, discover, resolve},
    finding::Confidence,
    graph::{Actor, Assume, EventGraph, EventId, Moment, Obstacle, Reason, Step, Stuck},
    source::Tree,
    yaml::Store,
};
use proptest::prelude::*;

/// The cluster as it is, if every guess held.
const GUESSED: Assume<'static> = Assume { least: Confidence::Low, ..Assume::AS_IS };

/// A cluster: for each Kustomization what it applies, what it depends on, and whether it waits. The first is the root.
#[derive(Debug, Clone)]
struct Plan {
    nodes: Vec<Planned>,
}

#[derive(Debug, Clone, Default)]
struct Planned {
    children: BTreeSet<usize>,
    dependencies: BTreeSet<usize>,
    waits: bool,
    /// Kinds it defines, and kinds of which it applies an object.
    defines: BTreeSet<usize>,
    uses: BTreeSet<usize>,
    /// Namespaces it makes, and namespaces it applies an object into.
    makes: BTreeSet<usize>,
    fills: BTreeSet<usize>,
    /// ConfigMaps it applies, and ConfigMaps it takes variables from.
    holds: BTreeSet<usize>,
    reads: BTreeSet<usize>,
}

/// Kinds, namespaces and ConfigMaps each: few, so that several nodes bring the same.
const THINGS: usize = 3;

fn plans() -> impl Strategy<Value = Plan> {
    (2..9_usize).prop_flat_map(|count| {
        let some = |most| prop::collection::btree_set(0..count, 0..most);
        let few = || prop::collection::btree_set(0..THINGS, 0..2_usize);
        let node = (some(3), some(2), any::<bool>(), few(), few(), few(), few(), few(), few());
        prop::collection::vec(node, count).prop_map(|nodes| {
            let planned = |(children, dependencies, waits, defines, uses, makes, fills, holds, reads)| Planned {
                children,
                dependencies,
                waits,
                defines,
                uses,
                makes,
                fills,
                holds,
                reads,
            };
            let mut nodes: Vec<Planned> = nodes.into_iter().map(planned).collect();
            // The root applies itself, as bootstrap has it, and depends on nothing. Any other that did would be a root.
            for (index, node) in nodes.iter_mut().enumerate() {
                node.children.remove(&index);
            }
            nodes[0].children.insert(0);
            nodes[0].dependencies.clear();
            nodes[0].reads.clear();
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
            let reads = list(&node.reads, &|config| format!("{{kind: ConfigMap, name: c{config}}}"));
            let object = format!(
                "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: k{index}, namespace: \
                 flux-system}}\nspec:\n  interval: 10m\n  prune: true\n  path: ./dir/k{index}\n  wait: {}\n  dependsOn: \
                 [{dependencies}]\n  postBuild: {{substituteFrom: [{reads}]}}\n  sourceRef: {{kind: GitRepository, name: flux-system}}\n",
                node.waits
            );
            let children = list(&node.children, &|child| format!("../../ks/k{child}.yaml"));
            files.push((format!("ks/k{index}.yaml"), object.into_bytes()));
            let resources =
                if children.is_empty() { "objects.yaml".to_owned() } else { format!("objects.yaml, {children}") };
            files
                .push((format!("dir/k{index}/kustomization.yaml"), format!("resources: [{resources}]\n").into_bytes()));
            files.push((format!("dir/k{index}/objects.yaml"), node.objects(index).into_bytes()));
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
        let (mut started, mut applied, mut ready) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        // What nothing in the cluster provides is there from the start.
        let there = |thing: &usize, of: fn(&Planned) -> &BTreeSet<usize>, done: &BTreeSet<usize>| {
            let mut bringers = reached.iter().filter(|index| of(&self.nodes[**index]).contains(thing)).peekable();
            bringers.peek().is_none() || bringers.any(|index| done.contains(index))
        };
        loop {
            let before = (started.len(), applied.len(), ready.len());
            for index in &reached {
                let node = &self.nodes[*index];
                let exists =
                    *index == 0 || applied.iter().any(|parent: &usize| self.nodes[*parent].children.contains(index));
                let met = node.dependencies.iter().all(|on| !reached.contains(on) || ready.contains(on));
                let read = node.reads.iter().all(|config| there(config, |node| &node.holds, &applied));
                // The first stage, with definitions and Namespaces, goes through as soon as the work begins.
                if exists && met && read {
                    started.insert(*index);
                }
                let known = node.uses.iter().all(|kind| there(kind, |node| &node.defines, &started));
                let placed = node.fills.iter().all(|namespace| there(namespace, |node| &node.makes, &started));
                if started.contains(index) && known && placed {
                    applied.insert(*index);
                }
                let healthy = !node.waits || node.children.iter().all(|child| child == index || ready.contains(child));
                if applied.contains(index) && healthy {
                    ready.insert(*index);
                }
            }
            if before == (started.len(), applied.len(), ready.len()) {
                return (reached, ready);
            }
        }
    }
}

impl Planned {
    /// Everything it applies but Kustomizations.
    fn objects(&self, index: usize) -> String {
        let mut text = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: own{index}, namespace: default}}\n");
        let mut add = |object: String| {
            text.push_str("---\n");
            text.push_str(&object);
        };
        for kind in &self.defines {
            add(format!(
                "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: t{kind}s.example.org}}\nspec: \
                 {{group: example.org, scope: Namespaced, names: {{kind: T{kind}, plural: t{kind}s}}, versions: []}}\n"
            ));
        }
        for kind in &self.uses {
            add(format!(
                "apiVersion: example.org/v1\nkind: T{kind}\nmetadata: {{name: o{index}, namespace: default}}\n"
            ));
        }
        for namespace in &self.makes {
            add(format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: n{namespace}}}\n"));
        }
        for namespace in &self.fills {
            add(format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: in{index}, namespace: n{namespace}}}\n"));
        }
        for config in &self.holds {
            add(format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{config}, namespace: flux-system}}\ndata: {{x{config}: \"1\"}}\n"
            ));
        }
        text
    }
}

/// Takes one link of a loop out of the plan, as the rules advise; `None` for a link that is none of the user's text.
fn heed(plan: &Plan, cluster: &Cluster, step: &Step) -> Option<Plan> {
    let index = |actor: Actor| match actor {
        Actor::Node(id) => cluster.node(id).key.name[1..].parse::<usize>().ok(),
        _ => None,
    };
    let number = |name: &str| name[1..].parse::<usize>().expect("a number behind the letter");
    let after = index(step.after.actor)?;
    let mut plan = plan.clone();
    let node = &mut plan.nodes[after];
    match (step.edge.reason, step.before.actor) {
        (Reason::DependsOn, before) => node.dependencies.remove(&index(before)?),
        (Reason::Wait, _) => std::mem::take(&mut node.waits),
        (Reason::NeedsKind, Actor::Kind(kind)) => {
            node.uses.remove(&number(&cluster.implicit.kinds[kind as usize].kind))
        }
        (Reason::NeedsNamespace, Actor::Namespace(namespace)) => {
            node.fills.remove(&number(&cluster.implicit.namespaces[namespace as usize].name))
        }
        (Reason::SubstituteFrom, Actor::Object(object)) => {
            let key = cluster.objects.keys().nth(object as usize).expect("an object of the cluster");
            node.reads.remove(&number(&key.name))
        }
        _ => return None,
    }
    .then_some(plan)
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
        let graph = EventGraph::new(&cluster, Vec::new());
        let solution = graph.reach(GUESSED);
        let found: BTreeSet<String> = cluster
            .nodes()
            .filter(|(id, _)| graph.id(Actor::Node(*id), Moment::Ready).is_some_and(|event| solution.time(event).is_some()))
            .map(|(_, node)| node.key.name.to_string())
            .collect();
        let expected: BTreeSet<String> = ready.iter().map(|index| format!("k{index}")).collect();
        prop_assert_eq!(cluster.nodes.len(), reached.len());
        prop_assert_eq!(&found, &expected);
        prop_assert_eq!(graph.loops().is_empty(), reached == ready);
    }

    #[test]
    fn every_reported_loop_is_a_chain_that_comes_back_and_holds_only_what_never_happens(plan in plans()) {
        let cluster = cluster(&plan);
        let graph = EventGraph::new(&cluster, Vec::new());
        let solution = graph.reach(GUESSED);
        for deadlock in graph.loops() {
            let steps = &deadlock.steps;
            for (step, next) in steps.iter().zip(steps.iter().cycle().skip(1)) {
                prop_assert_eq!(step.after, next.before);
                let id = graph.id(step.after.actor, step.after.moment).unwrap();
                prop_assert!(solution.time(id).is_none());
            }
        }
    }

    #[test]
    fn heeding_one_link_of_each_reported_loop_ends_in_a_cluster_that_starts(plan in plans(), choice in any::<prop::sample::Index>()) {
        let mut plan = plan;
        // Each round takes something out of the plan, so there is an end.
        for _ in 0..1000 {
            let cluster = cluster(&plan);
            let graph = EventGraph::new(&cluster, Vec::new());
            let Some(deadlock) = graph.loops().first().cloned() else { break };
            let ways: Vec<Plan> = deadlock.links().filter_map(|step| heed(&plan, &cluster, step)).collect();
            prop_assert!(!ways.is_empty(), "{:?}", deadlock);
            let next = ways[choice.index(ways.len())].clone();
            plan = next;
        }
        let (reached, ready) = plan.outcome();
        prop_assert_eq!(reached, ready);
    }

    #[test]
    fn what_is_needed_is_what_is_unreachable_without_it(plan in plans()) {
        let cluster = cluster(&plan);
        let graph = EventGraph::new(&cluster, Vec::new());
        let solution = graph.reach(Assume::REPAIRED);
        prop_assert!(graph.events().all(|id| solution.happens(id)));
        let events: Vec<EventId> = graph.events().collect();
        let lost: Vec<BTreeSet<EventId>> =
            events.iter().map(|id| graph.unreachable_without(&[*id]).into_iter().collect()).collect();
        let counts: Vec<usize> = lost.iter().map(BTreeSet::len).collect();
        prop_assert_eq!(graph.needed_by(&events, &events), counts);
        let pairs = (0..events.len()).flat_map(|one| (0..events.len()).map(move |other| (one, other)));
        let pairs: Vec<(usize, usize)> = pairs.filter(|(one, other)| one != other).collect();
        let found = graph.needs_among(&events, &|_, _, _| true, &pairs);
        for (one, other) in pairs {
            prop_assert_eq!(found.contains(&(one, other)), lost[other].contains(&events[one]));
        }
    }

    #[test]
    fn what_never_happens_leads_to_a_loop(plan in plans()) {
        let cluster = cluster(&plan);
        let graph = EventGraph::new(&cluster, Vec::new());
        let (solution, stuck) = (graph.reach(GUESSED), Stuck::new(&graph, Confidence::Low));
        for id in graph.events() {
            let nearest = stuck.nearest(id);
            prop_assert_eq!(nearest.is_some(), solution.time(id).is_none());
            let Some(Obstacle::Loop(index)) = nearest else { continue };
            let (way, found) = (stuck.way(&graph, id), &graph.loops()[index]);
            prop_assert!(stuck.obstacles(&graph, id).contains(&Obstacle::Loop(index)));
            // From what was asked about to the loop, without a gap but for moments of one object.
            let mut at = graph.event(id).actor;
            for step in &way {
                prop_assert_eq!(step.after.actor, at);
                at = step.before.actor;
            }
            prop_assert!(found.steps.iter().any(|step| step.after.actor == at));
        }
    }

    #[test]
    fn chains_are_the_shortest_there_are(plan in plans()) {
        let cluster = cluster(&plan);
        let graph = EventGraph::new(&cluster, Vec::new());
        for (one, _) in cluster.nodes() {
            let lengths = links_to(&graph, Actor::Node(one));
            for (other, _) in cluster.nodes().filter(|(other, _)| *other != one) {
                let chains = graph.chains(Actor::Node(one), &graph.events_of(Actor::Node(other)), 50, false);
                let shortest = lengths.get(&Actor::Node(other)).copied();
                prop_assert_eq!(chains.first().map(Vec::len), shortest);
                for chain in &chains {
                    prop_assert_eq!(Some(chain.len()), shortest);
                    prop_assert_eq!(chain[0].after.actor, Actor::Node(one));
                    prop_assert_eq!(chain[chain.len() - 1].before.actor, Actor::Node(other));
                    prop_assert!(chain.windows(2).all(|pair| pair[0].before.actor == pair[1].after.actor));
                }
                let sure = graph.chains(Actor::Node(one), &graph.events_of(Actor::Node(other)), 1, true);
                prop_assert!(sure.iter().flatten().all(|step| graph.alternatives(step).is_empty()));
                prop_assert!((1..chains.len()).all(|index| !chains[..index].contains(&chains[index])));
            }
        }
    }
}

/// How many links lead from `actor` to everything that it waits for, by trying each number in turn.
fn links_to(graph: &EventGraph, actor: Actor) -> BTreeMap<Actor, usize> {
    let mut seen: BTreeSet<EventId> = graph.events_of(actor).into_iter().collect();
    let mut found = BTreeMap::new();
    for length in 0.. {
        let mut open: Vec<EventId> = seen.iter().copied().collect();
        while let Some(at) = open.pop() {
            for (before, edge) in graph.inputs(at) {
                if edge.reason == Reason::Progress && seen.insert(before) {
                    open.push(before);
                }
            }
        }
        for id in &seen {
            found.entry(graph.event(*id).actor).or_insert(length);
        }
        let next = seen.iter().flat_map(|id| graph.inputs(*id).map(|(before, _)| before)).collect::<Vec<_>>();
        let known = seen.len();
        seen.extend(next);
        if seen.len() == known {
            break;
        }
    }
    found
}
