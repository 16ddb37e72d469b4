use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    catalog::Range,
    finding::Subject,
    graph::Step,
    situation::Situation,
    source::{Place, Tree},
};

/// One thing that waits for another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Link {
    /// Kebab-case name of the mechanism: `depends-on`, `applied-by`, `wait`, …
    pub reason: &'static str,
    /// A sentence without full stop.
    pub message: String,
    /// What waits.
    pub waits: Subject,
    /// What it waits for.
    pub on: Subject,
    /// When that happens, counted from the first reconciliation of a cold start; `null` where it never does.
    pub at: Option<Range>,
    /// The text that declares it; `null` where no file holds it.
    pub location: Option<Place>,
    /// What would do instead: other providers of the same object.
    pub or: Vec<Subject>,
}

impl Link {
    /// A step of the graph in words, with when what it waits for happens.
    pub(super) fn new(situation: &Situation<'_>, tree: &Tree, step: &Step) -> Self {
        let (graph, cluster) = (&situation.graph, situation.cluster);
        let words = step.describe(cluster);
        let before = graph.id(step.before.actor, step.before.moment);
        Self {
            reason: words.reason,
            message: words.text,
            waits: step.after.actor.subject(cluster),
            on: step.before.actor.subject(cluster),
            at: before.and_then(|id| situation.cold_start.time(id)),
            location: tree.place(step.edge.span),
            or: graph.alternatives(step).into_iter().map(|actor| actor.subject(cluster)).collect(),
        }
    }
}
