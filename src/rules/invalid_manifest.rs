use super::{Context, Rule, Situation, names::nearest};
use crate::{
    cluster::{Cluster, ObjectKey, Provider},
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    flux::{Policy, is_flux_duration, is_open_text},
    kustomize::Object,
    source::Span,
    yaml::{Node, Value},
};

mod fields;

use fields::{Field, Form, HELM_RELEASE, KUSTOMIZATION, NAMED};

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

/// What is wrong with a field.
struct Fault {
    /// The field, for instance `spec.sourceRef.kind`.
    path: String,
    /// What is wrong with it, to follow the path.
    what: String,
    /// What the API server says of it.
    reason: &'static str,
    /// The edit that mends it.
    fix: String,
    span: Span,
}

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations.iter().filter(|situation| situation.cluster.reached) {
        let cluster = situation.cluster;
        for (key, providers) in &cluster.objects {
            if !providers.is_empty() && !key.is_unresolved() {
                findings.extend(of_object(situation, key, providers));
            }
        }
        // What is set up by hand goes through the same API server.
        let by_hand = cluster.nodes.iter().filter(|node| node.is_entry && !node.is_generated);
        for node in by_hand.filter(|node| node.definitions.iter().all(|definition| definition.owner.is_none())) {
            let faults = flux_faults(&node.kustomization.object, &node.kustomization.problems, KUSTOMIZATION);
            findings
                .extend(faults.iter().map(|fault| report(situation, &key_of(&node.kustomization.object), &[], fault)));
        }
    }
}

fn key_of(object: &Object) -> ObjectKey {
    object.id().into()
}

fn of_object(situation: &Situation<'_>, key: &ObjectKey, providers: &[Provider]) -> Vec<Finding> {
    let cluster = situation.cluster;
    let Some(first) = providers.first() else { return Vec::new() };
    let object = cluster.object(*first);
    if !Policy::of(&object.node).applied {
        return Vec::new();
    }
    let version = object.id().version;
    let mut faults = Vec::new();
    if key.is_kustomization() && version == "v1" {
        let problems = crate::flux::Kustomization::read(object.clone()).problems;
        faults = flux_faults(object, &problems, KUSTOMIZATION);
    } else if key.is_helm_release() && version == "v2" {
        let problems = crate::flux::HelmRelease::read(object.clone()).problems;
        faults = flux_faults(object, &problems, HELM_RELEASE);
        faults.extend(chart_fault(object));
    }
    if NAMED.contains(&(key.group.as_str(), key.kind.as_str())) {
        faults.extend(name_fault(object));
    }
    faults.iter().map(|fault| report(situation, key, providers, fault)).collect()
}

fn report(situation: &Situation<'_>, key: &ObjectKey, providers: &[Provider], fault: &Fault) -> Finding {
    let cluster: &Cluster = situation.cluster;
    let subject = key.subject();
    let message = format!("{subject} cannot be applied: `{}` {}", fault.path, fault.what);
    let mut finding = situation.finding(&RULE.info, subject.clone(), fault.span, message);
    finding.label = fault.what.clone();
    let owners: Vec<String> = providers.iter().map(|provider| cluster.owner(*provider).to_string()).collect();
    finding.why = match (providers.first(), owners.first()) {
        (Some(provider), Some(owner)) => {
            let node = cluster.node(provider.node);
            finding.related.push(Related::new("applied by this Kustomization", Some(node.subject()), node.span()));
            format!(
                "{owner} ends with Ready=False, reason ReconciliationFailed, `{subject} dry-run failed (Invalid): … {}: {}`; nothing else \
                 of its build is applied either, except what an earlier stage holds (namespaces, definitions, classes).",
                fault.path, fault.reason
            )
        }
        _ => format!("The API server refuses it: `{}: {}`.", fault.path, fault.reason),
    };
    finding.help.clone_from(&fault.fix);
    finding
}

