//! What references to sources lead to, and by which names objects went before an overlay changed them.

use std::collections::{BTreeMap, BTreeSet};

use smol_str::SmolStr;

use super::{Context, Situation};
use crate::{
    cluster::{Cluster, Externals, NodeKey, Provider},
    finding::Subject,
    flux::{
        SourceRef,
        api::{CrossNamespaceSourceReference, HELM_GROUP, KUSTOMIZE_GROUP, SOURCE_EXTENSIONS_GROUP, SOURCE_GROUP},
        is_open_text,
    },
    kustomize::{Object, Step},
    source::Span,
    yaml::Node as Yaml,
};

/// A reference to a source.
pub(in crate::rules) struct SourceUse<'a> {
    /// Who refers to it.
    pub(in crate::rules) subject: Subject,
    /// The object that refers to it.
    pub(in crate::rules) object: &'a Object,
    /// The source, its namespace defaulted.
    pub(in crate::rules) source: SourceRef,
    /// The namespace that the reference itself names.
    pub(in crate::rules) declared_namespace: Option<&'a str>,
    /// Path of the field.
    pub(in crate::rules) field: &'static str,
    /// The name in it.
    pub(in crate::rules) span: Span,
}

/// Every reference of a Kustomization or HelmRelease to a source, but for those of entry points, whose sources were set up
/// with them.
pub(in crate::rules) fn source_uses(cluster: &Cluster) -> Vec<SourceUse<'_>> {
    let mut uses = Vec::new();
    for node in cluster.nodes.iter().filter(|node| !node.is_entry) {
        let reference = &node.kustomization.spec.source_ref;
        let span = node.kustomization.span(&["spec", "sourceRef", "name"]);
        let object = &node.kustomization.object;
        uses.extend(source_use((node.subject(), &node.key, object), reference, "spec.sourceRef", span));
    }
    for release in &cluster.releases {
        let (spec, object) = (&release.helm.spec, &release.helm.object);
        let from = || (release.subject(), &release.key, object);
        if let Some(reference) = &spec.chart_ref {
            let span = release.helm.span(&["spec", "chartRef", "name"]);
            uses.extend(source_use(from(), reference, "spec.chartRef", span));
        } else if let Some(chart) = &spec.chart {
            let span = release.helm.span(&["spec", "chart", "spec", "sourceRef", "name"]);
            uses.extend(source_use(from(), &chart.spec.source_ref, "spec.chart.spec.sourceRef", span));
        }
    }
    uses
}

fn source_use<'a>(
    (subject, key, object): (Subject, &NodeKey, &'a Object),
    reference: &'a CrossNamespaceSourceReference,
    field: &'static str,
    span: Span,
) -> Option<SourceUse<'a>> {
    // Without them, or with a kind that the field does not take, the object is refused (`invalid-manifest`).
    let kind = reference.kind.as_ref().filter(|_| !reference.name.is_empty())?;
    if !takes(field).contains(&kind.as_str()) && !is_open_text(kind) {
        return None;
    }
    let source = SourceRef::of(reference, &key.namespace);
    let is_open = [&source.kind, &source.name, &source.namespace].into_iter().any(|text| is_open_text(text));
    let declared_namespace = reference.namespace.as_deref();
    (!is_open).then_some(SourceUse { subject, object, source, declared_namespace, field, span })
}

/// What the controllers say (kustomize-controller v1.9 `reconcile`, helm-controller v1.6 `reconcileRelease`,
/// source-controller v1.9 `helmchart_controller.go`).
pub(in crate::rules) fn symptom(used: &SourceUse<'_>) -> String {
    let SourceRef { kind, name, .. } = &used.source;
    match used.field {
        "spec.sourceRef" => format!(
            "It stays at Ready=False, reason ArtifactFailed (`{kind}.source.toolkit.fluxcd.io \"{name}\" not found`), and is tried again at \
             `retryInterval`; nothing of it is applied, and its dependents wait."
        ),
        "spec.chartRef" => "It stays at Ready=False, reason ArtifactFailed (`could not get Source object: … not found`); nothing is installed, and \
                            its dependents wait."
            .to_owned(),
        _ => format!(
            "The HelmChart that is made of it fails with `{kind}.source.toolkit.fluxcd.io \"{name}\" not found`, so the release stays at \
             Ready=False, reason SourceNotReady (`HelmChart … is not ready`); nothing is installed, and its dependents wait."
        ),
    }
}

/// The kinds that a field takes (kustomize-controller v1.9, `reference_types.go`; helm-controller v1.6, `helmrelease_types.go` and
/// `reference_types.go`).
fn takes(field: &str) -> &'static [&'static str] {
    match field {
        "spec.sourceRef" => &["OCIRepository", "GitRepository", "Bucket", "ExternalArtifact"],
        "spec.chartRef" => &["OCIRepository", "HelmChart", "ExternalArtifact"],
        _ => &["HelmRepository", "GitRepository", "Bucket"],
    }
}

