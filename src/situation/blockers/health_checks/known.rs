//! What a cluster has, and what of it the repository does not show, for one look per entry of `healthChecks`.

use rustc_hash::FxHashMap;

use super::best;
use crate::{
    catalog::{CrdCatalog, KindCatalog, Readiness},
    cluster::{Cluster, NodeKey, ObjectKey, Provider, Release, chart_of, has_word},
    flux::{
        Health,
        api::{
            SOURCE_GROUP,
            kinds::{self, SECRET},
        },
        health_of, is_open_text,
    },
    kustomize::Object,
    situation::blockers::{
        View,
        hidden::{Unseen, Wanted, failing},
        known_sources::KnownSources,
        namespaces::{chart_naming, is_spoken_of},
        outside,
    },
    source::Span,
    yaml::Node,
};

/// Groups whose controllers make Secrets, routes, policies and addresses, and no workloads.
const WITHOUT_WORKLOADS: [&str; 14] = [
    "acme.cert-manager.io",
    "bitnami.com",
    "cert-manager.io",
    "cilium.io",
    "crd.projectcalico.org",
    "external-secrets.io",
    "externaldns.k8s.io",
    "gateway.networking.k8s.io",
    "kyverno.io",
    "metallb.io",
    "policy.linkerd.io",
    "snapshot.storage.k8s.io",
    "traefik.io",
    "trust.cert-manager.io",
];

/// Workloads that nobody makes but manifests, charts and operators.
const WORKLOADS: [&str; 3] = ["DaemonSet", "Deployment", "StatefulSet"];

/// What a cluster has.
pub(super) struct Known<'c> {
    pub(super) cluster: &'c Cluster,
    view: View<'c>,
    /// The objects of each group and kind.
    pub(super) kinds: FxHashMap<(&'c str, &'c str), Vec<&'c ObjectKey>>,
    /// Those of each name.
    names: FxHashMap<&'c str, Vec<&'c ObjectKey>>,
    sources: KnownSources,
    unseen: Unseen<'c>,
    /// A Kustomization whose build fails, so that what it holds is not known.
    failing: Option<String>,
}

impl<'c> Known<'c> {
    pub(super) fn new(view: View<'c>) -> Self {
        let cluster = view.cluster;
        let mut kinds: FxHashMap<(&str, &str), Vec<&ObjectKey>> = FxHashMap::default();
        let mut names: FxHashMap<&str, Vec<&ObjectKey>> = FxHashMap::default();
        for key in cluster.objects.keys() {
            kinds.entry((key.group.as_str(), key.kind.as_str())).or_default().push(key);
            names.entry(key.name.as_str()).or_default().push(key);
        }
        let failing = failing(cluster).map(|node| format!("the build of {}, which fails", node.subject()));
        let (sources, unseen) = (KnownSources::new(cluster), Unseen::new(cluster, Some(view.store.tree())));
        Self { cluster, view, kinds, names, sources, unseen, failing }
    }

    pub(super) fn has(&self, key: &ObjectKey) -> bool {
        let name = NodeKey::new(key.namespace.clone(), key.name.clone());
        let mut named = self.names.get(key.name.as_str()).into_iter().flatten();
        let is_source = key.group == SOURCE_GROUP
            && self.sources.named(&key.name).any(|known| ObjectKey::from(&known.source) == *key);
        self.cluster.provides(key)
            || is_source
            || (key.is_kustomization() && self.cluster.find(&name).is_some())
            || self.cluster.implicit.made(key).is_some()
            || named.any(|other| other.is_read_by(key))
    }

    /// What of the cluster may hold the object although the repository does not show it, as a noun phrase.
    pub(super) fn hidden(&self, key: &ObjectKey) -> Option<String> {
        let wanted = Wanted { kind: &key.kind, namespace: &key.namespace, name: &key.name };
        let open = || self.unseen.open(wanted).map(|(_, subject)| subject.to_string());
        let part = self.unseen.part(wanted, &|_| false).or_else(|| self.unseen.template(wanted)).or_else(open);
        part.or_else(|| self.failing.clone()).or_else(|| outside::may_hold(self.view, &key.namespace))
    }

    /// Whether something beside the manifests in sight may make the object. Only of a workload in a namespace that is the repository's own,
    /// into which no release and no operator puts anything, it is certain that nothing does.
    pub(super) fn may_be_made(&self, key: &ObjectKey) -> bool {
        let cluster = self.cluster;
        let is_workload = key.group == "apps" && WORKLOADS.contains(&key.kind.as_str());
        let namespace = cluster.implicit.namespace(&key.namespace).map(|index| &cluster.implicit.namespaces[index]);
        let is_own = namespace.is_some_and(|namespace| !namespace.objects.is_empty());
        !is_workload
            || !is_own
            || self.is_set_up_before(key)
            || self.is_charted(key)
            || self.is_operated(key)
            || self.is_scripted(key)
            || is_spoken_of(self.view, &key.namespace)
    }

    /// Whether what sets the cluster up speaks of the name, or of the beginning of it.
    fn is_set_up_before(&self, key: &ObjectKey) -> bool {
        let ends = key.name.match_indices('-').map(|(at, _)| &key.name[..at]);
        let mut names = ends.chain([key.name.as_str(), key.namespace.as_str()]);
        names.any(|name| self.cluster.implicit.is_installed_before(name))
    }

