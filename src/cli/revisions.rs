//! Revisions that the arguments name.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::error::CliError;
use crate::source::{GitError, Repository, Revision};

/// The repository around the first path that is there.
pub(super) fn repository(paths: &[PathBuf]) -> Result<Repository, CliError> {
    let first = paths.first().map_or(Path::new("."), PathBuf::as_path);
    let first = if first.as_os_str().is_empty() { Path::new(".") } else { first };
    // A path that is gone from the work tree may be in the revision.
    let above = first.ancestors().map(|above| if above.as_os_str().is_empty() { Path::new(".") } else { above });
    let folder = above.filter(|above| above.is_dir()).map(Path::to_owned).next().unwrap_or_else(|| ".".into());
    Ok(Repository::around(&folder)?)
}

/// What the work tree around `paths` is compared with: the revision `name`, or the merge base of it and HEAD.
pub(super) fn base(paths: &[PathBuf], name: &str, merge_base: bool) -> Result<Arc<Revision>, CliError> {
    let repository = repository(paths)?;
    if repository.is_bare() {
        return Err(GitError::NoWorkTree(repository.top().to_owned()).into());
    }
    between(&repository, name, "HEAD", merge_base)
}

/// The revision `name`, or the merge base of it and `head`.
pub(super) fn between(
    repository: &Repository,
    name: &str,
    head: &str,
    merge_base: bool,
) -> Result<Arc<Revision>, CliError> {
    let base = repository.revision(name)?;
    if !merge_base {
        return Ok(Arc::new(base));
    }
    let head = repository.revision(head)?;
    Ok(Arc::new(repository.merge_base(&base, &head)?))
}

impl From<GitError> for CliError {
    fn from(error: GitError) -> Self {
        let help = error.help();
        Self::new(error.to_string()).with_help(help)
    }
}
