//! Words that several rules use.

use crate::{
    cluster::{Cluster, NodeId},
    finding::{Finding, Related, Subject},
    graph::{Actor, Event, Moment, Reason, Step},
    source::{Span, Tree},
};

/// The subject of an actor.
pub(super) fn subject_of(cluster: &Cluster, actor: Actor) -> Subject {
    match actor {
        Actor::Node(id) => cluster.node(id).subject(),
        Actor::Release(index) => cluster.releases[index as usize].subject(),
        Actor::Object(index) => cluster
            .objects
            .keys()
            .nth(index as usize)
            .map_or_else(|| Subject::file("unknown"), crate::cluster::ObjectKey::subject),
        Actor::Kind(index) => {
            let kind = &cluster.supply.kinds[index as usize];
            let name = format!("{}.{}", kind.kind, kind.group);
            Subject { kind: "CustomResourceDefinition".to_owned(), namespace: None, name }
        }
        Actor::Namespace(index) => {
            let name = cluster.supply.namespaces[index as usize].name.to_string();
            Subject { kind: "Namespace".to_owned(), namespace: None, name }
        }
        Actor::Made(index) => cluster.supply.made[index as usize].key.subject(),
    }
}

/// Puts the links of a loop into `finding`: the first at its own place, the others beside it.
pub(super) fn tell_links(cluster: &Cluster, links: &[&Step], finding: &mut Finding) {
    let Some((first, others)) = links.split_first() else { return };
    finding.label = step_text(cluster, first);
    finding.members = links.iter().map(|step| subject_of(cluster, step.after.actor)).collect();
    finding.members.sort_unstable();
    finding.members.dedup();
    finding.related = others
        .iter()
        .map(|step| Related::new(step_text(cluster, step), Some(subject_of(cluster, step.after.actor)), step.edge.span))
        .collect();
}

/// What a step of a loop says, as a sentence without full stop.
fn step_text(cluster: &Cluster, step: &Step) -> String {
    let before = subject_of(cluster, step.before.actor);
    let after = subject_of(cluster, step.after.actor);
    match step.edge.reason {
        Reason::Progress => format!("{after}: {} before {}", moment(step.before), moment(step.after)),
        Reason::AppliedBy => format!("{after} does not exist before {before} has applied it"),
        Reason::DependsOn => format!("{after} depends on {before}"),
        Reason::DependsOnExpr => format!("{after} depends on {before}, which has to exist"),
        Reason::Source => format!("{after} takes its files from {before}"),
        Reason::SubstituteFrom => format!("{after} takes variables from {before}"),
        Reason::ValuesFrom => format!("{after} takes values from {before}"),
        Reason::Wait => format!("{after} waits until {before} is Ready (`wait: true`)"),
        Reason::HealthCheck => format!("{after} waits until {before} is Ready (`healthChecks`)"),
        Reason::NeedsKind => format!("{after} applies an object that needs {before}"),
        Reason::NeedsNamespace => format!("{after} applies an object into {before}"),
        Reason::Installs => format!("{after} is installed by the chart of {before}"),
        Reason::CreatesNamespace => format!("{after} is created by {before} (`createNamespace`)"),
        Reason::Consumer if before == after => format!("{after} is bound once a pod uses it"),
        Reason::Consumer => format!("{after} is used by what {before} brings"),
        Reason::StorageClass if matches!(step.before.actor, Actor::Release(_)) => {
            format!("{after} is of a storage class that the chart of {before} makes")
        }
        Reason::StorageClass => format!("{after} is of the storage class {before}"),
        Reason::SecretStore => format!("{after} reads from {before}"),
        Reason::MadeOf => format!("{after} is made of {before}"),
        Reason::KubeConfig => format!("{after} takes its kubeconfig from {before}"),
        Reason::Decryption => format!("{after} takes its decryption keys from {before}"),
        Reason::ServiceAccount => format!("{after} acts as {before}"),
        Reason::Credentials => format!("{after} logs in with {before}"),
    }
}

fn moment(event: Event) -> &'static str {
    match event.moment {
        Moment::Exists => "exists",
        Moment::Start => "starts",
        Moment::Defined => "has applied its definitions and Namespaces",
        Moment::Classified => "has applied its classes",
        Moment::Consumed => "is used",
        Moment::Applied => "is applied",
        Moment::Ready => "is Ready",
    }
}

/// `path:line` of a span.
pub(super) fn place(tree: &Tree, span: Span) -> String {
    format!("{}:{}", tree.path(span.file), tree.position(span).line)
}

/// `a`, `a and b`, or `a, b and c`.
pub(super) fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// At most `most` items of a list, and how many more there are.
pub(super) fn short_list(items: &[String], most: usize) -> String {
    if items.len() <= most {
        return list(items);
    }
    format!("{} and {} more", items[..most].join(", "), items.len() - most)
}

/// The names of nodes, for a list of dependents.
pub(super) fn names(cluster: &Cluster, nodes: &[NodeId]) -> Vec<String> {
    nodes.iter().map(|id| cluster.node(*id).key.name.to_string()).collect()
}

/// A duration as people say it: minutes in halves from one minute on, else seconds.
pub(super) fn about(duration: std::time::Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 90 {
        return format!("{seconds} s");
    }
    let halves = (seconds + 15) / 30;
    if halves.is_multiple_of(2) { format!("{} min", halves / 2) } else { format!("{}.5 min", halves / 2) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_read_like_prose() {
        let items: Vec<String> = ["a", "b", "c"].map(str::to_owned).to_vec();
        assert_eq!(list(&items), "a, b and c");
        assert_eq!(short_list(&items, 2), "a, b and 1 more");
        assert_eq!(list(&items[..1]), "a");
    }

    #[test]
    fn minutes_come_in_halves() {
        let text = |seconds| about(std::time::Duration::from_secs(seconds));
        assert_eq!([text(45), text(100), text(150), text(600)], ["45 s", "1.5 min", "2.5 min", "10 min"]);
    }
}
