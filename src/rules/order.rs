//! What the rules on order share: who may start before something it needs is sure to be there.

use std::collections::BTreeMap;

use super::{
    Situation,
    wording::{about, names, short_list},
};
use crate::{
    cluster::NodeId,
    finding::{Confidence, Related, Severity},
    flux::parse_duration,
    graph::{Actor, EventGraph, EventId, Losses, Moment, Reason},
    source::Span,
};

/// A Kustomization that applies something too early, and where it says so.
#[derive(Debug, Clone, Copy)]
pub(super) struct Early {
    pub(super) node: NodeId,
    pub(super) span: Span,
    pub(super) confidence: Confidence,
}

/// Steps of the search over all that is asked of one graph; what is left then counts as ordered.
const WORK: usize = 100_000_000;

/// Asks a graph who is early, as long as that is not too much work.
pub(super) struct Search<'g> {
    graph: &'g EventGraph,
    losses: Losses<'g>,
}

impl<'g> Search<'g> {
    pub(super) fn new(graph: &'g EventGraph) -> Self {
        Self { graph, losses: Losses::of(graph) }
    }

    /// Which Kustomizations have an edge of `reason` from `needed`, do not bring it themselves, and may start although
    /// nothing that brings it has happened.
    pub(super) fn early(&mut self, needed: EventId, reason: Reason) -> Vec<Early> {
        let graph = self.graph;
        let bringers: Vec<EventId> = graph.inputs(needed).map(|(before, _)| before).collect();
        let brings = |node: NodeId| bringers.iter().any(|event| graph.event(*event).actor == Actor::Node(node));
        let users: BTreeMap<NodeId, Early> = graph
            .outputs(needed)
            .filter(|(_, edge)| edge.reason == reason)
            .filter_map(|(after, edge)| match graph.event(after).actor {
                Actor::Node(node) if !brings(node) => {
                    Some((node, Early { node, span: edge.span, confidence: edge.confidence }))
                }
                _ => None,
            })
            .collect();
        let early = self.starting(&bringers, users.keys().copied());
        early.into_iter().filter_map(|node| users.get(&node).copied()).collect()
    }

    /// Which Kustomizations read `needed` before they start, do not bring it themselves, and may come to read it although
    /// nothing that brings it has happened.
    pub(super) fn reading(&mut self, needed: EventId) -> Vec<(Early, Reason)> {
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
        if readers.is_empty() || self.losses.work() > WORK {
            return Vec::new();
        }
        let bringers: Vec<EventId> = graph.inputs(needed).map(|(before, _)| before).collect();
        if bringers.is_empty() {
            return Vec::new();
        }
        let others = |start: EventId| graph.inputs(start).map(|(before, _)| before).filter(|before| *before != needed);
        let asked: Vec<EventId> = readers.iter().flat_map(|(start, ..)| others(*start)).collect();
        let mut happens = self.losses.happen_without(&bringers, &asked).into_iter();
        let mut found = Vec::new();
        for (start, early, reason) in readers {
            let are_met = others(start).zip(happens.by_ref()).fold(true, |all, (_, happens)| all && happens);
            if are_met && self.losses.happens(start) {
                found.push((early, reason));
            }
        }
        found
    }

    /// Which of `nodes` may start although none of `needed` has happened.
    pub(super) fn starting(&mut self, needed: &[EventId], nodes: impl Iterator<Item = NodeId>) -> Vec<NodeId> {
        let event = |node: NodeId, moment| self.graph.id(Actor::Node(node), moment);
        // What never gets there at all is a deadlock, told as such.
        let (nodes, starts): (Vec<NodeId>, Vec<EventId>) = nodes
            .filter(|node| event(*node, Moment::Applied).is_some_and(|applied| self.losses.happens(applied)))
            .filter_map(|node| Some((node, event(node, Moment::Start)?)))
            .unzip();
        if nodes.is_empty() || self.losses.work() > WORK {
            return Vec::new();
        }
        let happens = self.losses.happen_without(needed, &starts);
        nodes.into_iter().zip(happens).filter_map(|(node, happens)| happens.then_some(node)).collect()
    }
}

/// How long a Kustomization waits after a failure: `retryInterval`, else `interval`.
fn retry(situation: &Situation<'_>, node: NodeId) -> Option<(std::time::Duration, &'static str)> {
    let spec = &situation.cluster.node(node).kustomization.spec;
    let read = |text: &Option<String>| text.as_deref().and_then(parse_duration);
    match read(&spec.retry_interval) {
        Some(retry) => Some((retry, "retryInterval")),
        None => read(&spec.interval).map(|interval| (interval, "interval")),
    }
}

/// A race that is lost costs one retry. From this on it is worth a warning.
const COSTLY: std::time::Duration = std::time::Duration::from_mins(5);

/// What losing the race costs: the longest retry among them, in words, and how much that matters.
pub(super) fn cost(situation: &Situation<'_>, early: &[Early]) -> (Severity, String) {
    let slowest = early.iter().filter_map(|early| Some((retry(situation, early.node)?, early.node)));
    let Some(((retry, key), node)) = slowest.max_by_key(|((retry, _), node)| (*retry, std::cmp::Reverse(*node))) else {
        return (Severity::Info, String::new());
    };
    let name = &situation.cluster.node(node).key.name;
    let unset = if key == "interval" { " (`retryInterval` is not set)" } else { "" };
    let severity = if retry >= COSTLY { Severity::Warning } else { Severity::Info };
    (severity, format!("the next attempt of {name} comes {} later, by its `{key}`{unset}", about(retry)))
}

/// The Kustomizations as places, the first few.
pub(super) fn places(situation: &Situation<'_>, early: &[Early]) -> Vec<Related> {
    let place = |early: &Early| {
        let subject = situation.cluster.node(early.node).subject();
        Related::new(format!("{subject} applies this"), Some(subject), early.span)
    };
    early.iter().skip(1).take(5).map(place).collect()
}

/// Their names.
pub(super) fn named(situation: &Situation<'_>, early: &[Early]) -> String {
    let nodes: Vec<NodeId> = early.iter().map(|early| early.node).collect();
    short_list(&names(situation.cluster, &nodes), 6)
}
