//! One analysed cluster: what waits for what, what keeps things from happening, and when the rest happens; and two of them
//! side by side. Every command reads its answers here.

mod blockers;
mod pair;

pub use blockers::{
    Blocker, BuildFact, BuildStep, Cause, Difference, Facts, FieldFault, Flaw, Form, InputFact, InputField, LookAlike,
    ManifestFact, RefusedText, SealedFact, SealedFate, SealedObject, UnknownField, UnknownFieldFact, Unquoted,
    VariableFact, VariableFate, View, any_of, hidden_by, missing_inputs,
};
pub use pair::{Pair, pairs};

use crate::{
    cluster::Cluster,
    finding::{Confidence, Finding, RuleInfo, Severity, Subject},
    graph::{EventGraph, Loop},
    source::Span,
    timing::{ColdStart, Durations, Override, Profile},
};

/// A cluster, and what was computed of it.
#[derive(Debug)]
pub struct Situation<'a> {
    /// The cluster.
    pub cluster: &'a Cluster,
    /// What stops its objects, beside loops.
    pub facts: Facts,
    /// What waits for what.
    pub graph: EventGraph,
    /// What can never happen.
    pub deadlocks: Vec<Loop>,
    /// How long things take.
    pub durations: Durations,
    /// When things happen.
    pub cold_start: ColdStart,
}

impl<'a> Situation<'a> {
    /// Draws the graph of a cluster and solves it, with the durations of `profile` and those that the user set.
    #[must_use]
    pub fn new(view: View<'a>, profile: Profile, overrides: &[Override]) -> Self {
        let cluster = view.cluster;
        let facts = Facts::find(view);
        let graph = EventGraph::of(cluster);
        let deadlocks = graph.deadlocks();
        let durations = Durations::of(cluster, profile, overrides);
        let cold_start = ColdStart::of(&graph, &durations);
        Self { cluster, facts, graph, deadlocks, durations, cold_start }
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
