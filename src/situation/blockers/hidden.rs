//! What may make objects that the repository does not show.

use std::cell::OnceCell;

use crate::{
    cluster::{Cluster, Folder, Node, Release},
    finding::Subject,
    flux::{
        SourceRef,
        api::kinds::{BUCKET, GIT_REPOSITORY},
    },
    kustomize::Unresolved,
    source::Tree,
};

/// What all API groups of Flux end in.
const TOOLKIT: &str = ".toolkit.fluxcd.io/";

/// The first part of a build of `cluster` that the repository does not show, as a noun phrase; the Kustomizations that
/// `excused` accepts are passed over.
#[must_use]
pub fn hidden_by(cluster: &Cluster, excused: &dyn Fn(&Subject) -> bool) -> Option<String> {
    // What a remote Kustomization applies goes to another cluster.
    cluster.nodes.iter().filter(|node| !node.is_remote()).find_map(|node| {
        let part = node.unresolved.iter().find(|part| part.hides_objects())?;
        let subject = node.subject();
        (!excused(&subject)).then(|| format!("{} of {subject}", part.what))
    })
}

/// A source in the cluster that is another repository, and that Kustomizations of the cluster are applied from.
pub(super) fn foreign_source(cluster: &Cluster) -> Option<String> {
    let is_foreign = |node: &&Node| matches!(node.folder, Folder::Elsewhere(_)) && !node.is_remote();
    let sources = cluster.nodes.iter().filter(is_foreign).map(|node| {
        let reference = &node.kustomization.spec.source_ref;
        SourceRef::new(reference, &node.key.namespace)
    });
    let mut of_files = sources.filter(|source| source.is(GIT_REPOSITORY) || source.is(BUCKET));
    of_files.next().map(|source| source.to_string())
}

/// What may make an object of `kind` without showing it, as a noun phrase: a ResourceSet that cannot be expanded, or a
/// chart of this repository whose templates hold one.
pub(super) fn templated_by(tree: &Tree, cluster: &Cluster, kind: &str) -> Option<String> {
    let mut sets = cluster.nodes.iter().flat_map(|node| &node.resource_sets);
    // A ResourceSet that is expanded in full hides nothing.
    if let Some(set) = sets.find(|set| set.unresolved.iter().any(Unresolved::hides_objects)) {
        return Some(format!("ResourceSet/{}/{}", set.namespace, set.name));
    }
    let release = cluster.releases.iter().find(|release| is_homemade(release))?;
    let line = format!("kind: {kind}");
    let mut templates = tree.files().filter(|file| tree.path(*file).contains("/templates/"));
    let is_made =
        templates.any(|file| tree.text(file).is_some_and(|text| text.contains(&line) && text.contains(TOOLKIT)));
    is_made.then(|| format!("a chart in this repository, as that of {} may be", release.subject()))
}

/// Whether the chart of a release may lie in this repository.
fn is_homemade(release: &Release) -> bool {
    let spec = &release.helm.spec;
    let chart = spec.chart.as_ref().map(|chart| &chart.spec.source_ref);
    let reference = spec.chart_ref.as_ref().or(chart);
    let kind = reference.and_then(|reference| reference.kind.as_deref());
    matches!(kind, Some("GitRepository" | "Bucket" | "ExternalArtifact" | "HelmChart"))
}

/// What [`templated_by`] finds for the two kinds that `dependsOn` can name. It reads many files, so it runs once per kind.
pub(super) struct Templates<'a> {
    tree: &'a Tree,
    cluster: &'a Cluster,
    kustomizations: OnceCell<Option<String>>,
    releases: OnceCell<Option<String>>,
}

impl<'a> Templates<'a> {
    pub(super) const fn new(tree: &'a Tree, cluster: &'a Cluster) -> Self {
        Self { tree, cluster, kustomizations: OnceCell::new(), releases: OnceCell::new() }
    }

    pub(super) fn of_kind(&self, kind: &str) -> Option<&str> {
        let known = if kind == "HelmRelease" { &self.releases } else { &self.kustomizations };
        known.get_or_init(|| templated_by(self.tree, self.cluster, kind)).as_deref()
    }
}
