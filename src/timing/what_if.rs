//! What a change would do to the minutes of a cold start: the same model on the cluster as it is and as it would be.

use super::{Assumptions, ColdStart, Durations, Quantile, Side, Simulation};
use crate::{
    catalog::Range,
    cluster::{Cluster, NodeKey, chart_of},
    finding::Confidence,
    graph::{Actor, Blocker, Cause, EventGraph, Moment, Reason, Repaired},
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

/// A cluster as it is, or as it would be.
#[derive(Debug, Clone)]
pub struct Scenario<'a> {
    /// The cluster.
    pub cluster: &'a Cluster,
    /// What stops its events, beside loops.
    pub blockers: Vec<Blocker>,
    /// Whether what stops them is taken as repaired.
    pub repaired: Repaired,
    /// What goes worse than usual.
    pub disturbances: &'a [Disturbance],
}

impl<'a> Scenario<'a> {
    /// A cluster in which everything that would stop something is repaired.
    #[must_use]
    pub const fn repaired(cluster: &'a Cluster) -> Self {
        Self { cluster, blockers: Vec::new(), repaired: Repaired::Everything, disturbances: &[] }
    }

    /// Its graph, and `durations` as the disturbances change them.
    #[must_use]
    pub fn solve(self, durations: &Durations) -> (EventGraph, Durations) {
        let mut durations = durations.again(self.cluster);
        let mut blockers = self.blockers;
        for disturbance in self.disturbances {
            match disturbance {
                Disturbance::Slow { chart, factor } => slow(self.cluster, &mut durations, chart, *factor),
                Disturbance::Fail(key) => blockers.extend(failure(self.cluster, key)),
            }
        }
        (EventGraph::new(self.cluster, blockers), durations)
    }
}

/// Makes a chart slow.
fn slow(cluster: &Cluster, durations: &mut Durations, chart: &str, factor: f64) {
    for (index, release) in cluster.releases.iter().enumerate() {
        if chart_of(cluster, release).is_some_and(|found| found.name.eq_ignore_ascii_case(chart)) {
            durations.slow(index, factor);
        }
    }
}

/// What keeps a Kustomization from ever being Ready.
fn failure(cluster: &Cluster, key: &NodeKey) -> Option<Blocker> {
    let id = cluster.find(key)?;
    Some(Blocker {
        actor: Actor::Node(id),
        moment: Moment::Ready,
        reason: Reason::HealthCheck,
        cause: Cause::Assumed,
        text: "is assumed never to become Ready".to_owned(),
        span: cluster.node(id).span(),
        confidence: Confidence::High,
    })
}

/// Compares two scenarios, with the durations of the first one's cluster.
#[must_use]
pub fn compare(durations: &Durations, scenarios: [Scenario<'_>; 2]) -> Comparison {
    let [before, after] = scenarios.map(|scenario| {
        let (cluster, repaired) = (scenario.cluster, scenario.repaired);
        let (graph, durations) = scenario.solve(durations);
        let cold_start = ColdStart::new(&graph, &durations, repaired);
        times(Side { cluster, graph: &graph, cold_start: &cold_start })
    });
    of_times(&before, &after)
}

/// Compares two cold starts that are solved.
#[must_use]
pub fn compare_sides(sides: [Side<'_>; 2]) -> Comparison {
    let [before, after] = sides.map(times);
    of_times(&before, &after)
}

/// When each Kustomization is Ready, sorted.
type Times = Vec<(NodeKey, Option<Range>)>;

fn of_times(one: &Times, other: &Times) -> Comparison {
    let find = |times: &Times, key: &NodeKey| {
        times.binary_search_by(|(known, _)| known.cmp(key)).ok().and_then(|index| times[index].1)
    };
    let mut keys: Vec<&NodeKey> = one.iter().chain(other).map(|(key, _)| key).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut changes: Vec<Change> = keys
        .into_iter()
        .map(|key| Change { node: key.clone(), before: find(one, key), after: find(other, key) })
        .collect();
    changes.sort_by_key(|change| std::cmp::Reverse(change.weight()));
    let last = |times: &Times| times.iter().filter_map(|(_, ready)| *ready).reduce(Range::max);
    Comparison { total: [last(one), last(other)], changes }
}

impl Change {
    /// How much it changes: never or not there before anything else, then by the typical time.
    fn weight(&self) -> (bool, std::time::Duration) {
        match (self.before, self.after) {
            (Some(before), Some(after)) => (false, before.typical.abs_diff(after.typical)),
            (one, other) => (one != other, one.or(other).map(|range| range.typical).unwrap_or_default()),
        }
    }
}

fn times(side: Side<'_>) -> Times {
    let ready = |(id, node): (_, &crate::cluster::Node)| (node.key.clone(), side.cold_start.ready(side.graph, id));
    side.cluster.nodes().map(ready).collect()
}

/// What the controllers make of a cold start, with typical durations.
#[must_use]
pub fn simulate(side: Side<'_>, durations: &Durations) -> Simulated {
    let assumptions = Assumptions { least: side.cold_start.least(), ..Assumptions::new(side.cluster) };
    let run = Simulation::new(side.cluster, side.graph, durations, assumptions).run(Quantile::Typical);
    let never = run.nodes.iter().chain(&run.releases).filter(|outcome| outcome.ready.is_none()).count();
    Simulated { total: run.total, never }
}

/// A simulated cold start in two figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Simulated {
    /// When the last is Ready that ever is.
    pub total: std::time::Duration,
    /// How many Kustomizations and HelmReleases never are.
    pub never: usize,
}
