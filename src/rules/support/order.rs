//! What the rules on order share: who may start before something it needs is sure to be there.

use std::{collections::BTreeMap, time::Duration};

use rustc_hash::FxHashSet;

use super::{
    Situation,
    attempts::pause,
    wording::{about, names, short_list, subject_of},
};
use crate::{
    cluster::{Cluster, NodeId, Provider},
    finding::{Confidence, Related, Severity},
    graph::{Actor, BlockedReach, EventGraph, EventId, Loop, Moment, Reason},
    source::Span,
};

/// A Kustomization that applies something too early, and where it says so.
#[derive(Debug, Clone, Copy)]
pub(in crate::rules) struct Early {
    pub(in crate::rules) node: NodeId,
    pub(in crate::rules) span: Span,
    pub(in crate::rules) confidence: Confidence,
}

/// Steps of the search over all that is asked of one graph; what is left then counts as ordered.
const WORK: usize = 100_000_000;

/// Asks a graph who is early, as long as that is not too much work.
pub(in crate::rules) struct Search<'g> {
    situation: &'g Situation<'g>,
    graph: &'g EventGraph,
    reach: BlockedReach<'g>,
}

impl<'g> Search<'g> {
    pub(in crate::rules) fn new(situation: &'g Situation<'g>) -> Self {
        let graph = &situation.graph;
        Self { situation, graph, reach: BlockedReach::new(graph) }
    }

    /// Which Kustomizations have an edge of `reason` from `needed`, do not bring it themselves, and may start although
    /// nothing that provides it has happened.
    pub(in crate::rules) fn early(&mut self, needed: EventId, reason: Reason) -> Vec<Early> {
        let graph = self.graph;
        let bringers: Vec<EventId> = graph.inputs(needed).map(|(before, _)| before).collect();
        let brings = |node: NodeId| bringers.iter().any(|event| graph.event(*event).actor == Actor::Node(node));
        // What waits in a circle for what it needs is a deadlock, reported as such.
        let in_circle = |node: NodeId| {
            let actor = graph.event(needed).actor;
            let mut links = self.situation.deadlocks().iter().flat_map(Loop::links);
            links.any(|step| {
                step.edge.reason == reason && step.before.actor == actor && step.after.actor == Actor::Node(node)
            })
        };
        let users: BTreeMap<NodeId, Early> = graph
            .outputs(needed)
            .filter(|(_, edge)| edge.reason == reason)
            .filter_map(|(after, edge)| match graph.event(after).actor {
                Actor::Node(node) if !brings(node) && !in_circle(node) => {
                    Some((node, Early { node, span: edge.span, confidence: edge.confidence }))
                }
                _ => None,
            })
            .collect();
        let early = self.starting(&bringers, users.keys().copied());
        early.into_iter().filter_map(|node| users.get(&node).copied()).collect()
    }

    /// Which Kustomizations read `needed` before they start, do not bring it themselves, and may come to read it although
    /// nothing that provides it has happened.
    pub(in crate::rules) fn reading(&mut self, needed: EventId) -> Vec<(Early, Reason)> {
        let graph = self.graph;
        let readers: Vec<(EventId, Early, Reason)> = graph
            .outputs(needed)
            .filter(|(_, edge)| edge.reason.is_input())
            .filter_map(|(after, edge)| match graph.event(after).actor {
                Actor::Node(node) => {
                    Some((after, Early { node, span: edge.span, confidence: edge.confidence }, edge.reason))
                }
                _ => None,
            })
            .collect();
        if readers.is_empty() || self.reach.work() > WORK {
            return Vec::new();
        }
        let bringers: Vec<EventId> = graph.inputs(needed).map(|(before, _)| before).collect();
        if bringers.is_empty() {
            return Vec::new();
        }
        let others = |start: EventId| graph.inputs(start).map(|(before, _)| before).filter(|before| *before != needed);
        let asked: Vec<EventId> = readers.iter().flat_map(|(start, ..)| others(*start)).collect();
        let mut happens = self.reach.happen_without(&bringers, &asked).into_iter();
        let mut found = Vec::new();
        for (start, early, reason) in readers {
            let are_met = others(start).zip(happens.by_ref()).fold(true, |all, (_, happens)| all && happens);
            if are_met && self.reach.happens(start) && !comes_later(self.situation, start, &bringers) {
                found.push((early, reason));
            }
        }
        found
    }

