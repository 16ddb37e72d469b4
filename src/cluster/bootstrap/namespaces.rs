//! What the files of a repository say of namespaces that no build makes: read once, when it is first asked for.

use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;

use super::{LARGEST, places::is_setup};
use crate::{
    flux::api::kinds::NAMESPACE,
    source::{FileId, Tree, is_yaml},
    yaml::Store,
};

/// What a text holds that makes namespaces, in small letters.
const MARKS: [&str; 14] = [
    "create namespace",
    "create ns",
    "create-namespace",
    "create_namespace",
    "createnamespace",
    "kubernetes_namespace",
    "k8s_namespace",
    "new-project",
    "kind: namespace",
    "kind: \"namespace\"",
    "kind = \"namespace\"",
    "\"kind\": \"namespace\"",
    "namespace(",
    "kubernetes:core/v1:namespace",
];

/// Ends of files that people read. They speak of all namespaces.
const PROSE: [&str; 5] = [".adoc", ".md", ".mdx", ".rst", ".txt"];

/// Words that may be names of namespaces, and who says them.
#[derive(Debug, Default)]
pub struct NamespaceTexts {
    /// In files with text that makes namespaces: scripts, Terraform, helmfiles, and instructions for people.
    made: FxHashSet<SmolStr>,
    /// In files that may make namespaces in ways that cannot be read: modules, playbooks and machine configurations. The first of each.
    mentioned: FxHashMap<SmolStr, FileId>,
    /// The files with a Namespace of that name.
    manifests: FxHashMap<SmolStr, Vec<FileId>>,
    /// Whether a chart in the repository makes one.
    is_in_chart: bool,
}

impl NamespaceTexts {
    pub(super) fn read(store: &Store) -> Self {
        let (tree, mut found) = (store.tree(), Self::default());
        for file in tree.files() {
            let Some(text) = tree.text(file) else { continue };
            let path = tree.path(file);
            found.is_in_chart |= path.contains("/templates/") && text.contains("kind: Namespace");
            if is_yaml(path) && text.contains("Namespace") {
                found.manifests(store, file);
            }
            let is_manifest = is_manifest(tree, file);
            if text.len() > LARGEST || (is_manifest && !Self::is_before_flux(path)) {
                continue;
            }
            if !is_manifest && makes_namespaces(text) {
                found.made.extend(words(text).map(SmolStr::new));
            }
            if !PROSE.iter().any(|end| path.ends_with(end)) {
                for word in words(text) {
                    // Most words come again.
                    if !found.mentioned.contains_key(word) {
                        found.mentioned.insert(word.into(), file);
                    }
                }
            }
        }
        found
    }

    fn manifests(&mut self, store: &Store, file: FileId) {
        for document in &store.parse(file).documents {
            let name = document.root.find_str(&["metadata", "name"]).filter(|_| NAMESPACE.is_kind_of(&document.root));
            if let Some(name) = name {
                self.manifests.entry(name.into()).or_default().push(file);
            }
        }
    }

    /// Whether something that makes namespaces names this one.
    #[must_use]
    pub fn is_made(&self, name: &str) -> bool {
        self.made.contains(name)
    }

    /// A file that is no manifest of a build and names it.
    #[must_use]
    pub fn mention(&self, name: &str) -> Option<FileId> {
        self.mentioned.get(name).copied()
    }

    /// The files with a Namespace of that name.
    #[must_use]
    pub fn manifests_of(&self, name: &str) -> &[FileId] {
        self.manifests.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether a chart in the repository makes a namespace.
    #[must_use]
    pub const fn is_in_chart(&self) -> bool {
        self.is_in_chart
    }

    /// Whether people apply the file at `path` before Flux, by its place.
    #[must_use]
    pub fn is_before_flux(path: &str) -> bool {
        is_setup(&path.to_ascii_lowercase())
    }
}

/// Whether a text makes namespaces.
#[must_use]
pub fn makes_namespaces(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    MARKS.iter().any(|mark| text.contains(mark))
        || (text.contains("releases:") && text.contains("namespace:") && text.contains("chart:"))
}

/// Whether `text` names the namespace as a word.
#[must_use]
pub fn has_word(text: &str, name: &str) -> bool {
    words(text).any(|word| word == name)
}

/// The words of a text that may be the name of a namespace.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    let is_name = |word: &&str| {
        (1..=63).contains(&word.len())
            && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !word.starts_with('-')
            && !word.ends_with('-')
    };
    text.split(move |letter| !is_part(letter)).filter(is_name)
}

/// Whether a file holds manifests of Kubernetes: those make what they say and nothing else.
fn is_manifest(tree: &Tree, file: FileId) -> bool {
    is_yaml(tree.path(file))
        && tree.text(file).is_some_and(|text| text.contains("apiVersion:") && text.contains("kind:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_what_stands_between_other_letters() {
        assert_eq!(words("ns/shop, a_b \"x-y\" Shop -n web").collect::<Vec<_>>(), ["ns", "shop", "x-y", "web"]);
        assert!(has_word("kubectl create ns shop;", "shop") && !has_word("shop-eu", "shop"));
    }
}
