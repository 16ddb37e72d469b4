//! Fields of Flux objects that their API version does not have.

use super::{
    Blocker, Cause, View, apply_of,
    manifests::{Crd, Schemas, Undeclared},
};
use crate::{
    catalog::{FieldCatalog, Fields},
    cluster::{Cluster, ObjectKey, Provider},
    finding::Confidence,
    flux::{FluxVersion, Policy, is_open_text},
    graph::{Actor, Moment, Reason},
    source::{Span, names::nearest},
    yaml::Node,
};

/// The release whose CRDs the catalogue holds.
const CATALOGUE: FluxVersion = FluxVersion { major: 2, minor: 9 };

/// Fields of earlier versions of the Kustomization API.
const REMOVED: [&str; 3] = ["spec.validation", "spec.patchesStrategicMerge", "spec.patchesJson6902"];

/// Fields that came with a Flux release: kind, path below `spec`, and the release.
const SINCE: [(&str, &str, FluxVersion); 6] = [
    ("HelmRelease", "dependsOn.readyExpr", FluxVersion { major: 2, minor: 7 }),
    ("HelmRelease", "healthCheckExprs", FluxVersion { major: 2, minor: 8 }),
    ("Kustomization", "deletionPolicy", FluxVersion { major: 2, minor: 5 }),
    ("Kustomization", "dependsOn.readyExpr", FluxVersion { major: 2, minor: 7 }),
    ("Kustomization", "healthCheckExprs", FluxVersion { major: 2, minor: 5 }),
    ("Kustomization", "ignoreMissingComponents", FluxVersion { major: 2, minor: 7 }),
];

/// Fields that earlier versions of an API never had: kind, version, and paths below `spec`.
const NEVER: [(&str, &str, &[&str]); 3] = [
    ("HelmRelease", "v2beta1", &["chartRef", "dependsOn.readyExpr", "healthCheckExprs"]),
    ("Kustomization", "v1beta1", OF_V1),
    ("Kustomization", "v1beta2", OF_V1),
];

const OF_V1: &[&str] = &[
    "buildMetadata",
    "deletionPolicy",
    "dependsOn.readyExpr",
    "healthCheckExprs",
    "ignoreMissingComponents",
    "namePrefix",
    "nameSuffix",
];

/// A Flux object with fields that the CRD does not declare. Server-side apply refuses them; of Kubernetes' own kinds
/// kustomize-controller drops such fields before (fluxcd/pkg ssa, `normalize.UnstructuredList`).
#[derive(Debug, Clone)]
pub struct UnknownFieldFact {
    /// The object.
    pub key: ObjectKey,
    /// Who applies it so.
    pub provider: Provider,
    /// The fields, in the order of the object; at least one.
    pub fields: Vec<UnknownField>,
    /// How sure it is: later releases may have more fields.
    pub confidence: Confidence,
    /// Whether a build holds the CRD that lacks them.
    pub is_of_build: bool,
    /// The stage that would apply it.
    event: (Actor, Moment),
}

/// A field that the CRD does not declare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownField {
    /// Path from the root of the object.
    pub path: String,
    /// Its key.
    pub span: Span,
    /// The name that was meant, if one is near.
    pub similar: Option<String>,
    /// What has the field: a later release of Flux, or a later version of the API.
    pub later: Option<Later>,
}

/// What has a field that an object has too early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Later {
    /// The Flux release that it came with.
    Release(FluxVersion),
    /// The version of the API that has it.
    Api(&'static str),
}

impl UnknownField {
    /// Whether an earlier version of the API had it.
    #[must_use]
    pub fn is_removed(&self) -> bool {
        REMOVED.contains(&self.path.as_str())
    }
}

impl UnknownFieldFact {
    /// What it keeps from happening.
    #[must_use]
    pub fn blocker(&self) -> Option<Blocker> {
        let first = self.fields.first()?;
        let (actor, moment) = self.event;
        Some(Blocker {
            actor,
            moment,
            reason: Reason::DryRun,
            cause: Cause::RefusedManifest,
            text: format!("applies {}, whose CRD declares no `{}`", self.key.subject(), first.path),
            span: first.span,
            confidence: self.confidence,
        })
    }
}

/// The facts of a cluster, sorted by object: of Flux's own kinds, and of those whose CRD a build holds.
pub(super) fn find(view: View<'_>) -> Vec<UnknownFieldFact> {
    let View { cluster, store, .. } = view;
    if !cluster.reached {
        return Vec::new();
    }
    let schemas = Schemas::new(cluster);
    let mut facts = Vec::new();
    for (key, providers) in cluster.objects.iter().filter(|(key, _)| key.group.contains('.')) {
        for provider in providers {
            let object = cluster.object(*provider);
            if !Policy::new(&object.node).applied {
                continue;
            }
            let fact = match schemas.of(cluster, *provider, key) {
                Some(Crd::Schema(schema)) => declared(cluster, key, *provider, &schema.undeclared(object, store)),
                _ if key.group.ends_with(".toolkit.fluxcd.io") => fact(cluster, key, *provider),
                _ => None,
            };
            facts.extend(fact);
        }
    }
    facts
}

