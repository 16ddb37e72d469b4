use rustc_hash::FxHashSet;

use super::{
    args::{AnswerFormat, Global, Timeline},
    commit,
    environment::Environment,
    error::CliError,
    print,
    question::{find, only, remark, situations, survey},
    say,
};
use crate::{
    catalog::Range,
    cluster::Focus,
    finding::Subject,
    graph::{Actor, EventId, Moment},
    report::{
        Analytic, ClusterTimeline, NodeSpread, NodeTimeline, Simulated, Timeline as Report, Times, TotalSpread,
        printable,
    },
    situation::Situation,
    source::readable,
    timing::{Assumptions, Distribution, PathCause, Quantile, Run, Simulation, Spread},
};

/// Says when everything happens in a cold start.
pub(super) fn run(timeline: &Timeline, global: &Global, environment: &Environment) -> Result<(), CliError> {
    let (survey, options) = survey(&timeline.paths, &timeline.question.model, global, environment)?;
    let situations = situations(&survey, &options);
    if !timeline.commit.is_empty() {
        return commit::run(timeline, &survey, &situations, &environment.stdout(global.color));
    }
    let clusters = match &timeline.to {
        Some(text) => {
            let found = find(text, &situations, &survey.focus, global.quiet)?;
            let (index, actor) = only(text, &found, &situations)?;
            vec![of_cluster(&situations[index], Some(actor), timeline)]
        }
        None => {
            if survey.unreached.is_empty() {
                remark(&survey, global);
            }
            reported(&survey.focus, &situations, global)
                .map(|(index, situation)| {
                    let mut told = of_cluster(situation, None, timeline);
                    if let Some(reported) = survey.focus.subjects(index, situation.cluster) {
                        told.nodes.retain(|node| reported.contains(&node.node));
                    }
                    told
                })
                .collect()
        }
    };
    let report = Report { clusters };
    print(match timeline.question.format {
        AnswerFormat::Text => report.text(&environment.stdout(global.color)),
        AnswerFormat::Json => report.json(),
    })
}

/// The clusters whose cold starts are reported: those that an entry point leads to, where that leads anywhere.
fn reported<'s>(
    focus: &Focus,
    situations: &'s [Situation<'s>],
    global: &Global,
) -> impl Iterator<Item = (usize, &'s Situation<'s>)> {
    let situations = situations.iter().enumerate();
    situations.filter(|(index, it)| it.cluster.reached && focus.has_cluster(*index)).filter(|(_, situation)| {
        let is_lost = situation.cluster.is_lost();
        if is_lost && !global.quiet {
            let root = readable(&situation.cluster.root).into_owned();
            say(&printable(&format!("note: cluster {root} is left out: its path does not exist")));
        }
        !is_lost
    })
}

