//! How the controllers are run, and what they do by default.

pub(super) mod helm_action;
pub(super) mod timeouts;
pub(super) mod version;

use std::{collections::BTreeMap, time::Duration};

use smol_str::SmolStr;

use super::{
    api::kinds::{self, Reconciler},
    parse_duration,
};
use crate::{
    kustomize::{Kustomize, Object},
    source::Span,
    yaml::{Entry, Map, Node, Value},
};
use version::FluxVersion;

/// How kustomize-controller and helm-controller are run, as far as the repository tells: by the Deployments that a build
/// holds, by a FluxInstance, or by patches of either.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Controllers {
    /// kustomize-controller: the instance that every object without a shard goes to.
    pub kustomize: Controller,
    /// helm-controller, likewise.
    pub helm: Controller,
    /// Further instances of either, with a `--watch-label-selector` of their own.
    pub shards: Vec<Controller>,
}

/// The arguments of one controller.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Controller {
    /// Name of its Deployment; empty where nothing was read.
    pub name: SmolStr,
    /// Whether the repository shows how it is run, if only that nothing but defaults is set.
    pub is_read: bool,
    /// Whether every argument is known, since a build holds its Deployment: what is not there is not set.
    pub is_complete: bool,
    arguments: Vec<Argument>,
}

#[derive(Debug, Clone, PartialEq)]
struct Argument {
    name: SmolStr,
    value: Option<SmolStr>,
    span: Span,
}

/// A setting of a controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting<T> {
    /// Its value.
    pub value: T,
    /// The text that sets it; [`Span::NONE`] where it is the controller's default.
    pub span: Span,
}

impl<T> Setting<T> {
    /// Whether the repository sets it.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.span.is_some()
    }

    const fn default(value: T) -> Self {
        Self { value, span: Span::NONE }
    }
}

/// Gate of kustomize-controller: a variable that is set nowhere fails the build.
const STRICT: &str = "StrictPostBuildSubstitutions";

/// Reconciles at a time, of kustomize-controller v1.9 and helm-controller v1.6 alike (`main.go`, `--concurrent`).
const WORKERS: u32 = 4;

/// Delay after an unmet dependency, of both (`main.go`, `--requeue-dependency`).
const REQUEUE: Duration = Duration::from_secs(30);

impl Controllers {
    /// Whether the repository shows anything of how they are run.
    #[must_use]
    pub const fn is_read(&self) -> bool {
        self.kustomize.is_read || self.helm.is_read
    }

    /// Whether a variable that is set nowhere fails the build: by the gate `StrictPostBuildSubstitutions`, which is on
    /// by default since Flux 2.9 (kustomize-controller v1.9, `internal/features`). An unknown release counts as the
    /// newest.
    #[must_use]
    pub fn has_strict_substitution(&self, version: Option<FluxVersion>) -> bool {
        let by_default = || version.is_none_or(FluxVersion::has_strict_substitution);
        self.kustomize.gate(STRICT).map_or_else(by_default, |gate| gate.value)
    }

    /// The gate `StrictPostBuildSubstitutions`, where the repository sets it.
    #[must_use]
    pub fn strict_substitution_gate(&self) -> Option<Setting<bool>> {
        self.kustomize.gate(STRICT)
    }

    /// Whether `--no-cross-namespace-refs` is set for the controller that reconciles objects of `kind`: kustomize-controller
    /// for Kustomizations, helm-controller for HelmReleases.
    #[must_use]
    pub fn no_cross_namespace_refs(&self, kind: &str) -> Setting<bool> {
        self.of_kind(kind).no_cross_namespace_refs()
    }

    /// The controller that reconciles objects of `kind`.
    #[must_use]
    pub fn of_kind(&self, kind: &str) -> &Controller {
        match kinds::reconciler_of(kind) {
            Some(Reconciler::Helm) => &self.helm,
            _ => &self.kustomize,
        }
    }

