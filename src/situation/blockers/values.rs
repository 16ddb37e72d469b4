//! Values of HelmReleases that are read out of a ConfigMap or Secret and cannot be: the key is not there, or the text is no values
//! (fluxcd/pkg chartutil, `ChartValuesFromReferences`).

use rustc_hash::FxHashSet;

use super::{Blocker, Cause, View, inputs::Built};
use crate::{
    cluster::{Cluster, ObjectKey, Provider, Release},
    finding::{Confidence, Subject},
    flux::{Policy, is_open_text},
    graph::{Actor, Moment, Reason},
    kustomize::{Object, Step},
    source::{FileId, Span},
    yaml::{self, Node, Value},
};

/// The key that is read where none is named.
const DEFAULT_KEY: &str = "values.yaml";

/// What SOPS makes of every value.
const CIPHERTEXT: &str = "ENC[";

/// An entry of `valuesFrom` that cannot be read.
#[derive(Debug, Clone)]
pub struct ValuesFact {
    /// The HelmRelease.
    pub release: Subject,
    /// The ConfigMap or Secret.
    pub key: ObjectKey,
    /// The key in it that is read.
    pub entry: String,
    /// Whether the HelmRelease names that key.
    pub is_named: bool,
    /// What is wrong.
    pub problem: ValuesProblem,
    /// The entry of `valuesFrom`.
    pub span: Span,
    /// The ConfigMap or Secret, or the value in it.
    pub at: Span,
    /// Whether a generator made the object.
    pub is_generated: bool,
    /// How sure it is.
    pub confidence: Confidence,
    actor: Actor,
}

/// What is wrong with an entry of `valuesFrom`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValuesProblem {
    /// The object has these keys, and not the one that is read.
    NoKey(Vec<String>),
    /// The text at the key is no mapping, and without `targetPath` it has to be one.
    NoMapping,
    /// The text for a `targetPath` has a comma, which begins another assignment.
    Comma,
}

/// How Helm reads the text.
#[derive(Debug, Clone, Copy)]
enum Form {
    /// As a file of values.
    Values,
    /// As the right side of an assignment (`--set`), for a `targetPath`.
    Assigned,
    /// As it is (`--set-literal`), for a `targetPath` with `literal: true`.
    Literal,
}

impl ValuesFact {
    /// What it keeps from happening.
    #[must_use]
    pub fn blocker(&self) -> Option<Blocker> {
        let (entry, object) = (&self.entry, self.key.subject());
        let text = match self.problem {
            ValuesProblem::NoKey(_) => format!("reads the key `{entry}` of {object}, which has no such key"),
            ValuesProblem::NoMapping => format!("reads the key `{entry}` of {object}, whose text is no values"),
            ValuesProblem::Comma => format!("reads the key `{entry}` of {object}, whose text cannot be set at a path"),
        };
        Some(Blocker {
            actor: self.actor,
            moment: Moment::Start,
            reason: Reason::ValuesFrom,
            cause: Cause::MissingInput,
            text,
            span: self.span,
            confidence: self.confidence,
        })
    }
}

/// The facts of a cluster, in the order of its releases.
pub(super) fn find(view: View<'_>) -> Vec<ValuesFact> {
    let cluster = view.cluster;
    if !cluster.reached {
        return Vec::new();
    }
    let releases = cluster.releases.iter().enumerate();
    releases.flat_map(|(index, release)| of_release(cluster, index, release)).collect()
}

fn of_release(cluster: &Cluster, position: usize, release: &Release) -> Vec<ValuesFact> {
    let entries: Vec<&Node> =
        release.helm.object.node.find(&["spec", "valuesFrom"]).into_iter().flat_map(Node::items).collect();
    let mut facts = Vec::new();
    for (index, from) in release.helm.spec.values_from.iter().enumerate() {
        let key = ObjectKey {
            group: "".into(),
            kind: from.kind.as_str().into(),
            namespace: release.key.namespace.clone(),
            name: from.name.as_str().into(),
        };
        let entry = from.values_key.as_deref().filter(|key| !key.is_empty()).unwrap_or(DEFAULT_KEY);
        let Some(providers) = cluster.objects.get(&key).filter(|_| !is_open_text(entry)) else { continue };
        let item = entries.get(index);
        let target = item.and_then(|item| item.find_str(&["targetPath"])).is_some_and(|path| !path.is_empty());
        let is_literal = item.and_then(|item| item.get("literal")).and_then(Node::as_bool) == Some(true);
        let form = match (target, is_literal) {
            (false, _) => Form::Values,
            (true, false) => Form::Assigned,
            (true, true) => Form::Literal,
        };
        let Some((problem, provider, at)) = problem(cluster, &key, providers, entry, form) else { continue };
        // A key that is missing where it may be missing is passed over.
        if from.optional && matches!(problem, ValuesProblem::NoKey(_)) {
            continue;
        }
        let object = cluster.object(provider);
        facts.push(ValuesFact {
            release: release.subject(),
            confidence: confidence(cluster, &key, providers, &problem),
            key,
            entry: entry.to_owned(),
            is_named: from.values_key.is_some(),
            problem,
            span: release.helm.item_span(&["spec", "valuesFrom"], index),
            at,
            is_generated: object.changes.iter().any(|change| change.step == Step::Generator),
            actor: Actor::Release(position as u32),
        });
    }
    facts
}

