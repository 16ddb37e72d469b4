use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{
    Context, Rule, Situation,
    health::{dependents, key_span},
    wording::{about, list, names, short_list},
};
use crate::{
    cluster::{Cluster, NodeId},
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    graph::{Actor, Edge, EventId, Moment, Reason},
    source::Span,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "umbrella-wait",
        summary: "Dependents wait for all children of a Kustomization, where what they name lies in some of them.",
        category: Category::Time,
        severity: Severity::Info,
        confidence: Confidence::Medium,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/umbrella-wait.md"),
    },
    check,
};

/// What it must cost a dependent to be worth a word.
const COST: Duration = Duration::from_secs(120);

/// Umbrellas looked at, those that most depend on first, and dependents of each.
const LOOKED_AT: usize = 20;
const DEPENDENTS: usize = 100;

/// A Kustomization that waits for Kustomizations of its own.
struct Umbrella {
    id: NodeId,
    /// Those below it, each with the child that it lies below.
    below: BTreeMap<NodeId, NodeId>,
    /// What depends on it and is none of them, with the entry of `dependsOn`.
    outside: Vec<(NodeId, Span)>,
}

/// A dependent of an umbrella that could do with less.
struct Narrow {
    node: NodeId,
    /// The entry of `dependsOn`.
    span: Span,
    /// The children that hold what it names.
    on: BTreeSet<NodeId>,
    /// How much earlier it would start.
    saved: Duration,
}

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations.iter().filter(|situation| situation.cluster.reached) {
        let mut umbrellas: Vec<Umbrella> =
            situation.cluster.nodes().filter_map(|(id, _)| Umbrella::new(situation, id)).collect();
        umbrellas.sort_by_key(|umbrella| (Reverse(umbrella.outside.len()), umbrella.id));
        findings.extend(umbrellas.iter().take(LOOKED_AT).filter_map(|umbrella| report(situation, umbrella)));
    }
}

impl Umbrella {
    fn new(situation: &Situation<'_>, id: NodeId) -> Option<Self> {
        let node = situation.cluster.node(id);
        if !node.has_gate() || node.kustomization.spec.suspend {
            return None;
        }
        let below = below_children(situation, id);
        let outside: Vec<(NodeId, Span)> =
            dependents(situation, id).into_iter().filter(|(node, _)| !below.contains_key(node)).collect();
        (!below.is_empty() && !outside.is_empty()).then_some(Self { id, below, outside })
    }
}

/// The Kustomizations below a node, each with the child of the node that it lies below. Only where the node waits for at
/// least two of its children.
fn below_children(situation: &Situation<'_>, id: NodeId) -> BTreeMap<NodeId, NodeId> {
    let graph = &situation.graph;
    let children = graph.children(id);
    let awaited = graph.id(Actor::Node(id), Moment::Ready).map_or(0, |ready| {
        let gates = graph.inputs(ready).filter(|(_, edge)| edge.reason.is_gate());
        gates.filter(|(input, _)| children.iter().any(|child| graph.event(*input).actor == Actor::Node(*child))).count()
    });
    let mut below = BTreeMap::new();
    if awaited < 2 {
        return below;
    }
    for child in children {
        let mut open = vec![child];
        while let Some(node) = open.pop() {
            if node != id && below.insert(node, child).is_none() {
                open.extend(graph.children(node));
            }
        }
    }
    below
}

/// The Kustomizations that hold what `id` and all below it need for another reason than an order or a gate.
fn providers(situation: &Situation<'_>, id: NodeId) -> BTreeSet<NodeId> {
    let graph = &situation.graph;
    let own = graph.subtree(id);
    let mut found = BTreeSet::new();
    let mut seen: BTreeSet<EventId> = BTreeSet::new();
    let of_nodes = own.iter().flat_map(|node| graph.events_of(Actor::Node(*node)));
    let of_releases = situation.cluster.releases.iter().enumerate();
    let of_releases = of_releases
        .filter(|(_, release)| release.providers.iter().any(|provider| own.contains(&provider.node)))
        .flat_map(|(index, _)| graph.events_of(Actor::Release(index as u32)));
    let mut open: Vec<EventId> =
        of_nodes.chain(of_releases).filter(|event| graph.event(*event).moment != Moment::Exists).collect();
    while let Some(event) = open.pop() {
        for (before, edge) in graph.inputs(event) {
            let is_order = matches!(edge.reason, Reason::DependsOn | Reason::DependsOnExpr) || edge.reason.is_gate();
            if is_order || !seen.insert(before) {
                continue;
            }
            match graph.event(before).actor {
                Actor::Node(node) if own.contains(&node) => {}
                Actor::Node(node) => {
                    found.insert(node);
                }
                Actor::Release(index) => {
                    let nodes =
                        situation.cluster.releases[index as usize].providers.iter().map(|provider| provider.node);
                    found.extend(nodes.filter(|node| !own.contains(node)));
                }
                _ => open.push(before),
            }
        }
    }
    found
}

