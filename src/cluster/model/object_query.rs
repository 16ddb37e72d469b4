//! Finding the object that somebody named by hand.

use crate::{
    cluster::{Cluster, Node, NodeId, NodeKey, ObjectKey},
    flux::api::kinds::{self, GroupKind, HELM_RELEASE, KUSTOMIZATION},
    source::names,
};

/// An object as people name it: `apps`, `flux-system/apps`, `Kustomization/apps` or `Kustomization/flux-system/apps`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectQuery {
    kind: Option<String>,
    namespace: Option<String>,
    name: String,
}

/// An object of a cluster, by its position there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectRef {
    /// A Kustomization.
    Node(NodeId),
    /// A HelmRelease, by position in [`Cluster::releases`].
    Release(usize),
    /// Another object, by position in [`Cluster::objects`].
    Object(usize),
}

/// Why a text names no Kustomization.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObjectQueryError {
    /// It has another form.
    #[error("`{0}` is no name of a Kustomization")]
    Form(String),
    /// It names something of another kind.
    #[error("`{text}` is a {kind}, and only a Kustomization has a build")]
    Kind {
        /// The text.
        text: String,
        /// The kind it names.
        kind: String,
    },
}

/// The kind that `text` names. A namespace begins with no capital letter.
fn kind(text: &str) -> Option<String> {
    let known = kinds::by_alias(text).map(|row| row.id.kind.to_owned());
    known.or_else(|| text.starts_with(|first: char| first.is_ascii_uppercase()).then(|| text.to_owned()))
}

impl ObjectQuery {
    /// Reads `text` as the name of an object of any kind.
    ///
    /// # Errors
    /// Where it has no form of a name.
    pub fn parse(text: &str) -> Result<Self, ObjectQueryError> {
        let form = || ObjectQueryError::Form(text.to_owned());
        let parts: Vec<&str> = text.split('/').collect();
        if parts.iter().any(|part| part.is_empty() || matches!(*part, "." | "..")) {
            return Err(form());
        }
        let new = |kind: Option<String>, namespace: Option<&str>, name: &str| Self {
            kind,
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
        };
        match parts.as_slice() {
            [name] => Ok(new(None, None, name)),
            [first, name] => match kind(first) {
                Some(kind) => Ok(new(Some(kind), None, name)),
                None => Ok(new(None, Some(first), name)),
            },
            [first, namespace, name] => kind(first).map(|kind| new(Some(kind), Some(namespace), name)).ok_or_else(form),
            _ => Err(form()),
        }
    }

    /// Reads `text` as the name of a Kustomization.
    ///
    /// # Errors
    /// Where it has no form of a name, or names another kind.
    pub fn kustomization(text: &str) -> Result<Self, ObjectQueryError> {
        let mut wanted = Self::parse(text)?;
        match wanted.kind.take().filter(|kind| kind != KUSTOMIZATION.kind) {
            Some(kind) => Err(ObjectQueryError::Kind { text: text.to_owned(), kind }),
            None => Ok(wanted),
        }
    }

    fn fits(&self, namespace: &str, name: &str) -> bool {
        self.name == name && self.namespace.as_deref().is_none_or(|wanted| wanted == namespace)
    }

    fn is_of(&self, kind: GroupKind) -> bool {
        self.is_of_kind(kind.kind)
    }

