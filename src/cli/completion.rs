//! What a shell may offer behind what was typed so far: commands and flags, rules, names of objects.
//!
//! The script of [`script`] calls the program again with [`VARIABLE`] set, and [`answer`] prints the candidates. Nothing
//! here complains: a shell that completes has no place for that, and offers nothing.

use std::{
    collections::BTreeMap,
    env,
    ffi::{OsStr, OsString},
    panic,
    path::PathBuf,
};

use clap::CommandFactory as _;
use clap_complete::{
    engine::{self, CompletionCandidate, PathCompleter, ValueCompleter as _},
    env::Shells,
};

use super::{
    args::{Arguments, Completions, Configuration},
    environment::Environment,
    error::CliError,
    print,
    settings::{Configured, configured},
};
use crate::{Options, Survey, finding::Category, query::has_safe_name, report::Format, rules::RULES};

/// Set to the name of a shell by its script.
const VARIABLE: &str = "FLUXDAG_COMPLETE";
/// What `flux` calls its plugins with to complete their arguments, as programs made with Cobra do.
const COBRA: &str = "__complete";
/// Cobra's `ShellCompDirectiveDefault`: offer files where there is no candidate.
const DEFAULT: &str = ":0";

/// Prints the script for a shell.
pub(super) fn script(completions: &Completions) -> Result<(), CliError> {
    let failed = |error: &str| CliError::new(format!("failed to make the script: {error}"));
    let name = completions.shell.to_string();
    let shells = Shells::builtins();
    let shell = shells.completer(&name).ok_or_else(|| failed("the shell is not known"))?;
    let mut script = Vec::new();
    let written = shell.write_registration(VARIABLE, "fluxdag", "fluxdag", "fluxdag", &mut script);
    written.map_err(|error| failed(&error.to_string()))?;
    print(script)
}

/// Answers a shell that asks for candidates; false where none does.
pub(super) fn answer(environment: &Environment) -> bool {
    let arguments = &environment.arguments;
    if arguments.get(1).is_some_and(|argument| argument == COBRA) {
        quietly(|| cobra(arguments));
        return true;
    }
    let Some(shell) = env::var_os(VARIABLE).filter(|shell| !shell.is_empty() && shell != "0") else { return false };
    quietly(|| {
        let shells = Shells::builtins();
        let shell = shells.completer(&shell.to_string_lossy())?;
        let words: Vec<OsString> = arguments.iter().skip_while(|argument| *argument != "--").skip(1).cloned().collect();
        let mut candidates = Vec::new();
        shell.write_complete(&mut command(), words, env::current_dir().ok().as_deref(), &mut candidates).ok()?;
        print(candidates).ok()
    });
    true
}

fn command() -> clap::Command {
    // Words are counted from the name of the program on, whatever it was called as.
    Arguments::command()
}

fn quietly(ask: impl FnOnce() -> Option<()> + panic::UnwindSafe) {
    panic::set_hook(Box::new(|_| {}));
    // Nothing to offer is an answer too.
    let _ = panic::catch_unwind(ask);
}

fn cobra(arguments: &[OsString]) -> Option<()> {
    let words: Vec<OsString> = arguments.iter().take(1).chain(arguments.iter().skip(2)).cloned().collect();
    let last = words.len().checked_sub(1)?;
    let candidates = engine::complete(&mut command(), words, last, env::current_dir().ok().as_deref()).ok()?;
    let lines = candidates.iter().filter(|candidate| !candidate.is_hide_set()).map(|candidate| {
        let value = candidate.get_value().to_string_lossy();
        let help = candidate.get_help().map(ToString::to_string).unwrap_or_default();
        match help.lines().next() {
            Some(help) => format!("{value}\t{help}\n"),
            None => format!("{value}\n"),
        }
    });
    print(lines.chain([format!("{DEFAULT}\n")]).collect::<String>()).ok()
}

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

/// The commands.
pub(super) fn commands() -> Vec<CompletionCandidate> {
    let command = Arguments::command();
    command.get_subcommands().map(|command| CompletionCandidate::new(command.get_name())).collect()
}

/// The clusters of the repository.
pub(super) fn clusters() -> Vec<CompletionCandidate> {
    let Some(survey) = survey() else { return Vec::new() };
    let reached = survey.clusters.iter().filter(|cluster| cluster.reached && !cluster.root.is_empty());
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
    all.extend(PathCompleter::any().complete(current));
    all
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
    let wanted = Configuration { config: None, no_config: false };
    let Configured { config, marked, .. } = configured(&wanted, &paths, &Environment::of_process()).ok()?;
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
