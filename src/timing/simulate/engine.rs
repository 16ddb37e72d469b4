//! The clock, and what happens when something has happened.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::{
    clock::{Millis, NEVER, next, periods},
    lists::NONE,
    plan::{Plan, Role},
    process::HELM,
    standing::{Alarm, Arrival, Blocked, Queue, Standing, State},
    work::Work,
};

/// One run. Made once, used for many.
pub(super) struct Engine<'p> {
    pub(super) plan: &'p Plan,
    pub(super) work: Work,
    pub(super) now: Millis,
    /// When each event happened last.
    pub(super) times: Vec<Millis>,
    pub(super) standings: Vec<Standing>,
    pub(super) unreachable: Vec<bool>,
    pub(super) arrival: Option<Arrival>,
    /// Health checks and Helm actions that ended too early, where somebody wants to know.
    pub(super) timed_out: Option<Vec<(u32, Millis)>>,
    missing: Vec<u32>,
    open: Vec<u32>,
    waiters: Vec<u32>,
    pub(super) queues: [Queue; 2],
    alarms: BinaryHeap<Reverse<u64>>,
    stack: Vec<u32>,
    /// How many awaited events may still happen.
    pub(super) left: u32,
    limit: Millis,
    /// Whether something would have gone on after the horizon.
    pub(super) is_cut_off: bool,
}

impl<'p> Engine<'p> {
    pub(super) fn new(plan: &'p Plan) -> Self {
        Self {
            plan,
            work: Work::default(),
            now: 0,
            times: Vec::new(),
            standings: Vec::new(),
            unreachable: Vec::new(),
            arrival: None,
            timed_out: None,
            missing: Vec::new(),
            open: Vec::new(),
            waiters: Vec::new(),
            queues: plan.assumptions.workers.map(Queue::new),
            alarms: BinaryHeap::new(),
            stack: Vec::new(),
            left: 0,
            limit: plan.assumptions.horizon,
            is_cut_off: false,
        }
    }

    /// Forgets the last run.
    pub(super) fn reset(&mut self) {
        let (plan, events) = (self.plan, self.plan.roles.len());
        self.now = 0;
        self.limit = plan.assumptions.horizon;
        self.left = plan.awaited;
        self.times.clear();
        self.times.resize(events, NEVER);
        self.waiters.clear();
        self.waiters.resize(events, NONE);
        self.missing.clone_from(&plan.missing);
        self.open.clone_from(&plan.open);
        self.unreachable.clone_from(&plan.unreachable);
        self.standings.clear();
        self.standings.resize(plan.processes.len(), Standing::new());
        self.alarms.clear();
        self.queues = plan.assumptions.workers.map(Queue::new);
        self.is_cut_off = false;
    }

    /// A cold start: what needs nothing is there.
    pub(super) fn start_cold(&mut self) {
        for event in 0..self.plan.ids.len() as u32 {
            if self.plan.missing[event as usize] == 0 {
                self.happen(event);
            }
        }
    }

    /// Runs until nothing changes any more: all has happened that can, and what fails has done so for the first time.
    pub(super) fn run(&mut self) {
        self.dispatch();
        let mut is_over = false;
        while let Some(Reverse(key)) = self.alarms.peek() {
            let (at, ..) = Alarm::new(*key);
            if self.left == 0 && !is_over {
                is_over = true;
                self.limit = self.limit.min(self.last_look());
            }
            if at > self.limit {
                break;
            }
            self.now = at;
            while let Some(Reverse(key)) = self.alarms.peek() {
                let (next, alarm, id) = Alarm::new(*key);
                if next != at {
                    break;
                }
                self.alarms.pop();
                self.ring(alarm, id);
            }
            self.dispatch();
        }
        self.is_cut_off &= self.left > 0;
    }

