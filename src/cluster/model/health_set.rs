//! What the health check of a Kustomization looks at.

use rustc_hash::FxHashMap;

use crate::{
    cluster::{Node, ObjectKey},
    flux::{
        Policy,
        api::{HealthCheck, HealthCheckExpr},
        is_namespaced,
    },
    kustomize::{ApiVersion, Object},
    source::Span,
};

/// API version of an entry of `healthChecks` that names none (kustomize-controller v1.9, `inventory.ReferenceToObjMetadataSet`).
pub const DEFAULT_API_VERSION: &str = "apps/v1";

/// The objects that kustomize-controller looks at before it calls a Kustomization Ready: with `wait` all that it applies,
/// otherwise those that `healthChecks` lists, the Kustomization itself left out (v1.9, `checkHealth`). Empty where there is
/// neither. The objects of a Kustomization with `kubeConfig` are in another cluster.
#[derive(Debug)]
pub struct HealthSet<'a> {
    node: &'a Node,
    members: Vec<HealthMember<'a>>,
}

/// An object of a [`HealthSet`].
#[derive(Debug, Clone)]
pub struct HealthMember<'a> {
    /// The object as the health check asks for it. The namespace of an entry is not defaulted.
    pub key: ObjectKey,
    /// The text that has it checked: `wait`, or the entry.
    pub span: Span,
    /// Position in `spec.healthChecks`; `None` where `wait` has it checked.
    pub entry: Option<usize>,
    /// The object, where the Kustomization builds it itself.
    pub object: Option<&'a Object>,
    /// Which health checks pass over it.
    pub skipped: Skipped,
}

/// Which health checks pass over an object (kustomize-controller v1.9, `apply`; fluxcd/pkg ssa, `SkippedAction`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skipped {
    /// None.
    Never,
    /// Each but the one that follows its creation (`ssa: IfNotPresent`).
    OncePresent,
    /// All, since it is not applied (`reconcile: disabled`, `ssa: Ignore`).
    Always,
}

impl<'a> HealthSet<'a> {
    /// That of a Kustomization.
    #[must_use]
    pub fn new(node: &'a Node) -> Self {
        Self::of_kinds(node, &|_| true)
    }

    /// That of a Kustomization, less objects of kinds that are not `wanted`.
    #[must_use]
    pub fn of_kinds(node: &'a Node, wanted: &dyn Fn(&str) -> bool) -> Self {
        let mut members = if node.kustomization.spec.wait { applied(node, wanted) } else { listed(node) };
        members.retain(|member| wanted(&member.key.kind) && !is_itself(node, &member.key));
        Self { node, members }
    }

    /// What the entries of `healthChecks` name, whether `wait` overrules them or not.
    #[must_use]
    pub fn listed(node: &'a Node) -> Vec<HealthMember<'a>> {
        listed(node)
    }

    /// Every member, also those that each health check passes over.
    #[must_use]
    pub fn members(&self) -> &[HealthMember<'a>] {
        &self.members
    }

    /// The members that at least one health check looks at.
    pub fn checked(&self) -> impl Iterator<Item = &HealthMember<'a>> {
        self.members.iter().filter(|member| member.skipped != Skipped::Always)
    }

    /// The members that every health check looks at: without them it can never pass.
    pub fn lasting(&self) -> impl Iterator<Item = &HealthMember<'a>> {
        self.members.iter().filter(|member| member.skipped == Skipped::Never)
    }

    /// The entry of `healthCheckExprs` that reads the status of a kind, by position. One for the kind goes before one for its
    /// group. Jobs have a reader that is asked first, unless the controller acts as a service account or on another cluster
    /// (kustomize-controller v1.9, `main.go`; fluxcd/pkg `runtime/client`, `newStatusPoller`; `runtime/cel`, `StatusReader`).
    #[must_use]
    pub fn expression(&self, key: &ObjectKey) -> Option<usize> {
        let spec = &self.node.kustomization.spec;
        let is_job = (key.group.as_str(), key.kind.as_str()) == ("batch", "Job");
        if is_job && spec.service_account_name.is_none() && !self.node.is_remote() {
            return None;
        }
        let covers = |entry: &HealthCheckExpr| entry.covers(&key.group, &key.kind);
        let is_for_kind = |entry: &HealthCheckExpr| entry.kind.as_deref().is_some_and(|kind| !kind.is_empty());
        let entries = || spec.health_check_exprs.iter();
        entries().position(|entry| covers(entry) && is_for_kind(entry)).or_else(|| entries().position(covers))
    }
}

impl HealthMember<'_> {
    /// Where the object is defined, else where it is asked for.
    #[must_use]
    pub fn place(&self) -> Span {
        self.object.map_or(self.span, Object::place)
    }

    /// The object as the build of the Kustomization has it, else as the health check asks for it.
    #[must_use]
    pub fn built(&self) -> ObjectKey {
        self.object.map_or_else(|| self.key.clone(), |object| object.id().into())
    }
}

