use petgraph::graph::DiGraph;
use rustc_hash::FxHashMap;

use super::{Actor, Edge, Event, EventGraph, EventId, Moment, Reason};
use crate::{
    cluster::{Cluster, Node, NodeId, NodeKey, ObjectKey, Provider, Release},
    flux::{
        Kustomization, Policy, SourceRef,
        api::{DependencyReference, SOURCE_EXTENSIONS_GROUP, SOURCE_GROUP},
        expression::{Demand, ready_expr_demand},
    },
    source::Span,
    yaml,
};

/// Builds the event graph of a cluster.
pub(super) struct Builder<'c> {
    cluster: &'c Cluster,
    graph: DiGraph<Event, Edge>,
    by_event: FxHashMap<Event, EventId>,
    positions: FxHashMap<&'c ObjectKey, u32>,
}

impl<'c> Builder<'c> {
    pub(super) fn new(cluster: &'c Cluster) -> Self {
        let positions = cluster.objects.keys().enumerate().map(|(index, key)| (key, index as u32)).collect();
        Self { cluster, graph: DiGraph::new(), by_event: FxHashMap::default(), positions }
    }

    pub(super) fn run(mut self) -> EventGraph {
        for (id, node) in self.cluster.nodes() {
            self.progress(
                Actor::Node(id),
                &[Moment::Exists, Moment::Start, Moment::Applied, Moment::Ready],
                node.span(),
            );
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
        EventGraph { graph: self.graph, by_event: self.by_event }
    }

    fn event(&mut self, actor: Actor, moment: Moment) -> EventId {
        let event = Event { actor, moment };
        let graph = &mut self.graph;
        *self.by_event.entry(event).or_insert_with(|| EventId(graph.add_node(event)))
    }

    fn edge(&mut self, before: (Actor, Moment), after: (Actor, Moment), reason: Reason, span: Span) {
        let (from, to) = (self.event(before.0, before.1), self.event(after.0, after.1));
        self.graph.add_edge(from.0, to.0, Edge { reason, span });
    }

    fn progress(&mut self, actor: Actor, moments: &[Moment], span: Span) {
        for pair in moments.windows(2) {
            self.edge((actor, pair[0]), (actor, pair[1]), Reason::Progress, span);
        }
    }

    fn node(&mut self, id: NodeId, node: &'c Node) {
        let actor = Actor::Node(id);
        if !node.is_entry {
            for definition in &node.definitions {
                let Some(owner) = definition.owner.as_ref().and_then(|owner| self.cluster.find(owner)) else {
                    continue;
                };
                let span = definition.object.node.nearest_span(&["metadata", "name"]).or(definition.object.source);
                self.edge((Actor::Node(owner), Moment::Applied), (actor, Moment::Exists), Reason::AppliedBy, span);
            }
            // Entry points were set up by hand, and their sources and variables with them.
            self.node_source(actor, node);
            self.substitute_from(actor, node);
        }
        self.dependencies(actor, node);
        self.health(actor, node);
    }

    fn node_source(&mut self, actor: Actor, node: &'c Node) {
        let spec = &node.kustomization.spec;
        let source = SourceRef::of(&spec.source_ref, &node.key.namespace);
        let span = node.kustomization.span(&["spec", "sourceRef", "name"]);
        self.needs_source(actor, &source, span);
    }

    fn needs_source(&mut self, actor: Actor, source: &SourceRef, span: Span) {
        let group = if source.kind == "ExternalArtifact" { SOURCE_EXTENSIONS_GROUP } else { SOURCE_GROUP };
        let key = ObjectKey {
            group: group.into(),
            kind: source.kind.clone(),
            namespace: source.namespace.clone(),
            name: source.name.clone(),
        };
        self.needs_object(actor, &key, Reason::Source, span);
    }

    /// `actor` cannot start before the object exists. Objects that the repository does not hold are somebody else's.
    fn needs_object(&mut self, actor: Actor, key: &ObjectKey, reason: Reason, span: Span) {
        let Some((index, providers)) = self.object(key) else { return };
        let object = Actor::Object(index);
        if !self.by_event.contains_key(&Event { actor: object, moment: Moment::Exists }) {
            // What an entry point's own build holds was applied with it.
            let is_given = providers.iter().any(|provider| self.is_bootstrapped(*provider, key));
            self.event(object, Moment::Exists);
            for provider in providers.iter().filter(|_| !is_given) {
                let span = self.cluster.object(*provider).source;
                self.edge(
                    (Actor::Node(provider.node), Moment::Applied),
                    (object, Moment::Exists),
                    Reason::AppliedBy,
                    span,
                );
            }
        }
        self.edge((object, Moment::Exists), (actor, Moment::Start), reason, span);
    }

    fn object(&self, key: &ObjectKey) -> Option<(u32, &'c [Provider])> {
        let providers = self.cluster.objects.get(key)?;
        Some((*self.positions.get(key)?, providers))
    }

    /// Whether an object is there before anything is reconciled: the source of an entry point, which bootstrap applies.
    fn is_bootstrapped(&self, provider: Provider, key: &ObjectKey) -> bool {
        let node = self.cluster.node(provider.node);
        if !node.is_entry {
            return false;
        }
        let source = SourceRef::of(&node.kustomization.spec.source_ref, &node.key.namespace);
        source.kind == key.kind && source.namespace == key.namespace && source.name == key.name
    }

    /// The dependencies of every definition: where there are several, any of them may be in force.
    fn dependencies(&mut self, actor: Actor, node: &'c Node) {
        self.depends_on(actor, &node.kustomization);
        let mut known = vec![node.kustomization.object.source];
        for definition in &node.definitions {
            if !known.contains(&definition.object.source) {
                known.push(definition.object.source);
                self.depends_on(actor, &Kustomization::read(definition.object.clone()));
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
            let (moment, reason) = demanded(dependency, specs);
            self.edge((Actor::Node(on), moment), (actor, Moment::Start), reason, span);
        }
    }

    fn substitute_from(&mut self, actor: Actor, node: &'c Node) {
        let sources: Vec<_> = crate::flux::variable_sources(&node.kustomization).collect();
        for (reference, span) in sources.into_iter().filter(|(reference, _)| !reference.optional) {
            let key = core_key(&reference.kind, &node.key.namespace, &reference.name);
            self.needs_object(actor, &key, Reason::SubstituteFrom, span);
        }
    }

    /// The health set: every applied object with `wait`, else the listed ones, less the node itself
    /// (kustomize-controller v1.9, `checkHealth`).
    fn health(&mut self, actor: Actor, node: &'c Node) {
        let spec = &node.kustomization.spec;
        if node.is_remote() {
            return;
        }
        if spec.wait {
            let span = node.kustomization.span(&["spec", "wait"]);
            for object in &node.applied.build.objects {
                let key: ObjectKey = object.id().into();
                if is_awaited(&key) && Policy::of(&object.node).applied {
                    self.becomes_ready(actor, &key, Reason::Wait, span);
                }
            }
        } else {
            for (index, check) in spec.health_checks.iter().enumerate() {
                let span = node.kustomization.item_span(&["spec", "healthChecks"], index);
                let group = check.api_version.as_deref().unwrap_or("apps/v1");
                let group = group.split_once('/').map_or("", |(group, _)| group);
                let key = ObjectKey {
                    group: group.into(),
                    kind: check.kind.as_str().into(),
                    namespace: check.namespace.as_deref().unwrap_or_default().into(),
                    name: check.name.as_str().into(),
                };
                self.becomes_ready(actor, &key, Reason::HealthCheck, span);
            }
        }
    }

    fn becomes_ready(&mut self, actor: Actor, key: &ObjectKey, reason: Reason, span: Span) {
        let node_key = NodeKey::new(key.namespace.clone(), key.name.clone());
        let awaited = if key.is_kustomization() {
            self.cluster.find(&node_key).map(Actor::Node)
        } else if key.is_helm_release() {
            let release = self.cluster.release(&node_key);
            // One that is created suspended counts as healthy at once (helm-controller v1.6 sets only the generation).
            release
                .filter(|index| !self.cluster.releases[*index].helm.spec.suspend)
                .map(|index| Actor::Release(index as u32))
        } else {
            None
        };
        if let Some(awaited) = awaited.filter(|awaited| *awaited != actor) {
            self.edge((awaited, Moment::Ready), (actor, Moment::Ready), reason, span);
        }
    }

    fn release(&mut self, actor: Actor, release: &'c Release) {
        for provider in &release.providers {
            let object = self.cluster.object(*provider);
            let span = object.node.nearest_span(&["metadata", "name"]).or(object.source);
            self.edge((Actor::Node(provider.node), Moment::Applied), (actor, Moment::Exists), Reason::AppliedBy, span);
        }
        let spec = &release.helm.spec;
        for (index, dependency) in spec.depends_on.iter().enumerate() {
            let namespace = dependency.namespace.as_deref().unwrap_or(&release.key.namespace);
            let Some(on) = self.cluster.release(&NodeKey::new(namespace, dependency.name.as_str())) else { continue };
            let span = release.helm.item_span(&["spec", "dependsOn"], index);
            let specs = [&release.helm.object, &self.cluster.releases[on].helm.object].map(|it| it.node.get("spec"));
            let (moment, reason) = demanded(dependency, specs);
            self.edge((Actor::Release(on as u32), moment), (actor, Moment::Start), reason, span);
        }
        let (reference, route): (_, &[&str]) = match (&spec.chart_ref, &spec.chart) {
            (Some(reference), _) => (Some(reference), &["spec", "chartRef", "name"]),
            (None, Some(chart)) => (Some(&chart.spec.source_ref), &["spec", "chart", "spec", "sourceRef", "name"]),
            (None, None) => (None, &[]),
        };
        if let Some(reference) = reference {
            self.needs_source(actor, &SourceRef::of(reference, &release.key.namespace), release.helm.span(route));
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
/// (kustomize-controller v1.9 and helm-controller v1.6, `checkDependencies`, gate `AdditiveCELDependencyCheck` off).
fn demanded(dependency: &DependencyReference, [own, on]: [Option<&yaml::Node>; 2]) -> (Moment, Reason) {
    // An empty expression counts as none.
    let text = dependency.ready_expr.as_deref().filter(|text| !text.is_empty());
    match text.map(|text| ready_expr_demand(text, own, on)) {
        None | Some(Ok(Demand::Ready)) => (Moment::Ready, Reason::DependsOn),
        Some(Ok(Demand::Exists) | Err(_)) => (Moment::Exists, Reason::DependsOnExpr),
    }
}

fn core_key(kind: &str, namespace: &str, name: &str) -> ObjectKey {
    ObjectKey { group: "".into(), kind: kind.into(), namespace: namespace.into(), name: name.into() }
}

/// Whether the object's readiness is an event of this graph.
fn is_awaited(key: &ObjectKey) -> bool {
    key.is_kustomization() || key.is_helm_release()
}
