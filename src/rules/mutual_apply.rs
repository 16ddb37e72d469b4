use super::{
    Context, Rule,
    deadlocks::{Case, Words, tell},
    wording::{list, subject_of},
};
use crate::{
    finding::{Category, Confidence, Finding, RuleInfo, Severity, Tier},
    graph::CycleKind,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "mutual-apply",
        summary: "Kustomizations that only each other apply, so that none of them ever exists.",
        category: Category::Deadlock,
        severity: Severity::Error,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/mutual-apply.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    tell(context, &RULE.info, CycleKind::MutualApply, |_| false, words, findings);
}

fn words(case: &Case<'_>) -> Option<Words> {
    let first = case.links.first()?;
    let members: Vec<String> =
        case.links.iter().map(|step| subject_of(case.cluster(), step.after.actor).to_string()).collect();
    let message = match members.as_slice() {
        [one] => format!("only {one} itself applies {one}"),
        _ => format!("{} are applied by each other alone", list(&members)),
    };
    Some(Words {
        message,
        why: "Nothing that exists applies the first of them, so on a fresh cluster none of them is ever created, and nothing says so: there is \
              no object that could be not Ready."
            .to_owned(),
        help: format!(
            "list one of them ({}) in a Kustomization that is applied: the cluster's entry point, or one below it",
            case.place(first.edge.span)
        ),
    })
}
