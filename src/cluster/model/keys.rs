//! What Kustomizations and other objects are known by.

use std::fmt;

use smol_str::SmolStr;

use crate::{
    finding::Subject,
    flux::{
        SourceRef,
        api::kinds::{GroupKind, HELM_RELEASE, KUSTOMIZATION},
    },
    kustomize::ObjectId,
};

/// Namespace and name of a Kustomization or HelmRelease, as they are after the build that produces it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeKey {
    /// Namespace.
    pub namespace: SmolStr,
    /// Name.
    pub name: SmolStr,
}

/// An object of a cluster, whatever its API version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    /// API group; empty for the core group.
    pub group: SmolStr,
    /// Kind.
    pub kind: SmolStr,
    /// Namespace; empty where none is set.
    pub namespace: SmolStr,
    /// Name.
    pub name: SmolStr,
}

impl NodeKey {
    /// A key.
    #[must_use]
    pub fn new(namespace: impl Into<SmolStr>, name: impl Into<SmolStr>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }

    /// The key as a subject of `kind`.
    #[must_use]
    pub fn subject(&self, kind: &str) -> Subject {
        let namespace = (!self.namespace.is_empty()).then(|| self.namespace.to_string());
        Subject { kind: kind.to_owned(), namespace, name: self.name.to_string() }
    }
}

impl ObjectKey {
    /// The key of an object of `kind`.
    #[must_use]
    pub fn new(kind: GroupKind, namespace: impl Into<SmolStr>, name: impl Into<SmolStr>) -> Self {
        let (group, kind) = (SmolStr::new_static(kind.group), SmolStr::new_static(kind.kind));
        Self { group, kind, namespace: namespace.into(), name: name.into() }
    }

    /// Whether the object is of `kind`.
    #[must_use]
    pub fn is(&self, kind: GroupKind) -> bool {
        kind.is(&self.group, &self.kind)
    }

    /// The object as a subject.
    #[must_use]
    pub fn subject(&self) -> Subject {
        let namespace = (!self.namespace.is_empty()).then(|| self.namespace.to_string());
        Subject { kind: self.kind.to_string(), namespace, name: self.name.to_string() }
    }

    /// Whether it is a Kustomization of Flux.
    #[must_use]
    pub fn is_kustomization(&self) -> bool {
        self.is(KUSTOMIZATION)
    }

    /// Whether it is a HelmRelease.
    #[must_use]
    pub fn is_helm_release(&self) -> bool {
        self.is(HELM_RELEASE)
    }

    /// Whether a variable that is not known stands in its name or namespace.
    #[must_use]
    pub fn is_unresolved(&self) -> bool {
        self.name.contains("${") || self.namespace.contains("${")
    }
}

impl From<&SourceRef> for ObjectKey {
    fn from(source: &SourceRef) -> Self {
        let SourceRef { kind, namespace, name } = source.clone();
        Self { group: crate::flux::api::SOURCE_GROUP.into(), kind, namespace, name }
    }
}

impl From<ObjectId> for ObjectKey {
    fn from(id: ObjectId) -> Self {
        Self { group: id.group, kind: id.kind, namespace: id.namespace.unwrap_or_default(), name: id.name }
    }
}

impl fmt::Display for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() { f.write_str(&self.name) } else { write!(f, "{}/{}", self.namespace, self.name) }
    }
}