    fn is_of_kind(&self, kind: &str) -> bool {
        self.kind.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(kind))
    }

    /// The nodes that are meant, each with its cluster. What no entry point reaches counts only where nothing else fits.
    #[must_use]
    pub fn find<'c>(&self, clusters: &'c [Cluster]) -> Vec<(&'c Cluster, &'c Node)> {
        let mut found: Vec<(&Cluster, &Node)> = clusters
            .iter()
            .flat_map(|cluster| cluster.nodes.iter().map(move |node| (cluster, node)))
            .filter(|(_, node)| self.fits(&node.key.namespace, &node.key.name))
            .collect();
        if found.iter().any(|(cluster, _)| cluster.reached) {
            found.retain(|(cluster, _)| cluster.reached);
        }
        found
    }

    /// Every object of `cluster` that is meant: Kustomizations, HelmReleases, and then whatever else there is.
    #[must_use]
    pub fn find_in(&self, cluster: &Cluster) -> Vec<ObjectRef> {
        let fits = |key: &NodeKey| self.fits(&key.namespace, &key.name);
        let mut found = Vec::new();
        if self.is_of(KUSTOMIZATION) {
            found.extend(cluster.nodes().filter(|(_, node)| fits(&node.key)).map(|(id, _)| ObjectRef::Node(id)));
        }
        if self.is_of(HELM_RELEASE) {
            let releases = cluster.releases.iter().enumerate();
            found
                .extend(releases.filter(|(_, release)| fits(&release.key)).map(|(index, _)| ObjectRef::Release(index)));
        }
        let is_other = |key: &ObjectKey| !key.is_kustomization() && !key.is_helm_release();
        let objects = cluster
            .objects
            .keys()
            .enumerate()
            .filter(|(_, key)| is_other(key) && self.is_of_kind(&key.kind) && self.fits(&key.namespace, &key.name));
        found.extend(objects.map(|(index, _)| ObjectRef::Object(index)));
        found
    }

    /// The key of the node that is most like what is wanted, if any is.
    #[must_use]
    pub fn similar(&self, clusters: &[Cluster]) -> Option<String> {
        self.nearest(clusters.iter().flat_map(|cluster| cluster.nodes.iter().map(|node| &node.key)))
            .map(|(_, key)| key.to_string())
    }

    /// The name of the Kustomization or HelmRelease that is most like what is wanted, if any is.
    #[must_use]
    pub fn similar_object(&self, clusters: &[&Cluster]) -> Option<String> {
        let nodes = clusters.iter().flat_map(|cluster| cluster.nodes.iter().map(|node| &node.key));
        let releases = clusters.iter().flat_map(|cluster| cluster.releases.iter().map(|release| &release.key));
        let node = if self.is_of(KUSTOMIZATION) { self.nearest(nodes) } else { None };
        let release = if self.is_of(HELM_RELEASE) { self.nearest(releases) } else { None };
        match (node, release) {
            (Some((score, _)), Some((better, release))) if better > score => {
                Some(release.subject(HELM_RELEASE.kind).to_string())
            }
            (Some((_, node)), _) => Some(node.subject(KUSTOMIZATION.kind).to_string()),
            (None, release) => release.map(|(_, key)| key.subject(HELM_RELEASE.kind).to_string()),
        }
    }

    /// The key whose name is most like the one that is meant, and how alike they are.
    fn nearest<'c>(&self, keys: impl Iterator<Item = &'c NodeKey>) -> Option<(f64, &'c NodeKey)> {
        let name = self.name.to_lowercase();
        names::best_of_all_by(keys, |key| names::likeness(&name, &key.name, names::NEAR))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_named_in_several_ways() {
        let of = |text: &str| ObjectQuery::kustomization(text).map(|wanted| (wanted.namespace, wanted.name));
        let apps = |namespace: Option<&str>| Ok((namespace.map(str::to_owned), "apps".to_owned()));
        assert_eq!(of("apps"), apps(None));
        assert_eq!(of("Kustomization/apps"), apps(None));
        assert_eq!(of("flux-system/apps"), apps(Some("flux-system")));
        assert_eq!(of("ks/flux-system/apps"), apps(Some("flux-system")));
        assert!(matches!(of("HelmRelease/x/apps"), Err(ObjectQueryError::Kind { .. })));
        for wrong in ["", "/", "a/", "a/b/c", "./apps/base/x", "./apps", "../a"] {
            assert!(matches!(of(wrong), Err(ObjectQueryError::Form(_))), "{wrong}");
        }
    }

    #[test]
    fn an_object_of_any_kind_is_named_with_its_kind() {
        let of = |text: &str| ObjectQuery::parse(text).map(|wanted| (wanted.kind, wanted.namespace, wanted.name));
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(of("hr/x/apps"), Ok((some("HelmRelease"), some("x"), "apps".to_owned())));
        assert_eq!(of("gitrepo/flux-system"), Ok((some("GitRepository"), None, "flux-system".to_owned())));
        assert_eq!(of("ClusterIssuer/x"), Ok((some("ClusterIssuer"), None, "x".to_owned())));
        assert_eq!(of("x/y"), Ok((None, some("x"), "y".to_owned())));
    }
}
