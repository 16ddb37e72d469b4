//! Claims that wait for the object they are filled from, while that waits for the claim. A claim with a `dataSource` is bound once it is
//! filled; a pod that mounts it, and a snapshot of it, wait until it is bound (Kubernetes, volume populators; VolSync, `destinationPVC`).

use super::{CLAIM, NeverReady};
use crate::{
    cluster::{Cluster, HealthMember, ObjectKey},
    finding::Confidence,
    flux::is_open_text,
    source::Span,
    yaml::Node,
};

/// Fields of objects that fill claims, and name the claim that they mount or take a snapshot of.
const USES: [&str; 3] = ["claimName", "destinationPVC", "persistentVolumeClaimName"];

/// Levels below which no claim is named.
const DEPTH: usize = 24;

pub(super) fn filled_by_user(cluster: &Cluster, member: &HealthMember<'_>) -> Option<(NeverReady, Span, Confidence)> {
    let key = &member.key;
    if key.kind != CLAIM || !key.group.is_empty() || key.is_unresolved() {
        return None;
    }
    let claim = &member.object?.node;
    let source = ["dataSourceRef", "dataSource"].iter().find_map(|field| claim.find(&["spec", field]))?;
    let text = |field: &str| source.find_str(&[field]).unwrap_or_default();
    let namespace = if text("namespace").is_empty() { key.namespace.as_str() } else { text("namespace") };
    let filler = ObjectKey {
        group: text("apiGroup").into(),
        kind: text("kind").into(),
        namespace: namespace.into(),
        name: text("name").into(),
    };
    let at = source.get("name").map_or(source.span, |name| name.span).or(member.place());
    let uses = if filler == *key {
        member.place()
    } else {
        let provider = cluster.objects.get(&filler)?.first()?;
        if filler.namespace != key.namespace {
            return None;
        }
        uses(cluster.object(*provider).node.get("spec")?, &key.name, 0)?
    };
    Some((NeverReady::FilledByUser { filler, uses }, at, Confidence::Medium))
}

/// Where an object names the claim as one that it uses.
fn uses(node: &Node, claim: &str, depth: usize) -> Option<Span> {
    if depth > DEPTH {
        return None;
    }
    let is_it = |node: &Node| node.as_str().is_some_and(|name| name == claim && !is_open_text(name));
    // `{kind: PersistentVolumeClaim, name: …}`, as sources of copies have it.
    let named = node.get("name").filter(|name| node.find_str(&["kind"]) == Some(CLAIM) && is_it(name));
    if let Some(name) = named {
        return Some(name.span);
    }
    let mut entries = node.entries();
    let found = entries.find_map(|entry| match USES.contains(&entry.key.as_str()) && is_it(&entry.value) {
        true => Some(entry.value.span),
        false => uses(&entry.value, claim, depth + 1),
    });
    found.or_else(|| node.items().find_map(|item| uses(item, claim, depth + 1)))
}
