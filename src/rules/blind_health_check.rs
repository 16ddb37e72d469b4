use std::collections::BTreeMap;

use super::{
    Context, Rule, Situation,
    health::{Watched, dependents, has_expression, watched},
    wording::{names, short_list, worth},
};
use crate::{
    catalog::{KindCatalog, KindStatus, Readiness},
    cluster::{Node, NodeId},
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    flux::{Health, health_of},
    source::Span,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "blind-health-check",
        summary: "A health check on something whose status says nothing to it.",
        category: Category::Gate,
        severity: Severity::Warning,
        confidence: Confidence::Medium,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/blind-health-check.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations {
        for (id, node) in situation.cluster.nodes().filter(|(_, node)| node.has_gate()) {
            let all = watched(node);
            let mut by_kind: BTreeMap<(&str, &str), (&'static KindStatus, Vec<&Watched<'_>>)> = BTreeMap::new();
            for one in all.iter().filter(|one| !has_expression(node, &one.key)) {
                let row = KindCatalog::builtin().status(&one.key.group, &one.key.kind);
                if let Some(row) = row.filter(|row| row.readiness == Readiness::Blind && !row.harmless) {
                    by_kind.entry((row.group.as_str(), row.kind.as_str())).or_insert_with(|| (row, Vec::new())).1.push(one);
                }
            }
            for (row, blind) in by_kind.into_values() {
                findings.push(situation.weighed(report(situation, id, node, row, &blind, &all), false));
            }
        }
    }
}

fn report(
    situation: &Situation<'_>,
    id: NodeId,
    node: &Node,
    row: &'static KindStatus,
    blind: &[&Watched<'_>],
    all: &[Watched<'_>],
) -> Finding {
    let subjects: Vec<String> = blind.iter().map(|one| one.key.subject().to_string()).collect();
    let are = if subjects.len() == 1 { "is" } else { "are" };
    let message = format!("the health check of {} cannot tell when {} {are} ready", node.subject(), short_list(&subjects, 4));
    let mut finding = situation.finding(&RULE.info, node.subject(), blind[0].span, message);
    finding.label = format!("reads nothing off a {}", row.kind);
    for one in blind.iter().filter(|one| one.place() != one.span).take(4) {
        finding.related.push(Related::new("Current as soon as it exists", Some(one.key.subject()), one.place()));
    }
    let dependents: Vec<NodeId> = dependents(situation, id).into_iter().map(|(dependent, _)| dependent).collect();
    finding.why = format!(
        "The status of a {} has no condition that the health check (kstatus) understands, so the object counts as healthy the moment it is applied, as a \
         catalogue has it.",
        row.kind
    );
    if !dependents.is_empty() {
        finding.why.push_str(&format!(" What depends on it ({}) starts before it is ready.", short_list(&names(situation.cluster, &dependents), 6)));
    }
    finding.help = match &row.current {
        Some(current) => {
            let version = blind[0].object.and_then(|object| object.node.find_str(&["apiVersion"])).map_or_else(|| format!("{}/v1", row.group), str::to_owned);
            format!("add to `healthCheckExprs`: `{{apiVersion: {version}, kind: {}, current: \"{current}\"}}`", row.kind)
        }
        None => format!("add an entry of `healthCheckExprs` for {}, or wait for what it makes", row.kind),
    };
    // An entry for a kind of that name in another group is one for this kind that misses it.
    let missed = node.kustomization.spec.health_check_exprs.iter().position(|entry| entry.kind.as_deref() == Some(row.kind.as_str()));
    if let Some(index) = missed {
        let entry = node.kustomization.object.node.find(&["spec", "healthCheckExprs"]).and_then(|list| list.as_seq()?.get(index));
        let at = entry.map_or(Span::NONE, |entry| entry.nearest_span(&["apiVersion"]));
        finding.related.push(Related::new("an expression for that kind, but in another group", None, at));
        finding.help = format!("the group of {} is `{}`: correct the `apiVersion` of the entry", row.kind, row.group);
    }
    // Beside other things that are waited for, it is seldom what the dependents are after.
    let proves = |one: &Watched<'_>| has_expression(node, &one.key) || is_telling(one);
    let is_meant = missed.is_some() || blind.iter().any(|one| one.listed) || !all.iter().any(proves);
    if dependents.is_empty() || !is_meant {
        finding.severity = Severity::Info;
    }
    finding.confidence = worth(row.confidence);
    finding
}

/// Whether its health check proves anything.
fn is_telling(one: &Watched<'_>) -> bool {
    match health_of(&one.key.group, &one.key.kind) {
        Health::Awaited => true,
        Health::AtOnce => false,
        Health::Custom => KindCatalog::builtin()
            .status(&one.key.group, &one.key.kind)
            .is_none_or(|row| row.readiness != Readiness::Blind),
    }
}

#[cfg(test)]
mod tests {
    use crate::{catalog::KindCatalog, flux::expression::check_health_expr};

    #[test]
    fn expressions_that_are_advised_parse() {
        for row in KindCatalog::builtin().rows() {
            if let Some(current) = &row.current {
                assert_eq!(check_health_expr(current), Ok(()), "{} of {}: {current}", row.kind, row.group);
            }
        }
    }
}
