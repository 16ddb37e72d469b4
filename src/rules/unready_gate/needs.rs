//! What shows that a dependent needs more of its dependency than that its objects are applied.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashSet;
use smol_str::SmolStr;

use crate::{
    catalog::{CrdCatalog, CrdOwner, is_network_plugin},
    cluster::{Cluster, Node, NodeId, ObjectKey, chart_of, installs_crds},
    finding::{Confidence, Subject},
    flux::{Health, Policy, health_of, variable_sources},
    graph::{Actor, Event, EventId, Moment},
    kustomize::Object,
    rules::{
        Situation,
        order::{comes_later, past},
        wording::{NETWORK_FIRST, worth},
    },
    source::Span,
};

/// Something that a dependent needs, and that the dependency has not got when it is Ready.
pub(super) struct Need {
    /// What it is, for the message.
    pub(super) what: String,
    /// What needs it, how, and where.
    pub(super) user: Subject,
    pub(super) use_text: String,
    pub(super) used_at: Span,
    /// What provides it, and where.
    pub(super) provider: Subject,
    pub(super) provided_at: Span,
    /// The Kustomization that builds the provider.
    pub(super) holder: NodeId,
    /// The entry of `healthChecks` that would wait for it.
    pub(super) check: String,
    /// Whether that names an object which the Kustomization applies.
    pub(super) is_applied: bool,
    /// Reason and message of the controller.
    pub(super) symptom: String,
    pub(super) confidence: Confidence,
    /// Why it may be there all the same.
    pub(super) excuse: Option<Excuse>,
}

/// Why something that nothing waits for is likely to be there in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Excuse {
    /// A file for the bootstrap of the cluster names the chart.
    Bootstrap,
    /// It gives pods their network, those of Flux among them.
    Network,
    /// What else the dependent waits for takes much longer.
    Clock,
}

impl Excuse {
    /// The sentence that says so.
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Bootstrap => {
                " A file for the bootstrap of the cluster names the chart, so it may well be there before Flux is."
            }
            Self::Network => NETWORK_FIRST,
            Self::Clock => {
                " What else the dependent waits for takes so much longer that it is there by then, as long as that other wait stays."
            }
        }
    }
}

/// Group and kind.
type Kind = (SmolStr, SmolStr);

/// The custom resources of a node whose CRDs the repository does not hold: one of each kind.
type Customs<'a> = BTreeMap<Kind, &'a Object>;

/// Looks for needs in one cluster.
pub(super) struct Needs<'a> {
    situation: &'a Situation<'a>,
    /// Those of each node, by position in the cluster.
    customs: Vec<Customs<'a>>,
    /// The releases of each node, by position in the cluster.
    releases: BTreeMap<NodeId, Vec<usize>>,
    /// The Kustomizations that each one applies.
    children: BTreeMap<NodeId, Vec<NodeId>>,
}

impl<'a> Needs<'a> {
    pub(super) fn new(situation: &'a Situation<'a>) -> Self {
        let cluster = situation.cluster;
        let mut releases: BTreeMap<NodeId, Vec<usize>> = BTreeMap::new();
        for (index, release) in cluster.releases.iter().enumerate() {
            for provider in &release.providers {
                releases.entry(provider.node).or_default().push(index);
            }
        }
        let mut children: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
        for (id, node) in cluster.nodes() {
            for owner in node.manifests.iter().filter_map(|definition| cluster.find(definition.owner.as_ref()?)) {
                if owner != id {
                    children.entry(owner).or_default().push(id);
                }
            }
        }
        let defined = defined(cluster);
        let customs = cluster.nodes.iter().map(|node| customs(node, &defined)).collect();
        Self { situation, customs, releases, children }
    }

    /// What `dependent` needs of something that one of `holders` builds, and gets too late.
    pub(super) fn of(&self, dependent: NodeId, holders: &[NodeId]) -> Option<Need> {
        self.variables(dependent, holders).or_else(|| self.definitions(dependent, holders))
    }

