use smol_str::{SmolStr, format_smolstr};

use crate::{
    flux::{
        Controllers, FluxVersion,
        api::{
            SOURCE_GROUP,
            kinds::{FLUX_INSTANCE, GIT_REPOSITORY, HELM_RELEASE, KUSTOMIZATION, OCI_REPOSITORY},
        },
    },
    kustomize::{Kustomize, Object},
    source::Span,
    yaml::{Entry, Map, Node, Value},
};

/// A cluster's entry point that the Flux Operator makes of a FluxInstance.
#[derive(Debug, Clone)]
pub struct Sync {
    /// The Kustomization it generates.
    pub kustomization: Object,
    /// The source it generates.
    pub source: Object,
    /// Folder of the cluster.
    pub path: String,
    /// Whether it stands in the values of a chart, so that no object of the repository shows it.
    pub is_hidden: bool,
    /// Version of Flux it installs.
    pub version: Option<FluxVersion>,
    /// Patches of what it generates.
    patches: Vec<Node>,
    /// The spec of the instance.
    instance: Node,
}

impl Sync {
    /// How it has the controllers run.
    #[must_use]
    pub fn controllers(&self, kustomize: &Kustomize<'_>) -> Controllers {
        let namespace = self.kustomization.node.find_str(&["metadata", "namespace"]).unwrap_or("flux-system");
        Controllers::of_instance(&self.instance, namespace, kustomize)
    }

    /// The generated objects with `spec.kustomize.patches` applied, and the path that comes of it (flux-operator v0.58,
    /// `internal/builder/templates.go`). Patches of other objects, such as the controllers, have nothing to do here.
    #[must_use]
    pub fn patched(mut self, kustomize: &Kustomize<'_>) -> Self {
        if self.patches.is_empty() {
            return self;
        }
        let generated = [self.kustomization.clone(), self.source.clone()];
        let [kustomization, source] = kustomize.patched(generated, "", &self.patches);
        (self.kustomization, self.source) = (kustomization, source);
        if let Some(path) = self.kustomization.node.find_str(&["spec", "path"]) {
            self.path = path.to_owned();
        }
        self
    }
}

/// A FluxInstance, wherever it is written.
#[derive(Debug)]
pub struct Instance<'a> {
    /// Its spec.
    pub spec: &'a Node,
    /// Its namespace.
    pub namespace: SmolStr,
}

/// The FluxInstance that `document` declares: the object itself, a HelmRelease of the `flux-instance` chart, or values of
/// that chart.
#[must_use]
pub fn instance_of(document: &Node) -> Option<Instance<'_>> {
    let (spec, namespace) = match document.find_str(&["kind"]) {
        Some(_) if FLUX_INSTANCE.is_kind_of(document) => {
            (document.get("spec")?, document.find_str(&["metadata", "namespace"]))
        }
        Some(_) if HELM_RELEASE.is_kind_of(document) => (document.find(&["spec", "values", "instance"])?, None),
        None => (document.get("instance")?, None),
        Some(_) => return None,
    };
    Some(Instance { spec, namespace: SmolStr::new(namespace.unwrap_or("flux-system")) })
}

/// The entry point that `document` declares, if it does: a FluxInstance, a HelmRelease of the `flux-instance` chart, or
/// values of that chart.
#[must_use]
pub fn syncs(document: &Node) -> Option<Sync> {
    let Instance { spec: instance, namespace } = instance_of(document)?;
    let is_hidden = !FLUX_INSTANCE.is_kind_of(document);
    let sync = instance.get("sync")?;
    let path = sync.get("path")?;
    sync.get("url")?;
    let name = sync.find_str(&["name"]).map_or_else(|| namespace.clone(), SmolStr::new);
    let source_kind = sync.find_str(&["kind"]).unwrap_or(GIT_REPOSITORY.kind);
    let at = sync.span;
    let metadata = map(at, [("name", Node::str(name.clone(), at)), ("namespace", Node::str(namespace, at))]);
    let source_ref = map(at, [("kind", Node::str(source_kind, at)), ("name", Node::str(name, at))]);
    let spec = map(
        at,
        [
            ("interval", Node::str("10m", at)),
            ("path", path.clone()),
            ("prune", Node::new(Value::Bool(true), at)),
            ("sourceRef", source_ref),
        ],
    );
    let kustomization = object(at, KUSTOMIZATION.group, KUSTOMIZATION.kind, metadata.clone(), spec);
    let source = object(at, SOURCE_GROUP, source_kind, metadata, source_spec(sync, source_kind));
    let version = instance.find_str(&["distribution", "version"]).and_then(FluxVersion::parse);
    let patches = instance.find(&["kustomize", "patches"]).map(|patches| patches.items().cloned().collect());
    let patches = patches.unwrap_or_default();
    Some(Sync {
        instance: instance.clone(),
        patches,
        kustomization,
        source,
        path: path.as_str()?.to_owned(),
        is_hidden,
        version,
    })
}

/// The spec of the generated source (flux-operator v0.58, `internal/builder/templates.go`).
fn source_spec(sync: &Node, kind: &str) -> Node {
    let mut spec = Node::empty_map(sync.span);
    for key in ["interval", "url", "ignore", "provider"] {
        if let Some(value) = sync.get(key) {
            spec.set(key, value.clone());
        }
    }
    if let Some(reference) = sync.get("ref") {
        let key = if kind == OCI_REPOSITORY.kind { "tag" } else { "name" };
        spec.set("ref", map(reference.span, [(key, reference.clone())]));
    }
    spec
}

/// An object of version `v1` of its group.
fn object(at: Span, group: &str, kind: &str, metadata: Node, spec: Node) -> Object {
    let node = map(
        at,
        [
            ("apiVersion", Node::str(format_smolstr!("{group}/v1"), at)),
            ("kind", Node::str(kind, at)),
            ("metadata", metadata),
            ("spec", spec),
        ],
    );
    Object { node, source: at, changes: Vec::new() }
}

fn map<const N: usize>(at: Span, entries: [(&str, Node); N]) -> Node {
    let mut map = Map::default();
    for (key, value) in entries {
        map.insert(Entry { key: key.into(), key_span: value.span, value });
    }
    Node::new(Value::Map(map.into()), at)
}
