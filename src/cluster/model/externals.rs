use std::sync::Arc;

use crate::{flux::api::kinds::CRD, source::Pattern};

/// Objects that are made outside the repository, by Terraform or by hand for instance, and are there before Flux starts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Externals {
    all: Arc<[External]>,
}

/// Some of them, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct External {
    /// Their kind.
    pub kind: Pattern,
    /// Their namespace; any, and none, where not set.
    pub namespace: Option<Pattern>,
    /// Their name.
    pub name: Pattern,
    /// Who makes them.
    pub reason: Option<String>,
}

impl Externals {
    /// Those that `all` name.
    #[must_use]
    pub fn new(all: Vec<External>) -> Self {
        Self { all: all.into() }
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &External> {
        self.all.iter()
    }

    /// Whether the object is one of them.
    #[must_use]
    pub fn have(&self, kind: &str, namespace: &str, name: &str) -> bool {
        self.all.iter().any(|external| {
            external.name.matches(name)
                && external.kind.matches(kind)
                && external.namespace.as_ref().is_none_or(|pattern| pattern.matches(namespace))
        })
    }

    /// Whether the CRD of a kind is one of them. Definitions are named by the plural of the kind, which only they
    /// tell: it is formed as it is formed for nearly all of them.
    #[must_use]
    pub fn have_crd(&self, group: &str, kind: &str) -> bool {
        if self.all.is_empty() {
            return false;
        }
        let kind = kind.to_ascii_lowercase();
        let y = kind.strip_suffix('y').map(|stem| format!("{stem}ies"));
        let plurals = [format!("{kind}s"), format!("{kind}es"), kind].into_iter().chain(y);
        let mut names = plurals.map(|plural| format!("{plural}.{group}"));
        names.any(|name| self.have(CRD.kind, "", &name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_known_by_patterns() {
        let pattern = |text: &str| Pattern::parse(text).expect("valid");
        let external = |kind: &str, namespace: Option<&str>, name: &str| External {
            kind: pattern(kind),
            namespace: namespace.map(pattern),
            name: pattern(name),
            reason: None,
        };
        let externals = Externals::new(vec![
            external("{ConfigMap,Secret}", Some("flux-system"), "cluster-*"),
            external("CustomResourceDefinition", None, "*.cert-manager.io"),
        ]);
        assert!(externals.have("Secret", "flux-system", "cluster-secrets"));
        assert!(!externals.have("Secret", "default", "cluster-secrets"));
        assert!(!externals.have("Secret", "flux-system", "other"));
        assert!(externals.have_crd("cert-manager.io", "ClusterIssuer"));
        assert!(!externals.have_crd("traefik.io", "Middleware"));
        assert!(!Externals::default().have_crd("cert-manager.io", "Issuer"));
    }
}
