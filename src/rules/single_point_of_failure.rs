use std::cmp::Reverse;

use rustc_hash::FxHashSet;

use super::{
    Context, Rule, Situation,
    wording::{about, short_list},
};
use crate::{
    cluster::NodeId,
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    flux::{format_duration, kustomization_timeout},
    graph::{Actor, EventId, Moment, Reason},
    source::shell_word,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "single-point-of-failure",
        summary: "Most of a cluster starts only after one Kustomization, which waits for many things.",
        category: Category::Time,
        severity: Severity::Info,
        confidence: Confidence::Medium,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/single-point-of-failure.md"),
    },
    check,
};

/// Smaller clusters hang together anyway.
const NODES: usize = 8;
/// Independent HelmReleases from which on a gate is more than a foundation: a chart with its companion is one.
const CARRIED: usize = 3;
/// Findings for one cluster; who mends these looks again.
const REPORTED: usize = 3;
/// Gates looked at closely, those that hold up most first.
const LOOKED_AT: usize = 24;

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations.iter().filter(|situation| situation.cluster.reached) {
        look(situation, findings);
    }
}

fn look(situation: &Situation<'_>, findings: &mut Vec<Finding>) {
    let (graph, cluster) = (&situation.graph, situation.cluster);
    let event = |id: NodeId, moment: Moment| graph.id(Actor::Node(id), moment);
    let happens = |id: &EventId| situation.repaired.time(*id).is_some();
    let others = || cluster.nodes().filter(|(_, node)| !node.is_entry).map(|(id, _)| id);
    let starts: Vec<EventId> = others().filter_map(|id| event(id, Moment::Start)).filter(happens).collect();
    if starts.len() < NODES {
        return;
    }
    let gates: Vec<(NodeId, EventId)> = others()
        .filter(|id| cluster.node(*id).has_gate())
        .filter_map(|id| Some((id, event(id, Moment::Ready).filter(happens)?)))
        .collect();
    let ready: Vec<EventId> = gates.iter().map(|(_, id)| *id).collect();
    let held = graph.needed_by(&ready, &starts);
    let mut most: Vec<(usize, NodeId)> = gates.iter().zip(held).map(|((id, _), held)| (held, *id)).collect();
    most.retain(|(held, _)| held * 2 >= starts.len());
    most.sort_by_key(|(held, id)| (Reverse(*held), *id));
    let found = most.into_iter().take(LOOKED_AT).filter_map(|(held, id)| report(situation, id, held, starts.len()));
    findings.extend(found.take(REPORTED));
}

/// The HelmReleases that a Kustomization waits for after its start.
fn carried(situation: &Situation<'_>, id: NodeId) -> Vec<usize> {
    let graph = &situation.graph;
    let behind = |moment: Moment| graph.id(Actor::Node(id), moment).map(|id| graph.behind(&[id])).unwrap_or_default();
    let before: FxHashSet<EventId> = behind(Moment::Start).into_iter().collect();
    let after = behind(Moment::Ready).into_iter().filter(|id| !before.contains(id)).map(|id| graph.event(id));
    let ready = after.filter(|event| event.moment == Moment::Ready);
    let mut releases: Vec<usize> = ready
        .filter_map(|event| match event.actor {
            Actor::Release(index) => Some(index as usize),
            _ => None,
        })
        .collect();
    releases.sort_by_key(|index| (Reverse(situation.durations.release(*index).range.high), *index));
    releases
}

/// How many of `releases` no other of them depends on: parts of one product that follow each other count once.
fn independent(situation: &Situation<'_>, releases: &[usize]) -> usize {
    let graph = &situation.graph;
    let is_one = |actor: Actor| matches!(actor, Actor::Release(index) if releases.contains(&(index as usize)));
    let is_needed = |index: &&usize| {
        let ready = graph.id(Actor::Release(**index as u32), Moment::Ready);
        let mut outputs = ready.into_iter().flat_map(|id| graph.outputs(id));
        outputs.any(|(after, edge)| edge.reason == Reason::DependsOn && is_one(graph.event(after).actor))
    };
    releases.iter().filter(|index| !is_needed(index)).count()
}

fn report(situation: &Situation<'_>, id: NodeId, held: usize, all: usize) -> Option<Finding> {
    let (cluster, node) = (situation.cluster, situation.cluster.node(id));
    let releases = carried(situation, id);
    if independent(situation, &releases) < CARRIED {
        return None;
    }
    let spec = &node.kustomization.spec;
    let message = format!(
        "{held} of {all} Kustomizations never start unless {} is Ready, and each of {} HelmReleases can keep it from that",
        node.subject(),
        releases.len()
    );
    let key = if spec.wait { "wait" } else { "healthChecks" };
    let mut finding = situation.finding(&RULE.info, node.subject(), node.kustomization.span(&["spec", key]), message);
    finding.label = format!("Ready only when all {} HelmReleases are", releases.len());
    for index in releases.iter().take(6) {
        let release = &cluster.releases[*index];
        let duration = situation.durations.release(*index);
        let text = format!("one of them: up to {} ({})", about(duration.range.high), duration.origin);
        finding.related.push(Related::new(text, Some(release.subject()), release.helm.name_span()));
    }
    let timeout = kustomization_timeout(spec)
        .map_or_else(|| "its timeout".to_owned(), |timeout| format!("{} (its timeout)", format_duration(timeout)));
    finding.why = format!(
        "One chart that fails, or an image that does not come, and it ends after {timeout} with Ready=False, reason HealthCheckFailed; \
         the {held} others stay at DependencyNotReady, whether they need that chart or not."
    );
    let names: Vec<String> = releases.iter().map(|index| cluster.releases[*index].key.name.to_string()).collect();
    finding.help = format!(
        "move those of {} that not all dependents need into Kustomizations of their own, and let each dependent name what it needs; \
         `fluxdag impact {}` lists who waits",
        short_list(&names, 6),
        shell_word(&node.key.to_string())
    );
    Some(finding)
}
