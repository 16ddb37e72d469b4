use super::{
    Context, Rule, Situation,
    order::{Early, Search, awaited, bringers, cost, edit, named, places, subjects},
    wording::{list, subject_of},
};
use crate::{
    finding::{Category, Confidence, Finding, RuleInfo, Severity, Tier},
    graph::{Actor, EventId, Moment, Reason},
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "unordered-namespace",
        summary: "Objects are applied into a namespace without waiting for what makes it.",
        category: Category::Order,
        severity: Severity::Warning,
        confidence: Confidence::Medium,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/unordered-namespace.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations.iter().filter(|situation| situation.cluster.reached) {
        let mut search = Search::new(situation);
        for index in 0..situation.cluster.implicit.namespaces.len() {
            let Some(needed) = situation.graph.id(Actor::Namespace(index as u32), Moment::Exists) else { continue };
            let early = search.early(needed, Reason::NeedsNamespace);
            findings.extend(report(situation, index, needed, &early));
        }
    }
}

fn report(situation: &Situation<'_>, index: usize, needed: EventId, early: &[Early]) -> Option<Finding> {
    let cluster = situation.cluster;
    let first = early.first()?;
    let namespace = &cluster.implicit.namespaces[index].name;
    let bringers = bringers(&situation.graph, needed);
    let makers = subjects(cluster, &bringers);
    let who = named(situation, early);
    let does = if early.len() == 1 { "applies" } else { "apply" };
    let message = format!(
        "{who} {does} objects into namespace {namespace} without waiting for {}, which makes it",
        list(&makers)
    );
    let mut finding = situation.finding(&RULE.info, cluster.node(first.node).subject(), first.span, message);
    let (severity, cost) = cost(situation, early);
    finding.severity = severity;
    finding.confidence = first.confidence.min(Confidence::Medium);
    finding.members = vec![subject_of(cluster, situation.graph.event(needed).actor)];
    finding.label = format!("goes into namespace {namespace}");
    finding.related = places(situation, early, &bringers, "makes it");
    finding.why = format!(
        "In a cold start the dry-run fails (`namespaces \"{namespace}\" not found`, reason ReconciliationFailed) until the namespace is there, \
         and nothing else of the build is applied either. It heals by itself, but {cost}."
    );
    let bringer = bringers.first()?.0;
    let order = edit(situation, early, bringer, awaited(cluster, bringer).as_deref());
    finding.help = format!(
        "{order}; or list a Namespace `{namespace}` in the same build, whose first stage creates it before the rest"
    );
    Some(finding)
}
