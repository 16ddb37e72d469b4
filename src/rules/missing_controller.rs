use super::{Context, Rule, Situation};
use crate::{
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    situation::{ComponentFact, ListedBy},
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "missing-controller",
        summary: "A build holds objects of a Flux controller that is not installed.",
        category: Category::Build,
        severity: Severity::Error,
        confidence: Confidence::Medium,
        tier: Tier::Stable,
        since: "0.2.0",
        page: include_str!("../../rules/missing-controller.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations {
        findings.extend(situation.facts.components.iter().filter_map(|fact| report(situation, fact)));
    }
}

fn report(situation: &Situation<'_>, fact: &ComponentFact) -> Option<Finding> {
    let (first, place) = fact.objects.first()?;
    let owner = situation.cluster.owner(fact.provider);
    let message = format!("{owner} {}", fact.clause());
    let mut finding = situation.finding(&RULE.info, owner, *place, message);
    finding.key = fact.controller.to_owned();
    finding.label = "a kind that the API server does not know".to_owned();
    finding.confidence = fact.confidence;
    let rest = fact.objects.iter().skip(1);
    finding.related.extend(rest.map(|(key, place)| Related::new("so is this", Some(key.subject()), *place)));
    finding.related.push(Related::new("the controllers that there are", None, fact.listed_at));
    finding.why = format!(
        "The CRDs of a controller come with it. Without them the dry-run of the whole build fails (`no matches for kind \"{}\"`, reason \
         ReconciliationFailed), and nothing else of it is applied either.",
        first.kind
    );
    let controller = fact.controller;
    finding.help = match fact.listed_by {
        ListedBy::Manifests if controller.starts_with("image-") => "run `flux bootstrap` again with \
             `--components-extra=image-reflector-controller,image-automation-controller`, or remove the objects"
            .to_owned(),
        ListedBy::Manifests => format!(
            "run `flux bootstrap` again with `--components-extra={controller}`, or without a `--components` that leaves it out, or remove the objects"
        ),
        ListedBy::Instance => {
            format!("add `{controller}` to `spec.components` of the FluxInstance, or remove the objects")
        }
    };
    Some(finding)
}
