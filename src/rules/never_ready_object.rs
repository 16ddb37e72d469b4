use std::collections::BTreeSet;

use super::{
    Context, Rule, Situation,
    health::{Watched, has_expression, hides_objects, watched},
    wording::worth,
};
use crate::{
    catalog::{KindCatalog, Readiness},
    cluster::{Cluster, Node, ObjectKey},
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    source::Span,
    yaml::{self, Value},
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "never-ready-object",
        summary: "A Kustomization waits for an object that never becomes healthy.",
        category: Category::Gate,
        severity: Severity::Error,
        confidence: Confidence::Medium,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/never-ready-object.md"),
    },
    check,
};

const CLAIM: &str = "PersistentVolumeClaim";

/// Why an object never becomes Current.
struct Fault {
    /// In the words of the message.
    what: &'static str,
    span: Span,
    label: String,
    why: String,
    help: String,
    confidence: Confidence,
    related: Vec<Related>,
}

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations {
        let cluster = situation.cluster;
        let nodes = cluster.nodes.iter().filter(|node| node.has_gate() && !node.is_remote());
        let mut found = Vec::new();
        let is_hidden = cluster.nodes.iter().any(hides_objects);
        for node in nodes {
            for one in watched(node) {
                let fault =
                    paused(&one).or_else(|| never(node, &one)).or_else(|| unbound(cluster, is_hidden, node, &one));
                found.extend(fault.map(|fault| (node, one, fault)));
            }
        }
        let claims: BTreeSet<&str> =
            found.iter().filter(|(_, one, _)| one.key.kind == CLAIM).map(|(_, one, _)| one.key.name.as_str()).collect();
        let used = if claims.is_empty() { BTreeSet::new() } else { used(cluster, &claims) };
        let idle = found.iter().filter(|(_, one, _)| one.key.kind != CLAIM || !used.contains(one.key.name.as_str()));
        findings.extend(idle.map(|(node, one, fault)| situation.weighed(report(situation, node, one, fault), true)));
    }
}

fn report(situation: &Situation<'_>, node: &Node, one: &Watched<'_>, fault: &Fault) -> Finding {
    let message = format!("{} waits for {}, {}", node.subject(), one.key.subject(), fault.what);
    let mut finding = situation.finding(&RULE.info, one.key.subject(), fault.span, message);
    finding.label.clone_from(&fault.label);
    finding.related.push(Related::new("waits for it", Some(node.subject()), one.span));
    finding.related.extend(fault.related.iter().cloned());
    finding.why = format!(
        "{} The health check ends after its timeout with reason HealthCheckFailed (`timeout waiting for: [… status: 'InProgress']`), again and again; {} \
         is never Ready, and its dependents wait.",
        fault.why, node.key.name
    );
    finding.help.clone_from(&fault.help);
    finding.confidence = fault.confidence;
    finding
}

/// A Deployment that is created paused rolls nothing out (cli-utils v1.2 kstatus, `core.go`, `deploymentConditions`: asks
/// for `NewReplicaSetAvailable`).
fn paused(one: &Watched<'_>) -> Option<Fault> {
    if (one.key.group.as_str(), one.key.kind.as_str()) != ("apps", "Deployment") {
        return None;
    }
    let node = &one.object?.node;
    let paused = node.find(&["spec", "paused"]).filter(|paused| paused.as_bool() == Some(true))?;
    Some(Fault {
        what: "which is paused",
        span: paused.span.or(one.place()),
        label: "rolls nothing out".to_owned(),
        why: "A paused Deployment makes no pods on a fresh cluster, and its Progressing condition says DeploymentPaused, which is not what the \
              health check asks for."
            .to_owned(),
        help: "remove `paused`, or set `replicas: 0` to have none of it".to_owned(),
        confidence: Confidence::Medium,
        related: Vec::new(),
    })
}

