//! Finding the node that somebody named by hand.

use super::{Cluster, Node};

/// A Kustomization as people name it: `apps`, `flux-system/apps`, `Kustomization/apps` or
/// `Kustomization/flux-system/apps`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    namespace: Option<String>,
    name: String,
}

/// Why a text names no Kustomization.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WantedError {
    /// It has another form.
    #[error("`{0}` is no name of a Kustomization")]
    Form(String),
    /// It names something of another kind.
    #[error("`{text}` is a {kind}, and only a Kustomization has a build")]
    Kind {
        /// The text.
        text: String,
        /// The kind it names.
        kind: &'static str,
    },
}

/// How alike two names are for one to be taken for the other.
const ALIKE: f64 = 0.75;

impl Wanted {
    /// Reads `text`.
    ///
    /// # Errors
    /// Where it has no form of a name, or names another kind.
    pub fn parse(text: &str) -> Result<Self, WantedError> {
        let parts: Vec<&str> = text.split('/').collect();
        if parts.iter().any(|part| part.is_empty()) {
            return Err(WantedError::Form(text.to_owned()));
        }
        let is_kind = |part: &str| matches!(part.to_lowercase().as_str(), "kustomization" | "kustomizations" | "ks");
        let is_release = |part: &str| matches!(part.to_lowercase().as_str(), "helmrelease" | "helmreleases" | "hr");
        let new = |namespace: Option<&str>, name: &str| {
            Ok(Self { namespace: namespace.map(str::to_owned), name: name.to_owned() })
        };
        match parts.as_slice() {
            [kind, _] | [kind, _, _] if is_release(kind) => {
                Err(WantedError::Kind { text: text.to_owned(), kind: "HelmRelease" })
            }
            [name] => new(None, name),
            [kind, name] if is_kind(kind) => new(None, name),
            [namespace, name] => new(Some(namespace), name),
            [kind, namespace, name] if is_kind(kind) => new(Some(namespace), name),
            _ => Err(WantedError::Form(text.to_owned())),
        }
    }

    /// The nodes that are meant, each with its cluster. What no entry point reaches counts only where nothing else fits.
    #[must_use]
    pub fn find<'c>(&self, clusters: &'c [Cluster]) -> Vec<(&'c Cluster, &'c Node)> {
        let mut found: Vec<(&Cluster, &Node)> = clusters
            .iter()
            .flat_map(|cluster| cluster.nodes.iter().map(move |node| (cluster, node)))
            .filter(|(_, node)| node.key.name == self.name)
            .filter(|(_, node)| self.namespace.as_deref().is_none_or(|wanted| node.key.namespace == wanted))
            .collect();
        if found.iter().any(|(cluster, _)| cluster.reached) {
            found.retain(|(cluster, _)| cluster.reached);
        }
        found
    }

    /// The key of the node that is most like what is wanted, if any is.
    #[must_use]
    pub fn similar(&self, clusters: &[Cluster]) -> Option<String> {
        let nodes = clusters.iter().flat_map(|cluster| &cluster.nodes);
        let likeness = |node: &Node| strsim::jaro_winkler(&self.name.to_lowercase(), &node.key.name);
        let near = nodes.filter(|node| likeness(node) >= ALIKE);
        near.max_by(|one, other| likeness(one).total_cmp(&likeness(other)).then_with(|| other.key.cmp(&one.key)))
            .map(|node| node.key.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_named_in_several_ways() {
        let of = |text: &str| Wanted::parse(text).map(|wanted| (wanted.namespace, wanted.name));
        let apps = |namespace: Option<&str>| Ok((namespace.map(str::to_owned), "apps".to_owned()));
        assert_eq!(of("apps"), apps(None));
        assert_eq!(of("Kustomization/apps"), apps(None));
        assert_eq!(of("flux-system/apps"), apps(Some("flux-system")));
        assert_eq!(of("ks/flux-system/apps"), apps(Some("flux-system")));
        assert!(matches!(of("HelmRelease/x/apps"), Err(WantedError::Kind { .. })));
        for wrong in ["", "/", "a/", "a/b/c", "./apps/base/x"] {
            assert!(matches!(of(wrong), Err(WantedError::Form(_))), "{wrong}");
        }
    }
}
