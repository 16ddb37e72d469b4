//! Built objects as YAML or JSON, and the place that decides each part of them where that is asked for.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer, ser::SerializeMap as _};

use super::{json::escaped, printable};
use crate::{
    kustomize::{Object, Step},
    source::{Span, Tree},
    yaml::{Entry, Node, Value, to_yaml, to_yaml_with_notes},
};

/// Objects to print.
#[derive(Debug, Clone, Copy)]
pub struct Objects<'a> {
    /// The files that spans point into.
    pub tree: &'a Tree,
    /// The objects, in the order to print them in.
    pub objects: &'a [Object],
    /// How much to say of where they come from.
    pub origin: Origin,
}

/// How much to say of where an object comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Nothing.
    Hidden,
    /// Its document, the steps that changed it, and the place of each value that stands elsewhere.
    Changed,
    /// The same, with the place of every value.
    All,
}

impl Objects<'_> {
    /// One document for each object, as `kustomize build` prints them. Origins are comments.
    #[must_use]
    pub fn yaml(&self) -> String {
        let documents: Vec<String> = self.objects.iter().map(|object| self.document(object)).collect();
        documents.join("---\n")
    }

    fn document(&self, object: &Object) -> String {
        if self.origin == Origin::Hidden {
            return to_yaml(&object.node);
        }
        let mut text = format!("# from {}\n", self.line(object.source));
        let mut last = None;
        for change in &object.changes {
            let line = format!("# {} {}\n", verb(change.step), self.line(change.at));
            if last.as_ref() != Some(&line) {
                text.push_str(&line);
            }
            last = Some(line);
        }
        let note = |node: &Node| {
            let is_own = node.span.is_some() && object.source.contains(node.span);
            (self.origin == Origin::All || !is_own).then(|| match self.place(node.span) {
                Some(Place { path, line, column }) => format!("{}:{line}:{column}", printable(&path)),
                None => "(no file)".to_owned(),
            })
        };
        text + &to_yaml_with_notes(&object.node, &note)
    }

    /// One array of objects with sorted keys. With origins, each object stands beside them.
    #[must_use]
    pub fn json(&self) -> String {
        let text = match self.origin {
            Origin::Hidden => serde_json::to_string_pretty(
                &self.objects.iter().map(|object| Sorted(&object.node)).collect::<Vec<_>>(),
            ),
            _ => {
                serde_json::to_string_pretty(&self.objects.iter().map(|object| self.traced(object)).collect::<Vec<_>>())
            }
        };
        escaped(&text.unwrap_or_default()) + "\n"
    }

    fn traced<'o>(&self, object: &'o Object) -> Traced<'o> {
        let mut fields = BTreeMap::new();
        self.fields(&object.node, &mut String::new(), &mut fields);
        let changes = object.changes.iter();
        Traced {
            object: Sorted(&object.node),
            origin: self.place(object.source),
            changes: changes.map(|change| Changed { step: name(change.step), place: self.place(change.at) }).collect(),
            fields,
        }
    }

    /// The place of every scalar below `node`, by JSON pointer.
    fn fields(&self, node: &Node, pointer: &mut String, fields: &mut BTreeMap<String, Option<Place>>) {
        let length = pointer.len();
        match &node.value {
            Value::Map(map) => {
                for Entry { key, value, .. } in map.entries() {
                    pointer.push('/');
                    pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
                    self.fields(value, pointer, fields);
                    pointer.truncate(length);
                }
            }
            Value::Seq(items) => {
                for (index, item) in items.iter().enumerate() {
                    pointer.push_str(&format!("/{index}"));
                    self.fields(item, pointer, fields);
                    pointer.truncate(length);
                }
            }
            _ => drop(fields.insert(pointer.clone(), self.place(node.span))),
        }
    }

    fn place(&self, span: Span) -> Option<Place> {
        let position = self.tree.position(span);
        let place =
            || Place { path: self.tree.path(span.file).to_owned(), line: position.line, column: position.column };
        span.is_some().then(place)
    }

    fn line(&self, span: Span) -> String {
        match self.place(span) {
            Some(Place { path, line, .. }) => format!("{}:{line}", printable(&path)),
            None => "(no file)".to_owned(),
        }
    }
}

/// An object and where it comes from. A place is null where no file holds it.
#[derive(Serialize)]
struct Traced<'o> {
    object: Sorted<'o>,
    origin: Option<Place>,
    changes: Vec<Changed>,
    fields: BTreeMap<String, Option<Place>>,
}

#[derive(Serialize)]
struct Changed {
    step: &'static str,
    #[serde(flatten)]
    place: Option<Place>,
}

/// Lines and columns are 1-based, columns count characters.
#[derive(Serialize)]
struct Place {
    path: String,
    line: u32,
    column: u32,
}

/// A node whose keys come out sorted by code point.
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

/// What a step did, in words that a place completes.
const fn verb(step: Step) -> &'static str {
    match step {
        Step::Generator => "generated by",
        Step::Patch => "patched by",
        Step::Namespace => "namespace from",
        Step::NamePrefix => "name prefix from",
        Step::NameSuffix => "name suffix from",
        Step::Labels => "labels from",
        Step::Annotations => "annotations from",
        Step::Images => "image from",
        Step::Replicas => "replicas from",
        Step::Replacement => "value replaced by",
        Step::Substitution => "variables from",
        Step::Template => "made by",
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
