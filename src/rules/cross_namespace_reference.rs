use super::{
    Context, Rule, Situation,
    references::{SourceUse, source_uses},
};
use crate::finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier};

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
    for situation in context.situations.iter().filter(|situation| situation.cluster.reached) {
        for used in source_uses(situation.cluster) {
            findings.extend(forbidden(situation, &used).or_else(|| gated(situation, &used)));
        }
    }
}

/// A source in another namespace, where tenants are locked down (kustomize-controller v1.9 and helm-controller v1.6,
/// `--no-cross-namespace-refs`).
fn forbidden(situation: &Situation<'_>, used: &SourceUse<'_>) -> Option<Finding> {
    let flag = situation.cluster.controllers.no_cross_namespace_refs(&used.subject.kind);
    let own = used.subject.namespace.as_deref().unwrap_or_default();
    if !flag.value || own.is_empty() || used.source.namespace == own {
        return None;
    }
    let message = format!(
        "{} names {}, a source of another namespace, which `--no-cross-namespace-refs` forbids",
        used.subject, used.source
    );
    let mut finding = situation.finding(&RULE.info, used.subject.clone(), used.span, message);
    finding.label = format!("not in namespace `{own}`");
    finding.related.push(Related::new("this forbids references across namespaces", None, flag.span));
    finding.why = "It ends with Ready=False, reason AccessDenied, and Stalled=True (`… cross-namespace references have been blocked`): it is not \
                   tried again before its spec changes. Its dependents wait."
        .to_owned();
    finding.help =
        format!("give namespace `{own}` a source of its own, or move {} to `{}`", used.subject, used.source.namespace);
    Some(finding)
}

/// An ExternalArtifact, where the controller's arguments are known and the gate is not among them (kustomize-controller v1.9
/// and helm-controller v1.6, gate `ExternalArtifact`).
fn gated(situation: &Situation<'_>, used: &SourceUse<'_>) -> Option<Finding> {
    const GATE: &str = "ExternalArtifact";
    let controller = situation.cluster.controllers.of_kind(&used.subject.kind);
    if used.source.kind != GATE || !controller.is_complete || controller.has_gate(GATE) {
        return None;
    }
    let name = &controller.name;
    let message = format!(
        "{} names {}, which {name} does not look at without the gate `ExternalArtifact`",
        used.subject, used.source
    );
    let mut finding = situation.finding(&RULE.info, used.subject.clone(), used.span, message);
    finding.label = "an ExternalArtifact".to_owned();
    finding.why = "The gate is off by default: it ends with Ready=False, reason AccessDenied, and Stalled=True. Its dependents wait.".to_owned();
    finding.help = format!("start {name} with `--feature-gates=ExternalArtifact=true`");
    Some(finding)
}
