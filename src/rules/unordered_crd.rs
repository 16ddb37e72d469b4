use std::collections::BTreeMap;

use super::{
    Context, Rule, Situation,
    order::{Early, Search, awaited, bringers, cost, depends_on_open_gate, edit, named, places, subjects},
    wording::{CHART_KNOWN, NETWORK_FIRST, list, short_list},
};
use crate::{
    catalog::is_network_plugin,
    cluster::chart_of,
    finding::{Category, Confidence, Finding, RuleInfo, Severity, Tier},
    graph::{Actor, Moment, Reason},
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
            let new = Race { kinds: Vec::new(), early: Vec::new(), bringers };
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
    finding.confidence = if is_soft { Confidence::Low } else { first.confidence };
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
