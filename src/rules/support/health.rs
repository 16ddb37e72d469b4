//! What the health check of a Kustomization looks at.

use rustc_hash::FxHashMap;

use super::Situation;
use crate::{
    cluster::{Node, NodeId, ObjectKey},
    flux::Policy,
    graph::{Actor, Moment, Reason},
    kustomize::{Object, Unresolved},
    source::Span,
    yaml,
};

/// API group of an entry of `healthChecks` that names none (kustomize-controller v1.9, `checkHealth`).
pub(in crate::rules) const DEFAULT_API_VERSION: &str = "apps/v1";

/// An object of a health set.
pub(in crate::rules) struct Watched<'a> {
    /// Which one.
    pub(in crate::rules) key: ObjectKey,
    /// The object, where the node builds it.
    pub(in crate::rules) object: Option<&'a Object>,
    /// The text that has it checked: `wait`, or the entry.
    pub(in crate::rules) span: Span,
    /// Whether an entry of `healthChecks` names it.
    pub(in crate::rules) listed: bool,
}

impl Watched<'_> {
    /// Where the object is defined, else where it is asked for.
    pub(in crate::rules) fn place(&self) -> Span {
        self.object.map_or(self.span, Object::place)
    }
}

/// The health set of a node: every applied object with `wait`, else the listed ones, less the node itself
/// (kustomize-controller v1.9, `checkHealth`).
pub(in crate::rules) fn watched(node: &Node) -> Vec<Watched<'_>> {
    let spec = &node.kustomization.spec;
    let applied = || node.applied.build.objects.iter().filter(|object| Policy::of(&object.node).applied);
    let is_itself = |key: &ObjectKey| {
        key.kind == "Kustomization" && key.name == node.key.name && key.namespace == node.key.namespace
    };
    let found: Vec<Watched<'_>> = if spec.wait {
        let span = node.kustomization.span(&["spec", "wait"]);
        let all =
            applied().map(|object| Watched { key: object.id().into(), object: Some(object), span, listed: false });
        all.collect()
    } else {
        let mut named: FxHashMap<&str, Vec<&Object>> = FxHashMap::default();
        for object in applied().filter(|_| !spec.health_checks.is_empty()) {
            named.entry(object.node.find_str(&["metadata", "name"]).unwrap_or_default()).or_default().push(object);
        }
        let entries = (0..spec.health_checks.len()).map(|index| {
            let key = listed_key(node, index);
            let mut known = named.get(key.name.as_str()).into_iter().flatten().copied();
            let object = known.find(|object| is_same(&ObjectKey::from(object.id()), &key));
            Watched { object, span: entry_span(node, index), listed: true, key }
        });
        entries.collect()
    };
    found.into_iter().filter(|watched| !is_itself(&watched.key)).collect()
}

/// Whether a built object is the one that an entry names. One of them may have no namespace: kustomize sets one on custom
/// resources that belong to none, and namespaces of others come from where they are applied.
pub(in crate::rules) fn is_same(built: &ObjectKey, listed: &ObjectKey) -> bool {
    let is_anywhere = built.namespace.is_empty() || listed.namespace.is_empty() || built.is_unresolved();
    built.kind == listed.kind
        && built.group == listed.group
        && built.name == listed.name
        && (is_anywhere || built.namespace == listed.namespace)
}

/// The object that entry `index` of `healthChecks` names.
pub(in crate::rules) fn listed_key(node: &Node, index: usize) -> ObjectKey {
    let check = &node.kustomization.spec.health_checks[index];
    let version = check.api_version.as_deref().filter(|version| !version.is_empty()).unwrap_or(DEFAULT_API_VERSION);
    ObjectKey {
        group: version.split_once('/').map_or("", |(group, _)| group).into(),
        kind: check.kind.as_str().into(),
        namespace: check.namespace.as_deref().unwrap_or_default().into(),
        name: check.name.as_str().into(),
    }
}

/// The place of entry `index` of `healthChecks`.
pub(in crate::rules) fn entry_span(node: &Node, index: usize) -> Span {
    node.kustomization.item_span(&["spec", "healthChecks"], index)
}

/// Whether an entry of `healthCheckExprs` says how to read the status of that kind.
pub(in crate::rules) fn has_expression(node: &Node, key: &ObjectKey) -> bool {
    node.kustomization.spec.health_check_exprs.iter().any(|entry| entry.covers(&key.group, &key.kind))
}

/// The Kustomizations whose `dependsOn` asks for this one to be Ready, and the entry that does.
pub(in crate::rules) fn dependents(situation: &Situation<'_>, id: NodeId) -> Vec<(NodeId, Span)> {
    let Some(ready) = situation.graph.id(Actor::Node(id), Moment::Ready) else { return Vec::new() };
    let edges = situation.graph.outputs(ready).filter(|(_, edge)| edge.reason == Reason::DependsOn);
    edges
        .filter_map(|(after, edge)| match situation.graph.event(after).actor {
            Actor::Node(dependent) => Some((dependent, edge.span)),
            _ => None,
        })
        .collect()
}

/// The Kustomizations that wait, directly or not, for this one to be Ready.
pub(in crate::rules) fn held_by(situation: &Situation<'_>, id: NodeId) -> Vec<NodeId> {
    let ready = situation.graph.id(Actor::Node(id), Moment::Ready);
    ready.map(|ready| situation.graph.held_back_by(ready)).unwrap_or_default()
}

/// Whether objects may be missing from what the node builds.
pub(in crate::rules) fn hides_objects(node: &Node) -> bool {
    node.unresolved.iter().any(Unresolved::hides_objects)
}

/// The place of the key of a field of the spec, where it is written.
pub(in crate::rules) fn key_span(node: &Node, key: &str) -> Span {
    let spec = node.kustomization.object.node.get("spec").and_then(yaml::Node::as_map);
    let entry = spec.and_then(|spec| spec.entry(key));
    entry.map_or(Span::NONE, |entry| entry.key_span).or(node.kustomization.span(&["spec", key]))
}
