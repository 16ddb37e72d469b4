use super::{
    Context, Rule,
    deadlocks::{Case, Words, tell},
};
use crate::{
    finding::{Category, Confidence, Finding, RuleInfo, Severity, Tier},
    graph::{CycleKind, Moment, Reason},
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "class-deadlock",
        summary: "An object of a kind that ends in `Class` keeps the controller from being applied that it needs.",
        category: Category::Deadlock,
        severity: Severity::Error,
        confidence: Confidence::Medium,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/class-deadlock.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let is_first =
        |step: &crate::graph::Step| step.edge.reason == Reason::NeedsKind && step.after.moment == Moment::Classified;
    tell(context, &RULE.info, CycleKind::Class, is_first, words, findings);
}

fn words(case: &Case<'_>) -> Option<Words> {
    let object = case.object()?;
    let id = object.id();
    let (waiting, provider) = (case.waiting()?, case.provider()?);
    Some(Words {
        message: format!("{waiting} applies {id} before {provider}, which provides its CRD"),
        why: format!(
            "Since Flux 2.7 kustomize-controller applies every kind that ends in `Class` in a stage of its own, waits up to 60 s for it, \
             and goes on with the rest only then. The dry-run of this one fails (`no matches for kind \"{}\"`), so the stage with {provider} \
             is never reached: Ready=False, reason ReconciliationFailed, again and again.",
            id.kind
        ),
        help: case.move_behind_provider(object)?,
    })
}
