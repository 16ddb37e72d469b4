use super::{
    Context, Rule,
    deadlocks::{Case, Words, tell},
};
use crate::{
    finding::{Category, Confidence, Finding, RuleInfo, Severity, Tier},
    graph::{CycleKind, Reason},
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "volume-deadlock",
        summary: "A Kustomization waits for a volume claim that is bound only once something after it uses it.",
        category: Category::Deadlock,
        severity: Severity::Error,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/volume-deadlock.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let is_first = |step: &crate::graph::Step| {
        step.edge.reason.is_gate() && matches!(step.before.actor, crate::graph::Actor::Object(_))
    };
    tell(context, &RULE.info, CycleKind::Volume, is_first, words, findings);
}

fn words(case: &Case<'_>) -> Option<Words> {
    let (waiting, claim) = (case.waiting()?, case.wanted()?);
    let gate = case.links.first()?;
    let used = case.links.iter().rev().find(|step| step.edge.reason == Reason::Consumer)?;
    let key = if gate.edge.reason == Reason::Wait { "wait: true" } else { "healthChecks" };
    Some(Words {
        message: format!(
            "{waiting} waits for {claim}, which is bound only once something uses it, and its user comes after {waiting}"
        ),
        why: format!(
            "With `volumeBindingMode: WaitForFirstConsumer` a claim stays Pending until a pod that uses it is scheduled, and kstatus calls \
             Pending in progress: the health check ends after its timeout (`timeout waiting for: [{claim} status: 'InProgress']`), reason \
             HealthCheckFailed, and the next one ends the same way.",
        ),
        help: format!(
            "move {claim} beside its user ({}), or replace `{key}` at {} by `healthChecks` on what else counts",
            case.place(used.edge.span),
            case.place(gate.edge.span)
        ),
    })
}
