use super::{Context, Rule, Situation, proviso::failed_build, wording::short_list};
use crate::{
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    situation::UnplacedFact,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "object-without-namespace",
        summary: "An object of a namespaced kind has no namespace, and nothing gives it one.",
        category: Category::Build,
        severity: Severity::Error,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/object-without-namespace.md"),
    },
    check,
};

/// Objects that are named beside the first.
const SHOWN: usize = 4;

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations {
        findings.extend(situation.facts.unplaced.iter().filter_map(|fact| report(situation, fact)));
    }
}

fn report(situation: &Situation<'_>, fact: &UnplacedFact) -> Option<Finding> {
    let node = situation.cluster.node(fact.node);
    let ((first, span), others) = fact.objects.split_first()?;
    let owner = node.subject();
    let names: Vec<String> = fact.objects.iter().map(|(key, _)| key.subject().to_string()).collect();
    let have = if names.len() == 1 { "has" } else { "have" };
    let message = format!("{} {have} no namespace, and {owner} gives them none", short_list(&names, SHOWN));
    let message = if names.len() == 1 { message.replace("gives them none", "gives it none") } else { message };
    let mut finding = situation.finding(&RULE.info, first.subject(), *span, message);
    finding.key = owner.to_string();
    finding.label = "no namespace is set".to_owned();
    let also = others.iter().take(SHOWN).map(|(key, span)| Related::new("nor here", Some(key.subject()), *span));
    finding.related = also.collect();
    finding.related.push(Related::new("applied by this Kustomization", Some(owner.clone()), node.span()));
    finding.why = format!(
        "Flux has no default namespace, unlike kubectl: the dry-run ends with `{}/{} namespace not specified: the server could not find the \
         requested resource`. {owner} ends with Ready=False, reason ReconciliationFailed, and nothing of the stage is applied.",
        first.kind, first.name
    );
    let own = "set `metadata.namespace`";
    finding.help = match fact.namespaced == fact.objects.len() {
        true => format!(
            "set `spec.targetNamespace` of {owner}, or `namespace` in the kustomization file of its path; or {own} of each object"
        ),
        // `targetNamespace` would move the others too.
        false => format!("{own} of what has none: `spec.targetNamespace` of {owner} would move the other objects too"),
    };
    if let Some(first) = failed_build(situation, &[fact.node]) {
        finding.why = format!("{first} {}", finding.why);
    }
    finding.confidence = fact.confidence;
    if fact.confidence == Confidence::Medium {
        finding.why.push_str(" That the kind is namespaced is known from a catalogue.");
    }
    Some(finding)
}
