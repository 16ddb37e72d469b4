use rustc_hash::FxHashMap;

use super::{Context, Rule, Situation, wording::short_list};
use crate::{
    cluster::{Cluster, NodeId, NodeKey},
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    flux::api::DependencyReference,
    graph::{Actor, Edge, Event, EventId, Moment, Reason},
    source::Span,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "redundant-dependency",
        summary: "A `dependsOn` entry is implied by another entry of the same list.",
        category: Category::Time,
        severity: Severity::Info,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/redundant-dependency.md"),
    },
    check,
};

/// Longest list that is looked at: each entry is compared with each other one.
const ENTRIES: usize = 200;

/// An entry of `dependsOn`, and what it leads to.
#[derive(Clone, Copy)]
struct Entry {
    on: Actor,
    span: Span,
}

/// An object whose start waits for several others.
struct Dependent {
    actor: Actor,
    entries: Vec<Entry>,
}

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations.iter().filter(|situation| situation.cluster.reached) {
        look(situation, findings);
    }
}

fn look(situation: &Situation<'_>, findings: &mut Vec<Finding>) {
    let dependents = dependents(situation);
    let mut of: Vec<EventId> = Vec::new();
    let mut positions: FxHashMap<Actor, usize> = FxHashMap::default();
    for entry in dependents.iter().flat_map(|dependent| &dependent.entries) {
        if let Some(ready) = situation.graph.id(entry.on, Moment::Ready).filter(|_| !positions.contains_key(&entry.on))
        {
            positions.insert(entry.on, of.len());
            of.push(ready);
        }
    }
    let position = |entry: &Entry| positions.get(&entry.on).copied();
    let mut wanted: Vec<(usize, usize)> = Vec::new();
    for Dependent { entries, .. } in &dependents {
        let pairs = entries.iter().flat_map(|through| entries.iter().map(move |entry| (through, entry)));
        wanted.extend(
            pairs
                .filter(|(one, other)| one.on != other.on)
                .filter_map(|(one, other)| Some((position(one)?, position(other)?))),
        );
    }
    let is_equal = equal_strength(situation.cluster);
    let needs = situation.graph.needs_among(&of, &is_equal, &wanted);
    let implies = |through: &Entry, entry: &Entry| {
        position(through).zip(position(entry)).is_some_and(|pair| needs.contains(&pair))
    };
    findings.extend(dependents.iter().filter_map(|dependent| report(situation, dependent, &implies)));
}

/// Every Kustomization and HelmRelease that happens, is defined once, and has several plain entries.
fn dependents(situation: &Situation<'_>) -> Vec<Dependent> {
    let cluster = situation.cluster;
    let entry =
        |reference: &DependencyReference, namespace: &str, span: Span, find: &dyn Fn(&NodeKey) -> Option<Actor>| {
            let namespace = reference.namespace.as_deref().unwrap_or(namespace);
            let on =
                find(&NodeKey::new(namespace, reference.name.as_str())).filter(|_| reference.ready_expr.is_none())?;
            Some(Entry { on, span })
        };
    let nodes = cluster.nodes().filter(|(_, node)| node.manifests.len() <= 1).map(|(id, node)| {
        let find = |key: &NodeKey| cluster.find(key).map(Actor::Node);
        let list = node.kustomization.spec.depends_on.iter().enumerate();
        let span = |index| node.kustomization.item_span(&["spec", "dependsOn"], index);
        let entries = list.filter_map(|(index, reference)| entry(reference, &node.key.namespace, span(index), &find));
        Dependent { actor: Actor::Node(id), entries: entries.collect() }
    });
    let releases = cluster.releases.iter().enumerate().map(|(index, release)| {
        let find = |key: &NodeKey| cluster.release(key).map(|index| Actor::Release(index as u32));
        let list = release.helm.spec.depends_on.iter().enumerate();
        let span = |index| release.helm.item_span(&["spec", "dependsOn"], index);
        let entries =
            list.filter_map(|(index, reference)| entry(reference, &release.key.namespace, span(index), &find));
        Dependent { actor: Actor::Release(index as u32), entries: entries.collect() }
    });
    let starts =
        |actor: Actor| situation.graph.id(actor, Moment::Start).is_some_and(|id| situation.repaired.time(id).is_some());
    nodes
        .chain(releases)
        .filter(|dependent| (2..=ENTRIES).contains(&dependent.entries.len()) && starts(dependent.actor))
        .collect()
}

