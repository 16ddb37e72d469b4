use std::collections::BTreeMap;

use super::{
    Context, Rule, Situation,
    order::{Early, Search, awaited, bringers, cost, depends_on_open_gate, edit, named, past, places, subjects},
    wording::{CHART_KNOWN, NETWORK_FIRST, list, short_list},
};
use crate::{
    catalog::{CrdCatalog, CrdOwner, is_network_plugin},
    cluster::{NodeId, chart_of},
    finding::{Category, Confidence, Finding, RuleInfo, Severity, Tier},
    graph::{Actor, Moment, Reason},
    kustomize::Hidden,
    source::Span,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "unordered-crd",
        summary: "Custom resources are applied without waiting for what installs their CRD.",
        category: Category::Order,
        severity: Severity::Warning,
        confidence: Confidence::Medium,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/unordered-crd.md"),
    },
    check,
};

/// What applies objects of some kinds too early, by who provides their CRDs.
struct Race {
    kinds: Vec<String>,
    early: Vec<Early>,
    bringers: Vec<(Actor, Span)>,
    /// A part of a build before the first of them that is not here, and may hold the CRDs.
    hidden: Option<String>,
}

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations.iter().filter(|situation| situation.cluster.reached) {
        let mut races: BTreeMap<(bool, Vec<String>), Race> = BTreeMap::new();
        let mut search = Search::new(situation);
        for (index, kind) in situation.cluster.implicit.kinds.iter().enumerate() {
            // Nothing waits for monitors and dashboards.
            if kind.is_soft && !context.pedantic {
                continue;
            }
            let Some(needed) = situation.graph.id(Actor::Kind(index as u32), Moment::Exists) else { continue };
            let mut early = search.early(needed, Reason::NeedsKind);
            early.retain(|early| !depends_on_open_gate(situation, needed, early.node));
            if early.is_empty() {
                continue;
            }
            let bringers = bringers(&situation.graph, needed);
            let mut providers = subjects(situation.cluster, &bringers);
            providers.sort_unstable();
            let hidden = early.first().and_then(|early| hidden(situation, early.node, (&kind.group, &kind.kind)));
            let new = Race { kinds: Vec::new(), early: Vec::new(), bringers, hidden };
            let race = races.entry((kind.is_soft, providers)).or_insert(new);
            race.kinds.push(kind.kind.to_string());
            for one in early {
                if !race.early.iter().any(|known| known.node == one.node) {
                    race.early.push(one);
                }
            }
        }
        findings.extend(
            races.iter().filter_map(|((is_soft, providers), race)| report(situation, *is_soft, providers, race)),
        );
    }
}

fn report(situation: &Situation<'_>, is_soft: bool, providers: &[String], race: &Race) -> Option<Finding> {
    let first = race.early.first()?;
    let node = situation.cluster.node(first.node);
    let who = named(situation, &race.early);
    let kinds = short_list(&race.kinds, 4);
    let does = if race.early.len() == 1 { "applies" } else { "apply" };
    let message = format!("{who} {does} {kinds} without waiting for {}, which installs the CRDs", list(providers));
    let mut finding = situation.finding(&RULE.info, node.subject(), first.span, message);
    let (severity, cost) = cost(situation, &race.early);
    finding.severity = severity;
    finding.confidence = if is_soft || race.hidden.is_some() { Confidence::Low } else { first.confidence };
    finding.key = providers.join(" ");
    finding.label = format!("needs the CRD of {}", race.kinds[0]);
    finding.related = places(situation, &race.early, &race.bringers, "provides the CRDs");
    finding.why = format!(
        "In a cold start the dry-run fails (`no matches for kind \"{}\"`, reason ReconciliationFailed) until the CRDs are there, and \
         nothing else of the build is applied either. It heals by itself, but {cost}.",
        race.kinds[0]
    );
    if first.confidence < Confidence::High {
        finding.why.push_str(CHART_KNOWN);
    }
    if let Some(hidden) = &race.hidden {
        finding.why.push_str(&format!(" It may be that {hidden} holds the CRDs: then nothing is wrong."));
    }
    let bringer = race.bringers.first()?.0;
    let is_network = race.bringers.iter().any(|(actor, _)| match actor {
        Actor::Release(index) => {
            let release = &situation.cluster.releases[*index as usize];
            chart_of(situation.cluster, release).is_some_and(|chart| is_network_plugin(&chart.name))
        }
        _ => false,
    });
    if is_network {
        finding.severity = Severity::Info;
        finding.why.push_str(NETWORK_FIRST);
    }
    let order = edit(situation, &race.early, bringer, awaited(situation.cluster, bringer).as_deref());
    finding.help = format!("{order}; or set `spec.retryInterval: 1m`, so that a lost race costs little");
    Some(finding)
}

/// What is remote in a build that `node` waits for, where that may hold the CRD of a kind. The files of another project do not.
fn hidden(situation: &Situation<'_>, node: NodeId, (group, kind): (&str, &str)) -> Option<String> {
    let (graph, cluster) = (&situation.graph, situation.cluster);
    let own = CrdCatalog::builtin().owner(group, kind);
    let is_of = |row: &CrdOwner, url: &str| row.projects().any(|project| url.contains(&project.to_ascii_lowercase()));
    let may_hold = |url: &str| {
        let url = url.to_ascii_lowercase();
        own.is_some_and(|own| is_of(own, &url)) || !CrdCatalog::builtin().rows().any(|row| is_of(row, &url))
    };
    let before = past(graph, graph.id(Actor::Node(node), Moment::Start)?);
    let others = cluster.nodes().filter(|(id, other)| {
        let is_before = || graph.id(Actor::Node(*id), Moment::Applied).is_some_and(|applied| before.contains(&applied));
        *id != node && !other.is_remote() && is_before()
    });
    others.into_iter().find_map(|(_, other)| {
        let mut parts = other.unresolved.iter();
        let part = parts.find(|part| matches!(&part.hides, Hidden::Remote(url) if may_hold(url)))?;
        Some(format!("{} of {}", part.what, other.subject()))
    })
}
