use super::{
    Context, Rule, Situation,
    deadlocks::persistence,
    wording::{list, place, requeue, subject_of, tell_links},
};
use crate::{
    finding::{Category, Confidence, Finding, RuleInfo, Severity, Tier},
    graph::{CycleKind, Loop, Reason, Step},
    source::Tree,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "wait-deadlock",
        summary: "Readiness waits for itself through health checks, parents or releases, so it never comes.",
        category: Category::Deadlock,
        severity: Severity::Error,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/wait-deadlock.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations {
        let deadlocks = situation.deadlocks().iter().filter(|found| found.cycle_kind() == CycleKind::Gate);
        findings.extend(deadlocks.filter_map(|deadlock| report(context.tree, situation, deadlock)));
    }
}

fn report(tree: &Tree, situation: &Situation<'_>, deadlock: &Loop) -> Option<Finding> {
    let cluster = situation.cluster;
    let links = from_a_dependency(deadlock);
    let first = links.first()?;
    let subject = subject_of(cluster, first.after.actor);
    let actors: Vec<String> = {
        let mut actors: Vec<String> = Vec::new();
        for step in &links {
            let name = subject_of(cluster, step.after.actor).to_string();
            if actors.last() != Some(&name) {
                actors.push(name);
            }
        }
        actors
    };
    let message = format!("deadlock: {} wait for each other", list(&actors));
    let mut finding = situation.finding(&RULE.info, subject, first.edge.span, message);
    tell_links(cluster, &links, &mut finding);
    finding.confidence = deadlock.confidence();
    finding.why = why(situation, deadlock, &links);
    finding.help = help(tree, situation, &links);
    Some(situation.weighed(finding, true))
}

/// The links, beginning with the `dependsOn` that closes the loop, where there is one.
fn from_a_dependency(deadlock: &Loop) -> Vec<&Step> {
    let mut links: Vec<&Step> = deadlock.links().collect();
    let first = links.iter().position(|step| step.edge.reason == Reason::DependsOn).unwrap_or(0);
    links.rotate_left(first);
    links
}

fn why(situation: &Situation<'_>, deadlock: &Loop, links: &[&Step]) -> String {
    let cluster = situation.cluster;
    let gate = links.iter().find(|step| matches!(step.edge.reason, Reason::Wait | Reason::HealthCheck));
    match gate {
        Some(step) => format!(
            "{} is not Ready while it waits, and {} can only become Ready after it: the health check ends after its timeout with reason \
             HealthCheckFailed (`timeout waiting for: […]`), and the next attempt ends the same way. {}",
            subject_of(cluster, step.after.actor),
            subject_of(cluster, step.before.actor),
            persistence(situation, deadlock),
        ),
        None => format!(
            "Nothing in the loop can be the first to happen: on a fresh cluster the waiting side stays at Ready=False, reason \
             DependencyNotReady (`dependency … not found`), and asks again every {} forever. {}",
            requeue(cluster, "Kustomization"),
            persistence(situation, deadlock),
        ),
    }
}

fn help(tree: &Tree, situation: &Situation<'_>, links: &[&Step]) -> String {
    let cluster = situation.cluster;
    let depends = links.iter().find(|step| step.edge.reason == Reason::DependsOn);
    let gate = links.iter().find(|step| matches!(step.edge.reason, Reason::Wait | Reason::HealthCheck));
    let drop = depends.map(|step| {
        format!(
            "remove `{}` from `dependsOn` at {}",
            subject_of(cluster, step.before.actor).name,
            place(tree, step.edge.span)
        )
    });
    let open = gate.map(|step| {
        let (key, at) =
            (if step.edge.reason == Reason::Wait { "wait: true" } else { "healthChecks" }, place(tree, step.edge.span));
        format!("take `{key}` off {} at {at}", subject_of(cluster, step.after.actor))
    });
    let mut ways: Vec<String> = drop.into_iter().chain(open).collect();
    if ways.is_empty() {
        let apply = links.iter().find(|step| step.edge.reason == Reason::AppliedBy);
        ways.extend(apply.map(|step| {
            let (object, owner) = (subject_of(cluster, step.after.actor), subject_of(cluster, step.before.actor));
            format!(
                "move {object} ({}) out of {owner} into a Kustomization that does not need it",
                place(tree, step.edge.span)
            )
        }));
    }
    ways.join(", or ")
}
