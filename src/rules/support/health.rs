//! Who waits for the health check of a Kustomization, and where it is written.

use super::Situation;
use crate::{
    cluster::{Node, NodeId},
    graph::{Actor, Moment, Reason},
    source::Span,
    yaml,
};

/// The Kustomizations whose `dependsOn` asks for this one to be Ready, and the entry that does.
pub(in crate::rules) fn dependents(situation: &Situation<'_>, id: NodeId) -> Vec<(NodeId, Span)> {
    let Some(ready) = situation.graph.id(Actor::Node(id), Moment::Ready) else { return Vec::new() };
    let edges = situation.graph.outputs(ready).filter(|(_, edge)| edge.reason == Reason::DependsOn);
    edges
        .filter_map(|(after, edge)| match situation.graph.event(after).actor {
            Actor::Node(dependent) => Some((dependent, edge.span)),
            _ => None,
        })
        .collect()
}

/// The Kustomizations that wait, directly or not, for this one to be Ready.
pub(in crate::rules) fn held_by(situation: &Situation<'_>, id: NodeId) -> Vec<NodeId> {
    let ready = situation.graph.id(Actor::Node(id), Moment::Ready);
    ready.map(|ready| situation.graph.held_back_by(ready)).unwrap_or_default()
}

/// The place of the key of a field of the spec, where it is written.
pub(in crate::rules) fn key_span(node: &Node, key: &str) -> Span {
    let spec = node.kustomization.object.node.get("spec").and_then(yaml::Node::as_map);
    let entry = spec.and_then(|spec| spec.entry(key));
    entry.map_or(Span::NONE, |entry| entry.key_span).or(node.kustomization.span(&["spec", key]))
}
