//! What the objects of an apply wait for beside what Flux's own objects name: CRDs of custom resources and
//! namespaces before the dry-run, and what keeps an object from becoming healthy.

use std::collections::BTreeMap;

use super::{
    Actor, Edge, Moment, Reason,
    builder::{Builder, core_key},
    stages,
};
use crate::{
    catalog,
    cluster::{Node, NodeKey, ObjectKey},
    finding::Confidence,
    flux::{
        Policy, SourceRef,
        api::{OPERATOR_GROUP, SOURCE_EXTENSIONS_GROUP, SOURCE_GROUP},
        is_open_text,
    },
    kustomize::{ApiVersion, is_cluster_scoped},
    source::Span,
    yaml,
};

impl<'c> Builder<'c> {
    /// What a Kustomization's objects need before they can be applied: one failed dry-run keeps back the whole stage.
    pub(super) fn needs(&mut self, actor: Actor, node: &'c Node) {
        if node.is_remote() {
            return;
        }
        let mut needed: BTreeMap<(Actor, Moment), Span> = BTreeMap::new();
        for object in node.applied.build.objects.iter().filter(|object| Policy::new(&object.node).applied) {
            let stage = stages::needing(self.cluster, &object.node);
            if let Some(kind) = stages::custom_kind(self.cluster, &object.node) {
                needed.entry((Actor::Kind(kind as u32), stage)).or_insert_with(|| object.place());
            }
            if let Some(namespace) = self.namespace(&object.node) {
                needed.entry((Actor::Namespace(namespace), stage)).or_insert_with(|| object.place());
            }
        }
        for ((needed, stage), span) in needed {
            let (reason, confidence) = self.requirement(needed);
            self.edge_of((needed, Moment::Exists), (actor, stage), Edge { reason, span, confidence });
        }
    }

    /// How sure it is that nothing but the cluster's own nodes provides what is needed.
    fn requirement(&self, needed: Actor) -> (Reason, Confidence) {
        let implicit = &self.cluster.implicit;
        match needed {
            Actor::Kind(index) => {
                let kind = &implicit.kinds[index as usize];
                let is_guess = kind.charts.iter().all(|chart| chart.confidence == catalog::Confidence::Low);
                let confidence = match (kind.crds.is_empty(), is_guess) {
                    (false, _) => Confidence::High,
                    (true, false) => Confidence::Medium,
                    (true, true) => Confidence::Low,
                };
                (Reason::NeedsKind, confidence)
            }
            Actor::Namespace(index) => {
                // Without a Namespace in any build it may as well be made by hand.
                let is_guess = implicit.namespaces[index as usize].objects.is_empty();
                (Reason::NeedsNamespace, if is_guess { Confidence::Medium } else { Confidence::High })
            }
            _ => (Reason::NeedsNamespace, Confidence::Low),
        }
    }

    /// The namespace an object lies in, where something in the cluster makes it.
    fn namespace(&self, object: &yaml::Node) -> Option<u32> {
        let namespace = object.find_str(&["metadata", "namespace"])?;
        let index = self.cluster.implicit.namespace(namespace)?;
        let kind = object.find_str(&["kind"])?;
        let api_version = object.find_str(&["apiVersion"])?;
        let ApiVersion { group, version } = ApiVersion::parse(api_version);
        // kustomize sets a namespace on custom resources of the cluster's scope as well.
        let is_of_cluster =
            kind.starts_with("Cluster") || stages::is_class(object) || is_cluster_scoped(group, version, kind);
        (!is_of_cluster && !is_open_text(namespace)).then_some(index as u32)
    }

    /// Draws in what provides the CRDs and namespaces that something needs, and the objects that controllers make.
    pub(super) fn implicit(&mut self) {
        let cluster = self.cluster;
        for (index, kind) in cluster.implicit.kinds.iter().enumerate() {
            let actor = Actor::Kind(index as u32);
            if !self.has(actor, Moment::Exists) {
                continue;
            }
            for provider in &kind.crds {
                let before = self.defined(*provider);
                self.edge(before, (actor, Moment::Exists), Reason::AppliedBy, cluster.object(*provider).place());
            }
            for chart in &kind.charts {
                let span = cluster.releases[chart.release].helm.name_span();
                let moment = if chart.at_runtime { Moment::Ready } else { Moment::Start };
                let before = (Actor::Release(chart.release as u32), moment);
                self.edge(before, (actor, Moment::Exists), Reason::Installs, span);
            }
        }
        for (index, namespace) in cluster.implicit.namespaces.iter().enumerate() {
            let actor = Actor::Namespace(index as u32);
            if !self.has(actor, Moment::Exists) {
                continue;
            }
            for provider in &namespace.objects {
                let before = self.defined(*provider);
                self.edge(before, (actor, Moment::Exists), Reason::AppliedBy, cluster.object(*provider).place());
            }
            for release in &namespace.releases {
                let span = cluster.releases[*release].helm.span(&["spec", "targetNamespace"]);
                let before = (Actor::Release(*release as u32), Moment::Start);
                self.edge(before, (actor, Moment::Exists), Reason::CreatesNamespace, span);
            }
        }
        for (index, made) in cluster.implicit.made.iter().enumerate() {
            let actor = Actor::Made(index as u32);
            if self.has(actor, Moment::Exists) {
                for maker in &made.makers {
                    self.made_of(actor, maker);
                }
            }
        }
    }

