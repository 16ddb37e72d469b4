use std::time::Duration;

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use super::{
    clock::{Millis, NEVER, duration},
    engine::Engine,
    lists::NONE,
    path,
    plan::Plan,
    random::Random,
    work::Load,
};

/// What many runs came to, each with durations of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonteCarlo {
    /// How many runs there were.
    pub runs: u32,
    /// The Kustomizations, in the order of the cluster.
    pub nodes: Vec<Distribution>,
    /// The HelmReleases, in the order of the cluster.
    pub releases: Vec<Distribution>,
    /// When the last of all that becomes Ready did. What ends at the horizon counts as never.
    pub total: Percentiles,
}

/// When something was Ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Distribution {
    /// When.
    pub ready: Percentiles,
    /// In how many runs it never was.
    pub never: u32,
    /// In how many runs it lay on the path to the last Ready.
    pub critical: u32,
}

/// Times that so many runs in a hundred do not exceed; `None` where they are not reached in as many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percentiles {
    /// Half of them.
    pub p50: Option<Duration>,
    /// Nine in ten.
    pub p90: Option<Duration>,
}

/// What a thread gathers of its runs: sums, so that it is all the same which runs they were.
struct Gathered {
    /// By run, when each process was Ready.
    ready: Vec<Vec<Millis>>,
    /// When the last of them was, of the runs that came to an end.
    totals: Vec<Millis>,
    critical: Vec<u32>,
}

impl MonteCarlo {
    pub(super) fn new(plan: &Plan, load: &Load, runs: u32, seed: u64) -> Self {
        let count = plan.processes.len();
        let nothing = || {
            (
                Engine::new(plan),
                Gathered { ready: Vec::new(), totals: Vec::new(), critical: vec![0; count] },
                vec![NONE; count],
            )
        };
        let gathered = (0..runs).into_par_iter().fold(nothing, |(mut engine, mut gathered, mut seen), run| {
            load.sample(&mut Random::new(seed, u64::from(run)), &mut engine.work);
            engine.reset();
            engine.start_cold();
            engine.run();
            gathered.ready.push(plan.processes.iter().map(|process| engine.times[process.ready as usize]).collect());
            let last = path::last(&engine);
            let total = last.map_or(0, |last| engine.times[last as usize]);
            gathered.totals.push(if engine.is_cut_off { NEVER } else { total });
            if let Some(last) = last {
                path::each(&engine, last, &mut |event| {
                    let owner = plan.owners[event as usize];
                    if owner != NONE && std::mem::replace(&mut seen[owner as usize], run) != run {
                        gathered.critical[owner as usize] += 1;
                    }
                });
            }
            (engine, gathered, seen)
        });
        let gathered = gathered.map(|(_, gathered, _)| gathered).reduce(
            || Gathered { ready: Vec::new(), totals: Vec::new(), critical: vec![0; count] },
            |mut one, other| {
                one.ready.extend(other.ready);
                one.totals.extend(other.totals);
                one.critical.iter_mut().zip(other.critical).for_each(|(one, other)| *one += other);
                one
            },
        );
        Self::from(plan, runs, gathered)
    }

    fn from(plan: &Plan, runs: u32, mut gathered: Gathered) -> Self {
        let of_process = |process: usize| {
            let mut times: Vec<Millis> = gathered.ready.iter().map(|ready| ready[process]).collect();
            let never = times.iter().filter(|time| **time == NEVER).count() as u32;
            Distribution { ready: Percentiles::new(&mut times), never, critical: gathered.critical[process] }
        };
        let mut all: Vec<Distribution> = (0..plan.processes.len()).into_par_iter().map(of_process).collect();
        let releases = all.split_off(plan.nodes);
        Self { runs, nodes: all, releases, total: Percentiles::new(&mut gathered.totals) }
    }
}

impl Percentiles {
    /// By nearest rank.
    fn new(times: &mut [Millis]) -> Self {
        let mut at = |percent: usize| {
            let rank = (times.len() * percent).div_ceil(100).checked_sub(1)?;
            duration(*times.select_nth_unstable(rank).1)
        };
        Self { p50: at(50), p90: at(90) }
    }
}
