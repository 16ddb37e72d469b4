//! What heads an answer about a cold start: how many Kustomizations become Ready, what keeps the others from it, and when the
//! last of those that do is Ready.

use schemars::JsonSchema;
use serde::Serialize;

use super::names::done;
use crate::{
    catalog::Range,
    finding::{Confidence, Subject},
    graph::{Actor, EventId, Moment, Obstacle},
    situation::{Outcomes, Situation},
    source::{Place, Tree},
};

/// How a cold start ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Headline {
    /// What happens last.
    pub end: Option<EventId>,
    /// When that is; `None` where it never is.
    pub total: Option<Range>,
    /// How many Kustomizations and HelmReleases never become Ready.
    pub never_ready: usize,
}

/// What becomes of the Kustomizations and HelmReleases of a cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ClusterOutcome {
    /// How many of them there are, by what becomes of them.
    pub counts: OutcomeCounts,
    /// What keeps them from it, each with those that it is nearest to; what stops most comes first.
    pub obstacles: Vec<ReportedObstacle>,
}

/// Numbers of Kustomizations and HelmReleases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OutcomeCounts {
    /// Those that become Ready.
    pub ready: usize,
    /// Those that are suspended, or that only something suspended would apply.
    pub suspended: usize,
    /// Those that never become Ready.
    pub never_ready: usize,
}

/// Something that keeps objects from becoming Ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Obstacle")]
pub struct ReportedObstacle {
    /// Kebab-case name of its kind: `missing-dependency`, `failed-build`, `deadlock`, …
    pub cause: &'static str,
    /// A sentence without full stop.
    pub message: String,
    /// The object that it keeps from going on.
    pub node: Subject,
    /// The text that decides it; `null` where no file holds it.
    pub location: Option<Place>,
    /// How sure it is.
    pub confidence: Confidence,
    /// The Kustomizations and HelmReleases that it keeps from becoming Ready. Empty where it is reported for one object.
    pub stops: Vec<Subject>,
}

impl Headline {
    /// That of a whole cluster: what happens last of all that happens.
    #[must_use]
    pub fn of_cluster(situation: &Situation<'_>) -> Self {
        let end = situation.cold_start.last(&situation.graph);
        Self { end, total: end.and_then(|id| situation.cold_start.time(id)), never_ready: never(&situation.outcomes()) }
    }

    /// That of one object: when it is done, with the Kustomizations that never become Ready of those behind it.
    #[must_use]
    pub fn of_object(situation: &Situation<'_>, actor: Actor) -> Self {
        let (graph, cold_start) = (&situation.graph, &situation.cold_start);
        let end = done(graph, actor);
        let behind = end.map(|id| graph.behind(&[id])).unwrap_or_default();
        let is_never = |id: &EventId| {
            let event = graph.event(*id);
            let is_node = matches!(event.actor, Actor::Node(_) | Actor::Release(_)) && event.moment == Moment::Ready;
            is_node && cold_start.time(*id).is_none()
        };
        Self {
            end,
            total: end.and_then(|id| cold_start.time(id)),
            never_ready: behind.iter().chain(&end).filter(|id| is_never(id)).count(),
        }
    }
}

fn never(outcomes: &Outcomes) -> usize {
    outcomes.never.iter().map(|(_, nodes)| nodes.len()).sum()
}

impl ClusterOutcome {
    /// That of a whole cluster.
    #[must_use]
    pub fn of_cluster(situation: &Situation<'_>, tree: &Tree) -> Self {
        let outcomes = situation.outcomes();
        let obstacles = outcomes.never.iter().filter_map(|(obstacle, nodes)| {
            let stops = nodes.iter().map(|actor| actor.subject(situation.cluster)).collect();
            Some(ReportedObstacle { stops, ..ReportedObstacle::new(situation, tree, (*obstacle)?)? })
        });
        let counts =
            OutcomeCounts { ready: outcomes.ready, suspended: outcomes.suspended.len(), never_ready: never(&outcomes) };
        Self { obstacles: obstacles.collect(), counts }
    }
}

impl OutcomeCounts {
    /// All of them.
    #[must_use]
    pub const fn total(self) -> usize {
        self.ready + self.suspended + self.never_ready
    }

    /// These and `other` together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            ready: self.ready + other.ready,
            suspended: self.suspended + other.suspended,
            never_ready: self.never_ready + other.never_ready,
        }
    }
}

impl ReportedObstacle {
    /// An obstacle as an answer has it.
    pub(super) fn new(situation: &Situation<'_>, tree: &Tree, obstacle: Obstacle) -> Option<Self> {
        let found = situation.describe(obstacle)?;
        Some(Self {
            cause: found.cause,
            message: format!("{} {}", found.subject, found.text),
            node: found.subject,
            location: tree.place(found.place),
            confidence: found.confidence,
            stops: Vec::new(),
        })
    }
}
