//! Words that several rules use.

pub(in crate::rules) use crate::finding::{about, list};
use crate::{
    catalog,
    cluster::{Cluster, NodeId},
    finding::{Confidence, Finding, Related, Subject},
    graph::{Actor, Step},
    source::{Span, Tree},
};

/// The subject of an actor.
pub(in crate::rules) fn subject_of(cluster: &Cluster, actor: Actor) -> Subject {
    actor.subject(cluster)
}

/// Puts the links of a loop into `finding`: the first at its own place, the others beside it.
pub(in crate::rules) fn tell_links(cluster: &Cluster, links: &[&Step], finding: &mut Finding) {
    let Some((first, others)) = links.split_first() else { return };
    finding.label = first.describe(cluster).text;
    finding.members = links.iter().map(|step| subject_of(cluster, step.after.actor)).collect();
    finding.members.sort_unstable();
    finding.members.dedup();
    finding.related = others
        .iter()
        .map(|step| {
            Related::new(step.describe(cluster).text, Some(subject_of(cluster, step.after.actor)), step.edge.span)
        })
        .collect();
}

/// What a row of a catalogue is worth: it is known of the world and not of this repository, so it is never certain.
pub(in crate::rules) const fn worth(row: catalog::Confidence) -> Confidence {
    match row {
        catalog::Confidence::High | catalog::Confidence::Medium => Confidence::Medium,
        catalog::Confidence::Low => Confidence::Low,
    }
}

/// What a finding rests on that names a chart for a CRD.
pub(in crate::rules) const CHART_KNOWN: &str = " That this chart provides the CRD is known from a catalogue.";

/// Why a network plugin is there before anything that Flux applies.
pub(in crate::rules) const NETWORK_FIRST: &str = " No pod gets an address without a network plugin, and Flux's controllers are pods: unless \
                                                  another plugin came first, it is there before Flux is.";

/// How often the controller of `kind` looks again at a dependency that is not ready, as people say it.
pub(in crate::rules) fn requeue(cluster: &Cluster, kind: &str) -> String {
    about(cluster.controllers.of_kind(kind).requeue_dependency().value)
}

/// `path:line` of a span.
pub(in crate::rules) fn place(tree: &Tree, span: Span) -> String {
    tree.place(span).as_ref().map_or_else(String::new, ToString::to_string)
}

/// At most `most` items of a list, and how many more there are.
pub(in crate::rules) fn short_list(items: &[String], most: usize) -> String {
    if items.len() <= most {
        return list(items);
    }
    format!("{} and {} more", items[..most].join(", "), items.len() - most)
}

/// The names of nodes, for a list of dependents.
pub(in crate::rules) fn names(cluster: &Cluster, nodes: &[NodeId]) -> Vec<String> {
    nodes.iter().map(|id| cluster.node(*id).key.name.to_string()).collect()
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
}
