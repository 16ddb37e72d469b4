//! Events and what orders them, in words. Every sentence about a reason stands here.

use super::{Actor, Event, Moment, Reason, Step};
use crate::{cluster::Cluster, finding::Subject, source::Span};

/// What a step says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Kebab-case name of the reason, for programs.
    pub reason: &'static str,
    /// A sentence without full stop.
    pub text: String,
}

impl Actor {
    /// The object, by name.
    #[must_use]
    pub fn subject(self, cluster: &Cluster) -> Subject {
        match self {
            Self::Node(id) => cluster.node(id).subject(),
            Self::Release(index) => cluster.releases[index as usize].subject(),
            Self::Object(index) => cluster
                .objects
                .keys()
                .nth(index as usize)
                .map_or_else(|| Subject::file("unknown"), crate::cluster::ObjectKey::subject),
        }
    }

    /// The place that stands for the object.
    #[must_use]
    pub fn place(self, cluster: &Cluster) -> Span {
        match self {
            Self::Node(id) => cluster.node(id).span(),
            Self::Release(index) => cluster.releases[index as usize].helm.name_span(),
            Self::Object(index) => {
                let providers = cluster.objects.values().nth(index as usize);
                providers
                    .and_then(|providers| providers.first())
                    .map_or(Span::NONE, |first| cluster.object(*first).place())
            }
        }
    }
}

impl Step {
    /// What the step says.
    #[must_use]
    pub fn told(&self, cluster: &Cluster) -> Told {
        let before = self.before.actor.subject(cluster);
        let after = self.after.actor.subject(cluster);
        let (reason, text) = match self.edge.reason {
            Reason::Progress => ("progress", format!("{after}: {} before {}", moment(self.before), moment(self.after))),
            Reason::AppliedBy => ("applied-by", format!("{after} does not exist before {before} has applied it")),
            Reason::DependsOn => ("depends-on", format!("{after} depends on {before}")),
            Reason::DependsOnExpr => {
                ("depends-on-expression", format!("{after} depends on {before}, which has to exist"))
            }
            Reason::Source => ("source", format!("{after} takes its files from {before}")),
            Reason::SubstituteFrom => ("substitute-from", format!("{after} takes variables from {before}")),
            Reason::ValuesFrom => ("values-from", format!("{after} takes values from {before}")),
            Reason::Wait => ("wait", format!("{after} waits until {before} is Ready (`wait: true`)")),
            Reason::HealthCheck => ("health-check", format!("{after} waits until {before} is Ready (`healthChecks`)")),
        };
        Told { reason, text }
    }
}

impl Moment {
    /// Its name for programs, and what happens as the end of a sentence.
    #[must_use]
    pub const fn told(self) -> (&'static str, &'static str) {
        match self {
            Self::Exists => ("exists", "exists"),
            Self::Start => ("start", "starts"),
            Self::Applied => ("applied", "is applied"),
            Self::Ready => ("ready", "is Ready"),
        }
    }
}

fn moment(event: Event) -> &'static str {
    event.moment.told().1
}
