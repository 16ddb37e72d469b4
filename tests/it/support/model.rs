//! What the model says of a repository. Tests that compare it with something else ask here, so that they do not depend on how
//! it is asked.

use fluxdag::{
    Session,
    cluster::NodeKey,
    finding::Subject,
    graph::{Actor, Obstacle},
    situation::{Situation, State},
    source::Span,
};

/// What becomes of an object in a cold start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Ready,
    Suspended,
    Never,
}

/// The model of each cluster that an entry point leads to.
pub(crate) fn reached<'s>(session: &'s Session<'s>) -> Vec<&'s Situation<'s>> {
    session.situations.iter().filter(|situation| situation.cluster.reached).collect()
}

/// What becomes of a Kustomization or HelmRelease.
pub(crate) fn fate(situation: &Situation<'_>, actor: Actor) -> Fate {
    match situation.state(actor) {
        State::Ready(_) => Fate::Ready,
        State::Suspended => Fate::Suspended,
        State::Never => Fate::Never,
    }
}

/// The Kustomization or HelmRelease of that kind, namespace and name; `None` where the cluster has none.
pub(crate) fn actor(situation: &Situation<'_>, kind: &str, namespace: &str, name: &str) -> Option<Actor> {
    let key = NodeKey::new(namespace, name);
    match kind {
        "Kustomization" => situation.cluster.find(&key).map(Actor::Node),
        "HelmRelease" => situation.cluster.release(&key).map(|index| Actor::Release(index as u32)),
        _ => None,
    }
}

/// Every Kustomization and HelmRelease of a cluster.
pub(crate) fn actors(situation: &Situation<'_>) -> Vec<Actor> {
    let nodes = situation.cluster.nodes().map(|(id, _)| Actor::Node(id));
    nodes.chain((0..situation.cluster.releases.len()).map(|index| Actor::Release(index as u32))).collect()
}

/// Something that keeps an object from Ready: whom it is about, and the texts that decide it.
#[derive(Debug)]
pub(crate) struct Reason {
    pub(crate) subjects: Vec<Subject>,
    pub(crate) spans: Vec<Span>,
    pub(crate) text: String,
}

/// Everything that keeps an object from Ready.
pub(crate) fn reasons(situation: &Situation<'_>, actor: Actor) -> Vec<Reason> {
    let reason = |obstacle: Obstacle| {
        let said = situation.describe(obstacle).expect("an obstacle of this cluster");
        let mut reason = Reason { text: said.text, subjects: vec![said.subject], spans: vec![said.place] };
        if let Obstacle::Loop(index) = obstacle {
            for step in situation.deadlocks()[index].links() {
                reason.subjects.push(step.after.actor.subject(situation.cluster));
                reason.spans.push(step.edge.span);
            }
        }
        reason
    };
    situation.obstacles(actor).into_iter().map(reason).collect()
}