/// A source that the cluster has.
pub(in crate::rules) struct KnownSource {
    /// Which one.
    pub(in crate::rules) source: SourceRef,
    /// Its place; [`Span::NONE`] where no build holds it.
    pub(in crate::rules) span: Span,
}

/// The sources of a cluster.
#[derive(Default)]
pub(in crate::rules) struct KnownSources {
    all: Vec<KnownSource>,
    exact: BTreeSet<SourceRef>,
    by_name: BTreeMap<SmolStr, Vec<usize>>,
    by_place: BTreeMap<(SmolStr, SmolStr), Vec<usize>>,
    /// Whether an ArtifactGenerator names its artifacts by what it finds.
    has_pattern: bool,
    externals: Externals,
}

impl KnownSources {
    pub(in crate::rules) fn of(cluster: &Cluster) -> Self {
        let mut known = Self { externals: cluster.supply.externals().clone(), ..Self::default() };
        for node in cluster.nodes.iter().filter(|node| node.is_entry) {
            let spec = &node.kustomization.spec;
            known.add(SourceRef::of(&spec.source_ref, &node.key.namespace), Span::NONE);
        }
        for (key, providers) in &cluster.objects {
            let Some(provider) = providers.first() else { continue };
            let object = || cluster.object(*provider);
            match key.group.as_str() {
                SOURCE_GROUP => {
                    let source =
                        SourceRef { kind: key.kind.clone(), namespace: key.namespace.clone(), name: key.name.clone() };
                    known.add(source, object().place());
                }
                SOURCE_EXTENSIONS_GROUP if key.kind == "ArtifactGenerator" => {
                    known.generator(object(), &key.namespace);
                }
                // The Flux Operator makes a source of `spec.sync` (flux-operator v0.58, `internal/builder/templates.go`).
                _ if key.kind == "FluxInstance" || key.is_helm_release() => {
                    if let Some(sync) = crate::flux::syncs(&object().node) {
                        let id = sync.source.id();
                        let namespace = id.namespace.unwrap_or_default();
                        known.add(SourceRef { kind: id.kind, namespace, name: id.name }, sync.source.source);
                    }
                }
                _ => {}
            }
        }
        known
    }

    /// The artifacts of an ArtifactGenerator (source-watcher v2.2): one of each entry, in its own namespace.
    fn generator(&mut self, object: &Object, namespace: &SmolStr) {
        let spec = object.node.get("spec");
        self.has_pattern |= spec.and_then(|spec| spec.get("pathPattern")).is_some();
        for artifact in spec.and_then(|spec| spec.get("artifacts")).into_iter().flat_map(Yaml::items) {
            if let Some(name) = artifact.get("name").filter(|name| name.as_str().is_some()) {
                let text = name.as_str().unwrap_or_default();
                self.has_pattern |= text.contains('{');
                let kind = SmolStr::new_static("ExternalArtifact");
                self.add(SourceRef { kind, namespace: namespace.clone(), name: text.into() }, name.span);
            }
        }
    }

    fn add(&mut self, source: SourceRef, span: Span) {
        if self.exact.insert(source.clone()) {
            self.by_name.entry(source.name.clone()).or_default().push(self.all.len());
            let place = (source.kind.clone(), source.namespace.clone());
            self.by_place.entry(place).or_default().push(self.all.len());
            self.all.push(KnownSource { source, span });
        }
    }

    /// Whether the cluster has `source`, or it cannot be told.
    pub(in crate::rules) fn has(&self, source: &SourceRef) -> bool {
        // Where the namespace of either side is not known, the name decides.
        let is_open = |known: &KnownSource| {
            known.source.kind == source.kind
                && (known.source.namespace.is_empty() || is_open_text(&known.source.namespace))
        };
        let is_unplaced = source.namespace.is_empty();
        // Helm charts are made by the dozen, and artifacts by anybody.
        let is_made = source.kind == "HelmChart" || (source.kind == "ExternalArtifact" && self.has_pattern);
        let is_external = self.externals.have(&source.kind, &source.namespace, &source.name);
        is_unplaced || is_made || is_external || self.exact.contains(source) || self.named(&source.name).any(is_open)
    }

    /// The sources of that name, of whatever kind and namespace.
    pub(in crate::rules) fn named(&self, name: &str) -> impl Iterator<Item = &KnownSource> {
        self.by_name.get(name).into_iter().flatten().map(|index| &self.all[*index])
    }

