//! How kustomize tells resources apart (kyaml `resid`).

use smol_str::SmolStr;

use super::schema::scope::is_cluster_scoped;
use crate::yaml::{Node, Value};

/// An `apiVersion`, in its parts (kyaml `resid.ParseGroupVersion`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApiVersion<'t> {
    /// API group; empty for the core group.
    pub group: &'t str,
    /// API version.
    pub version: &'t str,
}

impl<'t> ApiVersion<'t> {
    /// Reads `group/version`, or the `version` alone of the core group.
    #[must_use]
    pub fn parse(text: &'t str) -> Self {
        let (group, version) = text.split_once('/').unwrap_or(("", text));
        Self { group, version }
    }
}

/// Group, version and kind; in a selector an empty part matches anything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Gvk {
    pub(super) group: SmolStr,
    pub(super) version: SmolStr,
    pub(super) kind: SmolStr,
}

/// Group, version, kind, namespace and name. The namespace is the effective one: `default` where none is set, and a word
/// that is no namespace for cluster-scoped kinds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct ResId {
    pub(super) gvk: Gvk,
    pub(super) namespace: SmolStr,
    pub(super) name: SmolStr,
}

const DEFAULT: &str = "default";
const NO_NAMESPACE: &str = "_non_namespaceable_";

impl Gvk {
    pub(super) fn new(node: &Node) -> Self {
        let ApiVersion { group, version } = ApiVersion::parse(node.find_str(&["apiVersion"]).unwrap_or_default());
        Self { group: group.into(), version: version.into(), kind: node.find_str(&["kind"]).unwrap_or_default().into() }
    }

    /// Whether `self`, a selector, takes `gvk` (kyaml `Gvk.IsSelected`).
    pub(super) fn selects(&self, gvk: &Self) -> bool {
        let part = |wanted: &SmolStr, is: &SmolStr| wanted.is_empty() || wanted == is;
        part(&self.group, &gvk.group) && part(&self.version, &gvk.version) && part(&self.kind, &gvk.kind)
    }

    /// As [`Self::selects`], of an object.
    pub(super) fn selects_node(&self, object: &Node) -> bool {
        let text = |key| object.find_str(&[key]).unwrap_or_default();
        let part = |wanted: &SmolStr, is: &str| wanted.is_empty() || wanted == is;
        if !part(&self.kind, text("kind")) {
            return false;
        }
        let ApiVersion { group, version } = ApiVersion::parse(text("apiVersion"));
        part(&self.group, group) && part(&self.version, version)
    }

    pub(super) fn is_cluster_scoped(&self) -> bool {
        is_cluster_scoped(&self.group, &self.version, &self.kind)
    }
}

impl ResId {
    pub(super) fn new(gvk: Gvk, namespace: &str, name: impl Into<SmolStr>) -> Self {
        let namespace = effective_namespace(&gvk, namespace);
        Self { gvk, namespace, name: name.into() }
    }

    pub(super) fn from_node(node: &Node) -> Self {
        let text = |key| node.find(&["metadata", key]).and_then(scalar_text).unwrap_or_default();
        Self::new(Gvk::new(node), &text("namespace"), text("name"))
    }

    pub(super) fn is_cluster_scoped(&self) -> bool {
        self.namespace == NO_NAMESPACE
    }
}

impl std::fmt::Display for ResId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.namespace.as_str() {
            NO_NAMESPACE | DEFAULT => write!(f, "{}/{}", self.gvk.kind, self.name),
            namespace => write!(f, "{}/{namespace}/{}", self.gvk.kind, self.name),
        }
    }
}

fn effective_namespace(gvk: &Gvk, namespace: &str) -> SmolStr {
    if gvk.is_cluster_scoped() {
        SmolStr::new_static(NO_NAMESPACE)
    } else if namespace.is_empty() {
        SmolStr::new_static(DEFAULT)
    } else {
        namespace.into()
    }
}

/// A scalar as text; `None` for null, mappings and lists.
pub(super) fn scalar_text(node: &Node) -> Option<SmolStr> {
    Some(match &node.value {
        Value::Str(text) => text.clone(),
        Value::Bool(value) => SmolStr::new_static(if *value { "true" } else { "false" }),
        Value::Int(value) => smol_str::format_smolstr!("{value}"),
        Value::Uint(value) => smol_str::format_smolstr!("{value}"),
        Value::Float(value) => smol_str::format_smolstr!("{value}"),
        Value::Null | Value::Map(_) | Value::Seq(_) => return None,
    })
}
