//! What kustomize-controller v1.9 does with a Kustomization (`internal/controller/kustomization_controller.go`).

use super::{
    clock::{Millis, NEVER, next},
    engine::Engine,
    lists::NONE,
    standing::{Alarm, Blocked, State},
};

impl Engine<'_> {
    /// A reconciliation up to the point where the work begins (`reconcile`): source, dependencies, what the build reads.
    /// Whatever is missing ends it at once, and the worker is free again.
    pub(super) fn reconcile_node(&mut self, node: u32) {
        let plan = self.plan;
        let (process, settings, now) = (&plan.processes[node as usize], &plan.assumptions, self.now);
        if process.suspended {
            self.standings[node as usize].state = State::Suspended;
            return;
        }
        self.touch(node);
        if let Some(event) = self.first_missing(plan.sources.row(node)) {
            let period = if settings.source_events { 0 } else { process.retry };
            return self.wait(node, Blocked::Source, event, now, period);
        }
        if let Some(event) = self.first_missing(plan.dependencies.row(node)) {
            return self.wait(node, Blocked::Dependency, event, now, settings.requeue[process.controller]);
        }
        if let Some(event) = self.first_missing(plan.reads.row(node)) {
            // `BuildFailed`.
            self.standings[node as usize].attempts += 1;
            return self.wait(node, Blocked::Read, event, now, process.retry);
        }
        self.take_worker(node);
        self.happen(process.start);
        let standing = &mut self.standings[node as usize];
        let over = std::mem::take(&mut standing.head_start);
        let ends = now.saturating_add(self.apply_time(node).saturating_sub(over));
        self.until(node, State::Applying, ends);
    }

    /// Every reconciliation begins with Ready at Unknown or False: at a new revision the parent sees that.
    fn touch(&mut self, node: u32) {
        let ready = self.plan.processes[node as usize].ready as usize;
        if self.arrival.as_ref().is_some_and(|arrival| arrival.stale[ready]) {
            self.times[ready] = NEVER;
        }
    }

    /// How long it takes to download, build, and apply.
    pub(super) fn apply_time(&self, node: u32) -> Millis {
        match &self.arrival {
            Some(arrival) if !arrival.changed[node as usize] => arrival.unchanged[node as usize],
            _ => self.work.apply[node as usize],
        }
    }

    /// How long after the apply its own workloads are healthy.
    pub(super) fn health_time(&self, node: u32) -> Millis {
        match &self.arrival {
            Some(arrival) if !arrival.changed[node as usize] => 0,
            _ => self.work.health[node as usize],
        }
    }

    /// The stages of an apply (fluxcd/pkg ssa, `ApplyAllStaged`): where one dry-run fails, nothing of its stage is
    /// applied and no later stage is tried.
    pub(super) fn applied(&mut self, node: u32) {
        let plan = self.plan;
        let process = &plan.processes[node as usize];
        for (needs, done) in [
            (None, process.defined),
            (Some(&plan.class_needs), process.classified),
            (Some(&plan.needs), process.applied),
        ] {
            if let Some(event) = needs.and_then(|needs| self.first_missing(needs.row(node))) {
                return self.dry_run_failed(node, event);
            }
            if done != NONE {
                self.happen(done);
            }
        }
        self.upgrade_releases(node);
        if !process.gate {
            return self.ready(node);
        }
        let now = self.now;
        let standing = &mut self.standings[node as usize];
        standing.health_from = now;
        standing.deadline = NEVER;
        standing.cursor = 0;
        if plan.assumptions.timeouts {
            standing.deadline = now.saturating_add(process.timeout);
            let deadline = standing.deadline;
            self.alarm(Alarm::Deadline, node, deadline);
        }
        self.standings[node as usize].state = State::Checking;
        self.check(node, true);
    }

    /// `ReconciliationFailed`: tried again after `retryInterval`, each time with the same outcome until `event` happens.
    fn dry_run_failed(&mut self, node: u32, event: u32) {
        self.free_worker(node);
        let length = self.apply_time(node);
        let period = self.plan.processes[node as usize].retry.saturating_add(length);
        self.wait(node, Blocked::DryRun, event, self.now.saturating_sub(length), period);
    }

    /// Looks at the health set (`checkHealth`; fluxcd/pkg ssa, `WaitForSetWithContext`), at the `first` poll or because
    /// something in it has changed: when will a poll find everything Current?
    pub(super) fn check(&mut self, node: u32, first: bool) {
        let plan = self.plan;
        let (process, poll) = (&plan.processes[node as usize], plan.assumptions.poll);
        let least = u32::from(!first);
        let standing = &self.standings[node as usize];
        let (health_from, deadline) = (standing.health_from, standing.deadline);
        if standing.failed_members > 0 && plan.assumptions.fails_early {
            let at = next(health_from, self.now, poll, least);
            if at < deadline {
                self.until(node, State::Failing, at);
            }
            return;
        }
        let members = plan.members.row(node);
        let healthy = &members[(standing.cursor as usize).min(members.len())..];
        if let Some(place) = healthy.iter().position(|member| !self.has_happened(*member)) {
            let member = healthy[place];
            self.standings[node as usize].cursor += place as u32;
            self.standings[node as usize].state = State::Checking;
            return self.await_event(node, member);
        }
        let own = self.times[process.applied as usize].saturating_add(self.health_time(node));
        let at =
            if own > self.now { next(health_from, own, poll, 0) } else { next(health_from, self.now, poll, least) };
        // A poll that begins when the budget is over comes too late.
        if at < deadline {
            self.until(node, State::Passing, at);
        }
    }

    /// The poll that finds everything Current.
    pub(super) fn passed(&mut self, node: u32) {
        // At a new revision what was Current may be under way by now.
        if self.arrival.is_some() {
            let members = self.plan.members.row(node);
            if members.iter().any(|member| !self.has_happened(*member)) {
                self.standings[node as usize].cursor = 0;
                return self.check(node, false);
            }
        }
        self.ready(node);
    }

    fn ready(&mut self, node: u32) {
        self.free_worker(node);
        self.standings[node as usize].state = State::Idle;
        self.happen(self.plan.processes[node as usize].ready);
    }

    /// `HealthCheckFailed`, `timeout waiting for`: tried again after `retryInterval`.
    pub(super) fn time_out(&mut self, node: u32) {
        self.free_worker(node);
        self.note_timeout(node);
        let at = self.now.saturating_add(self.plan.processes[node as usize].retry);
        self.standings[node as usize].failures += 1;
        self.until(node, State::Pausing, at);
    }

    /// `HealthCheckFailed`, `failed early due to stalled resources`: so do all attempts after it.
    pub(super) fn failed_early(&mut self, node: u32) {
        self.free_worker(node);
        let process = &self.plan.processes[node as usize];
        let length = self.now.saturating_sub(self.standings[node as usize].health_from) + self.apply_time(node);
        let standing = &mut self.standings[node as usize];
        standing.state = State::Hopeless;
        standing.failures += 1;
        standing.anchor = self.now.saturating_sub(length);
        standing.period = process.retry.saturating_add(length);
    }
}
