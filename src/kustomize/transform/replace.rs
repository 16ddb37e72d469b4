//! `replacements` (kustomize `ReplacementTransformer`, `filters/replacement`).

use smol_str::SmolStr;

use super::{
    paths::{self, Want},
    select::{self, IdSelector, Requirements},
};
use crate::{
    kustomize::{
        Step, Unit,
        accumulate::{
            file::{Fields, Type, check},
            folder::Folder,
            limits,
        },
        id::scalar_text,
        report::{HIDDEN, Report},
        resource::Resource,
        size,
    },
    yaml::{Node, Value, resolve_plain},
};

const FIELDS: Fields =
    &[("path", Type::Text), ("source", Type::Map), ("sourceValue", Type::Text), ("targets", Type::Maps)];
const SOURCE: Fields = &[
    ("group", Type::Text),
    ("version", Type::Text),
    ("kind", Type::Text),
    ("name", Type::Text),
    ("namespace", Type::Text),
    ("fieldPath", Type::Text),
    ("options", Type::Map),
];
const TARGET: Fields =
    &[("select", Type::Map), ("reject", Type::Maps), ("fieldPaths", Type::Texts), ("options", Type::Map)];
const OPTIONS: Fields =
    &[("delimiter", Type::Text), ("index", Type::Number), ("encoding", Type::Text), ("create", Type::Bool)];

/// Applies one entry of `replacements`: a replacement, or the path of a file of them.
pub(in crate::kustomize) fn entry(
    folder: &Folder<'_, '_>,
    resources: &mut [Resource],
    entry: &Node,
    report: &mut Report,
) {
    let checked = check(entry, FIELDS, "replacement", report);
    let Some(path) = checked.get("path").filter(|path| path.as_str().is_some_and(|path| !path.is_empty())) else {
        return replace(resources, &checked, report);
    };
    if checked.get("source").is_some() || checked.get("targets").is_some() {
        report.error(path.span, "a replacement cannot have both a `path` and its own source and targets");
        return;
    }
    let Some(file) = folder.file(path.as_str().unwrap_or_default(), path.span, report) else { return };
    let Some(document) = folder.parse(file).documents.first() else { return };
    if let Some(problem) = &document.error {
        report.error_with(
            problem.span,
            format!("malformed YAML: {}", problem.message),
            vec![(path.span, "listed here".to_owned())],
        );
        return;
    }
    let one = document.root.as_map().is_some().then_some(&document.root);
    for item in document.root.items().chain(one) {
        let item = check(item, FIELDS, "replacement", report);
        replace(resources, &item, report);
    }
}

fn replace(resources: &mut [Resource], entry: &Node, report: &mut Report) {
    let value = match (entry.get("source"), entry.get("sourceValue")) {
        (Some(source), None) => source_value(resources, source, report),
        (None, Some(value)) => Some(value.clone()),
        (Some(_), Some(value)) => {
            report.error(value.span, "a replacement has either a `source` or a `sourceValue`");
            None
        }
        (None, None) => {
            report.error(entry.span, "a replacement must have a source");
            None
        }
    };
    let Some(value) = value else { return };
    let mut any = false;
    for target in entry.get("targets").into_iter().flat_map(Node::items) {
        any = true;
        apply(resources, &value, target, report);
    }
    if !any {
        report.error(entry.span, "a replacement must have at least one target");
    }
}