    fn made_of(&mut self, made: Actor, maker: &ObjectKey) {
        let ready = self.readiness(maker).map(|actor| (actor, Moment::Ready));
        let Some(before) = ready.or_else(|| self.exists(maker).map(|actor| (actor, Moment::Exists))) else { return };
        let span = self.cluster.objects.get(maker).and_then(|providers| providers.first());
        let span = span.map_or(Span::NONE, |provider| self.cluster.object(*provider).place());
        self.edge(before, (made, Moment::Exists), Reason::BuiltFrom, span);
    }

    /// The event that applies a CRD or a Namespace: the first stage, where it is the Kustomization's own.
    fn defined(&mut self, provider: crate::cluster::Provider) -> (Actor, Moment) {
        match self.applied(provider) {
            (actor @ Actor::Node(_), Moment::Applied) if self.has(actor, Moment::Defined) => (actor, Moment::Defined),
            other => other,
        }
    }

    /// The actor whose readiness is an event of the graph, with what that waits for. `None` for objects that are Current
    /// at once or whose readiness rests on nothing else in the repository.
    pub(super) fn readiness(&mut self, key: &ObjectKey) -> Option<Actor> {
        let known: fn(&mut Self, Actor, &ObjectKey, &'c yaml::Node) = match (key.group.as_str(), key.kind.as_str()) {
            _ if key.is_kustomization() => {
                return self.cluster.find(&NodeKey::new(key.namespace.clone(), key.name.clone())).map(Actor::Node);
            }
            _ if key.is_helm_release() => {
                let release = self.cluster.release(&NodeKey::new(key.namespace.clone(), key.name.clone()));
                return release.map(|index| Actor::Release(index as u32));
            }
            (OPERATOR_GROUP, "ResourceSet") => {
                let actor = self.exists(key)?;
                if !self.has(actor, Moment::Ready) {
                    self.set_events(actor, key);
                }
                return Some(actor);
            }
            (OPERATOR_GROUP, "FluxInstance") => |_, _, _, _| {},
            (SOURCE_GROUP, _) => Self::source_events,
            (SOURCE_EXTENSIONS_GROUP, "ArtifactGenerator") => Self::generator_events,
            ("external-secrets.io", "ExternalSecret") => Self::secret_events,
            ("", "PersistentVolumeClaim") => Self::claim_events,
            _ => return None,
        };
        let actor = self.exists(key)?;
        if !self.has(actor, Moment::Ready) {
            let provider = self.cluster.objects.get(key)?.first()?;
            let object = self.cluster.object(*provider);
            self.progress(actor, &[Moment::Exists, Moment::Ready], object.place());
            known(self, actor, key, &object.node);
        }
        Some(actor)
    }

    /// A source logs in with a Secret of its namespace (source-controller v1.9).
    fn source_events(&mut self, actor: Actor, key: &ObjectKey, node: &'c yaml::Node) {
        if self.is_preinstalled(key) {
            return;
        }
        for field in ["secretRef", "certSecretRef", "proxySecretRef"] {
            let Some(name) = node.find(&["spec", field, "name"]) else { continue };
            let Some(text) = name.as_str() else { continue };
            let secret = core_key("Secret", &key.namespace, text);
            let made = self.cluster.implicit.made(&secret).map(|index| Actor::Made(index as u32));
            if let Some(before) = self.exists(&secret).or(made) {
                self.edge((before, Moment::Exists), (actor, Moment::Ready), Reason::Credentials, name.span);
            }
        }
    }

    /// An ArtifactGenerator copies from its sources (source-watcher v2.2).
    fn generator_events(&mut self, actor: Actor, key: &ObjectKey, node: &'c yaml::Node) {
        for source in node.find(&["spec", "sources"]).into_iter().flat_map(yaml::Node::items) {
            let text = |name: &str| source.find_str(&[name]);
            let (Some(kind), Some(name)) = (text("kind"), text("name")) else { continue };
            let namespace = text("namespace").unwrap_or(&key.namespace);
            let source_ref = SourceRef { kind: kind.into(), namespace: namespace.into(), name: name.into() };
            if let Some(before) = self.readiness(&ObjectKey::from(&source_ref)) {
                self.edge((before, Moment::Ready), (actor, Moment::Ready), Reason::Source, source.span);
            }
        }
    }

    /// An ExternalSecret is Ready once its store is there and gives the values.
    fn secret_events(&mut self, actor: Actor, key: &ObjectKey, node: &'c yaml::Node) {
        let Some(reference) = node.find(&["spec", "secretStoreRef"]) else { return };
        let kind = reference.find_str(&["kind"]).unwrap_or("SecretStore");
        let Some(name) = reference.get("name") else { return };
        // kustomize sets a namespace on a ClusterSecretStore as well.
        let namespaces: Vec<&str> = if kind == "SecretStore" { vec![&key.namespace] } else { vec!["", &key.namespace] };
        for namespace in namespaces {
            let store = ObjectKey {
                group: "external-secrets.io".into(),
                kind: kind.into(),
                namespace: namespace.into(),
                name: name.as_str().unwrap_or_default().into(),
            };
            if let Some(before) = self.exists(&store) {
                self.edge((before, Moment::Exists), (actor, Moment::Ready), Reason::SecretStore, name.span);
                return;
            }
        }
    }
}
