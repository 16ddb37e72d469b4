use std::path::{Path, PathBuf};

use super::Discovered;
use crate::source::normalize;

/// Whether `path` is `folder` or lies below it.
pub(super) fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The artifact root: what `spec.path` is relative to. Among `start` and its ancestors up to `top`, the nearest under
/// which most of the paths that were found exist; else the one under which the most do; else `top`, or `start` where no
/// repository is around it.
#[must_use]
pub fn find_root(start: &Path, top: Option<&Path>, discovered: &Discovered) -> PathBuf {
    let declared = discovered.kustomizations.iter().filter(|declared| {
        let reference = &declared.kustomization.spec.source_ref;
        reference.kind.as_deref() != Some("ExternalArtifact")
    });
    let declared = declared.filter_map(|declared| declared.kustomization.spec.path.as_deref());
    let synced = discovered.syncs.iter().map(|(_, sync)| sync.path.as_str());
    let mut paths: Vec<String> = declared.chain(synced).filter(|path| !path.contains("${")).map(normalize).collect();
    paths.retain(|path| !path.is_empty());
    paths.sort_unstable();
    paths.dedup();
    let fallback = || top.unwrap_or(start).to_owned();
    if paths.is_empty() {
        return fallback();
    }
    let mut best = (0, None);
    for candidate in start.ancestors() {
        let hits = paths.iter().filter(|path| candidate.join(path).exists()).count();
        if hits * 2 > paths.len() {
            return candidate.to_owned();
        }
        if hits > best.0 {
            best = (hits, Some(candidate));
        }
        if Some(candidate) == top {
            break;
        }
    }
    best.1.map_or_else(fallback, Path::to_owned)
}
