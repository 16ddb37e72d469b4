use std::time::Duration;

use super::{Context, Rule, Situation, attempts::cancels_for_new_revision, health::key_span, wording::short_list};
use crate::{
    cluster::{Node, NodeId},
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    flux::{HelmAction, HelmFailure, format_duration, kustomization_timeout},
    graph::{Actor, Moment, Reason},
    source::Span,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "endless-retry",
        summary: "A Kustomization waits for a HelmRelease that is retried without end, so a failure shows only at the timeout.",
        category: Category::Time,
        severity: Severity::Info,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/endless-retry.md"),
    },
    check,
};

/// So many others are named.
const NAMED: usize = 8;

/// A HelmRelease that never is Stalled, seen by a Kustomization that waits for it.
struct Endless<'a> {
    node: &'a Node,
    release: usize,
    /// Budget of the Kustomization's health check.
    timeout: Duration,
    /// When the first attempt of Helm has failed, from its start.
    fails_after: Duration,
    /// The text that makes it endless.
    at: Span,
    /// That text, or the feature gate, as people say it.
    by: String,
}

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations.iter().filter(|situation| situation.cluster.reached) {
        // Without this, nothing fails before its timeout anyway.
        if !situation.cluster.controllers.kustomize.has_gate("DisableFailFastBehavior") {
            findings.extend(report(situation));
        }
    }
}

fn report(situation: &Situation<'_>) -> Option<Finding> {
    let mut all: Vec<Endless<'_>> =
        situation.cluster.nodes().flat_map(|(id, node)| endless(situation, id, node)).collect();
    all.sort_by_key(|endless| std::cmp::Reverse(endless.timeout));
    let first = all.first()?;
    let release = &situation.cluster.releases[first.release];
    let mut names: Vec<String> = Vec::new();
    for endless in &all {
        let name = endless.node.key.name.to_string();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let timeout = format_duration(first.timeout);
    let message = match names.len() {
        1 => format!(
            "{} waits for {}, which is retried without end: where it fails, that shows only after {timeout}",
            first.node.subject(),
            release.subject()
        ),
        count => format!(
            "{count} Kustomizations wait for HelmReleases that are retried without end ({}): a failure shows only at the timeout, after {timeout} \
             for {}",
            short_list(&names, 6),
            first.node.key.name
        ),
    };
    let gate = if first.node.kustomization.spec.wait { "wait" } else { "healthChecks" };
    let at = key_span(first.node, gate);
    let mut finding = situation.finding(&RULE.info, first.node.subject(), at, message);
    finding.label = format!("waits for {}, {timeout} at most", release.subject().name);
    finding.related.push(Related::new(format!("{}: it never is Stalled", first.by), Some(release.subject()), first.at));
    // One text may make many endless, by a patch of all HelmReleases.
    let mut reported = vec![first.at];
    let others = all.iter().filter(|endless| {
        let is_new = !reported.contains(&endless.at);
        reported.push(endless.at);
        is_new
    });
    for endless in others.take(NAMED) {
        let text = format!("{}, and {} waits for it", endless.by, endless.node.key.name);
        let subject = situation.cluster.releases[endless.release].subject();
        finding.related.push(Related::new(text, Some(subject), endless.at));
    }
    let workers = situation.cluster.controllers.kustomize.workers().value;
    finding.why = format!(
        "A release that is out of retries is Stalled, and what waits for it fails at once (`failed early due to stalled resources`), here \
         about {} after its start. One that is retried without end stays InProgress: {} holds one of {workers} workers for {timeout} at \
         each attempt, and says no more than `timeout waiting for`.",
        format_duration(first.fails_after),
        first.node.subject(),
    );
    if !cancels_for_new_revision(situation) {
        finding.why.push_str(" A commit that mends the release is applied only after that.");
    }
    finding.help = format!(
        "bound the retries ({}), or shorten `spec.timeout` of the Kustomization",
        match first.by.as_str() {
            by if by.contains("retries") => "`remediation.retries: 3`",
            _ => "`strategy.name: RemediateOnFailure` with `remediation.retries: 3`",
        }
    );
    Some(finding)
}

fn endless<'a>(situation: &Situation<'a>, id: NodeId, node: &'a Node) -> Vec<Endless<'a>> {
    let spec = &node.kustomization.spec;
    if !node.has_gate() || spec.suspend || node.is_remote() || node.is_generated {
        return Vec::new();
    }
    let (Some(timeout), Some(ready)) =
        (kustomization_timeout(spec), situation.graph.id(Actor::Node(id), Moment::Ready))
    else {
        return Vec::new();
    };
    let awaited = situation.graph.inputs(ready).filter_map(|(input, edge)| match situation.graph.event(input).actor {
        Actor::Release(index) if matches!(edge.reason, Reason::Wait | Reason::HealthCheck) => Some(index as usize),
        _ => None,
    });
    awaited.filter_map(|release| of_release(situation, node, release, timeout)).collect()
}

fn of_release<'a>(situation: &Situation<'a>, node: &'a Node, index: usize, timeout: Duration) -> Option<Endless<'a>> {
    let cluster = situation.cluster;
    let helm = &cluster.releases[index].helm;
    if helm.spec.suspend {
        return None;
    }
    let actions = [
        ("install", HelmAction::install(&helm.spec, &cluster.controllers)),
        ("upgrade", HelmAction::upgrade(&helm.spec, &cluster.controllers)),
    ];
    // A health check that ends before the first attempt of Helm could fail learns nothing early.
    let (key, action, fails_after) = actions
        .into_iter()
        .filter(|(_, action)| action.failure.is_endless())
        .find_map(|(key, action)| Some((key, action, action.timeout.filter(|budget| *budget < timeout)?)))?;
    let route: &[&str] = match action.failure {
        HelmFailure::Retry(_) => &["spec", key, "strategy", "name"],
        _ => &["spec", key, "remediation", "retries"],
    };
    let written = helm.object.node.find(route).map(|value| value.span);
    let by = match (action.failure, written) {
        (HelmFailure::Retry(_), Some(_)) => format!("`{key}.strategy.name: RetryOnFailure`"),
        (HelmFailure::Retry(_), None) => "feature gate `DefaultToRetryOnFailure` of helm-controller".to_owned(),
        _ => format!("`{key}.remediation.retries` below zero"),
    };
    Some(Endless { node, release: index, timeout, fails_after, at: written.unwrap_or(helm.name_span()), by })
}
