//! What helm-controller v1.6 does with a HelmRelease (`internal/controller/helmrelease_controller.go`,
//! `internal/reconcile/atomic_release.go`).

use super::{
    clock::{Millis, NEVER, periods},
    engine::Engine,
    process::Failure,
    standing::{Blocked, State},
};

impl Engine<'_> {
    /// A reconciliation up to the point where Helm begins: dependencies, chart, values.
    pub(super) fn reconcile_release(&mut self, release: u32) {
        let plan = self.plan;
        let (process, settings, now) = (&plan.processes[release as usize], &plan.assumptions, self.now);
        if process.suspended {
            self.standings[release as usize].state = State::Suspended;
            return;
        }
        let requeue = settings.requeue[process.controller];
        if let Some(event) = self.first_missing(plan.dependencies.row(release)) {
            return self.wait(release, Blocked::Dependency, event, now, requeue);
        }
        if let Some(event) = self.first_missing(plan.sources.row(release)) {
            // `SourceNotReady`.
            let period = if settings.source_events { 0 } else { requeue };
            return self.wait(release, Blocked::Source, event, now, period);
        }
        if let Some(event) = self.first_missing(plan.reads.row(release)) {
            // `ValuesError`: tried again ever more seldom.
            self.standings[release as usize].attempts += 1;
            return self.wait(release, Blocked::Read, event, now, settings.backoff);
        }
        self.take_worker(release);
        self.happen(process.start);
        self.act(release);
    }

    /// Position of the action that Helm takes: installation or upgrade.
    fn action(&self) -> usize {
        usize::from(self.arrival.is_some())
    }

    /// The delay before the attempt after so many failures.
    fn backoff(&self, failures: u32) -> Millis {
        let settings = &self.plan.assumptions;
        let factor = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(NEVER);
        settings.backoff.saturating_mul(factor).min(settings.longest_backoff)
    }

    /// How many attempts follow one at `anchor` until there is one at `now` or later, and when that is. `failures` is how
    /// many there were up to `anchor`.
    pub(super) fn backed_off(&self, anchor: Millis, failures: u32, now: Millis) -> (u32, Millis) {
        let (mut looks, mut at) = (0, anchor);
        while looks == 0 || at < now {
            let delay = self.backoff(failures.saturating_add(looks));
            if delay == 0 || delay >= self.plan.assumptions.longest_backoff {
                // From here on they are evenly spaced.
                let more = periods(at, now, delay, u32::from(looks == 0));
                return (looks + more, at.saturating_add(delay.saturating_mul(more)).max(now));
            }
            at = at.saturating_add(delay);
            looks += 1;
        }
        (looks, at)
    }

    /// An installation or upgrade: a worker is held until everything runs, or the budget is over.
    fn act(&mut self, release: u32) {
        let plan = self.plan;
        let action = plan.processes[release as usize].actions[self.action()];
        let needed = self.work.release[release as usize - plan.nodes];
        let rest = needed.saturating_sub(self.standings[release as usize].progress);
        let succeeds = !plan.assumptions.timeouts || rest <= action.timeout;
        let at = self.now.saturating_add(if succeeds { rest } else { action.timeout });
        self.until(release, State::Acting { succeeds }, at);
    }

    /// The action is over.
    pub(super) fn acted(&mut self, release: u32, succeeds: bool) {
        self.free_worker(release);
        let process = &self.plan.processes[release as usize];
        if succeeds {
            self.standings[release as usize].state = State::Idle;
            return self.happen(process.ready);
        }
        self.note_timeout(release);
        let action = process.actions[self.action()];
        let standing = &mut self.standings[release as usize];
        standing.failures += 1;
        let (failures, spent) = (standing.failures, standing.progress.saturating_add(action.timeout));
        match action.failure {
            Failure::Retry(pause) => {
                // What was applied goes on coming up meanwhile.
                standing.progress = spent.saturating_add(pause);
                self.until(release, State::Pausing, self.now.saturating_add(pause));
            }
            Failure::Remediate(retries) if failures <= retries => {
                let kept = u64::from(spent) * u64::from(self.plan.assumptions.kept_percent) / 100;
                standing.progress = kept as Millis;
                let at = self.now.saturating_add(self.backoff(failures));
                self.until(release, State::Pausing, at);
            }
            Failure::Remediate(_) => self.stall(release),
        }
    }

    /// `RetriesExceeded`: what waits for the release fails with it, and what depends on it never starts.
    fn stall(&mut self, release: u32) {
        let plan = self.plan;
        self.standings[release as usize].state = State::Stalled;
        self.never(plan.processes[release as usize].ready);
        for node in plan.watchers.row(release) {
            let standing = &mut self.standings[*node as usize];
            standing.failed_members += 1;
            if matches!(standing.state, State::Checking | State::Passing) && plan.assumptions.fails_early {
                self.check(*node, false);
            }
        }
    }

    /// The releases of a Kustomization whose content changed are upgraded.
    pub(super) fn upgrade_releases(&mut self, node: u32) {
        let plan = self.plan;
        if !self.arrival.as_ref().is_some_and(|arrival| arrival.changed[node as usize]) {
            return;
        }
        for release in plan.releases.row(node) {
            let (process, standing) = (&plan.processes[*release as usize], &self.standings[*release as usize]);
            let is_new = standing.state == State::Idle && standing.attempts == 0 && !process.suspended;
            if is_new {
                self.times[process.start as usize] = NEVER;
                self.times[process.ready as usize] = NEVER;
                if let Some(arrival) = &mut self.arrival {
                    arrival.awaited[process.ready as usize] = true;
                }
                self.left += 1;
                self.enqueue(*release);
            }
        }
    }
}
