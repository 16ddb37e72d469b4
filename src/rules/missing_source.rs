use std::collections::BTreeSet;

use super::{
    Context, Rule, Situation,
    dependencies::templated_by,
    names::{is_slip, nearest},
    references::{KnownSource, KnownSources, Renames, SourceUse, hidden_by, source_uses, symptom},
};
use crate::{
    cluster::{Node, ObjectKey},
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Subject, Tier},
    flux::SourceRef,
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

/// Sources of one kind in one namespace from which on they are kept together there.
const COMPANY: usize = 3;

/// What stands in place of a missing source.
enum Instead<'k> {
    /// The same kind and name in another namespace.
    OtherNamespace(&'k KnownSource),
    /// Another kind of that name.
    OtherKind(&'k KnownSource),
    /// A name that differs by a letter or two.
    Misspelt(&'k KnownSource),
    /// Nothing alike.
    Nothing,
}

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations.iter().filter(|situation| situation.cluster.reached) {
        let known = KnownSources::of(situation.cluster);
        let uses = source_uses(situation.cluster);
        let missing: Vec<&SourceUse<'_>> = uses.iter().filter(|used| !known.has(&used.source)).collect();
        if missing.is_empty() {
            continue;
        }
        let renames = Renames::of(context, situation.cluster);
        let subjects: BTreeSet<&Subject> = missing.iter().map(|used| &used.subject).collect();
        let hidden = hidden_by(situation, &|subject| subjects.contains(subject))
            .or_else(|| templated_by(context.tree, situation.cluster, missing.first()?.source.kind.as_str()));
        for used in missing {
            let exists = |namespace: &str| known.has(&SourceRef { namespace: namespace.into(), ..used.source.clone() });
            let is_relative = used.declared_namespace.is_none();
            if renames.explain(context, used.object, &used.source, is_relative, &exists).is_none() {
                findings.push(report(situation, used, &known, hidden.as_deref()));
            }
        }
    }
}

fn instead<'k>(used: &SourceUse<'_>, known: &'k KnownSources) -> Instead<'k> {
    let wanted = &used.source;
    let same_name = || known.named(&wanted.name);
    if let Some(found) =
        same_name().find(|known| known.source.kind != wanted.kind && known.source.namespace == wanted.namespace)
    {
        return Instead::OtherKind(found);
    }
    if let Some(found) = same_name().find(|known| known.source.kind == wanted.kind) {
        return Instead::OtherNamespace(found);
    }
    if let Some(found) = same_name().next() {
        return Instead::OtherKind(found);
    }
    match known.beside(wanted).find(|known| is_slip(&known.source.name, &wanted.name)) {
        Some(found) => Instead::Misspelt(found),
        None => Instead::Nothing,
    }
}

fn report(situation: &Situation<'_>, used: &SourceUse<'_>, known: &KnownSources, hidden: Option<&str>) -> Finding {
    let SourceUse { subject, source, field, .. } = used;
    let instead = instead(used, known);
    let what = match &instead {
        Instead::OtherNamespace(found) => format!("`{}` lives in namespace `{}`", source.name, found.source.namespace),
        Instead::OtherKind(found) => format!("`{}` is {}", source.name, a(&found.source.kind)),
        Instead::Misspelt(_) | Instead::Nothing => "nothing in this cluster builds it".to_owned(),
    };
    let message = format!("{subject} takes its {} from {source}, but {what}", takes(field));
    let mut finding = situation.finding(&RULE.info, subject.clone(), used.span, message);
    finding.label = match (&instead, used.declared_namespace) {
        (Instead::OtherNamespace(_), None) => {
            format!("looked up in `{}`, the namespace of the {} itself", source.namespace, subject.kind)
        }
        (Instead::OtherNamespace(_), Some(namespace)) => format!("looked up in namespace `{namespace}`"),
        (Instead::OtherKind(_), _) => format!("looked up as {}", source.kind),
        (Instead::Misspelt(_) | Instead::Nothing, _) => "no such object".to_owned(),
    };
    finding.why = symptom(used);
    match instead {
        Instead::OtherNamespace(found) => {
            tell(&mut finding, found);
            finding.help = format!("set `{field}.namespace: {}`", found.source.namespace);
        }
        Instead::OtherKind(found) => {
            tell(&mut finding, found);
            finding.help = kind_help(used, &found.source);
        }
        Instead::Misspelt(found) => {
            tell(&mut finding, found);
            finding.help = format!("did you mean `{}`?", found.source.name);
        }
        Instead::Nothing => {
            finding.severity = Severity::Warning;
            // Where all its like are kept together, this one would be there too.
            let is_odd = known.has_kind(&source.kind) && (hidden.is_none() || known.beside(source).count() >= COMPANY);
            // What a broken build would hold is not in sight, and the break is told anyway.
            let is_whole = appliers(situation, used).all(|node| node.applied.build.errors.is_empty());
            finding.confidence = if is_odd && is_whole { Confidence::Medium } else { Confidence::Low };
            let near = nearest(&source.name, known.beside(source).map(|known| known.source.name.as_str()));
            let near = near.map(|name| format!("did you mean `{name}`? Otherwise ")).unwrap_or_default();
            finding.help = format!(
                "{near}add the {} to what a Kustomization of this cluster builds; if it is made by something else, this is no fault",
                source.kind
            );
        }
    }
    if let Some(hidden) = hidden {
        finding.confidence = finding.confidence.min(Confidence::Medium);
        finding.why.push_str(&format!(" It may be made by {hidden}, which this repository does not show."));
    }
    finding
}

/// The Kustomizations that apply what refers to a source.
fn appliers<'a>(situation: &'a Situation<'_>, used: &SourceUse<'_>) -> impl Iterator<Item = &'a Node> {
    let providers = situation.cluster.objects.get(&ObjectKey::from(used.object.id())).into_iter().flatten();
    providers.map(|provider| situation.cluster.node(provider.node))
}

