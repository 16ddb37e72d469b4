//! What is slow or fragile about an object that never comes so far: the rules judge the repaired cluster, and the finding
//! says what has to be mended first.

use super::Context;
use crate::{
    cluster::{NodeId, NodeKey},
    finding::{Category, Finding, RuleInfo, Severity, Subject},
    graph::{Actor, Moment, Obstacle},
    situation::{Situation, State},
};

/// Adds to findings of `info` what has to be mended before they matter.
pub(super) fn add(info: &RuleInfo, context: &Context<'_>, findings: &mut [Finding]) {
    if !matches!(info.category, Category::Time | Category::Order | Category::Gate) {
        return;
    }
    for finding in findings.iter_mut().filter(|finding| finding.severity != Severity::Error) {
        let mut situations =
            context.situations.iter().filter(|situation| finding.clusters.contains(&situation.cluster.root));
        if let Some(text) = situations.find_map(|situation| proviso(situation, finding)) {
            finding.why = format!("{text} {}", finding.why);
        }
    }
}

/// What has to be mended before the subject of a finding becomes Ready at all; nothing where it does.
fn proviso(situation: &Situation<'_>, finding: &Finding) -> Option<String> {
    let actor = actor(situation, &finding.subject)?;
    if situation.state(actor) != State::Never {
        return None;
    }
    let obstacles = situation.obstacles(actor);
    // What the finding is about comes after what stops its subject earlier, and beside what stops it in the same moment.
    let own = obstacles.iter().find(|obstacle| is_told_by(situation, **obstacle, finding));
    let before = match own {
        None => obstacles,
        Some(Obstacle::Loop(_)) => return None,
        Some(Obstacle::Blocker(index)) => {
            let (_, blocker) = situation.graph.blocked().nth(*index)?;
            (blocker.moment == Moment::Ready).then(|| situation.obstacles_to(actor, Moment::Applied))?
        }
    };
    let obstacle = situation.describe(*before.first()?)?;
    Some(after(&obstacle.subject.to_string(), &obstacle.text))
}

/// Whether a finding is about an obstacle itself.
fn is_told_by(situation: &Situation<'_>, obstacle: Obstacle, finding: &Finding) -> bool {
    situation.describe(obstacle).is_some_and(|text| {
        text.subject == finding.subject
            && (finding.location.span() == Some(text.place)
                || finding.message == format!("{} {}", text.subject, text.text))
    })
}

/// What has to be mended before the API server refuses anything of `nodes`: the build of each of them fails.
pub(super) fn failed_build(situation: &Situation<'_>, nodes: &[NodeId]) -> Option<String> {
    let fault = |node: &NodeId| situation.facts.builds.iter().find(|fact| fact.node == *node);
    let (node, first) = nodes.first().and_then(|node| Some((*node, fault(node)?)))?;
    let is_all = nodes.iter().all(|node| fault(node).is_some());
    let subject = situation.cluster.node(node).subject().to_string();
    is_all.then(|| after(&subject, &format!("fails to build: {}", first.error.message)))
}

/// The proviso that begins what comes behind an obstacle.
fn after(subject: &str, text: &str) -> String {
    format!("Today it never comes to this, since {subject} {text}. Once that is fixed:")
}

fn actor(situation: &Situation<'_>, subject: &Subject) -> Option<Actor> {
    let key = NodeKey::new(subject.namespace.as_deref().unwrap_or_default(), subject.name.as_str());
    match subject.kind.as_str() {
        "Kustomization" => situation.cluster.find(&key).map(Actor::Node),
        "HelmRelease" => situation.cluster.release(&key).map(|index| Actor::Release(index as u32)),
        _ => None,
    }
}
