//! What decided when something happened, walked back from the end.

use super::{
    clock::{Millis, NEVER},
    engine::Engine,
    lists::NONE,
    plan::Role,
};

/// The Ready that came last, the first of several.
pub(super) fn last(engine: &Engine<'_>) -> Option<u32> {
    let happened =
        engine.plan.processes.iter().map(|process| process.ready).filter(|event| engine.has_happened(*event));
    happened.min_by_key(|event| (std::cmp::Reverse(engine.times[*event as usize]), *event))
}

/// Tells `see` every event that decided about `event`, one behind the other, from `event` back to the first.
///
/// An event that needs all its inputs was decided by the last, one that needs any by the first. A start that had to wait
/// for a worker was decided by whoever freed it, and a Ready that only its own workloads held up by the apply.
pub(super) fn each(engine: &Engine<'_>, event: u32, see: &mut dyn FnMut(u32)) {
    let mut at = event;
    // Nothing happens because of something later, so the walk ends by itself; events without a length might go round.
    for _ in 0..engine.plan.ids.len() {
        see(at);
        match before(engine, at) {
            Some(event) => at = event,
            None => return,
        }
    }
}

fn before(engine: &Engine<'_>, event: u32) -> Option<u32> {
    let plan = engine.plan;
    let (inputs, time) = (plan.inputs.row(event), |event: u32| engine.times[event as usize]);
    if plan.is_or[event as usize] {
        return inputs.iter().copied().filter(|input| time(*input) != NEVER).min_by_key(|input| time(*input));
    }
    let own = owner(engine, event);
    if let Some(process) = own.filter(|process| plan.processes[*process as usize].start == event)
        && let Some(freed) = freed(engine, process, time(event))
    {
        return Some(freed);
    }
    // A commit sets off what existed before.
    let is_first = |process: u32| plan.processes[process as usize].start == event && engine.arrival.is_some();
    let floor = match own {
        Some(process) if plan.processes[process as usize].ready == event => own_health(engine, process),
        _ => 0,
    };
    let mut best: Option<(Millis, u32)> = None;
    for input in inputs.iter().copied().filter(|input| time(*input) != NEVER) {
        // The event that is the process's own comes first, and decides where nothing else took longer.
        let least = if best.is_none() { 0 } else { floor };
        let is_later = best.is_none_or(|(latest, _)| time(input) > latest.max(least));
        if is_later {
            best = Some((time(input), input));
        }
    }
    best.filter(|(at, _)| !(own.is_some_and(is_first) && *at == 0)).map(|(_, input)| input)
}

/// When a node's own workloads were healthy.
fn own_health(engine: &Engine<'_>, process: u32) -> Millis {
    if process as usize >= engine.plan.nodes {
        return 0;
    }
    let applied = engine.plan.processes[process as usize].applied;
    engine.times[applied as usize].saturating_add(engine.health_time(process))
}

/// The process of one of its own events.
fn owner(engine: &Engine<'_>, event: u32) -> Option<u32> {
    matches!(engine.plan.roles[event as usize], Role::Own { .. })
        .then(|| engine.plan.owners[event as usize])
        .filter(|owner| *owner != NONE)
}

/// The last that the process which freed a worker for `process` did by then.
fn freed(engine: &Engine<'_>, process: u32, by: Millis) -> Option<u32> {
    let other = engine.standings[process as usize].freed_by;
    let other = engine.plan.processes.get(other as usize)?;
    let events = [other.ready, other.applied, other.start];
    events.into_iter().filter(|event| *event != NONE).find(|event| engine.times[*event as usize] <= by)
}
