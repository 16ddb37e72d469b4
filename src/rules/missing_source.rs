use super::{Context, Rule, Situation, references::symptom};
use crate::{
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Subject, Tier},
    flux::{SourceRef, api::kinds},
    situation::{Instead, KnownSource, SourceFact, SourceProblem, SourceUse, with_article},
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "missing-source",
        summary: "A source or chart reference names an object that nothing in the cluster builds.",
        category: Category::Reference,
        severity: Severity::Error,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/missing-source.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations {
        for fact in &situation.facts.sources {
            if let SourceProblem::Missing { instead, hidden } = &fact.problem {
                findings.push(report(situation, fact, instead, hidden.as_deref()));
            }
        }
    }
}

fn report(situation: &Situation<'_>, fact: &SourceFact, instead: &Instead, hidden: Option<&str>) -> Finding {
    let SourceUse { subject, source, field, .. } = &fact.used;
    let message = format!("{subject} {}", fact.clause());
    let mut finding = situation.finding(&RULE.info, subject.clone(), fact.used.span, message);
    finding.confidence = fact.confidence;
    finding.label = match (instead, &fact.used.declared_namespace) {
        (Instead::OtherNamespace(_), None) => {
            format!("looked up in `{}`, the namespace of the {} itself", source.namespace, subject.kind)
        }
        (Instead::OtherNamespace(_), Some(namespace)) => format!("looked up in namespace `{namespace}`"),
        (Instead::OtherKind(_), _) => format!("looked up as {}", source.kind),
        (Instead::Misspelt(_) | Instead::Nothing { .. }, _) => "no such object".to_owned(),
    };
    finding.why = symptom(&fact.used);
    finding.cause = fact.used.source.to_string();
    match instead {
        Instead::OtherNamespace(found) => {
            tell(&mut finding, found);
            finding.help = format!("set `{field}.namespace: {}`", found.source.namespace);
        }
        Instead::OtherKind(found) => {
            tell(&mut finding, found);
            finding.help = kind_help(&fact.used, &found.source);
        }
        Instead::Misspelt(found) => {
            tell(&mut finding, found);
            finding.help = format!("did you mean `{}`?", found.source.name);
        }
        Instead::Nothing { similar } => {
            finding.severity = Severity::Warning;
            let near = similar.as_ref().map(|name| format!("did you mean `{name}`? Otherwise ")).unwrap_or_default();
            finding.help = format!(
                "{near}add the {} to what a Kustomization of this cluster builds; if it is made by something else, this is no fault",
                source.kind
            );
        }
    }
    if let Some(hidden) = hidden {
        finding.why.push_str(&format!(" It may be made by {hidden}, which this repository does not show."));
    }
    finding
}

fn tell(finding: &mut Finding, found: &KnownSource) {
    let SourceRef { kind, namespace, name } = &found.source;
    let subject = Subject { kind: kind.to_string(), namespace: Some(namespace.to_string()), name: name.to_string() };
    finding.related.push(Related::new("this one exists", Some(subject), found.span));
}

/// Which field names a source of the kind that there is.
fn kind_help(used: &SourceUse, found: &SourceRef) -> String {
    let (field, kind) = (used.field, &found.kind);
    let is_for_chart_ref = kinds::CHART_REFERENCES.contains(&kind.as_str());
    let namespace = if found.namespace == used.source.namespace {
        String::new()
    } else {
        format!(" and `namespace: {}`", found.namespace)
    };
    match field {
        "spec.chart.spec.sourceRef" if is_for_chart_ref => format!(
            "a chart template cannot take its chart from {}: use `spec.chartRef` with `kind: {kind}`{namespace} in place of `spec.chart`",
            with_article(kind)
        ),
        "spec.chartRef" if !is_for_chart_ref => format!(
            "`spec.chartRef` cannot name {}: use `spec.chart.spec.sourceRef` with `kind: {kind}`{namespace}",
            with_article(kind)
        ),
        "spec.sourceRef" if kind.starts_with("Helm") => {
            format!(
                "a Kustomization cannot take its manifests from {}: name a GitRepository or OCIRepository",
                with_article(kind)
            )
        }
        _ => format!("set `{field}.kind: {kind}`{namespace}"),
    }
}
