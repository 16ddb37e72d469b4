//! Why one cold start takes longer than another: the step on its critical path at which the time is lost.

use std::time::Duration;

use super::ColdStart;
use crate::{
    cluster::{Cluster, NodeKey, ObjectKey},
    finding::{Subject, about},
    graph::{Actor, Event, EventGraph, EventId, Reason, Step},
    source::Span,
};

/// One of two cold starts.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// The cluster.
    pub cluster: &'a Cluster,
    /// What waits for what in it.
    pub graph: &'a EventGraph,
    /// When things happen.
    pub cold_start: &'a ColdStart,
}

/// What makes one cold start take longer than the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Culprit {
    /// The object whose change it is: what waits, what takes longer, or what is there in one of them alone.
    pub subject: Subject,
    /// What that is.
    pub cause: Loss,
    /// How much later everything behind it is.
    pub by: Duration,
    /// The text that declares it, in the slower of the two.
    pub place: Span,
}

/// Ways to lose time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loss {
    /// The object is only in the slower one.
    New,
    /// It waits for something that it does not wait for in the other, or that comes earlier there from elsewhere.
    Waits(Box<Step>, String),
    /// The same takes longer.
    Takes,
    /// It is in both, but happens in the slower one alone: something keeps it from ever being Ready in the other.
    Happens,
}

impl Culprit {
    /// As a sentence without full stop. `is_gain` tells that the slower one came first: then it is what was mended.
    #[must_use]
    pub fn text(&self, is_gain: bool) -> String {
        match (&self.cause, is_gain) {
            (Loss::New, false) => format!("{} is new", self.subject),
            (Loss::New, true) => format!("{} is gone", self.subject),
            (Loss::Waits(_, reported), false) => format!("now {reported}"),
            (Loss::Waits(_, reported), true) => format!("no longer so: {reported}"),
            (Loss::Happens, false) => format!("{} becomes Ready, and never did before", self.subject),
            (Loss::Happens, true) => format!("{} never becomes Ready any more", self.subject),
            (Loss::Takes, false) => format!("{} takes about {} longer", self.subject, about(self.by)),
            (Loss::Takes, true) => format!("{} takes about {} less", self.subject, about(self.by)),
        }
    }
}

/// The step on the critical path to `end`, an event of `slow`, at which the most time is lost against `fast`. `None`
/// where the event happens no later there.
#[must_use]
pub fn culprit(slow: Side<'_>, fast: Side<'_>, end: EventId) -> Option<Culprit> {
    let time = |side: Side<'_>, id: EventId| Some(side.cold_start.time(id)?.typical.as_secs_f64());
    let path = slow.cold_start.critical_path(end);
    let mut best: Option<(f64, Culprit)> = None;
    // How much later than in `fast` the last event was that both have.
    let mut lag = 0.0;
    // The events since then, with how long each took.
    let mut unknown: Vec<(EventId, f64)> = Vec::new();
    let mut last = None;
    // The first event that both have and that happens in one alone.
    let mut stuck: Option<EventId> = None;
    for id in path {
        let Some(at) = time(slow, id) else { continue };
        let took = last.map_or(at, |(_, before)| at - before);
        let known = counterpart(slow.graph.event(id), slow.cluster, fast);
        let elsewhere = known.and_then(|known| time(fast, known));
        let is_end = id == end;
        if elsewhere.is_none() {
            unknown.push((id, took));
            stuck = stuck.or(known.map(|_| id));
        }
        if elsewhere.is_some() || is_end {
            let lag_here =
                elsewhere.map_or_else(|| lag + unknown.iter().map(|(_, took)| took).sum::<f64>(), |other| at - other);
            let lost = lag_here - lag;
            if lost > best.as_ref().map_or(0.5, |(most, _)| *most) {
                let found = match (stuck, longest(&unknown)) {
                    (Some(stuck), _) => reported(slow, stuck, Loss::Happens, lost),
                    (None, Some(new)) if same(slow.graph.event(new).actor, slow.cluster, fast.cluster).is_none() => {
                        reported(slow, new, Loss::New, lost)
                    }
                    // What both have without anybody who waits for it in the other is not new: the wait is.
                    _ => step(slow, fast, last.map(|(id, _)| id), (id, known), lost),
                };
                best = Some((lost, found));
            }
            lag = lag_here;
            unknown.clear();
            stuck = None;
        }
        last = Some((id, at));
    }
    best.map(|(_, culprit)| culprit)
}

