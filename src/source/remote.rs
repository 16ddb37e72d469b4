//! What URLs name, in one form for all the ways to write it.

/// What a URL names outside the repository: a Git repository and a path in it, a file, a bucket, an OCI repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteUrl {
    /// Host, repository and path, without what does not tell them apart: scheme, user, `.git`, doubled slashes.
    text: String,
    /// Branch, tag or commit, where the URL tells.
    reference: Option<String>,
    /// How much of `text` a mapping has to name, in bytes. Files that a host serves beside a repository, such as those
    /// of a release, are not in it.
    least: usize,
}

impl RemoteUrl {
    /// Reads `https://host/org/repo//path?ref=v1`, `git@host:org/repo.git`, `github.com/org/repo//path` and their like
    /// (kustomize v5.8, `git.NewRepoSpecFromURL`), and raw files of GitHub. Case is kept for paths and does not count
    /// for comparing.
    #[must_use]
    pub fn parse(url: &str) -> Self {
        let (url, query) = url.split_once('?').unwrap_or((url, ""));
        let parameter = |name: &str| {
            query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).filter(|text| !text.is_empty())
        };
        let mut reference = parameter("ref").or_else(|| parameter("version")).map(str::to_owned);
        let url = url.strip_prefix("git::").unwrap_or(url);
        let url = url.strip_prefix("gh:").map_or_else(|| url.to_owned(), |rest| format!("github.com/{rest}"));
        let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host).replace(':', "/");
        let all = format!("{host}{path}");
        let mut parts: Vec<&str> = all
            .split('/')
            .map(|part| part.strip_suffix(".git").unwrap_or(part))
            .filter(|part| !matches!(*part, "" | "." | ".."))
            .collect();
        let mut least = 1;
        if parts.len() > 3 && parts[0].eq_ignore_ascii_case("raw.githubusercontent.com") {
            parts[0] = "github.com";
            reference = reference.or(Some(take_reference(&mut parts, 3)));
        } else if parts.len() > 4 && parts[0].eq_ignore_ascii_case("github.com") {
            match parts[3] {
                "raw" => {
                    parts.remove(3);
                    reference = reference.or(Some(take_reference(&mut parts, 3)));
                }
                "releases" | "archive" => least = parts[..4].join("/").len(),
                _ => {}
            }
        }
        Self { text: parts.join("/"), reference, least }
    }

    /// The URL in the one form, for people and for comparing after [`str::to_ascii_lowercase`].
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The repository in the one form for all the ways to reach it, so that equal texts are one repository: without ports
    /// and hosts that are there for SSH alone, and in lower case.
    #[must_use]
    pub fn identity(&self) -> String {
        let text = self.text.to_ascii_lowercase();
        let mut parts: Vec<&str> = text.split('/').collect();
        if parts.len() > 2 && parts[1].bytes().all(|byte| byte.is_ascii_digit()) {
            parts.remove(1);
        }
        parts[0] = match parts[0] {
            "ssh.github.com" => "github.com",
            "altssh.gitlab.com" => "gitlab.com",
            "altssh.bitbucket.org" => "bitbucket.org",
            "ssh.dev.azure.com" => "dev.azure.com",
            host => host,
        };
        if parts[0] == "dev.azure.com" {
            parts.retain(|part| !matches!(*part, "v3" | "_git"));
        }
        parts.join("/")
    }

    /// The host of the repository and whom it belongs to there. The registry of a forge belongs to the same people.
    #[must_use]
    pub fn owner(&self) -> Option<(String, String)> {
        let text = self.identity();
        let mut parts = text.split('/');
        let (host, owner) = (parts.next()?, parts.next().filter(|owner| !owner.is_empty())?);
        let host = if host == "ghcr.io" { "github.com" } else { host };
        Some((host.to_owned(), owner.to_owned()))
    }

    /// Branch, tag or commit.
    #[must_use]
    pub fn reference(&self) -> Option<&str> {
        self.reference.as_deref()
    }

    /// The path that is left behind `base`, where this URL names something in that; empty where it names that itself.
    #[must_use]
    pub fn below(&self, base: &Self) -> Option<&str> {
        let length = base.text.len();
        let head = self.text.get(..length)?;
        let rest = &self.text[length..];
        let fits = length >= self.least && head.eq_ignore_ascii_case(&base.text);
        (fits && (rest.is_empty() || rest.starts_with('/'))).then(|| rest.trim_start_matches('/'))
    }
}

/// Takes the reference out of the parts of a URL: one part, or what follows `refs/heads` and `refs/tags`.
fn take_reference(parts: &mut Vec<&str>, at: usize) -> String {
    let is_long = parts.len() > at + 3 && parts[at] == "refs" && matches!(parts[at + 1], "heads" | "tags");
    if is_long {
        parts.drain(at..at + 2);
    }
    parts.remove(at).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_place_has_many_urls() {
        for url in [
            "https://github.com/org/repo//deploy/base?ref=v1",
            "github.com/org/repo/deploy/base?timeout=90s&ref=v1",
            "github.com/org/repo//deploy/base?version=v1",
            "git@github.com:org/repo.git//deploy/base?ref=v1",
            "ssh://git@github.com/org/repo.git/deploy/base?ref=v1",
            "git::https://user:pass@github.com/org/repo//deploy/base?ref=v1",
            "gh:org/repo/deploy/base?ref=v1",
            "https://raw.githubusercontent.com/org/repo/v1/deploy/base",
            "https://raw.githubusercontent.com/org/repo/refs/tags/v1/deploy/base",
            "https://github.com/org/repo/raw/v1/deploy/base",
        ] {
            let parsed = RemoteUrl::parse(url);
            assert_eq!((parsed.text(), parsed.reference()), ("github.com/org/repo/deploy/base", Some("v1")), "{url}");
        }
    }

    #[test]
    fn one_repository_has_one_identity() {
        let of = |url: &str| RemoteUrl::parse(url).identity();
        for url in [
            "https://github.com/a/B.git",
            "ssh://git@github.com/a/b",
            "git@github.com:a/b.git",
            "https://github.com/a/b/",
            "ssh://git@ssh.github.com:443/a/b.git",
        ] {
            assert_eq!(of(url), "github.com/a/b", "{url}");
        }
        assert_eq!(of("ssh://git@git.example.org:2222/me/fleet.git"), of("https://git.example.org/me/fleet"));
        assert_eq!(of("git@ssh.dev.azure.com:v3/o/p/r"), of("https://o@dev.azure.com/o/p/_git/r"));
        assert_ne!(of("https://github.com/a/b"), of("https://github.com/a/c"));
    }

    #[test]
    fn a_url_lies_below_another_at_whole_names() {
        let below = |url: &str, base: &str| RemoteUrl::parse(url).below(&RemoteUrl::parse(base)).map(str::to_owned);
        assert_eq!(below("https://github.com/Org/repo//A/b", "https://github.com/org/repo").as_deref(), Some("A/b"));
        assert_eq!(below("git@github.com:org/repo.git", "https://github.com/org/repo/").as_deref(), Some(""));
        assert_eq!(below("https://github.com/org/repository", "https://github.com/org/repo"), None);
        let release = "https://github.com/org/repo/releases/download/v1/x.yaml";
        assert_eq!(below(release, "https://github.com/org/repo"), None);
        let folder = "https://github.com/org/repo/releases/download/v1";
        assert_eq!(below(release, folder).as_deref(), Some("x.yaml"));
        assert_eq!(below("", "https://github.com/org/repo"), None);
    }
}