    /// Which of `users` may start although none of `providers` has applied what they use.
    pub(in crate::rules) fn before(&mut self, providers: &[Provider], users: &BTreeMap<NodeId, Early>) -> Vec<Early> {
        let applied = |provider: &Provider| self.graph.id(Actor::Node(provider.node), Moment::Applied);
        let needed: Vec<EventId> = providers.iter().filter_map(applied).collect();
        self.before_events(&needed, users)
    }

    /// Which of `users` may start although none of `needed` has happened.
    pub(in crate::rules) fn before_events(
        &mut self,
        needed: &[EventId],
        users: &BTreeMap<NodeId, Early>,
    ) -> Vec<Early> {
        let starting = self.starting(needed, users.keys().copied());
        starting.into_iter().filter_map(|node| users.get(&node).copied()).collect()
    }

    /// Which of `nodes` may start although none of `needed` has happened.
    fn starting(&mut self, needed: &[EventId], nodes: impl Iterator<Item = NodeId>) -> Vec<NodeId> {
        let event = |node: NodeId, moment| self.graph.id(Actor::Node(node), moment);
        // What never gets there at all is a deadlock, reported as such.
        let (nodes, starts): (Vec<NodeId>, Vec<EventId>) = nodes
            .filter(|node| event(*node, Moment::Applied).is_some_and(|applied| self.reach.happens(applied)))
            .filter_map(|node| Some((node, event(node, Moment::Start)?)))
            .unzip();
        if nodes.is_empty() || self.reach.work() > WORK {
            return Vec::new();
        }
        let happens = self.reach.happen_without(needed, &starts);
        let early = nodes.into_iter().zip(starts).zip(happens).filter(|(_, happens)| *happens);
        early
            .filter(|((_, start), _)| !comes_later(self.situation, *start, needed))
            .map(|((node, _), _)| node)
            .collect()
    }
}

/// By how much an event has to come before another one, by the clock of a cold start, to be there without an order.
const AHEAD: Duration = Duration::from_mins(1);

/// Whether `start` comes so late that one of `needed` has happened by then, although nothing orders the two: something that
/// takes much longer holds it up, even on its fastest day.
pub(in crate::rules) fn comes_later(situation: &Situation<'_>, start: EventId, needed: &[EventId]) -> bool {
    let clock = &situation.repaired;
    let Some(start) = clock.time(start) else { return false };
    needed.iter().filter_map(|event| clock.time(*event)).any(|needed| start.low >= needed.high + AHEAD)
}

/// When a Kustomization is tried again after a failure, to follow "the next attempt … comes".
pub(in crate::rules) fn next_attempt(situation: &Situation<'_>, node: NodeId) -> Option<(Duration, String)> {
    let (pause, key) = pause(&situation.cluster.node(node).kustomization.spec)?;
    let unset = if key == "interval" { " (`retryInterval` is not set)" } else { "" };
    Some((pause, format!("{} later, by its `{key}`{unset}", about(pause))))
}

/// A race that is lost costs one retry. From this on it is worth a warning.
const COSTLY: Duration = Duration::from_mins(5);

/// What losing the race costs: the longest retry among them, in words, and how much that matters.
pub(in crate::rules) fn cost(situation: &Situation<'_>, early: &[Early]) -> (Severity, String) {
    let slowest = early.iter().filter_map(|early| Some((next_attempt(situation, early.node)?, early.node)));
    let Some(((pause, comes), node)) = slowest.max_by_key(|((pause, _), node)| (*pause, std::cmp::Reverse(*node)))
    else {
        return (Severity::Info, "how soon the next attempt comes is not known".to_owned());
    };
    let name = &situation.cluster.node(node).key.name;
    let severity = if pause >= COSTLY { Severity::Warning } else { Severity::Info };
    (severity, format!("the next attempt of {name} comes {comes}"))
}

