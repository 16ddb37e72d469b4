//! What became of nodes, edges and gates: what the manifests declare, before and after.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::files::How;
use crate::{
    cluster::{Cluster, Node, NodeId, ObjectKey, Release},
    finding::Subject,
    flux::{
        SourceRef,
        api::{CrossNamespaceSourceReference, DependencyReference},
    },
    query::Sides,
    source::{Place, Span, Tree},
    yaml,
};

/// A Kustomization or HelmRelease that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NodeChange {
    /// The object.
    pub node: Subject,
    /// What became of it.
    pub change: How,
    /// Fields of its spec that changed, those left out that are gates or edges.
    pub fields: Vec<String>,
    /// Other objects that it applies.
    pub counts: ObjectChanges,
    /// Its place in the revision that has it, the later one where both have it; `null` where no file holds it.
    pub location: Option<Place>,
}

/// Numbers of objects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ObjectChanges {
    /// Those that are new.
    pub added: usize,
    /// Those that are gone.
    pub removed: usize,
    /// Those that are others.
    pub changed: usize,
}

/// Something that an object waits for, takes from or belongs to, and did not, or not so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EdgeChange {
    /// Who declares it.
    pub from: Subject,
    /// `parent`, or the field: `dependsOn`, `sourceRef`, `substituteFrom`, `valuesFrom`.
    pub kind: &'static str,
    /// What it names; before, where that changed.
    pub to: Subject,
    /// What became of it.
    pub change: How,
    /// What goes with it: a `readyExpr`; empty where nothing does.
    pub detail: Sides<String>,
}

/// A field that decides what waiting means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GateChange {
    /// Whose.
    pub node: Subject,
    /// The field.
    pub field: &'static str,
    /// Its value in a few words; `null` where it is not set.
    pub value: Sides<Option<String>>,
    /// Its place now; `null` where no file holds it.
    pub location: Option<Place>,
}

/// A cluster as it declares itself.
pub(super) struct Shape<'a> {
    pub(super) nodes: BTreeMap<Subject, Declared<'a>>,
    pub(super) edges: BTreeMap<(Subject, &'static str, Subject), String>,
    tree: &'a Tree,
}

pub(super) struct Declared<'a> {
    object: &'a yaml::Node,
    at: Span,
    node: Option<(&'a Cluster, NodeId)>,
}

/// Fields that are reported as edges.
const EDGES: [&str; 5] = ["dependsOn", "sourceRef", "chartRef", "postBuild", "valuesFrom"];

/// Fields that are reported as gates.
const GATES: [&str; 8] =
    ["wait", "healthChecks", "timeout", "interval", "retryInterval", "suspend", "prune", "deletionPolicy"];

impl<'a> Shape<'a> {
    pub(super) fn new(cluster: Option<&'a Cluster>, tree: &'a Tree) -> Self {
        let mut shape = Self { nodes: BTreeMap::new(), edges: BTreeMap::new(), tree };
        let Some(cluster) = cluster else { return shape };
        for (id, node) in cluster.nodes() {
            let object = &node.kustomization.object.node;
            let declared = Declared { object, at: node.span(), node: Some((cluster, id)) };
            shape.nodes.insert(node.subject(), declared);
            shape.node(node);
        }
        for release in &cluster.releases {
            let declared = Declared { object: &release.helm.object.node, at: release.helm.name_span(), node: None };
            shape.nodes.insert(release.subject(), declared);
            shape.release(cluster, release);
        }
        shape
    }

    fn edge(&mut self, from: &Subject, kind: &'static str, to: Subject, detail: String) {
        self.edges.insert((from.clone(), kind, to), detail);
    }

    fn depends_on(&mut self, from: &Subject, namespace: &str, entries: &[DependencyReference]) {
        for entry in entries {
            let namespace = entry.namespace.as_deref().unwrap_or(namespace);
            let to = named(&from.kind, namespace, &entry.name);
            self.edge(from, "dependsOn", to, entry.ready_expr.clone().unwrap_or_default());
        }
    }

