use std::{cmp::Reverse, collections::BTreeSet, time::Duration};

use super::{
    Context, Rule, Situation,
    wording::{about, short_list},
};
use crate::{
    catalog::{Catalog, CrdCatalog, CrdOwner},
    cluster::{Cluster, NodeId, chart_of},
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    graph::{Actor, Event, EventId, Moment, Reason},
    source::Span,
    yaml::{Node as Yaml, Value},
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "unneeded-dependency",
        summary: "A `dependsOn` entry costs minutes, and nothing shows what it is for.",
        category: Category::Time,
        severity: Severity::Info,
        confidence: Confidence::Low,
        tier: Tier::Pedantic,
        since: "0.1.0",
        page: include_str!("../../rules/unneeded-dependency.md"),
    },
    check,
};

/// What an entry has to cost to be worth a word.
const COST: Duration = Duration::from_secs(120);
/// Entries looked at closely, the dearest first.
const LOOKED_AT: usize = 200;
/// Most comparisons of a text with a name for one entry; beyond, nothing is said.
const COMPARISONS: usize = 20_000_000;
/// Shorter names turn up in any text.
const WORD: usize = 3;

/// What charts of these kinds install serves people who look at a cluster; what runs there does not need it to start.
/// All other kinds act on objects that do not name them.
const PASSIVE: &[&str] = &["stack", "exporter"];

/// An entry that decides when its Kustomization starts.
struct Costly {
    node: NodeId,
    on: NodeId,
    span: Span,
    cost: Duration,
    ready: EventId,
    /// What the Kustomization waits for besides.
    others: Vec<EventId>,
}

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations.iter().filter(|situation| situation.cluster.reached) {
        let mut costly: Vec<Costly> = situation.cluster.nodes().filter_map(|(id, _)| costly(situation, id)).collect();
        costly.sort_by_key(|entry| (Reverse(entry.cost), entry.node));
        findings.extend(costly.iter().take(LOOKED_AT).filter_map(|entry| report(situation, entry)));
    }
}

fn costly(situation: &Situation<'_>, id: NodeId) -> Option<Costly> {
    let graph = &situation.graph;
    let start = graph.id(Actor::Node(id), Moment::Start)?;
    let mut inputs: Vec<_> = graph
        .inputs(start)
        .map(|(input, edge)| Some((situation.repaired.time(input)?.typical, input, edge)))
        .collect::<Option<_>>()?;
    inputs.sort_by_key(|(time, ..)| Reverse(*time));
    let (time, ready, edge) = *inputs.first()?;
    let Actor::Node(on) = graph.event(ready).actor else { return None };
    let next = inputs.get(1).map_or(Duration::ZERO, |(time, ..)| *time);
    let cost = time.saturating_sub(next);
    let is_plain = edge.reason == Reason::DependsOn && situation.cluster.node(id).manifests.len() <= 1;
    let own = situation.repaired.time(graph.id(Actor::Node(on), Moment::Start)?)?.typical;
    (is_plain && cost >= COST && time.saturating_sub(own) >= COST).then(|| Costly {
        node: id,
        on,
        span: edge.span,
        cost,
        ready,
        others: inputs[1..].iter().map(|(_, input, _)| *input).collect(),
    })
}

fn report(situation: &Situation<'_>, entry: &Costly) -> Option<Finding> {
    let cluster = situation.cluster;
    let behind = only_behind(situation, entry);
    if !behind.iter().all(|id| is_known(cluster, *id)) {
        return None;
    }
    let releases = releases_of(situation, &behind)?;
    let heavy = slowest(situation, entry)?;
    let words = words(situation, &behind, &releases);
    let below: Vec<NodeId> = situation.graph.subtree(entry.node).into_iter().collect();
    if !below.iter().all(|id| is_known(cluster, *id)) || names_any(cluster, &below, &words)? {
        return None;
    }
    let (node, on) = (cluster.node(entry.node), cluster.node(entry.on));
    let message = format!(
        "{} starts about {} later for its dependency on {}, and nothing it applies names anything of that",
        node.subject(),
        about(entry.cost),
        on.key.name
    );
    let mut finding = situation.finding(&RULE.info, node.subject(), entry.span, message);
    finding.label = format!("costs about {} of a cold start", about(entry.cost));
    let release = &cluster.releases[heavy];
    let duration = situation.durations.release(heavy);
    let text = format!("what takes the time: typically {} ({})", about(duration.range.typical), duration.origin);
    finding.related.push(Related::new(text, Some(release.subject()), release.helm.name_span()));
    let held: Vec<String> = behind.iter().map(|id| cluster.node(*id).key.name.to_string()).collect();
    finding.why = format!(
        "Compared were the names, namespaces, charts and API groups of what {} {} with every text in what {} applies. What a \
         container needs at run time, or what an encrypted Secret says, cannot be seen, and an order may be wanted for its own sake.",
        short_list(&held, 6),
        if held.len() == 1 { "applies" } else { "apply" },
        node.key.name
    );
    finding.help = format!(
        "if it needs nothing of `{}`, remove the entry from `spec.dependsOn`; if it does, depend on a Kustomization that holds just that",
        on.key.name
    );
    Some(finding)
}