/// A kind whose Ready condition stays false.
fn never(node: &Node, one: &Watched<'_>) -> Option<Fault> {
    if has_expression(node, &one.key) {
        return None;
    }
    let row = KindCatalog::builtin().status(&one.key.group, &one.key.kind)?;
    if row.readiness != Readiness::Never {
        return None;
    }
    let help = match &row.current {
        Some(current) => format!("add to `healthCheckExprs`: `{{apiVersion: {}/v1, kind: {}, current: \"{current}\"}}`", row.group, row.kind),
        None => "replace `wait: true` by `healthChecks` that leave it out, or add an entry of `healthCheckExprs` for the kind".to_owned(),
    };
    Some(Fault {
        what: "which never becomes Ready",
        span: one.place(),
        label: "its Ready condition stays false".to_owned(),
        why: format!(
            "The Ready condition of a {} is false as long as it does its work, as a catalogue has it.",
            row.kind
        ),
        help,
        confidence: worth(row.confidence),
        related: Vec::new(),
    })
}

/// A claim that nothing uses, of a class that binds when something does (cli-utils v1.2 kstatus, `core.go`,
/// `pvcConditions`: phase `Bound`).
fn unbound(cluster: &Cluster, is_hidden: bool, node: &Node, one: &Watched<'_>) -> Option<Fault> {
    if one.key.kind != CLAIM || !one.key.group.is_empty() || one.key.is_unresolved() {
        return None;
    }
    let claim = &one.object?.node;
    let class = claim.find(&["spec", "storageClassName"])?;
    let key = ObjectKey {
        group: "storage.k8s.io".into(),
        kind: "StorageClass".into(),
        namespace: "".into(),
        name: class.as_str()?.into(),
    };
    let provider = cluster.objects.get(&key)?.first()?;
    let storage = &cluster.object(*provider).node;
    let mode = storage.find(&["volumeBindingMode"]).filter(|mode| mode.as_str() == Some("WaitForFirstConsumer"))?;
    if claim.find(&["spec", "volumeName"]).is_some() {
        return None;
    }
    Some(Fault {
        what: "which nothing in this cluster uses",
        span: one.place(),
        label: "stays Pending without a pod that mounts it".to_owned(),
        why: format!(
            "Volumes of the class `{}` are bound when the first pod that mounts them is scheduled (WaitForFirstConsumer), and no manifest names the \
             claim; until then it is Pending.",
            key.name
        ),
        help: format!(
            "move the claim into the Kustomization that mounts it, or leave it out of the health check of {}",
            node.key.name
        ),
        confidence: if is_hidden { Confidence::Low } else { Confidence::Medium },
        related: vec![Related::new("binds only then", Some(key.subject()), mode.span)],
    })
}

/// Bytes of text that are searched for names of claims; where there is more, each counts as named.
const SEARCHED: usize = 500_000_000;

/// The claims that some object names: as the volume of a pod, in the values of a chart, or for a backup.
fn used<'c>(cluster: &Cluster, claims: &BTreeSet<&'c str>) -> BTreeSet<&'c str> {
    let mut used = BTreeSet::new();
    let mut left = SEARCHED;
    for (key, providers) in &cluster.objects {
        if let Some(provider) = providers.first() {
            let own = (key.kind == CLAIM).then_some(key.name.as_str());
            mentioned(&cluster.object(*provider).node, own, claims, &mut used, &mut left);
        }
    }
    used
}

fn mentioned<'c>(
    node: &yaml::Node,
    own: Option<&str>,
    claims: &BTreeSet<&'c str>,
    used: &mut BTreeSet<&'c str>,
    left: &mut usize,
) {
    match &node.value {
        Value::Str(text) if text.contains(char::is_whitespace) => {
            let work = text.len().saturating_mul(claims.len());
            let is_searched = work <= *left;
            *left -= work.min(*left);
            used.extend(claims.iter().filter(|claim| !is_searched || text.contains(**claim)));
        }
        Value::Str(text) => used.extend(claims.get(text.as_str()).filter(|claim| own != Some(**claim))),
        Value::Map(map) => map.entries().iter().for_each(|entry| mentioned(&entry.value, own, claims, used, left)),
        Value::Seq(items) => items.iter().for_each(|item| mentioned(item, own, claims, used, left)),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Uint(_) | Value::Float(_) => {}
    }
}
