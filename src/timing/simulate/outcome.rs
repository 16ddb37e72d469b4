use std::time::Duration;

use super::{
    clock::{Millis, duration},
    engine::Engine,
    path,
    plan::Plan,
    standing::{Blocked, State},
};
use crate::graph::EventId;

/// What became of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its Kustomizations, in the order of the cluster.
    pub nodes: Vec<Outcome>,
    /// Its HelmReleases, in the order of the cluster.
    pub releases: Vec<Outcome>,
    /// When the last of all that becomes Ready does.
    pub total: Duration,
    /// What decided that, from the first event on.
    pub critical_path: Vec<EventId>,
    /// When nothing changed any more.
    pub ended: Duration,
    /// Whether it ended at the horizon, with something still being tried.
    pub is_cut_off: bool,
}

/// What became of a Kustomization or HelmRelease. Times count from the first reconciliation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// When it was first reconciled with everything it depends on in place. `None` where it never was, and where a commit does
    /// not concern it.
    pub start: Option<Duration>,
    /// When a Kustomization's objects were applied. Always `None` for a HelmRelease.
    pub applied: Option<Duration>,
    /// When it turned Ready.
    pub ready: Option<Duration>,
    /// Reconciliations that got past its dependencies.
    pub attempts: u32,
    /// When its health checks and Helm actions ended too early.
    pub timed_out: Vec<Duration>,
    /// Why it is not Ready in the end.
    pub stuck: Option<NotReady>,
}

/// Why something is not Ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotReady {
    /// What holds it.
    pub cause: NotReadyCause,
    /// The first event it lacks, where there is one.
    pub on: Option<EventId>,
}

/// What holds an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotReadyCause {
    /// Nobody applied it.
    Absent,
    /// It is suspended.
    Suspended,
    /// Its source or chart is not there (`ArtifactFailed`, `SourceNotReady`).
    Source,
    /// A dependency is not Ready (`DependencyNotReady`).
    Dependency,
    /// Something it reads is not there (`BuildFailed`, `ValuesError`).
    Input,
    /// A dry-run fails for want of a manifest or a namespace (`ReconciliationFailed`).
    DryRun,
    /// Something in its health set is not Current (`HealthCheckFailed`).
    Health,
    /// Something in its health set has failed for good (`HealthCheckFailed`).
    Failed,
    /// It is out of retries (`RetriesExceeded`).
    Retries,
    /// No worker is free.
    Worker,
    /// It would need more time than the simulation has.
    Horizon,
}

impl Run {
    pub(super) fn new(engine: &Engine<'_>) -> Self {
        let plan = engine.plan;
        let mut all: Vec<Outcome> = (0..plan.processes.len() as u32).map(|process| outcome(engine, process)).collect();
        for (process, at) in engine.timed_out.iter().flatten() {
            all[*process as usize].timed_out.extend(duration(*at));
        }
        let releases = all.split_off(plan.nodes);
        let mut events = Vec::new();
        let last = path::last(engine);
        if let Some(last) = last {
            path::each(engine, last, &mut |event| events.push(plan.ids[event as usize]));
        }
        events.reverse();
        let at = |event: u32| duration(engine.times[event as usize]);
        Self {
            nodes: all,
            releases,
            total: last.and_then(at).unwrap_or_default(),
            critical_path: events,
            ended: duration(engine.now).unwrap_or_default(),
            is_cut_off: engine.is_cut_off,
        }
    }
}

fn outcome(engine: &Engine<'_>, index: u32) -> Outcome {
    let (process, standing) = (&engine.plan.processes[index as usize], &engine.standings[index as usize]);
    let is_concerned = engine.arrival.is_none() || standing.attempts > 0;
    let at = |event: u32| engine.times.get(event as usize).copied().and_then(duration);
    let ready = at(process.ready).filter(|_| !is_stale(engine, process.ready));
    let repeated = match standing.state {
        State::Waiting(blocked @ (Blocked::Read | Blocked::DryRun)) => {
            engine.looks(index, blocked, engine.now.saturating_add(1)).0.saturating_sub(1)
        }
        State::Hopeless => repeats(engine.now, standing.anchor, standing.period),
        _ => 0,
    };
    Outcome {
        start: at(process.start).filter(|_| is_concerned),
        applied: at(process.applied).filter(|_| is_concerned),
        ready,
        attempts: standing.attempts + repeated,
        timed_out: Vec::new(),
        stuck: if ready.is_none() { Some(stuck(engine, index)) } else { None },
    }
}

fn is_stale(engine: &Engine<'_>, event: u32) -> bool {
    engine.arrival.as_ref().is_some_and(|arrival| arrival.stale[event as usize])
}

fn repeats(now: Millis, anchor: Millis, period: Millis) -> u32 {
    now.saturating_sub(anchor).checked_div(period).unwrap_or_default()
}

fn stuck(engine: &Engine<'_>, index: u32) -> NotReady {
    let (plan, standing) = (engine.plan, &engine.standings[index as usize]);
    let process = &plan.processes[index as usize];
    let members = plan.members.row(index);
    let (cause, on) = match standing.state {
        _ if process.suspended => (NotReadyCause::Suspended, None),
        State::Idle => (NotReadyCause::Absent, engine.first_missing(plan.inputs.row(process.exists))),
        State::Waiting(blocked) => (cause(blocked), Some(standing.awaits)),
        State::Checking | State::Pausing if process.gate => (NotReadyCause::Health, missing_member(engine, members)),
        State::Failing | State::Hopeless => (NotReadyCause::Failed, failed_member(engine, members)),
        State::Stalled => (NotReadyCause::Retries, None),
        State::Queued => (NotReadyCause::Worker, None),
        _ => (NotReadyCause::Horizon, None),
    };
    let id = |event: u32| event_id(plan, event);
    NotReady { cause, on: on.and_then(id) }
}

fn cause(blocked: Blocked) -> NotReadyCause {
    match blocked {
        Blocked::Source => NotReadyCause::Source,
        Blocked::Dependency => NotReadyCause::Dependency,
        Blocked::Read => NotReadyCause::Input,
        Blocked::DryRun => NotReadyCause::DryRun,
    }
}

fn missing_member(engine: &Engine<'_>, members: &[u32]) -> Option<u32> {
    members.iter().copied().find(|member| !engine.has_happened(*member))
}

/// The member whose process is out of retries.
fn failed_member(engine: &Engine<'_>, members: &[u32]) -> Option<u32> {
    let stalled = |member: &u32| {
        let mut processes = engine.plan.processes.iter().zip(&engine.standings);
        processes.any(|(process, standing)| process.ready == *member && standing.state == State::Stalled)
    };
    members.iter().copied().find(stalled)
}

fn event_id(plan: &Plan, event: u32) -> Option<EventId> {
    plan.ids.get(event as usize).copied()
}