/// The faults of a Flux object: those its schema has (kustomize-controller v1.9 and helm-controller v1.6, the validation markers of their
/// API types), and fields that do not fit their types.
fn flux_faults(object: &Object, problems: &[(String, Span)], fields: &[Field]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for field in fields {
        walk(&object.node, field.path, "", &mut |node, parent, path| {
            faults.extend(field_fault(field, node, parent.or(object.source), path));
        });
    }
    if !matches!(object.node.get("metadata").and_then(|metadata| metadata.get("name")), Some(name) if name.as_str().is_some())
    {
        return faults;
    }
    for (problem, span) in problems {
        let is_told = faults.iter().any(|fault| fault.span == *span || span.contains(fault.span));
        let (path, what) = problem.split_once(": ").unwrap_or(("spec", problem));
        if !is_told {
            let path = path.trim_matches('`').to_owned();
            let what = format!("is not what its schema asks for: {what}");
            let fix = format!("correct `{path}`");
            faults.push(Fault { path, what, reason: "Invalid value", fix, span: *span });
        }
    }
    faults
}

/// Visits every value that `path` leads to, `*` standing for every item of a list and every value of a mapping. Where only the last
/// step leads nowhere, the visit is one of nothing.
fn walk(node: &Node, path: &[&str], shown: &str, visit: &mut dyn FnMut(Option<&Node>, Span, String)) {
    let Some((key, rest)) = path.split_first() else {
        visit(Some(node), node.span, shown.to_owned());
        return;
    };
    if *key == "*" {
        for (index, item) in node.items().enumerate() {
            walk(item, rest, &format!("{shown}[{index}]"), visit);
        }
        for entry in node.entries() {
            walk(&entry.value, rest, &format!("{shown}.{}", entry.key), visit);
        }
        return;
    }
    let path = if shown.is_empty() { (*key).to_owned() } else { format!("{shown}.{key}") };
    match node.get(key).filter(|value| !value.is_null()) {
        Some(value) if rest.is_empty() => visit(Some(value), value.span.or(node.span), path),
        Some(value) => walk(value, rest, &path, visit),
        None if rest.is_empty() && node.as_map().is_some() => visit(None, node.span, path),
        None => {}
    }
}

fn field_fault(field: &Field, node: Option<&Node>, span: Span, path: String) -> Option<Fault> {
    let fault = |what: String, reason, fix: String| Some(Fault { path: path.clone(), what, reason, fix, span });
    let Some(node) = node else {
        let fix = format!("add `{path}`{}", example(field.form));
        return if field.required { fault("is missing".to_owned(), "Required value", fix) } else { None };
    };
    if node.is_null() || node.as_str().is_some_and(is_open_text) {
        return None;
    }
    let text = node.as_str();
    let wanted = match field.form {
        Form::Any => return None,
        Form::Truth => node.as_bool().is_none().then_some("true or false"),
        Form::Map => node.as_map().is_none().then_some("a mapping"),
        Form::Text | Form::Duration | Form::OneOf(_) | Form::Length(..) => text.is_none().then_some("text"),
    };
    if let Some(wanted) = wanted {
        let is_scalar = matches!(node.value, Value::Bool(_) | Value::Int(_) | Value::Uint(_) | Value::Float(_));
        let fix = if wanted == "text" && is_scalar {
            format!("put the value of `{path}` in quotes")
        } else {
            format!("write {wanted} in `{path}`")
        };
        return fault(format!("is {}, where {wanted} is wanted", words_of(node)), "Invalid value", fix);
    }
    let text = text?;
    match field.form {
        Form::Duration if !is_flux_duration(text) => {
            let fix = format!("write `{path}` as numbers with units, for instance `10m` or `1h30m`");
            fault(format!("is `{}`, which is no duration", brief(text)), "Invalid value", fix)
        }
        Form::OneOf(values) if !values.contains(&text) => {
            let fix = enum_fix(&path, text, values);
            fault(
                format!("is `{}`, where only {} are known", brief(text), any_of(values, "and")),
                "Unsupported value",
                fix,
            )
        }
        Form::Length(least, most) if !(least..=most).contains(&text.chars().count()) => {
            let fix = format!("give `{path}` {least} to {most} letters");
            fault(
                format!("has {} letters, where {least} to {most} are allowed", text.chars().count()),
                "Invalid value",
                fix,
            )
        }
        _ => None,
    }
}

