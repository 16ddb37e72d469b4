//! `configMapGenerator` and `secretGenerator` (kustomize `generators`, `kv`).

use base64::Engine as _;
use rustc_hash::FxHashSet;
use smol_str::SmolStr;

use super::{
    file::{Fields, Kustomization, Type, check},
    folder::Folder,
    limits,
};
use crate::{
    kustomize::{
        Change, Fault, Step, Unit,
        id::ResId,
        report::Report,
        resource::{Behavior, Resource},
    },
    source::Span,
    yaml::{Node, Value},
};

const OPTIONS: Fields = &[
    ("labels", Type::TextMap),
    ("annotations", Type::TextMap),
    ("disableNameSuffixHash", Type::Bool),
    ("immutable", Type::Bool),
];
const FIELDS: Fields = &[
    ("name", Type::Text),
    ("namespace", Type::Text),
    ("behavior", Type::Text),
    ("files", Type::Texts),
    ("literals", Type::Texts),
    ("envs", Type::Texts),
    ("env", Type::Text),
    ("type", Type::Text),
    ("options", Type::Map),
];

/// Runs every generator of a kustomization and takes what they make into `resources`.
pub(in crate::kustomize) fn run(
    folder: &Folder<'_, '_>,
    file: &Kustomization,
    resources: &mut Vec<Resource>,
    report: &mut Report,
) {
    let none = Node::empty_map(Span::NONE);
    let global = check(file.get("generatorOptions").unwrap_or(&none), OPTIONS, "generator options", report);
    for (key, kind) in [("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")] {
        for entry in file.items(key) {
            if let Some(made) = generate(folder, entry, kind, &global, report) {
                absorb(resources, made, entry.span, report);
            }
        }
    }
}

/// One entry of a generator.
pub(in crate::kustomize) fn generate(
    folder: &Folder<'_, '_>,
    entry: &Node,
    kind: &str,
    global: &Node,
    report: &mut Report,
) -> Option<Resource> {
    let entry = check(entry, FIELDS, "generator", report);
    if !report.affords(limits::COPY, entry.span) {
        return None;
    }
    let Some(name) = entry.get("name").filter(|name| name.as_str().is_some_and(|name| !name.is_empty())) else {
        report.error(entry.span, format!("a generated {kind} must have a name"));
        return None;
    };
    let none = Node::empty_map(entry.span);
    let options = check(entry.get("options").unwrap_or(&none), OPTIONS, "generator options", report);
    let text = |text: &'static str| Node::str(SmolStr::new_static(text), entry.span);
    let mut node = Node::empty_map(entry.span);
    node.set("apiVersion", text("v1"));
    node.set("kind", Node::str(kind, entry.span));
    let mut metadata = Node::empty_map(entry.span);
    metadata.set("name", name.clone());
    if let Some(namespace) = entry.get("namespace").filter(|node| node.as_str().is_some_and(|text| !text.is_empty())) {
        metadata.set("namespace", namespace.clone());
    }
    for key in ["labels", "annotations"] {
        let mut all = global.get(key).filter(|node| !node.is_null()).cloned().unwrap_or(Node::empty_map(entry.span));
        for own in options.get(key).into_iter().flat_map(Node::entries) {
            all.set(&own.key, own.value.clone());
        }
        if all.as_map().is_some_and(|map| !map.is_empty()) {
            metadata.set(key, all);
        }
    }
    node.set("metadata", metadata);
    if kind == "Secret" {
        let given = entry.get("type").filter(|node| node.as_str().is_some_and(|text| !text.is_empty()));
        node.set("data", Node::empty_map(entry.span));
        node.set("type", given.cloned().unwrap_or_else(|| text("Opaque")));
    }
    let pairs = pairs(folder, &entry, report);
    let bytes: usize = pairs.iter().map(|pair| pair.value.len()).sum();
    if bytes > limits::DATA {
        // Kubernetes `ValidateConfigMap`, `ValidateSecret`.
        let message = format!("{kind}/{} holds {} KiB, and the API server takes 1,024", name_of(name), bytes / 1024);
        report.fault(entry.span, message, Fault::TooLong);
    } else if report.spend(Unit::Bytes, bytes, entry.span) && report.spend(Unit::Nodes, pairs.len(), entry.span) {
        fill(&mut node, kind, pairs, report);
    }
    let flag =
        |key: &str| [&options, global].iter().find_map(|of| of.get(key).filter(|node| node.as_bool() == Some(true)));
    if let Some(immutable) = flag("immutable") {
        node.set("immutable", immutable.clone());
    }
    let mut made = Resource::new(node, entry.span);
    made.object.changes.push(Change { step: Step::Generator, at: entry.span });
    made.needs_hash = flag("disableNameSuffixHash").is_none();
    made.behavior = match entry.find_str(&["behavior"]).unwrap_or_default() {
        "merge" => Behavior::Merge,
        "replace" => Behavior::Replace,
        _ => Behavior::Create,
    };
    Some(made)
}