fn source_value(resources: &[Resource], source: &Node, report: &mut Report) -> Option<Node> {
    let source = check(source, SOURCE, "replacement source", report);
    let ids: usize = resources.iter().map(Resource::id_cost).sum();
    if !report.affords(limits::COPY + ids, source.span) {
        return None;
    }
    let selector = IdSelector::exact(&source);
    let mut found = resources.iter().filter(|resource| resource.any_id(|id| selector.takes(id)));
    let (Some(first), second) = (found.next(), found.next()) else {
        if report.hides_objects() {
            report.unresolved_value(source.span, "the source of a replacement", HIDDEN);
        } else {
            report.error(source.span, "the source of this replacement selects nothing");
        }
        return None;
    };
    if let Some(second) = second {
        let related = [first, second].map(|resource| (resource.object.source, "selected".to_owned()));
        report.error_with(source.span, "the source of this replacement selects several objects", related.to_vec());
        return None;
    }
    let path = source.find_str(&["fieldPath"]).filter(|path| !path.is_empty()).unwrap_or("metadata.name");
    let keys = match paths::split(path) {
        Ok(keys) => keys,
        Err(excess) => {
            report.limit(source.nearest_span(&["fieldPath"]), excess);
            return None;
        }
    };
    let value = paths::find(first.node(), &keys).filter(|value| !is_empty(value));
    let Some(value) = value else {
        report.error_with(
            source.nearest_span(&["fieldPath"]),
            format!("`{path}` is missing in the source of this replacement"),
            vec![(first.object.source, "the source".to_owned())],
        );
        return None;
    };
    let options = source.get("options").map(|options| check(options, OPTIONS, "replacement options", report));
    let delimiter = options.as_ref().and_then(|options| options.find_str(&["delimiter"])).unwrap_or_default();
    if delimiter.is_empty() {
        return Some(value.clone());
    }
    let index = options.as_ref().and_then(|options| options.get("index")).and_then(Node::as_i64).unwrap_or(0);
    let text = scalar_text(value);
    let part = text.as_ref().and_then(|text| text.split(delimiter).nth(usize::try_from(index).ok()?));
    if part.is_none() {
        report.error(source.nearest_span(&["options", "index"]), format!("`{path}` has no part number {index}"));
    }
    part.map(|part| Node::str(part, value.span))
}

fn is_empty(node: &Node) -> bool {
    match &node.value {
        Value::Null => true,
        Value::Map(map) => map.is_empty(),
        Value::Seq(items) => items.is_empty(),
        _ => false,
    }
}

fn apply(resources: &mut [Resource], value: &Node, target: &Node, report: &mut Report) {
    let target = check(target, TARGET, "replacement target", report);
    let Some(select) = target.get("select") else {
        report.error(target.span, "a replacement target must select something");
        return;
    };
    let read = |node: &Node, report: &mut Report| {
        let node = check(node, super::patch::TARGET, "selector", report);
        if !report.affords(select::cost(&node, resources), node.span) {
            return None;
        }
        match (IdSelector::read(&node), Requirements::read(&node)) {
            (Ok(ids), Ok(requirements)) => Some((ids, requirements)),
            (Err(error), _) | (_, Err(error)) => {
                report.error(node.span, error);
                None
            }
        }
    };
    let Some((ids, requirements)) = read(select, report) else { return };
    let rejects: Vec<_> =
        target.get("reject").into_iter().flat_map(Node::items).filter_map(|node| read(node, report)).collect();
    let none = Node::empty_map(target.span);
    let options = check(target.get("options").unwrap_or(&none), OPTIONS, "replacement options", report);
    let default = Node::str("metadata.name", target.span);
    let mut fields: Vec<(&Node, Vec<String>)> = Vec::new();
    let written = target.get("fieldPaths").filter(|paths| paths.items().next().is_some());
    for field in written.map_or(std::slice::from_ref(&default), |paths| paths.as_seq().unwrap_or_default()) {
        match paths::split(field.as_str().unwrap_or_default()) {
            Ok(path) => fields.push((field, path)),
            Err(excess) => report.limit(field.span, excess),
        }
    }
    for resource in resources.iter_mut() {
        let rejected = rejects.iter().any(|(ids, requirements)| {
            (!ids.is_empty() && resource.any_id(|id| ids.takes(id)))
                || (!requirements.is_empty() && requirements.met_by(resource))
        });
        if rejected || !requirements.met_by(resource) || !resource.any_id(|id| ids.takes(id)) {
            continue;
        }
        for (field, path) in &fields {
            set(resource, value, (field, path), &options, report);
        }
    }
}

