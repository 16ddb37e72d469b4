//! Selectors of patches and replacements (kustomize `resmap.Select`, `types.SelectorRegex`).

use regex::Regex;

use super::{id::Gvk, resource::Resource};
use crate::yaml::Node;

/// What a patch's `target` takes. Every part is an anchored regular expression.
#[derive(Debug, Default)]
pub(super) struct Selector {
    group: Option<Regex>,
    version: Option<Regex>,
    kind: Option<Regex>,
    name: Option<Regex>,
    namespace: Option<Regex>,
    labels: Vec<Requirement>,
    annotations: Vec<Requirement>,
}

#[derive(Debug)]
enum Requirement {
    Equals(String, String),
    Differs(String, String),
    Exists(String),
    Missing(String),
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
}

pub(super) const FIELDS: &[&str] =
    &["group", "version", "kind", "name", "namespace", "labelSelector", "annotationSelector"];

impl Selector {
    pub(super) fn read(node: &Node) -> Result<Self, String> {
        let pattern = |key: &str| -> Result<Option<Regex>, String> {
            let Some(text) = node.find_str(&[key]).filter(|text| !text.is_empty()) else { return Ok(None) };
            let compiled = Regex::new(&format!("^(?:{text})$"));
            compiled.map(Some).map_err(|_| format!("`{text}` is no valid regular expression"))
        };
        let requirements = |key: &str| parse_requirements(node.find_str(&[key]).unwrap_or_default());
        Ok(Self {
            group: pattern("group")?,
            version: pattern("version")?,
            kind: pattern("kind")?,
            name: pattern("name")?,
            namespace: pattern("namespace")?,
            labels: requirements("labelSelector")?,
            annotations: requirements("annotationSelector")?,
        })
    }

    pub(super) fn takes(&self, resource: &Resource) -> bool {
        let matches =
            |pattern: &Option<Regex>, text: &str| pattern.as_ref().is_none_or(|pattern| pattern.is_match(text));
        let Gvk { group, version, kind } = resource.gvk();
        if !(matches(&self.kind, &kind) && matches(&self.group, &group) && matches(&self.version, &version)) {
            return false;
        }
        let (original, present) = (resource.original_id(), resource.id());
        (matches(&self.name, &original.name) || matches(&self.name, &present.name))
            && (matches(&self.namespace, &original.namespace) || matches(&self.namespace, &present.namespace))
            && all_met(&self.labels, resource.node().find(&["metadata", "labels"]))
            && all_met(&self.annotations, resource.node().find(&["metadata", "annotations"]))
    }
}

fn all_met(requirements: &[Requirement], of: Option<&Node>) -> bool {
    let value = |key: &str| of.and_then(|of| of.get(key)).map(|node| super::id::scalar_text(node).unwrap_or_default());
    requirements.iter().all(|requirement| match requirement {
        Requirement::Equals(key, wanted) => value(key).is_some_and(|value| value == wanted.as_str()),
        Requirement::Differs(key, wanted) => value(key).is_none_or(|value| value != wanted.as_str()),
        Requirement::Exists(key) => value(key).is_some(),
        Requirement::Missing(key) => value(key).is_none(),
        Requirement::In(key, wanted) => {
            value(key).is_some_and(|value| wanted.iter().any(|item| value == item.as_str()))
        }
        Requirement::NotIn(key, wanted) => {
            value(key).is_none_or(|value| wanted.iter().all(|item| value != item.as_str()))
        }
    })
}

/// A label selector as `kubectl` takes it: `a=b,c!=d,e,!f,g in (h,i),j notin (k)`.
fn parse_requirements(text: &str) -> Result<Vec<Requirement>, String> {
    let mut parts: Vec<String> = vec![String::new()];
    let mut depth = 0_u32;
    for letter in text.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        match parts.last_mut() {
            Some(last) if letter != ',' || depth > 0 => last.push(letter),
            _ => parts.push(String::new()),
        }
    }
    parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty()).map(parse_requirement).collect()
}

fn parse_requirement(part: &str) -> Result<Requirement, String> {
    let owned = |text: &str| text.trim().to_owned();
    let set = |text: &str| -> Option<Vec<String>> {
        let inner = text.trim().strip_prefix('(')?.strip_suffix(')')?;
        Some(inner.split(',').map(owned).collect())
    };
    if let Some((key, values)) = part.split_once(" notin ").and_then(|(key, values)| Some((key, set(values)?))) {
        return Ok(Requirement::NotIn(owned(key), values));
    }
    if let Some((key, values)) = part.split_once(" in ").and_then(|(key, values)| Some((key, set(values)?))) {
        return Ok(Requirement::In(owned(key), values));
    }
    if let Some((key, value)) = part.split_once("!=") {
        return Ok(Requirement::Differs(owned(key), owned(value)));
    }
    if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        return Ok(Requirement::Equals(owned(key), owned(value)));
    }
    match part.strip_prefix('!') {
        Some(key) => Ok(Requirement::Missing(owned(key))),
        None if part.contains(char::is_whitespace) => Err(format!("`{part}` is no valid selector")),
        None => Ok(Requirement::Exists(owned(part))),
    }
}
