//! `fluxdag list`: clusters, Kustomizations and HelmReleases.

use super::{
    args::{Global, List, ListingFormat},
    environment::Environment,
    error::CliError,
    print,
    question::{remark, situations, survey},
};
use crate::query;

/// Lists what there is.
pub(super) fn run(list: &List, global: &Global, environment: &Environment) -> Result<(), CliError> {
    let (survey, options) = survey(&list.paths, &list.model, global, environment)?;
    if survey.unreached.is_empty() {
        remark(&survey, global);
    }
    let listing = query::list(&situations(&survey, &options), &survey.focus, survey.store.tree());
    print(match list.format {
        ListingFormat::Text => listing.text(&environment.stdout(global.color)),
        ListingFormat::Json => listing.json(),
        ListingFormat::Names => listing.lines(),
    })
}
