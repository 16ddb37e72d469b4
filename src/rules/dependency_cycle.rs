use super::{
    Context, Rule, Situation,
    wording::{place, requeue, subject_of, tell_links},
};
use crate::{
    cluster::Cluster,
    finding::{Category, Confidence, Finding, RuleInfo, Severity, Tier},
    graph::{Actor, Loop, Step},
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "dependency-cycle",
        summary: "`dependsOn` entries form a loop, so none of its members ever starts.",
        category: Category::Deadlock,
        severity: Severity::Error,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/dependency-cycle.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations {
        let cycles = situation.deadlocks().iter().filter(|found| found.is_dependency_cycle());
        findings.extend(cycles.filter_map(|cycle| report(context, situation, cycle)));
    }
}

fn report(context: &Context<'_>, situation: &Situation<'_>, cycle: &Loop) -> Option<Finding> {
    let cluster = situation.cluster;
    let links = in_file_order(context, cycle);
    let first = links.first()?;
    let subject = subject_of(cluster, first.after.actor);
    let mut chain: Vec<String> = links.iter().map(|step| subject_of(cluster, step.after.actor).to_string()).collect();
    chain.extend(chain.first().cloned());
    let message = match chain.as_slice() {
        [one, _] if links.len() == 1 => format!("{one} depends on itself"),
        _ => format!("dependency cycle: {}", chain.join(" → ")),
    };
    let mut finding = situation.finding(&RULE.info, subject, first.edge.span, message);
    tell_links(cluster, &links, &mut finding);
    finding.why = why(cluster, first.after.actor);
    let last = links.last().unwrap_or(first);
    finding.help = format!(
        "remove one `dependsOn` entry of the loop, for example `{}` at {}; if only the order of the first apply matters, keep the one \
         that the other side really needs",
        subject_of(cluster, last.before.actor).name,
        place(context.tree, last.edge.span)
    );
    Some(situation.weighed(finding, true))
}

/// What the loop does at run time (kustomize-controller v1.9 `checkDependencies` and `sortAndEnqueue`, helm-controller
/// v1.6).
fn why(cluster: &Cluster, actor: Actor) -> String {
    let (controller, every) = match actor {
        Actor::Release(_) => ("helm-controller", requeue(cluster, "HelmRelease")),
        Actor::Object(_) => ("flux-operator", "5 s".to_owned()),
        _ => ("kustomize-controller", requeue(cluster, "Kustomization")),
    };
    let mut why = format!(
        "{controller} starts none of them before the next is Ready: each stays at Ready=False, reason DependencyNotReady, and asks again \
         every {every} forever."
    );
    if matches!(actor, Actor::Node(_)) {
        why.push_str(
            " On every new revision its sort fails as well (`circular dependency detected`), and no Kustomization of this source is \
             enqueued: all of them move on their `interval` only.",
        );
    }
    why
}

/// The links, turned so that the one that comes first in the files comes first.
fn in_file_order<'l>(context: &Context<'_>, cycle: &'l Loop) -> Vec<&'l Step> {
    let mut links: Vec<&Step> = cycle.links().collect();
    let key = |step: &&Step| (context.tree.path(step.edge.span.file), step.edge.span.start);
    let first = links.iter().enumerate().min_by_key(|(_, step)| key(step)).map_or(0, |(index, _)| index);
    links.rotate_left(first);
    links
}
