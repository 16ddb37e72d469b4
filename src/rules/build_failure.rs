use std::collections::BTreeMap;

use super::{Context, Rule, Situation, duplicate_node::is_flux_object, uppermost::Uppermost, wording::short_list};
use crate::{
    cluster::Node,
    finding::{Category, Confidence, Finding, Location, Related, RuleInfo, Severity, Tier},
    kustomize::{Error, Fault},
    situation::{BuildFact, BuildStep},
    source::Span,
};

mod cures;
mod includers;

use cures::{answer, cure, fails_by_hand};
use includers::{includers, listed_at};

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
        findings.extend(by_fault.values().filter_map(|faults| report(context, situation, faults)));
    }
}

/// Whether another rule reports the same of the same place: a document that cannot be read, a Flux object defined twice.
fn is_reported_elsewhere(context: &Context<'_>, error: &Error) -> bool {
    let broken = context.broken.iter().any(|broken| broken.span.file == error.span.file && broken.is_in(error.span));
    broken || error.twice.as_ref().is_some_and(is_flux_object)
}

fn report(context: &Context<'_>, situation: &Situation<'_>, faults: &[&BuildFact]) -> Option<Finding> {
    let (fact, others) = faults.split_first()?;
    let (node, error) = (situation.cluster.node(fact.node), &fact.error);
    let message = match error.fault {
        Fault::Limit => format!("the build of {} is not followed to its end: {}", node.subject(), error.message),
        Fault::TooLong => format!("what {} builds is too large to be applied: {}", node.subject(), error.message),
        _ => format!("the build of {} fails: {}", node.subject(), error.message),
    };
    let mut finding = situation.finding(&RULE.info, node.subject(), fact.span, message);
    finding.label = "here".to_owned();
    let twice_listed = twice_listed(context, node, error);
    if let [first, others @ ..] = twice_listed.as_slice() {
        // One text that is taken in twice is nothing to look at: what takes it in is.
        finding.location = Location::from(*first);
        finding.label = "taken in here".to_owned();
        finding.related.extend(others.iter().map(|span| Related::new("and here", None, *span)));
        finding.related.push(Related::new("the object", None, error.span));
    } else {
        for (span, text) in &error.related {
            finding.related.push(Related::new(text.clone(), None, *span));
        }
        if let (Some(_), [(other, _), ..]) = (&error.twice, error.related.as_slice()) {
            let listed = [error.span, *other].into_iter().filter(|span| span.is_some());
            for span in listed.filter_map(|span| listed_at(context, node, span.file)) {
                finding.related.push(Related::new("listed here", None, span));
            }
        }
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
    finding.why = match error.fault {
        Fault::Limit => format!(
            "kustomize has no such limit: its controller goes on until it has no time or no memory left. What is left out is not \
             analysed.{also}"
        ),
        Fault::Bug => format!(
            "Nothing is known of this build; everything else is analysed. Please report the text above, and where this program \
             failed, which it printed.{also}"
        ),
        Fault::TooLong => format!(
            "The API server refuses it: `Too long: must have at most 1048576 bytes`. The Kustomization ends with Ready=False, \
             reason ReconciliationFailed, and nothing of the stage is applied.{also}"
        ),
        _ => format!(
            "It ends with Ready=False, reason BuildFailed{}; nothing of it is applied, and what depends on it waits.{also}",
            answer(error)
        ),
    };
    let by_hand =
        if fails_by_hand(context, node, error) { "; `kustomize build` of the path fails in the same way" } else { "" };
    finding.help = format!("{}{by_hand}", cure(context, fact, node, &twice_listed));
    Some(finding)
}

/// The entries that take in the one text of an object that is there twice.
fn twice_listed(context: &Context<'_>, node: &Node, error: &Error) -> Vec<Span> {
    let is_same = error.twice.is_some() && error.related.first().is_some_and(|(first, _)| *first == error.span);
    if is_same && error.span.is_some() { includers(context, node, error.span.file) } else { Vec::new() }
}
