use crate::{
    kustomize::{Error, Fault, Kustomize, ReadSet},
    source::{Artifact, FileId, Span, is_yaml, join, names::nearest},
    yaml::{Node, ProblemKind, Store},
};

/// The kustomization that Flux writes where a folder has none (fluxcd/pkg kustomize, `Generator.generateKustomization`
/// and `scanManifests`): a folder below with a kustomization file is one entry and not entered; every other file ending
/// in `.yaml` or `.yml` is one. Files that do not decode as Kubernetes objects fail the build and are left out here.
#[must_use]
pub fn generated_kustomization(store: &Store, artifact: &Artifact, folder: &str) -> Generated {
    let mut scan = Scan { store, artifact, root: folder, entries: Vec::new(), found: Generated::default() };
    scan.found.reads.add_listing(folder);
    scan.folder(folder);
    let Scan { entries, mut found, .. } = scan;
    let entries = entries.into_iter().map(|entry| Node::str(entry, Span::NONE)).collect();
    let mut root = Node::empty_map(Span::NONE);
    root.set("apiVersion", Node::str("kustomize.config.k8s.io/v1beta1", Span::NONE));
    root.set("kind", Node::str("Kustomization", Span::NONE));
    root.set("resources", Node::seq(entries, Span::NONE));
    found.root = root;
    found
}

/// A kustomization that no file holds.
#[derive(Debug, Clone)]
pub struct Generated {
    /// The kustomization.
    pub root: Node,
    /// Files that fail the build.
    pub errors: Vec<Error>,
    /// What was looked at to make it.
    pub reads: ReadSet,
}

impl Default for Generated {
    fn default() -> Self {
        Self { root: Node::NULL, errors: Vec::new(), reads: ReadSet::default() }
    }
}

/// The search of a folder for manifests.
struct Scan<'s> {
    store: &'s Store,
    artifact: &'s Artifact,
    root: &'s str,
    entries: Vec<String>,
    found: Generated,
}

impl Scan<'_> {
    fn folder(&mut self, folder: &str) {
        let artifact = self.artifact;
        for name in artifact.names(folder) {
            let Some(path) = join(folder, name) else { continue };
            let entry = path[self.root.len()..].trim_start_matches('/').to_owned();
            if let Some(file) = artifact.file(&path) {
                let is_kustomization = Kustomize::is_kustomization_file(name);
                if is_yaml(&path) && !(is_kustomization && folder == self.root) {
                    self.file(folder, file, entry);
                }
            } else if artifact.names(&path).any(Kustomize::is_kustomization_file) {
                self.entries.push(entry);
            } else {
                self.folder(&path);
            }
        }
    }

    fn file(&mut self, folder: &str, file: FileId, entry: String) {
        self.found.reads.add_file(file);
        let Some((span, why)) = undecodable(self.store, file) else { return self.entries.push(entry) };
        let fault = if is_misnamed(self.store, file, &entry) { Fault::Misnamed } else { Fault::Listed };
        let message = format!(
            "`{entry}` is picked up because `{folder}` has no kustomization.yaml, and is no Kubernetes object: {why}"
        );
        self.found.errors.push(Error { message, span, related: Vec::new(), twice: None, fault });
    }
}

/// Whether a file is a kustomization file that kustomize does not find, since its name is another one.
fn is_misnamed(store: &Store, file: FileId, path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let stem = name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem);
    let documents = &store.parse(file).documents;
    let Some(document) = documents.first().filter(|document| documents.len() == 1 && document.error.is_none()) else {
        return false;
    };
    let root = &document.root;
    match root.find_str(&["apiVersion"]) {
        Some(version) => version.starts_with("kustomize.config.k8s.io/"),
        None => {
            let is_like =
                matches!(stem, "kustomization" | "kustomize") || nearest(stem, ["kustomization"].into_iter()).is_some();
            is_like
                && root.entries().next().is_some()
                && root.entries().all(|entry| Kustomize::is_kustomization_field(&entry.key))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Tree;

    #[test]
    fn a_folder_without_kustomization_depends_on_every_file_that_may_appear_in_it() {
        let manifest = b"kind: ConfigMap\nmetadata: {name: a}\n".to_vec();
        let paths = ["apps/a.yaml", "apps/b/kustomization.yaml", "apps/b/c.yaml", "apps/notes.md", "infra/d.yaml"];
        let store = Store::new(Tree::from_memory(paths.map(|path| (path.to_owned(), manifest.clone()))));
        let artifact = Artifact::new(store.tree(), "", |_| true);
        let generated = generated_kustomization(&store, &artifact, "apps");
        let entries = generated.root.get("resources").into_iter().flat_map(Node::items).filter_map(Node::as_str);
        assert_eq!(entries.collect::<Vec<_>>(), ["a.yaml", "b"]);
        assert_eq!(generated.reads.files(), [store.tree().file("apps/a.yaml").expect("present")]);
        assert!(generated.reads.looks_for("apps/new/x.yaml") && !generated.reads.looks_for("infra/x.yaml"));
    }
}
