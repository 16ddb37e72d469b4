//! The critical path in detail: what may come later without delaying the end, and what the time goes to.

use std::{collections::BTreeMap, time::Duration};

use super::{
    ColdStart, Durations,
    cold_start::{At, Quantile},
};
use crate::graph::{Actor, Cost as _, EventGraph, EventId, Reason};

/// What time on the critical path goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathCause {
    /// Charts being installed until they are Ready.
    Charts,
    /// Download, build, apply, and workloads of the builds themselves.
    Builds,
    /// Controllers that look again only after a while: dependencies and health checks.
    Polling,
}

/// How much of a path goes to what.
pub type Shares = BTreeMap<PathCause, Duration>;

impl ColdStart {
    /// How much later each event may happen, by index, so that the last one of all happens no later; by typical durations.
    /// `None` for what never happens.
    #[must_use]
    pub fn slack(&self, graph: &EventGraph, durations: &Durations) -> Vec<Option<Duration>> {
        let cost = At { durations, quantile: Quantile::Typical };
        let events: Vec<(Duration, EventId)> =
            graph.events().filter_map(|id| Some((self.typical.time(id)?, id))).collect();
        let end = events.iter().map(|(time, _)| *time).max().unwrap_or_default();
        let mut latest: Vec<Duration> = vec![end; graph.len()];
        for id in self.typical.order().iter().rev().copied() {
            for (after, edge) in graph.outputs_under(id, self.assume) {
                let is_critical = !graph.event(after).is_or() || self.typical.critical_predecessor(after) == Some(id);
                if self.typical.time(after).is_some() && is_critical {
                    let takes = cost.edge(graph.event(id), graph.event(after), edge);
                    latest[id.index()] = latest[id.index()].min(latest[after.index()].saturating_sub(takes));
                }
            }
        }
        let mut slack = vec![None; graph.len()];
        for (time, id) in events {
            slack[id.index()] = Some(latest[id.index()].saturating_sub(time));
        }
        slack
    }

    /// What the time on the critical path to `id` goes to, by typical durations.
    #[must_use]
    pub fn shares(&self, graph: &EventGraph, durations: &Durations, id: EventId) -> Shares {
        let cost = At { durations, quantile: Quantile::Typical };
        let mut shares = Shares::new();
        for pair in self.critical_path(id).windows(2) {
            let Some(edge) = graph.edge(pair[0], pair[1]) else { continue };
            let takes = cost.edge(graph.event(pair[0]), graph.event(pair[1]), edge);
            let cause = match (edge.reason, graph.event(pair[1]).actor) {
                (Reason::Progress, Actor::Release(_)) => PathCause::Charts,
                (Reason::Progress, _) => PathCause::Builds,
                _ => PathCause::Polling,
            };
            if !takes.is_zero() {
                *shares.entry(cause).or_default() += takes;
            }
        }
        shares
    }
}
