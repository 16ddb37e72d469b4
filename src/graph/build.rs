use petgraph::graph::DiGraph;
use rustc_hash::FxHashMap;

use super::{
    Actor, Edge, Event, EventId, Moment, Reason,
    builder::{Builder, core_key, is_awaited},
    stages,
};
use crate::{
    cluster::{HealthSet, Manifest, Node, NodeId, NodeKey, ObjectKey, Provider, Release, Skipped, workload_maker},
    finding::Confidence,
    flux::{
        Controller, Kustomization, SourceRef,
        api::{
            DependencyReference, OPERATOR_GROUP,
            kinds::{HELM_RELEASE, KUSTOMIZATION},
        },
        expression::{Demand, ready_expr_demand},
    },
    kustomize::ApiVersion,
    source::Span,
    yaml,
};

impl<'c> Builder<'c> {
    pub(super) fn run(mut self) -> (DiGraph<Event, Edge>, FxHashMap<Event, EventId>) {
        for (id, node) in self.cluster.nodes() {
            let mut moments = vec![Moment::Exists, Moment::Start];
            moments.extend(stages::all(self.cluster, node));
            moments.push(Moment::Ready);
            self.progress(Actor::Node(id), &moments, node.span());
        }
        for (index, release) in self.cluster.releases.iter().enumerate() {
            let actor = Actor::Release(index as u32);
            self.progress(actor, &[Moment::Exists, Moment::Start, Moment::Ready], release.helm.name_span());
        }
        for (id, node) in self.cluster.nodes() {
            self.node(id, node);
        }
        for (index, release) in self.cluster.releases.iter().enumerate() {
            self.release(Actor::Release(index as u32), release);
        }
        self.implicit();
        (self.graph, self.by_event)
    }

    fn event(&mut self, actor: Actor, moment: Moment) -> EventId {
        let event = Event { actor, moment };
        let graph = &mut self.graph;
        *self.by_event.entry(event).or_insert_with(|| EventId(graph.add_node(event)))
    }

    pub(super) fn has(&self, actor: Actor, moment: Moment) -> bool {
        self.by_event.contains_key(&Event { actor, moment })
    }

    pub(super) fn edge(&mut self, before: (Actor, Moment), after: (Actor, Moment), reason: Reason, span: Span) {
        self.edge_of(before, after, Edge { reason, span, confidence: Confidence::High });
    }

    pub(super) fn edge_of(&mut self, before: (Actor, Moment), after: (Actor, Moment), edge: Edge) {
        let (from, to) = (self.event(before.0, before.1), self.event(after.0, after.1));
        self.graph.add_edge(from.0, to.0, edge);
    }

    pub(super) fn progress(&mut self, actor: Actor, moments: &[Moment], span: Span) {
        for pair in moments.windows(2) {
            self.edge((actor, pair[0]), (actor, pair[1]), Reason::Progress, span);
        }
    }

    fn node(&mut self, id: NodeId, node: &'c Node) {
        let actor = Actor::Node(id);
        if !node.is_entry {
            let key = ObjectKey::new(KUSTOMIZATION, node.key.namespace.clone(), node.key.name.clone());
            let is_preinstalled = self.is_preinstalled(&key);
            for manifest in node.manifests.iter().filter(|_| !is_preinstalled) {
                if let Some(before) = self.definer(manifest) {
                    let span = manifest.object.node.nearest_span(&["metadata", "name"]).or(manifest.object.source);
                    self.edge(before, (actor, Moment::Exists), Reason::AppliedBy, span);
                }
            }
            // Entry points were set up by hand, and their sources and variables with them.
            self.node_source(actor, node);
            self.inputs(actor, node);
        }
        self.dependencies(actor, node);
        self.health(actor, node);
        self.needs(actor, node);
    }

    /// The event that makes a node of its manifest.
    fn definer(&mut self, manifest: &Manifest) -> Option<(Actor, Moment)> {
        let owner = self.cluster.find(manifest.owner.as_ref()?)?;
        Some(match &manifest.resource_set {
            Some(set) => self.resource_set(owner, set),
            None => (Actor::Node(owner), Moment::Applied),
        })
    }

    /// The event that applies an object.
    pub(super) fn applied(&mut self, provider: Provider) -> (Actor, Moment) {
        let node = self.cluster.node(provider.node);
        match provider.set.and_then(|set| node.resource_sets.get(set)) {
            Some(set) => {
                let key = NodeKey::new(set.namespace.clone(), set.name.clone());
                self.resource_set(provider.node, &key)
            }
            None => (Actor::Node(provider.node), Moment::Applied),
        }
    }