    /// What the Deployments among `objects` tell; `None` where none of them is one of the controllers.
    #[must_use]
    pub fn of_deployments<'o>(objects: impl Iterator<Item = &'o Object>) -> Option<Self> {
        let mut controllers = Self::default();
        for object in objects {
            let Some(component) = component(&object.node) else { continue };
            let controller = Controller { is_complete: true, ..Controller::new(&object.node) };
            let main = if component == HELM { &mut controllers.helm } else { &mut controllers.kustomize };
            // The main instance bears the name of the component, or at least leaves the shards to others.
            if controller.name == component || (!main.is_read && !controller.is_shard()) {
                let other = std::mem::replace(main, controller);
                controllers.shards.extend(other.is_read.then_some(other));
            } else {
                controllers.shards.push(controller);
            }
        }
        (controllers.is_read() || !controllers.shards.is_empty()).then_some(controllers)
    }

    /// What the spec of a FluxInstance tells (flux-operator v0.58, `internal/builder/profiles.go`): its size and the
    /// lockdown of tenants first, then its own patches.
    #[must_use]
    pub fn of_instance(spec: &Node, namespace: &str, kustomize: &Kustomize<'_>) -> Self {
        let mut own: Vec<(Option<&str>, String, Span)> = Vec::new();
        if let Some(size) = spec.find(&["cluster", "size"]) {
            let (workers, requeue) = match size.as_str() {
                Some("small") => ("5", "10s"),
                Some("medium") => ("10", "5s"),
                Some("large") => ("20", "5s"),
                _ => ("4", "30s"),
            };
            own.push((None, format!("--concurrent={workers}"), size.span));
            own.push((None, format!("--requeue-dependency={requeue}"), size.span));
        }
        if let Some(tenants) = spec.find(&["cluster", "multitenant"]).filter(|node| node.as_bool() == Some(true)) {
            let account = spec.find_str(&["cluster", "tenantDefaultServiceAccount"]).unwrap_or("default");
            own.push((None, "--no-cross-namespace-refs=true".to_owned(), tenants.span));
            own.push((Some(KUSTOMIZE), "--no-remote-bases=true".to_owned(), tenants.span));
            own.push((None, format!("--default-service-account={account}"), tenants.span));
        }
        let deployment = |name| {
            let of_name = own.iter().filter(|(of, _, _)| of.is_none_or(|of| of == name));
            let arguments = of_name.map(|(_, text, span)| Node::str(text.as_str(), *span)).collect();
            stand_in(name, namespace, arguments)
        };
        let patches: Vec<Node> =
            spec.find(&["kustomize", "patches"]).into_iter().flat_map(Node::items).cloned().collect();
        let [kustomize, helm] = kustomize.patched([deployment(KUSTOMIZE), deployment(HELM)], "", &patches);
        Self { kustomize: Controller::new(&kustomize.node), helm: Controller::new(&helm.node), shards: Vec::new() }
    }

    /// What patches tell of controllers whose own manifests are not in the repository: `patches` are entries of that
    /// field of a kustomization file in `folder`. `None` where they set no argument.
    #[must_use]
    pub fn of_patches(kustomize: &Kustomize<'_>, folder: &str, patches: &[Node]) -> Option<Self> {
        let deployment = |name| stand_in(name, "flux-system", Vec::new());
        let [kustomize, helm] = kustomize.patched([deployment(KUSTOMIZE), deployment(HELM)], folder, patches);
        let [kustomize, helm] = [kustomize, helm].map(|object| {
            let controller = Controller::new(&object.node);
            let is_read = !controller.arguments.is_empty();
            Controller { is_read, ..controller }
        });
        let controllers = Self { kustomize, helm, shards: Vec::new() };
        controllers.is_read().then_some(controllers)
    }
}

impl Controller {
    fn new(deployment: &Node) -> Self {
        let containers = deployment.find(&["spec", "template", "spec", "containers"]);
        let containers = containers.and_then(Node::as_seq).unwrap_or_default();
        let manager = containers.iter().find(|container| container.find_str(&["name"]) == Some("manager"));
        let arguments = manager.or(containers.first()).and_then(|container| container.get("args"));
        Self {
            name: deployment.find_str(&["metadata", "name"]).unwrap_or_default().into(),
            is_read: true,
            is_complete: false,
            arguments: arguments.map(|list| read(list.as_seq().unwrap_or_default())).unwrap_or_default(),
        }
    }

