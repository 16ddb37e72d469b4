//! CRDs in builds, and what their schemas ask of custom resources. These go to the API server as they are: what does not fit a type, and
//! what the schema does not declare, fails the dry-run before the object is looked at as a whole (structured-merge-diff v6,
//! `typed/validate.go`), the rest when it is (apiextensions-apiserver 1.36, `pkg/registry/customresource/validator.go`).

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use super::{FieldFault, Flaw, fields::type_flaw, flaw::Form};
use crate::{
    cluster::{Cluster, ObjectKey, Provider},
    flux::{api::kinds, is_open_text},
    kustomize::Object,
    source::Span,
    yaml::{Node, Store, Value},
};

/// Fields of every object, whose types no CRD says.
const OF_ALL: [&str; 4] = ["apiVersion", "kind", "metadata", "status"];

/// The deepest that a schema is followed.
const DEEPEST: usize = 64;

/// The CRDs in the builds of a cluster, where they are certain to be the ones that it has.
pub(in crate::situation::blockers) struct Schemas<'c> {
    /// The `spec` of each, by group and kind; `None` where two of them differ.
    crds: FxHashMap<(&'c str, &'c str), Option<&'c Node>>,
}

/// What a CRD says of one of its versions.
pub(in crate::situation::blockers) enum Crd<'c> {
    /// It serves the version; the schema.
    Schema(Schema<'c>),
    /// It serves others only.
    NotServed(Vec<SmolStr>),
}

/// The schema of one version of a kind.
#[derive(Clone, Copy)]
pub(in crate::situation::blockers) struct Schema<'c>(&'c Node);

/// A field that the schema does not declare.
pub(in crate::situation::blockers) struct Undeclared<'c> {
    /// Path from the root of the object, without positions in lists.
    pub(in crate::situation::blockers) path: String,
    /// Its key.
    pub(in crate::situation::blockers) key: SmolStr,
    /// The place of the key.
    pub(in crate::situation::blockers) span: Span,
    /// The names that are declared beside it and not used.
    pub(in crate::situation::blockers) others: Vec<&'c str>,
}

impl<'c> Schemas<'c> {
    pub(in crate::situation::blockers) fn new(cluster: &'c Cluster) -> Self {
        let mut crds = FxHashMap::default();
        let providers = cluster.objects.iter().filter(|(key, _)| key.is(kinds::CRD)).flat_map(|(_, all)| all);
        for provider in providers.filter(|provider| !cluster.node(provider.node).is_remote()) {
            let object = &cluster.object(*provider).node;
            let is_plain = object.find_str(&["apiVersion"]) == Some("apiextensions.k8s.io/v1");
            let Some(spec) = object.get("spec").filter(|_| is_plain) else { continue };
            if let (Some(group), Some(kind)) = (spec.find_str(&["group"]), spec.find_str(&["names", "kind"])) {
                let known = crds.entry((group, kind)).or_insert(Some(spec));
                *known = known.filter(|known| known.value == spec.value);
            }
        }
        // A chart may install its own.
        for kind in cluster.implicit.kinds.iter().filter(|kind| !kind.charts.is_empty()) {
            crds.remove(&(kind.group.as_str(), kind.kind.as_str()));
        }
        Self { crds }
    }

    /// What the CRD of the kind says; `None` where no build holds it, or it is not certain.
    pub(in crate::situation::blockers) fn of(
        &self,
        cluster: &Cluster,
        provider: Provider,
        key: &ObjectKey,
    ) -> Option<Crd<'c>> {
        let spec = (*self.crds.get(&(key.group.as_str(), key.kind.as_str()))?)?;
        let version = cluster.object(provider).id().version;
        if cluster.node(provider.node).is_remote() {
            return None;
        }
        let versions = || spec.get("versions").into_iter().flat_map(Node::items);
        let is_served = |row: &&Node| row.get("served").and_then(Node::as_bool) != Some(false);
        let name = |row: &Node| row.find_str(&["name"]).map(SmolStr::new);
        let served: Vec<SmolStr> = versions().filter(is_served).filter_map(name).collect();
        if served.is_empty() || served.iter().any(|name| is_open_text(name)) {
            return None;
        }
        match versions().filter(is_served).find(|row| row.find_str(&["name"]) == Some(version.as_str())) {
            Some(row) => row.find(&["schema", "openAPIV3Schema"]).map(|schema| Crd::Schema(Schema(schema))),
            None => Some(Crd::NotServed(served)),
        }
    }
}