    /// The node and all that it applies.
    pub(super) fn subtree(&self, top: NodeId) -> Vec<NodeId> {
        let mut found = vec![top];
        let mut seen = FxHashSet::from_iter([top]);
        let mut at = 0;
        while let Some(id) = found.get(at).copied() {
            let children = self.children.get(&id).into_iter().flatten().copied();
            found.extend(children.filter(|child| seen.insert(*child)));
            at += 1;
        }
        found
    }

    /// Kinds whose CRDs come with a chart of the dependency.
    fn definitions(&self, dependent: NodeId, holders: &[NodeId]) -> Option<Need> {
        let cluster = self.situation.cluster;
        if holders.contains(&dependent) {
            return None;
        }
        let mut past: Option<FxHashSet<EventId>> = None;
        for ((group, kind), object) in &self.customs[dependent.index()] {
            let Some(row) = CrdCatalog::builtin().owner(group, kind).filter(|row| !row.soft) else { continue };
            for (holder, index) in self.installers(holders, row) {
                let past = past.get_or_insert_with(|| self.past(dependent));
                if self.is_met(past, dependent, index, group) {
                    continue;
                }
                let release = &cluster.releases[index];
                let chart = chart_of(cluster, release)?;
                let excuse = if is_network_plugin(&chart.name) {
                    Some(Excuse::Network)
                } else if self.is_bootstrapped(&[&chart.name, &release.key.name]) {
                    Some(Excuse::Bootstrap)
                } else {
                    self.comes_later(dependent, index).then_some(Excuse::Clock)
                };
                return Some(Need {
                    what: format!("{} has installed the CRD of {kind}", release.subject()),
                    user: ObjectKey::from(object.id()).subject(),
                    use_text: format!("a {kind}, of {group}"),
                    used_at: object.place(),
                    provider: release.subject(),
                    provided_at: release.helm.name_span(),
                    holder,
                    check: check(&release.subject()),
                    is_applied: true,
                    symptom: format!(
                        "ReconciliationFailed (`dry-run failed: no matches for kind \"{kind}\"`), with none of its objects applied"
                    ),
                    confidence: worth(row.confidence),
                    excuse,
                });
            }
        }
        None
    }

    /// The releases of the holders that install the CRDs of the row.
    fn installers(&self, holders: &[NodeId], row: &CrdOwner) -> Vec<(NodeId, usize)> {
        let cluster = self.situation.cluster;
        let mut found = Vec::new();
        for holder in holders {
            for index in self.releases.get(holder).into_iter().flatten().copied() {
                let release = &cluster.releases[index];
                if chart_of(cluster, release).is_some_and(|chart| installs_crds(release, &chart.name, row)) {
                    found.push((*holder, index));
                }
            }
        }
        found
    }

    /// Every event that has happened when the node starts.
    fn past(&self, id: NodeId) -> FxHashSet<EventId> {
        let graph = &self.situation.graph;
        graph.id(Actor::Node(id), Moment::Start).map_or_else(FxHashSet::default, |start| past(graph, start))
    }

    /// Whether the CRDs are, or may be, there in time by another way: the release is Ready before, another
    /// Kustomization has applied objects of the group, which it could not without, or objects that nobody sees here.
    fn is_met(&self, past: &FxHashSet<EventId>, dependent: NodeId, release: usize, group: &str) -> bool {
        let (graph, cluster) = (&self.situation.graph, self.situation.cluster);
        let is_ready = graph.id(Actor::Release(release as u32), Moment::Ready).is_some_and(|id| past.contains(&id));
        let uses = |id: NodeId| self.customs[id.index()].keys().any(|(of, _)| of == group);
        let brings = |id: &EventId| match graph.event(*id) {
            Event { actor: Actor::Node(id), moment: Moment::Applied } if id != dependent => {
                cluster.node(id).hides_objects() || uses(id)
            }
            _ => false,
        };
        is_ready || past.iter().any(brings)
    }