fn longest(events: &[(EventId, f64)]) -> Option<EventId> {
    let longest = events.iter().max_by(|(_, one), (_, other)| one.total_cmp(other));
    longest.map(|(id, _)| *id)
}

fn reported(side: Side<'_>, id: EventId, cause: Loss, lost: f64) -> Culprit {
    let actor = side.graph.event(id).actor;
    Culprit {
        subject: actor.subject(side.cluster),
        cause,
        by: Duration::from_secs_f64(lost.max(0.0)),
        place: actor.place(side.cluster),
    }
}

/// What the step from `before` to an event that both have loses.
fn step(
    slow: Side<'_>,
    fast: Side<'_>,
    before: Option<EventId>,
    (id, known): (EventId, Option<EventId>),
    lost: f64,
) -> Culprit {
    let found = before.and_then(|before| Some((before, slow.graph.step(before, id)?)));
    let Some((before, step)) = found.filter(|(_, step)| step.edge.reason != Reason::Progress) else {
        return reported(slow, id, Loss::Takes, lost);
    };
    let other = counterpart(slow.graph.event(before), slow.cluster, fast);
    let twin = other.zip(known).and_then(|(one, other)| fast.graph.step(one, other));
    if twin.is_some_and(|twin| twin.edge.reason == step.edge.reason) && !step.after.is_or() {
        return reported(slow, id, Loss::Takes, lost);
    }
    let sentence = step.describe(slow.cluster).text;
    let place = step.edge.span;
    let culprit = reported(slow, id, Loss::Waits(Box::new(step), sentence), lost);
    Culprit { place: place.or(culprit.place), ..culprit }
}

/// The same event of the other cluster, where it has it.
fn counterpart(event: Event, from: &Cluster, to: Side<'_>) -> Option<EventId> {
    to.graph.id(same(event.actor, from, to.cluster)?, event.moment)
}

/// The same actor of the other cluster.
fn same(actor: Actor, from: &Cluster, other: &Cluster) -> Option<Actor> {
    let index = |index: usize| u32::try_from(index).ok();
    Some(match actor {
        Actor::Node(id) => Actor::Node(other.find(&from.node(id).key)?),
        Actor::Release(at) => Actor::Release(index(other.release(&from.releases[at as usize].key)?)?),
        Actor::Object(at) => {
            let key: &ObjectKey = from.objects.keys().nth(at as usize)?;
            Actor::Object(index(other.objects.keys().position(|other| other == key)?)?)
        }
        Actor::Kind(at) => {
            let kind = from.implicit.kinds.get(at as usize)?;
            Actor::Kind(index(other.implicit.kind(&kind.group, &kind.kind)?)?)
        }
        Actor::Namespace(at) => {
            let namespace = from.implicit.namespaces.get(at as usize)?;
            Actor::Namespace(index(other.implicit.namespace(&namespace.name)?)?)
        }
        Actor::Made(at) => Actor::Made(index(other.implicit.made(&from.implicit.made.get(at as usize)?.key)?)?),
    })
}

/// When Kustomizations are Ready in two cold starts, those that differ most first; what is never Ready in one of them is left
/// out.
#[must_use]
pub fn differences(before: Side<'_>, after: Side<'_>) -> Vec<(NodeKey, [crate::catalog::Range; 2])> {
    let ready = |side: Side<'_>, key: &NodeKey| side.cold_start.ready(side.graph, side.cluster.find(key)?);
    let keys = after.cluster.nodes.iter().map(|node| &node.key);
    let both = keys.filter_map(|key| Some((key.clone(), [ready(before, key)?, ready(after, key)?])));
    let mut found: Vec<_> = both.filter(|(_, [one, other])| one.typical != other.typical).collect();
    found.sort_by_key(|(_, [one, other])| std::cmp::Reverse(one.typical.abs_diff(other.typical)));
    found
}
