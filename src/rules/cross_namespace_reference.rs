use super::{Context, Rule};
use crate::{
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    situation::SourceProblem,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "cross-namespace-reference",
        summary: "A source is named that the controller's own flags forbid.",
        category: Category::Reference,
        severity: Severity::Error,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/cross-namespace-reference.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations {
        for fact in &situation.facts.sources {
            let used = &fact.used;
            let message = format!("{} {}", used.subject, fact.clause());
            let mut finding = situation.finding(&RULE.info, used.subject.clone(), used.span, message);
            match &fact.problem {
                SourceProblem::OtherTenant { own, flag } => {
                    finding.label = format!("not in namespace `{own}`");
                    finding.related.push(Related::new("this forbids references across namespaces", None, *flag));
                    finding.why = "It ends with Ready=False, reason AccessDenied, and Stalled=True (`… cross-namespace references have been blocked`): it is not \
                                   tried again before its spec changes. Its dependents wait."
                        .to_owned();
                    finding.help = format!(
                        "give namespace `{own}` a source of its own, or move {} to `{}`",
                        used.subject, used.source.namespace
                    );
                }
                SourceProblem::WithoutGate { controller } => {
                    finding.label = "an ExternalArtifact".to_owned();
                    finding.why = "The gate is off by default: it ends with Ready=False, reason AccessDenied, and Stalled=True. Its dependents wait."
                        .to_owned();
                    finding.help = format!("start {controller} with `--feature-gates=ExternalArtifact=true`");
                }
                SourceProblem::Missing { .. } | SourceProblem::Renamed(_) => continue,
            }
            findings.push(finding);
        }
    }
}