    /// Variables out of a Secret that a controller makes of something the dependency builds.
    fn variables(&self, dependent: NodeId, holders: &[NodeId]) -> Option<Need> {
        let cluster = self.situation.cluster;
        let node = cluster.node(dependent);
        for (reference, span) in variable_sources(&node.kustomization)
            .filter(|(reference, _)| !reference.optional && reference.kind == "Secret")
        {
            let wanted = ObjectKey {
                group: "".into(),
                kind: "Secret".into(),
                namespace: node.key.namespace.clone(),
                name: reference.name.as_str().into(),
            };
            if cluster.provides(&wanted) || wanted.is_unresolved() {
                continue;
            }
            for holder in holders {
                let objects = &cluster.node(*holder).applied.build.objects;
                let maker = objects
                    .iter()
                    .find(|object| made_secret(object).is_some_and(|made| made == (&wanted.namespace, &wanted.name)));
                let Some(maker) = maker else { continue };
                let subject = ObjectKey::from(maker.id()).subject();
                return Some(Need {
                    what: format!("{subject} has made {}", wanted.subject()),
                    user: node.subject(),
                    use_text: "takes variables from it".to_owned(),
                    used_at: span,
                    provided_at: maker.place(),
                    holder: *holder,
                    check: format!(
                        "{{apiVersion: v1, kind: Secret, name: {}, namespace: {}}}",
                        wanted.name, wanted.namespace
                    ),
                    is_applied: false,
                    provider: subject,
                    symptom: format!("BuildFailed (`substitute from 'Secret/{}' error`)", wanted.name),
                    confidence: Confidence::High,
                    excuse: None,
                });
            }
        }
        None
    }

    /// Whether the dependent starts so late that the release is Ready by then, by the clock of a cold start.
    fn comes_later(&self, dependent: NodeId, release: usize) -> bool {
        let graph = &self.situation.graph;
        let start = graph.id(Actor::Node(dependent), Moment::Start);
        let ready = graph.id(Actor::Release(release as u32), Moment::Ready);
        start.zip(ready).is_some_and(|(start, ready)| comes_later(self.situation, start, &[ready]))
    }

    /// Whether a file for the bootstrap of the cluster names one of them.
    fn is_bootstrapped(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.situation.cluster.implicit.is_installed_before(name))
    }
}

fn customs<'a>(node: &'a Node, defined: &BTreeSet<Kind>) -> Customs<'a> {
    let mut customs = Customs::new();
    for object in node.applied.build.objects.iter().filter(|object| Policy::new(&object.node).applied) {
        let key = object.id();
        if health_of(&key.group, &key.kind) == Health::Custom {
            let kind = (key.group, key.kind);
            if !defined.contains(&kind) {
                customs.entry(kind).or_insert(object);
            }
        }
    }
    customs
}

/// Namespace and name of the Secret that an ExternalSecret or a SealedSecret stands for.
fn made_secret(object: &Object) -> Option<(&str, &str)> {
    let text = |keys: &[&str]| object.node.find_str(keys);
    let name = text(&["metadata", "name"])?;
    let made = match text(&["kind"])? {
        "ExternalSecret" => text(&["spec", "target", "name"]).unwrap_or(name),
        "SealedSecret" => text(&["spec", "template", "metadata", "name"]).unwrap_or(name),
        _ => return None,
    };
    Some((text(&["metadata", "namespace"])?, made))
}

/// The entry of `healthChecks` for a HelmRelease.
fn check(release: &Subject) -> String {
    let namespace = release.namespace.as_deref().unwrap_or_default();
    format!(
        "{{apiVersion: helm.toolkit.fluxcd.io/v2, kind: HelmRelease, name: {}, namespace: {namespace}}}",
        release.name
    )
}

/// Group and kind of every CustomResourceDefinition of a cluster.
fn defined(cluster: &Cluster) -> BTreeSet<Kind> {
    let crds = cluster.objects.iter().filter(|(key, _)| key.kind == "CustomResourceDefinition");
    crds.filter_map(|(_, providers)| {
        let node = &cluster.object(*providers.first()?).node;
        Some((node.find_str(&["spec", "group"])?.into(), node.find_str(&["spec", "names", "kind"])?.into()))
    })
    .collect()
}