/// The Kustomizations that `entry` alone orders before its own: the dependency, and what only that waits for.
fn only_behind(situation: &Situation<'_>, entry: &Costly) -> Vec<NodeId> {
    let graph = &situation.graph;
    let nodes = |ids: &[EventId]| -> BTreeSet<NodeId> {
        let events = ids.iter().map(|id| graph.event(*id));
        let ready = events.filter(|event: &Event| event.moment == Moment::Ready);
        ready.filter_map(|event| if let Actor::Node(id) = event.actor { Some(id) } else { None }).collect()
    };
    let mut all = graph.behind(&[entry.ready]);
    all.push(entry.ready);
    let mut others = graph.behind(&entry.others);
    others.extend(&entry.others);
    nodes(&all).difference(&nodes(&others)).copied().collect()
}

/// Whether all that a Kustomization applies is in sight.
fn is_known(cluster: &Cluster, id: NodeId) -> bool {
    let node = cluster.node(id);
    node.unresolved.is_empty() && node.resource_sets.is_empty() && node.applied.unknown_variables.is_empty()
}

/// The HelmReleases that `nodes` apply; `None` where one of them, or another object, may serve what does not name it.
fn releases_of(situation: &Situation<'_>, nodes: &[NodeId]) -> Option<Vec<usize>> {
    let cluster = situation.cluster;
    let mut found = Vec::new();
    for (index, release) in cluster.releases.iter().enumerate() {
        if release.providers.iter().any(|provider| nodes.contains(&provider.node)) {
            let row = situation.durations.release(index).row?;
            if !PASSIVE.contains(&row.kind.as_str()) {
                return None;
            }
            found.push(index);
        }
    }
    let objects = nodes.iter().flat_map(|id| &cluster.node(*id).applied.build.objects);
    let acts = |kind: &str| {
        kind.ends_with("Class")
            || kind.ends_with("WebhookConfiguration")
            || matches!(kind, "CustomResourceDefinition" | "APIService")
    };
    let serves = |object: &crate::kustomize::Object| object.node.find_str(&["kind"]).is_none_or(acts);
    (!objects.into_iter().any(serves)).then_some(found)
}

/// The HelmRelease that the dependency waits for longest.
fn slowest(situation: &Situation<'_>, entry: &Costly) -> Option<usize> {
    let inputs = situation.graph.inputs(entry.ready).map(|(input, _)| situation.graph.event(input).actor);
    let releases =
        inputs.filter_map(|actor| if let Actor::Release(index) = actor { Some(index as usize) } else { None });
    let slowest = releases.max_by_key(|index| (situation.durations.release(*index).range.typical, Reverse(*index)))?;
    (situation.durations.release(slowest).range.typical >= COST).then_some(slowest)
}

/// What of the objects of `nodes` another object could name, in lower case.
fn words(situation: &Situation<'_>, nodes: &[NodeId], releases: &[usize]) -> Vec<String> {
    let cluster = situation.cluster;
    let mut words: BTreeSet<String> = BTreeSet::new();
    for object in nodes.iter().flat_map(|id| &cluster.node(*id).applied.build.objects) {
        let id = object.id();
        let common = ["default", "flux-system", "kube-system"];
        words.extend(
            id.namespace.filter(|namespace| !common.contains(&namespace.as_str())).map(|text| text.to_lowercase()),
        );
        words.insert(id.name.to_lowercase());
    }
    for index in releases {
        let release = &cluster.releases[*index];
        words.extend(release.helm.spec.target_namespace.as_ref().map(|namespace| namespace.to_lowercase()));
        let Some(chart) = chart_of(cluster, release) else { continue };
        let installs = |row: &&CrdOwner| row.is_installed_by(&chart.name, &|_| Some(true));
        words.extend(CrdCatalog::builtin().rows().filter(installs).map(|row| row.group.to_lowercase()));
        if Catalog::builtin().lookup(&chart.name, chart.url.as_deref()).is_some_and(|row| row.kind == "stack") {
            // Charts ask for these by values.
            words.extend(["servicemonitor", "podmonitor", "prometheusrule", "dashboard"].map(str::to_owned));
        }
        words.insert(chart.name.to_lowercase());
    }
    words.retain(|word| word.len() >= WORD);
    words.into_iter().collect()
}

/// Whether any text of what `nodes` apply holds one of `words`; `None` where that is too much to compare.
fn names_any(cluster: &Cluster, nodes: &[NodeId], words: &[String]) -> Option<bool> {
    let mut left = COMPARISONS;
    for object in nodes.iter().flat_map(|id| &cluster.node(*id).applied.build.objects) {
        if holds(&object.node, words, &mut left)? {
            return Some(true);
        }
    }
    Some(false)
}

fn holds(node: &Yaml, words: &[String], left: &mut usize) -> Option<bool> {
    let holds_text = |text: &str, left: &mut usize| {
        *left = left.checked_sub(words.len())?;
        let text = text.to_lowercase();
        Some(words.iter().any(|word| text.contains(word.as_str())))
    };
    match &node.value {
        Value::Str(text) => holds_text(text, left),
        Value::Map(map) => {
            for entry in map.entries() {
                if holds_text(&entry.key, left)? || holds(&entry.value, words, left)? {
                    return Some(true);
                }
            }
            Some(false)
        }
        Value::Seq(items) => {
            for item in items.iter() {
                if holds(item, words, left)? {
                    return Some(true);
                }
            }
            Some(false)
        }
        _ => Some(false),
    }
}
