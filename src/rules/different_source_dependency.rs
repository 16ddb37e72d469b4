use super::{Context, Rule, Situation, wording::list};
use crate::{
    cluster::{Node, NodeKey},
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    flux::SourceRef,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "different-source-dependency",
        summary: "A Kustomization depends on one with another source: their order does not hold within a commit.",
        category: Category::Order,
        severity: Severity::Info,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/different-source-dependency.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations.iter().filter(|situation| situation.cluster.reached) {
        findings.extend(situation.cluster.nodes.iter().filter_map(|node| report(situation, node)));
    }
}

fn source(node: &Node) -> SourceRef {
    node.source()
}

fn report(situation: &Situation<'_>, node: &Node) -> Option<Finding> {
    let cluster = situation.cluster;
    let own = source(node);
    let entries = node.kustomization.spec.depends_on.iter().enumerate();
    let others: Vec<(usize, &Node)> = entries
        // An expression takes the place of the comparison of revisions.
        .filter(|(_, entry)| entry.ready_expr.is_none())
        .filter_map(|(index, entry)| {
            let namespace = entry.namespace.as_deref().unwrap_or(&node.key.namespace);
            Some((index, cluster.node(cluster.find(&NodeKey::new(namespace, entry.name.as_str()))?)))
        })
        .filter(|(_, other)| source(other) != own)
        .collect();
    let (first, _) = others.first()?;
    let at = |index| node.kustomization.item_span(&["spec", "dependsOn"], index);
    let names: Vec<String> = others.iter().map(|(_, other)| other.subject().to_string()).collect();
    let have = if names.len() == 1 { "has another source" } else { "have other sources" };
    let message = format!("{} depends on {}, which {have}", node.subject(), list(&names));
    let mut finding = situation.finding(&RULE.info, node.subject(), at(*first), message);
    finding.label = format!("{} takes its manifests from {own}", node.key.name);
    for (_, other) in &others {
        let message = format!("takes its manifests from {}", source(other));
        let at = other.kustomization.span(&["spec", "sourceRef"]);
        finding.related.push(Related::new(message, Some(other.subject()), at));
    }
    finding.why = "A dependency counts at the same revision only where both name the same source. Here one that is Ready at its last revision is \
                   enough: after a change to both, the dependent may be applied first. On an empty cluster the order holds."
        .to_owned();
    finding.help =
        "let both name the same source where a change to both must come in order; otherwise this is no fault"
            .to_owned();
    Some(finding)
}
