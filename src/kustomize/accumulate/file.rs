//! Kustomization files: which fields there are and of which type (kustomize `types.Kustomization`).

use crate::{
    kustomize::{Fault, report::Report},
    source::{Span, names},
    yaml::{Entry, Node, Value},
};

/// A decoded kustomization file.
#[derive(Debug, Clone)]
pub(in crate::kustomize) struct Kustomization {
    /// The file's mapping, keys spelled as kustomize does, fields of a wrong type left out.
    node: Node,
    /// The whole of it.
    pub(in crate::kustomize) span: Span,
    /// Whether it is a Component.
    pub(in crate::kustomize) component: bool,
    /// Whether it says nothing at all.
    pub(in crate::kustomize) empty: bool,
}

/// The type a field must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::kustomize) enum Type {
    Text,
    Texts,
    Bool,
    Map,
    Maps,
    /// A mapping of text to text.
    TextMap,
    /// A mapping of text to truth values.
    BoolMap,
    Number,
}

pub(in crate::kustomize) type Fields = &'static [(&'static str, Type)];

const FIELDS: Fields = &[
    ("apiVersion", Type::Text),
    ("kind", Type::Text),
    ("metadata", Type::Map),
    ("openapi", Type::TextMap),
    ("namePrefix", Type::Text),
    ("nameSuffix", Type::Text),
    ("namespace", Type::Text),
    ("commonLabels", Type::TextMap),
    ("labels", Type::Maps),
    ("commonAnnotations", Type::TextMap),
    ("patchesStrategicMerge", Type::Texts),
    ("patchesJson6902", Type::Maps),
    ("patches", Type::Maps),
    ("images", Type::Maps),
    ("imageTags", Type::Maps),
    ("replacements", Type::Maps),
    ("replicas", Type::Maps),
    ("sortOptions", Type::Map),
    ("vars", Type::Maps),
    ("resources", Type::Texts),
    ("components", Type::Texts),
    ("crds", Type::Texts),
    ("bases", Type::Texts),
    ("configMapGenerator", Type::Maps),
    ("secretGenerator", Type::Maps),
    ("helmGlobals", Type::Map),
    ("helmCharts", Type::Maps),
    ("helmChartInflationGenerator", Type::Maps),
    ("generatorOptions", Type::Map),
    ("configurations", Type::Texts),
    ("generators", Type::Texts),
    ("transformers", Type::Texts),
    ("validators", Type::Texts),
    ("buildMetadata", Type::Texts),
];

impl Kustomization {
    pub(in crate::kustomize) fn decode(root: &Node, span: Span, report: &mut Report) -> Self {
        let span = root.span.or(span);
        if !root.is_null() && root.as_map().is_none() {
            report.error(span, "not a kustomization: expected a mapping");
        }
        let node = check(root, FIELDS, "kustomization", report);
        let kind = node.find_str(&["kind"]).filter(|kind| !kind.is_empty());
        let component = kind == Some("Component");
        if let Some(bad) = kind.filter(|kind| !matches!(*kind, "Kustomization" | "Component")) {
            report
                .error(node.nearest_span(&["kind"]), format!("kind should be Kustomization or Component, not `{bad}`"));
        }
        let wanted = if component { "kustomize.config.k8s.io/v1alpha1" } else { "kustomize.config.k8s.io/v1beta1" };
        let api_version = node.find_str(&["apiVersion"]).filter(|version| !version.is_empty());
        if let Some(bad) = api_version.filter(|version| *version != wanted) {
            let kind = kind.unwrap_or("Kustomization");
            let is_other = bad.split_once('/').is_none_or(|(group, _)| group != "kustomize.config.k8s.io");
            let fault = if is_other { Fault::NotKustomization } else { Fault::Other };
            let message = format!("apiVersion for {kind} should be {wanted}, not `{bad}`");
            report.fault(node.nearest_span(&["apiVersion"]), message, fault);
        }
        let says = |entry: &Entry| {
            !matches!(entry.key.as_str(), "apiVersion" | "kind")
                && !entry.value.is_null()
                && entry.value.as_str() != Some("")
        };
        let empty = !node.entries().any(says);
        Self { node, span, component, empty }
    }

