use std::collections::BTreeMap;

use super::{Context, Rule, Situation, wording::short_list};
use crate::{
    cluster::{Cluster, ObjectKey},
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    situation::{Difference, InputFact, InputField, LookAlike},
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "missing-substitute-source",
        summary: "A ConfigMap or Secret that a Flux object reads is built under another name only.",
        category: Category::Reference,
        severity: Severity::Error,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/missing-substitute-source.md"),
    },
    check,
};

/// Further readers that are named; the rest is counted.
const OTHERS: usize = 5;

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations {
        // One that is built for another namespace only is one fault, however many miss it.
        let mut elsewhere: BTreeMap<&ObjectKey, Vec<&InputFact>> = BTreeMap::new();
        // What many objects read is missing once.
        for facts in situation.facts.inputs.chunk_by(|left, right| left.key == right.key) {
            match facts.first().and_then(|fact| fact.look_alike.as_ref()) {
                Some(LookAlike { key, difference: Difference::Namespace, .. }) => {
                    elsewhere.entry(key).or_default().extend(facts);
                }
                _ => findings.extend(report(context, situation, &facts.iter().collect::<Vec<_>>())),
            }
        }
        findings.extend(elsewhere.values().filter_map(|facts| report(context, situation, facts)));
    }
}

/// What several objects miss, in one finding.
fn report(context: &Context<'_>, situation: &Situation<'_>, facts: &[&InputFact]) -> Option<Finding> {
    let (fact, others) = facts.split_first()?;
    let what = match &fact.look_alike {
        Some(found) => match found.difference {
            Difference::Hash => format!("but the generator makes `{}`", found.key.name),
            Difference::Kind => format!("but `{}` is a {}", found.key.name, found.key.kind),
            Difference::Namespace => format!("but that name is built in namespace `{}` only", found.key.namespace),
            Difference::Spelling => "which no build makes".to_owned(),
        },
        None => "which no build makes".to_owned(),
    };
    let message = format!("{} reads {} (`{}`), {what}", fact.reader, fact.key.subject(), fact.field.path());
    let mut finding = situation.finding(&RULE.info, fact.reader.clone(), fact.span, message);
    finding.confidence = fact.confidence;
    finding.cause = fact.key.subject().to_string();
    match &fact.look_alike {
        Some(found) => compare(&mut finding, situation.cluster, fact, found),
        None if context.pedantic => made_outside(&mut finding, fact),
        None => return None,
    }
    for other in others.iter().take(OTHERS) {
        finding.related.push(Related::new("read here too", Some(other.reader.clone()), other.span));
    }
    let names: Vec<String> = others.iter().map(|other| other.reader.to_string()).collect();
    if !names.is_empty() {
        finding.why.push_str(&format!(" So it is with {}.", short_list(&names, OTHERS)));
    }
    if let Some(hidden) = &fact.hidden_by {
        finding.why.push_str(&format!(" It may be made by {hidden}, which this repository does not show."));
    }
    Some(finding)
}

/// Words what there is in its place.
fn compare(finding: &mut Finding, cluster: &Cluster, fact: &InputFact, found: &LookAlike) {
    let LookAlike { key, provider, difference } = found;
    let place = cluster.object(*provider).place();
    finding.related.push(Related::new("this one exists", Some(key.subject()), place));
    finding.why = symptom(fact);
    let (kind, namespace) = (&fact.key.kind, &fact.key.namespace);
    (finding.label, finding.help) = match difference {
        Difference::Hash => {
            finding.why.push_str(
                " kustomize adds a hash to generated names and follows it in references between the kinds of Kubernetes only, not in those of Flux \
                 objects.",
            );
            (
                "the name without its hash".to_owned(),
                "set `generatorOptions.disableNameSuffixHash: true` (or `options.disableNameSuffixHash` on the generator)".to_owned(),
            )
        }
        Difference::Kind => (format!("looked up as {kind}"), format!("set `kind: {}`", key.kind)),
        Difference::Namespace => (
            format!("looked up in `{namespace}`, the namespace of the {} itself", fact.reader.kind),
            format!("build it in namespace `{namespace}` too: such references have no namespace of their own"),
        ),
        Difference::Spelling => ("no such object".to_owned(), format!("did you mean `{}`?", key.name)),
    };
    if matches!(difference, Difference::Namespace | Difference::Spelling) {
        finding.severity = Severity::Warning;
    }
}

/// Words what is normal, for those who want to know everything: it is made outside the repository.
fn made_outside(finding: &mut Finding, fact: &InputFact) {
    finding.severity = Severity::Info;
    finding.label = "not in this repository".to_owned();
    finding.why = format!("Where nothing else makes it: {}", symptom(fact));
    finding.help =
        "make sure that it is there before Flux starts, or set `optional: true` where the field has it".to_owned();
}

/// What the controllers say (kustomize-controller v1.9 `build`, helm-controller v1.6 `reconcileRelease`).
fn symptom(fact: &InputFact) -> String {
    match fact.field {
        InputField::ValuesFrom => {
            "It stays at Ready=False, reason ValuesError (`could not find … with name`); nothing is installed."
                .to_owned()
        }
        InputField::SubstituteFrom => format!(
            "It stays at Ready=False, reason BuildFailed (`substitute from '{}/{}' error`); nothing of it is applied, and its dependents wait.",
            fact.key.kind, fact.key.name
        ),
        InputField::Decryption | InputField::KubeConfigSecret | InputField::KubeConfigMap => {
            "It stays at Ready=False; nothing of it is applied, and its dependents wait.".to_owned()
        }
    }
}
