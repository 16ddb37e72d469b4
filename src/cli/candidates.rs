//! What a shell may complete a word with: rules, formats, clusters, names of objects.

use std::{
    collections::BTreeMap,
    env,
    ffi::{OsStr, OsString},
    path::PathBuf,
};

use clap::ValueHint;
use clap_complete::engine::{
    ArgValueCandidates, ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter as _,
};

use super::configured::{Configured, configured};
use crate::{Options, Survey, finding::Category, query::has_safe_name, report::Format, rules::RULES};

/// The rules.
pub(super) fn rules() -> Vec<CompletionCandidate> {
    let infos = RULES.iter().map(|rule| &rule.info);
    infos.map(|info| CompletionCandidate::new(info.id).help(Some(info.summary.into()))).collect()
}

/// The rules and their categories.
pub(super) fn selectors() -> Vec<CompletionCandidate> {
    let categories = Category::ALL.iter().map(|category| CompletionCandidate::new(category.to_string()));
    rules().into_iter().chain(categories).collect()
}

/// The formats of `lint`.
pub(super) fn formats() -> Vec<CompletionCandidate> {
    Format::ALL.iter().map(|format| CompletionCandidate::new(format.to_string())).collect()
}

/// The clusters of the repository.
pub(super) fn clusters() -> Vec<CompletionCandidate> {
    let Some(survey) = survey() else { return Vec::new() };
    let is_offered = |root: &str| !root.is_empty() && is_safe_path(root.as_ref());
    let reached = survey.clusters.iter().filter(|cluster| cluster.reached && is_offered(&cluster.root));
    reached.map(|cluster| CompletionCandidate::new(&cluster.root)).collect()
}

/// The Kustomizations and HelmReleases of the repository that begin with `current`: by their names, and with what stands
/// before them once there is a slash.
pub(super) fn nodes(current: &OsStr) -> Vec<CompletionCandidate> {
    let (Some(current), Some(survey)) = (current.to_str(), survey()) else { return Vec::new() };
    let names = match current.contains('/') {
        true => qualified(&survey),
        false => plain(&survey),
    };
    let fitting = names.into_iter().filter(|(name, _)| name.starts_with(current));
    fitting.map(|(name, help)| CompletionCandidate::new(name).help(Some(help.into()))).collect()
}

/// Those, and files.
pub(super) fn nodes_and_files(current: &OsStr) -> Vec<CompletionCandidate> {
    let mut all = nodes(current);
    all.extend(paths(&PathCompleter::any(), current));
    all
}

/// An argument that completes to paths alone as one that offers the safe ones.
pub(super) fn guarded(argument: clap::Arg) -> clap::Arg {
    if argument.get::<ArgValueCompleter>().is_some() || argument.get::<ArgValueCandidates>().is_some() {
        return argument;
    }
    let completer = match argument.get_value_hint() {
        ValueHint::Unknown | ValueHint::Other => return argument,
        ValueHint::DirPath => PathCompleter::dir,
        ValueHint::FilePath => PathCompleter::file,
        _ => PathCompleter::any,
    };
    argument.add(ArgValueCompleter::new(move |current: &OsStr| paths(&completer(), current)))
}

/// What `completer` offers, but for what a shell may read something into: shells get candidates without quotes around them.
fn paths(completer: &PathCompleter, current: &OsStr) -> Vec<CompletionCandidate> {
    let mut offered = completer.complete(current);
    offered.retain(|candidate| is_safe_path(candidate.get_value()));
    offered
}

/// Whether a path holds nothing but what no shell gives a meaning to, and is no option.
fn is_safe_path(path: &OsStr) -> bool {
    let is_plain =
        |letter: char| letter.is_alphanumeric() || "._-+@/:,".contains(letter) || letter == std::path::MAIN_SEPARATOR;
    path.to_str().is_some_and(|path| !path.starts_with('-') && path.chars().all(is_plain))
}

/// Each name once, Kustomizations before HelmReleases, as commands take them.
fn plain(survey: &Survey) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for cluster in &survey.clusters {
        for node in cluster.nodes.iter().filter(|node| !node.is_generated && has_safe_name(&node.subject())) {
            names.insert(node.key.name.to_string(), format!("Kustomization {}", node.key));
        }
    }
    let releases = survey.clusters.iter().flat_map(|cluster| &cluster.releases);
    for release in releases.filter(|release| has_safe_name(&release.subject())) {
        names.entry(release.key.name.to_string()).or_insert_with(|| format!("HelmRelease {}", release.key));
    }
    names
}

fn qualified(survey: &Survey) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for cluster in &survey.clusters {
        let nodes = cluster.nodes.iter().map(|node| ("Kustomization", "ks", &node.key));
        let releases = cluster.releases.iter().map(|release| ("HelmRelease", "hr", &release.key));
        for (kind, short, key) in nodes.chain(releases).filter(|(kind, _, key)| has_safe_name(&key.subject(kind))) {
            for name in [key.to_string(), format!("{kind}/{key}"), format!("{short}/{key}")] {
                names.entry(name).or_insert_with(|| kind.to_owned());
            }
        }
    }
    names
}

/// The repository that the words typed so far speak of.
fn survey() -> Option<Survey> {
    let words: Vec<OsString> = env::args_os().collect();
    let is_folder = |word: &OsString| ["-C", "--directory", "--repository"].iter().any(|option| word == *option);
    let named = words.windows(2).filter(|pair| is_folder(&pair[0])).map(|pair| &pair[1]);
    let paths = [named.fold(PathBuf::from("."), |folder, name| folder.join(name))];
    let named = env::var_os("FLUXDAG_CONFIG").filter(|name| !name.is_empty()).map(PathBuf::from);
    let Configured { config, marked, .. } = configured(named, &paths).ok()?;
    let options = Options {
        root: config.root,
        flux_version: config.flux_version,
        sources: config.sources,
        is_whole: true,
        marked,
        ..Options::default()
    };
    crate::survey(&paths, &options).ok()
}
