//! Folders that a change adds and no kustomization file takes in.

use super::{
    super::{Context, Situation, wording::short_list},
    Listing, RULE, is_model, place_of_list, read,
};
use crate::{
    cluster::Folder,
    finding::{Finding, Related},
    source::{FileId, Span, Tree, parent},
};

/// The folders with a kustomization file that are new since `before`, beside others that the kustomization file above them
/// lists, and that nothing builds.
pub(super) fn report(
    context: &Context<'_>,
    before: &Tree,
    situation: &Situation<'_>,
    listing: &Listing,
) -> Vec<Finding> {
    let used = listing.used_by(context.tree, situation.cluster);
    let is_new = |file: FileId| before.file(context.tree.path(file)).is_none();
    let new = listing.unnamed().filter(|(folder, file)| is_new(*file) && !used.contains(*folder) && !is_model(folder));
    let new = new.filter(|(folder, _)| used.contains(parent(folder)) && !is_root(context, folder));
    // Where no neighbour is listed the folder above lists none at all, and each has another way in.
    let is_usual = |folder: &str| {
        let above = parent(folder);
        listing.bases(above).iter().any(|base| parent(base) == above && base != folder)
    };
    new.filter(|(folder, _)| is_usual(folder))
        .filter_map(|(folder, file)| finding(context, situation, listing, folder, file))
        .collect()
}

/// Whether a Kustomization of whatever cluster builds the folder, or something below it.
fn is_root(context: &Context<'_>, folder: &str) -> bool {
    let nodes = context.situations.iter().flat_map(|situation| &situation.cluster.nodes);
    let mut folders = nodes.filter_map(|node| match &node.folder {
        Folder::Here(path) => Some(path.as_str()),
        _ => None,
    });
    folders.any(|path| path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

fn finding(
    context: &Context<'_>,
    situation: &Situation<'_>,
    listing: &Listing,
    folder: &str,
    file: FileId,
) -> Option<Finding> {
    let tree = context.tree;
    let is_inside = |file: &FileId| tree.path(*file).strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    let objects: Vec<_> =
        tree.files().filter(is_inside).filter_map(|file| read(context, file)).flat_map(|one| one.objects).collect();
    let (subject, span) = objects.first()?;
    let above = listing.kustomization(parent(folder))?;
    let (list, name) = (tree.path(above), folder.rsplit('/').next().unwrap_or(folder));
    let names: Vec<String> = objects.iter().map(|(subject, _)| subject.to_string()).collect();
    let message = format!("`{folder}` is new and not listed in `{list}`: {} is never applied", short_list(&names, 3));
    let mut finding = situation.finding(&RULE.info, subject.clone(), *span, message);
    finding.label = "in no build".to_owned();
    finding.related.push(Related::new("its own kustomization file", None, Span::file_start(file)));
    let parsed = context.store.parse(above);
    let resources = parsed.documents.first().and_then(|document| document.root.get("resources"));
    let at = resources.map_or(Span::file_start(above), place_of_list).or(Span::file_start(above));
    finding.related.push(Related::new("its neighbours are listed here", None, at));
    finding.why = "Where a folder has a kustomization file, only what that lists is built. The folder is new in this change, so nothing of it is \
                   ever applied, and nothing fails either."
        .to_owned();
    finding.help = format!("add `- {name}` to `resources` of {list}:{}", tree.position(at).line);
    Some(finding)
}
