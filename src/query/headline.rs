//! What heads an answer about a cold start: when the last thing is Ready, and how many never are.

use super::{Sides, names::done};
use crate::{
    catalog::Range,
    cluster::{Cluster, Node},
    graph::{Actor, EventId, Moment},
    situation::Situation,
    timing::Comparison,
};

/// How a cold start ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Headline {
    /// What happens last.
    pub end: Option<EventId>,
    /// When that is; `None` where it never is.
    pub total: Option<Range>,
    /// How many Kustomizations never become Ready.
    pub never_ready: usize,
}

impl Headline {
    /// That of a whole cluster: what happens last of all that happens. Events that are `lost` never happen, although they have
    /// times.
    #[must_use]
    pub fn of_cluster(situation: &Situation<'_>, lost: impl Fn(EventId) -> bool) -> Self {
        let (graph, cold_start) = (&situation.graph, &situation.cold_start);
        let left = graph.events().filter(|id| !lost(*id));
        let timed = left.filter_map(|id| Some((cold_start.time(id)?, std::cmp::Reverse(id))));
        let last = timed.max_by_key(|(time, id)| (time.typical, *id));
        let is_ready = |(id, _): &(_, &Node)| {
            let ready = graph.id(Actor::Node(*id), Moment::Ready);
            ready.is_some_and(|ready| cold_start.time(ready).is_some() && !lost(ready))
        };
        let cluster = situation.cluster;
        Self {
            end: last.map(|(_, id)| id.0),
            total: last.map(|(time, _)| time),
            never_ready: cluster.nodes.len() - cluster.nodes().filter(is_ready).count(),
        }
    }

    /// That of one object: when it is done, with the Kustomizations that never become Ready of those behind it.
    #[must_use]
    pub fn of_object(situation: &Situation<'_>, actor: Actor) -> Self {
        let (graph, cold_start) = (&situation.graph, &situation.cold_start);
        let end = done(graph, actor);
        let behind = end.map(|id| graph.behind(&[id])).unwrap_or_default();
        let is_never = |id: &EventId| {
            let event = graph.event(*id);
            let is_node = matches!(event.actor, Actor::Node(_)) && event.moment == Moment::Ready;
            is_node && cold_start.time(*id).is_none()
        };
        Self {
            end,
            total: end.and_then(|id| cold_start.time(id)),
            never_ready: behind.iter().chain(&end).filter(|id| is_never(id)).count(),
        }
    }
}

/// How many Kustomizations never become Ready, as a cluster is, and as it would be.
pub(super) fn never_ready(before: &Cluster, comparison: &Comparison) -> Sides<usize> {
    let known = comparison.changes.iter().filter(|change| before.find(&change.node).is_some());
    Sides {
        before: known.filter(|change| change.before.is_none()).count(),
        after: comparison.changes.iter().filter(|change| change.after.is_none()).count(),
    }
}
