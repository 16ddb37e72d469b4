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
        id: "crd-deadlock",
        summary: "A custom resource keeps the chart from being applied that installs its CRD.",
        category: Category::Deadlock,
        severity: Severity::Error,
        confidence: Confidence::Medium,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/crd-deadlock.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let is_first = |step: &crate::graph::Step| step.edge.reason == Reason::NeedsKind;
    tell(context, &RULE.info, CycleKind::Crd, is_first, words, findings);
}

fn words(case: &Case<'_>) -> Option<Words> {
    let object = case.object()?;
    let id = object.id();
    let (waiting, provider) = (case.waiting()?, case.provider()?);
    let api_version = object.node.find_str(&["apiVersion"]).unwrap_or_default();
    Some(Words {
        message: format!("{waiting} applies {id}, whose CRD only {provider} provides, and that comes after it"),
        why: format!(
            "kustomize-controller tries every object of a stage in a dry-run before it applies any. This one fails (`no matches for kind \
             \"{}\" in version \"{api_version}\"`), so nothing of the stage is applied: Ready=False, reason ReconciliationFailed, and every \
             retry ends the same way.",
            id.kind
        ),
        help: format!(
            "{}; or apply the CRDs with a Kustomization that comes before both",
            case.move_behind_provider(object)?
        ),
    })
}
