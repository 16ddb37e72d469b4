//! References that an overlay broke: kustomize renames or moves Flux objects and leaves what they call each other.

use std::collections::BTreeMap;

use smol_str::SmolStr;

use super::View;
use crate::{
    finding::Subject,
    flux::{
        SourceRef,
        api::{HELM_GROUP, KUSTOMIZE_GROUP, SOURCE_GROUP},
    },
    kustomize::{Object, Step},
    source::Span,
    yaml::Store,
};

/// The step of a build for which a reference leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rename {
    /// The object that the reference names has another name after the build.
    Target {
        /// The object, as it is called after the build.
        object: Subject,
        /// Its place.
        place: Span,
        /// The prefix or suffix.
        affix: Span,
    },
    /// The object that holds the reference was moved out of the namespace of the object that it names.
    Referrer {
        /// The namespace in its file.
        from: String,
        /// The text that sets the other namespace.
        moved_by: Span,
    },
}

impl Rename {
    /// What became of the object that a reference of an object of `kind` names, as a relative clause.
    pub(super) fn clause(&self, kind: &str) -> String {
        match self {
            Self::Target { object, .. } => format!("which an overlay renamed to `{}`", object.name),
            Self::Referrer { from, .. } => {
                format!("which is in namespace `{from}`: an overlay moved the {kind} away from there")
            }
        }
    }
}

/// A reference that leads nowhere.
pub(super) struct Broken<'a> {
    /// The object that holds it.
    pub(super) referrer: &'a Object,
    /// Kind, namespace and name that it asks for.
    pub(super) wanted: SourceRef,
    /// Whether it is without a namespace.
    pub(super) is_relative: bool,
}

/// The Flux objects of a cluster whose names a build changed, by kind and name in their files.
pub(super) struct Renames<'a> {
    view: View<'a>,
    by_original: BTreeMap<(SmolStr, SmolStr), Vec<Renamed>>,
}

struct Renamed {
    original_namespace: SmolStr,
    namespace: SmolStr,
    rename: Rename,
}

impl<'a> Renames<'a> {
    /// Those of the cluster of `view`.
    pub(super) fn new(view: View<'a>) -> Self {
        let mut by_original: BTreeMap<(SmolStr, SmolStr), Vec<Renamed>> = BTreeMap::new();
        for (key, providers) in &view.cluster.objects {
            if ![KUSTOMIZE_GROUP, HELM_GROUP, SOURCE_GROUP].contains(&key.group.as_str()) {
                continue;
            }
            let Some(object) = providers.first().map(|provider| view.cluster.object(*provider)) else { continue };
            let is_affix = |step: Step| matches!(step, Step::NamePrefix | Step::NameSuffix);
            let Some(change) = object.changes.iter().find(|change| is_affix(change.step)) else { continue };
            let Some((original_namespace, name)) = original(view.store, object) else { continue };
            if name != key.name {
                let rename = Rename::Target { object: key.subject(), place: object.place(), affix: change.at };
                let renamed = Renamed { original_namespace, namespace: key.namespace.clone(), rename };
                by_original.entry((key.kind.clone(), name)).or_default().push(renamed);
            }
        }
        Self { view, by_original }
    }

    /// The step that explains `broken`. `exists` says whether the cluster has the wanted object in another namespace.
    /// `None` too where no entry point reaches the cluster: other overlays may stand around its files.
    pub(super) fn explain(&self, broken: &Broken<'_>, exists: &dyn Fn(&str) -> bool) -> Option<Rename> {
        if !self.view.cluster.reached {
            return None;
        }
        let wanted = &broken.wanted;
        let mut renamed = self.by_original.get(&(wanted.kind.clone(), wanted.name.clone())).into_iter().flatten();
        let is_near = |renamed: &&Renamed| {
            renamed.namespace == wanted.namespace || renamed.original_namespace == wanted.namespace
        };
        if let Some(renamed) = renamed.find(is_near) {
            return Some(renamed.rename.clone());
        }
        let change = broken.referrer.changes.iter().find(|change| change.step == Step::Namespace)?;
        let (from, _) = original(self.view.store, broken.referrer)?;
        let is_moved = broken.is_relative && !from.is_empty() && from != wanted.namespace && exists(&from);
        is_moved.then(|| Rename::Referrer { from: from.into(), moved_by: change.at })
    }
}

/// Namespace and name of an object in the file it comes from.
pub(super) fn original(store: &Store, object: &Object) -> Option<(SmolStr, SmolStr)> {
    if !object.source.is_some() {
        return None;
    }
    let documents = &store.parse(object.source.file).documents;
    let at = documents.partition_point(|document| document.span.end < object.source.end);
    let document = documents.get(at).filter(|document| document.span.end == object.source.end)?;
    let text = |key: &str| SmolStr::new(document.root.find_str(&["metadata", key]).unwrap_or_default());
    Some((text("namespace"), text("name")))
}