    /// By when every health check that is under way has ended.
    fn last_look(&self) -> Millis {
        let checking = |(process, standing): (usize, &Standing)| match standing.state {
            State::Applying | State::Queued => self.now.saturating_add(self.plan.processes[process].timeout),
            State::Checking => standing.deadline,
            _ => self.now,
        };
        match self.timed_out {
            Some(_) => self.standings.iter().enumerate().map(checking).max().unwrap_or(self.now),
            None => self.now,
        }
    }

    fn ring(&mut self, alarm: Alarm, id: u32) {
        if alarm == Alarm::Timed {
            return self.happen(id);
        }
        let standing = &self.standings[id as usize];
        let (at, due, deadline) = (self.now, standing.due, standing.deadline);
        // What was put off or called off rings for nothing.
        match (alarm, standing.state) {
            (Alarm::Deadline, State::Checking | State::Passing) if deadline == at => self.time_out(id),
            (Alarm::Wake, State::Due | State::Pausing) if due == at => self.enqueue(id),
            (Alarm::Done, State::Applying) if due == at => self.applied(id),
            (Alarm::Done, State::Passing) if due == at => self.passed(id),
            (Alarm::Done, State::Failing) if due == at => self.failed_early(id),
            (Alarm::Done, State::Acting { succeeds }) if due == at => self.acted(id, succeeds),
            _ => {}
        }
    }

    /// Makes an alarm ring at `at`; what rings after the horizon does not.
    pub(super) fn alarm(&mut self, alarm: Alarm, id: u32, at: Millis) {
        if at <= self.plan.assumptions.horizon {
            self.alarms.push(Reverse(alarm.key(id, at)));
        } else {
            self.is_cut_off = true;
        }
    }

    /// The process ends a step, or looks again, at `at`.
    pub(super) fn until(&mut self, process: u32, state: State, at: Millis) {
        let standing = &mut self.standings[process as usize];
        standing.state = state;
        standing.due = at;
        let alarm = if matches!(state, State::Due | State::Pausing) { Alarm::Wake } else { Alarm::Done };
        self.alarm(alarm, process, at);
    }

    pub(super) fn has_happened(&self, event: u32) -> bool {
        self.times[event as usize] != NEVER
    }

    /// An event happens, and what follows from it at the same moment.
    pub(super) fn happen(&mut self, event: u32) {
        let plan = self.plan;
        let bottom = self.stack.len();
        self.stack.push(event);
        while self.stack.len() > bottom {
            let Some(event) = self.stack.pop() else { break };
            if self.has_happened(event) {
                continue;
            }
            self.times[event as usize] = self.now;
            if let Some(arrival) = &mut self.arrival {
                arrival.stale[event as usize] = false;
            }
            self.settle(event, self.unreachable[event as usize]);
            if let Role::Exists(process) = plan.roles[event as usize] {
                self.enqueue(process);
            }
            self.wake_waiters(event);
            // The first of them is handled first.
            for output in plan.outputs.row(event).iter().rev() {
                self.input_happened(*output);
            }
        }
    }

    /// An event has happened, or never will: either way nobody waits for it any more.
    fn settle(&mut self, event: u32, was_unreachable: bool) {
        let is_awaited = match &mut self.arrival {
            Some(arrival) => std::mem::replace(&mut arrival.awaited[event as usize], false),
            None => !was_unreachable && self.plan.roles[event as usize] == (Role::Own { awaited: true }),
        };
        self.left = self.left.saturating_sub(u32::from(is_awaited));
    }

    fn input_happened(&mut self, event: u32) {
        let role = self.plan.roles[event as usize];
        let missing = &mut self.missing[event as usize];
        if matches!(role, Role::Own { .. }) || *missing == 0 || *missing == NONE || self.times[event as usize] != NEVER
        {
            return;
        }
        *missing -= 1;
        if *missing > 0 {
            return;
        }
        match role {
            Role::Timed { anchor, period } => {
                let at = next(self.times[anchor as usize].min(self.now), self.now, period, 0);
                self.alarm(Alarm::Timed, event, at);
            }
            _ => self.stack.push(event),
        }
    }