    /// The items of a list field.
    pub(in crate::kustomize) fn items(&self, key: &str) -> impl Iterator<Item = &Node> {
        self.node.get(key).into_iter().flat_map(Node::items)
    }

    /// A field.
    pub(in crate::kustomize) fn get(&self, key: &str) -> Option<&Node> {
        self.node.get(key).filter(|node| !node.is_null())
    }

    /// A text field that is not empty.
    pub(in crate::kustomize) fn text(&self, key: &str) -> Option<&Node> {
        self.get(key).filter(|node| node.as_str().is_some_and(|text| !text.is_empty()))
    }
}

/// Whether a kustomization file has a field of that name; case does not count, as in Go.
pub(in crate::kustomize) fn is_field(name: &str) -> bool {
    FIELDS.iter().any(|(field, _)| field.eq_ignore_ascii_case(name))
}

/// A mapping with its keys spelled as in `fields`, which match in any case as in Go. What is unknown or of a wrong type is
/// an error and left out.
pub(in crate::kustomize) fn check(node: &Node, fields: Fields, what: &str, report: &mut Report) -> Node {
    let mut checked = Node::empty_map(node.span);
    for entry in node.entries() {
        let known = fields
            .iter()
            .find(|(name, _)| *name == entry.key)
            .or_else(|| fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(&entry.key)));
        let Some((name, wanted)) = known else {
            report.error(entry.key_span, unknown_field(&entry.key, fields, what));
            continue;
        };
        if let Some((bad, is)) = wrong_type(&entry.value, *wanted) {
            report.error(
                bad.span.or(entry.key_span),
                format!("`{name}` holds {is} where kustomize wants {}", wanted.words()),
            );
            continue;
        }
        checked.set(name, entry.value.clone());
    }
    checked
}

fn unknown_field(key: &str, fields: Fields, what: &str) -> String {
    match names::nearest(key, fields.iter().map(|(name, _)| *name)) {
        Some(name) => format!("unknown field `{key}` of this {what}; did you mean `{name}`?"),
        None => format!("unknown field `{key}` of this {what}"),
    }
}

impl Type {
    const fn words(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Texts => "a list of text",
            Self::Bool => "true or false",
            Self::Map => "a mapping",
            Self::Maps => "a list of mappings",
            Self::TextMap => "a mapping of text to text",
            Self::BoolMap => "a mapping of text to true or false",
            Self::Number => "a whole number",
        }
    }
}

/// The part of a value that is not of the wanted type, and what it is.
fn wrong_type(node: &Node, wanted: Type) -> Option<(&Node, &'static str)> {
    if node.is_null() {
        return None;
    }
    let item = |wanted: Type| {
        if node.as_seq().is_none() {
            Some((node, words_of(node)))
        } else {
            node.items().find_map(|item| wrong_type(item, wanted))
        }
    };
    let fits = match wanted {
        Type::Text => node.as_str().is_some(),
        Type::Bool => node.as_bool().is_some(),
        Type::Number => node.as_i64().is_some(),
        Type::Map => node.as_map().is_some(),
        Type::Texts => return item(Type::Text),
        Type::Maps => return item(Type::Map),
        Type::TextMap if node.as_map().is_some() => {
            return node.entries().find_map(|entry| wrong_type(&entry.value, Type::Text));
        }
        Type::BoolMap if node.as_map().is_some() => {
            return node.entries().find_map(|entry| wrong_type(&entry.value, Type::Bool));
        }
        Type::TextMap | Type::BoolMap => false,
    };
    (!fits).then(|| (node, words_of(node)))
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
