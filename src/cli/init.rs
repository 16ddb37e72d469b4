//! `fluxdag init`: a configuration file that fits the repository, all of it commented out.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    args::{Global, Init},
    error::CliError,
    print, say,
};
use crate::{Options, config, report::printable, source::slashed};

mod survey;
mod text;

/// Writes or prints the file.
pub(super) fn run(init: &Init, global: &Global) -> Result<(), CliError> {
    let is_dash = init.path == Path::new("-");
    let path = if is_dash { PathBuf::from(".") } else { init.path.clone() };
    let prints = init.stdout || is_dash;
    let options = Options::default();
    let nothing = |error| CliError::of_question(error, "give a folder that holds Flux Kustomizations");
    let root = crate::artifact_root(&path).map_err(nothing)?;
    let real = path.canonicalize().unwrap_or_else(|_| root.clone());
    let repository = real.ancestors().find(|folder| folder.join(".git").exists());
    // Where it is looked for: from the given folder up. Without Git the artifact root is the top.
    let top = if root.starts_with(&real) { &real } else { &root };
    let folder = repository.unwrap_or(top).to_owned();
    // The file is for all of the repository, wherever one stands in it.
    let all = [folder.clone()];
    let survey = crate::survey(&all, &options).map_err(nothing)?;
    let present = config::NAMES.iter().map(|name| folder.join(name)).find(|path| path.symlink_metadata().is_ok());
    if let Some(present) = present.as_ref().filter(|_| !prints && !init.force) {
        let help = "edit it, print another one with --stdout, or replace it with --force";
        return Err(CliError::new(format!("there is a {} already", present.display())).with_help(help));
    }
    // Such a name is not read as a configuration, and what a link leads to is not for a repository to have replaced.
    let is_file = |path: &PathBuf| path.symlink_metadata().is_ok_and(|entry| entry.is_file());
    if let Some(other) = present.as_ref().filter(|path| !prints && !is_file(path)) {
        let help = "remove it first, or print the configuration with --stdout";
        return Err(
            CliError::new(format!("{} is a link or a folder, and no file to replace", other.display())).with_help(help)
        );
    }
    let from_folder = survey.store.tree().root().strip_prefix(&folder).map(slashed).unwrap_or_default();
    let found = survey::Found::of(&survey, &from_folder);
    drop(survey);
    let analysis = crate::lint(&all, &options)?;
    let text = text::write(&found, &analysis);
    if prints {
        return print(text);
    }
    let target = present.unwrap_or_else(|| folder.join(config::NAMES[0]));
    let failed = |error| CliError::new(format!("failed to write {}: {error}", target.display()));
    fs::write(&target, text).map_err(|error| failed(error).with_help("check that the folder can be written to"))?;
    if !global.quiet {
        say(&format!("wrote {}", printable(&target.to_string_lossy())));
    }
    Ok(())
}
