use std::time::Duration;

use super::{
    Context, Rule, Situation,
    wording::{about, subject_of},
};
use crate::{
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    flux::format_duration,
    graph::{Actor, Edge, Event, EventId, Reason, Repaired},
    timing::ColdStart,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "poll-depth",
        summary: "Much of a cold start is dependents that look again only every 30 s.",
        category: Category::Time,
        severity: Severity::Info,
        confidence: Confidence::Medium,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/poll-depth.md"),
    },
    check,
};

/// What it must cost to be worth a word: so much, and so many percent of the critical path.
const LEAST: Duration = Duration::from_secs(60);
const LEAST_PERCENT: u128 = 10;

/// What is proposed: FluxInstances of size medium and large have it (flux-operator v0.58, `internal/builder/profiles.go`), and a
/// look at a dependency is a read from the cache.
const FAST: Duration = Duration::from_secs(5);

/// So many links of the chain are shown.
const SHOWN: usize = 8;

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations.iter().filter(|situation| situation.cluster.reached) {
        findings.extend(report(situation));
    }
}

/// The links of the critical path that are dependencies: what waits, and by which entry.
fn links<'a>(situation: &'a Situation<'_>, end: EventId) -> Vec<(Event, &'a Edge)> {
    let path = situation.repaired.critical_path(end);
    let of_pair = |pair: &[EventId]| {
        let edge = situation.graph.edge(pair[0], pair[1])?;
        let is_dependency = matches!(edge.reason, Reason::DependsOn | Reason::DependsOnExpr);
        is_dependency.then(|| (situation.graph.event(pair[1]), edge))
    };
    path.windows(2).filter_map(of_pair).collect()
}

fn report(situation: &Situation<'_>) -> Option<Finding> {
    let (cluster, graph) = (situation.cluster, &situation.graph);
    let end = situation.repaired.last(graph)?;
    let total = situation.repaired.time(end)?;
    let links = links(situation, end);
    let waits = links.iter().map(|(event, _)| situation.durations.poll(event.actor));
    let (typical, high) =
        waits.fold((Duration::ZERO, Duration::ZERO), |sum, poll| (sum.0 + poll.typical, sum.1 + poll.high));
    if typical < LEAST || typical.as_millis() * 100 < total.typical.as_millis() * LEAST_PERCENT {
        return None;
    }
    let (first, edge) = links.first()?;
    let faster = ColdStart::new(graph, &situation.durations.with_requeue(FAST), Repaired::Everything);
    let saved = total.typical.saturating_sub(faster.time(faster.last(graph)?)?.typical);
    let subject = subject_of(cluster, first.actor);
    let message = format!(
        "{} of the cold start of about {} is spent between dependencies that are Ready and dependents that have not looked yet: {} links, \
         one after another",
        about(typical),
        about(total.typical),
        links.len(),
    );
    let mut finding = situation.finding(&RULE.info, subject, edge.span, message);
    finding.label = "the first link".to_owned();
    for (event, edge) in links.iter().skip(1).take(SHOWN) {
        let subject = subject_of(cluster, event.actor);
        finding.related.push(Related::new(format!("{} waits for this", subject.name), Some(subject), edge.span));
    }
    let flag = cluster.controllers.kustomize.requeue_dependency().value;
    finding.why = format!(
        "A dependent that finds its dependency not Ready (reason DependencyNotReady) is not woken when that changes; it looks again after \
         {} (`--requeue-dependency`). So each link of the chain costs half of that on average, and up to {} in all on a bad day.",
        format_duration(flag),
        about(high),
    );
    let patched = match first.actor {
        _ if links.iter().all(|(event, _)| matches!(event.actor, Actor::Release(_))) => "helm-controller",
        _ if links.iter().any(|(event, _)| matches!(event.actor, Actor::Release(_))) => {
            "kustomize-controller and helm-controller"
        }
        _ => "kustomize-controller",
    };
    finding.help = format!(
        "start {patched} with `--requeue-dependency={}`: the cold start is about {} shorter then; or drop dependencies that order nothing",
        format_duration(FAST),
        about(saved),
    );
    Some(finding)
}
