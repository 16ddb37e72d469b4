//! Real data, which is no part of this repository: it lies in folders that variables of the environment name.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;

use super::{entries, name};

/// The folder that a variable names. Where it is not set, this says what is skipped.
fn folder(variable: &str, what: &str) -> Option<PathBuf> {
    let folder = env::var_os(variable).map(PathBuf::from);
    if folder.is_none() {
        eprintln!("SKIPPED: {variable} is not set, so {what}");
    }
    folder
}

/// Real repositories, and what kustomize builds from them.
pub(crate) fn corpus() -> Option<PathBuf> {
    folder("FLUXDAG_CORPUS", "no real repository is analysed")
}

/// Small repositories, with what is true of them in a real cluster.
pub(crate) fn cases() -> Option<PathBuf> {
    folder("FLUXDAG_CASES", "no case is compared with what is true of it")
}

/// A file of what real controllers did with small repositories.
pub(crate) fn recorded<T: DeserializeOwned>(name: &str) -> Option<T> {
    let folder = folder("FLUXDAG_REAL", "nothing is compared with what real controllers did")?;
    let text = fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}")))
}

/// Every repository of the corpus: folder name and path. The incidents are five repositories in one folder.
pub(crate) fn repositories(corpus: &Path) -> Vec<(String, PathBuf)> {
    let folders = |parent: &Path| -> Vec<(String, PathBuf)> {
        entries(parent).into_iter().filter(|path| path.is_dir()).map(|path| (name(&path), path)).collect()
    };
    let (nested, mut plain): (Vec<_>, Vec<_>) =
        folders(&corpus.join("repos")).into_iter().partition(|(name, _)| name.ends_with(".incidents"));
    plain.extend(nested.iter().flat_map(|(_, path)| folders(path)));
    plain.extend(folders(&corpus.join("tazlab-dag-fix")));
    plain
}
