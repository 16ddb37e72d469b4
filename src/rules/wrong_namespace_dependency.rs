use super::{
    Context, Rule,
    dependencies::{Doubts, Target},
    renamed_reference::unexplained,
    wording::list,
};
use crate::finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier};

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
        let doubts = Doubts::of(context.tree, situation.cluster);
        for entry in unexplained(context, situation) {
            let Target::OtherNamespace(there) = &entry.target else { continue };
            let namespaces: Vec<String> = there.iter().map(|(namespace, _)| format!("`{namespace}`")).collect();
            let message = format!(
                "{} depends on {}, but `{}` lives in namespace {}",
                entry.subject,
                entry.wanted(),
                entry.name,
                list(&namespaces)
            );
            let mut finding = situation.finding(&RULE.info, entry.subject.clone(), entry.span, message);
            finding.key = entry.wanted().to_string();
            finding.label = match entry.declared_namespace {
                Some(namespace) => format!("looked up in namespace `{namespace}`"),
                None => {
                    format!("looked up in `{}`, the namespace of the {} itself", entry.namespace, entry.subject.kind)
                }
            };
            for (namespace, span) in there.iter().take(3) {
                finding.related.push(Related::new(format!("defined here, in namespace `{namespace}`"), None, *span));
            }
            finding.why = format!(
                "A dependency without `namespace` is looked up in the namespace the object has after its build. {}.",
                entry.symptom(situation.cluster)
            );
            let wanted = there.first().map_or("", |(namespace, _)| namespace.as_str());
            finding.help = format!("set `namespace: {wanted}` on the `dependsOn` entry");
            let finding = entry.doubted(finding, &doubts);
            findings.push(situation.weighed(finding, false));
        }
    }
}
