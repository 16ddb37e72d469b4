use crate::{
    kustomize::{Error, Kustomize},
    source::{Artifact, FileId, Span, join},
    yaml::{Node, ProblemKind, Store},
};

/// The kustomization that Flux writes where a folder has none (fluxcd/pkg kustomize, `Generator.generateKustomization`
/// and `scanManifests`): a folder below with a kustomization file is one entry and not entered; every other file ending
/// in `.yaml` or `.yml` is one. Files that do not decode as Kubernetes objects fail the build and are left out here.
#[must_use]
pub fn generated_kustomization(store: &Store, artifact: &Artifact, folder: &str) -> (Node, Vec<Error>) {
    let (mut entries, mut errors) = (Vec::new(), Vec::new());
    scan(store, artifact, folder, folder, &mut entries, &mut errors);
    let entries = entries.into_iter().map(|entry| Node::str(entry, Span::NONE)).collect();
    let mut root = Node::empty_map(Span::NONE);
    root.set("apiVersion", Node::str("kustomize.config.k8s.io/v1beta1", Span::NONE));
    root.set("kind", Node::str("Kustomization", Span::NONE));
    root.set("resources", Node::seq(entries, Span::NONE));
    (root, errors)
}

fn scan(
    store: &Store,
    artifact: &Artifact,
    root: &str,
    folder: &str,
    entries: &mut Vec<String>,
    errors: &mut Vec<Error>,
) {
    for name in artifact.names(folder) {
        let Some(path) = join(folder, name) else { continue };
        let entry = path[root.len()..].trim_start_matches('/').to_owned();
        if let Some(file) = artifact.file(&path) {
            let is_yaml = path.ends_with(".yaml") || path.ends_with(".yml");
            let is_kustomization = Kustomize::is_kustomization_file(name);
            if is_yaml && !(is_kustomization && folder == root) {
                match undecodable(store, file) {
                    Some((span, why)) => {
                        let message = format!(
                            "`{entry}` is picked up because `{folder}` has no kustomization.yaml, and is no Kubernetes object: {why}"
                        );
                        errors.push(Error { message, span, related: Vec::new(), twice: None });
                    }
                    None => entries.push(entry),
                }
            }
        } else if artifact.names(&path).any(Kustomize::is_kustomization_file) {
            entries.push(entry);
        } else {
            scan(store, artifact, root, &path, entries, errors);
        }
    }
}

/// Why a file fails kustomize's decoding, if it does (kustomize `resource.Factory`, `dropBadNodes` and
/// `GetValidatedMetadata`): every document that is not empty needs a kind, and a name unless the kind ends in `List`.
fn undecodable(store: &Store, file: FileId) -> Option<(Span, String)> {
    for document in &store.parse(file).documents {
        if let Some(error) = &document.error {
            return Some((error.span, error.message.clone()));
        }
        let problem = document.problems.iter().find(|problem| problem.kind != ProblemKind::NotJson);
        if let Some(problem) = problem {
            return Some((problem.span, problem.message.clone()));
        }
        let root = &document.root;
        if root.is_null() || root.as_map().is_some_and(crate::yaml::Map::is_empty) {
            continue;
        }
        let kind = root.find_str(&["kind"]).unwrap_or_default();
        if kind.is_empty() {
            return Some((root.span, "it has no `kind`".to_owned()));
        }
        if root.find_str(&["metadata", "name"]).is_none_or(str::is_empty) && !kind.ends_with("List") {
            return Some((root.span, "it has no `metadata.name`".to_owned()));
        }
    }
    None
}