/// All that a Kustomization applies of some kinds.
fn applied<'a>(node: &'a Node, wanted: &dyn Fn(&str) -> bool) -> Vec<HealthMember<'a>> {
    let span = node.kustomization.span(&["spec", "wait"]);
    let is_wanted = |object: &&Object| object.node.find_str(&["kind"]).is_some_and(wanted);
    let objects = node.applied.build.objects.iter().filter(is_wanted);
    let members = objects.map(|object| {
        let policy = Policy::new(&object.node);
        let skipped = match (policy.applied, policy.if_not_present) {
            (false, _) => Skipped::Always,
            (true, true) => Skipped::OncePresent,
            (true, false) => Skipped::Never,
        };
        HealthMember { key: object.id().into(), span, entry: None, object: Some(object), skipped }
    });
    members.collect()
}

/// What the entries of `healthChecks` name.
fn listed(node: &Node) -> Vec<HealthMember<'_>> {
    let entries = &node.kustomization.spec.health_checks;
    let mut named: FxHashMap<&str, Vec<&Object>> = FxHashMap::default();
    for object in node.applied.build.objects.iter().filter(|_| !entries.is_empty()) {
        named.entry(object.node.find_str(&["metadata", "name"]).unwrap_or_default()).or_default().push(object);
    }
    let members = entries.iter().enumerate().map(|(index, entry)| {
        let key = ObjectKey::from(entry);
        let mut objects = named.get(key.name.as_str()).into_iter().flatten().copied();
        let object =
            objects.find(|object| ObjectKey::from(object.id()).is_read_by(&key) && Policy::new(&object.node).applied);
        let span = node.kustomization.item_span(&["spec", "healthChecks"], index);
        HealthMember { key, span, entry: Some(index), object, skipped: Skipped::Never }
    });
    members.collect()
}

impl ObjectKey {
    /// Whether a health check on `entry` reads this object, as a build has it. The namespace counts for nothing where the kind
    /// belongs to none, and is passed over where one of them has none: kustomize sets one on custom resources whose scope it
    /// does not know.
    #[must_use]
    pub fn is_read_by(&self, entry: &Self) -> bool {
        let is_anywhere = || {
            self.namespace.is_empty()
                || entry.namespace.is_empty()
                || self.is_unresolved()
                || is_namespaced(&entry.group, &entry.kind) == Some(false)
        };
        self.name == entry.name
            && self.kind == entry.kind
            && self.group == entry.group
            && (self.namespace == entry.namespace || is_anywhere())
    }
}

/// Whether the key is that of the Kustomization, whose group is not compared (kustomize-controller v1.9, `checkHealth`).
fn is_itself(node: &Node, key: &ObjectKey) -> bool {
    key.kind == "Kustomization" && key.name == node.key.name && key.namespace == node.key.namespace
}

