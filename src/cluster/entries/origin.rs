//! What tells that a source is this repository: the URL that it was cloned from, and pipelines that push it.

use std::sync::OnceLock;

use super::aside::is_script;
use crate::source::{RemoteUrl, Tree, normalize};

/// Where a repository comes from and goes to.
pub(in crate::cluster) struct Origin<'t> {
    tree: &'t Tree,
    remotes: OnceLock<Vec<String>>,
    pushes: OnceLock<Vec<Push>>,
}

/// An OCI artifact that a pipeline of the repository pushes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cluster) struct Push {
    /// Its URL, `*` for what variables give and `**` for an owner and a repository; empty where it is not known.
    url: String,
    /// The folder that is pushed; empty for all of the repository.
    folder: String,
}

/// Files above this size are no pipelines.
const LARGEST: usize = 1 << 18;

/// Folders and files that pipelines are written in.
const PIPELINES: [&str; 9] = [
    ".github/workflows/",
    ".gitea/workflows/",
    ".forgejo/workflows/",
    ".woodpecker",
    ".gitlab-ci",
    ".gitlab/ci",
    ".circleci/",
    "azure-pipelines",
    ".tekton/",
];

impl<'t> Origin<'t> {
    pub(in crate::cluster) const fn new(tree: &'t Tree) -> Self {
        Self { tree, remotes: OnceLock::new(), pushes: OnceLock::new() }
    }

    /// The URLs that Git fetches it from and pushes it to, in the one form that is compared.
    fn remotes(&self) -> &[String] {
        self.remotes.get_or_init(|| {
            let mut urls: Vec<String> =
                self.tree.remotes().iter().map(|url| RemoteUrl::parse(url).identity()).collect();
            urls.sort_unstable();
            urls.dedup();
            urls
        })
    }

    /// Whether `url`, in the one form, is where Git knows the repository from.
    pub(in crate::cluster) fn is_remote(&self, url: &str) -> bool {
        self.remotes().iter().any(|remote| remote == url)
    }

    /// The URLs that another one is not this repository beside. Files of a test or of a sample inside a repository are
    /// not what that is cloned from.
    pub(in crate::cluster) fn remotes_of_root(&self) -> &[String] {
        if self.tree.is_repository() { self.remotes() } else { &[] }
    }

    /// The folder of this repository that is pushed to `url`, in the one form; empty for all of it.
    pub(in crate::cluster) fn pushed_from(&self, url: &str) -> Option<&str> {
        let push = self.pushes().iter().find(|push| is_match(&push.url, url))?;
        Some(&push.folder)
    }

    /// The folders of this repository that are pushed by themselves.
    pub(in crate::cluster) fn pushed_folders(&self) -> impl Iterator<Item = &str> {
        self.pushes().iter().map(|push| push.folder.as_str()).filter(|folder| !folder.is_empty())
    }

    fn pushes(&self) -> &[Push] {
        self.pushes.get_or_init(|| {
            let owner = self.remotes().iter().find_map(|url| url.split_once('/').map(|(_, rest)| rest));
            let files = self.tree.files().filter(|file| is_pipeline(self.tree.path(*file)));
            let texts = files.filter_map(|file| self.tree.text(file)).filter(|text| text.len() <= LARGEST);
            texts.flat_map(|text| pushes(text, owner)).collect()
        })
    }
}

fn is_pipeline(path: &str) -> bool {
    is_script(path) || PIPELINES.iter().any(|start| path.starts_with(start))
}

/// The artifacts that a pipeline pushes. `repository` is owner and name of what it was cloned from.
fn pushes(text: &str, repository: Option<&str>) -> Vec<Push> {
    if !["push artifact", "oras push"].iter().any(|command| text.contains(command)) {
        return Vec::new();
    }
    // A variable of the pipeline may hold the URL, so each URL that the file names counts.
    let urls = text.match_indices("oci://").map(|(at, start)| &text[at + start.len()..]);
    let folder = folder(text);
    let push = |rest: &str| {
        let url = pattern(rest, repository);
        // Where all but the host is a variable it may be anything.
        let is_told = url.split('/').skip(1).any(|part| !part.contains('*'));
        Push { url: if is_told { url } else { String::new() }, folder: folder.clone() }
    };
    urls.map(push).filter(|push| !push.url.is_empty() || !push.folder.is_empty()).collect()
}

