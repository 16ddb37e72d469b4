//! When everything happens in a cold start.

use std::time::Duration;

use rustc_hash::FxHashSet;
use schemars::JsonSchema;
use serde::Serialize;

use super::{ClusterOutcome, Document, Error, Headline, Model, Seconds};
use crate::{
    catalog::Range,
    cluster::NodeId,
    finding::Subject,
    graph::{Actor, EventId, Moment},
    situation::Situation,
    source::readable,
    timing::{Assumptions, Distribution, MonteCarlo, Outcome, PathCause, Quantile, Run, Simulation},
};

/// What is asked about a cold start.
#[derive(Debug, Clone, Default)]
pub struct TimelineOptions {
    /// Only up to the object of this name.
    pub to: Option<String>,
    /// How many cold starts with varying durations are simulated.
    pub runs: u32,
    /// What the varying durations are drawn with.
    pub seed: u64,
}

/// The cold starts of the clusters of a repository: `fluxdag timeline`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Timeline {
    /// The hardware that times are for.
    pub profile: &'static str,
    /// One for each cluster.
    pub clusters: Vec<ClusterTimeline>,
    /// What there is to know about the question.
    #[serde(skip)]
    pub notes: Vec<String>,
}

/// The cold start of one cluster.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ClusterTimeline {
    /// Root of the cluster.
    pub cluster: String,
    /// The Flux release, where the repository says so.
    pub flux_version: Option<String>,
    /// What was asked about; `null` where it is the whole cluster.
    pub to: Option<Subject>,
    /// When that is Ready, timeouts off; `null` where it never is.
    pub total: Option<Range>,
    /// How many Kustomizations never become Ready, of those it waits for.
    pub never_ready: usize,
    /// What becomes of the Kustomizations of the cluster.
    pub outcome: ClusterOutcome,
    /// When the last is Ready that ever is, in the simulation.
    pub simulated_total_s: Seconds,
    /// How much of that goes to waiting for a free worker.
    pub queueing_s: Seconds,
    /// How that varies; `null` where it was not asked for.
    pub monte_carlo_total: Option<MonteCarloTotal>,
    /// The objects on the critical path, in order.
    pub critical_path: Vec<Subject>,
    /// What the time on it goes to.
    pub critical_path_shares: Vec<PathShare>,
    /// Kustomizations and HelmReleases, by their start.
    pub nodes: Vec<NodeTimeline>,
}

/// How much of a path goes to what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PathShare {
    /// To what, in words.
    pub cause: &'static str,
    /// How much.
    pub time_s: Seconds,
}

/// How long simulated cold starts take with varying durations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MonteCarloTotal {
    /// How many there were.
    pub runs: u32,
    /// What the durations were drawn with.
    pub seed: u64,
    /// Half of them take at most this; `null` where half of them never end.
    pub p50_s: Option<Seconds>,
    /// Nine of ten take at most this.
    pub p90_s: Option<Seconds>,
}

/// When one object starts and is Ready.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct NodeTimeline {
    /// The object.
    pub node: Subject,
    /// By the analytic model, timeouts off; `null` where it never starts.
    pub analytic: Option<Analytic>,
    /// What the controllers make of it, with timeouts and retries.
    pub simulated: Simulated,
    /// How that varies; `null` where it was not asked for.
    pub monte_carlo: Option<NodeMonteCarlo>,
    /// What its own duration rests on.
    pub duration_origin: String,
}

/// Times of the analytic model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Analytic {
    /// When its work begins.
    pub starts: Range,
    /// When it is Ready; `null` where it never is.
    pub ready: Option<Range>,
    /// How much later it may be Ready without delaying the end.
    pub slack_s: Seconds,
    /// Whether it is on the critical path.
    pub on_critical_path: bool,
}

/// Times of the simulation, with typical durations.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Simulated {
    /// When it was first reconciled with everything it depends on in place; `null` where it never was.
    pub start_s: Option<Seconds>,
    /// When a Kustomization's objects were applied.
    pub applied_s: Option<Seconds>,
    /// When it turned Ready; `null` where it never does.
    pub ready_s: Option<Seconds>,
    /// Reconciliations that got past its dependencies.
    pub attempts: u32,
    /// When its health checks or Helm actions ended too early.
    pub timed_out_s: Vec<Seconds>,
}

/// When one object is Ready in simulations with varying durations.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct NodeMonteCarlo {
    /// In half of them at this time at the latest; `null` where it is never Ready in half of them.
    pub p50_s: Option<Seconds>,
    /// In nine of ten.
    pub p90_s: Option<Seconds>,
    /// In which share of them it is on the path to the last Ready, from 0 to 1.
    pub critical_share: f64,
    /// In which share of them it is never Ready, from 0 to 1.
    pub never_share: f64,
}

