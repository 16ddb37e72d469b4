use std::collections::BTreeSet;

use super::{Context, Rule, Situation, wording::short_list};
use crate::{
    cluster::{Cluster, NodeId},
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    graph::{Actor, Moment, Reason},
    source::Span,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "wait-starvation",
        summary: "Kustomizations that wait for each other's children take all workers, so that the last of them cannot run.",
        category: Category::Deadlock,
        severity: Severity::Error,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/wait-starvation.md"),
    },
    check,
};

/// Workers of kustomize-controller (v1.9, `--concurrent`).
fn workers(cluster: &Cluster) -> usize {
    cluster.controllers.kustomize.workers().value as usize
}

/// Deeper than this, a chain is followed no further.
const DEEPEST: usize = 200;

/// The longest chain of Kustomizations, each waiting for the next, from one of them on: its length, and the next one with the text that
/// waits for it.
type Chain = (usize, Option<(NodeId, Span)>);

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations.iter().filter(|situation| situation.cluster.reached) {
        let count = situation.cluster.nodes.len();
        let mut known: Vec<Option<Chain>> = vec![None; count];
        for (id, _) in situation.cluster.nodes() {
            chain(situation, id, &mut known, 0);
        }
        let waited_for: BTreeSet<NodeId> =
            known.iter().flatten().filter_map(|(_, next)| next.map(|(id, _)| id)).collect();
        let tops = situation.cluster.nodes().map(|(id, _)| id).filter(|id| !waited_for.contains(id));
        let longest =
            tops.filter(|id| known[id.index()].is_some_and(|(length, _)| length >= workers(situation.cluster)));
        findings.extend(longest.map(|top| report(situation, top, &known)));
    }
}

/// Computes the chain from `id` on. Loops are deadlocks of another kind, and end it.
fn chain(situation: &Situation<'_>, id: NodeId, known: &mut [Option<Chain>], level: usize) -> usize {
    if let Some((length, _)) = known[id.index()] {
        return length;
    }
    if level > DEEPEST {
        return 0;
    }
    known[id.index()] = Some((0, None));
    let mut longest: Chain = (0, None);
    for (next, span) in awaited(situation, id) {
        let length = chain(situation, next, known, level + 1) + 1;
        if length > longest.0 {
            longest = (length, Some((next, span)));
        }
    }
    known[id.index()] = Some(longest);
    longest.0
}

/// The Kustomizations that one applies itself and waits for.
fn awaited(situation: &Situation<'_>, id: NodeId) -> Vec<(NodeId, Span)> {
    let Some(ready) = situation.graph.id(Actor::Node(id), Moment::Ready) else { return Vec::new() };
    let waits =
        situation.graph.inputs(ready).filter(|(_, edge)| matches!(edge.reason, Reason::Wait | Reason::HealthCheck));
    let nodes = waits.filter_map(|(input, edge)| match situation.graph.event(input).actor {
        Actor::Node(node) => Some((node, edge.span)),
        _ => None,
    });
    let own = &situation.cluster.node(id).key;
    nodes
        .filter(|(node, _)| {
            let child = situation.cluster.node(*node);
            !child.kustomization.spec.suspend
                && child.manifests.iter().any(|manifest| manifest.owner.as_ref() == Some(own))
        })
        .collect()
}

fn report(situation: &Situation<'_>, top: NodeId, known: &[Option<Chain>]) -> Finding {
    let cluster = situation.cluster;
    let mut links = Vec::new();
    let mut at = top;
    while let Some((_, Some((next, span)))) = known[at.index()] {
        links.push((at, next, span));
        at = next;
    }
    let chain: Vec<String> =
        links.iter().map(|(node, ..)| *node).chain([at]).map(|node| cluster.node(node).key.name.to_string()).collect();
    let workers = workers(cluster);
    let subject = cluster.node(top).subject();
    let message = format!(
        "{} Kustomizations wait one inside the other ({}), and kustomize-controller has {workers} workers: none is left for {}",
        links.len(),
        short_list(&chain[..links.len()], 8),
        chain.get(workers).or(chain.last()).map_or("", String::as_str)
    );
    let first = links.first().map_or(Span::NONE, |(_, _, span)| *span);
    let mut finding = situation.finding(&RULE.info, subject, first, message);
    finding.label = format!("{} waits for {}", chain[0], chain.get(1).map_or("", String::as_str));
    for (node, next, span) in links.iter().skip(1) {
        let (node, next) = (cluster.node(*node), cluster.node(*next));
        finding.related.push(Related::new(
            format!("{} waits for {}", node.key.name, next.key.name),
            Some(node.subject()),
            *span,
        ));
    }
    finding.why = format!(
        "A health check runs inside the reconciliation, so each of them holds one of kustomize-controller's {workers} workers \
         (`--concurrent`) until its child is Ready. With {workers} of them waiting, no worker is left for {}: they wait until one gives up \
         at its timeout (HealthCheckFailed), and every other Kustomization waits meanwhile. It is the same at each commit.",
        chain.get(workers).or(chain.last()).map_or("", String::as_str)
    );
    finding.help = "remove `wait: true` from the Kustomizations that only apply other Kustomizations, and order their children with `dependsOn`, \
                    which holds no worker; or raise `--concurrent`"
        .to_owned();
    finding
}
