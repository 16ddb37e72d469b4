//! What questions about a repository share: reading it, and finding what they name.

use std::path::{Path, PathBuf};

use super::{
    args::{Global, Model},
    environment::Environment,
    error::CliError,
    say,
    settings::{Configured, configured},
};
use rayon::prelude::*;

use crate::{
    Options, Survey,
    cluster::{Cluster, Focus, Named, ObjectKey, Provider, Wanted},
    finding::Subject,
    graph::{Actor, EventGraph, Moment, Step},
    report::{Link, Times, count, printable},
    situation::{Situation, View},
    timing,
};

/// Something that was named, by the position of its cluster.
pub(super) type Found = (usize, Actor);

/// Names listed where one is to be picked.
const LISTED: usize = 20;

/// Whether an argument that may be a name or a path is a path: it begins like one, or has a slash and is there.
pub(super) fn is_path(text: &str) -> bool {
    let begins = [".", "..", "/"].iter().any(|start| text == *start || text.starts_with(&format!("{start}/")));
    begins || Path::new(text).is_absolute() || (text.contains('/') && Path::new(text).exists())
}

/// `paths`, or the working directory where there are none.
pub(super) fn or_here(paths: Vec<PathBuf>) -> Vec<PathBuf> {
    if paths.is_empty() { vec![PathBuf::from(".")] } else { paths }
}

/// The repository around `paths`, and what was chosen about it.
pub(super) fn survey(
    paths: &[PathBuf],
    model: &Model,
    global: &Global,
    environment: &Environment,
) -> Result<(Survey, Options), CliError> {
    survey_as(false, paths, model, global, environment)
}

/// The same; where `is_whole`, all of the repository is reported, and the paths only say which it is.
pub(super) fn survey_as(
    is_whole: bool,
    paths: &[PathBuf],
    model: &Model,
    global: &Global,
    environment: &Environment,
) -> Result<(Survey, Options), CliError> {
    let Configured { config, marked, .. } = configured(&model.configuration, paths, environment)?;
    let options = Options {
        root: model.scope.root.clone().or(config.root),
        cluster: model.scope.cluster.clone(),
        is_whole,
        marked,
        flux_version: config.flux_version,
        sources: config.sources,
        profile: model.hardware.profile.or(config.profile).unwrap_or_default(),
        durations: config.durations,
        externals: config.externals,
        ..Options::default()
    };
    let survey = crate::survey(paths, &options)
        .map_err(|error| CliError::of_question(error, "point -C at a folder that holds Flux Kustomizations"))?;
    for error in survey.store.tree().unreadable() {
        say(&format!("warning: {}; what lies there is not analysed", printable(&error.to_string())));
    }
    for warning in timing::unmatched(&options.durations, &survey.clusters) {
        say(&format!("warning: {}", printable(&warning)));
    }
    if !survey.unreached.is_empty() {
        remark(&survey, global);
    }
    Ok((survey, options))
}

/// Says what is to be known of what was looked at.
pub(super) fn remark(survey: &Survey, global: &Global) {
    if let Some(remark) = survey.remark().filter(|_| !global.quiet) {
        say(&printable(&format!("note: {remark}")));
    }
}

/// The clusters with their graphs and times.
pub(super) fn situations<'a>(survey: &'a Survey, options: &'a Options) -> Vec<Situation<'a>> {
    View::each(&survey.clusters, &survey.store)
        .map(|view| Situation::new(view, options.profile, &options.durations))
        .collect()
}