/// What a missing field may hold.
fn example(form: Form) -> String {
    match form {
        Form::Truth => ": `true` or `false`".to_owned(),
        Form::Duration => ", for instance `10m`".to_owned(),
        Form::OneOf(values) => format!(": {}", any_of(values, "or")),
        Form::Any | Form::Text | Form::Map | Form::Length(..) => String::new(),
    }
}

/// The allowed value that is meant, or all of them. References to a chart are often written in the wrong one of two fields.
fn enum_fix(path: &str, text: &str, values: &[&str]) -> String {
    if let Some(near) = nearest(text, values.iter().copied()) {
        return format!("did you mean `{path}: {near}`?");
    }
    let elsewhere = match (path, text) {
        ("spec.chartRef.kind", "HelmRepository" | "GitRepository" | "Bucket") => {
            format!("; a chart out of a {text} is named in `spec.chart.spec`, with `sourceRef`")
        }
        ("spec.chart.spec.sourceRef.kind", "OCIRepository" | "HelmChart" | "ExternalArtifact") => {
            format!("; {text} goes into `spec.chartRef`, which takes the place of `spec.chart`")
        }
        _ => String::new(),
    };
    format!("set `{path}` to {}{elsewhere}", any_of(values, "or"))
}

/// `a, b or c`.
fn any_of(values: &[&str], and: &str) -> String {
    match values {
        [most @ .., last] if !most.is_empty() => format!("{} {and} {last}", most.join(", ")),
        _ => values.join(""),
    }
}

/// The first line of a text, cut where it is long: a message is one line.
fn brief(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let start: String = line.chars().take(60).collect();
    if start == text { start } else { format!("{start}…") }
}

/// A release has one of `chart` and `chartRef` (helm-controller v1.6, `HelmReleaseSpec`, validation rule).
fn chart_fault(object: &Object) -> Option<Fault> {
    let spec = object.node.get("spec").filter(|spec| spec.as_map().is_some())?;
    let set = |key: &str| spec.get(key).is_some_and(|value| !value.is_null());
    let (what, fix) = match (set("chart"), set("chartRef")) {
        (true, true) => ("has both `chart` and `chartRef`", "remove one of `spec.chart` and `spec.chartRef`"),
        (false, false) => ("has neither `chart` nor `chartRef`", "add `spec.chart` or `spec.chartRef`"),
        _ => return None,
    };
    let reason = "Invalid value: either chart or chartRef must be set";
    let fix = fix.to_owned();
    Some(Fault { path: "spec".to_owned(), what: what.to_owned(), reason, fix, span: spec.span.or(object.source) })
}

/// Names are DNS subdomains (apimachinery `ValidateDNS1123Subdomain`).
fn name_fault(object: &Object) -> Option<Fault> {
    let name = object.node.find(&["metadata", "name"])?;
    let text = name.as_str().filter(|text| !is_open_text(text) && !text.contains("{{"))?;
    let is_part = |part: &str| {
        let is_end =
            |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit());
        is_end(part.chars().next())
            && is_end(part.chars().next_back())
            && part.chars().all(|letter| is_end(Some(letter)) || letter == '-')
    };
    let what = if text.len() > 253 {
        format!("has {} letters, where 253 are allowed", text.len())
    } else if !text.split('.').all(is_part) {
        let name = brief(text);
        format!(
            "is `{name}`, where only small letters, digits, `-` and `.` are allowed, letters or digits at both ends"
        )
    } else {
        return None;
    };
    let reason =
        "Invalid value: a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.'";
    let fix = "correct `metadata.name`, and the references to it".to_owned();
    Some(Fault { path: "metadata.name".to_owned(), what, reason, fix, span: name.span.or(object.source) })
}

const fn words_of(node: &Node) -> &'static str {
    match node.value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Int(_) | Value::Uint(_) | Value::Float(_) => "a number",
        Value::Str(_) => "text",
        Value::Map(_) => "a mapping",
        Value::Seq(_) => "a list",
    }
}
