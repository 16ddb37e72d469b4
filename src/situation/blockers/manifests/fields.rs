//! Fields of objects that are not as their schemas ask.

use super::{
    FieldFault, Flaw,
    flaw::{Form, Unquoted},
    tables::Field,
};
use crate::{
    flux::{is_flux_duration, is_open_text},
    kustomize::Object,
    source::Span,
    yaml::{Node, Store, Trail, Value},
};

/// The faults of an object: fields that are not as `fields` asks, and `problems`, fields that do not fit their types.
pub(super) fn faults(object: &Object, problems: &[(String, Span)], fields: &[Field], store: &Store) -> Vec<FieldFault> {
    let mut faults = Vec::new();
    for field in fields {
        visit(&object.node, field.path, Trail::Top, &mut |node, parent, path| {
            let span = parent.or(object.source);
            faults.extend(flaw(field, node, span, store).map(|flaw| FieldFault { path: path.to_string(), flaw, span }));
        });
    }
    if object.node.find_str(&["metadata", "name"]).is_none() {
        return faults;
    }
    for (problem, span) in problems {
        let is_known = faults.iter().any(|fault| fault.span == *span || span.contains(fault.span));
        let (path, what) = problem.split_once(": ").unwrap_or(("spec", problem));
        if !is_known {
            let (path, flaw) = (path.trim_matches('`').to_owned(), Flaw::Schema(what.to_owned()));
            faults.push(FieldFault { path, flaw, span: *span });
        }
    }
    faults
}

/// Visits every value that `path` leads to, `*` standing for every item of a list and every value of a mapping. Where only the last
/// step leads nowhere, the visit is one of nothing.
pub(in crate::situation::blockers) fn visit(
    node: &Node,
    path: &[&str],
    trail: Trail<'_>,
    look: &mut dyn FnMut(Option<&Node>, Span, Trail<'_>),
) {
    let Some((key, rest)) = path.split_first() else {
        look(Some(node), node.span, trail);
        return;
    };
    if *key == "*" {
        for (index, item) in node.items().enumerate() {
            visit(item, rest, Trail::Item(&trail, index), look);
        }
        for entry in node.entries() {
            visit(&entry.value, rest, Trail::Key(&trail, &entry.key), look);
        }
        return;
    }
    let trail = Trail::Key(&trail, key);
    match node.get(key).filter(|value| !value.is_null()) {
        Some(value) if rest.is_empty() => look(Some(value), value.span.or(node.span), trail),
        Some(value) => visit(value, rest, trail, look),
        None if rest.is_empty() && node.as_map().is_some() => look(None, node.span, trail),
        None => {}
    }
}

fn flaw(field: &Field, node: Option<&Node>, span: Span, store: &Store) -> Option<Flaw> {
    let Some(node) = node else { return field.required.then_some(Flaw::Missing(field.form)) };
    if node.is_null() || node.as_str().is_some_and(is_open_text) {
        return None;
    }
    let text = node.as_str();
    let wanted = match field.form {
        Form::Any => return None,
        Form::Truth => node.as_bool().is_none().then_some("true or false"),
        Form::Map => node.as_map().is_none().then_some("a mapping"),
        Form::Text
        | Form::Duration
        | Form::OneOf(_)
        | Form::Length(..)
        | Form::Key
        | Form::ValuePath
        | Form::Url(_) => text.is_none().then_some("text"),
    };
    if let Some(wanted) = wanted {
        return Some(type_flaw(node, wanted, span, store));
    }
    let text = text?;
    match field.form {
        Form::Duration if !is_flux_duration(text) => Some(Flaw::NoDuration(text.to_owned())),
        Form::OneOf(values) if !values.contains(&text) => {
            Some(Flaw::NotAmong { text: text.to_owned(), values: values.iter().map(|value| (*value).into()).collect() })
        }
        Form::Url(schemes) if !text.split_once("://").is_some_and(|(scheme, _)| schemes.contains(&scheme)) => {
            Some(Flaw::NoUrl { text: text.to_owned(), schemes })
        }
        Form::Length(least, most) if !(least..=most).contains(&text.chars().count()) => {
            Some(Flaw::Length { letters: text.chars().count(), allowed: (least, most) })
        }
        Form::Key if !is_key(text) => {
            Some(Flaw::NoPattern { text: text.to_owned(), allowed: "letters, digits, `-`, `_` and `.`" })
        }
        Form::ValuePath if !is_value_path(text) => Some(Flaw::NoPattern {
            text: text.to_owned(),
            allowed: "letters, digits, `-`, `_`, `.`, `\\`, `/` and numbers in brackets",
        }),
        _ => None,
    }
}

fn is_key(text: &str) -> bool {
    (1..=253).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

fn is_value_path(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.\\/".contains(&byte);
    let mut rest = text;
    while let Some(first) = rest.bytes().next() {
        rest = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((index, after))
                if (1..=5).contains(&index.len()) && index.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                after
            }
            None if is_plain(first) => &rest[1..],
            _ => return false,
        };
    }
    text.len() <= 250
}

