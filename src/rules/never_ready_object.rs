use super::{Context, Rule, Situation, wording::worth};
use crate::{
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    situation::{NeverReady, NeverReadyFact},
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "never-ready-object",
        summary: "A Kustomization waits for an object that never becomes healthy.",
        category: Category::Gate,
        severity: Severity::Error,
        confidence: Confidence::Medium,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/never-ready-object.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations {
        let facts = situation.facts.never_ready.iter();
        findings.extend(facts.map(|fact| situation.weighed(report(situation, fact), true)));
    }
}

fn report(situation: &Situation<'_>, fact: &NeverReadyFact) -> Finding {
    let node = situation.cluster.node(fact.node);
    let message = format!("{} {}", node.subject(), fact.clause());
    let mut finding = situation.finding(&RULE.info, fact.key.subject(), fact.span, message);
    finding.related.push(Related::new("waits for it", Some(node.subject()), fact.checked_at));
    finding.confidence = fact.confidence;
    match &fact.problem {
        NeverReady::Paused => {
            finding.label = "rolls nothing out".to_owned();
            finding.why = "A paused Deployment makes no pods on a fresh cluster, and its Progressing condition says DeploymentPaused, which is not \
                           what the health check asks for."
                .to_owned();
            finding.help = "remove `paused`, or set `replicas: 0` to have none of it".to_owned();
        }
        NeverReady::ReadyStaysFalse(row) => {
            finding.label = "its Ready condition stays false".to_owned();
            finding.why = format!(
                "The Ready condition of a {} is false as long as it does its work, as a catalogue has it.",
                row.kind
            );
            finding.help = match &row.current {
                Some(current) => format!(
                    "add to `healthCheckExprs`: `{{apiVersion: {}/v1, kind: {}, current: \"{current}\"}}`",
                    row.group, row.kind
                ),
                None => "replace `wait: true` by `healthChecks` that leave it out, or add an entry of `healthCheckExprs` for the kind".to_owned(),
            };
            finding.confidence = worth(row.confidence);
        }
        NeverReady::Unbound { class, mode } => {
            finding.label = "stays Pending without a pod that mounts it".to_owned();
            finding.related.push(Related::new("binds only then", Some(class.subject()), *mode));
            finding.why = format!(
                "Volumes of the class `{}` are bound when the first pod that mounts them is scheduled (WaitForFirstConsumer), and no manifest names \
                 the claim; until then it is Pending.",
                class.name
            );
            finding.help = format!(
                "move the claim into the Kustomization that mounts it, or leave it out of the health check of {}",
                node.key.name
            );
        }
        NeverReady::FilledByUser { filler, uses } => {
            finding.label = "is bound once it is filled from this".to_owned();
            let is_itself = *filler == fact.key;
            let filler = filler.subject();
            if is_itself {
                finding.why =
                    "A copy is made of a claim that is bound, and this one is bound once the copy is made.".to_owned();
                finding.help = "name the claim that is to be copied, or leave `dataSource` out".to_owned();
            } else {
                finding.related.push(Related::new("needs the claim", Some(filler.clone()), *uses));
                finding.why = format!(
                    "The claim is Pending until {filler} has the data, and {filler} mounts the claim, or takes a snapshot of it, to get that: it \
                     waits until the claim is bound. Nothing comes of it in a fresh cluster."
                );
                finding.help = format!(
                    "let {filler} use a claim of its own (VolSync makes one where `destinationPVC` is left out), or leave the data source out of \
                     the claim"
                );
            }
        }
    }
    finding.why.push_str(&format!(
        " The health check ends after its timeout with reason HealthCheckFailed (`timeout waiting for: [… status: 'InProgress']`), again and again; {} \
         is never Ready, and its dependents wait.",
        node.key.name
    ));
    finding
}
