use std::collections::{BTreeMap, BTreeSet};

use super::{Context, Rule, Situation, wording::names};
use crate::{
    cluster::{Node, NodeId, NodeKey},
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Subject, Tier},
    flux::{HelmRelease, SourceRef},
    situation::SuspendedSourceFact,
    source::Span,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "suspended-dependency",
        summary: "Something waits for an object that is suspended in Git.",
        category: Category::Reference,
        severity: Severity::Warning,
        confidence: Confidence::Medium,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/suspended-dependency.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations.iter().filter(|situation| situation.cluster.reached) {
        let cluster = situation.cluster;
        for node in cluster.nodes.iter().filter(|node| !node.kustomization.spec.suspend) {
            findings.extend(of_node(situation, node));
        }
        for release in cluster.releases.iter().filter(|release| !release.helm.spec.suspend) {
            let (subject, key) = (release.subject(), &release.key);
            for (index, entry) in release.helm.spec.depends_on.iter().enumerate() {
                let wanted = NodeKey::new(entry.namespace.as_deref().unwrap_or(&key.namespace), entry.name.as_str());
                let found = cluster.release(&wanted).map(|index| &cluster.releases[index].helm);
                if let Some(other) = found.filter(|other| other.spec.suspend && entry.ready_expr.is_none()) {
                    let at = release.helm.item_span(&["spec", "dependsOn"], index);
                    findings.push(release_report(situation, &subject, at, (&wanted, other)));
                }
            }
        }
        let mut by_owner: BTreeMap<&NodeKey, Vec<NodeId>> = BTreeMap::new();
        for (id, node) in cluster.nodes().filter(|(_, node)| node.kustomization.spec.suspend) {
            let own = node.definitions.iter().filter(|definition| definition.resource_set.is_none());
            let owners: BTreeSet<&NodeKey> = own.filter_map(|definition| definition.owner.as_ref()).collect();
            for owner in owners.into_iter().filter(|owner| **owner != node.key) {
                by_owner.entry(owner).or_default().push(id);
            }
        }
        findings.extend(cluster.nodes.iter().filter_map(|node| contained(situation, node, by_owner.get(&node.key))));
        findings.extend(situation.facts.suspended_sources.iter().filter_map(|fact| source_report(situation, fact)));
    }
}

/// Dependencies of a Kustomization that are suspended.
fn of_node<'f>(situation: &'f Situation<'_>, node: &'f Node) -> impl Iterator<Item = Finding> + 'f {
    let cluster = situation.cluster;
    let entries = node.kustomization.spec.depends_on.iter().enumerate().filter(|(_, entry)| entry.ready_expr.is_none());
    entries.filter_map(move |(index, entry)| {
        let namespace = entry.namespace.as_deref().unwrap_or(&node.key.namespace);
        let other = cluster.node(cluster.find(&NodeKey::new(namespace, entry.name.as_str()))?);
        if !other.kustomization.spec.suspend {
            return None;
        }
        let at = node.kustomization.item_span(&["spec", "dependsOn"], index);
        let message = format!("{} depends on {}, which is suspended", node.subject(), other.subject());
        let mut finding = situation.finding(&RULE.info, node.subject(), at, message);
        finding.label = "never looked at by its controller".to_owned();
        finding.related.push(suspended(other.subject(), other.kustomization.span(&["spec", "suspend"])));
        let source = |node: &Node| SourceRef::of(&node.kustomization.spec.source_ref, &node.key.namespace);
        let running = if source(node) == source(other) {
            "In a running one it waits from the next commit on, since the dependency keeps its last revision (`revision is not up to date`)."
        } else {
            "In a running one the last revision that was applied still counts, since their sources differ."
        };
        finding.why = format!(
            "In a new cluster the dependency never becomes Ready, so it stays at Ready=False, reason DependencyNotReady, and asks again every {} s. \
             {running}",
            cluster.controllers.kustomize.requeue_dependency().value.as_secs()
        );
        finding.help = "take the entry out while the dependency is suspended, suspend the dependent too, or resume the dependency".to_owned();
        Some(finding)
    })
}