/// What is wrong with the entry in what all providers of the object make of it.
fn problem(
    cluster: &Cluster,
    key: &ObjectKey,
    providers: &[Provider],
    entry: &str,
    form: Form,
) -> Option<(ValuesProblem, Provider, Span)> {
    let mut first = None;
    for provider in providers {
        let object = cluster.object(*provider);
        let Some(value) = value(key, object, entry) else {
            first = first.or(Some((ValuesProblem::NoKey(keys(key, object)), *provider, object.place())));
            continue;
        };
        let text = value.as_str().filter(|text| !is_open_text(text) && !text.starts_with(CIPHERTEXT));
        // The text of `data` of a Secret is encoded, and mostly encrypted.
        let text = text.filter(|_| key.kind == "ConfigMap")?;
        let problem = match form {
            Form::Values if !is_values(text) => ValuesProblem::NoMapping,
            Form::Assigned if has_comma(text) => ValuesProblem::Comma,
            _ => return None,
        };
        return Some((problem, *provider, value.span.or(object.place())));
    }
    first
}

/// The fields that hold the entries of an object.
fn fields(key: &ObjectKey) -> &'static [&'static str] {
    if key.kind == "Secret" { &["stringData", "data"] } else { &["data"] }
}

fn value<'o>(key: &ObjectKey, object: &'o Object, entry: &str) -> Option<&'o Node> {
    fields(key).iter().find_map(|field| object.node.find(&[*field, entry])).filter(|value| !value.is_null())
}

fn keys(key: &ObjectKey, object: &Object) -> Vec<String> {
    let entries = fields(key).iter().filter_map(|field| object.node.get(field)).flat_map(Node::entries);
    entries.map(|entry| entry.key.to_string()).collect()
}

/// How sure it is. Others may fill the object: a controller that its marks speak to, one that names it, a person.
fn confidence(cluster: &Cluster, key: &ObjectKey, providers: &[Provider], problem: &ValuesProblem) -> Confidence {
    let ValuesProblem::NoKey(keys) = problem else { return Confidence::High };
    let is_shared = |provider: &Provider| {
        let object = cluster.object(*provider);
        let policy = Policy::new(&object.node);
        let marks = ["annotations", "labels"].iter().filter_map(|field| object.node.find(&["metadata", field]));
        let is_filled = marks
            .flat_map(Node::entries)
            .any(|entry| ["reflect", "replicat", "inject", "sync"].iter().any(|mark| entry.key.contains(mark)));
        policy.if_not_present || policy.merged || is_filled || !cluster.node(provider.node).unresolved.is_empty()
    };
    let is_open = keys.is_empty() || keys.iter().any(|key| is_open_text(key));
    if is_open || providers.iter().any(is_shared) {
        return Confidence::Low;
    }
    let wanted: FxHashSet<&str> = [key.name.as_str()].into_iter().collect();
    if Built::new(cluster, &wanted).is_mentioned(cluster, key) { Confidence::Low } else { Confidence::High }
}

/// Whether Helm can read the text as values: a mapping, or nothing (Helm `chartutil.ReadValues`).
fn is_values(text: &str) -> bool {
    let file = yaml::parse(FileId::NONE, text.as_bytes());
    let Some(document) = file.documents.first().filter(|document| document.error.is_none()) else { return true };
    matches!(document.root.value, Value::Map(_) | Value::Null)
}

/// Whether `path=text` is more than one assignment to Helm, whose next has no value (Helm `strvals.ParseInto`). Quotes around all of
/// it, braces and backslashes keep commas.
fn has_comma(text: &str) -> bool {
    let is_quoted =
        ['\'', '"'].iter().any(|quote| text.len() > 1 && text.starts_with(*quote) && text.ends_with(*quote));
    let mut rest = text;
    let mut found = None;
    while let Some(at) = rest.find(',') {
        if !rest[..at].ends_with('\\') {
            found = Some(&rest[at + 1..]);
            break;
        }
        rest = &rest[at + 1..];
    }
    !is_quoted
        && !text.contains(['{', '}'])
        && found.is_some_and(|after| !after.trim().is_empty() && !after.contains('='))
}
