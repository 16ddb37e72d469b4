use std::collections::BTreeMap;

use super::{
    Context, Rule, Situation,
    wording::{list, short_list},
};
use crate::{
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    situation::{Later, UnknownField, UnknownFieldFact},
    source::Span,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "unknown-field",
        summary: "A Flux object, or one whose CRD is in a build, has a field that its API version does not have.",
        category: Category::Reference,
        severity: Severity::Error,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/unknown-field.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations {
        // What one patch or template writes into many objects is one fault.
        let mut by_place: BTreeMap<(Span, &str), Vec<&UnknownFieldFact>> = BTreeMap::new();
        for fact in &situation.facts.unknown_fields {
            if let Some(first) = fact.fields.first() {
                let found = by_place.entry((first.span, &first.path)).or_default();
                // An object that two Kustomizations apply is reported once.
                if found.last().is_none_or(|last| last.key != fact.key) {
                    found.push(fact);
                }
            }
        }
        findings.extend(by_place.values().filter_map(|found| report(situation, found)));
    }
}

fn report(situation: &Situation<'_>, found: &[&UnknownFieldFact]) -> Option<Finding> {
    let cluster = situation.cluster;
    let (fact, others) = found.split_first()?;
    let (first, more) = fact.fields.split_first()?;
    let version = cluster.object(fact.provider).id().version;
    let paths: Vec<String> = fact.fields.iter().map(|field| format!("`{}`", field.path)).collect();
    let are = if paths.len() == 1 { "is no field" } else { "are no fields" };
    let message = format!("{} {are} of {} ({version})", short_list(&paths, 3), fact.key.subject());
    let mut finding = situation.finding(&RULE.info, fact.key.subject(), first.span, message);
    finding.label = match &first.similar {
        None if let Some(Later::Release(release)) = first.later => format!("since Flux {release}"),
        Some(similar) => format!("not declared; `{similar}` is"),
        None => format!("not declared in {version}"),
    };
    for field in more {
        finding.related.push(Related::new("nor is this", None, field.span));
    }
    let also: Vec<String> = others.iter().map(|fact| fact.key.subject().to_string()).collect();
    let also = if also.is_empty() { String::new() } else { format!(" So it is with {}.", short_list(&also, 4)) };
    finding.why = format!(
        "It is applied server-side, which refuses what the CRD does not declare (`.{}: field not declared in schema`): {} ends with \
         Ready=False, reason ReconciliationFailed, and applies nothing of what it builds.{also}",
        first.path,
        cluster.owner(fact.provider)
    );
    finding.help = list(&fact.fields.iter().map(help).collect::<Vec<_>>());
    finding.confidence = fact.confidence;
    if fact.confidence == Confidence::Medium {
        finding.why.push_str(" The fields are those of Flux 2.9; later releases may have more.");
    }
    Some(finding)
}

fn help(field: &UnknownField) -> String {
    match (field.path.as_str(), &field.similar) {
        ("spec.validation", _) => {
            "remove `spec.validation`: every apply is validated by the API server since v1beta2".to_owned()
        }
        _ if field.is_removed() => "move the entries of the older patch fields to `spec.patches`".to_owned(),
        (path, _) if let Some(later) = field.later => match later {
            Later::Api(version) => format!("write the object as `{version}`, which has `{path}`, or remove that"),
            Later::Release(release) => {
                format!("upgrade Flux to {release} or later, which has `{path}`, or remove that")
            }
        },
        (path, Some(similar)) => format!("did you mean `{similar}` for `{path}`?"),
        (path, None) => format!("remove `{path}`, or put it where it belongs"),
    }
}
