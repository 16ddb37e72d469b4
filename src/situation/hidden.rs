use crate::{cluster::Cluster, finding::Subject};

/// What may make objects that the repository does not show, less the Kustomizations that `excused` says are known for another
/// reason.
#[must_use]
pub fn hidden_by(cluster: &Cluster, excused: &dyn Fn(&Subject) -> bool) -> Option<String> {
    cluster.nodes.iter().filter(|node| !node.is_remote()).find_map(|node| {
        let part = node.unresolved.iter().find(|part| part.hides_objects())?;
        let subject = node.subject();
        (!excused(&subject)).then(|| format!("{} of {subject}", part.what))
    })
}
