//! What builds hold in place of a ConfigMap or Secret that is read, and what may make it.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashSet;

use crate::{
    cluster::{Cluster, ObjectKey, Provider},
    finding::Confidence,
    flux::is_open_text,
    kustomize::Step,
    source::names::{COMPARED, is_slip},
    yaml::{Node, Value},
};

/// An object that is there in place of one that is read.
#[derive(Debug, Clone)]
pub struct LookAlike {
    /// The object.
    pub key: ObjectKey,
    /// Who applies it.
    pub provider: Provider,
    /// How it differs from the one that is read.
    pub difference: Difference,
}

/// How an object differs from the one that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// A generator made it, with a hash at the end of its name.
    Hash,
    /// It is of the other kind.
    Kind,
    /// It is in another namespace.
    Namespace,
    /// A letter or two of its name.
    Spelling,
}

impl Difference {
    /// How sure it is that the reader meant this object.
    pub(super) const fn confidence(self) -> Confidence {
        match self {
            Self::Hash => Confidence::High,
            Self::Kind | Self::Namespace | Self::Spelling => Confidence::Medium,
        }
    }
}

/// What the builds of a cluster hold, sorted for looking things up.
pub(in crate::situation::blockers) struct Built<'a> {
    /// ConfigMaps and Secrets, by namespace.
    by_namespace: BTreeMap<&'a str, Vec<(&'a ObjectKey, Provider)>>,
    /// The same, by name.
    by_name: BTreeMap<&'a str, Vec<(&'a ObjectKey, Provider)>>,
    /// Namespace and text of every wanted name that some object has for a value and may therefore make: any but Flux's own.
    mentions: BTreeSet<(&'a str, &'a str)>,
}

impl<'a> Built<'a> {
    /// What `cluster` holds, and where its objects mention one of the names `wanted`.
    pub(in crate::situation::blockers) fn new(cluster: &'a Cluster, wanted: &FxHashSet<&str>) -> Self {
        let mut built = Self { by_namespace: BTreeMap::new(), by_name: BTreeMap::new(), mentions: BTreeSet::new() };
        for (key, providers) in &cluster.objects {
            let Some(provider) = providers.first() else { continue };
            if key.group.is_empty() && matches!(key.kind.as_str(), "ConfigMap" | "Secret") {
                built.by_namespace.entry(&key.namespace).or_default().push((key, *provider));
                built.by_name.entry(&key.name).or_default().push((key, *provider));
            } else if !key.is_kustomization() && !key.is_helm_release() && key.kind != "CustomResourceDefinition" {
                texts(&cluster.object(*provider).node, &mut |text| {
                    if wanted.contains(text) {
                        built.mentions.insert((&key.namespace, text));
                    }
                });
            }
        }
        built
    }

    /// Whether another object names `key`, in its namespace or from a place that has none: it may make it, as an
    /// ExternalSecret or a SealedSecret does. Replicators copy what bears their mark to other namespaces.
    pub(in crate::situation::blockers) fn is_mentioned(&self, cluster: &Cluster, key: &ObjectKey) -> bool {
        let is_copied = |provider: Provider| {
            let marks = cluster.object(provider).node.find(&["metadata", "annotations"]);
            let mut keys = marks.into_iter().flat_map(Node::entries).map(|entry| entry.key.as_str());
            keys.any(|key| key.contains("reflector") || key.contains("replicat"))
        };
        ["", key.namespace.as_str()].into_iter().any(|namespace| self.mentions.contains(&(namespace, &key.name)))
            || self.by_name.get(key.name.as_str()).into_iter().flatten().any(|(_, provider)| is_copied(*provider))
    }

    /// What there is in place of `wanted`.
    pub(super) fn look_alike(&self, cluster: &Cluster, wanted: &ObjectKey) -> Option<LookAlike> {
        let beside = || self.by_namespace.get(wanted.namespace.as_str()).into_iter().flatten();
        let of_kind = || beside().filter(|(key, _)| key.kind == wanted.kind);
        let named = || self.by_name.get(wanted.name.as_str()).into_iter().flatten();
        let is_hashed = |(key, provider): &&(&ObjectKey, Provider)| {
            let hash = key.name.strip_prefix(wanted.name.as_str()).and_then(|rest| rest.strip_prefix('-'));
            let is_generated = || cluster.object(*provider).changes.iter().any(|change| change.step == Step::Generator);
            hash.is_some_and(is_hash) && is_generated()
        };
        let found = |difference, entry: &(&ObjectKey, Provider)| LookAlike {
            key: entry.0.clone(),
            provider: entry.1,
            difference,
        };
        let hashed = of_kind().find(is_hashed).map(|entry| found(Difference::Hash, entry));
        let of_other_kind = || named().find(|(key, _)| key.namespace == wanted.namespace);
        let elsewhere = || named().find(|(key, _)| key.kind == wanted.kind && !is_open_text(&key.namespace));
        let misspelt = || of_kind().take(COMPARED).find(|(key, _)| is_slip(&key.name, &wanted.name));
        hashed
            .or_else(|| of_other_kind().map(|entry| found(Difference::Kind, entry)))
            .or_else(|| elsewhere().map(|entry| found(Difference::Namespace, entry)))
            .or_else(|| misspelt().map(|entry| found(Difference::Spelling, entry)))
    }
}

fn texts<'n>(node: &'n Node, found: &mut dyn FnMut(&'n str)) {
    match &node.value {
        Value::Str(text) => found(text),
        Value::Map(map) => map.entries().iter().for_each(|entry| texts(&entry.value, found)),
        Value::Seq(items) => items.iter().for_each(|item| texts(item, found)),
        _ => {}
    }
}

/// Whether `text` can be the hash that kustomize adds to generated names (kustomize `api/hasher`, `encode`).
fn is_hash(text: &str) -> bool {
    text.len() == 10 && text.bytes().all(|byte| b"bcdfghkmt2456789".contains(&byte))
}
