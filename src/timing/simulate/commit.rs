//! A new revision in a cluster that is up.

use std::collections::BTreeSet;

use super::{
    clock::{Millis, NEVER},
    engine::Engine,
    lists::NONE,
    plan::Plan,
    standing::{Arrival, State},
    work::Work,
};

impl Engine<'_> {
    /// Everything is there and Ready at the old revision; a new one of the source of `concerned` arrives. The content of `changed`
    /// is new, to the others applying costs what `unchanged` says.
    ///
    /// kustomize-controller v1.9 queues all Kustomizations of the source, dependencies first
    /// (`requestsForRevisionChangeOf`, `sortAndEnqueue`). Where they depend on each other in a circle it queues none: each
    /// comes round after its interval, at the latest.
    pub(super) fn start_commit(&mut self, concerned: &[u32], changed: &[u32], unchanged: &Work) {
        let plan = self.plan;
        let mut arrival = Arrival {
            stale: vec![false; plan.roles.len()],
            awaited: vec![false; plan.roles.len()],
            changed: vec![false; plan.processes.len()],
            unchanged: unchanged.apply.clone(),
        };
        for node in changed {
            arrival.changed[*node as usize] = true;
        }
        self.times.fill(0);
        self.times[plan.never as usize] = NEVER;
        self.left = 0;
        for node in concerned {
            let process = &plan.processes[*node as usize];
            for event in [process.start, process.defined, process.classified, process.applied] {
                if event != NONE {
                    self.times[event as usize] = NEVER;
                }
            }
            arrival.stale[process.ready as usize] = true;
            if !process.suspended {
                arrival.awaited[process.ready as usize] = true;
                self.left += 1;
            }
        }
        self.arrival = Some(arrival);
        match topological(plan, concerned) {
            Some(order) => order.into_iter().for_each(|node| self.enqueue(node)),
            None => {
                for node in concerned {
                    let interval: Millis = plan.processes[*node as usize].interval;
                    self.until(*node, State::Due, interval);
                }
            }
        }
    }
}

/// The nodes, dependencies first; `None` where they depend on each other in a circle.
fn topological(plan: &Plan, nodes: &[u32]) -> Option<Vec<u32>> {
    let mut left: Vec<u32> = vec![0; plan.processes.len()];
    let mut dependents: Vec<(u32, u32)> = Vec::new();
    let mut is_one = vec![false; plan.processes.len()];
    nodes.iter().for_each(|node| is_one[*node as usize] = true);
    for node in nodes {
        for event in plan.dependencies.row(*node) {
            let dependency = plan.owners[*event as usize];
            if dependency != NONE && is_one[dependency as usize] {
                left[*node as usize] += 1;
                dependents.push((dependency, *node));
            }
        }
    }
    let dependents = super::lists::Lists::new(plan.processes.len(), &dependents);
    let mut open: BTreeSet<u32> = nodes.iter().copied().filter(|node| left[*node as usize] == 0).collect();
    let mut order = Vec::with_capacity(nodes.len());
    while let Some(node) = open.pop_first() {
        order.push(node);
        for dependent in dependents.row(node) {
            left[*dependent as usize] -= 1;
            if left[*dependent as usize] == 0 {
                open.insert(*dependent);
            }
        }
    }
    (order.len() == nodes.len()).then_some(order)
}
