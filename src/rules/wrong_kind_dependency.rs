use super::{
    Context, Rule,
    dependencies::{doubted, symptom},
};
use crate::{
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    situation::DependencyProblem,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "wrong-kind-dependency",
        summary: "A `dependsOn` entry names an object of a kind that it cannot depend on.",
        category: Category::Reference,
        severity: Severity::Error,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/wrong-kind-dependency.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations {
        for fact in &situation.facts.dependencies {
            let DependencyProblem::OtherKind { object, place, owner } = &fact.problem else { continue };
            let kind = &fact.subject.kind;
            let message = format!("{} {}", fact.subject, fact.clause());
            let mut finding = situation.finding(&RULE.info, fact.subject.clone(), fact.span, message);
            finding.key = fact.wanted().to_string();
            finding.label = format!("a {kind} can only depend on a {kind}");
            let only = format!("the only `{}` there is", fact.name);
            finding.related.push(Related::new(only, Some(object.clone()), *place));
            finding.why = format!(
                "`dependsOn` has no kind, and each controller looks among its own objects only. {}.",
                symptom(situation.cluster, fact)
            );
            finding.help = match (kind.as_str(), owner) {
                ("Kustomization", Some(owner)) => format!(
                    "depend on the Kustomization that applies it, `{owner}`, and give that `wait: true` or a health check on the HelmRelease"
                ),
                ("HelmRelease", _) => {
                    "let the Kustomization that applies this HelmRelease depend on it instead, or name a HelmRelease"
                        .to_owned()
                }
                _ => "name a Kustomization instead".to_owned(),
            };
            findings.push(situation.weighed(doubted(finding, fact), false));
        }
    }
}
