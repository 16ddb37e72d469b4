//! The sources of a cluster.

use std::collections::{BTreeMap, BTreeSet};

use smol_str::SmolStr;

use crate::{
    cluster::{Cluster, Externals, Node},
    flux::{
        Reading, SourceRef,
        api::{SOURCE_EXTENSIONS_GROUP, SOURCE_GROUP},
        is_open_text, reads_as, syncs,
    },
    kustomize::Object,
    source::Span,
    yaml,
};

/// A source that the cluster has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownSource {
    /// Kind, namespace and name.
    pub source: SourceRef,
    /// Its place; [`Span::NONE`] where no build holds it.
    pub span: Span,
}

/// All sources of a cluster, those of entry points included.
#[derive(Default)]
pub(super) struct KnownSources {
    all: Vec<KnownSource>,
    exact: BTreeSet<SourceRef>,
    by_name: BTreeMap<SmolStr, Vec<usize>>,
    by_place: BTreeMap<(SmolStr, SmolStr), Vec<usize>>,
    /// Those whose name holds variables.
    open: Vec<SourceRef>,
    /// Whether an ArtifactGenerator names its artifacts by what it finds.
    has_pattern: bool,
    externals: Externals,
}

impl KnownSources {
    pub(super) fn new(cluster: &Cluster) -> Self {
        let mut known = Self { externals: cluster.implicit.externals().clone(), ..Self::default() };
        for source in of_entries(cluster) {
            known.add(source, Span::NONE);
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
                    if let Some(sync) = syncs(&object().node) {
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
        for artifact in spec.and_then(|spec| spec.get("artifacts")).into_iter().flat_map(yaml::Node::items) {
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
            if is_open_text(&source.name) {
                self.open.push(source.clone());
            }
            self.by_name.entry(source.name.clone()).or_default().push(self.all.len());
            let place = (source.kind.clone(), source.namespace.clone());
            self.by_place.entry(place).or_default().push(self.all.len());
            self.all.push(KnownSource { source, span });
        }
    }

    /// Whether the cluster has `source`, or it cannot be said.
    pub(super) fn has(&self, source: &SourceRef) -> bool {
        // Where the namespace of either side is not known, the name decides.
        let is_open = |known: &KnownSource| {
            known.source.kind == source.kind
                && (known.source.namespace.is_empty() || is_open_text(&known.source.namespace))
        };
        let is_unplaced = source.namespace.is_empty();
        // Helm charts are made by the dozen, and artifacts by anybody.
        let is_made = source.kind == "HelmChart" || (source.kind == "ExternalArtifact" && self.has_pattern);
        let is_external = self.externals.have(&source.kind, &source.namespace, &source.name);
        is_unplaced
            || is_made
            || is_external
            || self.exact.contains(source)
            || self.named(&source.name).any(is_open)
            || self.may_be(source)
    }

    /// Whether a source whose name holds variables may turn out to be `source`.
    fn may_be(&self, source: &SourceRef) -> bool {
        let may_be = |open: &str, wanted: &str| open.is_empty() || reads_as(open, wanted) != Reading::No;
        let mut open = self.open.iter().filter(|known| known.kind == source.kind);
        open.any(|known| may_be(&known.name, &source.name) && may_be(&known.namespace, &source.namespace))
    }

    /// The sources of that name, of whatever kind and namespace.
    pub(super) fn named(&self, name: &str) -> impl Iterator<Item = &KnownSource> {
        self.by_name.get(name).into_iter().flatten().map(|index| &self.all[*index])
    }

    /// Whether there is a source of that kind.
    pub(super) fn has_kind(&self, kind: &str) -> bool {
        let mut from = self.by_place.range((SmolStr::new(kind), SmolStr::default())..);
        from.next().is_some_and(|((next, _), _)| next == kind)
    }

    /// The sources of the kind and in the namespace of `source`.
    pub(super) fn beside(&self, source: &SourceRef) -> impl Iterator<Item = &KnownSource> + use<'_> {
        let found = self.by_place.get(&(source.kind.clone(), source.namespace.clone()));
        found.into_iter().flatten().map(|index| &self.all[*index])
    }
}

/// The sources of the entry points of a cluster: they are preinstalled, with the entry points themselves.
pub(super) fn of_entries(cluster: &Cluster) -> impl Iterator<Item = SourceRef> {
    let entries = cluster.nodes.iter().filter(|node| node.is_entry);
    entries.map(Node::source)
}
