use super::{Context, Rule, Situation};
use crate::{
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    situation::{HealthCheckFact, HealthCheckProblem},
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "broken-health-check",
        summary: "An entry of `healthChecks` that can never be met.",
        category: Category::Gate,
        severity: Severity::Error,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/broken-health-check.md"),
    },
    check,
};

const TIMEOUT: &str = "each health check ends after its timeout with reason HealthCheckFailed (`timeout waiting for: […]`); it is never Ready, and its \
                       dependents wait";

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations {
        findings.extend(situation.facts.health_checks.iter().map(|fact| report(situation, fact)));
    }
}

fn report(situation: &Situation<'_>, fact: &HealthCheckFact) -> Finding {
    let subject = situation.cluster.node(fact.node).subject();
    let message = format!("{subject} {}", fact.clause());
    let mut finding = situation.finding(&RULE.info, subject, fact.span, message);
    finding.confidence = fact.confidence;
    match &fact.problem {
        HealthCheckProblem::WrongGroup { declared, right } => {
            let kind = &fact.key.kind;
            finding.label = format!("no {kind} in {}", if declared.is_none() { "apps/v1" } else { "that group" });
            finding.why = format!("The API server knows no {kind} there, so the object stays Unknown, and {TIMEOUT}.");
            finding.help = match right {
                Some(version) => format!("write `apiVersion: {version}` in the entry"),
                None => format!("add the `apiVersion` of {kind} to the entry"),
            };
        }
        HealthCheckProblem::NoNamespace { meant } => {
            finding.label = "`namespace` is not defaulted".to_owned();
            finding.why = "No namespace is assumed, not even its own: the whole health check fails at once with `is namespace scoped, but namespace \
                           is not set`, reason HealthCheckFailed, and with it all other entries. It is never Ready, and its dependents wait."
                .to_owned();
            finding.help = match meant {
                Some(namespace) => format!("add `namespace: {namespace}` to the entry"),
                None => "add the `namespace` of the object to the entry".to_owned(),
            };
        }
        HealthCheckProblem::Variable { text, applied_by } => {
            let owner = situation.cluster.node(*applied_by).subject();
            finding.label = "stays as it is written".to_owned();
            finding.why = format!(
                "The `postBuild` of a Kustomization reaches what it builds, not its own spec, and {owner}, which applies it, has none: the API server                  has no object named with `{text}`, so it stays NotFound, and {TIMEOUT}."
            );
            finding.help = format!("set the variable in `postBuild` of {owner}, or write the name out");
        }
        HealthCheckProblem::NoObject { .. } => missing(fact, &mut finding),
    }
    if situation.cluster.node(fact.node).kustomization.spec.suspend {
        finding.why.push_str(" It is suspended today: this holds once it is resumed.");
    }
    let lies_inside = !matches!(fact.problem, HealthCheckProblem::NoObject { .. });
    situation.weighed(finding, lies_inside)
}

/// An entry that names nothing this cluster has.
fn missing(fact: &HealthCheckFact, finding: &mut Finding) {
    let HealthCheckProblem::NoObject { similar, hidden } = &fact.problem else { return };
    finding.label = "no such object".to_owned();
    finding.why = format!("The object stays NotFound, and {TIMEOUT}.");
    finding.help = match similar {
        Some((other, span)) => {
            finding.related.push(Related::new("this one exists", Some(other.subject()), *span));
            let is_moved = other.name == fact.key.name;
            if is_moved {
                format!("did you mean `namespace: {}`?", other.namespace)
            } else {
                format!("did you mean `name: {}`?", other.name)
            }
        }
        None => "correct the entry, or remove it".to_owned(),
    };
    if !fact.is_of_flux() {
        // A chart or a controller may make it after all.
        finding.severity = Severity::Warning;
    }
    if let Some(hidden) = hidden {
        finding.why.push_str(&format!(" It may be made by what the repository does not show: {hidden}."));
    }
}
