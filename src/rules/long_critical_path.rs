use std::time::Duration;

use super::{
    Context, Rule, Situation,
    wording::{about, subject_of},
};
use crate::{
    cluster::NodeId,
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    flux::format_duration,
    graph::{Actor, Event, EventId, Moment, Reason},
    source::Span,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "long-critical-path",
        summary: "The cold start of a cluster takes longer than the limit that was set.",
        category: Category::Time,
        severity: Severity::Warning,
        confidence: Confidence::Medium,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/long-critical-path.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations.iter().filter(|situation| situation.cluster.reached) {
        findings.extend(context.max_path.and_then(|budget| report(situation, budget)));
        for (id, node) in situation.cluster.nodes().filter(|_| !context.budgets.is_empty()) {
            let budgets = context.budgets.iter().filter(|budget| budget.is_for(situation.cluster, &node.key));
            let strictest = budgets.map(|budget| budget.max_path).min();
            findings.extend(strictest.and_then(|budget| late(situation, id, budget)));
        }
    }
}

/// A Kustomization that is Ready later than its budget allows. One that never is, is a deadlock, reported as such.
fn late(situation: &Situation<'_>, id: NodeId, budget: Duration) -> Option<Finding> {
    let ready = situation.graph.id(Actor::Node(id), Moment::Ready)?;
    let time = situation.repaired.time(ready).filter(|time| time.typical > budget)?;
    let node = situation.cluster.node(id);
    let message = format!(
        "{} is Ready after about {} ({} to {}), {} more than its budget of {}: {}",
        node.subject(),
        about(time.typical),
        about(time.low),
        about(time.high),
        about(time.typical - budget),
        format_duration(budget),
        names(situation, ready).join(" → "),
    );
    let mut finding = situation.finding(&RULE.info, node.subject(), node.span(), message);
    finding.key = "budget".to_owned();
    finding.label = "the end of the path".to_owned();
    finding.related = steps(situation, ready);
    finding.why = basis(situation);
    finding.help = format!(
        "shorten the longest step, or take it off the path to {}: drop `dependsOn` entries that it does not need, and move what is heavy \
         out of Kustomizations that it depends on",
        node.key.name
    );
    Some(finding)
}

/// What the minutes rest on.
fn basis(situation: &Situation<'_>) -> String {
    format!(
        "Counted from the first reconciliation, all images to be pulled, on {} hardware, with typical durations and no timeout: \
         what the rollout needs. Real controllers add failed attempts and retries.",
        situation.durations.profile()
    )
}

fn report(situation: &Situation<'_>, budget: Duration) -> Option<Finding> {
    let (graph, cluster) = (&situation.graph, situation.cluster);
    let last = situation.repaired.last(graph)?;
    let total = situation.repaired.time(last)?;
    if total.typical <= budget {
        return None;
    }
    let end = graph.event(last);
    let subject = subject_of(cluster, end.actor);
    let message = format!(
        "the cold start takes about {} ({} to {}), {} more than the budget of {}: {}",
        about(total.typical),
        about(total.low),
        about(total.high),
        about(total.typical - budget),
        format_duration(budget),
        names(situation, last).join(" → "),
    );
    let mut finding = situation.finding(&RULE.info, subject, place(situation, end), message);
    finding.label = "the end of the critical path".to_owned();
    finding.related = steps(situation, last);
    finding.why = basis(situation);
    finding.help = "shorten the longest step, or take it off the path: move what is heavy out of Kustomizations that others depend on, and \
                    drop `dependsOn` entries that nothing needs"
        .to_owned();
    Some(finding)
}

/// The Kustomizations on the critical path, and the HelmRelease at its end.
fn names(situation: &Situation<'_>, last: EventId) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for id in situation.repaired.critical_path(last) {
        let actor = situation.graph.event(id).actor;
        let is_listed = matches!(actor, Actor::Node(_)) || id == last;
        let name = subject_of(situation.cluster, actor).name;
        if is_listed && names.last() != Some(&name) {
            names.push(name);
        }
    }
    names
}

/// The critical path in words: where a dependency or a wait passes it on, and what takes time.
fn steps(situation: &Situation<'_>, last: EventId) -> Vec<Related> {
    let (graph, cluster) = (&situation.graph, situation.cluster);
    let mut steps = Vec::new();
    for pair in situation.repaired.critical_path(last).windows(2) {
        let (before, event) = (graph.event(pair[0]), graph.event(pair[1]));
        let times = situation.repaired.time(pair[0]).zip(situation.repaired.time(pair[1]));
        let (Some((from, to)), Some(edge)) = (times, graph.edge(pair[0], pair[1])) else {
            continue;
        };
        let subject = subject_of(cluster, event.actor);
        let (at, took) = (about(to.typical), to.typical - from.typical);
        let text = match edge.reason {
            Reason::DependsOn | Reason::DependsOnExpr => {
                format!("{subject} starts after about {at}: it depends on {}", subject_of(cluster, before.actor).name)
            }
            Reason::Progress if took >= NOTEWORTHY => format!("{subject} takes about {}", about(took)),
            _ => continue,
        };
        let span = if edge.reason == Reason::Progress { place(situation, event) } else { edge.span };
        steps.push(Related::new(text, Some(subject), span));
    }
    steps
}

/// What takes less is not worth a line.
const NOTEWORTHY: Duration = Duration::from_secs(20);

fn place(situation: &Situation<'_>, event: Event) -> Span {
    match event.actor {
        Actor::Node(id) => situation.cluster.node(id).span(),
        Actor::Release(index) => situation.cluster.releases[index as usize].helm.name_span(),
        Actor::Object(_) | Actor::Kind(_) | Actor::Namespace(_) | Actor::Made(_) => Span::NONE,
    }
}
