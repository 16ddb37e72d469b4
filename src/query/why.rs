//! What an object waits for.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Document, Error, Found, Link, Model, ReportedObstacle, names::done};
use crate::{
    catalog::Range,
    cluster::Cluster,
    finding::Subject,
    graph::{Actor, Assume, EventGraph, EventId, Loop, Moment, Obstacle, Reason, Step},
    situation::Situation,
    source::{Place, Tree},
};

/// What an object waits for: `fluxdag why A`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Why {
    /// The hardware that times are for.
    pub profile: &'static str,
    /// The cluster that has the object.
    pub clusters: [ClusterWhy; 1],
    /// What there is to know about the question.
    #[serde(skip)]
    pub notes: Vec<String>,
}

/// What one object of a cluster waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ClusterWhy {
    /// Root of the cluster.
    pub cluster: String,
    /// The object.
    pub node: Subject,
    /// Its place; `null` where no file holds it.
    pub location: Option<Place>,
    /// What happens to it, in order.
    pub events: Vec<Happening>,
    /// What it waits for itself, the last to happen first.
    pub waits_for: Vec<Link>,
    /// For its start and its end the chain that decides when they happen.
    pub decides: Vec<Decides>,
    /// What keeps it from ever becoming Ready, the nearest obstacle; `null` where it becomes Ready.
    pub stuck: Option<Stuck>,
    /// Everything that keeps it from becoming Ready: all of it has to be mended.
    pub obstacles: Vec<ReportedObstacle>,
    /// What would keep it from becoming Ready, if a guess held.
    pub doubts: Vec<ReportedObstacle>,
    /// How many Kustomizations and HelmReleases it waits for in all.
    pub behind: usize,
}

/// Something that happens to an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Event")]
pub struct Happening {
    /// `exists`, `start`, `applied`, `ready`, or a step of an apply.
    pub event: &'static str,
    /// The end of a sentence.
    #[serde(skip)]
    pub verb: &'static str,
    /// When, counted from the first reconciliation of a cold start; `null` where it never does.
    pub at: Option<Range>,
}

/// The chain that decides when something happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Decides {
    /// What happens.
    pub event: &'static str,
    /// The chain, from the first step to the last.
    pub steps: Vec<Link>,
}

/// Why something never happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Stuck {
    /// The links from the object to the obstacle.
    pub way: Vec<Link>,
    /// The obstacle.
    pub obstacle: ReportedObstacle,
    /// Where it is a loop: each link leads from what waits to what it waits for, the last back to the first.
    pub r#loop: Vec<Link>,
}

/// Whether one object waits for another, and through what: `fluxdag why A B`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WhyOn {
    /// The hardware that times are for.
    pub profile: &'static str,
    /// The cluster that has both.
    pub clusters: [ClusterWhyOn; 1],
    /// What there is to know about the question.
    #[serde(skip)]
    pub notes: Vec<String>,
}

/// Whether one object of a cluster waits for another, and through what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ClusterWhyOn {
    /// Root of the cluster.
    pub cluster: String,
    /// What may wait.
    pub node: Subject,
    /// What it may wait for.
    pub on: Subject,
    /// Whether `node` waits for `on`.
    pub answer: Answer,
    /// The shortest chains: each begins at `node`, and leads from what waits to what it waits for.
    pub chains: Vec<Vec<Link>>,
    /// Whether there are more as short as these.
    pub more_chains: bool,
    /// Whether `on` waits for `node`.
    pub reverse: Answer,
}

/// Whether something waits for something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// It cannot be Ready without.
    Waits,
    /// It can, where something else that is also provided elsewhere comes from there.
    MayWait,
    /// Nothing leads from one to the other.
    DoesNotWait,
}

impl Document for Why {
    const COMMAND: &'static str = "why";

    fn notes(&self) -> &[String] {
        &self.notes
    }
}

impl Document for WhyOn {
    const COMMAND: &'static str = "why";

    fn notes(&self) -> &[String] {
        &self.notes
    }
}

/// Chains that are named.
const CHAINS: usize = 6;

/// What an object waits for.
///
/// # Errors
/// Where the name is not that of one object.
pub fn why(model: Model<'_>, name: &str) -> Result<Why, Error> {
    let matches = model.find(name)?;
    let found = model.only(&matches)?;
    let answer = of_object(model, found);
    Ok(Why { profile: model.profile, clusters: [answer], notes: Vec::from_iter(matches.note) })
}

