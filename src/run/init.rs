//! A configuration file that fits a repository, all of it commented out.

mod inventory;
mod text;

use std::path::{Path, PathBuf};

use super::{Error, Options, Session, artifact_root, lint, survey};
use crate::source::slashed;

/// A configuration file that was made for a repository.
#[derive(Debug)]
pub struct Draft {
    /// The folder it is for: the top of the Git repository, or without Git the artifact root, or the given folder where that
    /// lies further up.
    pub folder: PathBuf,
    /// Its text.
    pub text: String,
}

/// Makes a configuration file for the repository around `path`.
///
/// # Errors
/// Where the files cannot be read, or hold nothing of Flux.
pub fn draft(path: &Path) -> Result<Draft, Error> {
    let options = Options::default();
    let root = artifact_root(path)?;
    let real = path.canonicalize().unwrap_or_else(|_| root.clone());
    let repository = real.ancestors().find(|folder| folder.join(".git").exists());
    // Where it is looked for: from the given folder up. Without Git the artifact root is the top.
    let top = if root.starts_with(&real) { &real } else { &root };
    let folder = repository.unwrap_or(top).to_owned();
    // The file is for all of the repository, wherever one stands in it.
    let all = [folder.clone()];
    let survey = survey(&all, &options)?;
    let from_folder = survey.store.tree().root().strip_prefix(&folder).map(slashed).unwrap_or_default();
    let found = inventory::Found::new(&Session::new(&survey, &options), &from_folder);
    drop(survey);
    let analysis = lint(&all, &options)?;
    Ok(Draft { folder, text: text::write(&found, &analysis) })
}
