use smol_str::SmolStr;

use super::{Context, Rule, Situation, names::nearest, proviso::failed_build};
use crate::{
    cluster::NodeId,
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    flux::api::kinds,
    situation::{FieldFault, Flaw, Form, KeyFault, ManifestFact, Unquoted, any_of, urls},
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "invalid-manifest",
        summary: "The API server refuses an object: a field is missing, of the wrong type, or has a value that its schema does not allow.",
        category: Category::Build,
        severity: Severity::Error,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/invalid-manifest.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations {
        findings.extend(situation.facts.manifests.iter().map(|fact| report(situation, fact)));
    }
}

fn report(situation: &Situation<'_>, fact: &ManifestFact) -> Finding {
    let cluster = situation.cluster;
    let (subject, FieldFault { path, flaw, span }) = (fact.key.subject(), &fact.fault);
    let message = format!("{subject} cannot be applied: `{path}` {flaw}");
    let mut finding = situation.finding(&RULE.info, subject.clone(), *span, message);
    finding.label = flaw.to_string();
    finding.why = match fact.providers.first() {
        Some(provider) => {
            let node = cluster.node(provider.node);
            finding.related.push(Related::new("applied by this Kustomization", Some(node.subject()), node.span()));
            format!(
                "{} ends with Ready=False, reason ReconciliationFailed, `{subject} dry-run failed{}`; nothing else of its build is applied \
                 either, except what an earlier stage holds (Namespaces, CRDs, classes).",
                cluster.owner(*provider),
                said(path, flaw)
            )
        }
        None => format!("The API server refuses it: `{path}: {}`.", flaw.reason()),
    };
    let nodes: Vec<NodeId> = fact.providers.iter().map(|provider| provider.node).collect();
    if let Some(first) = failed_build(situation, &nodes) {
        finding.why = format!("{first} {}", finding.why);
    }
    finding.help = fix(path, flaw);
    finding
}

/// What the API server says behind `dry-run failed`. What does not fit the schema fails before the object is looked at as a whole.
fn said(path: &str, flaw: &Flaw) -> String {
    let untyped = |what: &str| format!(": failed to create typed patch object (…): {what}");
    match flaw {
        Flaw::Type { wanted, .. } => {
            let wanted = match *wanted {
                "text" => "string",
                "true or false" => "boolean",
                "a mapping" => "map",
                "a list" => "list",
                _ => "numeric (int or float)",
            };
            untyped(&format!(".{path}: expected {wanted}"))
        }
        Flaw::NotServed { version, .. } => format!(": no matches for kind … in version \"{version}\""),
        Flaw::Twice(key) => {
            let list = path.rsplit_once('[').map_or(path, |(list, _)| list);
            untyped(&format!(".{list}: {} [{key}]", flaw.reason()))
        }
        Flaw::NoKey { key, .. } => {
            let field = path.strip_suffix(key.as_str()).map_or(path, |field| field.trim_end_matches('.'));
            format!(" (Invalid): … {field}: {}", flaw.reason())
        }
        _ => format!(" (Invalid): … {path}: {}", flaw.reason()),
    }
}

/// The edit that corrects a field.
fn fix(path: &str, flaw: &Flaw) -> String {
    match flaw {
        Flaw::Missing(form) => format!("add `{path}`{}", example(*form)),
        Flaw::Type { unquoted: Some(Unquoted::Written), .. } => format!("put the value of `{path}` in quotes"),
        Flaw::Type { unquoted: Some(Unquoted::Substituted), .. } => format!(
            "let the value of the variable contain its quotes (`NAME: '\"2\"'`), or let other text stand around it: quotes around `${{NAME}}` in \
             `{path}` are gone before the variable is replaced"
        ),
        Flaw::Type { wanted, .. } => format!("write {wanted} in `{path}`"),
        Flaw::Fraction(_) => format!("write a whole number in `{path}`"),
        Flaw::NoUrl { text, schemes } => url_fix(path, text, schemes),
        Flaw::NotServed { served, .. } => {
            format!("write the object in a version that the CRD serves: {}", any_of(served, "or"))
        }
        Flaw::Check { cure, .. } => cure.clone(),
        Flaw::NoDuration(_) => format!("write `{path}` as numbers with units, for instance `10m` or `1h30m`"),
        Flaw::NotAmong { text, values } => enum_fix(path, text, values),
        Flaw::Length { allowed: (least, most), .. } => format!("give `{path}` {least} to {most} letters"),
        Flaw::Schema(_) => format!("correct `{path}`"),
        Flaw::TwoCharts => "remove one of `spec.chart` and `spec.chartRef`".to_owned(),
        Flaw::NoChart => "add `spec.chart` or `spec.chartRef`".to_owned(),
        Flaw::NoPattern { allowed, .. } => format!("write `{path}` with {allowed}"),
        Flaw::NoLabel(_) | Flaw::LongLabel(_) => {
            format!("shorten or correct the value of `{path}`, or make it an annotation, which takes any text")
        }
        Flaw::NoKey { key, fault } => match fault {
            KeyFault::Slashes => format!("write `{key}` as `NAME` or `PREFIX/NAME`, with one `/`"),
            KeyFault::Prefix => format!(
                "write what stands before the `/` of `{key}` as a DNS name: small letters, digits, `-` and `.`, with letters or digits at both ends"
            ),
            KeyFault::Name => format!("correct the name in `{key}`"),
            KeyFault::LongName => format!("shorten the name in `{key}` to 63 letters"),
        },
        Flaw::Twice(_) => format!("remove `{path}` or the earlier entry"),
        Flaw::NoDnsLabel(_) | Flaw::NoName(_) | Flaw::LongName(_) => {
            "correct `metadata.name`, and the references to it".to_owned()
        }
    }
}

/// A URL of another form. What Git takes as `user@host:path` is `ssh://user@host/path`.
fn url_fix(path: &str, text: &str, schemes: &[&str]) -> String {
    let short = text.split_once(':').filter(|(host, _)| host.contains('@') && !text.contains("://"));
    match short.filter(|_| schemes.contains(&"ssh")) {
        Some((host, rest)) => format!("write `{path}: ssh://{host}/{}`", rest.trim_start_matches('/')),
        None => format!("begin `{path}` with {}", urls(schemes)),
    }
}

/// What a missing field may hold.
fn example(form: Form) -> String {
    match form {
        Form::Truth => ": `true` or `false`".to_owned(),
        Form::Duration => ", for instance `10m`".to_owned(),
        Form::OneOf(values) => format!(": {}", any_of(values, "or")),
        Form::Url(schemes) => format!(", a URL that begins with {}", urls(schemes)),
        Form::Any | Form::Text | Form::Map | Form::Length(..) | Form::Key | Form::ValuePath => String::new(),
    }
}

/// The allowed value that is meant, or all of them. References to a chart are often written in the wrong one of two fields.
fn enum_fix(path: &str, text: &str, values: &[SmolStr]) -> String {
    if let Some(near) = nearest(text, values.iter().map(SmolStr::as_str)) {
        return format!("did you mean `{path}: {near}`?");
    }
    let elsewhere = match (path, text) {
        ("spec.chartRef.kind", text) if kinds::CHART_SOURCES.contains(&text) => {
            format!("; a chart out of a {text} is named in `spec.chart.spec`, with `sourceRef`")
        }
        ("spec.chart.spec.sourceRef.kind", text) if kinds::CHART_REFERENCES.contains(&text) => {
            format!("; {text} goes into `spec.chartRef`, which takes the place of `spec.chart`")
        }
        _ => String::new(),
    };
    format!("set `{path}` to {}{elsewhere}", any_of(values, "or"))
}