    /// Whether there is a source of that kind.
    pub(in crate::rules) fn has_kind(&self, kind: &str) -> bool {
        let mut from = self.by_place.range((SmolStr::new(kind), SmolStr::default())..);
        from.next().is_some_and(|((next, _), _)| next == kind)
    }

    /// The sources of the kind and in the namespace of `source`.
    pub(in crate::rules) fn beside(&self, source: &SourceRef) -> impl Iterator<Item = &KnownSource> + use<'_> {
        let found = self.by_place.get(&(source.kind.clone(), source.namespace.clone()));
        found.into_iter().flatten().map(|index| &self.all[*index])
    }
}

/// The names that Flux objects bore in their files, where a build changed them.
pub(in crate::rules) struct Renames<'a> {
    by_original: BTreeMap<(SmolStr, SmolStr), Vec<Renamed<'a>>>,
}

/// An object that a build gave another name.
pub(in crate::rules) struct Renamed<'a> {
    /// The namespace it had in its file.
    pub(in crate::rules) original_namespace: SmolStr,
    /// The object.
    pub(in crate::rules) object: &'a Object,
    /// The text that ordered the new name.
    pub(in crate::rules) at: Span,
}

/// Which rename explains that a reference leads nowhere.
pub(in crate::rules) enum Explained<'a> {
    /// What it names is called otherwise now.
    Target(&'a Renamed<'a>),
    /// The object that refers to it was moved from the namespace where what it names lives, by the text at the span.
    Referrer { from: SmolStr, at: Span },
}

impl<'a> Renames<'a> {
    /// The objects of `cluster` whose names a prefix or suffix changed.
    pub(in crate::rules) fn of(context: &Context<'_>, cluster: &'a Cluster) -> Self {
        let mut by_original: BTreeMap<(SmolStr, SmolStr), Vec<Renamed<'a>>> = BTreeMap::new();
        for (key, providers) in &cluster.objects {
            if ![KUSTOMIZE_GROUP, HELM_GROUP, SOURCE_GROUP].contains(&key.group.as_str()) {
                continue;
            }
            let Some(object) = providers.first().map(|provider: &Provider| cluster.object(*provider)) else { continue };
            let is_affix = |step: Step| matches!(step, Step::NamePrefix | Step::NameSuffix);
            let Some(change) = object.changes.iter().find(|change| is_affix(change.step)) else { continue };
            let Some((namespace, name)) = original(context, object) else { continue };
            if name != key.name {
                let renamed = Renamed { original_namespace: namespace, object, at: change.at };
                by_original.entry((key.kind.clone(), name)).or_default().push(renamed);
            }
        }
        Self { by_original }
    }

    /// Why a reference of `referrer` to an object of that kind, namespace and name leads nowhere, if a rename is why.
    /// `exists` tells whether the cluster has that object in another namespace.
    pub(in crate::rules) fn explain(
        &'a self,
        context: &Context<'_>,
        referrer: &Object,
        wanted: &SourceRef,
        is_relative: bool,
        exists: &dyn Fn(&str) -> bool,
    ) -> Option<Explained<'a>> {
        let renamed = self.by_original.get(&(wanted.kind.clone(), wanted.name.clone())).into_iter().flatten();
        let is_near = |renamed: &&Renamed<'_>| {
            let own = renamed.object.id().namespace.unwrap_or_default();
            own == wanted.namespace || renamed.original_namespace == wanted.namespace
        };
        if let Some(renamed) = renamed.into_iter().find(is_near) {
            return Some(Explained::Target(renamed));
        }
        let change = referrer.changes.iter().find(|change| change.step == Step::Namespace)?;
        let (from, _) = original(context, referrer)?;
        let is_moved = is_relative && !from.is_empty() && from != wanted.namespace && exists(&from);
        is_moved.then_some(Explained::Referrer { from, at: change.at })
    }
}

/// Namespace and name of an object in the file it comes from.
fn original(context: &Context<'_>, object: &Object) -> Option<(SmolStr, SmolStr)> {
    if !object.source.is_some() {
        return None;
    }
    let documents = &context.store.parse(object.source.file).documents;
    let at = documents.partition_point(|document| document.span.end < object.source.end);
    let document = documents.get(at).filter(|document| document.span.end == object.source.end)?;
    let text = |key: &str| SmolStr::new(document.root.find_str(&["metadata", key]).unwrap_or_default());
    Some((text("namespace"), text("name")))
}

/// What may make objects that the repository does not show, less the nodes that `excused` says are known for another
/// reason.
pub(in crate::rules) fn hidden_by(situation: &Situation<'_>, excused: &dyn Fn(&Subject) -> bool) -> Option<String> {
    crate::situation::hidden_by(situation.cluster, excused)
}
