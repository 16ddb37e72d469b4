//! ConfigMaps and Secrets that Flux objects read and that no build holds.

mod look_alike;

pub use look_alike::{Difference, LookAlike};

use std::collections::{BTreeMap, BTreeSet};

use smol_str::SmolStr;

use super::{
    Blocker, Cause, View,
    hidden::{Unseen, Wanted},
};
use crate::{
    cluster::{Cluster, Node, NodeId, ObjectKey, Release},
    finding::{Confidence, Subject},
    flux::{is_open_text, variable_sources},
    graph::{Actor, Moment, Reason},
    source::Span,
};
use look_alike::Built;

/// A ConfigMap or Secret that has to be there, and that no build of the cluster holds.
#[derive(Debug, Clone)]
pub struct InputFact {
    /// The Kustomization or HelmRelease that reads it.
    pub reader: Subject,
    /// What is read.
    pub key: ObjectKey,
    /// By which field.
    pub field: InputField,
    /// The reference.
    pub span: Span,
    /// What there is in its place.
    pub look_alike: Option<LookAlike>,
    /// Whether another object of the cluster names it, and so may make it.
    pub is_mentioned: bool,
    /// What the repository does not show and may make it, where that lowers the confidence.
    pub hidden_by: Option<String>,
    /// How sure it is. What is made outside the repository is normal: that nothing makes it is a guess.
    pub confidence: Confidence,
    /// The actor of the reader.
    actor: Actor,
}

/// Fields that refer to a ConfigMap or Secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputField {
    /// `postBuild.substituteFrom` of a Kustomization.
    SubstituteFrom,
    /// `decryption.secretRef` of a Kustomization.
    Decryption,
    /// `kubeConfig.secretRef` of a Kustomization.
    KubeConfigSecret,
    /// `kubeConfig.configMapRef` of a Kustomization.
    KubeConfigMap,
    /// `valuesFrom` of a HelmRelease.
    ValuesFrom,
}

impl InputField {
    /// Its path below `spec`.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::SubstituteFrom => "postBuild.substituteFrom",
            Self::Decryption => "decryption.secretRef",
            Self::KubeConfigSecret => "kubeConfig.secretRef",
            Self::KubeConfigMap => "kubeConfig.configMapRef",
            Self::ValuesFrom => "valuesFrom",
        }
    }

    const fn reason(self) -> Reason {
        match self {
            Self::SubstituteFrom => Reason::SubstituteFrom,
            Self::Decryption => Reason::Decryption,
            Self::KubeConfigSecret | Self::KubeConfigMap => Reason::KubeConfig,
            Self::ValuesFrom => Reason::ValuesFrom,
        }
    }
}

impl InputFact {
    /// What it keeps from happening, where nothing of the cluster seems to make it.
    #[must_use]
    pub fn blocker(&self) -> Option<Blocker> {
        if self.is_mentioned && self.look_alike.is_none() {
            return None;
        }
        let text = format!("reads {} (`{}`), which no build holds", self.key.subject(), self.field.path());
        Some(Blocker {
            actor: self.actor,
            moment: Moment::Start,
            reason: self.field.reason(),
            cause: Cause::MissingInput,
            text,
            span: self.span,
            confidence: self.confidence,
        })
    }
}

/// The facts of a cluster, sorted by what is read, then in the order of the readers.
pub(super) fn find(view: View<'_>) -> Vec<InputFact> {
    if view.cluster.reached { missing(view.cluster) } else { Vec::new() }
}

/// The ConfigMaps and Secrets that Flux objects read and that nothing known makes: normally they are made outside the
/// repository. Each once.
#[must_use]
pub fn missing_inputs(cluster: &Cluster) -> BTreeSet<Subject> {
    missing(cluster).iter().filter(|fact| !fact.is_mentioned).map(|fact| fact.key.subject()).collect()
}

