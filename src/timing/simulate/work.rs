//! What takes time in a run, in milliseconds.

use super::{
    clock::{Millis, millis},
    random::Random,
};
use crate::{
    catalog::Range,
    cluster::Cluster,
    timing::{Durations, Quantile},
};

/// Low, typical and high.
pub(super) type Spread3 = [Millis; 3];

/// The ranges of everything that takes time of its own.
#[derive(Debug, Clone)]
pub(super) struct Load {
    /// From the start of a Kustomization's reconciliation until its objects are applied, by node.
    pub(super) apply: Vec<Spread3>,
    /// From then until its own workloads are healthy, by node.
    pub(super) health: Vec<Spread3>,
    /// From the start of a HelmRelease's first action until it is Ready, by release.
    pub(super) release: Vec<Spread3>,
}

/// The times of one run.
#[derive(Debug, Clone, Default)]
pub(super) struct Work {
    pub(super) apply: Vec<Millis>,
    pub(super) health: Vec<Millis>,
    pub(super) release: Vec<Millis>,
}

impl Load {
    pub(super) fn new(cluster: &Cluster, durations: &Durations) -> Self {
        let nodes = || (0..cluster.nodes.len()).map(|index| durations.node(index));
        Self {
            apply: nodes().map(|work| spread(work.apply)).collect(),
            health: nodes().map(|work| spread(work.health.range)).collect(),
            release: (0..cluster.releases.len()).map(|index| spread(durations.release(index).range)).collect(),
        }
    }

    /// Everything at one end of its range.
    pub(super) fn at(&self, quantile: Quantile) -> Work {
        let place = match quantile {
            Quantile::Low => 0,
            Quantile::Typical => 1,
            Quantile::High => 2,
        };
        let all = |ranges: &[Spread3]| ranges.iter().map(|range| range[place]).collect();
        Work { apply: all(&self.apply), health: all(&self.health), release: all(&self.release) }
    }

    /// Draws the times of a run.
    pub(super) fn sample(&self, random: &mut Random, work: &mut Work) {
        for (ranges, times) in
            [(&self.apply, &mut work.apply), (&self.health, &mut work.health), (&self.release, &mut work.release)]
        {
            times.clear();
            times.extend(ranges.iter().map(|range| random.pert(*range)));
        }
    }
}

fn spread(range: Range) -> Spread3 {
    [range.low, range.typical, range.high].map(millis)
}