/// That `node` is of another type than what is wanted.
pub(super) fn type_flaw(node: &Node, wanted: &'static str, span: Span, store: &Store) -> Flaw {
    let is_scalar = matches!(node.value, Value::Bool(_) | Value::Int(_) | Value::Uint(_) | Value::Float(_));
    let is_variable = || written(span, store).is_some_and(|text| text.contains("${"));
    let unquoted =
        (wanted == "text" && is_scalar).then(|| if is_variable() { Unquoted::Substituted } else { Unquoted::Written });
    Flaw::Type { is: words_of(node), wanted, unquoted }
}

/// The text at `span`, as the file has it.
fn written(span: Span, store: &Store) -> Option<&str> {
    let text = store.tree().text(span.file).filter(|_| span.is_some())?;
    text.get(span.start as usize..span.end as usize)
}

/// A release has one of `chart` and `chartRef` (helm-controller v1.6, `HelmReleaseSpec`, validation rule).
pub(super) fn chart_fault(object: &Object) -> Option<FieldFault> {
    let spec = object.node.get("spec").filter(|spec| spec.as_map().is_some())?;
    let set = |key: &str| spec.get(key).is_some_and(|value| !value.is_null());
    let flaw = match (set("chart"), set("chartRef")) {
        (true, true) => Flaw::TwoCharts,
        (false, false) => Flaw::NoChart,
        _ => return None,
    };
    Some(FieldFault { path: "spec".to_owned(), flaw, span: spec.span.or(object.source) })
}

/// Names are DNS subdomains (apimachinery `ValidateDNS1123Subdomain`).
pub(super) fn name_fault(object: &Object) -> Option<FieldFault> {
    let name = object.node.find(&["metadata", "name"])?;
    let text = name.as_str().filter(|text| !is_open_text(text) && !text.contains("{{"))?;
    let is_part = |part: &str| {
        let is_end =
            |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit());
        is_end(part.chars().next())
            && is_end(part.chars().next_back())
            && part.chars().all(|letter| is_end(Some(letter)) || letter == '-')
    };
    let id = object.id();
    // Names that become labels of DNS have no dots and fewer letters (apimachinery, `ValidateNamespaceName`, `ValidateServiceName`).
    let is_label = matches!((id.group.as_str(), id.kind.as_str()), ("", "Namespace" | "Service"));
    let flaw = if is_label && (text.len() > 63 || text.contains('.')) {
        Flaw::NoDnsLabel(text.to_owned())
    } else if text.len() > 253 {
        Flaw::LongName(text.len())
    } else if !text.split('.').all(is_part) {
        Flaw::NoName(text.to_owned())
    } else {
        return None;
    };
    Some(FieldFault { path: "metadata.name".to_owned(), flaw, span: name.span.or(object.source) })
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
