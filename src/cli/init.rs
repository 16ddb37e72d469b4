//! `fluxdag init`: a configuration file that fits the repository.

use std::path::{Path, PathBuf};

use super::{
    args::{Global, Init},
    error::CliError,
    files::{self, NamedBy},
    print, say,
};
use crate::{
    config,
    run::draft,
    source::{Syntax, harmless, printable},
};

/// Writes or prints the file.
pub(super) fn run(init: &Init, global: &Global) -> Result<(), CliError> {
    let is_dash = init.path == Path::new("-");
    let path = if is_dash { Path::new(".") } else { &init.path };
    let prints = init.stdout || is_dash;
    let draft =
        draft(path).map_err(|error| CliError::of_question(error, "give a folder that holds Flux Kustomizations"))?;
    if prints {
        return print(&draft.text, Syntax::Json);
    }
    let present = config::NAMES.iter().map(|name| draft.folder.join(name)).find(|path| path.symlink_metadata().is_ok());
    if let Some(present) = present.as_ref().filter(|_| !init.force) {
        let help = "edit it, print another one with --stdout, or replace it with --force";
        return Err(CliError::new(format!("there is a {} already", present.display())).with_help(help));
    }
    // Such a name is not read as a configuration, and what a link leads to is not for a repository to have replaced.
    let is_file = |path: &PathBuf| path.symlink_metadata().is_ok_and(|entry| entry.is_file());
    if let Some(other) = present.as_ref().filter(|path| !is_file(path)) {
        let help = "remove it first, or print the configuration with --stdout";
        return Err(
            CliError::new(format!("{} is a link or a folder, and no file to replace", other.display())).with_help(help)
        );
    }
    let target = present.unwrap_or_else(|| draft.folder.join(config::NAMES[0]));
    let failed = |error| CliError::new(format!("failed to write {}: {error}", target.display()));
    files::write(&target, NamedBy::Repository, Some(&draft.folder), harmless(&draft.text, Syntax::Json).as_bytes())
        .map_err(|error| failed(error).with_help("check that the folder can be written to"))?;
    if !global.quiet {
        say(&format!("wrote {}", printable(&target.to_string_lossy())));
    }
    Ok(())
}
