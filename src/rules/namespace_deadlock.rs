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
        id: "namespace-deadlock",
        summary: "An object needs a namespace that is made only after it is applied.",
        category: Category::Deadlock,
        severity: Severity::Error,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/namespace-deadlock.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let is_first = |step: &crate::graph::Step| step.edge.reason == Reason::NeedsNamespace;
    tell(context, &RULE.info, CycleKind::Namespace, is_first, words, findings);
}

fn words(case: &Case<'_>) -> Option<Words> {
    let object = case.object()?;
    let id = object.id();
    let (waiting, namespace, provider) = (case.waiting()?, case.wanted()?.name, case.provider()?);
    Some(Words {
        message: format!("{waiting} applies {id} into a namespace that only {provider} makes, and that comes after it"),
        why: format!(
            "kustomize-controller tries every object of a stage in a dry-run before it applies any. This one fails (`namespaces \
             \"{namespace}\" not found`), so nothing of the stage is applied: Ready=False, reason ReconciliationFailed, and every retry ends \
             the same way."
        ),
        help: format!(
            "add a Namespace `{namespace}` to the build of {waiting}, whose first stage creates it before the rest; or move {id} ({}) into a \
             Kustomization that comes after {provider}",
            case.place(object.place()),
        ),
    })
}