    /// Whether a release may make it: one in its namespace, one whose values or chart name that, or one of its name.
    fn is_charted(&self, key: &ObjectKey) -> bool {
        let cluster = self.cluster;
        let begins = |name: &str| {
            !name.is_empty() && key.name.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        };
        let in_reach = cluster.releases.iter().any(|release| {
            let spec = &release.helm.spec;
            let target = spec.target_namespace.as_deref().unwrap_or(&release.key.namespace);
            target == key.namespace
                || release.key.namespace == key.namespace
                || is_open_text(target)
                || begins(&release.key.name)
                || chart_of(cluster, release).is_some_and(|chart| begins(&chart.name))
                || speaks_of(cluster, release, &key.namespace)
        });
        in_reach || chart_naming(cluster, &key.namespace).is_some()
    }

    /// Whether an operator may make it of a custom resource: of one in its namespace, of the whole cluster, or of one that names the
    /// namespace.
    fn is_operated(&self, key: &ObjectKey) -> bool {
        let is_near = |other: &ObjectKey| {
            other.namespace.is_empty() || other.namespace == key.namespace || is_open_text(&other.namespace)
        };
        self.cluster.objects.iter().any(|(other, all)| {
            may_run(other) && (is_near(other) || self.any(all, |object| is_said_in_fields(object, &key.namespace)))
        })
    }

    /// Whether a Job may make it: one whose command, or whose script in a ConfigMap, names the namespace.
    fn is_scripted(&self, key: &ObjectKey) -> bool {
        let is_script = |object: &Object, of: &ObjectKey| {
            is_said_in_fields(object, &key.namespace)
                || self.names_of(of, "ConfigMap").any(|(other, all)| {
                    is_said_in_fields(object, &other.name)
                        && self.any(all, |map| is_said_in_fields(map, &key.namespace))
                })
        };
        let jobs = self.cluster.objects.iter().filter(|(other, _)| other.group == "batch");
        jobs.into_iter().any(|(other, all)| self.any(all, |object| is_script(object, other)))
    }

    /// The objects of a kind of the core group in the namespace of `beside`.
    fn names_of<'a>(
        &'a self,
        beside: &'a ObjectKey,
        kind: &'a str,
    ) -> impl Iterator<Item = (&'a ObjectKey, &'a Vec<Provider>)> {
        let all = self.cluster.objects.iter();
        all.filter(move |(key, _)| key.group.is_empty() && key.kind == kind && key.namespace == beside.namespace)
    }

    fn any(&self, providers: &[Provider], is_it: impl Fn(&Object) -> bool) -> bool {
        providers.iter().any(|provider| is_it(self.cluster.object(*provider)))
    }

    /// The object of that kind that is most like the one asked for. Where there are very many, none is looked for.
    pub(super) fn nearest(&self, key: &ObjectKey) -> Option<(ObjectKey, Span)> {
        let of_kind = self.kinds.get(&(key.group.as_str(), key.kind.as_str()))?;
        let place = |other: &ObjectKey| Some(self.cluster.object(*self.cluster.objects.get(other)?.first()?).place());
        best(of_kind.iter().filter_map(|other| Some(((*other).clone(), place(other)?))), key)
    }
}

/// Whether the values of a release name a namespace, or are not all known.
fn speaks_of(cluster: &Cluster, release: &Release, namespace: &str) -> bool {
    let values = release.helm.object.node.find(&["spec", "values"]);
    let mut others = release.helm.spec.values_from.iter().map(|from| ObjectKey {
        group: "".into(),
        kind: from.kind.as_str().into(),
        namespace: release.key.namespace.clone(),
        name: from.name.as_str().into(),
    });
    let may_name = |key: ObjectKey| match cluster.objects.get(&key) {
        Some(providers) => providers.iter().any(|provider| {
            let node = &cluster.object(*provider).node;
            let is_hidden = node.get("sops").is_some()
                || (key.kind == SECRET.kind && node.get("data").is_some_and(|data| data.entries().next().is_some()));
            is_hidden
                || ["data", "stringData"].iter().filter_map(|field| node.get(field)).any(|all| is_said(all, namespace))
        }),
        None => true,
    };
    values.is_some_and(|values| is_said(values, namespace)) || others.any(may_name)
}

/// Whether a field of an object, beside what all objects have, names a namespace.
fn is_said_in_fields(object: &Object, name: &str) -> bool {
    let fields = object.node.entries().filter(|entry| !matches!(entry.key.as_str(), "kind" | "metadata" | "status"));
    fields.into_iter().any(|entry| is_said(&entry.value, name))
}

/// Whether a text below a node has the name as a word.
fn is_said(node: &Node, name: &str) -> bool {
    node.as_str().is_some_and(|text| has_word(text, name))
        || node.items().any(|item| is_said(item, name))
        || node.entries().any(|entry| entry.key == name || is_said(&entry.value, name))
}

/// Whether a controller may make workloads of the object.
fn may_run(key: &ObjectKey) -> bool {
    let is_flux = kinds::of_flux(&key.kind).is_some_and(|id| id.group == key.group) || key.group.ends_with("fluxcd.io");
    if is_flux || health_of(&key.group, &key.kind) != Health::Custom || key.is(kinds::CRD) {
        return false;
    }
    let is_harmless = KindCatalog::builtin()
        .status(&key.group, &key.kind)
        .is_some_and(|row| row.harmless && row.readiness == Readiness::Blind);
    let is_soft = CrdCatalog::builtin().owner(&key.group, &key.kind).is_some_and(|row| row.soft);
    !is_harmless && !is_soft && !WITHOUT_WORKLOADS.contains(&key.group.as_str())
}