    fn node(&mut self, node: &Node) {
        let (from, namespace, spec) = (node.subject(), &node.key.namespace, &node.kustomization.spec);
        if let Some(parent) = node.manifests.first().and_then(|manifest| manifest.applied_by()) {
            self.edge(&from, "parent", parent, String::new());
        }
        self.depends_on(&from, namespace, &spec.depends_on);
        let source = SourceRef::new(&spec.source_ref, namespace);
        self.edge(&from, "sourceRef", named(&source.kind, &source.namespace, &source.name), String::new());
        for reference in spec.post_build.iter().flat_map(|build| &build.substitute_from) {
            let to = named(&reference.kind, namespace, &reference.name);
            let detail = if reference.optional { "optional" } else { "" };
            self.edge(&from, "substituteFrom", to, detail.to_owned());
        }
    }

    fn release(&mut self, cluster: &Cluster, release: &Release) {
        let (from, namespace, spec) = (release.subject(), &release.key.namespace, &release.helm.spec);
        for provider in &release.providers {
            self.edge(&from, "parent", cluster.owner(*provider), String::new());
        }
        self.depends_on(&from, namespace, &spec.depends_on);
        let source = |reference: &CrossNamespaceSourceReference, kind: &str| {
            let kind = reference.kind.as_deref().unwrap_or(kind);
            named(kind, reference.namespace.as_deref().unwrap_or(namespace), &reference.name)
        };
        if let Some(reference) = &spec.chart_ref {
            self.edge(&from, "chartRef", source(reference, "OCIRepository"), String::new());
        }
        if let Some(chart) = &spec.chart {
            self.edge(&from, "sourceRef", source(&chart.spec.source_ref, "HelmRepository"), String::new());
        }
        for reference in &spec.values_from {
            let detail = if reference.optional { "optional" } else { "" };
            self.edge(&from, "valuesFrom", named(&reference.kind, namespace, &reference.name), detail.to_owned());
        }
    }
}

fn named(kind: &str, namespace: &str, name: &str) -> Subject {
    let namespace = (!namespace.is_empty()).then(|| namespace.to_owned());
    Subject { kind: kind.to_owned(), namespace, name: name.to_owned() }
}

/// What became of the nodes.
pub(super) fn nodes(before: &Shape<'_>, after: &Shape<'_>) -> Vec<NodeChange> {
    let all: BTreeSet<&Subject> = before.nodes.keys().chain(after.nodes.keys()).collect();
    let mut found = Vec::new();
    for subject in all {
        let new = |change: How, fields: Vec<String>, counts: ObjectChanges, location: Option<Place>| NodeChange {
            node: subject.clone(),
            change,
            fields,
            counts,
            location,
        };
        match (before.nodes.get(subject), after.nodes.get(subject)) {
            (Some(old), None) => {
                let objects = objects(Some(old), None);
                found.push(new(How::Removed, Vec::new(), objects, before.tree.place(old.at)));
            }
            (None, Some(now)) => {
                let objects = objects(None, Some(now));
                found.push(new(How::Added, Vec::new(), objects, after.tree.place(now.at)));
            }
            (Some(old), Some(now)) => {
                let (fields, objects) = (fields(old.object, now.object), objects(Some(old), Some(now)));
                if !fields.is_empty() || objects != ObjectChanges::default() {
                    found.push(new(How::Changed, fields, objects, after.tree.place(now.at)));
                }
            }
            (None, None) => {}
        }
    }
    found
}

/// Names of the fields of the two specs that differ.
fn fields(old: &yaml::Node, now: &yaml::Node) -> Vec<String> {
    let spec = |node: &yaml::Node| -> BTreeMap<String, yaml::Node> {
        let spec = node.get("spec");
        let entries = spec.into_iter().flat_map(yaml::Node::entries);
        entries.map(|entry| (entry.key.to_string(), entry.value.clone())).collect()
    };
    let (old, now) = (spec(old), spec(now));
    let names: BTreeSet<&String> = old.keys().chain(now.keys()).collect();
    let is_told = |name: &str| EDGES.contains(&name) || GATES.contains(&name);
    names.into_iter().filter(|name| !is_told(name) && old.get(*name) != now.get(*name)).cloned().collect()
}