impl Document for Timeline {
    const COMMAND: &'static str = "timeline";

    fn notes(&self) -> &[String] {
        &self.notes
    }
}

/// When everything happens in a cold start of each cluster that an entry point reaches and that is reported, or up to one
/// object. A cluster whose path does not exist is left out. `remark` is what there is to know of what is reported.
///
/// # Errors
/// Where the name is not that of one object.
pub fn timeline(model: Model<'_>, options: &TimelineOptions, remark: Option<String>) -> Result<Timeline, Error> {
    let mut notes = Vec::new();
    let clusters = match &options.to {
        Some(text) => {
            let matches = model.find(text)?;
            let found = model.only(&matches)?;
            notes.extend(matches.note);
            vec![of_cluster(model, &model.situations[found.cluster], Some(found.actor), options)]
        }
        None => {
            notes.extend(remark);
            let (lost, reported): (Vec<_>, Vec<_>) = model.reported().partition(|(_, one)| one.cluster.is_lost());
            let root = |situation: &Situation<'_>| readable(&situation.cluster.root).into_owned();
            let lost = lost.into_iter().map(|(_, situation)| root(situation));
            notes.extend(lost.map(|root| format!("cluster {root} is left out: its path does not exist")));
            let narrowed = |(index, situation): (usize, &Situation<'_>)| {
                let mut timeline = of_cluster(model, situation, None, options);
                if let Some(reported) = model.focus.subjects(index, situation.cluster) {
                    timeline.nodes.retain(|node| reported.contains(&node.node));
                }
                timeline
            };
            reported.into_iter().map(narrowed).collect()
        }
    };
    Ok(Timeline { profile: model.profile, clusters, notes })
}

fn of_cluster(
    model: Model<'_>,
    situation: &Situation<'_>,
    to: Option<Actor>,
    options: &TimelineOptions,
) -> ClusterTimeline {
    let (graph, cluster, cold_start) = (&situation.graph, situation.cluster, &situation.cold_start);
    let headline = match to {
        Some(actor) => Headline::of_object(situation, actor),
        None => Headline::of_cluster(situation),
    };
    let end = headline.end;
    let path: Vec<EventId> = headline.total.and(end).map_or_else(Vec::new, |id| cold_start.critical_path(id));
    let assumptions = Assumptions { least: cold_start.least(), ..Assumptions::new(cluster) };
    let simulation = Simulation::new(cluster, graph, &situation.durations, assumptions);
    let run = simulation.run(Quantile::Typical);
    let monte_carlo = (options.runs > 0).then(|| simulation.monte_carlo(options.runs, options.seed));
    let shares = end.map(|id| cold_start.shares(graph, &situation.durations, id)).unwrap_or_default();
    let shares = shares.into_iter().map(|(cause, time)| PathShare { cause: word(cause), time_s: Seconds(time) });
    ClusterTimeline {
        cluster: cluster.root.clone(),
        flux_version: cluster.version.map(|version| version.to_string()),
        to: to.map(|actor| actor.subject(cluster)),
        total: headline.total,
        never_ready: headline.never_ready,
        outcome: ClusterOutcome::of_cluster(situation, model.store.tree()),
        critical_path: on_path(situation, &path),
        simulated_total_s: Seconds(run.total),
        queueing_s: Seconds(queueing(situation, &assumptions, &run)),
        monte_carlo_total: monte_carlo.as_ref().map(|MonteCarlo { runs, total, .. }| MonteCarloTotal {
            runs: *runs,
            seed: options.seed,
            p50_s: total.p50.map(Seconds),
            p90_s: total.p90.map(Seconds),
        }),
        critical_path_shares: shares.collect(),
        nodes: nodes(situation, to.and(end), &path, (&run, monte_carlo.as_ref())),
    }
}

/// The Kustomizations and HelmReleases on a path, in order.
fn on_path(situation: &Situation<'_>, path: &[EventId]) -> Vec<Subject> {
    let actors = path.iter().map(|id| situation.graph.event(*id).actor);
    let actors = actors.filter(|actor| matches!(actor, Actor::Node(_) | Actor::Release(_)));
    let mut subjects: Vec<Subject> = actors.map(|actor| actor.subject(situation.cluster)).collect();
    subjects.dedup();
    subjects
}