/// The other Kustomizations as places, the first few, and what provides what they need, with `does` for what it does.
pub(in crate::rules) fn places(
    situation: &Situation<'_>,
    early: &[Early],
    bringers: &[(Actor, Span)],
    does: &str,
) -> Vec<Related> {
    let place = |early: &Early| {
        let subject = situation.cluster.node(early.node).subject();
        Related::new(format!("{} needs it too", subject.name), Some(subject), early.span)
    };
    let brings = |(actor, span): &(Actor, Span)| {
        let subject = subject_of(situation.cluster, *actor);
        Related::new(format!("{subject} {does}"), Some(subject), *span)
    };
    early.iter().skip(1).take(5).map(place).chain(bringers.iter().take(3).map(brings)).collect()
}

/// Who they are, to begin a message with.
pub(in crate::rules) fn named(situation: &Situation<'_>, early: &[Early]) -> String {
    match early {
        [one] => situation.cluster.node(one.node).subject().to_string(),
        _ => format!("Kustomizations {}", short_names(situation, early)),
    }
}

fn short_names(situation: &Situation<'_>, early: &[Early]) -> String {
    let nodes: Vec<NodeId> = early.iter().map(|early| early.node).collect();
    short_list(&names(situation.cluster, &nodes), 6)
}

/// What provides something, each once, and the text that says so.
pub(in crate::rules) fn bringers(graph: &EventGraph, needed: EventId) -> Vec<(Actor, Span)> {
    let mut found: Vec<(Actor, Span)> = Vec::new();
    for (before, edge) in graph.inputs(needed) {
        let actor = graph.event(before).actor;
        if !found.iter().any(|(known, _)| *known == actor) {
            found.push((actor, edge.span));
        }
    }
    found
}

/// The subjects of what provides something.
pub(in crate::rules) fn subjects(cluster: &Cluster, bringers: &[(Actor, Span)]) -> Vec<String> {
    bringers.iter().map(|(actor, _)| subject_of(cluster, *actor).to_string()).collect()
}

/// What has to be healthy before what `bringer` provides is there; nothing where it is applied as it is.
pub(in crate::rules) fn awaited(cluster: &Cluster, bringer: Actor) -> Option<String> {
    (!matches!(bringer, Actor::Node(_))).then(|| subject_of(cluster, bringer).to_string())
}

/// The Kustomizations that apply `actor`, or are it.
fn owners(situation: &Situation<'_>, actor: Actor) -> Vec<NodeId> {
    if let Actor::Node(node) = actor {
        return vec![node];
    }
    if let Actor::Release(index) = actor {
        return situation.cluster.releases[index as usize].providers.iter().map(|provider| provider.node).collect();
    }
    let exists = situation.graph.id(actor, Moment::Exists).into_iter();
    let appliers =
        exists.flat_map(|exists| situation.graph.inputs(exists)).map(|(before, _)| situation.graph.event(before).actor);
    appliers.filter_map(|actor| if let Actor::Node(node) = actor { Some(node) } else { None }).collect()
}

/// Whether a Kustomization names one in `dependsOn` that applies, itself or further down, what provides `needed`, and has no health
/// check: an edge that proves nothing, which `unready-gate` tells.
pub(in crate::rules) fn depends_on_open_gate(situation: &Situation<'_>, needed: EventId, node: NodeId) -> bool {
    let bringers = bringers(&situation.graph, needed);
    let owners: Vec<NodeId> = bringers.iter().flat_map(|(actor, _)| owners(situation, *actor)).collect();
    open_gate(situation, &owners, node).is_some()
}

/// The Kustomization without a health check that `node` names in `dependsOn` and that applies, itself or further down, one of `owners`.
pub(in crate::rules) fn open_gate(situation: &Situation<'_>, owners: &[NodeId], node: NodeId) -> Option<NodeId> {
    let (graph, cluster) = (&situation.graph, situation.cluster);
    let start = graph.id(Actor::Node(node), Moment::Start)?;
    let is_open = |on: NodeId| !cluster.node(on).has_gate() && owners.iter().any(|owner| applies(cluster, on, *owner));
    let named = graph.inputs(start).filter(|(_, edge)| edge.reason == Reason::DependsOn);
    let mut named = named.filter_map(|(before, _)| match graph.event(before).actor {
        Actor::Node(on) => Some(on),
        _ => None,
    });
    named.find(|on| is_open(*on))
}

/// Deeper than this, nobody nests Kustomizations.
const DEEPEST: usize = 50;

