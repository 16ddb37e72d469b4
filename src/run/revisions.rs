//! The two revisions that a comparison is between, by the names that Git knows them by.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::source::{GitError, Repository, Revision};

/// The Git repository around the first path that is there.
///
/// # Errors
/// Where there is none, or where it cannot be read.
pub fn repository(paths: &[PathBuf]) -> Result<Repository, GitError> {
    let first = paths.first().map_or(Path::new("."), PathBuf::as_path);
    let first = if first.as_os_str().is_empty() { Path::new(".") } else { first };
    // A path that is gone from the work tree may be in the revision.
    let above = first.ancestors().map(|above| if above.as_os_str().is_empty() { Path::new(".") } else { above });
    let folder = above.filter(|above| above.is_dir()).map(Path::to_owned).next().unwrap_or_else(|| ".".into());
    Repository::around(&folder)
}

/// What the work tree around `paths` is compared with: the revision `name`, or the merge base of it and HEAD.
///
/// # Errors
/// Where there is no such revision, or no work tree.
pub fn base(paths: &[PathBuf], name: &str, merge_base: bool) -> Result<Arc<Revision>, GitError> {
    let repository = repository(paths)?;
    if repository.is_bare() {
        return Err(GitError::NoWorkTree(repository.top().to_owned()));
    }
    between(&repository, name, "HEAD", merge_base)
}

/// The revision `name`, or the merge base of it and `head`.
///
/// # Errors
/// Where there is no such revision, or where the two have nothing in common.
pub fn between(repository: &Repository, name: &str, head: &str, merge_base: bool) -> Result<Arc<Revision>, GitError> {
    let base = repository.revision(name)?;
    if !merge_base {
        return Ok(Arc::new(base));
    }
    let head = repository.revision(head)?;
    Ok(Arc::new(repository.merge_base(&base, &head)?))
}