    /// The event that a ResourceSet has applied what it makes.
    fn resource_set(&mut self, owner: NodeId, set: &NodeKey) -> (Actor, Moment) {
        let key = ObjectKey {
            group: OPERATOR_GROUP.into(),
            kind: "ResourceSet".into(),
            namespace: set.namespace.clone(),
            name: set.name.clone(),
        };
        match self.exists(&key) {
            Some(actor) => {
                if !self.has(actor, Moment::Applied) {
                    self.set_events(actor, &key);
                }
                (actor, Moment::Applied)
            }
            None => (Actor::Node(owner), Moment::Applied),
        }
    }

    /// A ResourceSet waits for what it depends on, of any kind, applies, and is Ready then or once what it makes is
    /// (flux-operator v0.58, `resourceset_controller.go`, `checkDependencies`).
    pub(super) fn set_events(&mut self, actor: Actor, key: &'_ ObjectKey) {
        let Some((key, providers)) = self.cluster.objects.get_key_value(key) else { return };
        let Some(object) = providers.first().map(|provider| self.cluster.object(*provider)) else { return };
        self.progress(actor, &[Moment::Exists, Moment::Start, Moment::Applied, Moment::Ready], object.place());
        let spec = object.node.get("spec");
        let entries = spec.and_then(|spec| spec.get("dependsOn")).into_iter().flat_map(yaml::Node::items);
        for entry in entries {
            let text = |name: &str| entry.find_str(&[name]).unwrap_or_default();
            let group = ApiVersion::parse(text("apiVersion")).group;
            let namespace = entry.find_str(&["namespace"]).unwrap_or_default();
            let wanted = ObjectKey {
                group: group.into(),
                kind: text("kind").into(),
                namespace: namespace.into(),
                name: text("name").into(),
            };
            let has_to_be_ready = entry.get("ready").and_then(yaml::Node::as_bool) == Some(true);
            let by_expression = entry.get("readyExpr").is_some();
            let Some(on) = self.readiness(&wanted).or_else(|| self.exists(&wanted)) else { continue };
            let is_ready = has_to_be_ready && !by_expression && self.has(on, Moment::Ready);
            let (moment, reason) =
                if is_ready { (Moment::Ready, Reason::DependsOn) } else { (Moment::Exists, Reason::DependsOnExpr) };
            self.edge((on, moment), (actor, Moment::Start), reason, entry.span);
        }
        if spec.and_then(|spec| spec.get("wait")).and_then(yaml::Node::as_bool) == Some(true) {
            let span = object.node.nearest_span(&["spec", "wait"]);
            let sets = providers.iter().flat_map(|provider| &self.cluster.node(provider.node).resource_sets);
            let set = sets.into_iter().find(|set| set.name == key.name && set.namespace == key.namespace);
            for made in set.into_iter().flat_map(|set| &set.objects) {
                let edge = Edge { reason: Reason::Wait, span, confidence: Confidence::High };
                self.becomes_ready(actor, &made.id().into(), edge);
            }
        }
    }

    fn node_source(&mut self, actor: Actor, node: &'c Node) {
        let spec = &node.kustomization.spec;
        let source = SourceRef::new(&spec.source_ref, &node.key.namespace);
        let span = node.kustomization.span(&["spec", "sourceRef", "name"]);
        self.needs_source(actor, &source, span);
    }

    fn needs_source(&mut self, actor: Actor, source: &SourceRef, span: Span) {
        let key = ObjectKey::from(source);
        match self.readiness(&key) {
            Some(source) => self.edge((source, Moment::Ready), (actor, Moment::Start), Reason::Source, span),
            None => self.needs_object(actor, &key, Reason::Source, span),
        }
    }

    /// `actor` cannot start before the object exists. Objects that the repository does not hold are somebody else's.
    pub(super) fn needs_object(&mut self, actor: Actor, key: &ObjectKey, reason: Reason, span: Span) {
        let made = self.cluster.implicit.made(key).map(|index| Actor::Made(index as u32));
        if let Some(before) = self.exists(key).or(made) {
            self.edge((before, Moment::Exists), (actor, Moment::Start), reason, span);
        }
    }

    /// The actor of an object of some build, with the event that it exists.
    pub(super) fn exists(&mut self, key: &ObjectKey) -> Option<Actor> {
        let (key, providers) = self.cluster.objects.get_key_value(key)?;
        let node_key = NodeKey::new(key.namespace.clone(), key.name.clone());
        if key.is_kustomization() {
            return self.cluster.find(&node_key).map(Actor::Node);
        }
        if key.is_helm_release() {
            return self.cluster.release(&node_key).map(|index| Actor::Release(index as u32));
        }
        let object = Actor::Object(*self.positions.get(key)?);
        if !self.has(object, Moment::Exists) {
            self.event(object, Moment::Exists);
            // What an entry point's own build holds was applied with it.
            let is_preinstalled = self.is_preinstalled(key);
            for provider in providers.iter().filter(|_| !is_preinstalled) {
                let before = self.applied(*provider);
                self.edge(before, (object, Moment::Exists), Reason::AppliedBy, self.cluster.object(*provider).place());
            }
        }
        Some(object)
    }

