//! What may make objects that the repository does not show.

use crate::{cluster::Cluster, finding::Subject};

/// The first part of a build of `cluster` that the repository does not show, as a noun phrase; the Kustomizations that
/// `excused` accepts are passed over.
#[must_use]
pub fn hidden_by(cluster: &Cluster, excused: &dyn Fn(&Subject) -> bool) -> Option<String> {
    // What a remote Kustomization applies goes to another cluster.
    cluster.nodes.iter().filter(|node| !node.is_remote()).find_map(|node| {
        let part = node.unresolved.iter().find(|part| part.hides_objects())?;
        let subject = node.subject();
        (!excused(&subject)).then(|| format!("{} of {subject}", part.what))
    })
}
