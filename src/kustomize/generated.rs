//! The kustomization that Flux makes for a folder without one.

use super::build::kustomization_files;
use crate::{
    source::{Artifact, Span},
    yaml::Node,
};

/// Deepest folder that is walked.
const DEPTH: usize = 200;

/// The kustomization that kustomize-controller generates for the folder `dir`, which has none: every manifest below it,
/// in the order of a lexical walk; a folder with a kustomization file is one entry and is not entered
/// (fluxcd/pkg `kustomize`, `Generator.generateKustomization`, `scanManifests`). Nothing in it has a span.
#[must_use]
pub fn generated_kustomization(artifact: &Artifact, dir: &str) -> Node {
    let mut entries = Vec::new();
    walk(artifact, dir, "", DEPTH, &mut entries);
    let text = |text: &str| Node::str(text, Span::NONE);
    let mut root = Node::empty_map(Span::NONE);
    root.set("apiVersion", text("kustomize.config.k8s.io/v1beta1"));
    root.set("kind", text("Kustomization"));
    root.set("resources", Node::seq(entries.iter().map(|entry| text(entry)).collect(), Span::NONE));
    root
}

fn walk(artifact: &Artifact, dir: &str, below: &str, depth: usize, entries: &mut Vec<String>) {
    for name in artifact.names(dir) {
        let within = |folder: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        let (path, entry) = (within(dir), within(below));
        if artifact.file(&path).is_some() {
            if [".yaml", ".yml"].iter().any(|ending| name.ends_with(ending)) {
                entries.push(entry);
            }
        } else if !kustomization_files(artifact, &path).is_empty() {
            entries.push(entry);
        } else if depth > 0 {
            walk(artifact, &path, &entry, depth - 1, entries);
        }
    }
}
