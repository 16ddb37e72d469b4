use std::collections::BTreeMap;

use super::{Context, Rule, Situation, duplicate_node::is_flux_object, uppermost::Uppermost, wording::short_list};
use crate::{
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    kustomize::Error,
    situation::{BuildFact, BuildStep},
    source::Span,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "build-failure",
        summary: "`kustomize build` of a path fails.",
        category: Category::Build,
        severity: Severity::Error,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/build-failure.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations {
        for (_, node) in situation.cluster.nodes() {
            findings.extend(Uppermost::new(context, node).map(|uppermost| uppermost.report(situation)));
        }
        let mut by_fault: BTreeMap<(Span, &str), Vec<&BuildFact>> = BTreeMap::new();
        for fact in situation.facts.builds.iter().filter(|fact| fact.step == BuildStep::Kustomize) {
            let node = situation.cluster.node(fact.node);
            let is_twice = || fact.error.twice.is_some() && Uppermost::new(context, node).is_some();
            if !is_reported_elsewhere(context, &fact.error) && !is_twice() {
                by_fault.entry((fact.error.span, &fact.error.message)).or_default().push(fact);
            }
        }
        findings.extend(by_fault.values().filter_map(|faults| report(situation, faults)));
    }
}

/// Whether another rule reports the same of the same place: a document that cannot be read, a Flux object defined twice.
fn is_reported_elsewhere(context: &Context<'_>, error: &Error) -> bool {
    let broken = context.broken.iter().any(|broken| broken.span.file == error.span.file && broken.is_in(error.span));
    broken || error.twice.as_ref().is_some_and(is_flux_object)
}

fn report(situation: &Situation<'_>, faults: &[&BuildFact]) -> Option<Finding> {
    let (fact, others) = faults.split_first()?;
    let (node, error) = (situation.cluster.node(fact.node), &fact.error);
    let message = format!("the build of {} fails: {}", node.subject(), error.message);
    let mut finding = situation.finding(&RULE.info, node.subject(), fact.span, message);
    finding.label = "here".to_owned();
    for (span, text) in &error.related {
        finding.related.push(Related::new(text.clone(), None, *span));
    }
    let mut others: Vec<String> =
        others.iter().map(|fact| situation.cluster.node(fact.node).subject().to_string()).collect();
    others.retain(|other| *other != node.subject().to_string());
    others.dedup();
    let also =
        if others.is_empty() { String::new() } else { format!(" The same fault fails {}.", short_list(&others, 5)) };
    finding.related.push(Related::new(
        "this path is built",
        Some(node.subject()),
        node.kustomization.span(&["spec", "path"]),
    ));
    finding.why = format!(
        "It ends with Ready=False, reason BuildFailed; nothing of it is applied, and what depends on it waits.{also}"
    );
    finding.help = "correct the place shown; `kustomize build` of the path fails in the same way".to_owned();
    Some(finding)
}
