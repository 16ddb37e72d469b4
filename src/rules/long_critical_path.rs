use super::{
    Context, Rule, Situation,
    wording::{about, subject_of},
};
use crate::{
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    flux::format_duration,
    graph::{Actor, Event, Moment},
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
    let Some(budget) = context.max_path else { return };
    for situation in context.situations.iter().filter(|situation| situation.cluster.reached) {
        findings.extend(report(situation, budget));
    }
}

fn report(situation: &Situation<'_>, budget: std::time::Duration) -> Option<Finding> {
    let (graph, cluster) = (&situation.graph, situation.cluster);
    let last = situation.cold_start.last(graph)?;
    let total = situation.cold_start.time(last)?;
    if total.typical <= budget {
        return None;
    }
    let end = graph.event(last);
    let subject = subject_of(cluster, end.actor);
    let message = format!(
        "the cold start takes about {} ({} to {}), {} more than the budget of {}; {subject} is Ready last",
        about(total.typical),
        about(total.low),
        about(total.high),
        about(total.typical - budget),
        format_duration(budget),
    );
    let span = |event: Event| match event.actor {
        Actor::Node(id) => cluster.node(id).span(),
        Actor::Release(index) => cluster.releases[index as usize].helm.name_span(),
        Actor::Object(_) => Span::NONE,
    };
    let mut finding = situation.finding(&RULE.info, subject, span(end), message);
    finding.label = "the end of the critical path".to_owned();
    let mut before = std::time::Duration::ZERO;
    for id in situation.cold_start.critical_path(last) {
        let event = graph.event(id);
        let Some(time) = situation.cold_start.time(id) else { continue };
        let is_milestone = event.moment == Moment::Ready || (event.moment == Moment::Applied && time.typical > before);
        if is_milestone && time.typical > before {
            let verb = if event.moment == Moment::Ready { "Ready" } else { "applied" };
            let text = format!("{verb} after about {} (+{})", about(time.typical), about(time.typical - before));
            finding.related.push(Related::new(text, Some(subject_of(cluster, event.actor)), span(event)));
            before = time.typical;
        }
    }
    finding.why = "Counted from the first reconciliation, all images to be pulled, on slow hardware, with typical durations and no timeout: \
                   what the rollout needs. Real controllers add failed attempts and retries."
        .to_owned();
    finding.help = "shorten the longest step, or take it off the path: move what is heavy out of Kustomizations that others depend on, and \
                    drop `dependsOn` entries that nothing needs"
        .to_owned();
    Some(finding)
}