impl<'c> Schema<'c> {
    /// The fields of `object` that do not fit.
    pub(super) fn faults(self, object: &Object, store: &Store) -> Vec<FieldFault> {
        let mut walk = Walk { store, source: object.source, faults: Vec::new(), undeclared: Vec::new() };
        walk.root(&object.node, self.0);
        walk.faults
    }

    /// The fields of `object` that it does not declare.
    pub(in crate::situation::blockers) fn undeclared(self, object: &Object, store: &Store) -> Vec<Undeclared<'c>> {
        let mut walk = Walk { store, source: object.source, faults: Vec::new(), undeclared: Vec::new() };
        walk.root(&object.node, self.0);
        walk.undeclared
    }
}

struct Walk<'c, 's> {
    store: &'s Store,
    /// The place of the object.
    source: Span,
    faults: Vec<FieldFault>,
    undeclared: Vec<Undeclared<'c>>,
}

/// A place in an object: its path with positions in lists, as the API server prints it, and without.
#[derive(Clone, Default)]
struct At {
    shown: String,
    plain: String,
    depth: usize,
}

impl At {
    fn key(&self, key: &str) -> Self {
        let join = |path: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        Self { shown: join(&self.shown), plain: join(&self.plain), depth: self.depth + 1 }
    }

    fn index(&self, index: usize) -> Self {
        Self { shown: format!("{}[{index}]", self.shown), plain: self.plain.clone(), depth: self.depth + 1 }
    }
}

