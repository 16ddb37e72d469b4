//! Kustomizations whose path is no folder of their source.

use super::{Blocker, Cause, View};
use crate::{
    cluster::{Cluster, Folder, Node, NodeId},
    finding::{Confidence, Subject},
    graph::{Actor, Moment, Reason},
    source::{Entry, Span},
};

/// A Kustomization whose `spec.path` is no folder of its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathFact {
    /// The Kustomization.
    pub actor: Actor,
    /// The same by name.
    pub subject: Subject,
    /// The path, from the root of the artifact.
    pub path: String,
    /// The path as it is written.
    pub written: String,
    /// What stands in its place.
    pub other: Option<&'static str>,
    /// The folder that is most like it.
    pub similar: Option<String>,
    /// The folder on disk that the source is mapped to, where it is, as the user wrote it.
    pub mapping: Option<String>,
    /// Whether a symbolic link stands in its place. source-controller leaves links out of the artifact.
    pub is_link: bool,
    /// Whether no other path of the source is a folder here, so that its files may be those of another repository.
    pub is_foreign: bool,
    /// The place of the field.
    pub span: Span,
    /// How sure it is.
    pub confidence: Confidence,
}

impl PathFact {
    /// The reconciliation starts and fails before it applies anything: `ArtifactFailed` where the path is not there,
    /// `BuildFailed` where it is a file (kustomize-controller v1.9, `reconcile`).
    #[must_use]
    pub fn blocker(&self) -> Option<Blocker> {
        let what = self.other.map_or_else(|| "does not exist".to_owned(), |other| format!("is {other}, not a folder"));
        let place = self.mapping.as_ref().map_or_else(String::new, |mapping| format!(" in `{mapping}`"));
        Some(Blocker {
            actor: self.actor,
            moment: Moment::Applied,
            reason: Reason::Source,
            cause: Cause::MissingPath,
            text: format!("has the path `{}`, which {what}{place}", self.path),
            span: self.span,
            confidence: self.confidence,
        })
    }
}

/// Finds those of a cluster.
pub(super) fn find(view: View<'_>) -> Vec<PathFact> {
    view.cluster.nodes().filter_map(|(id, node)| fact(view, id, node)).collect()
}

fn fact(view: View<'_>, id: NodeId, node: &Node) -> Option<PathFact> {
    let Folder::Missing { path, other, similar, mapping } = &node.folder else { return None };
    let spec = &node.kustomization.spec;
    let is_shown = similar.is_some() || other.is_some() || mapping.is_some();
    let is_foreign = !is_shown && !is_source_here(view.cluster, node);
    let confidence = match spec.source_ref.kind.as_deref() {
        _ if is_foreign => Confidence::Low,
        None | Some("GitRepository") => Confidence::High,
        // What was pushed into an artifact need not be the whole repository.
        Some(_) => Confidence::Medium,
    };
    Some(PathFact {
        actor: Actor::Node(id),
        subject: node.subject(),
        path: path.clone(),
        written: spec.path.clone().unwrap_or_default(),
        other: *other,
        similar: similar.clone(),
        mapping: mapping.clone(),
        is_link: mapping.is_none() && view.store.tree().entry(path) == Some(Entry::Link),
        is_foreign,
        span: node.kustomization.span(&["spec", "path"]),
        confidence: view.confidence(confidence),
    })
}

/// Whether the files of a Kustomization's source are in this repository, as the folder of another one shows.
fn is_source_here(cluster: &Cluster, node: &Node) -> bool {
    let own = node.source();
    cluster.nodes.iter().any(|other| matches!(other.folder, Folder::Here(_)) && other.source() == own)
}
