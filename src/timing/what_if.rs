//! What a change would do to the minutes of a cold start: the same model on the cluster as it is and as it would be.

use super::{Assumptions, ColdStart, Durations, Quantile, Simulation};
use crate::{
    catalog::Range,
    cluster::{Cluster, NodeId, NodeKey, chart_of},
    graph::{Actor, EventGraph, EventId, Moment},
};

/// A thing that goes worse than usual.
#[derive(Debug, Clone, PartialEq)]
pub enum Disturbance {
    /// A chart takes this many times as long.
    Slow {
        /// The chart, by name.
        chart: String,
        /// How many times.
        factor: f64,
    },
    /// A Kustomization never becomes Ready.
    Fail(NodeKey),
}

/// When a Kustomization is Ready, as it is and as it would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The Kustomization.
    pub node: NodeKey,
    /// As it is; `None` where it never is, or is not there.
    pub before: Option<Range>,
    /// As it would be.
    pub after: Option<Range>,
}

/// Two cold starts side by side, timeouts off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// When the last Kustomization is Ready that ever is: as it is, and as it would be.
    pub total: [Option<Range>; 2],
    /// Every Kustomization, those that change most first.
    pub changes: Vec<Change>,
}

/// Compares a cluster, whose durations are given, with another, which takes the disturbances as well.
#[must_use]
pub fn compare(before: &Cluster, durations: &Durations, after: &Cluster, disturbances: &[Disturbance]) -> Comparison {
    let again = |cluster| durations.again(cluster);
    let (one, other) = (times(before, again(before), &[]), times(after, again(after), disturbances));
    let find = |times: &[(NodeKey, Option<Range>)], key: &NodeKey| {
        times.binary_search_by(|(known, _)| known.cmp(key)).ok().and_then(|index| times[index].1)
    };
    let mut keys: Vec<&NodeKey> = one.iter().chain(&other).map(|(key, _)| key).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut changes: Vec<Change> = keys
        .into_iter()
        .map(|key| Change { node: key.clone(), before: find(&one, key), after: find(&other, key) })
        .collect();
    changes.sort_by_key(|change| std::cmp::Reverse(change.weight()));
    let last = |times: &[(NodeKey, Option<Range>)]| times.iter().filter_map(|(_, ready)| *ready).reduce(Range::max);
    Comparison { total: [last(&one), last(&other)], changes }
}

impl Change {
    /// How much it changes: never or not there before anything else, then by the typical time.
    fn weight(&self) -> (bool, std::time::Duration) {
        match (self.before, self.after) {
            (Some(before), Some(after)) => (false, before.typical.abs_diff(after.typical)),
            (one, other) => (one != other, one.or(other).map(|range| range.typical).unwrap_or_default()),
        }
    }

    /// Whether the typical time differs.
    #[must_use]
    pub fn is_change(&self) -> bool {
        self.before.map(|range| range.typical) != self.after.map(|range| range.typical)
    }
}

fn times(cluster: &Cluster, mut durations: Durations, disturbances: &[Disturbance]) -> Vec<(NodeKey, Option<Range>)> {
    let graph = EventGraph::of(cluster);
    let failing = disturb(cluster, &graph, &mut durations, disturbances);
    let cold_start = ColdStart::of(&graph, &durations);
    let lost = graph.lost_without(&failing);
    let is_lost = |id: NodeId| {
        let ready = graph.id(Actor::Node(id), Moment::Ready);
        ready.is_some_and(|ready| failing.contains(&ready) || lost.binary_search(&ready).is_ok())
    };
    cluster
        .nodes()
        .map(|(id, node)| (node.key.clone(), cold_start.ready(&graph, id).filter(|_| !is_lost(id))))
        .collect()
}

/// Makes charts slow; gives the events that never happen.
fn disturb(
    cluster: &Cluster,
    graph: &EventGraph,
    durations: &mut Durations,
    disturbances: &[Disturbance],
) -> Vec<EventId> {
    let mut failing = Vec::new();
    for disturbance in disturbances {
        match disturbance {
            Disturbance::Slow { chart, factor } => {
                let is = |index: &usize| {
                    let found = chart_of(cluster, &cluster.releases[*index]);
                    found.is_some_and(|found| found.name.eq_ignore_ascii_case(chart))
                };
                for index in (0..cluster.releases.len()).filter(is) {
                    durations.slow(index, *factor);
                }
            }
            Disturbance::Fail(key) => {
                let ready = cluster.find(key).and_then(|id| graph.id(Actor::Node(id), Moment::Ready));
                failing.extend(ready);
            }
        }
    }
    failing
}

/// What the controllers make of both, with typical durations: when the last Kustomization is Ready that ever is, and how many
/// never are. `None` where something is to fail, which the simulation has no cause for.
#[must_use]
pub fn simulate_both(
    before: &Cluster,
    durations: &Durations,
    after: &Cluster,
    disturbances: &[Disturbance],
) -> Option<[Simulated; 2]> {
    let run = |cluster: &Cluster, disturbances: &[Disturbance]| {
        let (graph, mut durations) = (EventGraph::of(cluster), durations.again(cluster));
        if !disturb(cluster, &graph, &mut durations, disturbances).is_empty() {
            return None;
        }
        let least = ColdStart::of(&graph, &durations).least();
        let assumptions = Assumptions { least, ..Assumptions::of(cluster) };
        let run = Simulation::new(cluster, &graph, &durations, assumptions).run(Quantile::Typical);
        let never = run.nodes.iter().filter(|outcome| outcome.ready.is_none()).count();
        Some(Simulated { total: run.total, never })
    };
    Some([run(before, &[])?, run(after, disturbances)?])
}

/// A simulated cold start in two figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Simulated {
    /// When the last is Ready that ever is.
    pub total: std::time::Duration,
    /// How many Kustomizations never are.
    pub never: usize,
}
