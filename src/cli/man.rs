use std::{io, path::Path};

use clap::CommandFactory as _;

use super::{
    args::{Arguments, Global, Man},
    error::CliError,
    files::{self, NamedBy},
    print, say,
};
use crate::source::{Syntax, names::nearest, printable};

/// Prints a manual page, or writes all of them.
pub(super) fn run(man: &Man, global: &Global) -> Result<(), CliError> {
    let command = Arguments::command();
    if let Some(folder) = &man.out {
        let failed = |error| CliError::new(format!("failed to write to {}: {error}", folder.display()));
        files::make_folder(folder).map_err(failed)?;
        // The command `help` has its own page for each command: as many again that say nothing.
        let mut command = command.disable_help_subcommand(true);
        command.build();
        write(&command, folder).map_err(failed)?;
        if !global.quiet {
            say(&format!("wrote manual pages to {}", printable(&folder.to_string_lossy())));
        }
        return Ok(());
    }
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let wanted = match &man.command {
        None => command,
        Some(name) => {
            let names = || command.get_subcommands().map(clap::Command::get_name);
            let found = command.get_subcommands().find(|known| known.get_name() == name).cloned();
            found.ok_or_else(|| {
                let help = nearest(&name.to_lowercase(), names()).map_or_else(
                    || "`fluxdag --help` lists them all".to_owned(),
                    |similar| format!("did you mean `{similar}`?"),
                );
                CliError::new(format!("there is no command `{}`", printable(name))).with_help(help)
            })?
        }
    };
    let mut page = Vec::new();
    clap_mangen::Man::new(wanted)
        .render(&mut page)
        .map_err(|error| CliError::new(format!("failed to write the manual page: {error}")))?;
    print(&String::from_utf8_lossy(&page), Syntax::Own)
}

/// Writes the pages of a command and of those below it.
fn write(command: &clap::Command, folder: &Path) -> io::Result<()> {
    let below = command.get_subcommands().filter(|below| !below.is_hide_set());
    below.into_iter().try_for_each(|below| write(below, folder))?;
    let page = clap_mangen::Man::new(command.clone());
    let mut text = Vec::new();
    page.render(&mut text)?;
    files::write(&folder.join(page.get_filename()), NamedBy::User, None, &text)
}