/// What `--path` of the push names; empty where that is all, or not known.
fn folder(text: &str) -> String {
    let after = text.split("push artifact").nth(1).unwrap_or_default();
    let Some((_, path)) = after.split_once("--path") else { return String::new() };
    let path = path.trim_start_matches(['=', ' ', '"', '\'']);
    let end = path.find(|letter: char| letter.is_whitespace() || "\"'\\".contains(letter)).unwrap_or(path.len());
    let path = &path[..end];
    if path.contains('$') { String::new() } else { normalize(path) }
}

/// The URL at the start of `text`, less its tag, with `*` for each variable.
fn pattern(text: &str, repository: Option<&str>) -> String {
    let mut url = String::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let variable = [("${{", "}}"), ("{{", "}}"), ("${", "}"), ("$(", ")")]
            .iter()
            .find_map(|(open, close)| rest.strip_prefix(open)?.split_once(close));
        if let Some((name, behind)) = variable {
            let is = |suffix: &str| name.trim().to_ascii_lowercase().ends_with(suffix);
            match repository {
                Some(repository) if is("github.repository") => url.push_str(repository),
                Some(repository) if is("github.repository_owner") => {
                    url.push_str(repository.split('/').next().unwrap_or_default());
                }
                _ => url.push_str(if is("github.repository") { "**" } else { "*" }),
            }
            rest = behind;
        } else if let Some(name) = rest.strip_prefix('$') {
            url.push('*');
            rest = name.trim_start_matches(|letter: char| letter.is_ascii_alphanumeric() || letter == '_');
        } else if letter.is_whitespace() || "\"'`,;)\\".contains(letter) {
            break;
        } else {
            url.push(letter);
            rest = &rest[letter.len_utf8()..];
        }
    }
    let start = url.rfind('/').map_or(0, |slash| slash + 1);
    let end = url[start..].find([':', '@']).map_or(url.len(), |at| start + at);
    url[..end].trim_end_matches('/').to_ascii_lowercase()
}

/// Whether `text` is what `pattern` says: `*` is part of a name, `**` anything.
fn is_match(pattern: &str, text: &str) -> bool {
    let Some(star) = pattern.find('*') else { return pattern == text };
    let (head, rest) = (&pattern[..star], pattern[star..].trim_start_matches('*'));
    let is_deep = pattern[star..].starts_with("**");
    let Some(text) = text.strip_prefix(head) else { return false };
    let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]).skip(1);
    ends.take_while(|end| is_deep || !text[..*end].contains('/')).any(|end| is_match(rest, &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORKFLOW: &str = "run: |\n  flux push artifact oci://ghcr.io/${{ github.repository_owner }}/manifests/${APP}:$(git rev-parse) \\\n    --path=\"./deploy\" --source=x\n";

    #[test]
    fn a_pipeline_tells_what_it_pushes() {
        let of = |repository| pushes(WORKFLOW, repository);
        let push = |url: &str| vec![Push { url: url.to_owned(), folder: "deploy".to_owned() }];
        assert_eq!(of(None), push("ghcr.io/*/manifests/*"));
        assert_eq!(of(Some("me/fleet")), push("ghcr.io/me/manifests/*"));
        assert_eq!(pushes("flux push artifact oci://ghcr.io/${{ github.repository }}:latest", None), []);
        let own = pushes("flux push artifact oci://ghcr.io/${{ github.repository }}:v1 --path ./", Some("me/fleet"));
        assert_eq!(own, [Push { url: "ghcr.io/me/fleet".to_owned(), folder: String::new() }]);
        assert_eq!(pushes("helm pull oci://ghcr.io/me/charts/x", None), []);
    }

    #[test]
    fn a_variable_is_a_part_of_a_name() {
        assert!(is_match("ghcr.io/*/manifests", "ghcr.io/me/manifests"));
        assert!(!is_match("ghcr.io/*/manifests", "ghcr.io/me/x/manifests"));
        assert!(!is_match("ghcr.io/*/manifests", "ghcr.io/me/manifests/web"));
        assert!(is_match("ghcr.io/**/manifests", "ghcr.io/me/x/manifests"));
    }
}
