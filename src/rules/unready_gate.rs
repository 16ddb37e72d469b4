use std::collections::{BTreeMap, BTreeSet};

use super::{
    Context, Rule, Situation,
    health::dependents,
    order::next_attempt,
    wording::{CHART_KNOWN, list, names, short_list},
};
use crate::{
    cluster::{Node, NodeId, ObjectKey},
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    flux::{Health, health_of},
    graph::{Actor, Moment, Reason},
    source::Span,
};

mod needs;

use needs::{Excuse, Need, Needs};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "unready-gate",
        summary: "Dependents start before what they need runs, because the dependency does not wait for it.",
        category: Category::Gate,
        severity: Severity::Warning,
        confidence: Confidence::Medium,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/unready-gate.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations.iter().filter(|situation| situation.cluster.reached) {
        let needs = Needs::new(situation);
        for (id, node) in situation.cluster.nodes() {
            if !node.has_gate() && !node.is_remote() {
                findings.extend(open_gate(situation, &needs, id, node));
            } else if context.pedantic {
                findings.extend(race(situation, id, node));
            }
        }
        findings.extend((0..situation.cluster.releases.len()).filter_map(|index| without_wait(situation, index)));
    }
}

/// A Kustomization without a health check that others depend on.
fn open_gate(situation: &Situation<'_>, needs: &Needs<'_>, id: NodeId, node: &Node) -> Option<Finding> {
    let cluster = situation.cluster;
    let is_at_work = |id: NodeId| !cluster.node(id).kustomization.spec.suspend;
    let dependents: Vec<(NodeId, Span)> =
        dependents(situation, id).into_iter().filter(|(id, _)| is_at_work(*id)).collect();
    if dependents.is_empty() || node.kustomization.spec.suspend {
        return None;
    }
    let holders = needs.subtree(id);
    let mut needed: Vec<(NodeId, Span, Need)> = dependents
        .iter()
        .filter_map(|(dependent, span)| Some((*dependent, *span, needs.of(*dependent, &holders)?)))
        .collect();
    if needed.is_empty() {
        return unproven(situation, node, &dependents);
    }
    // What is likely to be there in time is told only where nothing else is wrong.
    if needed.iter().any(|(.., need)| need.excuse.is_none()) {
        needed.retain(|(.., need)| need.excuse.is_none());
    }
    let ids: Vec<NodeId> = needed.iter().map(|(dependent, ..)| *dependent).collect();
    let whom = short_list(&names(cluster, &ids), 6);
    let things: BTreeSet<&str> = needed.iter().map(|(.., need)| need.what.as_str()).collect();
    let things: Vec<String> = things.into_iter().map(str::to_owned).collect();
    let message = format!(
        "{} is Ready before {}, which {whom} {}",
        node.subject(),
        short_list(&things, 3),
        if ids.len() == 1 { "needs" } else { "need" }
    );
    let mut finding = situation.finding(&RULE.info, node.subject(), node.span(), message);
    finding.label = "neither `wait` nor `healthChecks`: Ready once applied".to_owned();
    for (dependent, span, need) in &needed {
        let subject = cluster.node(*dependent).subject();
        finding.related.push(Related::new("starts once it is applied", Some(subject), *span));
        finding.related.push(Related::new(need.use_text.clone(), Some(need.user.clone()), need.used_at));
        finding.related.push(Related::new("not waited for", Some(need.provider.clone()), need.provided_at));
    }
    let mut reported = BTreeSet::new();
    finding
        .related
        .retain(|related| reported.insert((related.location, related.subject.clone(), related.message.clone())));
    finding.why = why(situation, &needed);
    if needed.iter().any(|(.., need)| need.is_applied) {
        finding.why.push_str(CHART_KNOWN);
    }
    finding.help = help(situation, id, &needed);
    finding.confidence = needed.iter().map(|(.., need)| need.confidence).max().unwrap_or(Confidence::Low);
    let mut excuses: Vec<Excuse> = needed.iter().filter_map(|(.., need)| need.excuse).collect();
    excuses.dedup();
    for excuse in excuses {
        finding.severity = Severity::Info;
        finding.why.push_str(excuse.text());
    }
    Some(situation.weighed(finding, false))
}

fn why(situation: &Situation<'_>, needed: &[(NodeId, Span, Need)]) -> String {
    let (dependent, _, need) = &needed[0];
    let node = situation.cluster.node(*dependent);
    let comes =
        next_attempt(situation, *dependent).map_or_else(|| "after its `interval`".to_owned(), |(_, comes)| comes);
    format!(
        "A dependency without a health check is Ready as soon as its objects are applied, when charts have not even been fetched. In a fresh cluster {} \
         ends its first attempt at Ready=False, reason {}, and the next one comes {comes}. It heals by retry, and what depends on it waits \
         as long.",
        node.subject(),
        need.symptom,
    )
}

fn help(situation: &Situation<'_>, id: NodeId, needed: &[(NodeId, Span, Need)]) -> String {
    let cluster = situation.cluster;
    let mut own: BTreeMap<String, &Need> = BTreeMap::new();
    let mut nested: BTreeSet<String> = BTreeSet::new();
    for (.., need) in needed {
        if need.holder == id {
            own.insert(need.provider.to_string(), need);
        } else {
            let holder = cluster.node(need.holder);
            let and = if holder.has_gate() { "" } else { ", with `wait: true`" };
            nested.insert(format!("`{}`{and}", holder.key.name));
        }
    }
    let mut ways = Vec::new();
    if !own.is_empty() {
        let entries: Vec<String> = own.values().map(|need| need.check.clone()).collect();
        let node = cluster.node(id);
        // What a controller makes is not among what `wait` looks at.
        let or_wait = if own.values().all(|need| need.is_applied) { ", or `wait: true`" } else { "" };
        ways.push(format!("add `healthChecks: [{}]` to {}{or_wait}", entries.join(", "), node.key.name));
    }
    if !nested.is_empty() {
        ways.push(format!("depend on {} instead, which builds it", list(&nested.into_iter().collect::<Vec<_>>())));
    }
    ways.join("; ")
}

