//! The workers of the controllers, and who gets one.

use super::{engine::Engine, lists::NONE, process::KUSTOMIZE, standing::State};

impl Engine<'_> {
    /// The process waits for a worker.
    pub(super) fn enqueue(&mut self, process: u32) {
        let controller = self.plan.processes[process as usize].controller;
        let standing = &mut self.standings[process as usize];
        standing.state = State::Queued;
        standing.queued_at = self.now;
        standing.next_queued = NONE;
        let queue = &mut self.queues[controller];
        match std::mem::replace(&mut queue.tail, process) {
            NONE => queue.head = process,
            last => self.standings[last as usize].next_queued = process,
        }
    }

    /// Gives free workers what waits for one.
    pub(super) fn dispatch(&mut self) {
        let mut controller = 0;
        while let Some(queue) = self.queues.get_mut(controller) {
            if queue.head == NONE || queue.free == 0 {
                controller += 1;
                continue;
            }
            let process = queue.head;
            queue.head = self.standings[process as usize].next_queued;
            if queue.head == NONE {
                queue.tail = NONE;
            }
            if controller == KUSTOMIZE {
                self.reconcile_node(process);
            } else {
                self.reconcile_release(process);
            }
            // What it did may give the other controller something to do.
            controller = 0;
        }
    }

    /// The process takes a worker. Tells whose, where it had to wait for one.
    pub(super) fn take_worker(&mut self, process: u32) {
        let queue = &mut self.queues[self.plan.processes[process as usize].controller];
        queue.free -= 1;
        let standing = &mut self.standings[process as usize];
        standing.attempts += 1;
        if standing.attempts == 1 && standing.queued_at < self.now {
            standing.freed_by = queue.last_freed;
        }
    }

    /// The worker of the process is free again.
    pub(super) fn free_worker(&mut self, process: u32) {
        let queue = &mut self.queues[self.plan.processes[process as usize].controller];
        queue.free = queue.free.saturating_add(1);
        queue.last_freed = process;
    }
}
