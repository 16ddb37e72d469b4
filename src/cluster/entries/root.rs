use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    path::{Path, PathBuf},
};

use super::{aside::is_aside, origin::Origin};
use crate::{
    cluster::{Declared, Discovered},
    flux::api::kinds::EXTERNAL_ARTIFACT,
    source::{FileId, Tree, is_below, normalize, parent},
};

/// The artifact root: what `spec.path` is relative to. Among `start` and its ancestors up to `top`, the one under which
/// most of the paths that were found exist, the nearest where several are alike. Where few exist under any of them, a
/// folder of the tree under which most do. `None` where the paths do not tell.
#[must_use]
pub fn find_root(start: &Path, top: Option<&Path>, tree: &Tree, discovered: &Discovered) -> Option<PathBuf> {
    let paths = declared_paths(tree, discovered);
    let hits = |candidate: &Path| paths.iter().filter(|path| tree.exists(&candidate.join(path))).count();
    let mut best = (0, None);
    // Where nothing marks a top, a folder further up has to hold most paths: `home` and `apps` are found in many places. The root
    // of the file system is no repository.
    let is_likely = |candidate: &Path, hits: usize| {
        top.is_some() || candidate == start || (candidate.parent().is_some() && hits * 2 > paths.len())
    };
    for candidate in start.ancestors().filter(|_| !paths.is_empty()) {
        let hits = Some(hits(candidate)).filter(|hits| is_likely(candidate, *hits)).unwrap_or_default();
        if hits > best.0 {
            best = (hits, Some(candidate));
        }
        if hits == paths.len() || Some(candidate) == top {
            break;
        }
    }
    let below = if best.0 * 2 > paths.len() { None } else { root_below(tree, discovered, &paths, best.0) };
    below.map(|folder| tree.root().join(folder)).or_else(|| best.1.map(Path::to_owned))
}

/// Whether the root of `tree` is one under which the entry points in it lead to folders of it: a Kustomization that its own
/// path holds, a sync of the Flux Operator, or most of all paths.
#[must_use]
pub fn is_root(tree: &Tree, discovered: &Discovered) -> bool {
    let folders: HashSet<&str> = tree.files().flat_map(|file| folders_above(tree.path(file))).collect();
    // Every folder has a place that `./` leads to, so the path alone tells nothing.
    let is_top = |file: FileId| matches!(parent(tree.path(file)), "" | "flux-system");
    let mut syncs = discovered.syncs.iter().map(|(file, sync)| (*file, normalize(&sync.path)));
    if syncs.any(|(file, path)| if path.is_empty() { is_top(file) } else { folders.contains(path.as_str()) }) {
        return true;
    }
    let mut own = of_this_artifact(discovered).filter_map(|declared| {
        let path = declared.kustomization.spec.path.as_deref().filter(|path| !path.contains("${"))?;
        Some((declared.file, normalize(path)))
    });
    let paths = declared_paths(tree, discovered);
    let hits = paths.iter().filter(|path| folders.contains(path.as_str())).count();
    let holds_itself = |file: FileId, path: &str| is_below(tree.path(file), path);
    own.any(|(file, path)| if path.is_empty() { is_top(file) } else { holds_itself(file, &path) })
        || hits * 2 > paths.len()
}

/// How many paths are enough to tell a root by.
const SAMPLE: usize = 256;

/// The folder of the tree under which the most of `paths` are folders, and more than half of them; the uppermost where
/// several are alike. It holds nearly all files that declare something: several repositories side by side have no root.
/// Of one that a pipeline pushes by itself it is enough that it has more of them than the `best` of those above.
fn root_below<'t>(tree: &'t Tree, discovered: &Discovered, paths: &[String], best: usize) -> Option<&'t str> {
    let folders: HashSet<&str> = tree.files().flat_map(|file| folders_above(tree.path(file))).collect();
    let sample = &paths[..paths.len().min(SAMPLE)];
    let declared = discovered.kustomizations.iter().map(|declared| declared.file);
    let files: BTreeSet<FileId> = declared.chain(discovered.syncs.iter().map(|(file, _)| *file)).collect();
    let is_live = |file: &FileId| !is_aside(parent(tree.path(*file)));
    // What is set aside beside the root does not tell where the root is.
    let files = if files.iter().any(is_live) { files.into_iter().filter(is_live).collect() } else { files };
    let mut held: BTreeMap<&str, usize> = BTreeMap::new();
    for folder in files.iter().flat_map(|file| folders_above(tree.path(*file))) {
        *held.entry(folder).or_default() += 1;
    }
    let hits =
        |folder: &str| sample.iter().filter(|path| folders.contains(format!("{folder}/{path}").as_str())).count();
    let origin = Origin::new(tree);
    let pushed: HashSet<&str> = origin.pushed_folders().collect();
    let is_candidate = |folder: &str, held: usize| held * 4 >= files.len() * 3 || pushed.contains(folder);
    let candidates = held.into_iter().filter(|(folder, held)| is_candidate(folder, *held)).rev();
    let counted = candidates.map(|(folder, _)| (hits(folder), folder));
    let is_enough = |hits: usize, folder: &str| hits * 2 > sample.len() || hits > best && pushed.contains(folder);
    let found = counted.filter(|(hits, folder)| is_enough(*hits, folder)).max_by_key(|(hits, _)| *hits);
    found.map(|(_, folder)| folder)
}

/// The folders that hold the file at `path`, less the root of the tree.
pub(in crate::cluster) fn folders_above(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(parent(path)), |folder| Some(parent(folder))).take_while(|folder| !folder.is_empty())
}

/// The Kustomizations whose paths are not those of an ExternalArtifact.
fn of_this_artifact(discovered: &Discovered) -> impl Iterator<Item = &Declared> {
    discovered.kustomizations.iter().filter(|declared| {
        let reference = &declared.kustomization.spec.source_ref;
        !reference.is(EXTERNAL_ARTIFACT)
    })
}

/// The paths that entry points and Kustomizations name, less those of ExternalArtifacts, and of what is set aside where
/// there is anything else.
fn declared_paths(tree: &Tree, discovered: &Discovered) -> Vec<String> {
    let declared = of_this_artifact(discovered)
        .filter_map(|declared| Some((declared.file, declared.kustomization.spec.path.as_deref()?)));
    let synced = discovered.syncs.iter().map(|(file, sync)| (*file, sync.path.as_str()));
    let named = declared.chain(synced).filter(|(_, path)| !path.contains("${") && !normalize(path).is_empty());
    let is_live = |(file, _): &(FileId, &str)| !is_aside(parent(tree.path(*file)));
    let (live, aside): (Vec<_>, Vec<_>) = named.partition(is_live);
    let named = if live.is_empty() { aside } else { live }.into_iter().map(|(_, path)| path);
    let copied = discovered.copied.iter().map(String::as_str).filter(|path| !path.contains("${"));
    let mut paths: Vec<String> = named.chain(copied).map(normalize).collect();
    paths.retain(|path| !path.is_empty());
    paths.sort_unstable();
    paths.dedup();
    paths
}
