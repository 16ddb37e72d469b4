use std::collections::BTreeMap;

use super::{
    Context, Rule, Situation,
    health::dependents,
    wording::{list, names, short_list, worth},
};
use crate::{
    catalog::{KindCatalog, KindStatus, Readiness},
    cluster::{HealthMember, HealthSet, Node, NodeId},
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
            let set = HealthSet::new(node);
            let mut by_kind: BTreeMap<(&str, &str), (&'static KindStatus, Vec<&HealthMember<'_>>)> = BTreeMap::new();
            for one in set.checked().filter(|one| set.expression(&one.key).is_none()) {
                let row = KindCatalog::builtin().status(&one.key.group, &one.key.kind);
                if let Some(row) = row.filter(|row| row.readiness == Readiness::Blind && !row.harmless) {
                    by_kind
                        .entry((row.group.as_str(), row.kind.as_str()))
                        .or_insert_with(|| (row, Vec::new()))
                        .1
                        .push(one);
                }
            }
            let kinds: Vec<Blind<'_>> = by_kind.into_values().map(|(row, objects)| Blind { row, objects }).collect();
            findings.extend(report(situation, id, node, &kinds, &set));
        }
    }
}

/// A kind that the health check reads nothing off, and the objects of it that it waits for.
struct Blind<'a> {
    row: &'static KindStatus,
    objects: Vec<&'a HealthMember<'a>>,
}

impl Blind<'_> {
    /// The entry of `healthCheckExprs` for that kind in another group: one for this kind that misses it.
    fn missed(&self, node: &Node) -> Option<usize> {
        node.kustomization
            .spec
            .health_check_exprs
            .iter()
            .position(|entry| entry.kind.as_deref() == Some(self.row.kind.as_str()))
    }

    /// What to write, as part of a sentence.
    fn help(&self, node: &Node) -> String {
        let kind = &self.row.kind;
        if self.missed(node).is_some() {
            return format!("the group of {kind} is `{}`: correct the `apiVersion` of its entry", self.row.group);
        }
        match &self.row.current {
            Some(current) => {
                let written = self.objects[0].object.and_then(|object| object.node.find_str(&["apiVersion"]));
                let version = written.map_or_else(|| format!("{}/v1", self.row.group), str::to_owned);
                format!("add to `healthCheckExprs`: `{{apiVersion: {version}, kind: {kind}, current: \"{current}\"}}`")
            }
            None => format!("add an entry of `healthCheckExprs` for {kind}, or wait for what it makes"),
        }
    }
}

/// Entries of `healthCheckExprs` that are written out; more are like them.
const ENTRIES: usize = 3;

fn report(
    situation: &Situation<'_>,
    id: NodeId,
    node: &Node,
    kinds: &[Blind<'_>],
    set: &HealthSet<'_>,
) -> Option<Finding> {
    let objects: Vec<&HealthMember<'_>> = kinds.iter().flat_map(|kind| kind.objects.iter().copied()).collect();
    let first = objects.first()?;
    let subjects: Vec<String> = objects.iter().map(|one| one.key.subject().to_string()).collect();
    let are = if subjects.len() == 1 { "is" } else { "are" };
    let message =
        format!("the health check of {} cannot tell when {} {are} ready", node.subject(), short_list(&subjects, 4));
    let mut finding = situation.finding(&RULE.info, node.subject(), first.span, message);
    finding.label = format!("reads nothing off a {}", kinds[0].row.kind);
    for one in objects.iter().filter(|one| one.place() != one.span).take(4) {
        finding.related.push(Related::new("Current as soon as it exists", Some(one.key.subject()), one.place()));
    }
    let missed = kinds.iter().find_map(|kind| kind.missed(node));
    if let Some(index) = missed {
        let entry = node
            .kustomization
            .object
            .node
            .find(&["spec", "healthCheckExprs"])
            .and_then(|list| list.as_seq()?.get(index));
        let at = entry.map_or(Span::NONE, |entry| entry.nearest_span(&["apiVersion"]));
        finding.related.push(Related::new("an expression for that kind, but in another group", None, at));
    }
    let dependents: Vec<NodeId> = dependents(situation, id).into_iter().map(|(dependent, _)| dependent).collect();
    let named: Vec<String> = kinds.iter().map(|kind| kind.row.kind.to_string()).collect();
    finding.why = format!(
        "By the catalogue, the status of {} has no condition that the health check (kstatus) understands before the work is done, so the \
         object counts as healthy the moment it is applied.",
        short_list(&named, 4)
    );
    if !dependents.is_empty() {
        finding
            .why
            .push_str(&format!(" {} then start before it is.", short_list(&names(situation.cluster, &dependents), 6)));
    }
    let mut entries: Vec<String> = kinds.iter().take(ENTRIES).map(|kind| kind.help(node)).collect();
    if kinds.len() > ENTRIES {
        entries.push(format!("and likewise for {}", list(&named[ENTRIES..])));
    }
    finding.help = entries.join("; ");
    // Beside other things that are waited for, it is seldom what the dependents are after.
    let proves = |one: &HealthMember<'_>| set.expression(&one.key).is_some() || is_telling(one);
    let is_meant = missed.is_some() || objects.iter().any(|one| one.entry.is_some()) || !set.checked().any(proves);
    if dependents.is_empty() || !is_meant {
        finding.severity = Severity::Info;
    }
    finding.confidence = kinds.iter().map(|kind| worth(kind.row.confidence)).max().unwrap_or(Confidence::Low);
    Some(situation.weighed(finding, false))
}

/// Whether its health check proves anything.
fn is_telling(one: &HealthMember<'_>) -> bool {
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
