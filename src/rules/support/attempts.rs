//! What a Kustomization has to wait for, and how kustomize-controller tries it again where it gives up too early.

use std::time::Duration;

use super::Situation;
use crate::{
    catalog::Range,
    cluster::NodeId,
    flux::{api::KustomizationSpec, kustomization_timeout, parse_duration},
    graph::{Actor, Event, EventId, Moment},
};

/// How a Kustomization is tried again.
pub(in crate::rules) struct Attempts {
    /// Budget of a health check.
    pub(in crate::rules) timeout: Duration,
    /// From the end of one attempt to the next.
    pub(in crate::rules) pause: Duration,
    /// Whether `retryInterval` sets the pause; else `interval` does.
    pub(in crate::rules) has_retry_interval: bool,
}

/// How long kustomize-controller waits after a failure, and the field that says so (v1.9, `GetRetryInterval`).
pub(in crate::rules) fn pause(spec: &KustomizationSpec) -> Option<(Duration, &'static str)> {
    let (text, key) = match &spec.retry_interval {
        Some(retry) => (retry, "retryInterval"),
        None => (spec.interval.as_ref()?, "interval"),
    };
    Some((parse_duration(text)?, key))
}

impl Attempts {
    /// The attempts at a spec (kustomize-controller v1.9, `GetTimeout` and `GetRetryInterval`). `None` where its durations cannot
    /// be read.
    pub(in crate::rules) fn new(spec: &KustomizationSpec) -> Option<Self> {
        Some(Self {
            timeout: kustomization_timeout(spec)?,
            pause: pause(spec)?.0,
            has_retry_interval: spec.retry_interval.is_some(),
        })
    }

    /// When the health check passes, counted from the apply, if what it waits for is healthy after `need`.
    pub(in crate::rules) fn passes_after(&self, need: Duration) -> Duration {
        let period = (self.timeout + self.pause).as_secs().max(1);
        let (attempt, into) = (need.as_secs() / period, need.as_secs() % period);
        if into <= self.timeout.as_secs() { need } else { Duration::from_secs((attempt + 1) * period) }
    }
}

/// Whether kustomize-controller breaks off a health check for a new revision (v1.9, `CancelHealthCheckOnNewRevision`).
/// Else the revision that mends what is broken waits until the timeout.
pub(in crate::rules) fn cancels_for_new_revision(situation: &Situation<'_>) -> bool {
    situation.cluster.controllers.kustomize.has_gate("CancelHealthCheckOnNewRevision")
}

/// What a Kustomization waits for between its apply and Ready, in a cold start.
pub(in crate::rules) struct Need {
    /// How long.
    pub(in crate::rules) range: Range,
    /// The part of the typical duration that rests on more than a guess.
    pub(in crate::rules) known: Duration,
    /// What takes longest of it: a HelmRelease of the critical path.
    pub(in crate::rules) slowest: Option<usize>,
    /// The object of its health check that is Ready last: what the controller names. That may wait for `slowest` in turn, which another
    /// Kustomization applies.
    pub(in crate::rules) member: Option<Actor>,
}

impl Need {
    /// The need of a node, where it may be more than `timeout` and the node becomes Ready at all.
    pub(in crate::rules) fn above(timeout: Duration, situation: &Situation<'_>, id: NodeId) -> Option<Self> {
        let (graph, cold_start) = (&situation.graph, &situation.repaired);
        let ready = graph.id(Actor::Node(id), Moment::Ready)?;
        let applied = cold_start.time(graph.id(Actor::Node(id), Moment::Applied)?)?;
        let end = cold_start.time(ready)?;
        let range = Range {
            low: end.low.saturating_sub(applied.low),
            typical: end.typical.saturating_sub(applied.typical),
            high: end.high.saturating_sub(applied.high),
        };
        if range.high <= timeout {
            return None;
        }
        let path = cold_start.critical_path(ready);
        let last = path.len().checked_sub(2).and_then(|at| path.get(at)).map(|before| graph.event(*before).actor);
        let is_within = |id: &EventId| cold_start.time(*id).is_some_and(|time| time.typical > applied.typical);
        let releases: Vec<usize> = path
            .iter()
            .filter(|id| is_within(id))
            .filter_map(|id| match graph.event(*id) {
                Event { actor: Actor::Release(index), moment: Moment::Ready } => Some(index as usize),
                _ => None,
            })
            .collect();
        let typical = |index: &usize| situation.durations.release(*index).range.typical;
        let guessed = releases.iter().filter(|index| !situation.durations.release(**index).is_trusted());
        let own = Self::own(situation, &path, applied.typical);
        Some(Self {
            range,
            known: range.typical.saturating_sub(guessed.map(typical).sum::<Duration>() + own),
            member: last.filter(|actor| *actor != Actor::Node(id)),
            slowest: releases.iter().copied().max_by_key(|index| (typical(index), std::cmp::Reverse(*index))),
        })
    }

    /// What of a path rests on estimates of the objects that Kustomizations apply themselves.
    fn own(situation: &Situation<'_>, path: &[EventId], since: Duration) -> Duration {
        let step = |pair: &[EventId]| match (situation.graph.event(pair[0]), situation.graph.event(pair[1])) {
            (
                Event { actor: Actor::Node(before), moment: Moment::Applied },
                Event { actor: Actor::Node(after), moment: Moment::Ready },
            ) if before == after => {
                let time = situation.repaired.time(pair[0])?;
                let own = situation.durations.own(after.index());
                (time.typical >= since && !own.is_trusted()).then_some(own.range.typical)
            }
            _ => None,
        };
        path.windows(2).filter_map(step).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_healthy_between_two_attempts_is_seen_by_the_second() {
        let minutes = |count: u64| Duration::from_secs(count * 60);
        let attempts = Attempts { timeout: minutes(5), pause: minutes(60), has_retry_interval: false };
        assert_eq!(attempts.passes_after(minutes(4)), minutes(4));
        assert_eq!(attempts.passes_after(minutes(10)), minutes(65));
        assert_eq!(attempts.passes_after(minutes(68)), minutes(68));
        assert_eq!(attempts.passes_after(minutes(71)), minutes(130));
    }
}