/// A kind with its article.
fn a(kind: &str) -> String {
    let article = if kind.starts_with(['A', 'E', 'I', 'O']) { "an" } else { "a" };
    format!("{article} {kind}")
}

fn takes(field: &str) -> &'static str {
    if field == "spec.sourceRef" { "manifests" } else { "chart" }
}

fn tell(finding: &mut Finding, found: &KnownSource) {
    let SourceRef { kind, namespace, name } = &found.source;
    let subject = Subject { kind: kind.to_string(), namespace: Some(namespace.to_string()), name: name.to_string() };
    finding.related.push(Related::new("this one exists", Some(subject), found.span));
}

/// Which field names a source of the kind that there is.
fn kind_help(used: &SourceUse<'_>, found: &SourceRef) -> String {
    let field = used.field;
    let is_for_chart_ref = matches!(found.kind.as_str(), "OCIRepository" | "HelmChart" | "ExternalArtifact");
    let namespace = if found.namespace == used.source.namespace {
        String::new()
    } else {
        format!(" and `namespace: {}`", found.namespace)
    };
    match field {
        "spec.chart.spec.sourceRef" if is_for_chart_ref => format!(
            "a chart template cannot take its chart from {}: use `spec.chartRef` with `kind: {}`{namespace} in place of `spec.chart`",
            a(&found.kind),
            found.kind
        ),
        "spec.chartRef" if !is_for_chart_ref => format!(
            "`spec.chartRef` cannot name {}: use `spec.chart.spec.sourceRef` with `kind: {}`{namespace}",
            a(&found.kind),
            found.kind
        ),
        "spec.sourceRef" if found.kind.starts_with("Helm") => {
            format!(
                "a Kustomization cannot take its manifests from {}: name a GitRepository or OCIRepository",
                a(&found.kind)
            )
        }
        _ => format!("set `{field}.kind: {}`{namespace}", found.kind),
    }
}