fn set(resource: &mut Resource, value: &Node, (field, keys): (&Node, &[String]), options: &Node, report: &mut Report) {
    if !report.affords(limits::COPY + keys.len() + paths::cost(keys), field.span) {
        return;
    }
    let path = field.as_str().unwrap_or_default();
    let value_size = size(value);
    let create = options.get("create").and_then(Node::as_bool).unwrap_or(false);
    let want = match (create, &value.value) {
        (false, _) => Want::Existing,
        (true, Value::Map(_)) => Want::Map,
        (true, Value::Seq(_)) => Want::Seq,
        (true, _) => Want::Scalar,
    };
    let mut found = 0;
    let mut failure = None;
    let new = paths::update(resource.node(), keys, want, value.span, &mut |old, made| {
        found += 1;
        // What is copied may hold what was copied before, so that it doubles each time.
        let is_afforded = report.affords(1 + value_size, field.span)
            && report.spend(Unit::Bytes, text_cost(old, value, options), field.span);
        if !is_afforded || found * value_size > limits::NODES {
            return None;
        }
        match new_value(old, made, value, options) {
            Ok(new) => Some(new),
            Err(error) => {
                failure = Some(error);
                None
            }
        }
    });
    if let Some(error) = failure {
        report.error(field.span, error);
    } else if found == 0 {
        report.error_with(
            field.span,
            format!("`{path}` is not in {}, so nothing can be replaced there", resource.id()),
            vec![(resource.object.source, "the target".to_owned())],
        );
    }
    let Some(new) = new else { return };
    // Only what a value of several nodes is put into can grow.
    let fits = value_size == 1 || (report.affords(resource.size, field.span) && limits::within_limits(&new));
    if fits {
        let change = resource.replace_node(new, Step::Replacement, field.span);
        report.spend_change(change, field.span);
    } else {
        report.limit(field.span, limits::excess());
    }
}

/// Bytes of the text that a value makes together with what is there.
fn text_cost(old: &Node, value: &Node, options: &Node) -> usize {
    let length = |node: &Node| node.as_str().map_or(0, str::len);
    if options.find_str(&["delimiter"]).is_some_and(|delimiter| !delimiter.is_empty()) {
        length(old) + length(value)
    } else {
        0
    }
}

/// What a field becomes. A scalar keeps its type where the new text allows.
fn new_value(old: &Node, made: bool, value: &Node, options: &Node) -> Result<Node, String> {
    let delimiter = options.find_str(&["delimiter"]).unwrap_or_default();
    let is_scalar = |node: &Node| !matches!(node.value, Value::Map(_) | Value::Seq(_));
    let mut text = scalar_text(value);
    if !delimiter.is_empty() {
        if !is_scalar(old) {
            return Err("the delimiter option can only be used with scalars".to_owned());
        }
        let part = text.unwrap_or_default();
        let old = scalar_text(old).unwrap_or_default();
        let mut parts: Vec<&str> = old.split(delimiter).collect();
        let index = options.get("index").and_then(Node::as_i64).unwrap_or(0);
        match usize::try_from(index) {
            Err(_) => parts.insert(0, &part),
            Ok(index) if index < parts.len() => parts[index] = &part,
            Ok(_) => parts.push(&part),
        }
        if parts.iter().map(|part| part.len() + delimiter.len()).sum::<usize>() > limits::TEXT {
            return Err("the text grows beyond all limits".to_owned());
        }
        text = Some(SmolStr::from(parts.join(delimiter)));
    }
    let text = match text {
        Some(text) if is_scalar(old) => text,
        // What is there stays a scalar, and a mapping or list has no text.
        None if is_scalar(old) && !made => {
            let empty = if old.as_str().is_some() { Value::Str(SmolStr::default()) } else { Value::Null };
            return Ok(Node::new(empty, value.span));
        }
        _ => return Ok(value.clone()),
    };
    let new = match (&old.value, resolve_plain(&text)) {
        (Value::Str(_), _) if !made => Value::Str(text),
        (Value::Str(_) | Value::Null, resolved) => resolved,
        (Value::Bool(_), Value::Bool(new)) => Value::Bool(new),
        (
            Value::Int(_) | Value::Uint(_) | Value::Float(_),
            new @ (Value::Int(_) | Value::Uint(_) | Value::Float(_)),
        ) => new,
        (old, _) => {
            let kind = if matches!(old, Value::Bool(_)) { "a truth value" } else { "a number" };
            return Err(format!("`{text}` cannot take the place of {kind}"));
        }
    };
    Ok(Node::new(new, value.span))
}