fn name_of(name: &Node) -> &str {
    name.as_str().unwrap_or_default()
}

/// A key, its bytes, the text that orders it, and the text that is its value.
struct Pair<'p> {
    key: String,
    value: std::borrow::Cow<'p, [u8]>,
    at: Span,
    text: Span,
}

fn pairs<'p, 't: 'p>(folder: &Folder<'_, 't>, entry: &'p Node, report: &mut Report) -> Vec<Pair<'p>> {
    let mut pairs = Vec::new();
    let list = |key: &str| entry.get(key).into_iter().flat_map(Node::items);
    for source in list("envs").chain(entry.get("env")) {
        let Some(path) = source.as_str().filter(|path| !path.is_empty()) else { continue };
        if let Some(bytes) = folder.bytes(path, source.span, report) {
            env_pairs(bytes, source.span, folder.whole(path).unwrap_or(source.span), &mut pairs, report);
        }
    }
    for literal in list("literals") {
        match literal.as_str().unwrap_or_default().split_once('=') {
            Some((key, value)) if !key.is_empty() => {
                let value = unquoted(value).as_bytes();
                pairs.push(Pair { key: key.to_owned(), value: value.into(), at: literal.span, text: literal.span });
            }
            _ => report.error(literal.span, "a literal must read key=value"),
        }
    }
    for file in list("files") {
        let source = file.as_str().unwrap_or_default();
        let (key, path) = match source.split_once('=') {
            None => (source.rsplit('/').next().unwrap_or_default(), source),
            Some((key, path)) if !key.is_empty() && !path.is_empty() && !path.contains('=') => (key, path),
            Some(_) => {
                report.error(file.span, "a file must read path or key=path");
                continue;
            }
        };
        if let Some(bytes) = folder.bytes(path, file.span, report) {
            let text = folder.whole(path).unwrap_or(file.span);
            pairs.push(Pair { key: key.to_owned(), value: bytes.into(), at: file.span, text });
        }
    }
    pairs
}

fn unquoted(text: &str) -> &str {
    let inner = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    if text.len() < 2 { text } else { inner('"').or_else(|| inner('\'')).unwrap_or(text) }
}

/// The pairs of an env file that `at` orders and that begins at `start`.
fn env_pairs<'p>(bytes: &'p [u8], at: Span, start: Span, pairs: &mut Vec<Pair<'p>>, report: &mut Report) {
    let Ok(all) = std::str::from_utf8(bytes) else {
        report.error(at, "the env file is not UTF-8 text");
        return;
    };
    let text = all.strip_prefix('\u{feff}').unwrap_or(all);
    let mut next = all.len() - text.len();
    for whole in text.split('\n') {
        let begin = next;
        next += whole.len() + 1;
        let line = whole.strip_suffix('\r').unwrap_or(whole).trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let begin = begin + whole.len() - whole.trim_start().len();
        let text = Span { start: begin as u32, end: (begin + line.len()) as u32, ..start };
        // kustomize takes a key without value from its own environment, which a controller does not have.
        let (key, value) = line.split_once('=').unwrap_or((line, ""));
        if key.is_empty() {
            continue;
        }
        pairs.push(Pair { key: key.to_owned(), value: value.as_bytes().into(), at, text });
    }
}