fn of_cluster(situation: &Situation<'_>, to: Option<Actor>, asked: &Timeline) -> ClusterTimeline {
    let (graph, cluster, cold_start) = (&situation.graph, situation.cluster, &situation.cold_start);
    let assumptions = Assumptions { least: cold_start.least(), ..Assumptions::of(cluster) };
    let simulation = Simulation::new(cluster, graph, &situation.durations, assumptions);
    let run = simulation.run(Quantile::Typical);
    let spread = (asked.runs > 0).then(|| simulation.monte_carlo(asked.runs, asked.seed));
    let end = match to {
        Some(actor) => graph.id(actor, Moment::Ready).or_else(|| graph.events_of(actor).last().copied()),
        None => cold_start.last(graph),
    };
    let path: Vec<EventId> =
        end.filter(|id| cold_start.time(*id).is_some()).map_or_else(Vec::new, |id| cold_start.critical_path(id));
    let mut critical_path: Vec<Subject> = Vec::new();
    for id in &path {
        let actor = graph.event(*id).actor;
        let subject = actor.subject(cluster);
        if matches!(actor, Actor::Node(_) | Actor::Release(_)) && critical_path.last() != Some(&subject) {
            critical_path.push(subject);
        }
    }
    let slack = cold_start.slack(graph, &situation.durations);
    let nodes = (0..cluster.nodes.len()).map(|index| Actor::Node(crate::cluster::NodeId(index as u32)));
    let releases = (0..cluster.releases.len()).map(|index| Actor::Release(index as u32));
    // Of one object: what it waits for, and nothing else.
    let behind: Option<FxHashSet<Actor>> = to.map(|_| {
        let events = end.map(|id| graph.behind(&[id])).unwrap_or_default();
        events.iter().chain(&end).map(|id| graph.event(*id).actor).collect()
    });
    let mut nodes: Vec<NodeTimeline> = nodes
        .chain(releases)
        .filter(|actor| behind.as_ref().is_none_or(|behind| behind.contains(actor)))
        .map(|actor| of_actor(situation, actor, &path, &slack, (&run, spread.as_ref())))
        .collect();
    nodes.sort_by_key(|node| {
        let times = node.analytic.map(|analytic| (analytic.start.typical, analytic.ready.map(|ready| ready.typical)));
        (times.is_none(), times, node.node.to_string())
    });
    ClusterTimeline {
        cluster: cluster.root.clone(),
        profile: situation.durations.profile().name(),
        flux_version: cluster.version.map(|version| version.to_string()),
        to: to.map(|actor| actor.subject(cluster)),
        total: end.and_then(|id| cold_start.time(id)).map(times),
        critical_path,
        simulated_total: run.total,
        queueing: queueing(situation, &assumptions, &run),
        spread: spread.as_ref().map(|Spread { runs, total, .. }| TotalSpread {
            runs: *runs,
            seed: asked.seed,
            p50: total.p50,
            p90: total.p90,
        }),
        shares: end.map_or_else(Vec::new, |id| {
            let shares = cold_start.shares(graph, &situation.durations, id);
            shares.into_iter().map(|(cause, time)| (word(cause), time.as_secs())).collect()
        }),
        nodes,
    }
}

/// How much of a cold start is spent waiting for a free worker: what it takes longer than with one for everything.
fn queueing(situation: &Situation<'_>, assumptions: &Assumptions, run: &Run) -> std::time::Duration {
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

const fn times(range: Range) -> Times {
    Times { low: range.low, typical: range.typical, high: range.high }
}

fn of_actor(
    situation: &Situation<'_>,
    actor: Actor,
    path: &[EventId],
    slack: &[Option<std::time::Duration>],
    (run, spread): (&Run, Option<&Spread>),
) -> NodeTimeline {
    let (graph, cold_start) = (&situation.graph, &situation.cold_start);
    let time = |moment| graph.id(actor, moment).and_then(|id| cold_start.time(id)).map(times);
    let ready = graph.id(actor, Moment::Ready);
    let analytic = time(Moment::Start).map(|start| Analytic {
        start,
        ready: time(Moment::Ready),
        slack: ready.and_then(|id| slack[id.index()]).unwrap_or_default(),
        on_critical_path: path.iter().any(|id| graph.event(*id).actor == actor),
    });
    let duration_origin = match actor {
        Actor::Release(index) => situation.durations.release(index as usize).origin.to_string(),
        _ => "its objects, and what it waits for".to_owned(),
    };
    let outcome = of(actor, &run.nodes, &run.releases);
    let simulated = outcome.map_or_else(Simulated::default, |outcome| Simulated {
        start: outcome.start,
        applied: outcome.applied,
        ready: outcome.ready,
        attempts: outcome.attempts,
        timed_out: outcome.timed_out.clone(),
    });
    let distribution = spread.and_then(|spread| of(actor, &spread.nodes, &spread.releases));
    NodeTimeline {
        node: actor.subject(situation.cluster),
        analytic,
        simulated,
        spread: distribution.zip(spread).map(|(distribution, spread)| varied(distribution, spread.runs)),
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

/// Shares to a thousandth: more digits would say more than so many runs can.
fn varied(distribution: &Distribution, runs: u32) -> NodeSpread {
    let share = |count: u32| (f64::from(count) / f64::from(runs) * 1000.0).round() / 1000.0;
    NodeSpread {
        p50: distribution.ready.p50,
        p90: distribution.ready.p90,
        critical_share: share(distribution.critical),
        never_share: share(distribution.never),
    }
}
