use std::path::PathBuf;

use super::{
    args::{AnswerFormat, Global, Why},
    environment::Environment,
    error::CliError,
    print,
    question::{Found, done, find, is_path, link, only, or_here, situations, subjects, survey, time},
};
use crate::{
    cluster::{Cluster, builders},
    finding::{Category, Confidence, Finding, Severity, Subject},
    graph::{Actor, EventGraph, EventId, Moment, Reason, Step},
    report::{Answer, Happening, Link, Problem, Stuck, Why as Report, WhyOn},
    rules::{self, Context, RULES, Selection},
    situation::Situation,
    yaml::Store,
};

/// Chains shown.
const CHAINS: usize = 6;

/// Says what something waits for.
pub(super) fn run(why: &Why, global: &Global, environment: &Environment) -> Result<(), CliError> {
    let (on, paths) = behind(why)?;
    let (survey, options) = survey(&paths, &why.question.model, global, environment)?;
    let situations = situations(&survey, &options);
    let tree = survey.store.tree();
    let terminal = environment.stdout(global.color);
    let nodes = find(&why.node, &situations, &survey.focus, global.quiet)?;
    print(match on {
        None => {
            let (index, actor) = only(&why.node, &nodes, &situations)?;
            let report = alone(&survey.store, &situations[index], actor);
            match why.question.format {
                AnswerFormat::Text => report.text(tree, &terminal),
                AnswerFormat::Json => report.json(tree),
            }
        }
        Some(on) => {
            let others = find(on, &situations, &survey.focus, global.quiet)?;
            let (index, node, on) = both(why, nodes, (on, others), &situations)?;
            let report = between(&situations[index], node, on);
            match why.question.format {
                AnswerFormat::Text => report.text(tree, &terminal),
                AnswerFormat::Json => report.json(tree),
            }
        }
    })
}

/// What stands behind the first argument: a name, and paths.
fn behind(why: &Why) -> Result<(Option<&str>, Vec<PathBuf>), CliError> {
    let (paths, names): (Vec<&String>, Vec<&String>) = why.others.iter().partition(|text| is_path(text));
    if let [_, third, ..] = names.as_slice() {
        return Err(CliError::new(format!("`{third}` is one name too many: two are compared"))
            .with_help("write a path that has no slash as `./name`, or behind `--`"));
    }
    let paths = paths.into_iter().map(PathBuf::from).chain(why.paths.clone()).collect();
    Ok((names.first().map(|name| name.as_str()), or_here(paths)))
}