/// Kustomizations and HelmReleases, by their start: all of them, or those that `up_to` waits for.
fn nodes(
    situation: &Situation<'_>,
    up_to: Option<EventId>,
    path: &[EventId],
    simulated: (&Run, Option<&MonteCarlo>),
) -> Vec<NodeTimeline> {
    let (graph, cluster) = (&situation.graph, situation.cluster);
    let behind: Option<FxHashSet<Actor>> = up_to.map(|end| {
        let events = graph.behind(&[end]);
        events.iter().chain([&end]).map(|id| graph.event(*id).actor).collect()
    });
    let slack = situation.cold_start.slack(graph, &situation.durations);
    let nodes = (0..cluster.nodes.len()).map(|index| Actor::Node(NodeId(index as u32)));
    let releases = (0..cluster.releases.len()).map(|index| Actor::Release(index as u32));
    let mut nodes: Vec<NodeTimeline> = nodes
        .chain(releases)
        .filter(|actor| behind.as_ref().is_none_or(|behind| behind.contains(actor)))
        .map(|actor| of_actor(situation, actor, path, &slack, simulated))
        .collect();
    nodes.sort_by_key(|node| {
        let times = node.analytic.map(|analytic| (analytic.starts.typical, analytic.ready.map(|ready| ready.typical)));
        (times.is_none(), times, node.node.to_string())
    });
    nodes
}

/// How much of a cold start is spent waiting for a free worker: what it takes longer than with one for everything.
fn queueing(situation: &Situation<'_>, assumptions: &Assumptions, run: &Run) -> Duration {
    let unlimited = Assumptions { kustomize_workers: u32::MAX, helm_workers: u32::MAX, ..*assumptions };
    let simulation = Simulation::new(situation.cluster, &situation.graph, &situation.durations, unlimited);
    run.total.saturating_sub(simulation.run(Quantile::Typical).total)
}

const fn word(cause: PathCause) -> &'static str {
    match cause {
        PathCause::Charts => "installing charts",
        PathCause::Builds => "building and applying",
        PathCause::Polling => "polling",
    }
}

fn of_actor(
    situation: &Situation<'_>,
    actor: Actor,
    path: &[EventId],
    slack: &[Option<Duration>],
    (run, monte_carlo): (&Run, Option<&MonteCarlo>),
) -> NodeTimeline {
    let (graph, cold_start) = (&situation.graph, &situation.cold_start);
    let time = |moment| graph.id(actor, moment).and_then(|id| cold_start.time(id));
    let ready = graph.id(actor, Moment::Ready);
    let analytic = time(Moment::Start).map(|starts| Analytic {
        starts,
        ready: time(Moment::Ready),
        slack_s: Seconds(ready.and_then(|id| slack[id.index()]).unwrap_or_default()),
        on_critical_path: path.iter().any(|id| graph.event(*id).actor == actor),
    });
    let duration_origin = match actor {
        Actor::Release(index) => situation.durations.release(index as usize).origin.to_string(),
        _ => "its objects, and what it waits for".to_owned(),
    };
    let distribution = monte_carlo.and_then(|monte_carlo| of(actor, &monte_carlo.nodes, &monte_carlo.releases));
    NodeTimeline {
        node: actor.subject(situation.cluster),
        analytic,
        simulated: of(actor, &run.nodes, &run.releases).map(Simulated::new).unwrap_or_default(),
        monte_carlo: distribution
            .zip(monte_carlo)
            .map(|(distribution, monte_carlo)| NodeMonteCarlo::new(distribution, monte_carlo.runs)),
        duration_origin,
    }
}

/// What is kept for one of the Kustomizations, or for one of the HelmReleases.
fn of<'a, T>(actor: Actor, nodes: &'a [T], releases: &'a [T]) -> Option<&'a T> {
    match actor {
        Actor::Node(id) => nodes.get(id.index()),
        Actor::Release(index) => releases.get(index as usize),
        _ => None,
    }
}

impl Simulated {
    pub(super) fn new(outcome: &Outcome) -> Self {
        Self {
            start_s: outcome.start.map(Seconds),
            applied_s: outcome.applied.map(Seconds),
            ready_s: outcome.ready.map(Seconds),
            attempts: outcome.attempts,
            timed_out_s: outcome.timed_out.iter().copied().map(Seconds).collect(),
        }
    }
}

impl NodeMonteCarlo {
    /// Shares to a thousandth: more digits would say more than so many runs can.
    fn new(distribution: &Distribution, runs: u32) -> Self {
        let share = |count: u32| (f64::from(count) / f64::from(runs) * 1000.0).round() / 1000.0;
        Self {
            p50_s: distribution.ready.p50.map(Seconds),
            p90_s: distribution.ready.p90.map(Seconds),
            critical_share: share(distribution.critical),
            never_share: share(distribution.never),
        }
    }
}
