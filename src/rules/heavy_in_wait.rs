use std::{collections::BTreeSet, time::Duration};

use super::{
    Context, Rule, Situation,
    split::Split,
    wording::{about, list, names, short_list, subject_of},
};
use crate::{
    catalog::Range,
    cluster::{Node, NodeId},
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    flux::{format_duration, kustomization_timeout},
    graph::{Actor, Edge, EventId, Moment, Reason},
    timing::Origin,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "heavy-in-wait",
        summary: "A waiting Kustomization mixes something slow with something its dependents need early.",
        category: Category::Gate,
        severity: Severity::Warning,
        confidence: Confidence::Medium,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/heavy-in-wait.md"),
    },
    check,
};

/// The typical duration above which a chart is heavy (catalogue class).
const HEAVY: Duration = Duration::from_secs(300);

/// A HelmRelease in a health set.
struct Member<'a> {
    index: usize,
    subject: String,
    range: Range,
    origin: &'a Origin,
    trusted: bool,
    known: bool,
}

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations {
        findings.extend(situation.cluster.nodes().filter_map(|(id, node)| report(context, situation, id, node)));
    }
}

fn report(context: &Context<'_>, situation: &Situation<'_>, id: NodeId, node: &Node) -> Option<Finding> {
    let cluster = situation.cluster;
    let ready = situation.graph.id(Actor::Node(id), Moment::Ready)?;
    let members = members(situation, id);
    let timeout = kustomization_timeout(&node.kustomization.spec);
    let is_heavy = |member: &&Member<'_>| {
        // A default stands for what is not known: it proves nothing either way.
        member.known && (member.range.typical > HEAVY || timeout.is_some_and(|timeout| member.range.high > timeout))
    };
    let needed = needed_by_all(situation, ready);
    let is_needed = |member: &&Member<'_>| needed.contains(&member.index);
    let candidates: Vec<&Member<'_>> = members.iter().filter(is_heavy).filter(|member| !is_needed(member)).collect();
    let rest: Vec<&Member<'_>> = members.iter().filter(|member| !is_heavy(member)).collect();
    let has_lighter = |heavy: &&&Member<'_>| rest.iter().any(|light| light.range.typical * 2 <= heavy.range.typical);
    let heavy: Vec<&Member<'_>> = candidates.iter().filter(has_lighter).copied().collect();
    let heaviest = heavy.iter().map(|member| member.range.typical).max()?;
    let light: Vec<&Member<'_>> = rest.into_iter().filter(|light| light.range.typical * 2 <= heaviest).collect();
    let dependents = situation.graph.held_back_by(ready);
    if dependents.is_empty() {
        return None;
    }
    let going: Vec<usize> = heavy.iter().map(|member| member.index).collect();
    let split = Split::best(situation, id, &going, &dependents)?;
    let heavy_names: Vec<String> = heavy.iter().map(|member| member.subject.clone()).collect();
    let light_names: Vec<String> = light.iter().map(|member| member.subject.clone()).collect();
    let dependent_names = names(cluster, &dependents);
    let message = format!(
        "{} waits for {} beside {}, and delays {}",
        node.subject(),
        list(&heavy_names),
        short_list(&light_names, 6),
        short_list(&dependent_names, 8)
    );
    let key = if node.kustomization.spec.wait { "wait" } else { "healthChecks" };
    let mut finding = situation.finding(&RULE.info, node.subject(), node.kustomization.span(&["spec", key]), message);
    finding.label = "Ready only when everything in it is".to_owned();
    for member in &heavy {
        let release = &cluster.releases[member.index];
        let text = format!(
            "heavy: typically {}, up to {} ({})",
            about(member.range.typical),
            about(member.range.high),
            member.origin
        );
        finding.related.push(Related::new(text, Some(release.subject()), release.helm.name_span()));
    }
    for (dependent, edge) in situation.graph.outputs(ready).filter(|(_, edge)| edge.reason == Reason::DependsOn) {
        let subject = subject_of(cluster, situation.graph.event(dependent).actor);
        finding.related.push(Related::new(format!("{} waits for it", subject.name), Some(subject), edge.span));
    }
    finding.why = why(situation, ready, &heavy, node, dependents.len());
    finding.help = format!("{}; {}", split.steps(context, situation, id), split.gain(cluster, id));
    if !heavy.iter().any(|member| member.trusted) {
        finding.confidence = Confidence::Low;
    }
    Some(situation.weighed(finding, false))
}

