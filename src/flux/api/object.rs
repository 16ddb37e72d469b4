use smol_str::SmolStr;

use super::{HelmReleaseSpec, KustomizationSpec, kinds::KUSTOMIZATION};
use crate::{
    kustomize::Object,
    source::Span,
    yaml::{Map, Node, Value, decode},
};

/// A Flux object as some build produced it, with its spec as far as it could be read.
#[derive(Debug, Clone)]
pub struct ApiObject<S> {
    /// The object, with the span of every field.
    pub object: Object,
    /// Its namespace.
    pub namespace: SmolStr,
    /// Its name.
    pub name: SmolStr,
    /// Its spec. Fields of a wrong type are left at their defaults and listed in `problems`.
    pub spec: S,
    /// Fields that could not be read.
    pub problems: Vec<(String, Span)>,
}

/// A Flux `Kustomization`.
pub type Kustomization = ApiObject<KustomizationSpec>;

/// A Flux `HelmRelease`.
pub type HelmRelease = ApiObject<HelmReleaseSpec>;

impl<S: Default + serde::de::DeserializeOwned> ApiObject<S> {
    /// Reads `object`. A field that does not fit its type costs that field, not the object.
    #[must_use]
    pub fn read(object: Object) -> Self {
        let id = object.id();
        let mut problems = Vec::new();
        let spec = object.node.get("spec").map_or_else(S::default, |spec| read_spec(spec, &mut problems));
        Self { namespace: id.namespace.unwrap_or_default(), name: id.name, spec, problems, object }
    }
}

impl<S> ApiObject<S> {
    /// The place that decides the field at `keys` (below the root of the object), or the nearest mapping above it.
    #[must_use]
    pub fn span(&self, keys: &[&str]) -> Span {
        self.object.node.nearest_span(keys).or(self.object.source)
    }

    /// The place of the object's name, which stands for the object.
    #[must_use]
    pub fn name_span(&self) -> Span {
        self.span(&["metadata", "name"])
    }

    /// The span of entry `index` of the list at `keys`.
    #[must_use]
    pub fn item_span(&self, keys: &[&str], index: usize) -> Span {
        let item = self.object.node.find(keys).and_then(|list| list.as_seq()?.get(index));
        item.map_or_else(|| self.span(keys), |item| item.get("name").map_or(item.span, |name| name.span).or(item.span))
    }
}

/// Whether a document is a Kustomization of Flux, of whatever version.
#[must_use]
pub fn is_kustomization(node: &Node) -> bool {
    KUSTOMIZATION.is_kind_of(node)
}

fn read_spec<S: Default + serde::de::DeserializeOwned>(spec: &Node, problems: &mut Vec<(String, Span)>) -> S {
    if let Ok(read) = decode(spec) {
        return read;
    }
    let mut sound = Map::default();
    for entry in spec.entries() {
        let mut alone = Node::empty_map(spec.span);
        alone.set(&entry.key, entry.value.clone());
        match decode::<S>(&alone) {
            Ok(_) => sound.insert(entry.clone()),
            Err(error) => {
                problems.push((format!("`spec.{}`: {}", entry.key, error.message), error.span.or(entry.key_span)));
            }
        }
    }
    decode(&Node::new(Value::Map(sound.into()), spec.span)).unwrap_or_default()
}

/// What per-object annotations and labels tell kustomize-controller (v1.9, `kustomization_controller.go`, `apply`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Whether the object is applied, health-checked and pruned at all.
    pub applied: bool,
    /// Whether it is applied only where it does not exist yet, and then not health-checked.
    pub if_not_present: bool,
    /// Whether fields that others set on it are kept.
    pub merged: bool,
    /// Whether it is deleted once it leaves the build.
    pub pruned: bool,
    /// Whether it is recreated where a field cannot be changed in place.
    pub forced: bool,
}

impl Policy {
    /// The policy of one object. Keys are looked up in annotations and labels, values without regard to case
    /// (fluxcd/pkg ssa, `utils.AnyInMetadata`).
    #[must_use]
    pub fn new(object: &Node) -> Self {
        let is = |key: &str, value: &str| {
            let key = format!("kustomize.toolkit.fluxcd.io/{key}");
            ["annotations", "labels"].iter().any(|field| {
                object.find_str(&["metadata", field, &key]).is_some_and(|found| found.eq_ignore_ascii_case(value))
            })
        };
        // Most objects carry no such mark: one look at the few keys there are.
        let marked = ["annotations", "labels"].iter().any(|field| {
            let entries = object.find(&["metadata", field]);
            entries
                .is_some_and(|node| node.entries().any(|entry| entry.key.starts_with("kustomize.toolkit.fluxcd.io/")))
        });
        if !marked {
            return Self { applied: true, if_not_present: false, merged: false, pruned: true, forced: false };
        }
        let applied = !(is("reconcile", "disabled") || is("ssa", "Ignore"));
        Self {
            applied,
            if_not_present: is("ssa", "IfNotPresent"),
            merged: is("ssa", "Merge"),
            pruned: applied && !is("prune", "disabled"),
            forced: is("force", "enabled"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_read_from_annotations_and_labels_whatever_their_case() {
        let of = |field: &str, key: &str, value: &str| {
            let mut node = Node::empty_map(Span::NONE);
            let marks = node.ensure_map(&["metadata", field], Span::NONE).expect("made");
            marks.set(&format!("kustomize.toolkit.fluxcd.io/{key}"), Node::str(value, Span::NONE));
            Policy::new(&node)
        };
        let plain = Policy::new(&Node::empty_map(Span::NONE));
        assert!(plain.applied && plain.pruned && !plain.forced && !plain.merged && !plain.if_not_present);
        assert!(!of("annotations", "reconcile", "Disabled").applied && !of("labels", "ssa", "ignore").applied);
        assert!(of("annotations", "ssa", "IfNotPresent").if_not_present && of("labels", "ssa", "merge").merged);
        let kept = of("annotations", "prune", "disabled");
        assert!(kept.applied && !kept.pruned && of("annotations", "force", "Enabled").forced);
    }
}