/// The two things that are meant, in the one cluster that has both.
fn both(
    why: &Why,
    mut nodes: Vec<Found>,
    (on, mut others): (&str, Vec<Found>),
    situations: &[Situation<'_>],
) -> Result<(usize, Actor, Actor), CliError> {
    let has = |found: &[Found], index: usize| found.iter().any(|(other, _)| *other == index);
    let (all_nodes, all_others) = (nodes.clone(), others.clone());
    nodes.retain(|(index, _)| has(&all_others, *index));
    others.retain(|(index, _)| has(&all_nodes, *index));
    if nodes.is_empty() {
        let root = |found: &[Found]| {
            found.first().map_or_else(String::new, |(index, _)| situations[*index].cluster.root.clone())
        };
        let help = format!("`{}` is in {}, `{on}` in {}", why.node, root(&all_nodes), root(&all_others));
        return Err(CliError::new(format!("no cluster has both `{}` and `{on}`", why.node)).with_help(help));
    }
    let (index, node) = only(&why.node, &nodes, situations)?;
    let (_, on_actor) = only(on, &others, situations)?;
    if node == on_actor {
        let help = format!("`fluxdag why {}` tells whether it waits for itself", why.node);
        return Err(CliError::new(format!("`{}` and `{on}` are the same object", why.node)).with_help(help));
    }
    Ok((index, node, on_actor))
}

fn alone(store: &Store, situation: &Situation<'_>, actor: Actor) -> Report {
    let (graph, cluster) = (&situation.graph, situation.cluster);
    let events = graph.events_of(actor);
    let happens = events.iter().map(|id| {
        let (event, verb) = graph.event(*id).moment.told();
        Happening { event, verb, at: time(situation, *id) }
    });
    let end = done(graph, actor);
    let behind = end.map(|id| graph.behind(&[id])).unwrap_or_default();
    let behind: Vec<Actor> = distinct(graph, &behind);
    let others = behind.iter().filter(|other| **other != actor && !matches!(other, Actor::Object(_)));
    Report {
        cluster: cluster.root.clone(),
        profile: situation.durations.profile().name(),
        node: actor.subject(cluster),
        place: actor.place(cluster),
        happens: happens.collect(),
        waits_for: direct(situation, &events),
        decides: decides(situation, actor, end),
        stuck: end.and_then(|id| stuck(situation, id)),
        problems: problems(store, situation, actor, &behind),
        behind: others.count(),
    }
}

fn distinct(graph: &EventGraph, events: &[EventId]) -> Vec<Actor> {
    let mut actors: Vec<Actor> = events.iter().map(|id| graph.event(*id).actor).collect();
    actors.sort_unstable();
    actors.dedup();
    actors
}

/// The links into the events, the last to come first.
fn direct(situation: &Situation<'_>, events: &[EventId]) -> Vec<Link> {
    let graph = &situation.graph;
    let steps = events.iter().flat_map(|after| {
        let inputs = graph.inputs(*after).filter(|(_, edge)| edge.reason != Reason::Progress);
        inputs.map(|(before, edge)| Step {
            before: graph.event(before),
            after: graph.event(*after),
            edge: edge.clone(),
        })
    });
    let mut links: Vec<Link> = steps.map(|step| link(situation, &step)).collect();
    // What never comes is the last of all.
    links.sort_by_key(|link| (link.at.is_some(), std::cmp::Reverse(link.at.map(|at| at.typical)), link.text.clone()));
    links.dedup();
    links
}

/// The decisive chain of the start and of the end; one where they are the same.
fn decides(situation: &Situation<'_>, actor: Actor, end: Option<EventId>) -> Vec<(&'static str, Vec<Link>)> {
    let graph = &situation.graph;
    let mut chains: Vec<(&'static str, Vec<Link>)> = Vec::new();
    for id in [graph.id(actor, Moment::Start), end].into_iter().flatten() {
        if situation.cold_start.time(id).is_none() {
            continue;
        }
        let path = situation.cold_start.critical_path(id);
        let steps = path.windows(2).filter_map(|pair| graph.step(pair[0], pair[1]));
        let links: Vec<Link> =
            steps.filter(|step| step.edge.reason != Reason::Progress).map(|step| link(situation, &step)).collect();
        if chains.last().is_none_or(|(_, known)| *known != links) {
            chains.push((graph.event(id).moment.told().0, links));
        }
    }
    chains
}

fn stuck(situation: &Situation<'_>, id: EventId) -> Option<Stuck> {
    let (way, found) = situation.graph.stuck_in(id, &situation.deadlocks)?;
    Some(Stuck {
        way: way.iter().map(|step| link(situation, step)).collect(),
        around: found.links().map(|step| link(situation, step)).collect(),
    })
}

/// Errors that `lint` shows by default about `actor` and what is behind it. Loops are told apart.
fn problems(store: &Store, situation: &Situation<'_>, actor: Actor, behind: &[Actor]) -> Vec<Problem> {
    let broken = crate::cluster::broken_documents(store);
    let context = Context {
        store,
        tree: store.tree(),
        situations: std::slice::from_ref(situation),
        broken: &broken,
        suppressions: &[],
        max_path: None,
        pedantic: false,
        budgets: &[],
        selection: &Selection::default(),
        before: None,
    };
    let concerned: Vec<Subject> = subjects(situation.cluster, behind.iter().copied().chain([actor]));
    let is_loop =
        |rule: &str| RULES.iter().any(|known| known.info.id == rule && known.info.category == Category::Deadlock);
    let found = rules::check(&context).into_iter().filter(|finding| {
        finding.severity == Severity::Error
            && finding.confidence >= Confidence::Medium
            && !is_loop(finding.rule)
            && (concerned.contains(&finding.subject) || is_built_from(store, situation.cluster, finding, &concerned))
    });
    found
        .map(|finding| Problem {
            rule: finding.rule,
            message: finding.message,
            place: finding.location.span().unwrap_or(crate::source::Span::NONE),
        })
        .collect()
}

/// Whether a finding about a file is about one that any of `concerned` is built from.
fn is_built_from(store: &Store, cluster: &Cluster, finding: &Finding, concerned: &[Subject]) -> bool {
    let Some(span) = finding.location.span().filter(|_| finding.subject.kind == "File") else { return false };
    let files = [span.file].into_iter().collect();
    builders(store, cluster, &files).iter().any(|(id, _)| concerned.contains(&cluster.node(*id).subject()))
}

fn between(situation: &Situation<'_>, node: Actor, on: Actor) -> WhyOn {
    let (graph, cluster): (&EventGraph, &Cluster) = (&situation.graph, situation.cluster);
    let (answer, mut chains) = waits(graph, node, on, CHAINS + 1);
    let more = chains.len() > CHAINS;
    chains.truncate(CHAINS);
    WhyOn {
        cluster: cluster.root.clone(),
        profile: situation.durations.profile().name(),
        node: node.subject(cluster),
        on: on.subject(cluster),
        answer,
        chains: chains.iter().map(|chain| chain.iter().map(|step| link(situation, step)).collect()).collect(),
        more,
        reverse: waits(graph, on, node, 1).0,
    }
}

/// Whether `node` waits for `on`, and through what: chains without alternatives where there are any.
fn waits(graph: &EventGraph, node: Actor, on: Actor, most: usize) -> (Answer, Vec<Vec<Step>>) {
    // What it waits for longest is that it is done, where it waits for that.
    let (all, last) = (graph.events_of(on), Vec::from_iter(done(graph, on)));
    let chains = |sure: bool| {
        let ways = [&last, &all].map(|events| graph.chains(node, events, most, sure));
        ways.into_iter().find(|chains| !chains.is_empty()).unwrap_or_default()
    };
    let sure = chains(true);
    if !sure.is_empty() {
        return (Answer::Waits, sure);
    }
    let chains = chains(false);
    if chains.is_empty() {
        return (Answer::DoesNotWait, chains);
    }
    // All alternatives may lead to the same.
    let without = graph.happening(&graph.events_of(on));
    let can_do_without = done(graph, node).is_some_and(|id| without.contains(&id));
    (if can_do_without { Answer::MayWait } else { Answer::Waits }, chains)
}