/// How many objects a Kustomization applies that are new, gone and changed; those left out that are nodes themselves.
fn objects(old: Option<&Declared<'_>>, now: Option<&Declared<'_>>) -> ObjectChanges {
    let applied = |declared: Option<&Declared<'_>>| -> BTreeMap<ObjectKey, yaml::Node> {
        let node = declared.and_then(|declared| declared.node).map(|(cluster, id)| cluster.node(id));
        let own = node.into_iter().flat_map(|node| &node.applied.build.objects);
        let made = node.into_iter().flat_map(|node| &node.resource_sets).flat_map(|set| &set.objects);
        let all = own.chain(made).map(|object| (ObjectKey::from(object.id()), object.node.clone()));
        all.filter(|(key, _)| !key.is_kustomization() && !key.is_helm_release()).collect()
    };
    let (old, now) = (applied(old), applied(now));
    let added = now.keys().filter(|key| !old.contains_key(*key)).count();
    let removed = old.keys().filter(|key| !now.contains_key(*key)).count();
    let changed = now.iter().filter(|(key, object)| old.get(*key).is_some_and(|other| other != *object)).count();
    ObjectChanges { added, removed, changed }
}

/// What became of the edges. What belongs to a node that is gone goes with it, and is not reported.
pub(super) fn edges(before: &Shape<'_>, after: &Shape<'_>) -> Vec<EdgeChange> {
    let mut found = Vec::new();
    let all: BTreeSet<_> = before.edges.keys().chain(after.edges.keys()).collect();
    for key in all {
        let (from, kind, to) = key;
        let (old, now) = (before.edges.get(key), after.edges.get(key));
        let change = match (old, now) {
            (Some(_), None) if after.nodes.contains_key(from) => How::Removed,
            (None, Some(_)) => How::Added,
            (Some(old), Some(now)) if old != now => How::Changed,
            _ => continue,
        };
        let detail = Sides { before: old, after: now }.map(|detail| detail.cloned().unwrap_or_default());
        found.push(EdgeChange { from: from.clone(), kind, to: to.clone(), change, detail });
    }
    found
}

/// What became of the gates of nodes that both have.
pub(super) fn gates(before: &Shape<'_>, after: &Shape<'_>) -> Vec<GateChange> {
    let mut found = Vec::new();
    for (subject, now) in &after.nodes {
        let Some(old) = before.nodes.get(subject) else { continue };
        for field in GATES {
            let value = |declared: &Declared<'_>| declared.object.find(&["spec", field]).map(reported);
            let value = Sides { before: value(old), after: value(now) };
            if value.before != value.after {
                let at = now.object.nearest_span(&["spec", field]).or(now.at);
                found.push(GateChange { node: subject.clone(), field, value, location: after.tree.place(at) });
            }
        }
    }
    found
}

/// A value in a few words.
fn reported(value: &yaml::Node) -> String {
    match &value.value {
        yaml::Value::Null => "null".to_owned(),
        yaml::Value::Bool(value) => value.to_string(),
        yaml::Value::Int(value) => value.to_string(),
        yaml::Value::Uint(value) => value.to_string(),
        yaml::Value::Float(value) => value.to_string(),
        yaml::Value::Str(value) => value.to_string(),
        yaml::Value::Seq(items) => {
            let items: Vec<String> = items.iter().map(reported).collect();
            items.join(", ")
        }
        yaml::Value::Map(_) => {
            let parts = ["kind", "namespace", "name"].into_iter().filter_map(|key| value.find_str(&[key]));
            parts.collect::<Vec<_>>().join("/")
        }
    }
}
