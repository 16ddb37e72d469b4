//! What changes in a run.

use super::{clock::Millis, lists::NONE};

/// Where a process stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum State {
    /// It has nothing to do: it does not exist yet, or is Ready.
    #[default]
    Idle,
    /// Its reconciliation is stopped (`suspend`).
    Suspended,
    /// It waits for a worker.
    Queued,
    /// It looks again and again whether something is there, for free.
    Waiting(Blocked),
    /// What it waited for is there; it will see that at its next look.
    Due,
    /// A worker downloads, builds and applies.
    Applying,
    /// A worker waits for its health set.
    Checking,
    /// Its health set is healthy, which a worker sees at the next poll.
    Passing,
    /// Something in its health set has failed, which a worker sees at the next poll.
    Failing,
    /// Its health check ended too early; it is tried again.
    Pausing,
    /// Something in its health set has failed for good.
    Hopeless,
    /// A worker runs a Helm action that will be done in time, or not.
    Acting { succeeds: bool },
    /// It is out of retries.
    Stalled,
}

/// What a process looks for that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blocked {
    Source,
    Dependency,
    /// Something it reads before the build, or the values of a chart.
    Read,
    /// The dry-run of a stage.
    DryRun,
}

/// What changes of a process.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Standing {
    pub(super) state: State,
    /// When the step under way ends.
    pub(super) due: Millis,
    /// When the health check ends at the latest.
    pub(super) deadline: Millis,
    /// Looks are made whole periods after this.
    pub(super) anchor: Millis,
    pub(super) period: Millis,
    /// What of the next attempt is over when it gets its worker.
    pub(super) head_start: Millis,
    pub(super) health_from: Millis,
    /// Since when it waits for a worker.
    pub(super) queued_at: Millis,
    pub(super) attempts: u32,
    pub(super) failures: u32,
    /// How far a Helm action has come that did not end in time.
    pub(super) progress: Millis,
    pub(super) failed_members: u32,
    /// Members before this one are healthy.
    pub(super) cursor: u32,
    /// The process whose worker it took over when it started, [`NONE`] if one was free.
    pub(super) freed_by: u32,
    /// The event it is listed as waiting for.
    pub(super) awaits: u32,
    /// The next process that waits for the same event.
    pub(super) next_waiter: u32,
    /// The next process in the queue.
    pub(super) next_queued: u32,
}

/// The workers of a controller and the objects that wait for one, first in first out (client-go, `workqueue`).
#[derive(Debug, Clone, Copy)]
pub(super) struct Queue {
    pub(super) head: u32,
    pub(super) tail: u32,
    /// Workers that have nothing to do.
    pub(super) free: u32,
    /// The process whose worker was free last.
    pub(super) last_freed: u32,
}

/// What rings at a certain time. At one time things happen before they are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alarm {
    /// A step of a process ends.
    Done,
    /// An event that happens at certain times does.
    Timed,
    /// The budget of a health check is over.
    Deadline,
    /// A process looks again.
    Wake,
}

/// What is different where a new revision arrives in a cluster that is up.
#[derive(Debug, Clone)]
pub(super) struct Arrival {
    /// By event, whether it has not happened at the new revision yet.
    pub(super) stale: Vec<bool>,
    /// By event, whether the simulation runs on until it has happened.
    pub(super) awaited: Vec<bool>,
    /// By process, whether its content changes.
    pub(super) changed: Vec<bool>,
    /// What an apply costs that changes nothing, by node.
    pub(super) unchanged: Vec<Millis>,
}

impl Queue {
    /// A queue with nothing in it.
    pub(super) const fn new(workers: u32) -> Self {
        Self { head: NONE, tail: NONE, free: workers, last_freed: NONE }
    }
}

impl Standing {
    /// That of a process to which nothing has happened yet.
    pub(super) fn new() -> Self {
        Self { freed_by: NONE, awaits: NONE, next_waiter: NONE, next_queued: NONE, ..Self::default() }
    }
}

impl Alarm {
    /// One number that sorts alarms by time, then by kind, then by what they are for.
    pub(super) fn key(self, id: u32, at: Millis) -> u64 {
        u64::from(at) << 32 | (self as u64) << 30 | u64::from(id)
    }

    /// When the alarm of that key rings, which it is and for what.
    pub(super) fn new(key: u64) -> (Millis, Self, u32) {
        let alarm = match key >> 30 & 3 {
            0 => Self::Done,
            1 => Self::Timed,
            2 => Self::Deadline,
            _ => Self::Wake,
        };
        ((key >> 32) as Millis, alarm, (key & 0x3fff_ffff) as u32)
    }
}
