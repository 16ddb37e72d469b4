//! What is installed before Flux runs, as far as the scripts of the repository show.

use std::sync::OnceLock;

use crate::source::{FileId, Tree};

/// Files beside the builds that set a cluster up: helmfiles, scripts, playbooks.
pub(super) struct Bootstrap<'t> {
    tree: &'t Tree,
    files: OnceLock<Vec<FileId>>,
}

/// Folders and files of that beginning hold what people run before Flux.
const PLACES: [&str; 9] =
    ["ansible", "bootstrap", "helmfile", "opentofu", "scripts", "talos", "taskfile", "terraform", "tofu"];

/// Files above this size are no scripts.
const LARGEST: u64 = 1 << 20;

impl<'t> Bootstrap<'t> {
    pub(super) const fn new(tree: &'t Tree) -> Self {
        Self { tree, files: OnceLock::new() }
    }

    /// Whether some such file names the chart.
    pub(super) fn installs(&self, chart: &str) -> bool {
        let files = self.files.get_or_init(|| {
            let is_place = |part: &str| {
                PLACES.iter().any(|place| part.trim_start_matches('.').to_ascii_lowercase().starts_with(place))
            };
            self.tree.files().filter(|file| self.tree.path(*file).split('/').any(is_place)).collect()
        });
        files.iter().any(|file| {
            let text = self.tree.bytes(*file).ok().filter(|bytes| bytes.len() as u64 <= LARGEST);
            text.and_then(|bytes| std::str::from_utf8(bytes).ok()).is_some_and(|text| names(text, chart))
        })
    }
}

/// Whether `text` names `chart` as a word, and is no manifest for Flux.
fn names(text: &str, chart: &str) -> bool {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    let mut found = text.match_indices(chart);
    found.any(|(at, _)| !text[..at].ends_with(is_part) && !text[at + chart.len()..].starts_with(is_part))
        && !text.contains("kind: HelmRelease")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_helmfile_tells_what_it_installs_and_a_manifest_does_not() {
        let helmfile = "releases:\n  - name: x\n    chart: oci://example.org/charts/cert-manager\n";
        assert!(names(helmfile, "cert-manager") && !names(helmfile, "cert"));
        assert!(!names("kind: HelmRelease\nspec: {chart: {spec: {chart: cert-manager}}}\n", "cert-manager"));
        let tree = Tree::from_memory([
            ("kubernetes/bootstrap/helmfile.yaml".to_owned(), helmfile.as_bytes().to_vec()),
            ("kubernetes/apps/notes.yaml".to_owned(), b"chart: kyverno\n".to_vec()),
        ]);
        let bootstrap = Bootstrap::new(&tree);
        assert!(bootstrap.installs("cert-manager") && !bootstrap.installs("kyverno"));
    }
}