impl<'c> Walk<'c, '_> {
    fn root(&mut self, node: &Node, schema: &'c Node) {
        self.map(node, schema, &At::default());
    }

    fn fault(&mut self, at: &At, flaw: Flaw, span: Span) {
        self.faults.push(FieldFault { path: at.shown.clone(), flaw, span: span.or(self.source) });
    }

    fn value(&mut self, node: &Node, schema: &'c Node, at: &At) {
        if node.is_null() || at.depth > DEEPEST || node.as_str().is_some_and(is_open) {
            return;
        }
        if is_true(schema, "x-kubernetes-int-or-string") {
            return;
        }
        let wanted = match schema.find_str(&["type"]) {
            Some("string") => node.as_str().is_none().then_some("text"),
            Some("boolean") => node.as_bool().is_none().then_some("true or false"),
            Some("integer" | "number") => (!is_number(node)).then_some("a number"),
            Some("array") => node.as_seq().is_none().then_some("a list"),
            Some("object") => node.as_map().is_none().then_some("a mapping"),
            _ => return,
        };
        if let Some(wanted) = wanted {
            self.fault(at, type_flaw(node, wanted, node.span, self.store), node.span);
            return;
        }
        match (schema.find_str(&["type"]), &node.value) {
            (Some("integer"), Value::Float(number)) if number.fract() != 0.0 => {
                self.fault(at, Flaw::Fraction(number.to_string()), node.span);
            }
            (Some("string"), Value::Str(text)) => {
                let allowed: Vec<&Node> = schema.get("enum").into_iter().flat_map(Node::items).collect();
                let values: Vec<SmolStr> =
                    allowed.iter().filter_map(|value| value.as_str().map(SmolStr::new)).collect();
                if !values.is_empty() && values.len() == allowed.len() && !values.iter().any(|value| value == text) {
                    self.fault(at, Flaw::NotAmong { text: text.to_string(), values }, node.span);
                }
            }
            (Some("array"), _) => self.list(node, schema, at),
            (Some("object"), _) => self.map(node, schema, at),
            _ => {}
        }
    }

    fn list(&mut self, node: &Node, schema: &'c Node, at: &At) {
        let Some(items) = schema.get("items") else { return };
        for (index, item) in node.items().enumerate() {
            self.value(item, items, &at.index(index));
        }
        let keys = schema.get("x-kubernetes-list-map-keys").into_iter().flat_map(Node::items);
        let keys: Vec<&str> = keys.filter_map(Node::as_str).collect();
        if schema.find_str(&["x-kubernetes-list-type"]) != Some("map") || keys.is_empty() {
            return;
        }
        let mut seen = BTreeSet::new();
        for (index, item) in node.items().enumerate() {
            let of = |key: &&str| {
                let default = || items.find(&["properties", key, "default"]);
                let value = item.get(key).filter(|value| !value.is_null()).or_else(default)?;
                let text = value.as_str().map(str::to_owned);
                let text = text.or_else(|| value.as_i64().map(|number| number.to_string()))?;
                (!is_open(&text)).then(|| format!("{key}: {text}"))
            };
            let Some(key) = keys.iter().map(of).collect::<Option<Vec<String>>>() else { continue };
            let key = key.join(", ");
            if !seen.insert(key.clone()) {
                self.fault(&at.index(index), Flaw::Twice(key), item.span);
            }
        }
    }

    fn map(&mut self, node: &Node, schema: &'c Node, at: &At) {
        let properties = schema.get("properties");
        let is_root = at.depth == 0;
        let is_object = is_root || is_true(schema, "x-kubernetes-embedded-resource");
        let is_given = |key: &str| is_object && OF_ALL.contains(&key);
        let others = schema.get("additionalProperties");
        // What has neither takes anything, or nothing; the one is as likely to be meant.
        let is_closed = properties.is_some_and(|known| known.entries().next().is_some())
            && others.is_none()
            && !is_true(schema, "x-kubernetes-preserve-unknown-fields");
        for entry in node.entries() {
            let key = entry.key.as_str();
            if is_given(key) || (is_root && key == "sops") {
                continue;
            }
            let declared = properties.and_then(|known| known.get(key)).or(others.filter(|it| it.as_map().is_some()));
            match declared {
                Some(schema) => self.value(&entry.value, schema, &at.key(key)),
                None if is_closed && !entry.value.is_null() && !is_open(key) => {
                    let known = properties.into_iter().flat_map(Node::entries).map(|entry| entry.key.as_str());
                    let others = known.filter(|name| node.get(name).is_none() && !is_given(name)).collect();
                    let span = entry.key_span.or(entry.value.span).or(self.source);
                    let path = at.key(key).plain;
                    self.undeclared.push(Undeclared { path, key: entry.key.as_str().into(), span, others });
                }
                None => {}
            }
        }
        for name in schema.get("required").into_iter().flat_map(Node::items).filter_map(Node::as_str) {
            let has_default = || schema.find(&["properties", name, "default"]).is_some();
            // A mapping with a variable for a key may become anything.
            let is_open = || node.entries().any(|entry| is_open(&entry.key));
            if !is_given(name) && node.get(name).is_none() && !has_default() && !is_open() {
                self.fault(&at.key(name), Flaw::Missing(Form::Any), node.span);
            }
        }
    }
}

fn is_true(schema: &Node, key: &str) -> bool {
    schema.get(key).and_then(Node::as_bool) == Some(true)
}

const fn is_number(node: &Node) -> bool {
    matches!(node.value, Value::Int(_) | Value::Uint(_) | Value::Float(_))
}

/// Whether a text may become something else: by variables, templates, or decryption.
pub(super) fn is_open(text: &str) -> bool {
    is_open_text(text) || text.contains("{{") || text.starts_with("ENC[")
}
