use std::time::Duration;

use super::{
    Context, Rule, Situation,
    attempts::{Attempts, Need},
    health::held_by,
    wording::{about, names, short_list},
};
use crate::{
    cluster::{Node, NodeId},
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    flux::format_duration,
    graph::{Actor, Moment, Reason},
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "retry-cliff",
        summary: "A gate without `retryInterval` costs a whole interval whenever it fails once.",
        category: Category::Time,
        severity: Severity::Warning,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/retry-cliff.md"),
    },
    check,
};

/// From this interval on, a failure is felt.
const LONG: Duration = Duration::from_secs(30 * 60);

/// So many gates behind one another make it likely that one of them fails once.
const CHAIN: usize = 4;

/// So many do where a third of the cluster waits for the first.
const CHAIN_OF_MANY: usize = 3;

/// Of so many it is counted what waits for them: of those that come first in their chains, and that most depend on.
const MEASURED: usize = 16;

/// A gate without `retryInterval`.
struct Cliff<'a> {
    id: NodeId,
    node: &'a Node,
    attempts: Attempts,
    /// How many Kustomizations name it as a dependency.
    dependents: usize,
    /// Whether a slow day takes twice its timeout or more.
    is_tight: bool,
    /// How many such gates stand one behind the other, up to this one.
    depth: usize,
}

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations.iter().filter(|situation| situation.cluster.reached) {
        findings.extend(report(situation));
    }
}

fn cliffs<'a>(situation: &Situation<'a>) -> Vec<Cliff<'a>> {
    let cluster = situation.cluster;
    let mut depths = vec![None; cluster.nodes.len()];
    let gates = cluster.nodes().filter(|(_, node)| is_cliff(node));
    let mut cliffs: Vec<Cliff<'a>> = gates
        .filter_map(|(id, node)| {
            let ready = situation.graph.id(Actor::Node(id), Moment::Ready)?;
            let depends = situation.graph.outputs(ready).filter(|(_, edge)| edge.reason == Reason::DependsOn);
            let dependents = depends.count();
            let attempts = Attempts::new(&node.kustomization.spec)?;
            let need = Need::above(attempts.timeout, situation, id);
            // What exceeds it on any day is reported by `timeout-below-need`.
            let is_tight = need.is_some_and(|need| {
                let is_slow_day = need.range.typical <= attempts.timeout && need.range.high >= attempts.timeout * 2;
                is_slow_day && need.known * 2 > attempts.timeout
            });
            let depth = depth(situation, id, &mut depths, 0);
            (dependents > 0).then_some(Cliff { id, node, attempts, dependents, is_tight, depth })
        })
        .collect();
    cliffs.sort_by_key(|cliff| (cliff.depth != 1, std::cmp::Reverse(cliff.dependents), cliff.id));
    cliffs
}

fn is_cliff(node: &Node) -> bool {
    let spec = &node.kustomization.spec;
    let is_long = || Attempts::new(spec).is_some_and(|attempts| attempts.pause >= LONG);
    node.has_gate() && !spec.suspend && !node.is_generated && spec.retry_interval.is_none() && is_long()
}

/// Deeper than this, a chain is followed no further.
const DEEPEST: usize = 200;

/// How many cliffs stand one behind the other, up to `id`. Loops count as one.
fn depth(situation: &Situation<'_>, id: NodeId, known: &mut [Option<usize>], level: usize) -> usize {
    if let Some(depth) = known[id.index()] {
        return depth;
    }
    if level > DEEPEST {
        return 0;
    }
    known[id.index()] = Some(0);
    let own = usize::from(is_cliff(situation.cluster.node(id)));
    let before = situation.graph.id(Actor::Node(id), Moment::Start).map(|start| {
        let inputs: Vec<NodeId> = situation
            .graph
            .inputs(start)
            .filter(|(_, edge)| edge.reason == Reason::DependsOn)
            .filter_map(|(input, _)| match situation.graph.event(input).actor {
                Actor::Node(node) => Some(node),
                _ => None,
            })
            .collect();
        inputs.into_iter().map(|node| depth(situation, node, known, level + 1)).max().unwrap_or_default()
    });
    let depth = own + before.unwrap_or_default();
    known[id.index()] = Some(depth);
    depth
}

fn report(situation: &Situation<'_>) -> Option<Finding> {
    let cliffs = cliffs(situation);
    let tight: Vec<&Cliff<'_>> = cliffs.iter().filter(|cliff| cliff.is_tight).collect();
    let longest = cliffs.iter().map(|cliff| cliff.depth).max()?;
    let first = tight.first().copied().or(cliffs.first())?;
    let all: Vec<NodeId> = cliffs.iter().map(|cliff| cliff.id).collect();
    let subject = first.node.subject();
    let interval = format_duration(first.attempts.pause);
    let held = short_list(&names(situation.cluster, &held_by(situation, first.id)), 6);
    let message = match cliffs.len() {
        1 => format!("{subject} has no `retryInterval`: one failed attempt delays {held} for {interval}"),
        count => format!(
            "{count} Kustomizations that others wait for have no `retryInterval`: {}; one failed attempt costs a whole interval ({interval} \
             for {})",
            short_list(&names(situation.cluster, &all), 6),
            first.node.key.name
        ),
    };
    let at = first.node.kustomization.span(&["spec", "interval"]);
    let mut finding = situation.finding(&RULE.info, subject, at, message);
    finding.label = "without `retryInterval`, failures are retried at this interval too".to_owned();
    for cliff in cliffs.iter().filter(|cliff| cliff.id != first.id).take(8) {
        let text = format!("{} has none either; dependents: {}", cliff.node.key.name, cliff.dependents);
        finding.related.push(Related::new(
            text,
            Some(cliff.node.subject()),
            cliff.node.kustomization.span(&["spec", "interval"]),
        ));
    }
    finding.why = why(situation, first, &tight, longest);
    let each = if cliffs.len() == 1 { "" } else { " on each of them" };
    finding.help = format!("set `spec.retryInterval: 2m`{each}; it counts after failures only");
    // A single gate that has time enough fails rarely.
    let most = cliffs.iter().take(MEASURED).map(|cliff| held_by(situation, cliff.id).len()).max().unwrap_or_default();
    let chain = if most * 3 >= situation.cluster.nodes.len() { CHAIN_OF_MANY } else { CHAIN };
    if tight.is_empty() && longest < chain {
        finding.severity = Severity::Info;
    }
    Some(finding)
}

fn why(situation: &Situation<'_>, first: &Cliff<'_>, tight: &[&Cliff<'_>], longest: usize) -> String {
    let mut why = format!(
        "A failed apply or health check (reason ReconciliationFailed or HealthCheckFailed) is tried again only after `interval`, {} here, \
         unless a commit comes first; whatever depends on it stays at DependencyNotReady until then.",
        format_duration(first.attempts.pause)
    );
    if longest >= CHAIN_OF_MANY {
        why.push_str(&format!(" {longest} such gates stand one behind the other, so that a cold start passes only if none of them fails once."));
    }
    if let Some(cliff) = tight.first()
        && let Some(need) = Need::above(cliff.attempts.timeout, situation, cliff.id)
    {
        why.push_str(&format!(
            " A first failure is likely at {}: what it waits for takes up to {} on {} hardware, and its health check ends after {}.",
            cliff.node.subject(),
            about(need.range.high),
            situation.durations.profile(),
            format_duration(cliff.attempts.timeout)
        ));
    }
    why
}