/// The fact of an object whose CRD a build holds: what that declares is what there is.
fn declared(
    cluster: &Cluster,
    key: &ObjectKey,
    provider: Provider,
    undeclared: &[Undeclared<'_>],
) -> Option<UnknownFieldFact> {
    let since = |path: &str| {
        let row = SINCE.iter().find(|(kind, field, _)| *kind == key.kind && path.strip_prefix("spec.") == Some(*field));
        row.map(|(.., since)| Later::Release(*since)).filter(|_| key.group.ends_with(".toolkit.fluxcd.io"))
    };
    let field = |field: &Undeclared<'_>| {
        let lower = |name: &&&str| name.eq_ignore_ascii_case(&field.key);
        let similar = field.others.iter().find(lower).copied();
        let similar = similar.or_else(|| nearest(&field.key, field.others.iter().copied()));
        let later = since(&field.path);
        UnknownField { path: field.path.clone(), span: field.span, similar: similar.map(str::to_owned), later }
    };
    let fields: Vec<UnknownField> = undeclared.iter().map(field).collect();
    let event = apply_of(cluster, provider);
    (!fields.is_empty()).then(|| UnknownFieldFact {
        key: key.clone(),
        provider,
        fields,
        confidence: Confidence::High,
        is_of_build: true,
        event,
    })
}

fn fact(cluster: &Cluster, key: &ObjectKey, provider: Provider) -> Option<UnknownFieldFact> {
    let object = cluster.object(provider);
    let version = object.id().version;
    let spec = object.node.get("spec")?;
    let mut unknown = early(key, &version, spec, cluster.version);
    if let Some(fields) = FieldCatalog::builtin().of(&key.group, &version, &key.kind) {
        walk(spec, fields, "spec", &mut unknown);
    }
    if unknown.is_empty() {
        return None;
    }
    let is_newer = cluster.version.is_some_and(|version| version > CATALOGUE);
    let is_plain = unknown.iter().any(|field| field.similar.is_some() || field.later.is_some() || field.is_removed());
    let confidence = if is_newer || !is_plain { Confidence::Medium } else { Confidence::High };
    let event = apply_of(cluster, provider);
    Some(UnknownFieldFact { key: key.clone(), provider, fields: unknown, confidence, is_of_build: false, event })
}

/// Fields that the version of the object, or of Flux where that is known, does not have yet.
fn early(key: &ObjectKey, version: &str, spec: &Node, flux: Option<FluxVersion>) -> Vec<UnknownField> {
    let never = NEVER.iter().filter(|(kind, of, _)| (*kind, *of) == (key.kind.as_str(), version));
    let api = if key.kind == "HelmRelease" { "v2" } else { "v1" };
    let mut wanted: Vec<(&str, Later)> =
        never.flat_map(|(.., paths)| paths.iter().map(|path| (*path, Later::Api(api)))).collect();
    // Of a field that no version of the API has, the release does not matter.
    if wanted.is_empty() {
        let since = SINCE.iter().filter(|(kind, _, since)| *kind == key.kind && flux.is_some_and(|flux| flux < *since));
        wanted.extend(since.map(|(_, path, since)| (*path, Later::Release(*since))));
    }
    let mut found = Vec::new();
    for (path, later) in wanted {
        let (list, field) = path.split_once('.').map_or(("", path), |(list, field)| (list, field));
        let holders: Vec<&Node> = match list {
            "" => vec![spec],
            _ => spec.get(list).into_iter().flat_map(Node::items).collect(),
        };
        let mut entries = holders.into_iter().flat_map(Node::entries);
        if let Some(entry) = entries.find(|entry| entry.key == field && !entry.value.is_null()) {
            let span = entry.key_span.or(entry.value.span);
            found.push(UnknownField { path: format!("spec.{path}"), span, similar: None, later: Some(later) });
        }
    }
    found
}

fn walk(node: &Node, fields: &Fields, path: &str, unknown: &mut Vec<UnknownField>) {
    let Some(known) = fields.known() else { return };
    for item in node.items() {
        walk(item, fields, path, unknown);
    }
    for entry in node.entries() {
        let path = format!("{path}.{}", entry.key);
        match known.get(entry.key.as_str()) {
            Some(fields) => walk(&entry.value, fields, &path, unknown),
            // Nothing is asked for where the value is null: it is dropped before the object is sent.
            None if entry.value.is_null() || is_open_text(&entry.key) => {}
            None => {
                let taken = |name: &&str| node.get(name).is_none();
                let lower = |name: &&String| name.eq_ignore_ascii_case(&entry.key);
                let similar = known.keys().find(lower).map(String::as_str);
                let similar = similar.or_else(|| nearest(&entry.key, known.keys().map(String::as_str).filter(taken)));
                let span = entry.key_span.or(entry.value.span);
                unknown.push(UnknownField { path, span, similar: similar.map(str::to_owned), later: None });
            }
        }
    }
}