fn of_object(model: Model<'_>, found: Found) -> ClusterWhy {
    let (situation, actor) = (&model.situations[found.cluster], found.actor);
    let tree = model.store.tree();
    let (graph, cluster) = (&situation.graph, situation.cluster);
    let events = graph.events_of(actor);
    let happens = events.iter().map(|id| {
        let (event, verb) = graph.event(*id).moment.describe();
        Happening { event, verb, at: situation.cold_start.time(*id) }
    });
    let end = done(graph, actor);
    let behind = end.map(|id| graph.behind(&[id])).unwrap_or_default();
    let behind: Vec<Actor> = distinct(graph, &behind);
    let others = behind.iter().filter(|other| **other != actor && !matches!(other, Actor::Object(_)));
    ClusterWhy {
        cluster: cluster.root.clone(),
        node: actor.subject(cluster),
        location: tree.place(actor.place(cluster)),
        events: happens.collect(),
        waits_for: direct(situation, tree, &events),
        decides: decides(situation, tree, actor, end),
        stuck: end.and_then(|id| stuck(situation, tree, id)),
        obstacles: obstacles(situation, tree, &situation.obstacles(actor)),
        doubts: obstacles(situation, tree, &situation.doubts(actor)),
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
fn direct(situation: &Situation<'_>, tree: &Tree, events: &[EventId]) -> Vec<Link> {
    let graph = &situation.graph;
    let steps = events.iter().flat_map(|after| {
        let inputs = graph.inputs(*after).filter(|(_, edge)| edge.reason != Reason::Progress);
        inputs.map(|(before, edge)| Step {
            before: graph.event(before),
            after: graph.event(*after),
            edge: edge.clone(),
        })
    });
    let mut links: Vec<Link> = steps.map(|step| Link::new(situation, tree, &step)).collect();
    // What never comes is the last of all.
    links
        .sort_by_key(|link| (link.at.is_some(), std::cmp::Reverse(link.at.map(|at| at.typical)), link.message.clone()));
    links.dedup();
    links
}

/// The decisive chain of the start and of the end; one where they are the same.
fn decides(situation: &Situation<'_>, tree: &Tree, actor: Actor, end: Option<EventId>) -> Vec<Decides> {
    let graph = &situation.graph;
    let mut chains: Vec<Decides> = Vec::new();
    for id in [graph.id(actor, Moment::Start), end].into_iter().flatten() {
        if situation.cold_start.time(id).is_none() {
            continue;
        }
        let path = situation.cold_start.critical_path(id);
        let steps = path.windows(2).filter_map(|pair| graph.step(pair[0], pair[1]));
        let steps: Vec<Link> = steps
            .filter(|step| step.edge.reason != Reason::Progress)
            .map(|step| Link::new(situation, tree, &step))
            .collect();
        if chains.last().is_none_or(|known| known.steps != steps) {
            chains.push(Decides { event: graph.event(id).moment.describe().0, steps });
        }
    }
    chains
}

fn stuck(situation: &Situation<'_>, tree: &Tree, id: EventId) -> Option<Stuck> {
    let nearest = situation.stuck.nearest(id)?;
    let way = situation.stuck.way(&situation.graph, id);
    let around = match nearest {
        Obstacle::Loop(index) => situation.deadlocks().get(index),
        Obstacle::Blocker(_) => None,
    };
    Some(Stuck {
        way: way.iter().map(|step| Link::new(situation, tree, step)).collect(),
        obstacle: ReportedObstacle::new(situation, tree, nearest)?,
        r#loop: around.into_iter().flat_map(Loop::links).map(|step| Link::new(situation, tree, step)).collect(),
    })
}

fn obstacles(situation: &Situation<'_>, tree: &Tree, obstacles: &[Obstacle]) -> Vec<ReportedObstacle> {
    obstacles.iter().filter_map(|obstacle| ReportedObstacle::new(situation, tree, *obstacle)).collect()
}

/// Whether one object waits for another, and through what.
///
/// # Errors
/// Where the names are not those of two objects of one cluster.
pub fn why_on(model: Model<'_>, node: &str, on: &str) -> Result<WhyOn, Error> {
    let (nodes, others) = (model.find(node)?, model.find(on)?);
    let notes = nodes.note.iter().chain(&others.note).cloned().collect();
    let (node, on) = model.both(nodes, others)?;
    let answer = of_two(model.store.tree(), &model.situations[node.cluster], node.actor, on.actor);
    Ok(WhyOn { profile: model.profile, clusters: [answer], notes })
}

fn of_two(tree: &Tree, situation: &Situation<'_>, node: Actor, on: Actor) -> ClusterWhyOn {
    let (graph, cluster): (&EventGraph, &Cluster) = (&situation.graph, situation.cluster);
    let (answer, mut chains) = waits(graph, node, on, CHAINS + 1);
    let more_chains = chains.len() > CHAINS;
    chains.truncate(CHAINS);
    let links = |chain: &Vec<Step>| chain.iter().map(|step| Link::new(situation, tree, step)).collect();
    ClusterWhyOn {
        cluster: cluster.root.clone(),
        node: node.subject(cluster),
        on: on.subject(cluster),
        answer,
        chains: chains.iter().map(links).collect(),
        more_chains,
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
    let without = graph.reach(Assume { failing: &graph.events_of(on), ..Assume::REPAIRED });
    let can_do_without = done(graph, node).is_some_and(|id| without.happens(id));
    (if can_do_without { Answer::MayWait } else { Answer::Waits }, chains)
}