fn report(situation: &Situation<'_>, umbrella: &Umbrella) -> Option<Finding> {
    let Umbrella { id, below, outside } = umbrella;
    let id = *id;
    let cluster = situation.cluster;
    let all: BTreeSet<NodeId> = below.values().copied().collect();
    let mut narrow: Vec<Narrow> =
        outside.iter().take(DEPENDENTS).filter_map(|(node, span)| narrow(situation, id, below, *node, *span)).collect();
    narrow.retain(|narrow| narrow.saved >= COST && narrow.on.len() < all.len());
    narrow.sort_by_key(|narrow| (Reverse(narrow.saved), narrow.node));
    let first = narrow.first()?;
    let node = cluster.node(id);
    let whom: Vec<NodeId> = narrow.iter().map(|narrow| narrow.node).collect();
    let needed: BTreeSet<NodeId> = narrow.iter().flat_map(|narrow| narrow.on.iter().copied()).collect();
    let in_some = |nodes: &BTreeSet<NodeId>| list(&names(cluster, &nodes.iter().copied().collect::<Vec<_>>()));
    let message = format!(
        "{} is Ready only when all {} Kustomizations that it applies are; {} {} of them only what {} {}, and could start about {} earlier",
        node.subject(),
        all.len(),
        short_list(&names(cluster, &whom), 6),
        if whom.len() == 1 { "names" } else { "name" },
        in_some(&needed),
        if needed.len() == 1 { "holds" } else { "hold" },
        about(first.saved)
    );
    let key = if node.kustomization.spec.wait { "wait" } else { "healthChecks" };
    let mut finding = situation.finding(&RULE.info, node.subject(), key_span(node, key), message);
    finding.label = "Ready only when every child is".to_owned();
    for narrow in narrow.iter().take(8) {
        let subject = cluster.node(narrow.node).subject();
        let text =
            format!("names what {} holds; would start about {} earlier", in_some(&narrow.on), about(narrow.saved));
        finding.related.push(Related::new(text, Some(subject), narrow.span));
    }
    let ready = |id: NodeId| situation.repaired.ready(&situation.graph, id).map(|range| about(range.typical));
    let slowest = all.iter().copied().filter(|child| !needed.contains(child));
    let slowest = slowest.max_by_key(|child| {
        (situation.repaired.ready(&situation.graph, *child).map(|range| range.typical), Reverse(*child))
    });
    finding.why = match slowest.and_then(|child| Some((child, ready(child)?, ready(id)?))) {
        Some((child, at, whole)) => format!(
            "In a cold start on {} hardware {} is Ready after about {at}, so {} after about {whole}, and what depends on it waits as long. What a \
             container needs at run time cannot be seen here.",
            situation.durations.profile(),
            cluster.node(child).key.name,
            node.key.name,
        ),
        None => "What a container needs at run time cannot be seen here.".to_owned(),
    };
    finding.help = help(cluster, id, &narrow);
    Some(finding)
}

fn help(cluster: &Cluster, id: NodeId, narrow: &[Narrow]) -> String {
    let mut by_need: BTreeMap<&BTreeSet<NodeId>, Vec<NodeId>> = BTreeMap::new();
    for narrow in narrow {
        by_need.entry(&narrow.on).or_default().push(narrow.node);
    }
    let ways: Vec<String> = by_need
        .iter()
        .map(|(on, nodes)| {
            let entries: Vec<String> = on
                .iter()
                .map(|child| {
                    let child = cluster.node(*child);
                    let is_same = nodes.iter().all(|node| cluster.node(*node).key.namespace == child.key.namespace);
                    let namespace =
                        if is_same { String::new() } else { format!(", namespace: {}", child.key.namespace) };
                    format!("`{{name: {}{namespace}}}`", child.key.name)
                })
                .collect();
            format!("{} depend on {}", short_list(&names(cluster, nodes), 6), list(&entries))
        })
        .collect();
    format!("let {} in place of `{}`", list(&ways), cluster.node(id).key.name)
}

/// What of the umbrella the dependent names, and how much earlier it would start if it waited for that alone.
fn narrow(
    situation: &Situation<'_>,
    id: NodeId,
    below: &BTreeMap<NodeId, NodeId>,
    node: NodeId,
    span: Span,
) -> Option<Narrow> {
    let cluster = situation.cluster;
    let providers = providers(situation, node);
    // Objects of the umbrella itself come with no child.
    if providers.contains(&id) {
        return None;
    }
    let on: BTreeSet<NodeId> = providers.iter().filter_map(|provider| below.get(provider).copied()).collect();
    if on.is_empty() || cluster.node(node).manifests.len() > 1 {
        return None;
    }
    // Ready says nothing of what the others hold.
    if !on.iter().all(|child| cluster.node(*child).has_gate()) {
        return None;
    }
    let (graph, cold_start) = (&situation.graph, &situation.repaired);
    let start = graph.id(Actor::Node(node), Moment::Start)?;
    let others = graph.inputs(start).filter(|(input, _)| graph.event(*input).actor != Actor::Node(id));
    let others = others.map(|(input, edge)| Some(delayed(situation, node, edge, cold_start.time(input)?.typical)));
    let needed = on.iter().map(|child| {
        let ready = cold_start.ready(graph, *child)?;
        Some(ready.typical + situation.durations.poll(Actor::Node(node)).typical)
    });
    let earliest = others.chain(needed).collect::<Option<Vec<Duration>>>()?.into_iter().max()?;
    let saved = cold_start.time(start)?.typical.checked_sub(earliest)?;
    Some(Narrow { node, span, on, saved })
}

/// When an input lets the node start: dependencies are looked at now and then.
fn delayed(situation: &Situation<'_>, node: NodeId, edge: &Edge, time: Duration) -> Duration {
    match edge.reason {
        Reason::DependsOn | Reason::DependsOnExpr => time + situation.durations.poll(Actor::Node(node)).typical,
        _ => time,
    }
}
