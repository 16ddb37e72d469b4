//! Events and what orders them, in words. Every sentence about a reason stands here.

use super::{Actor, Event, Moment, Reason, Step};
use crate::{cluster::Cluster, finding::Subject, source::Span};

/// What a step says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
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
            Self::Kind(index) => {
                let kind = &cluster.implicit.kinds[index as usize];
                let name = format!("{}.{}", kind.kind, kind.group);
                Subject { kind: "CustomResourceDefinition".to_owned(), namespace: None, name }
            }
            Self::Namespace(index) => {
                let name = cluster.implicit.namespaces[index as usize].name.to_string();
                Subject { kind: "Namespace".to_owned(), namespace: None, name }
            }
            Self::Made(index) => cluster.implicit.made[index as usize].key.subject(),
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
            Self::Kind(index) => {
                let kind = &cluster.implicit.kinds[index as usize];
                let built = kind.crds.first().map(|first| cluster.object(*first).place());
                let chart = kind.charts.first().map(|first| cluster.releases[first.release].helm.name_span());
                built.or(chart).unwrap_or(Span::NONE)
            }
            Self::Namespace(index) => {
                let namespace = &cluster.implicit.namespaces[index as usize];
                let built = namespace.objects.first().map(|first| cluster.object(*first).place());
                let release = namespace.releases.first().map(|first| cluster.releases[*first].helm.name_span());
                built.or(release).unwrap_or(Span::NONE)
            }
            Self::Made(index) => {
                let maker = cluster.implicit.made[index as usize].makers.first();
                let first = maker.and_then(|maker| cluster.objects.get(maker)?.first());
                first.map_or(Span::NONE, |first| cluster.object(*first).place())
            }
        }
    }
}

impl Step {
    /// What the step says.
    #[must_use]
    pub fn describe(&self, cluster: &Cluster) -> Description {
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
            Reason::HealthCheck if self.before.moment == Moment::Exists => {
                ("health-check", format!("{after} waits until {before} is there (`healthChecks`)"))
            }
            Reason::HealthCheck => ("health-check", format!("{after} waits until {before} is Ready (`healthChecks`)")),
            Reason::NeedsKind => ("needs-crd", format!("{after} applies an object that needs {before}")),
            Reason::NeedsNamespace => ("needs-namespace", format!("{after} applies an object into {before}")),
            Reason::Installs => ("installs", format!("{after} is installed by the chart of {before}")),
            Reason::CreatesNamespace => {
                ("creates-namespace", format!("{after} is created by {before} (`createNamespace`)"))
            }
            Reason::Consumer if before == after => ("consumer", format!("{after} is bound once a pod uses it")),
            Reason::Consumer => ("consumer", format!("{after} is used by what {before} provides")),
            Reason::StorageClass if matches!(self.before.actor, Actor::Release(_)) => {
                ("storage-class", format!("{after} is of a storage class that the chart of {before} makes"))
            }
            Reason::StorageClass => ("storage-class", format!("{after} is of the storage class {before}")),
            Reason::SecretStore => ("secret-store", format!("{after} reads from {before}")),
            Reason::BuiltFrom => ("built-from", format!("{after} is built from {before}")),
            Reason::KubeConfig => ("kubeconfig", format!("{after} takes its kubeconfig from {before}")),
            Reason::Decryption => ("decryption", format!("{after} takes its decryption keys from {before}")),
            Reason::ServiceAccount => ("service-account", format!("{after} acts as {before}")),
            Reason::Credentials => ("credentials", format!("{after} logs in with {before}")),
            Reason::Build => ("build", format!("{after} is built before it is applied")),
            Reason::DryRun => ("dry-run", format!("the API server has to accept what {after} applies")),
        };
        Description { reason, text }
    }
}

impl Moment {
    /// Its name for programs, and what happens as the end of a sentence.
    #[must_use]
    pub const fn describe(self) -> (&'static str, &'static str) {
        match self {
            Self::Exists => ("exists", "exists"),
            Self::Start => ("start", "starts"),
            Self::Defined => ("defined", "has applied its CRDs and Namespaces"),
            Self::Classified => ("classified", "has applied its classes"),
            Self::Consumed => ("consumed", "is used"),
            Self::Applied => ("applied", "is applied"),
            Self::Ready => ("ready", "is Ready"),
        }
    }
}

fn moment(event: Event) -> &'static str {
    event.moment.describe().1
}
