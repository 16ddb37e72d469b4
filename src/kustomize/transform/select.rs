//! Selectors of patches and replacements (kustomize `resmap.Select`, `types.SelectorRegex`).

use super::pattern::{self, Pattern};
use crate::{
    kustomize::{
        id::{Gvk, ResId},
        resource::Resource,
    },
    yaml::Node,
};

/// What a patch's `target` takes. Every part is an anchored regular expression.
#[derive(Debug)]
pub(in crate::kustomize) struct Selector {
    ids: IdSelector,
    requirements: Requirements,
}

/// What a selector asks of an id.
#[derive(Debug, Default)]
pub(in crate::kustomize) struct IdSelector {
    group: Option<Pattern>,
    version: Option<Pattern>,
    kind: Option<Pattern>,
    name: Option<Pattern>,
    namespace: Option<Pattern>,
}

/// What a selector asks of labels and annotations.
#[derive(Debug, Default)]
pub(in crate::kustomize) struct Requirements {
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

fn matches(pattern: Option<&Pattern>, text: &str) -> bool {
    pattern.is_none_or(|pattern| pattern.takes(text))
}

impl Selector {
    pub(in crate::kustomize) fn read(node: &Node) -> Result<Self, String> {
        Ok(Self { ids: IdSelector::read(node)?, requirements: Requirements::read(node)? })
    }

    pub(in crate::kustomize) fn takes(&self, resource: &Resource) -> bool {
        let ids = &self.ids;
        if !ids.takes_gvk(&resource.gvk()) {
            return false;
        }
        let (original, present) = (resource.original_id(), resource.id());
        let either = |pattern: Option<&Pattern>, one: &str, two: &str| matches(pattern, one) || matches(pattern, two);
        either(ids.name.as_ref(), &original.name, &present.name)
            && either(ids.namespace.as_ref(), &original.namespace, &present.namespace)
            && self.requirements.met_by(resource)
    }
}

/// The parts of a selector that are patterns.
const PATTERNS: [&str; 5] = ["group", "version", "kind", "name", "namespace"];

/// Steps that reading the selector `node` and asking `resources` takes.
pub(in crate::kustomize) fn cost(node: &Node, resources: &[Resource]) -> usize {
    let requirements = ["labelSelector", "annotationSelector"].iter().filter_map(|key| node.find_str(&[key]));
    // Each requirement on a label is asked of each object.
    let asked = requirements.map(|text| text.len() / 4).sum::<usize>();
    let ids: usize = resources.iter().map(Resource::id_cost).sum();
    pattern::cost(PATTERNS.iter().filter_map(|key| node.find_str(&[key]))) + ids + asked.saturating_mul(resources.len())
}

impl IdSelector {
    /// Patterns, as in patch targets.
    pub(in crate::kustomize) fn read(node: &Node) -> Result<Self, String> {
        Self::from_texts(node, Pattern::read)
    }

    /// Plain texts, as in the sources of replacements.
    pub(in crate::kustomize) fn exact(node: &Node) -> Self {
        Self::from_texts(node, |text| Ok(Pattern::Exact(text.to_owned()))).unwrap_or_default()
    }

    fn from_texts(node: &Node, read: impl Fn(&str) -> Result<Pattern, String>) -> Result<Self, String> {
        let part = |key: &str| node.find_str(&[key]).filter(|text| !text.is_empty()).map(&read).transpose();
        Ok(Self {
            group: part("group")?,
            version: part("version")?,
            kind: part("kind")?,
            name: part("name")?,
            namespace: part("namespace")?,
        })
    }

    pub(in crate::kustomize) const fn is_empty(&self) -> bool {
        self.group.is_none()
            && self.version.is_none()
            && self.kind.is_none()
            && self.name.is_none()
            && self.namespace.is_none()
    }

    fn takes_gvk(&self, gvk: &Gvk) -> bool {
        matches(self.kind.as_ref(), &gvk.kind)
            && matches(self.group.as_ref(), &gvk.group)
            && matches(self.version.as_ref(), &gvk.version)
    }

    pub(in crate::kustomize) fn takes(&self, id: &ResId) -> bool {
        self.takes_gvk(&id.gvk)
            && matches(self.name.as_ref(), &id.name)
            && matches(self.namespace.as_ref(), &id.namespace)
    }
}

impl Requirements {
    pub(in crate::kustomize) fn read(node: &Node) -> Result<Self, String> {
        let read = |key: &str| parse_requirements(node.find_str(&[key]).unwrap_or_default());
        Ok(Self { labels: read("labelSelector")?, annotations: read("annotationSelector")? })
    }

    pub(in crate::kustomize) const fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.annotations.is_empty()
    }

    pub(in crate::kustomize) fn met_by(&self, resource: &Resource) -> bool {
        all_met(&self.labels, resource.node().find(&["metadata", "labels"]))
            && all_met(&self.annotations, resource.node().find(&["metadata", "annotations"]))
    }
}

fn all_met(requirements: &[Requirement], of: Option<&Node>) -> bool {
    let value = |key: &str| {
        of.and_then(|of| of.get(key)).map(|node| crate::kustomize::id::scalar_text(node).unwrap_or_default())
    };
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
