//! Paths inside a tree: relative, `/`-separated, without `.` and `..`; the root is the empty path.

use std::{borrow::Cow, path::Path};

/// A path of the file system as a path of a tree.
#[must_use]
pub fn slashed(path: &Path) -> String {
    path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// `path` relative to `base`, with `.` and `..` resolved. `None` where it climbs above the root, or above the folder of a
/// mapping (see [`Mapping::reserved`](super::Mapping::reserved)).
#[must_use]
pub fn join(base: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = base.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.pop()? == ".." => return None,
            ".." => {}
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// `path` with `.` and `..` resolved and clamped at the root, as Flux's secure-join does with `spec.path`
/// (kustomize-controller v1.9, `securejoin.SecureJoin`).
#[must_use]
pub fn normalize(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Whether the file at `path` is YAML, by its name.
#[must_use]
pub fn is_yaml(path: &str) -> bool {
    path.ends_with(".yaml") || path.ends_with(".yml")
}

/// Whether `path` is `folder` or lies below it.
#[must_use]
pub fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The folder that holds `path`; the root for a path of one part.
#[must_use]
pub fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// A path of an artifact for people: `.` for its root, and what a mapping stands for as a URL.
#[must_use]
pub fn readable(path: &str) -> Cow<'_, str> {
    match path.strip_prefix("../") {
        None if path.is_empty() => Cow::Borrowed("."),
        None => Cow::Borrowed(path),
        Some(mapped) => match mapped.split_once("/..") {
            Some((url, below)) if !below.is_empty() => Cow::Owned(format!("{url}/{below}")),
            Some((url, _)) => Cow::Borrowed(url),
            None => Cow::Borrowed(mapped),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside_the_tree() {
        assert_eq!(join("a/b", "../c").as_deref(), Some("a/c"));
        assert_eq!(join("a", "../../c"), None);
        assert_eq!(join("../u/../a", "../c").as_deref(), Some("../u/../c"));
        assert_eq!(join("../u/../a", "../../c"), None);
        assert_eq!(
            (readable("../u/../a/b"), readable("../u/.."), readable("")),
            ("u//a/b".into(), "u".into(), ".".into())
        );
        assert_eq!(normalize("/../a/./b/"), "a/b");
        assert_eq!(parent("a/b"), "a");
        assert_eq!(parent("a"), "");
    }
}
