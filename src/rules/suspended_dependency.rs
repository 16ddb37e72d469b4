use std::collections::BTreeMap;

use super::{Context, Rule, Situation, wording::short_list};
use crate::{
    cluster::{Node, NodeId},
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    graph::{Actor, Event, Moment, Reason},
    situation::{State, SuspensionFact},
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

/// Most objects that a message names.
const NAMED: usize = 3;

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations.iter().filter(|situation| situation.cluster.reached) {
        let mut gates: BTreeMap<NodeId, Vec<&SuspensionFact>> = BTreeMap::new();
        for fact in &situation.facts.suspended {
            let mut users: Vec<(Actor, Span)> = Vec::new();
            for (event, reason, span) in waiting(situation, fact) {
                match (event.actor, reason) {
                    (Actor::Node(id), Reason::DependsOn) => findings.push(depends(situation, fact, id, span)),
                    (Actor::Release(_), Reason::DependsOn) => {
                        findings.push(release(situation, fact, event.actor, span));
                    }
                    (Actor::Node(id), Reason::Wait | Reason::HealthCheck) => gates.entry(id).or_default().push(fact),
                    (user, Reason::Source) => users.push((user, span)),
                    _ => {}
                }
            }
            findings.extend(source(situation, fact, &users));
        }
        findings.extend(orphans(situation));
        findings.extend(gates.into_iter().filter_map(|(parent, awaited)| gate(situation, parent, &awaited)));
    }
}

/// What waits until a suspended object is Ready, and is not suspended itself.
fn waiting(situation: &Situation<'_>, fact: &SuspensionFact) -> Vec<(Event, Reason, Span)> {
    let (cluster, graph) = (situation.cluster, &situation.graph);
    let Some(ready) = graph.id(fact.actor, Moment::Ready) else { return Vec::new() };
    let is_at_work = |event: &Event| match event.actor {
        Actor::Node(id) => !cluster.node(id).kustomization.spec.suspend,
        Actor::Release(index) => !cluster.releases[index as usize].helm.spec.suspend,
        _ => true,
    };
    let outputs = graph.outputs(ready).map(|(after, edge)| (graph.event(after), edge.reason, edge.span));
    outputs.filter(|(event, ..)| is_at_work(event)).collect()
}

/// What depends on an object that only something suspended would apply: in a new cluster there is no such object.
fn orphans(situation: &Situation<'_>) -> Vec<Finding> {
    let (cluster, graph) = (situation.cluster, &situation.graph);
    let nodes = cluster.nodes().map(|(id, _)| Actor::Node(id));
    let releases = (0..cluster.releases.len()).map(|index| Actor::Release(index as u32));
    let own = |actor: Actor| situation.facts.suspended.iter().any(|fact| fact.actor == actor);
    let never_applied =
        nodes.chain(releases).filter(|actor| !own(*actor) && situation.state(*actor) == State::Suspended);
    never_applied
        .filter_map(|actor| Some((actor, graph.id(actor, Moment::Ready)?, suspension_above(situation, actor)?)))
        .flat_map(|(actor, ready, fact)| {
            let entries = graph.outputs(ready).filter(|(_, edge)| edge.reason == Reason::DependsOn);
            let entries = entries.map(|(after, edge)| (graph.event(after).actor, edge.span));
            let waiting = entries.filter(|(dependent, _)| situation.state(*dependent) == State::Never);
            waiting.map(move |(dependent, span)| orphan(situation, fact, actor, dependent, span))
        })
        .collect()
}

/// The suspended object above one that only that would apply.
fn suspension_above<'s>(situation: &'s Situation<'_>, actor: Actor) -> Option<&'s SuspensionFact> {
    let above = situation.way_to_obstacle(actor).last()?.before.actor;
    situation.facts.suspended.iter().find(|fact| fact.actor == above)
}

fn orphan(situation: &Situation<'_>, fact: &SuspensionFact, on: Actor, dependent: Actor, at: Span) -> Finding {
    let (subject, on) = (dependent.subject(situation.cluster), on.subject(situation.cluster));
    let message = format!("{subject} depends on {on}, which only {} applies, and that {}", fact.subject, fact.clause());
    let mut finding = finding(situation, fact, dependent, at, message);
    finding.label = "never applied in a new cluster".to_owned();
    finding.why = format!(
        "In a new cluster {on} is never created: the dependent stays at Ready=False, reason DependencyNotReady (`dependency … not found`). In a \
         running one it exists from before, and nothing happens."
    );
    finding.help =
        format!("take the entry out while {} is suspended, suspend the dependent too, or resume it", fact.subject);
    finding
}