    /// Whether an object is there before anything is reconciled: it is made outside the repository or by what sets the cluster
    /// up, or an entry point needs it.
    pub(super) fn is_preinstalled(&self, key: &ObjectKey) -> bool {
        self.cluster.is_external(&key.kind, &key.namespace, &key.name) || self.cluster.implicit.is_given(key)
    }

    /// The dependencies of every manifest: where there are several, any of them may be in force.
    fn dependencies(&mut self, actor: Actor, node: &'c Node) {
        self.depends_on(actor, &node.kustomization);
        let mut known = vec![node.kustomization.object.source];
        for manifest in &node.manifests {
            if !known.contains(&manifest.object.source) {
                known.push(manifest.object.source);
                self.depends_on(actor, &Kustomization::read(manifest.object.clone()));
            }
        }
    }

    fn depends_on(&mut self, actor: Actor, kustomization: &Kustomization) {
        for (index, dependency) in kustomization.spec.depends_on.iter().enumerate() {
            let namespace = dependency.namespace.as_deref().unwrap_or(&kustomization.namespace);
            let Some(on) = self.cluster.find(&NodeKey::new(namespace, dependency.name.as_str())) else { continue };
            let span = kustomization.item_span(&["spec", "dependsOn"], index);
            let specs =
                [&kustomization.object, &self.cluster.node(on).kustomization.object].map(|it| it.node.get("spec"));
            let (moment, reason) = demanded(dependency, specs, &self.cluster.controllers.kustomize);
            self.edge((Actor::Node(on), moment), (actor, Moment::Start), reason, span);
        }
    }

    /// ConfigMaps, Secrets and the ServiceAccount that a Kustomization reads before it builds (kustomize-controller v1.9,
    /// `reconcile`).
    fn inputs(&mut self, actor: Actor, node: &'c Node) {
        let sources: Vec<_> = crate::flux::variable_sources(&node.kustomization).collect();
        for (reference, span) in sources.into_iter().filter(|(reference, _)| !reference.optional) {
            let key = core_key(&reference.kind, &node.key.namespace, &reference.name);
            self.needs_object(actor, &key, Reason::SubstituteFrom, span);
        }
        let spec = node.kustomization.object.node.get("spec");
        let named: [(&[&str], &str, Reason); 4] = [
            (&["kubeConfig", "secretRef", "name"], "Secret", Reason::KubeConfig),
            (&["kubeConfig", "configMapRef", "name"], "ConfigMap", Reason::KubeConfig),
            (&["decryption", "secretRef", "name"], "Secret", Reason::Decryption),
            (&["serviceAccountName"], "ServiceAccount", Reason::ServiceAccount),
        ];
        for (keys, kind, reason) in named {
            if let Some(name) = spec.and_then(|spec| spec.find(keys))
                && let Some(text) = name.as_str()
                && !(node.is_remote() && reason == Reason::ServiceAccount)
            {
                let key = core_key(kind, &node.key.namespace, text);
                // The key to what is encrypted was brought by hand before.
                if reason != Reason::Decryption || !self.is_encrypted(&key) {
                    self.needs_object(actor, &key, reason, name.span);
                }
            }
        }
    }

    fn is_encrypted(&self, key: &ObjectKey) -> bool {
        let mut providers = self.cluster.objects.get(key).into_iter().flatten();
        providers.any(|provider| self.cluster.object(*provider).node.get("sops").is_some())
    }

    /// What the health check of a Kustomization looks at, as far as it waits for anything else in this graph.
    fn health(&mut self, actor: Actor, node: &'c Node) {
        // Its objects are in another cluster.
        if node.is_remote() {
            return;
        }
        let has_event = |kind: &str| !node.kustomization.spec.wait || is_awaited(kind);
        for member in HealthSet::of_kinds(node, &has_event).checked() {
            let reason = if member.entry.is_some() { Reason::HealthCheck } else { Reason::Wait };
            // The second attempt passes over it, so it takes time, and stops nothing.
            let is_lasting = member.skipped == Skipped::Never;
            let confidence = if is_lasting { Confidence::High } else { Confidence::Low };
            self.becomes_ready(actor, &member.built(), Edge { reason, span: member.span, confidence });
        }
    }

