//! What becomes of each object, and why.

use std::collections::BTreeMap;

use super::Situation;
use crate::{
    catalog::Range,
    finding::{Confidence, Subject},
    graph::{Actor, Cause, EventId, Loop, Moment, Obstacle, Reason, Step},
    source::Span,
};

/// What becomes of a Kustomization or HelmRelease in a cold start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is Ready after that time.
    Ready(Range),
    /// It is suspended, or only something suspended would apply it.
    Suspended,
    /// It is never Ready.
    Never,
}

/// How many Kustomizations and HelmReleases of a cluster become Ready, and what keeps the others from it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcomes {
    /// How many become Ready.
    pub ready: usize,
    /// Those that are suspended, or that only something suspended would apply.
    pub suspended: Vec<Actor>,
    /// Those that never become Ready, by the obstacle that is nearest to them; the one that stops most comes first.
    pub never: Vec<(Option<Obstacle>, Vec<Actor>)>,
}

/// An obstacle in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObstacleText {
    /// The object that it keeps from going on.
    pub subject: Subject,
    /// Kebab-case name of its kind, for programs.
    pub cause: &'static str,
    /// A clause that follows the name of the object.
    pub text: String,
    /// The text that decides it.
    pub place: Span,
    /// How sure it is.
    pub confidence: Confidence,
}

impl Situation<'_> {
    /// What becomes of a Kustomization or HelmRelease.
    #[must_use]
    pub fn state(&self, actor: Actor) -> State {
        let Some(ready) = self.graph.id(actor, Moment::Ready) else { return State::Never };
        match self.cold_start.time(ready) {
            Some(time) => State::Ready(time),
            None if self.is_suspended(ready) => State::Suspended,
            None => State::Never,
        }
    }

    /// Whether an event does not happen only because somebody suspended the object, or what applies it.
    fn is_suspended(&self, id: EventId) -> bool {
        let is_suspension = |obstacle: &Obstacle| match obstacle {
            Obstacle::Blocker(index) => {
                self.graph.blocked().nth(*index).is_some_and(|(_, blocker)| blocker.cause == Cause::Suspended)
            }
            Obstacle::Loop(_) => false,
        };
        self.stuck.nearest(id).as_ref().is_some_and(is_suspension)
            && self.stuck.way(&self.graph, id).iter().all(|step| step.edge.reason == Reason::AppliedBy)
    }

    /// Every obstacle between an object and Ready, in order; none where it becomes Ready.
    #[must_use]
    pub fn obstacles(&self, actor: Actor) -> Vec<Obstacle> {
        self.obstacles_to(actor, Moment::Ready)
    }

    /// Every obstacle between an object and a moment of it, in order.
    #[must_use]
    pub fn obstacles_to(&self, actor: Actor, moment: Moment) -> Vec<Obstacle> {
        self.graph.id(actor, moment).map(|event| self.stuck.obstacles(&self.graph, event)).unwrap_or_default()
    }

    /// What would keep an object from Ready if a guess held; none where it is stuck anyway.
    #[must_use]
    pub fn doubts(&self, actor: Actor) -> Vec<Obstacle> {
        let ready = self.graph.id(actor, Moment::Ready).filter(|ready| !self.stuck.has(*ready));
        ready.map(|ready| self.doubtful.obstacles(&self.graph, ready)).unwrap_or_default()
    }

    /// The links from an object to its nearest obstacle, each from something that waits to what it waits for.
    #[must_use]
    pub fn way_to_obstacle(&self, actor: Actor) -> Vec<Step> {
        self.graph.id(actor, Moment::Ready).map(|ready| self.stuck.way(&self.graph, ready)).unwrap_or_default()
    }

    /// How many Kustomizations and HelmReleases become Ready, and what keeps the others from it. What the Flux Operator makes of chart values
    /// without a file is not counted.
    #[must_use]
    pub fn outcomes(&self) -> Outcomes {
        let mut outcomes = Outcomes::default();
        let mut never: BTreeMap<Option<Obstacle>, Vec<Actor>> = BTreeMap::new();
        let nodes = self.cluster.nodes().filter(|(_, node)| !node.is_generated).map(|(id, _)| Actor::Node(id));
        let releases = (0..self.cluster.releases.len()).map(|index| Actor::Release(index as u32));
        for actor in nodes.chain(releases) {
            match self.state(actor) {
                State::Ready(_) => outcomes.ready += 1,
                State::Suspended => outcomes.suspended.push(actor),
                State::Never => {
                    let ready = self.graph.id(actor, Moment::Ready);
                    never.entry(ready.and_then(|ready| self.stuck.nearest(ready))).or_default().push(actor);
                }
            }
        }
        outcomes.never = never.into_iter().collect();
        outcomes.never.sort_by_key(|(_, nodes)| std::cmp::Reverse(nodes.len()));
        outcomes
    }

    /// An obstacle in words.
    #[must_use]
    pub fn describe(&self, obstacle: Obstacle) -> Option<ObstacleText> {
        match obstacle {
            Obstacle::Blocker(index) => {
                let (_, blocker) = self.graph.blocked().nth(index)?;
                Some(ObstacleText {
                    subject: blocker.actor.subject(self.cluster),
                    cause: blocker.cause.name(),
                    text: blocker.text.clone(),
                    place: blocker.span,
                    confidence: blocker.confidence,
                })
            }
            Obstacle::Loop(index) => self.describe_loop(self.graph.loops().get(index)?),
        }
    }

    fn describe_loop(&self, found: &Loop) -> Option<ObstacleText> {
        let first = found.links().next()?;
        let mut names: Vec<String> = Vec::new();
        for step in found.links() {
            let name = step.before.actor.subject(self.cluster).to_string();
            if names.last() != Some(&name) {
                names.push(name);
            }
        }
        Some(ObstacleText {
            subject: first.after.actor.subject(self.cluster),
            cause: "deadlock",
            text: format!("waits for itself: {}", names.join(" → ")),
            place: first.edge.span,
            confidence: found.confidence(),
        })
    }
}