/// A finding, with the place where the object is suspended.
fn finding(situation: &Situation<'_>, fact: &SuspensionFact, of: Actor, at: Span, message: String) -> Finding {
    let mut finding = situation.finding(&RULE.info, of.subject(situation.cluster), at, message);
    finding.related.push(suspended(fact));
    finding.confidence = finding.confidence.min(fact.confidence);
    finding
}

fn suspended(fact: &SuspensionFact) -> Related {
    Related::new("suspended here", Some(fact.subject.clone()), fact.span)
}

/// A Kustomization that depends on a suspended one.
fn depends(situation: &Situation<'_>, fact: &SuspensionFact, id: NodeId, at: Span) -> Finding {
    let cluster = situation.cluster;
    let node = cluster.node(id);
    let message = format!("{} depends on {}, which {}", node.subject(), fact.subject, fact.clause());
    let mut finding = finding(situation, fact, Actor::Node(id), at, message);
    finding.label = "never looked at by its controller".to_owned();
    let source = |node: &Node| node.source();
    let is_of_same_source = matches!(fact.actor, Actor::Node(other) if source(cluster.node(other)) == source(node));
    let running = if is_of_same_source {
        "In a running one it waits from the next commit on, since the dependency keeps its last revision (`revision is not up to date`)."
    } else {
        "In a running one the last revision that was applied still counts, since their sources differ."
    };
    finding.why = format!(
        "In a new cluster the dependency never becomes Ready, so it stays at Ready=False, reason DependencyNotReady, and asks again every {} s. \
         {running}",
        cluster.controllers.kustomize.requeue_dependency().value.as_secs()
    );
    finding.help =
        "take the entry out while the dependency is suspended, suspend the dependent too, or resume the dependency"
            .to_owned();
    finding
}

/// A HelmRelease that depends on a suspended one.
fn release(situation: &Situation<'_>, fact: &SuspensionFact, actor: Actor, at: Span) -> Finding {
    let subject = actor.subject(situation.cluster);
    let message = format!("{subject} depends on {}, which {}", fact.subject, fact.clause());
    let mut finding = finding(situation, fact, actor, at, message);
    finding.label = "never looked at by its controller".to_owned();
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

/// A suspended source, and what takes its files from it.
fn source(situation: &Situation<'_>, fact: &SuspensionFact, users: &[(Actor, Span)]) -> Option<Finding> {
    let mut subjects: Vec<String> = users.iter().map(|(user, _)| user.subject(situation.cluster).to_string()).collect();
    subjects.sort_unstable();
    subjects.dedup();
    let take = if subjects.len() == 1 { "takes" } else { "take" };
    let message =
        format!("{} {}, and {} {take} files from it", fact.subject, fact.clause(), short_list(&subjects, NAMED));
    let (first, _) = users.first()?;
    let mut finding = finding(situation, fact, *first, fact.span, message);
    finding.subject = fact.subject.clone();
    finding.label = "never fetched".to_owned();
    finding.related = users
        .iter()
        .map(|(user, span)| Related::new("takes files from it", Some(user.subject(situation.cluster)), *span))
        .collect();
    finding.why = "In a new cluster the source is never fetched and has no artifact: a Kustomization stays at Ready=False, reason ArtifactFailed, a \
                   HelmRelease at reason SourceNotReady. In a running one they keep the last artifact, and no commit reaches them."
        .to_owned();
    finding.help = "resume the source, or suspend what takes files from it too".to_owned();
    Some(finding)
}

/// A Kustomization that waits for suspended objects: for all that it applies, or for those that it names.
fn gate(situation: &Situation<'_>, parent: NodeId, awaited: &[&SuspensionFact]) -> Option<Finding> {
    let first = awaited.first()?;
    let node = situation.cluster.node(parent);
    let at = if node.kustomization.spec.wait { ["spec", "wait"] } else { ["spec", "healthChecks"] };
    let (are, list) = match awaited {
        [only] => ("is", only.subject.to_string()),
        several => {
            let names: Vec<&str> = several.iter().map(|fact| fact.subject.name.as_str()).collect();
            ("are", names.join(", "))
        }
    };
    let message = format!("{} waits for {list}, which {are} suspended", node.subject());
    let mut finding = finding(situation, first, Actor::Node(parent), node.kustomization.span(&at), message);
    finding.label = "waits for what it applies".to_owned();
    finding.related = awaited.iter().map(|fact| suspended(fact)).collect();
    finding.why = format!(
        "In a new cluster a suspended {} is never reconciled and reads as InProgress, so the health check runs into its timeout \
         (HealthCheckFailed, `timeout waiting for`), and what depends on the parent waits. Where it was Ready before it was suspended, \
         nothing happens.",
        first.subject.kind
    );
    finding.help = "take what is suspended out of `resources`, or let the parent name what it waits for in `healthChecks` in place of `wait`".to_owned();
    Some(finding)
}