    fn becomes_ready(&mut self, actor: Actor, key: &ObjectKey, edge: Edge) {
        let is_suspended = key.is_helm_release() && {
            let release = self.cluster.release(&NodeKey::new(key.namespace.clone(), key.name.clone()));
            // One that is created suspended counts as healthy at once (helm-controller v1.6 sets only the generation).
            release.is_some_and(|index| self.cluster.releases[index].helm.spec.suspend)
        };
        if let Some(awaited) = self.readiness(key).filter(|awaited| *awaited != actor && !is_suspended) {
            self.edge_of((awaited, Moment::Ready), (actor, Moment::Ready), edge);
        } else if edge.reason == Reason::HealthCheck {
            self.must_exist(actor, key, edge.span);
        }
    }

    /// An entry of `healthChecks` that names what another applies, or what a controller makes, waits until it is there.
    fn must_exist(&mut self, actor: Actor, key: &ObjectKey, span: Span) {
        let is_own = |provider: &Provider| actor == Actor::Node(provider.node);
        if self.cluster.objects.get(key).is_some_and(|providers| providers.iter().any(is_own)) {
            return;
        }
        let made = self.cluster.implicit.made(key).map(|index| Actor::Made(index as u32));
        if let Some(before) = self.exists(key).or(made).filter(|before| *before != actor) {
            self.edge((before, Moment::Exists), (actor, Moment::Ready), Reason::HealthCheck, span);
        } else if let Actor::Node(node) = actor
            && let Some(release) = workload_maker(self.cluster, node, key)
        {
            // Helm makes it in the installation, so it is healthy when the release is, or shortly before.
            let key = &self.cluster.releases[release].key;
            let release = ObjectKey::new(HELM_RELEASE, key.namespace.clone(), key.name.clone());
            let edge = Edge { reason: Reason::HealthCheck, span, confidence: Confidence::Medium };
            self.becomes_ready(actor, &release, edge);
        }
    }

    fn release(&mut self, actor: Actor, release: &'c Release) {
        for provider in &release.providers {
            let object = self.cluster.object(*provider);
            let span = object.node.nearest_span(&["metadata", "name"]).or(object.source);
            let before = self.applied(*provider);
            self.edge(before, (actor, Moment::Exists), Reason::AppliedBy, span);
        }
        let spec = &release.helm.spec;
        for (index, dependency) in spec.depends_on.iter().enumerate() {
            let namespace = dependency.namespace.as_deref().unwrap_or(&release.key.namespace);
            let Some(on) = self.cluster.release(&NodeKey::new(namespace, dependency.name.as_str())) else { continue };
            let span = release.helm.item_span(&["spec", "dependsOn"], index);
            let specs = [&release.helm.object, &self.cluster.releases[on].helm.object].map(|it| it.node.get("spec"));
            let (moment, reason) = demanded(dependency, specs, &self.cluster.controllers.helm);
            self.edge((Actor::Release(on as u32), moment), (actor, Moment::Start), reason, span);
        }
        let (reference, route): (_, &[&str]) = match (&spec.chart_ref, &spec.chart) {
            (Some(reference), _) => (Some(reference), &["spec", "chartRef", "name"]),
            (None, Some(chart)) => (Some(&chart.spec.source_ref), &["spec", "chart", "spec", "sourceRef", "name"]),
            (None, None) => (None, &[]),
        };
        if let Some(reference) = reference {
            self.needs_source(actor, &SourceRef::new(reference, &release.key.namespace), release.helm.span(route));
        }
        for (index, values) in spec.values_from.iter().enumerate().filter(|(_, values)| !values.optional) {
            let span = release.helm.item_span(&["spec", "valuesFrom"], index);
            let key = core_key(&values.kind, &release.key.namespace, &values.name);
            self.needs_object(actor, &key, Reason::ValuesFrom, span);
        }
    }
}

/// What a dependency has to come to before the dependent starts, given the specs of the dependent and of the dependency.
/// A `readyExpr` takes the place of the check for readiness; one that cannot be judged asks for no more than existence
/// (kustomize-controller v1.9 and helm-controller v1.6, `checkDependencies`). With the gate `AdditiveCELDependencyCheck` it is
/// one check more.
fn demanded(
    dependency: &DependencyReference,
    [own, on]: [Option<&yaml::Node>; 2],
    controller: &Controller,
) -> (Moment, Reason) {
    if controller.has_gate("AdditiveCELDependencyCheck") {
        return (Moment::Ready, Reason::DependsOn);
    }
    // An empty expression counts as none.
    let text = dependency.ready_expr.as_deref().filter(|text| !text.is_empty());
    match text.map(|text| ready_expr_demand(text, own, on)) {
        None | Some(Ok(Demand::Ready)) => (Moment::Ready, Reason::DependsOn),
        Some(Ok(Demand::Exists) | Err(_)) => (Moment::Exists, Reason::DependsOnExpr),
    }
}
