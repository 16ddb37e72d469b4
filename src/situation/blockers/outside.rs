//! Signs that a cluster is fed by another repository besides, as it is during a migration.

use std::collections::BTreeSet;

use super::{DependencyFact, DependencyProblem, View, hidden::foreign_source};
use crate::{
    cluster::{Cluster, Node},
    finding::Confidence,
    flux::api::kinds::NAMESPACE,
    source::Tree,
};

/// How many names in namespaces that nothing here knows are too many for slips.
const MANY: usize = 3;

/// Marks the dependencies of a cluster that another repository may well define. The cluster is not held up by them.
pub(super) fn mark(view: View<'_>, facts: &mut [DependencyFact]) {
    let cluster = view.cluster;
    if !cluster.reached {
        return;
    }
    let is_outside = |fact: &&mut DependencyFact| {
        let is_nowhere = matches!(&fact.problem, DependencyProblem::Nowhere { elsewhere, .. } if elsewhere.is_empty());
        is_nowhere && !fact.namespace.is_empty() && !knows(cluster, &fact.namespace)
    };
    let mut marked: Vec<&mut DependencyFact> = facts.iter_mut().filter(is_outside).collect();
    let names: BTreeSet<(&str, &str)> =
        marked.iter().map(|fact| (fact.namespace.as_str(), fact.name.as_str())).collect();
    let many =
        || (names.len() >= MANY).then(|| format!("{} names are in namespaces that nothing here defines", names.len()));
    let sign = if names.is_empty() { None } else { sign(view).or_else(many) };
    for fact in &mut marked {
        if sign.is_some() {
            fact.outside.clone_from(&sign);
            fact.confidence = Confidence::Low;
        }
    }
}

/// What else may hold an object in a namespace that nothing here knows, as a clause.
pub(super) fn may_hold(view: View<'_>, namespace: &str) -> Option<String> {
    if namespace.is_empty() || knows(view.cluster, namespace) { None } else { sign(view) }
}

/// Whether the repository puts anything into the namespace.
fn knows(cluster: &Cluster, namespace: &str) -> bool {
    let is_known = |node: &Node| node.key.namespace == namespace;
    let is_it = |key: &crate::cluster::ObjectKey| {
        key.namespace == namespace || key.name == namespace && NAMESPACE.is(&key.group, &key.kind)
    };
    cluster.nodes.iter().any(is_known) || cluster.objects.keys().any(is_it)
}

/// What shows that another repository feeds the cluster, as a clause.
fn sign(view: View<'_>) -> Option<String> {
    let cluster = view.cluster;
    let orphan = cluster.nodes.iter().find(|node| {
        let text = |key: &str| node.kustomization.object.node.find_str(&["spec", key]);
        text("deletionPolicy") == Some("Orphan") || is_moving(view.store.tree(), node)
    });
    let orphan = orphan.map(|node| format!("{} leaves what it applied to others", node.subject()));
    orphan.or_else(|| foreign_source(cluster).map(|source| format!("{source} is another repository")))
}

/// Whether a Kustomization does not prune, and a comment beside it speaks of a migration.
fn is_moving(tree: &Tree, node: &Node) -> bool {
    let object = &node.kustomization.object;
    let keeps = object.node.find(&["spec", "prune"]).and_then(crate::yaml::Node::as_bool) == Some(false);
    let text = || {
        let text = tree.text(object.source.file)?;
        text.get(object.source.start as usize..object.source.end as usize)
    };
    let speaks =
        |line: &str| line.split_once('#').is_some_and(|(_, comment)| comment.to_ascii_lowercase().contains("migrat"));
    keeps && object.source.is_some() && text().is_some_and(|text| text.lines().any(speaks))
}