/// Where what is named may be: the objects of the first kind that has any, in clusters that an entry point reaches where
/// those have any, and among what `focus` reports where that has any. Says what else has the name.
pub(super) fn find(
    text: &str,
    situations: &[Situation<'_>],
    focus: &Focus,
    quiet: bool,
) -> Result<Vec<Found>, CliError> {
    let wanted = Wanted::parse(text).map_err(|_| {
        CliError::new(format!("`{text}` is no name of an object"))
            .with_help("name one as `apps`, `flux-system/apps` or `HelmRelease/media/plex`")
    })?;
    let named =
        |index: usize| wanted.find_in(situations[index].cluster).into_iter().map(move |named| (index, actor(named)));
    let all: Vec<Found> = (0..situations.len()).flat_map(named).collect();
    let in_graph = |(index, actor): &Found| {
        !matches!(actor, Actor::Object(_)) || !situations[*index].graph.events_of(*actor).is_empty()
    };
    let mut found: Vec<Found> = all.iter().copied().filter(in_graph).collect();
    if found.iter().any(|(index, _)| situations[*index].cluster.reached) {
        found.retain(|(index, _)| situations[*index].cluster.reached);
    }
    let Some(first) = found.iter().map(|(_, actor)| rank(*actor)).min() else {
        return Err(unknown(text, &wanted, &all, situations));
    };
    let others = found.iter().find(|(_, actor)| rank(*actor) != first);
    if let Some((index, actor)) = others.filter(|_| !quiet) {
        let other = actor.subject(situations[*index].cluster);
        say(&printable(&format!("note: {other} has that name too; write it like this to ask about it")));
    }
    found.retain(|(_, actor)| rank(*actor) == first);
    prefer(&mut found, |(index, _)| focus.has_cluster(*index));
    prefer(&mut found, |(index, actor)| {
        let cluster = situations[*index].cluster;
        focus.subjects(*index, cluster).is_none_or(|reported| reported.contains(&actor.subject(cluster)))
    });
    Ok(found)
}

/// Leaves those that `holds` of, where it does of any.
pub(super) fn prefer<T>(found: &mut Vec<T>, holds: impl Fn(&T) -> bool) {
    if found.iter().any(&holds) {
        found.retain(holds);
    }
}

fn actor(named: Named) -> Actor {
    match named {
        Named::Node(id) => Actor::Node(id),
        Named::Release(index) => Actor::Release(index as u32),
        Named::Object(index) => Actor::Object(index as u32),
    }
}

const fn rank(actor: Actor) -> u8 {
    match actor {
        Actor::Node(_) => 0,
        Actor::Release(_) => 1,
        Actor::Object(_) | Actor::Kind(_) | Actor::Namespace(_) | Actor::Made(_) => 2,
    }
}

/// The one thing that is meant.
pub(super) fn only(text: &str, found: &[Found], situations: &[Situation<'_>]) -> Result<Found, CliError> {
    if let [one] = found {
        return Ok(*one);
    }
    let mut help = "name one of them:".to_owned();
    for (index, actor) in found.iter().take(LISTED) {
        let cluster = situations[*index].cluster;
        help.push_str(&format!("\n{} --cluster {}", actor.subject(cluster), cluster.root));
    }
    if found.len() > LISTED {
        help.push_str(&format!("\nand {} more", found.len() - LISTED));
    }
    Err(CliError::new(format!("`{text}` names {}", count(found.len(), "object"))).with_help(help))
}

fn unknown(text: &str, wanted: &Wanted, all: &[Found], situations: &[Situation<'_>]) -> CliError {
    if let Some((index, Actor::Object(object))) = all.first() {
        let cluster = situations[*index].cluster;
        let object = cluster.objects.iter().nth(*object as usize);
        let owner =
            object.and_then(|(_, providers): (&ObjectKey, &Vec<Provider>)| Some(cluster.owner(*providers.first()?)));
        let help = owner.map_or_else(String::new, |owner| format!("ask about what applies it: `{owner}`"));
        return CliError::new(format!("nothing waits for `{text}`, and it waits for nothing that is known"))
            .with_help(help);
    }
    let nodes = situations.iter().map(|situation| situation.cluster.nodes.len()).sum();
    let releases = situations.iter().map(|situation| situation.cluster.releases.len()).sum();
    let clusters: Vec<&Cluster> = situations.iter().map(|situation| situation.cluster).collect();
    let help = wanted.similar_object(&clusters).map_or_else(
        || format!("there are {} and {}", count(nodes, "Kustomization"), count(releases, "HelmRelease")),
        |similar| format!("did you mean `{similar}`?"),
    );
    let help = match Path::new(text).exists() {
        true => format!("{help}; for the file or folder, write `./{text}`"),
        false => help,
    };
    CliError::new(format!("there is no `{text}`")).with_help(help)
}

/// The folders that a path of the command line may be relative to.
pub(super) fn bases(survey: &Survey) -> Vec<PathBuf> {
    vec![PathBuf::new(), survey.store.tree().root().to_owned()]
}

/// The event that tells whether something is done.
pub(super) fn done(graph: &EventGraph, actor: Actor) -> Option<crate::graph::EventId> {
    graph.id(actor, Moment::Ready).or_else(|| graph.events_of(actor).last().copied())
}

/// A time of the cold start.
pub(super) fn time(situation: &Situation<'_>, id: crate::graph::EventId) -> Option<Times> {
    let range = situation.cold_start.time(id)?;
    Some(Times { low: range.low, typical: range.typical, high: range.high })
}

/// A step in words, with when what it waits for happens.
pub(super) fn link(situation: &Situation<'_>, step: &Step) -> Link {
    let (graph, cluster) = (&situation.graph, situation.cluster);
    let told = step.told(cluster);
    let before = graph.id(step.before.actor, step.before.moment);
    Link {
        reason: told.reason,
        text: told.text,
        waits: step.after.actor.subject(cluster),
        on: step.before.actor.subject(cluster),
        at: before.and_then(|id| time(situation, id)),
        place: step.edge.span,
        or: graph.alternatives(step).into_iter().map(|actor| actor.subject(cluster)).collect(),
    }
}

/// The subjects of `actors`, each once, Kustomizations first.
pub(super) fn subjects(cluster: &Cluster, actors: impl Iterator<Item = Actor>) -> Vec<Subject> {
    let mut actors: Vec<Actor> = actors.collect();
    actors.sort_unstable();
    actors.dedup();
    actors.into_iter().map(|actor| actor.subject(cluster)).collect()
}
