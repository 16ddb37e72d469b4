//! One analysed cluster: what waits for what, what keeps things from happening, and when the rest happens; and two of them
//! side by side. Every command reads its answers here.

mod blockers;
pub mod fates;
mod masking;
mod outcome;
mod pair;

pub use blockers::*;
pub use masking::Masking;
pub use outcome::{ObstacleText, Outcomes, State};
pub use pair::{Pair, pairs};

use crate::{
    cluster::Cluster,
    finding::{Confidence, Finding, RuleInfo, Severity, Subject},
    graph::{EventGraph, Loop, Repaired, Stuck},
    source::Span,
    timing::{ColdStart, Disturbance, Durations, Override, Profile, Scenario, Side},
};

/// A cluster, and what was computed of it.
#[derive(Debug)]
pub struct Situation<'a> {
    /// The cluster, and the repository around it.
    pub view: View<'a>,
    /// The cluster.
    pub cluster: &'a Cluster,
    /// What stops its objects, beside loops.
    pub facts: Facts,
    /// What waits for what.
    pub graph: EventGraph,
    /// What never happens.
    pub stuck: Stuck,
    /// What would never happen if every guess held.
    pub doubtful: Stuck,
    /// How long things take.
    pub durations: Durations,
    /// When things happen in the cluster as it is.
    pub cold_start: ColdStart,
    /// When things would happen once everything is repaired. What is slow is judged by it, so that one fault does not hide
    /// another.
    pub repaired: ColdStart,
}

impl<'a> Situation<'a> {
    /// Draws the graph of a cluster and solves it, with the durations of `profile` and those that the user set.
    #[must_use]
    pub fn new(view: View<'a>, profile: Profile, overrides: &[Override]) -> Self {
        let cluster = view.cluster;
        let facts = Facts::find(view);
        let graph = EventGraph::new(cluster, facts.blockers());
        let durations = Durations::new(cluster, profile, overrides);
        Self::solved(view, facts, graph, durations)
    }

    /// An edited copy of the cluster, with what goes worse than usual: what stops its events is found anew, and its durations
    /// are those of this one.
    #[must_use]
    pub fn edited<'c>(&self, cluster: &'c Cluster, disturbances: &[Disturbance]) -> Situation<'c>
    where
        'a: 'c,
    {
        let view = View { cluster, ..self.view };
        let facts = Facts::find(view);
        let scenario = Scenario { cluster, blockers: facts.blockers(), repaired: Repaired::Nothing, disturbances };
        let (graph, durations) = scenario.solve(&self.durations);
        Situation::solved(view, facts, graph, durations)
    }

    fn solved(view: View<'a>, facts: Facts, graph: EventGraph, durations: Durations) -> Self {
        let cluster = view.cluster;
        let stuck = Stuck::new(&graph, Confidence::Medium);
        let doubtful = Stuck::new(&graph, Confidence::Low);
        let repaired = ColdStart::new(&graph, &durations, Repaired::Everything);
        let cold_start =
            if doubtful.is_empty() { repaired.clone() } else { ColdStart::new(&graph, &durations, Repaired::Nothing) };
        Self { view, cluster, facts, graph, stuck, doubtful, durations, cold_start, repaired }
    }

    /// It as one of two cold starts.
    #[must_use]
    pub const fn side(&self) -> Side<'_> {
        Side { cluster: self.cluster, graph: &self.graph, cold_start: &self.cold_start }
    }

    /// The loops of events that wait for each other.
    #[must_use]
    pub fn deadlocks(&self) -> &[Loop] {
        self.graph.loops()
    }

    /// A finding of `rule` about `subject` in this cluster, to be completed.
    #[must_use]
    pub fn finding(&self, rule: &RuleInfo, subject: Subject, at: Span, message: String) -> Finding {
        let clusters = if self.cluster.reached { vec![self.cluster.root.clone()] } else { Vec::new() };
        Finding { clusters, ..Finding::new(rule, subject, at, message) }
    }

    /// Adds what holds for findings in files that no entry point reaches: they say so, and those that rest on what is
    /// around the file are advice only, and a guess: where it would be applied, nobody knows.
    #[must_use]
    pub fn weighed(&self, mut finding: Finding, lies_inside: bool) -> Finding {
        if !self.cluster.reached {
            if !lies_inside {
                (finding.severity, finding.confidence) = (Severity::Info, Confidence::Low);
            }
            finding.why.push_str(" No entry point of this repository reaches the file, so nothing applies it today.");
        }
        finding
    }
}