    /// How many objects it reconciles at a time (`--concurrent`); 4 where unset.
    #[must_use]
    pub fn workers(&self) -> Setting<u32> {
        self.parsed("concurrent", |text| text.parse().ok()).unwrap_or(Setting::default(WORKERS))
    }

    /// The delay after which a dependency that is not ready is looked at again (`--requeue-dependency`); 30 s where
    /// unset.
    #[must_use]
    pub fn requeue_dependency(&self) -> Setting<Duration> {
        self.parsed("requeue-dependency", parse_duration).unwrap_or(Setting::default(REQUEUE))
    }

    /// The feature gate `name`, where `--feature-gates` sets it. Several such arguments add up, the last one wins.
    #[must_use]
    pub fn gate(&self, name: &str) -> Option<Setting<bool>> {
        self.gates().remove(name)
    }

    /// Every feature gate that is set.
    #[must_use]
    pub fn gates(&self) -> BTreeMap<&str, Setting<bool>> {
        let mut gates = BTreeMap::new();
        for argument in self.arguments.iter().filter(|argument| argument.name == "feature-gates") {
            for pair in argument.value.as_deref().unwrap_or_default().split(',') {
                if let Some((name, Some(value))) = pair.split_once('=').map(|(name, value)| (name, truth(value))) {
                    gates.insert(name.trim(), Setting { value, span: argument.span });
                }
            }
        }
        gates
    }

    /// Whether the feature gate `name`, which is off by default, is on.
    #[must_use]
    pub fn has_gate(&self, name: &str) -> bool {
        self.gate(name).is_some_and(|gate| gate.value)
    }

    /// Whether references to sources in other namespaces are refused (`--no-cross-namespace-refs`); no where unset.
    #[must_use]
    pub fn no_cross_namespace_refs(&self) -> Setting<bool> {
        self.switch("no-cross-namespace-refs")
    }

    /// Whether remote bases are refused (`--no-remote-bases`, kustomize-controller alone); no where unset.
    #[must_use]
    pub fn no_remote_bases(&self) -> Setting<bool> {
        self.switch("no-remote-bases")
    }

    /// The service account that objects without one of their own are applied as (`--default-service-account`).
    #[must_use]
    pub fn default_service_account(&self) -> Option<Setting<SmolStr>> {
        self.parsed("default-service-account", |text| (!text.is_empty()).then(|| text.into()))
    }

    /// The label selector of the objects it looks at (`--watch-label-selector`); all where unset.
    #[must_use]
    pub fn label_selector(&self) -> Option<Setting<SmolStr>> {
        self.parsed("watch-label-selector", |text| (!text.is_empty()).then(|| text.into()))
    }

    /// Whether it looks at one shard alone: at what bears a label, not at what lacks one.
    fn is_shard(&self) -> bool {
        self.label_selector().is_some_and(|selector| !selector.value.starts_with('!'))
    }

    fn switch(&self, name: &str) -> Setting<bool> {
        let last = self.last(name);
        let value = last.and_then(|argument| argument.value.as_deref().map_or(Some(true), truth));
        let span = last.map_or(Span::NONE, |argument| argument.span);
        value.map_or(Setting::default(false), |value| Setting { value, span })
    }

