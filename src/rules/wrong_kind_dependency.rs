use super::{
    Context, Rule,
    dependencies::{Doubts, Target},
    renamed_reference::unexplained,
};
use crate::finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier};

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
        let doubts = Doubts::of(context.tree, situation.cluster);
        for entry in unexplained(context, situation) {
            let Target::OtherKind { subject, span, owner } = &entry.target else { continue };
            let message =
                format!("{} depends on {}, but `{}` is a {}", entry.subject, entry.wanted(), entry.name, subject.kind);
            let mut finding = situation.finding(&RULE.info, entry.subject.clone(), entry.span, message);
            finding.key = entry.wanted().to_string();
            finding.label = format!("a {} can only depend on a {}", entry.subject.kind, entry.subject.kind);
            finding.related.push(Related::new(
                format!("the only `{}` there is", entry.name),
                Some(subject.clone()),
                *span,
            ));
            finding.why = format!(
                "`dependsOn` has no kind, and each controller looks among its own objects only. {}.",
                entry.symptom(situation.cluster)
            );
            finding.help = match (entry.subject.kind.as_str(), owner) {
                ("Kustomization", Some(owner)) => format!(
                    "depend on the Kustomization that applies it, `{owner}`, and give that `wait: true` or a health check on the HelmRelease"
                ),
                ("HelmRelease", _) => {
                    "let the Kustomization that applies this HelmRelease depend on it instead, or name a HelmRelease"
                        .to_owned()
                }
                _ => "name a Kustomization instead".to_owned(),
            };
            let finding = entry.doubted(finding, &doubts);
            findings.push(situation.weighed(finding, false));
        }
    }
}