/// Whether a link of `dependsOn` passes on what a direct entry would ask for: between Kustomizations of one source that
/// is Ready at the same revision (kustomize-controller v1.9, `checkDependencies`).
fn equal_strength(cluster: &Cluster) -> impl Fn(Event, Event, &Edge) -> bool {
    let source = |id: NodeId| cluster.node(id).source();
    let is_plain = |id: NodeId| {
        let node = cluster.node(id);
        node.manifests.len() <= 1 && !node.kustomization.spec.suspend
    };
    move |before, after, edge| match (edge.reason, before.actor, after.actor) {
        (Reason::Progress, ..) => true,
        (Reason::DependsOn, Actor::Node(before), Actor::Node(after)) => {
            is_plain(before) && is_plain(after) && source(before) == source(after)
        }
        (Reason::DependsOn, Actor::Release(_), Actor::Release(after)) => {
            !cluster.releases[after as usize].helm.spec.suspend
        }
        _ => false,
    }
}

fn report(
    situation: &Situation<'_>,
    dependent: &Dependent,
    implies: &dyn Fn(&Entry, &Entry) -> bool,
) -> Option<Finding> {
    let cluster = situation.cluster;
    let entries = &dependent.entries;
    // Each with the entry that implies it: one that stands alone, so that those which stay imply those which go.
    let is_implied = |entry: &Entry| entries.iter().any(|through| through.on != entry.on && implies(through, entry));
    let kept: Vec<&Entry> = entries.iter().filter(|entry| !is_implied(entry)).collect();
    let mut redundant: Vec<(&Entry, &Entry)> = Vec::new();
    for entry in entries.iter().filter(|entry| is_implied(entry)) {
        redundant.extend(kept.iter().find(|through| implies(through, entry)).map(|through| (entry, *through)));
    }
    let (first, _) = redundant.first()?;
    let name = |entry: &Entry| entry.on.subject(cluster).name;
    let quoted = |entries: &mut dyn Iterator<Item = &Entry>| {
        let mut names: Vec<String> = Vec::new();
        for text in entries.map(|entry| format!("`{}`", name(entry))) {
            if !names.contains(&text) {
                names.push(text);
            }
        }
        names
    };
    let listed = quoted(&mut redundant.iter().map(|(entry, _)| *entry));
    let through = quoted(&mut redundant.iter().map(|(_, through)| *through));
    let subject = dependent.actor.subject(cluster);
    let message = format!(
        "{subject} need not list {} in `dependsOn`: {} already wait{} for {}",
        short_list(&listed, 6),
        short_list(&through, 6),
        if through.len() == 1 { "s" } else { "" },
        if listed.len() == 1 { "it" } else { "them" },
    );
    let mut finding = situation.finding(&RULE.info, subject, first.span, message);
    for (entry, through) in &redundant {
        let text = format!("`{}` waits for it already", name(through));
        if std::ptr::eq(*entry, *first) {
            finding.label = text;
        } else {
            finding.related.push(Related::new(text, Some(entry.on.subject(cluster)), entry.span));
        }
    }
    finding.why = "The order stays the same without: what is left starts only once these are Ready at the same revision. A list of \
                   what is needed directly shows readers which entry matters, and does not have to be changed with the chain below it."
        .to_owned();
    finding.help = format!("remove {} from `spec.dependsOn`", short_list(&listed, 6));
    Some(finding)
}