    fn parsed<T>(&self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Setting<T>> {
        let last = self.last(name)?;
        Some(Setting { value: parse(last.value.as_deref()?)?, span: last.span })
    }

    /// The last of several arguments of one name is in force (spf13/pflag).
    fn last(&self, name: &str) -> Option<&Argument> {
        self.arguments.iter().rev().find(|argument| argument.name == name)
    }
}

const KUSTOMIZE: &str = Reconciler::Kustomize.name();
const HELM: &str = Reconciler::Helm.name();

/// Arguments that may have their value in the next item of the list.
const VALUED: [&str; 5] =
    ["concurrent", "requeue-dependency", "feature-gates", "default-service-account", "watch-label-selector"];

/// Which of the controllers a Deployment runs, if one of them.
fn component(object: &Node) -> Option<&'static str> {
    if !kinds::DEPLOYMENT.is_kind_of(object) {
        return None;
    }
    let label = |key: &str| object.find_str(&["metadata", "labels", key]);
    let name = object.find_str(&["metadata", "name"])?;
    let is_flux = label("app.kubernetes.io/part-of") == Some("flux");
    let labelled = label("app.kubernetes.io/component").filter(|_| is_flux);
    [KUSTOMIZE, HELM].into_iter().find(|component| labelled.unwrap_or(name) == *component)
}

/// `true` and its like, as Go reads them (`strconv.ParseBool`).
fn truth(text: &str) -> Option<bool> {
    match text.trim() {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

fn read(items: &[Node]) -> Vec<Argument> {
    let mut arguments = Vec::new();
    let mut items = items.iter().peekable();
    while let Some(item) = items.next() {
        let Some(text) = item.as_str().and_then(|text| text.trim().strip_prefix("--")) else { continue };
        let (name, mut value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        if value.is_none() && VALUED.contains(&name) {
            value =
                items.next_if(|next| next.as_str().is_some_and(|next| !next.starts_with("--"))).and_then(Node::as_str);
        }
        arguments.push(Argument { name: name.into(), value: value.map(Into::into), span: item.span });
    }
    arguments
}

/// A Deployment as the manifests of Flux have it, as far as patches commonly touch it: an operation on what is not there
/// would fail the whole patch.
fn stand_in(name: &str, namespace: &str, arguments: Vec<Node>) -> Object {
    let text = |text: &str| Node::str(text, Span::NONE);
    let nothing = || Node::empty_map(Span::NONE);
    let list = |items| Node::seq(items, Span::NONE);
    let labels = map([
        ("app.kubernetes.io/component", text(name)),
        ("app.kubernetes.io/instance", text(namespace)),
        ("app.kubernetes.io/part-of", text("flux")),
        ("control-plane", text("controller")),
    ]);
    let security = map([("runAsNonRoot", Node::new(Value::Bool(true), Span::NONE)), ("seccompProfile", nothing())]);
    let container = map([
        ("name", text("manager")),
        ("args", list(arguments)),
        ("env", list(Vec::new())),
        ("image", text(&format!("ghcr.io/fluxcd/{name}"))),
        ("resources", map([("limits", nothing()), ("requests", nothing())])),
        ("securityContext", security),
        ("volumeMounts", list(vec![map([("name", text("temp")), ("mountPath", text("/tmp"))])])),
    ]);
    let pod = map([
        ("containers", list(vec![container])),
        ("nodeSelector", nothing()),
        ("priorityClassName", text("system-cluster-critical")),
        ("securityContext", map([("fsGroup", Node::new(Value::Int(1337), Span::NONE))])),
        ("serviceAccountName", text(name)),
        ("volumes", list(vec![map([("name", text("temp")), ("emptyDir", nothing())])])),
    ]);
    let metadata = || map([("labels", labels.clone()), ("annotations", nothing())]);
    let template = map([("metadata", metadata()), ("spec", pod)]);
    let mut own = metadata();
    own.set("name", text(name));
    own.set("namespace", text(namespace));
    let replicas = Node::new(Value::Int(1), Span::NONE);
    let node = map([
        ("apiVersion", text("apps/v1")),
        ("kind", text(kinds::DEPLOYMENT.kind)),
        ("metadata", own),
        ("spec", map([("replicas", replicas), ("template", template)])),
    ]);
    Object { node, source: Span::NONE, changes: Vec::new() }
}

fn map<const N: usize>(entries: [(&str, Node); N]) -> Node {
    let mut map = Map::default();
    for (key, value) in entries {
        map.insert(Entry { key: key.into(), key_span: value.span, value });
    }
    Node::new(Value::Map(map.into()), Span::NONE)
}

#[cfg(test)]
mod tests;