/// Whether `below` is `top`, or is applied by it or by one that it applies.
pub(in crate::rules) fn applies(cluster: &Cluster, top: NodeId, below: NodeId) -> bool {
    let mut at = below;
    for _ in 0..DEEPEST {
        if at == top {
            return true;
        }
        let owner = cluster.node(at).manifests.iter().find_map(|manifest| cluster.find(manifest.owner.as_ref()?));
        match owner.filter(|owner| *owner != at) {
            Some(owner) => at = owner,
            None => return false,
        }
    }
    false
}

/// The edit that puts `early` behind what `bringer` provides. `awaited` is what has to be healthy, where it is not enough that it is
/// applied.
pub(in crate::rules) fn edit(
    situation: &Situation<'_>,
    early: &[Early],
    bringer: Actor,
    awaited: Option<&str>,
) -> String {
    let cluster = situation.cluster;
    let (what, whom) = (subject_of(cluster, bringer), short_names(situation, early));
    let Some(owner) = owners(situation, bringer).first().copied() else {
        return format!("apply {what} with a Kustomization, and name that in `spec.dependsOn` of {whom}");
    };
    // Nothing stands above an entry point, so what moves out of it is its child, and may not wait for it.
    if cluster.node(owner).is_entry && early.iter().any(|early| early.node == owner) {
        return format!(
            "move {what} into a Kustomization of its own with `wait: true`, and what needs it into another one that has that in \
             `spec.dependsOn`: neither may wait for {}, which applies them",
            cluster.node(owner).key.name
        );
    }
    if early.iter().any(|early| applies(cluster, owner, early.node)) {
        // A child that depends on a parent that waits for it is a deadlock.
        return format!(
            "move {what} into a Kustomization of its own with `wait: true`, beside {whom}, and add that to `spec.dependsOn` of {whom}"
        );
    }
    // One that the provider itself waits for, its parent above all, would wait in a circle.
    let (circular, free): (Vec<Early>, Vec<Early>) =
        early.iter().partition(|early| waits_for(&situation.graph, owner, early.node));
    if !circular.is_empty() {
        let (whom, name) = (short_names(situation, &circular), &cluster.node(owner).key.name);
        let gate = if awaited.is_some() && !cluster.node(owner).has_gate() {
            format!(", and add `wait: true` to {name}")
        } else {
            String::new()
        };
        let apart = format!(
            "move what needs {what} out of {whom} into a Kustomization of its own that depends on {name}{gate}, since {name} itself waits for \
             {whom}"
        );
        return match free.as_slice() {
            [] => apart,
            free => format!("{}; {apart}", edit(situation, free, bringer, awaited)),
        };
    }
    let node = cluster.node(owner);
    let is_near = early.iter().all(|early| cluster.node(early.node).key.namespace == node.key.namespace);
    let entry = if is_near {
        format!("`- name: {}`", node.key.name)
    } else {
        format!("`- {{name: {}, namespace: {}}}`", node.key.name, node.key.namespace)
    };
    let gate = awaited.filter(|_| !node.has_gate());
    let gate = gate.map(|awaited| format!(", and `wait: true` (or `healthChecks` for {awaited}) to {}", node.key.name));
    let gate = gate.unwrap_or_default();
    format!("add {entry} to `spec.dependsOn` of {whom}{gate}")
}

/// Every event that may have to happen before `event`, where each that can is waited for in every way.
pub(in crate::rules) fn past(graph: &EventGraph, event: EventId) -> FxHashSet<EventId> {
    let (mut seen, mut open) = (FxHashSet::default(), vec![event]);
    while let Some(at) = open.pop() {
        open.extend(graph.inputs(at).map(|(before, _)| before).filter(|before| seen.insert(*before)));
    }
    seen
}

/// Whether `needed`, once it has to be Ready before `node` starts, would wait for `node` itself: it does so already.
fn waits_for(graph: &EventGraph, needed: NodeId, node: NodeId) -> bool {
    let event = |node: NodeId, moment| graph.id(Actor::Node(node), moment);
    let (Some(ready), Some(start)) = (event(needed, Moment::Ready), event(node, Moment::Start)) else { return false };
    past(graph, ready).contains(&start)
}
