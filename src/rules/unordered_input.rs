use super::{
    Context, Rule, Situation,
    order::{Early, Search, bringers, cost, depends_on_open_gate, edit, named, places, subjects},
    wording::{list, subject_of},
};
use crate::{
    finding::{Category, Confidence, Finding, RuleInfo, Severity, Tier},
    graph::{Actor, EventId, Moment, Reason},
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "unordered-input",
        summary: "A ConfigMap, Secret or ServiceAccount is read without waiting for the Kustomization that applies it.",
        category: Category::Order,
        severity: Severity::Warning,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/unordered-input.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations.iter().filter(|situation| situation.cluster.reached) {
        let mut search = Search::new(situation);
        for needed in situation.graph.events() {
            let event = situation.graph.event(needed);
            if event.moment != Moment::Exists || !matches!(event.actor, Actor::Object(_) | Actor::Made(_)) {
                continue;
            }
            let mut readers = search.reading(needed);
            // A source wakes those that read it once it has an artifact (kustomize-controller v1.9, `requestsForRevisionChangeOf`),
            // whoever makes it: nothing is lost to a retry.
            readers.retain(|(early, reason)| match reason {
                Reason::Source => false,
                Reason::SubstituteFrom => !depends_on_open_gate(situation, needed, early.node),
                _ => true,
            });
            let reason = readers.first().map(|(_, reason)| *reason);
            let early: Vec<Early> = readers.into_iter().map(|(early, _)| early).collect();
            findings.extend(reason.and_then(|reason| report(situation, needed, reason, &early)));
        }
    }
}

fn report(situation: &Situation<'_>, needed: EventId, reason: Reason, early: &[Early]) -> Option<Finding> {
    let cluster = situation.cluster;
    let first = early.first()?;
    let input = subject_of(cluster, situation.graph.event(needed).actor);
    let bringers = bringers(&situation.graph, needed);
    let bringer = bringers.first()?.0;
    let (is_made, does) = (!matches!(bringer, Actor::Node(_)), if early.len() == 1 { "reads" } else { "read" });
    let message = format!(
        "{} {does} {input} without waiting for {}, which {} it",
        named(situation, early),
        list(&subjects(cluster, &bringers)),
        if is_made { "makes" } else { "applies" }
    );
    let mut finding = situation.finding(&RULE.info, cluster.node(first.node).subject(), first.span, message);
    let (severity, cost) = cost(situation, early);
    finding.severity = severity;
    finding.confidence = first.confidence;
    finding.members = vec![input.clone()];
    finding.label = format!("reads {input}");
    finding.related = places(situation, early, &bringers, if is_made { "makes it" } else { "applies it" });
    let symptom = match reason {
        Reason::SubstituteFrom => format!("BuildFailed (`substitute from '{}/{}' error`)", input.kind, input.name),
        Reason::Decryption => "BuildFailed".to_owned(),
        _ => "ReconciliationFailed".to_owned(),
    };
    finding.why = format!(
        "In a cold start it is not there yet: Ready=False, reason {symptom}. It heals by itself once {input} exists, but {cost}."
    );
    let place = if is_made { "" } else { "; or apply it with the Kustomization that applies its reader" };
    finding.help = format!("{}{place}", edit(situation, early, bringer, is_made.then(|| input.to_string()).as_deref()));
    Some(finding)
}