fn release_report(situation: &Situation<'_>, subject: &Subject, at: Span, other: (&NodeKey, &HelmRelease)) -> Finding {
    let (key, helm) = other;
    let named = key.subject("HelmRelease");
    let mut finding =
        situation.finding(&RULE.info, subject.clone(), at, format!("{subject} depends on {named}, which is suspended"));
    finding.label = "never looked at by its controller".to_owned();
    finding.related.push(suspended(named, helm.span(&["spec", "suspend"])));
    finding.why = format!(
        "In a new cluster the dependency is never installed, so it stays at Ready=False, reason DependencyNotReady, and asks again every {} s. In a \
         running one it goes on while the dependency stays Ready, until the spec of that changes.",
        situation.cluster.controllers.helm.requeue_dependency().value.as_secs()
    );
    finding.help =
        "take the entry out while the dependency is suspended, suspend the dependent too, or resume the dependency"
            .to_owned();
    finding
}

/// Users shown with a suspended source.
const SHOWN: usize = 5;

/// A suspended source that something waits for.
fn source_report(situation: &Situation<'_>, fact: &SuspendedSourceFact) -> Option<Finding> {
    let mut waiting: Vec<String> = fact.waiting.iter().map(|one| one.subject.to_string()).collect();
    waiting.sort_unstable();
    waiting.dedup();
    let who = match waiting.as_slice() {
        [] => return None,
        [one] => format!("{one} waits"),
        several => format!("{} objects wait", several.len()),
    };
    let message = format!("{} is suspended, and {who} for it", fact.subject);
    let mut finding = situation.finding(&RULE.info, fact.subject.clone(), fact.span, message);
    finding.label = "never looked at by its controller".to_owned();
    for one in fact.waiting.iter().take(SHOWN) {
        let how = one
            .content
            .map_or_else(|| "waits until it is Ready".to_owned(), |what| format!("takes its {what} from it"));
        finding.related.push(Related::new(how, Some(one.subject.clone()), one.span));
    }
    finding.why = "In a new cluster it is never fetched, so it has no artifact: a Kustomization that takes from it stays at Ready=False, reason \
                   ArtifactFailed (`Source artifact not found`), a HelmRelease at SourceNotReady, and a Kustomization that applies it with `wait: true` \
                   runs into its timeout. In a running one the last artifact still counts."
        .to_owned();
    finding.help = "resume the source, or suspend what takes from it as well".to_owned();
    Some(finding)
}

fn suspended(subject: Subject, at: Span) -> Related {
    Related::new("suspended here", Some(subject), at)
}

/// A Kustomization that waits for suspended ones: all that it applies, which are `own`, or those it names.
fn contained(situation: &Situation<'_>, parent: &Node, own: Option<&Vec<NodeId>>) -> Option<Finding> {
    let cluster = situation.cluster;
    let spec = &parent.kustomization.spec;
    if !parent.has_gate() || spec.suspend {
        return None;
    }
    let children: Vec<NodeId> = if spec.wait {
        own.cloned().unwrap_or_default()
    } else {
        let checks = spec.health_checks.iter().filter(|check| check.kind == "Kustomization");
        let named =
            checks.filter_map(|check| cluster.find(&NodeKey::new(check.namespace.as_deref()?, check.name.as_str())));
        named.filter(|child| cluster.node(*child).kustomization.spec.suspend).collect()
    };
    let first = cluster.node(*children.first()?);
    let at = if parent.kustomization.spec.wait { ["spec", "wait"] } else { ["spec", "healthChecks"] };
    let (are, list) = if children.len() == 1 {
        ("is", first.subject().to_string())
    } else {
        ("are", names(cluster, &children).join(", "))
    };
    let message = format!("{} waits for {list}, which {are} suspended", parent.subject());
    let mut finding = situation.finding(&RULE.info, parent.subject(), parent.kustomization.span(&at), message);
    finding.label = "waits for what it applies".to_owned();
    for child in &children {
        let child = cluster.node(*child);
        finding.related.push(suspended(child.subject(), child.kustomization.span(&["spec", "suspend"])));
    }
    finding.why = "In a new cluster a suspended Kustomization is never reconciled and reads as InProgress, so the health check runs into its timeout \
                   (HealthCheckFailed, `timeout waiting for`), and what depends on the parent waits. Where it was Ready before it was suspended, \
                   nothing happens."
        .to_owned();
    finding.help = "take what is suspended out of `resources`, or let the parent name what it waits for in `healthChecks` in place of `wait`".to_owned();
    Some(finding)
}
