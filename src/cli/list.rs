//! `fluxdag list`: clusters, Kustomizations and HelmReleases.

use super::{
    args::{Global, List, ListingFormat},
    environment::Environment,
    error::CliError,
    print,
    question::{Paths, note, survey},
};
use crate::{
    Session,
    report::{Text as _, document},
    source::Syntax,
};

/// Lists what there is.
pub(super) fn run(list: &List, global: &Global, environment: &Environment) -> Result<(), CliError> {
    let (survey, options) = survey(&Paths::or_here(&list.paths), &list.target, environment)?;
    let listing = Session::new(&survey, &options).list();
    note(&listing, global);
    match list.format {
        ListingFormat::Text => {
            let terminal = environment.stdout(global.color);
            print(&listing.text(&terminal), terminal.syntax())
        }
        ListingFormat::Json => print(&document(&listing), Syntax::Json),
        ListingFormat::Names => print(&listing.lines(), Syntax::Text),
    }
}