impl From<&HealthCheck> for ObjectKey {
    fn from(entry: &HealthCheck) -> Self {
        let version = entry.api_version.as_deref().filter(|version| !version.is_empty()).unwrap_or(DEFAULT_API_VERSION);
        Self {
            group: ApiVersion::parse(version).group.into(),
            kind: entry.kind.as_str().into(),
            namespace: entry.namespace.as_deref().unwrap_or_default().into(),
            name: entry.name.as_str().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cluster::{Cluster, NodeKey, Scope, discover, resolve},
        source::Tree,
        yaml::Store,
    };

    /// The cluster whose Kustomization `app` has this in its spec, and builds these manifests.
    fn cluster(spec: &str, manifests: &str) -> Cluster {
        let source = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\n\
                      metadata: {name: flux-system, namespace: flux-system}\nspec: {interval: 1m, url: 'ssh://git@example.org/x'}\n";
        let kustomization = |name: &str, path: &str, spec: &str| {
            format!(
                "---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n\
                 metadata: {{name: {name}, namespace: flux-system}}\nspec:\n  interval: 1h\n  prune: true\n  path: {path}\n  \
                 sourceRef: {{kind: GitRepository, name: flux-system}}\n{spec}"
            )
        };
        let sync = format!("{source}{}", kustomization("flux-system", "root", ""));
        let files = [
            ("root/flux-system/gotk-sync.yaml", sync),
            ("root/app.yaml", kustomization("app", "app", spec)),
            ("app/manifests.yaml", manifests.to_owned()),
        ];
        let tree = Tree::from_memory(files.map(|(path, text)| (path.to_owned(), text.into_bytes())));
        let store = Store::new(tree);
        resolve(&store, "", &discover(&store, &Scope::default()), None).remove(0)
    }

    fn node(cluster: &Cluster) -> &Node {
        cluster.node(cluster.find(&NodeKey::new("flux-system", "app")).expect("a node of that name"))
    }

    fn manifest(api_version: &str, kind: &str, metadata: &str) -> String {
        format!("---\napiVersion: {api_version}\nkind: {kind}\nmetadata: {{{metadata}}}\n")
    }

    /// Each member by kind and name, whether the Kustomization builds it, and what passes over it.
    fn members(set: &HealthSet<'_>) -> Vec<(String, bool, Skipped)> {
        let members = set.members().iter();
        members.map(|it| (it.key.subject().to_string(), it.object.is_some(), it.skipped)).collect()
    }

    #[test]
    fn wait_looks_at_all_that_is_applied_and_overrules_what_is_listed() {
        let mark = |mark: &str| format!(", annotations: {{kustomize.toolkit.fluxcd.io/{mark}}}");
        let manifests = [
            manifest("apps/v1", "Deployment", "name: web, namespace: default"),
            manifest("v1", "Secret", &format!("name: once, namespace: default{}", mark("ssa: IfNotPresent"))),
            manifest("v1", "Secret", &format!("name: off, namespace: default{}", mark("reconcile: disabled"))),
            manifest("v1", "Secret", &format!("name: other, namespace: default{}", mark("ssa: Ignore"))),
            manifest("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "name: app, namespace: flux-system"),
        ];
        let listed = "  wait: true\n  healthChecks: [{kind: Deployment, name: elsewhere, namespace: default}]\n";
        let cluster = cluster(listed, &manifests.concat());
        let set = HealthSet::new(node(&cluster));
        assert_eq!(
            members(&set),
            [
                ("Deployment/default/web".to_owned(), true, Skipped::Never),
                ("Secret/default/once".to_owned(), true, Skipped::OncePresent),
                ("Secret/default/off".to_owned(), true, Skipped::Always),
                ("Secret/default/other".to_owned(), true, Skipped::Always),
            ]
        );
        assert_eq!((set.checked().count(), set.lasting().count()), (2, 1));
        assert_eq!(HealthSet::listed(node(&cluster)).len(), 1);
    }

    #[test]
    fn entries_name_group_kind_namespace_and_name() {
        let manifests = [
            manifest("apps/v1", "Deployment", "name: web, namespace: default"),
            manifest("example.org/v1", "Deployment", "name: own, namespace: default"),
            manifest("example.org/v1", "ClusterThing", "name: thing, namespace: default"),
            manifest("v1", "Namespace", "name: web"),
        ];
        let spec = "  healthChecks:\n    - {kind: Deployment, name: web, namespace: default}\n    \
                    - {kind: Deployment, name: web, namespace: other, apiVersion: ''}\n    \
                    - {kind: Deployment, name: own, namespace: default}\n    \
                    - {apiVersion: example.org/v2, kind: ClusterThing, name: thing}\n    \
                    - {apiVersion: v1, kind: Namespace, name: web, namespace: whatever}\n    \
                    - {apiVersion: any/v1, kind: Kustomization, name: app, namespace: flux-system}\n";
        let cluster = cluster(spec, &manifests.concat());
        let set = HealthSet::new(node(&cluster));
        let found: Vec<_> =
            set.members().iter().map(|it| (it.entry, it.key.group.as_str(), it.object.is_some())).collect();
        assert_eq!(
            found,
            [
                (Some(0), "apps", true),
                (Some(1), "apps", false),
                (Some(2), "apps", false),
                (Some(3), "example.org", true),
                (Some(4), "", true),
            ]
        );
        assert_eq!(set.members()[3].built().namespace, "default");
    }

    #[test]
    fn without_a_gate_nothing_is_looked_at() {
        let cluster = cluster("", &manifest("apps/v1", "Deployment", "name: web, namespace: default"));
        assert!(HealthSet::new(node(&cluster)).members().is_empty());
    }

    #[test]
    fn an_expression_for_the_kind_goes_before_one_for_the_group_and_the_reader_for_jobs_before_both() {
        let exprs = "  wait: true\n  healthCheckExprs:\n    - {apiVersion: example.org/v1, current: 'true'}\n    \
                     - {apiVersion: example.org/v2, kind: Thing, current: 'true'}\n    \
                     - {apiVersion: batch/v1, kind: Job, current: 'true'}\n";
        let expression = |spec: &str, group: &str, kind: &str| {
            let cluster = cluster(&format!("{exprs}{spec}"), &manifest("v1", "Secret", "name: a, namespace: default"));
            let key = ObjectKey { group: group.into(), kind: kind.into(), namespace: "a".into(), name: "a".into() };
            HealthSet::new(node(&cluster)).expression(&key)
        };
        assert_eq!(expression("", "example.org", "Thing"), Some(1));
        assert_eq!(expression("", "example.org", "Other"), Some(0));
        assert_eq!(expression("", "example.com", "Thing"), None);
        assert_eq!(expression("", "batch", "Job"), None);
        assert_eq!(expression("  serviceAccountName: deployer\n", "batch", "Job"), Some(2));
    }
}