/// The HelmReleases that bring CRDs for every dependent: none could start without them, wherever they stand.
fn needed_by_all(situation: &Situation<'_>, ready: EventId) -> BTreeSet<usize> {
    let graph = &situation.graph;
    let of_dependent = |(dependent, _): (EventId, &Edge)| -> BTreeSet<usize> {
        let events = graph.events_of(graph.event(dependent).actor);
        let kinds = events.iter().flat_map(|event| graph.inputs(*event));
        let kinds = kinds.filter(|(_, edge)| edge.reason == Reason::NeedsKind).map(|(kind, _)| kind);
        let bringers = kinds.flat_map(|kind| graph.inputs(kind)).map(|(bringer, _)| graph.event(bringer).actor);
        bringers
            .filter_map(|actor| if let Actor::Release(index) = actor { Some(index as usize) } else { None })
            .collect()
    };
    let dependents = graph.outputs(ready).filter(|(_, edge)| edge.reason == Reason::DependsOn);
    dependents.map(of_dependent).reduce(|left, right| &left & &right).unwrap_or_default()
}

/// The HelmReleases whose readiness the node waits for itself.
fn members<'a>(situation: &'a Situation<'_>, id: NodeId) -> Vec<Member<'a>> {
    let Some(ready) = situation.graph.id(Actor::Node(id), Moment::Ready) else { return Vec::new() };
    let mut members: Vec<Member<'a>> = situation
        .graph
        .inputs(ready)
        .filter_map(|(input, _)| match situation.graph.event(input).actor {
            Actor::Release(index) => Some(index as usize),
            Actor::Node(_) | Actor::Object(_) | Actor::Kind(_) | Actor::Namespace(_) | Actor::Made(_) => None,
        })
        .map(|index| {
            let duration = situation.durations.release(index);
            Member {
                index,
                subject: situation.cluster.releases[index].subject().to_string(),
                range: duration.range,
                origin: &duration.origin,
                trusted: duration.is_trusted(),
                known: duration.is_known(),
            }
        })
        .collect();
    members.sort_by_key(|member| (std::cmp::Reverse(member.range.typical), member.index));
    members
}

fn why(situation: &Situation<'_>, ready: EventId, heavy: &[&Member<'_>], node: &Node, dependents: usize) -> String {
    let is_heavy = |actor: Actor| heavy.iter().any(|member| actor == Actor::Release(member.index as u32));
    let typical = |id| situation.repaired.time(id).map(|range| range.typical);
    let with = typical(ready);
    let others = situation.graph.inputs(ready).filter(|(input, _)| !is_heavy(situation.graph.event(*input).actor));
    let without = others.filter_map(|(input, _)| typical(input)).max();
    let mut why = match (with, without) {
        (Some(with), Some(without)) if with > without => format!(
            "In a cold start on {} hardware it is Ready after about {}; without the heavy part it would be after about {}. Its {} \
             dependents start only then.",
            situation.durations.profile(),
            about(with),
            about(without),
            dependents
        ),
        _ => format!("It is Ready only when the slowest of its parts is; its {dependents} dependents start only then."),
    };
    let slowest = heavy.iter().map(|member| member.range.high).max().unwrap_or_default();
    if let Some(timeout) = kustomization_timeout(&node.kustomization.spec).filter(|timeout| *timeout < slowest) {
        let spec = &node.kustomization.spec;
        let retry = spec.retry_interval.as_deref().or(spec.interval.as_deref()).unwrap_or("interval");
        why.push_str(&format!(
            " Its health check gives up after {} (HealthCheckFailed, `timeout waiting for`), and the next attempt comes {retry} later.",
            format_duration(timeout)
        ));
    }
    why
}