fn missing(cluster: &Cluster) -> Vec<InputFact> {
    let unseen = Unseen::new(cluster, None);
    let is_open = |text: &str| text.is_empty() || is_open_text(text);
    let mut by_key: BTreeMap<(SmolStr, SmolStr, SmolStr), Vec<Input>> = BTreeMap::new();
    for input in inputs(cluster) {
        let key = &input.key;
        let is_there = || cluster.provides(key) || unseen.open(wanted(key)).is_some();
        if !is_open(&key.name) && !is_open(&key.namespace) && !is_there() {
            let sorted = (key.kind.clone(), key.namespace.clone(), key.name.clone());
            by_key.entry(sorted).or_default().push(input);
        }
    }
    if by_key.is_empty() {
        return Vec::new();
    }
    let built = Built::new(cluster, &by_key.keys().map(|(_, _, name)| name.as_str()).collect());
    let mut facts = Vec::new();
    for inputs in by_key.into_values() {
        let Some(key) = inputs.first().map(|input| input.key.clone()) else { continue };
        let is_mentioned = built.is_mentioned(cluster, &key);
        let look_alike = built
            .look_alike(cluster, &key)
            .filter(|look_alike| look_alike.difference == Difference::Hash || !is_mentioned);
        let confidence = look_alike.as_ref().map_or(Confidence::Low, |look_alike| look_alike.difference.confidence());
        // What the hash of a generator hides is certain, and what is a guess anyway cannot be less.
        let hidden_by = (confidence == Confidence::Medium).then(|| unseen.part(wanted(&key), &|_| false)).flatten();
        let confidence = if hidden_by.is_some() { Confidence::Low } else { confidence };
        facts.extend(inputs.into_iter().map(|input| InputFact {
            reader: input.reader,
            key: input.key,
            field: input.field,
            span: input.span,
            look_alike: look_alike.clone(),
            is_mentioned,
            hidden_by: hidden_by.clone(),
            confidence,
            actor: input.actor,
        }));
    }
    facts
}

fn wanted(key: &ObjectKey) -> Wanted<'_> {
    Wanted { kind: &key.kind, namespace: &key.namespace, name: &key.name }
}

/// A reference to a ConfigMap or Secret that has to be there.
struct Input {
    reader: Subject,
    actor: Actor,
    key: ObjectKey,
    field: InputField,
    span: Span,
}

/// The references of a cluster. What an entry point reads was made with it.
fn inputs(cluster: &Cluster) -> impl Iterator<Item = Input> {
    let of_nodes = cluster.nodes().filter(|(_, node)| !node.is_entry).flat_map(|(id, node)| node_inputs(id, node));
    of_nodes.chain(cluster.releases.iter().enumerate().flat_map(|(index, release)| release_inputs(index, release)))
}

fn node_inputs(id: NodeId, node: &Node) -> Vec<Input> {
    let input = |kind: &str, name: &str, field, span| Input {
        reader: node.subject(),
        actor: Actor::Node(id),
        key: config_key(kind, &node.key.namespace, name),
        field,
        span,
    };
    let variables = variable_sources(&node.kustomization).filter(|(reference, _)| !reference.optional);
    let mut inputs: Vec<Input> =
        variables.map(|(from, span)| input(&from.kind, &from.name, InputField::SubstituteFrom, span)).collect();
    let decryption = node.kustomization.spec.decryption.as_ref();
    if let Some(secret) = decryption.and_then(|decryption| decryption.secret_ref.as_ref()) {
        let span = node.kustomization.span(&["spec", "decryption", "secretRef", "name"]);
        inputs.push(input("Secret", &secret.name, InputField::Decryption, span));
    }
    let object = &node.kustomization.object.node;
    for (key, kind, field) in [
        ("secretRef", "Secret", InputField::KubeConfigSecret),
        ("configMapRef", "ConfigMap", InputField::KubeConfigMap),
    ] {
        if let Some(name) = object.find(&["spec", "kubeConfig", key, "name"]) {
            inputs.push(input(kind, name.as_str().unwrap_or_default(), field, name.span));
        }
    }
    inputs
}

fn release_inputs(position: usize, release: &Release) -> impl Iterator<Item = Input> {
    let entries = release.helm.spec.values_from.iter().enumerate().filter(|(_, from)| !from.optional);
    entries.map(move |(index, from)| Input {
        reader: release.subject(),
        actor: Actor::Release(position as u32),
        key: config_key(&from.kind, &release.key.namespace, &from.name),
        field: InputField::ValuesFrom,
        span: release.helm.item_span(&["spec", "valuesFrom"], index),
    })
}

fn config_key(kind: &str, namespace: &str, name: &str) -> ObjectKey {
    ObjectKey { group: "".into(), kind: kind.into(), namespace: namespace.into(), name: name.into() }
}
