use std::collections::BTreeMap;

use super::{
    Context, Rule, Situation,
    order::{Early, Search, cost, named, places},
    wording::{list, short_list, subject_of},
};
use crate::{
    finding::{Category, Confidence, Finding, RuleInfo, Severity, Tier},
    cluster::NodeId,
    graph::{Actor, EventId, Moment, Reason},
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "unordered-crd",
        summary: "Custom resources are applied without waiting for what installs their definition.",
        category: Category::Order,
        severity: Severity::Warning,
        confidence: Confidence::Medium,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/unordered-crd.md"),
    },
    check,
};

/// What applies objects of some kinds too early, by who brings their definitions.
struct Race {
    kinds: Vec<String>,
    early: Vec<Early>,
}

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations.iter().filter(|situation| situation.cluster.reached) {
        let mut races: BTreeMap<(bool, Vec<String>), Race> = BTreeMap::new();
        let mut search = Search::new(&situation.graph);
        for (index, kind) in situation.cluster.supply.kinds.iter().enumerate() {
            // Nothing waits for monitors and dashboards.
            if kind.is_soft && !context.pedantic {
                continue;
            }
            let Some(needed) = situation.graph.id(Actor::Kind(index as u32), Moment::Exists) else { continue };
            let mut early = search.early(needed, Reason::NeedsKind);
            // An edge that proves nothing is told by `unready-gate`.
            early.retain(|early| !depends_on_bringer(situation, needed, early.node));
            if early.is_empty() {
                continue;
            }
            let providers = situation.graph.inputs(needed).map(|(before, _)| situation.graph.event(before).actor);
            let mut providers: Vec<String> =
                providers.map(|actor| subject_of(situation.cluster, actor).to_string()).collect();
            providers.sort_unstable();
            providers.dedup();
            let race = races.entry((kind.is_soft, providers)).or_insert(Race { kinds: Vec::new(), early: Vec::new() });
            race.kinds.push(kind.kind.to_string());
            for one in early {
                if !race.early.iter().any(|known| known.node == one.node) {
                    race.early.push(one);
                }
            }
        }
        findings.extend(races.iter().filter_map(|((is_soft, providers), race)| report(situation, *is_soft, providers, race)));
    }
}

/// Whether a Kustomization depends on one that applies what brings the definition.
fn depends_on_bringer(situation: &Situation<'_>, needed: EventId, node: NodeId) -> bool {
    let Some(start) = situation.graph.id(Actor::Node(node), Moment::Start) else { return false };
    let owners: Vec<NodeId> = situation
        .graph
        .inputs(needed)
        .flat_map(|(before, _)| match situation.graph.event(before).actor {
            Actor::Node(node) => vec![node],
            Actor::Release(index) => {
                situation.cluster.releases[index as usize].providers.iter().map(|provider| provider.node).collect()
            }
            _ => Vec::new(),
        })
        .collect();
    let is_bringer = |actor: Actor| matches!(actor, Actor::Node(on) if owners.contains(&on));
    let mut inputs = situation.graph.inputs(start);
    inputs.any(|(before, edge)| edge.reason == Reason::DependsOn && is_bringer(situation.graph.event(before).actor))
}

fn report(situation: &Situation<'_>, is_soft: bool, providers: &[String], race: &Race) -> Option<Finding> {
    let first = race.early.first()?;
    let node = situation.cluster.node(first.node);
    let who = named(situation, &race.early);
    let kinds = short_list(&race.kinds, 4);
    let does = if race.early.len() == 1 { "applies" } else { "apply" };
    let message = format!("{who} {does} {kinds} without waiting for {}, which installs the definitions", list(providers));
    let mut finding = situation.finding(&RULE.info, node.subject(), first.span, message);
    let (severity, cost) = cost(situation, &race.early);
    finding.severity = severity;
    finding.confidence = if is_soft { Confidence::Low } else { first.confidence };
    finding.key = providers.join(" ");
    finding.label = format!("needs the definition of {}", race.kinds[0]);
    finding.related = places(situation, &race.early);
    finding.why = format!(
        "In a cold start their dry-run fails (`no matches for kind \"{}\"`, reason ReconciliationFailed) until the definitions are there; \
         it heals by itself, but {cost}.",
        race.kinds[0]
    );
    finding.help = format!(
        "add `dependsOn` on the Kustomization that applies {}, with `wait: true` or `healthChecks` there; or set `retryInterval: 1m`",
        list(providers)
    );
    Some(finding)
}
