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
        id: "wrong-namespace-dependency",
        summary: "A `dependsOn` entry names an object that exists in another namespace only.",
        category: Category::Reference,
        severity: Severity::Error,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/wrong-namespace-dependency.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations {
        for fact in &situation.facts.dependencies {
            let DependencyProblem::OtherNamespace(there) = &fact.problem else { continue };
            let message = format!("{} {}", fact.subject, fact.clause());
            let mut finding = situation.finding(&RULE.info, fact.subject.clone(), fact.span, message);
            finding.key = fact.wanted().to_string();
            finding.label = match &fact.declared_namespace {
                Some(namespace) => format!("looked up in namespace `{namespace}`"),
                None => {
                    format!("looked up in `{}`, the namespace of the {} itself", fact.namespace, fact.subject.kind)
                }
            };
            for (namespace, place) in there.iter().take(3) {
                finding.related.push(Related::new(format!("defined here, in namespace `{namespace}`"), None, *place));
            }
            finding.why = format!(
                "A dependency without `namespace` is looked up in the namespace the object has after its build. {}.",
                symptom(situation.cluster, fact)
            );
            let wanted = there.first().map_or("", |(namespace, _)| namespace.as_str());
            finding.help = format!("set `namespace: {wanted}` on the `dependsOn` entry");
            findings.push(situation.weighed(doubted(finding, fact), false));
        }
    }
}
