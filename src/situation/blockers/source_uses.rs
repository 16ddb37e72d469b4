//! Who takes manifests or charts from which source.

use crate::{
    cluster::{Cluster, NodeKey},
    finding::Subject,
    flux::{
        SourceRef,
        api::{CrossNamespaceSourceReference, kinds},
        is_open_text,
    },
    graph::Actor,
    kustomize::Object,
    source::Span,
};

/// A reference to a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceUse {
    /// The Kustomization or HelmRelease that has it.
    pub actor: Actor,
    /// The same by name.
    pub subject: Subject,
    /// The source, its namespace defaulted.
    pub source: SourceRef,
    /// The namespace in the reference.
    pub declared_namespace: Option<String>,
    /// Path of the field.
    pub field: &'static str,
    /// The place of the name in it.
    pub span: Span,
}

impl SourceUse {
    /// What is taken from the source.
    #[must_use]
    pub fn content(&self) -> &'static str {
        if self.field == MANIFESTS { "manifests" } else { "chart" }
    }
}

/// A reference and the object that has it.
pub(super) struct Using<'a> {
    pub(super) used: SourceUse,
    pub(super) object: &'a Object,
}

const MANIFESTS: &str = "spec.sourceRef";
const CHART_REF: &str = "spec.chartRef";
const CHART: &str = "spec.chart.spec.sourceRef";

/// Every reference of a Kustomization or HelmRelease to a source, but for those of entry points, whose sources are
/// preinstalled.
pub(super) fn source_uses(cluster: &Cluster) -> Vec<Using<'_>> {
    let mut uses = Vec::new();
    for (id, node) in cluster.nodes().filter(|(_, node)| !node.is_entry) {
        let reference = &node.kustomization.spec.source_ref;
        let span = node.kustomization.span(&["spec", "sourceRef", "name"]);
        let subject = node.subject();
        let used = source_use((Actor::Node(id), subject, &node.key), reference, MANIFESTS, span);
        uses.extend(used.map(|used| Using { used, object: &node.kustomization.object }));
    }
    for (index, release) in cluster.releases.iter().enumerate() {
        let spec = &release.helm.spec;
        let (reference, field, route): (_, _, &[&str]) = match (&spec.chart_ref, &spec.chart) {
            (Some(reference), _) => (reference, CHART_REF, &["spec", "chartRef", "name"]),
            (None, Some(chart)) => (&chart.spec.source_ref, CHART, &["spec", "chart", "spec", "sourceRef", "name"]),
            (None, None) => continue,
        };
        let from = (Actor::Release(index as u32), release.subject(), &release.key);
        let used = source_use(from, reference, field, release.helm.span(route));
        uses.extend(used.map(|used| Using { used, object: &release.helm.object }));
    }
    uses
}

fn source_use(
    (actor, subject, key): (Actor, Subject, &NodeKey),
    reference: &CrossNamespaceSourceReference,
    field: &'static str,
    span: Span,
) -> Option<SourceUse> {
    // Without them, or with a kind that the field does not take, the object itself is refused.
    let kind = reference.kind.as_ref().filter(|_| !reference.name.is_empty())?;
    if !taken_by(field).contains(&kind.as_str()) && !is_open_text(kind) {
        return None;
    }
    let source = SourceRef::new(reference, &key.namespace);
    let is_open = [&source.kind, &source.name, &source.namespace].into_iter().any(|text| is_open_text(text));
    let declared_namespace = reference.namespace.clone();
    (!is_open).then_some(SourceUse { actor, subject, source, declared_namespace, field, span })
}

/// The kinds that a field takes (kustomize-controller v1.9, `reference_types.go`; helm-controller v1.6, `helmrelease_types.go` and
/// `reference_types.go`).
fn taken_by(field: &str) -> &'static [&'static str] {
    match field {
        MANIFESTS => kinds::KUSTOMIZATION_SOURCES,
        CHART_REF => kinds::CHART_REFERENCES,
        _ => kinds::CHART_SOURCES,
    }
}