    fn wake_waiters(&mut self, event: u32) {
        let mut waiter = std::mem::replace(&mut self.waiters[event as usize], NONE);
        while waiter != NONE {
            let standing = &mut self.standings[waiter as usize];
            let process = std::mem::replace(&mut waiter, standing.next_waiter);
            standing.awaits = NONE;
            match standing.state {
                State::Waiting(blocked) => self.look_again(process, blocked),
                State::Checking => self.check(process, false),
                _ => {}
            }
        }
    }

    /// What `process` looked for is there: when it sees that.
    fn look_again(&mut self, process: u32, blocked: Blocked) {
        let now = self.now;
        // An attempt under way when it comes still sees it in its dry-run.
        let length = if blocked == Blocked::DryRun { self.apply_time(process) } else { 0 };
        let seen = now.saturating_sub(length);
        let (looks, at) = self.looks(process, blocked, seen);
        let standing = &mut self.standings[process as usize];
        if matches!(blocked, Blocked::Read | Blocked::DryRun) {
            standing.attempts += looks.saturating_sub(1);
        }
        standing.head_start = now.saturating_sub(at);
        self.until(process, State::Due, at.max(now));
    }

    /// How many times a waiting process has looked again once it looks at `now` or later, and when that is.
    pub(super) fn looks(&self, process: u32, blocked: Blocked, now: Millis) -> (u32, Millis) {
        let standing = &self.standings[process as usize];
        if blocked == Blocked::Read && self.plan.processes[process as usize].controller == HELM {
            return self.backed_off(standing.anchor, standing.attempts, now);
        }
        let looks = periods(standing.anchor, now, standing.period, 1);
        (looks, standing.anchor.saturating_add(standing.period.saturating_mul(looks)).max(now))
    }

    /// The process looks for `event` again after each `period`.
    pub(super) fn wait(&mut self, process: u32, blocked: Blocked, event: u32, anchor: Millis, period: Millis) {
        let standing = &mut self.standings[process as usize];
        standing.state = State::Waiting(blocked);
        standing.anchor = anchor;
        standing.period = period;
        self.await_event(process, event);
    }

    /// Lists the process as waiting for `event`.
    pub(super) fn await_event(&mut self, process: u32, event: u32) {
        let standing = &mut self.standings[process as usize];
        if standing.awaits == NONE {
            standing.awaits = event;
            standing.next_waiter = std::mem::replace(&mut self.waiters[event as usize], process);
        }
    }

    /// Notes that a health check or a Helm action ended too early.
    pub(super) fn note_timeout(&mut self, process: u32) {
        if let Some(noted) = &mut self.timed_out {
            noted.push((process, self.now));
        }
    }

    /// Notes that an event will never happen, and with it what needs it.
    pub(super) fn never(&mut self, event: u32) {
        let bottom = self.stack.len();
        self.stack.push(event);
        while self.stack.len() > bottom {
            let Some(event) = self.stack.pop() else { break };
            if self.has_happened(event) || std::mem::replace(&mut self.unreachable[event as usize], true) {
                continue;
            }
            self.settle(event, false);
            for output in self.plan.outputs.row(event) {
                let open = &mut self.open[*output as usize];
                *open = open.saturating_sub(1);
                if !self.plan.is_or[*output as usize] || *open == 0 {
                    self.stack.push(*output);
                }
            }
        }
    }

    /// The first of `events` that has not happened. Where a new revision arrives, at that revision.
    pub(super) fn first_missing(&self, events: &[u32]) -> Option<u32> {
        let is_stale = |event: u32| self.arrival.as_ref().is_some_and(|arrival| arrival.stale[event as usize]);
        events.iter().copied().find(|event| !self.has_happened(*event) || is_stale(*event))
    }
}
