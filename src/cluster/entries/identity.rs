//! Which sources are this repository, as its entry points and its origin tell.

use std::collections::BTreeSet;

use smol_str::SmolStr;

use super::origin::Origin;
use crate::{
    cluster::closure::Roots,
    flux::{
        SourceRef,
        api::kinds::{EXTERNAL_ARTIFACT, GIT_REPOSITORY},
        is_open_text,
    },
    kustomize::Object,
    source::RemoteUrl,
};

/// The sources that entry points are fed from.
#[derive(Debug, Default)]
pub(in crate::cluster) struct Identity {
    sources: BTreeSet<SourceRef>,
    /// Their URLs, in the one form, each with the kind of source.
    urls: BTreeSet<(SmolStr, String)>,
}

/// What is known of whether a source is this repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cluster) enum Verdict {
    /// It is.
    Own,
    /// It is another one.
    Other,
    /// Neither its name nor its URL tells.
    Open,
}

impl Identity {
    /// What the entry points `all` tell.
    pub(in crate::cluster) fn new<'r>(all: impl Iterator<Item = &'r Roots>) -> Self {
        let mut identity = Self::default();
        for roots in all {
            for source in fed(roots) {
                identity.urls.extend(url_in(&source, roots.objects.iter()).map(|url| (source.kind.clone(), url)));
                identity.sources.insert(source);
            }
        }
        identity
    }

    /// Whether `source` is this repository. `url` is its URL in the one form, where a file has it.
    pub(in crate::cluster) fn judge(&self, source: &SourceRef, url: Option<String>, origin: &Origin<'_>) -> Verdict {
        let Some(url) = url else {
            let is_known = self.sources.iter().any(|known| is_same(known, source));
            return if is_known { Verdict::Own } else { Verdict::Open };
        };
        let is_own = self.urls.contains(&(source.kind.clone(), url.clone()))
            || origin.is_remote(&url)
            || origin.pushed_from(&url).is_some_and(str::is_empty);
        if is_own {
            return Verdict::Own;
        }
        let of_entries = self.urls.iter().map(|(kind, url)| (kind.as_str(), url));
        let cloned = origin.remotes_of_root().iter().map(|url| (GIT_REPOSITORY.kind, url));
        let mut known = of_entries.chain(cloned).peekable();
        // A fork and a mirror have the name of the original; what a pipeline makes of a repository has the owner of it.
        let may_be = |(kind, known): (&str, &String)| {
            name(known) == name(&url) || kind != source.kind && owner(known) == owner(&url)
        };
        if known.peek().is_some() && !known.any(may_be) { Verdict::Other } else { Verdict::Open }
    }
}

/// The name of a repository, of its URL in the one form.
fn name(url: &str) -> Option<&str> {
    url.rsplit('/').next()
}

/// The owner of a repository, on whatever host.
fn owner(url: &str) -> Option<String> {
    RemoteUrl::parse(url).owner().map(|(_, owner)| owner)
}

/// The sources that the Kustomizations of `roots` take their files from, less those that are made in the cluster.
pub(in crate::cluster) fn fed(roots: &Roots) -> impl Iterator<Item = SourceRef> {
    let sources = roots.kustomizations.iter();
    let sources = sources.map(|entry| SourceRef::new(&entry.spec.source_ref, &entry.namespace));
    sources.filter(|source| !source.is(EXTERNAL_ARTIFACT))
}

/// The URL of `source` in the one form, where the first of `objects` that is it has one.
pub(in crate::cluster) fn url_in<'o>(
    source: &SourceRef,
    mut objects: impl Iterator<Item = &'o Object>,
) -> Option<String> {
    let object = objects.find(|object| {
        let id = object.id();
        let namespace = id.namespace.unwrap_or_default();
        is_same(&SourceRef { kind: id.kind, namespace, name: id.name }, source)
    })?;
    let url = object.node.find_str(&["spec", "url"])?;
    (!is_open_text(url)).then(|| RemoteUrl::parse(url).identity())
}

/// Whether two references name the same source. A namespace that only a kustomization outside every build sets is not known.
pub(in crate::cluster) fn is_same(one: &SourceRef, other: &SourceRef) -> bool {
    let is_open = one.namespace.is_empty() || other.namespace.is_empty();
    one.kind == other.kind && one.name == other.name && (is_open || one.namespace == other.namespace)
}