/// Others depend on it, and nothing shows that they need more than its objects.
fn unproven(situation: &Situation<'_>, node: &Node, dependents: &[(NodeId, Span)]) -> Option<Finding> {
    let keys = node.applied.build.objects.iter().map(|object| ObjectKey::from(object.id()));
    let awaited: Vec<String> = keys
        .filter(|key| {
            health_of(&key.group, &key.kind) == Health::Awaited
                && !(key.is_kustomization() && key.name == node.key.name)
        })
        .map(|key| key.subject().to_string())
        .collect();
    if awaited.is_empty() {
        return None;
    }
    let ids: Vec<NodeId> = dependents.iter().map(|(dependent, _)| *dependent).collect();
    let whom = short_list(&names(situation.cluster, &ids), 6);
    let message = format!("{} is Ready before {}, and {whom} start then", node.subject(), short_list(&awaited, 3));
    let mut finding = situation.finding(&RULE.info, node.subject(), node.span(), message);
    finding.severity = Severity::Info;
    finding.confidence = Confidence::Medium;
    finding.label = "neither `wait` nor `healthChecks`: Ready once applied".to_owned();
    for (dependent, span) in dependents.iter().take(6) {
        finding.related.push(Related::new(
            "starts once it is applied",
            Some(situation.cluster.node(*dependent).subject()),
            *span,
        ));
    }
    finding.why = "The entries of `dependsOn` order the apply alone: what it deploys may not have started. Where the dependents need it to run, they \
                   retry until it does."
        .to_owned();
    finding.help = "add `healthChecks` for what the dependents need, or `wait: true`; where the order of apply is all that is meant, leave it".to_owned();
    Some(situation.weighed(finding, false))
}

/// A HelmRelease that is Ready before its workloads run, and that others depend on (helm-controller v1.6, `install.disableWait`).
fn without_wait(situation: &Situation<'_>, index: usize) -> Option<Finding> {
    let cluster = situation.cluster;
    let release = &cluster.releases[index];
    let disabled = |key: &str| {
        let wait = release.helm.object.node.find(&["spec", key, "disableWait"])?;
        (wait.as_bool() == Some(true)).then_some(wait.span)
    };
    let at = disabled("install")?;
    let ready = situation.graph.id(Actor::Release(index as u32), Moment::Ready)?;
    let dependents: Vec<(String, Span)> = situation
        .graph
        .outputs(ready)
        .filter(|(_, edge)| edge.reason == Reason::DependsOn)
        .map(|(after, edge)| {
            (super::wording::subject_of(cluster, situation.graph.event(after).actor).to_string(), edge.span)
        })
        .collect();
    if dependents.is_empty() {
        return None;
    }
    let whom: Vec<String> = dependents.iter().map(|(name, _)| name.clone()).collect();
    let message =
        format!("{} is Ready before its workloads run, and {} depends on it", release.subject(), short_list(&whom, 4));
    let mut finding = situation.finding(&RULE.info, release.subject(), at, message);
    finding.label = "Ready once the manifests are submitted".to_owned();
    finding.confidence = Confidence::Medium;
    for (_, span) in dependents.iter().take(6) {
        finding.related.push(Related::new("starts then", None, *span));
    }
    finding.why = "With `install.disableWait` Helm only submits the manifests: the release is Ready within seconds, whether its pods start or not, and \
                   its dependents are installed against something that is not there yet."
        .to_owned();
    finding.help =
        "remove `disableWait`, and raise `timeout` where the install takes long; or remove the entries of `dependsOn`"
            .to_owned();
    Some(situation.weighed(finding, false))
}

/// A waiting node with a chart from an OCIRepository beside it: a new tag changes the OCIRepository alone.
fn race(situation: &Situation<'_>, id: NodeId, node: &Node) -> Option<Finding> {
    let dependents = dependents(situation, id);
    if !node.kustomization.spec.wait || dependents.is_empty() {
        return None;
    }
    let objects = &node.applied.build.objects;
    let is_oci = |name: &str| {
        objects.iter().any(|object| {
            object.node.find_str(&["kind"]) == Some("OCIRepository")
                && object.node.find_str(&["metadata", "name"]) == Some(name)
        })
    };
    let racing: Vec<&crate::kustomize::Object> = objects
        .iter()
        .filter(|object| object.node.find_str(&["spec", "chartRef", "kind"]) == Some("OCIRepository"))
        .filter(|object| object.node.find_str(&["spec", "chartRef", "name"]).is_some_and(is_oci))
        .collect();
    let first = racing.first()?;
    let subjects: Vec<String> = racing.iter().map(|object| object.id().to_string()).collect();
    let message = format!("{} may be Ready again before {} is upgraded", node.subject(), short_list(&subjects, 4));
    let mut finding =
        situation.finding(&RULE.info, node.subject(), first.node.nearest_span(&["spec", "chartRef"]), message);
    finding.severity = Severity::Info;
    finding.confidence = Confidence::Medium;
    finding.label = "chart from an OCIRepository of the same Kustomization".to_owned();
    finding.why = "A commit that changes the tag alone leaves the HelmRelease as it was, and so still healthy: the health check may pass in the moment \
                   before helm-controller begins with the upgrade, and the dependents go on."
        .to_owned();
    finding.help = "where the dependents must come after the upgrade, name the chart by `chart.spec.version`, which changes the HelmRelease".to_owned();
    Some(situation.weighed(finding, false))
}