/// Puts the pairs into `data` and `binaryData`.
fn fill(node: &mut Node, kind: &str, pairs: Vec<Pair<'_>>, report: &mut Report) {
    let mut keys: FxHashSet<String> = FxHashSet::default();
    for Pair { key, value, at, text: span } in pairs {
        if !keys.insert(key.clone()) {
            report.error(at, format!("the key `{key}` is given twice"));
            continue;
        }
        let (field, text) = match std::str::from_utf8(&value) {
            Ok(text) if kind == "ConfigMap" => ("data", SmolStr::new(text)),
            _ => (if kind == "Secret" { "data" } else { "binaryData" }, base64_lines(&value).into()),
        };
        if let Some(data) = node.ensure_map(&[field], at) {
            data.set(&key, Node::str(text, span));
        }
    }
}

/// Base64 in lines of 70, as kustomize writes it.
fn base64_lines(bytes: &[u8]) -> String {
    let encoded = base64::engine::general_purpose::STANDARD.encode(bytes);
    if encoded.len() < 70 {
        return encoded;
    }
    let mut lines = String::with_capacity(encoded.len() + encoded.len() / 70 + 1);
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(70));
        lines.push_str(line);
        lines.push('\n');
        rest = more;
    }
    lines
}

/// Adds a generated object, or merges it into the one that is there (kustomize `appendReplaceOrMerge`).
pub(in crate::kustomize) fn absorb(resources: &mut Vec<Resource>, mut made: Resource, at: Span, report: &mut Report) {
    let id: ResId = made.id();
    if !report.affords(resources.len(), at) {
        return;
    }
    let is_it = |resource: &Resource| resource.has_name(&id.name) && resource.any_id(|other| *other == id);
    let found: Vec<usize> = (0..resources.len()).filter(|index| is_it(&resources[*index])).collect();
    let word = if made.behavior == Behavior::Merge { "merge" } else { "replace" };
    match (found.as_slice(), made.behavior) {
        ([], Behavior::Create) => resources.push(made),
        ([], _) => {
            report.error(at, format!("{id} does not exist; cannot {word}"));
            resources.push(made);
        }
        ([index], Behavior::Create) => report.error_with(
            at,
            format!("{id} exists already; the behavior must be merge or replace"),
            vec![(resources[*index].object.source, "the other one".to_owned())],
        ),
        ([index], _) => {
            merge_into(&resources[*index], &mut made);
            resources[*index] = made;
        }
        _ => report.error(at, format!("several objects could take what is generated for {id}")),
    }
}

fn merge_into(old: &Resource, made: &mut Resource) {
    let merge = made.behavior == Behavior::Merge;
    let mut node = made.node().clone();
    for field in [["metadata", "labels"], ["metadata", "annotations"]] {
        merge_texts(old.node(), &mut node, &field);
    }
    if merge {
        merge_texts(old.node(), &mut node, &["data"]);
        merge_texts(old.node(), &mut node, &["binaryData"]);
    }
    if let Some(metadata) = node.get_mut("metadata") {
        for key in ["name", "namespace"] {
            match old.node().find(&["metadata", key]) {
                Some(value) => metadata.set(key, value.clone()),
                None => drop(metadata.remove(key)),
            }
        }
    }
    let mut changes = old.object.changes.clone();
    changes.append(&mut made.object.changes);
    made.object.changes = changes;
    made.object.node = node;
    made.object.source = old.object.source;
    made.take_history(old);
}

/// Adds what `old` has more in a mapping of texts.
fn merge_texts(old: &Node, node: &mut Node, keys: &[&str]) {
    let Some(old) = old.find(keys).filter(|old| old.as_map().is_some_and(|map| !map.is_empty())) else { return };
    let mut merged = old.clone();
    for entry in merged.as_map_mut().map(crate::yaml::Map::entries_mut).unwrap_or_default() {
        let text = crate::kustomize::id::scalar_text(&entry.value).unwrap_or_default();
        if entry.value.as_str() != Some(&text) {
            entry.value = Node::str(text, entry.value.span);
        }
    }
    for entry in node.find(keys).into_iter().flat_map(Node::entries) {
        merged.set(&entry.key, entry.value.clone());
    }
    if let (Some((last, parents)), Value::Map(_)) = (keys.split_last(), &node.value)
        && let Some(parent) = node.ensure_map(parents, merged.span)
    {
        parent.set(last, merged);
    }
}
