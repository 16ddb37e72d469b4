use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Serialize, Serializer, ser::SerializeMap as _};

use super::Rendering;
use crate::{
    finding::Subject,
    kustomize::{Object, Step},
    query::{Document, ReportedFinding, ReportedUnresolved},
    source::{Place, Span, Tree},
    yaml::{Entry, Node, Value},
};

/// What a Kustomization or a folder builds: `fluxdag render -o json`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Rendered {
    /// The cluster that has the Kustomization; none for a folder.
    pub clusters: Vec<RenderedCluster>,
    /// The folder that was built, from the artifact root; `null` for a Kustomization.
    pub folder: Option<String>,
    /// The objects, in the order that was asked for.
    pub objects: Vec<RenderedObject>,
    /// Why the build fails; empty where it does not.
    pub findings: Vec<ReportedFinding>,
    /// What is not known of it.
    pub unresolved: Vec<ReportedUnresolved>,
}

/// The cluster that has the Kustomization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RenderedCluster {
    /// Root of the cluster.
    pub cluster: String,
    /// The Kustomization.
    pub node: Subject,
}

/// An object that was built.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RenderedObject {
    /// The object.
    pub manifest: Manifest,
    /// Where it comes from; `null` where that was not asked for.
    pub trace: Option<Trace>,
}

/// Where an object comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Trace {
    /// Its document; `null` where no file holds it.
    pub document: Option<Place>,
    /// What changed it, in order.
    pub steps: Vec<TraceStep>,
    /// The text that decided each value, by JSON pointer; `null` where no file holds it.
    pub values: BTreeMap<String, Option<Place>>,
}

/// A step of a build that changed an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TraceStep {
    /// The field of a kustomization that orders it; `substitution` or `resourceSet` where Flux does.
    pub step: &'static str,
    /// The text that orders it; `null` where no file holds it.
    pub location: Option<Place>,
}

/// An object whose keys come out sorted by code point, as kustomize sorts them.
#[derive(Debug, Clone)]
pub struct Manifest(pub Node);

impl Document for Rendered {
    const COMMAND: &'static str = "render";
}

impl Rendering {
    /// The document for programs. `tree` has the files that were built, and `is_traced` says whether it has where things come
    /// from.
    #[must_use]
    pub fn document(&self, tree: &Tree, is_traced: bool) -> Rendered {
        let clusters =
            self.of.iter().map(|(cluster, node)| RenderedCluster { cluster: cluster.clone(), node: node.clone() });
        let object = |object: &Object| RenderedObject {
            manifest: Manifest(object.node.clone()),
            trace: is_traced.then(|| trace(tree, object)),
        };
        Rendered {
            clusters: clusters.collect(),
            folder: self.folder.clone(),
            objects: self.objects.iter().map(object).collect(),
            findings: self.findings.iter().map(|finding| ReportedFinding::new(finding, tree)).collect(),
            unresolved: self
                .unresolved
                .iter()
                .map(|part| ReportedUnresolved::new(&part.what, &part.why, tree.place(part.span)))
                .collect(),
        }
    }
}

fn trace(tree: &Tree, object: &Object) -> Trace {
    let mut values = BTreeMap::new();
    places(&object.node, &mut String::new(), &mut |pointer, span| drop(values.insert(pointer, tree.place(span))));
    let steps = object.changes.iter();
    Trace {
        document: tree.place(object.source),
        steps: steps.map(|change| TraceStep { step: name(change.step), location: tree.place(change.at) }).collect(),
        values,
    }
}

/// The span of every scalar below `node`, by JSON pointer.
fn places(node: &Node, pointer: &mut String, found: &mut impl FnMut(String, Span)) {
    let length = pointer.len();
    match &node.value {
        Value::Map(map) => {
            for Entry { key, value, .. } in map.entries() {
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
                places(value, pointer, found);
                pointer.truncate(length);
            }
        }
        Value::Seq(items) => {
            for (index, item) in items.iter().enumerate() {
                pointer.push_str(&format!("/{index}"));
                places(item, pointer, found);
                pointer.truncate(length);
            }
        }
        _ => found(pointer.clone(), node.span),
    }
}

impl Serialize for Manifest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Sorted(&self.0).serialize(serializer)
    }
}

impl JsonSchema for Manifest {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Manifest".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "object", "description": "A Kubernetes object, with sorted keys." })
    }
}

struct Sorted<'n>(&'n Node);

impl Serialize for Sorted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0.value {
            Value::Map(map) => {
                let mut entries: Vec<&Entry> = map.entries().iter().collect();
                entries.sort_unstable_by(|one, other| one.key.cmp(&other.key));
                let mut out = serializer.serialize_map(Some(entries.len()))?;
                for entry in entries {
                    out.serialize_entry(&entry.key, &Self(&entry.value))?;
                }
                out.end()
            }
            Value::Seq(items) => serializer.collect_seq(items.iter().map(Sorted)),
            // JSON does not tell such a float from a whole number, and Go prints it without fraction.
            Value::Float(value) if value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0 => {
                serializer.serialize_i64(*value as i64)
            }
            _ => self.0.serialize(serializer),
        }
    }
}

/// The field of a kustomization that orders a step; Flux's substitution goes by its own name.
const fn name(step: Step) -> &'static str {
    match step {
        Step::Generator => "generator",
        Step::Patch => "patches",
        Step::Namespace => "namespace",
        Step::NamePrefix => "namePrefix",
        Step::NameSuffix => "nameSuffix",
        Step::Labels => "labels",
        Step::Annotations => "annotations",
        Step::Images => "images",
        Step::Replicas => "replicas",
        Step::Replacement => "replacements",
        Step::Substitution => "substitution",
        Step::Template => "resourceSet",
    }
}
