//! Entries of `healthChecks` that can never be met. The health check waits for them until its timeout, and again at each
//! attempt (kustomize-controller v1.9, `checkHealth`; fluxcd/pkg ssa, `WaitForSetWithContext`).

use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use super::{Blocker, Cause, View};
use crate::{
    cluster::{Cluster, HealthMember, HealthSet, Node, NodeId, NodeKey, ObjectKey, is_same},
    finding::{
        Confidence,
        names::{COMPARED, likeness},
    },
    flux::{
        api::{HELM_GROUP, KUSTOMIZE_GROUP, SOURCE_GROUP},
        is_namespaced, is_open_text,
    },
    graph::{Actor, Moment, Reason},
    kustomize::Unresolved,
    source::Span,
};

/// An entry of `healthChecks` that can never be met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheckFact {
    /// The Kustomization.
    pub node: NodeId,
    /// Position of the entry.
    pub entry: usize,
    /// The object that it asks for.
    pub key: ObjectKey,
    /// The place of the entry.
    pub span: Span,
    /// What is wrong with it.
    pub problem: HealthCheckProblem,
    /// How sure that is.
    pub confidence: Confidence,
}

/// Why an entry of `healthChecks` can never be met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HealthCheckProblem {
    /// The API server knows no such kind in the group.
    WrongGroup {
        /// The `apiVersion`, as it is written; `None` where `apps/v1` is assumed.
        declared: Option<String>,
        /// The group of the kind, where that is certain.
        right: Option<&'static str>,
    },
    /// It has no namespace, and objects of the kind belong to one: the whole health check is refused (fluxcd/cli-utils v1.2
    /// kstatus, `validateIdentifiers`).
    NoNamespace {
        /// The namespace of the object that seems to be meant.
        meant: Option<SmolStr>,
    },
    /// Nothing in the cluster has the object.
    NoObject {
        /// The object that is most like it, and its place.
        similar: Option<(ObjectKey, Span)>,
        /// Whether parts of the cluster are not in the repository, and may have it.
        is_partial: bool,
    },
}

/// Kinds whose group is certain: what Kubernetes and Flux define, and nobody else does under that name.
const GROUPS: &[(&str, &str)] = &[
    ("CustomResourceDefinition", "apiextensions.k8s.io"),
    ("DaemonSet", "apps"),
    ("Deployment", "apps"),
    ("HelmRelease", HELM_GROUP),
    ("HelmRepository", SOURCE_GROUP),
    ("GitRepository", SOURCE_GROUP),
    ("Kustomization", KUSTOMIZE_GROUP),
    ("OCIRepository", SOURCE_GROUP),
    ("StatefulSet", "apps"),
];

/// Kinds that are not in the group `apps`, and that a missing `apiVersion` therefore misses.
const NOT_APPS: &[&str] = &[
    "CronJob",
    "Ingress",
    "Job",
    "PersistentVolumeClaim",
    "Pod",
    "Service",
    "ConfigMap",
    "Secret",
    "Certificate",
    "ClusterIssuer",
];

/// From this likeness on, a name is taken for a slip.
const NEAR: f64 = 0.8;

impl HealthCheckFact {
    /// Whether the object is one of Flux's own, which no chart and no other controller makes.
    #[must_use]
    pub fn is_of_flux(&self) -> bool {
        is_of_flux(&self.key)
    }

    /// What is wrong, as a clause that follows the name of the Kustomization.
    #[must_use]
    pub fn clause(&self) -> String {
        let object = self.key.subject();
        match &self.problem {
            HealthCheckProblem::WrongGroup { declared: None, .. } => {
                format!("checks {object} without `apiVersion`, which means {}", crate::cluster::DEFAULT_API_VERSION)
            }
            HealthCheckProblem::WrongGroup { declared: Some(version), .. } => {
                format!("checks {object} as {version}, where there is no such kind")
            }
            HealthCheckProblem::NoNamespace { .. } => format!("checks {object} without a namespace"),
            HealthCheckProblem::NoObject { .. } => {
                format!("checks {object}, which nothing in this cluster defines")
            }
        }
    }

    /// The Kustomization never becomes Ready.
    #[must_use]
    pub fn blocker(&self) -> Option<Blocker> {
        Some(Blocker {
            actor: Actor::Node(self.node),
            moment: Moment::Ready,
            reason: Reason::HealthCheck,
            cause: Cause::HopelessHealthCheck,
            text: self.clause(),
            span: self.span,
            confidence: self.confidence,
        })
    }
}

/// Finds those of a cluster.
pub(super) fn find(view: View<'_>) -> Vec<HealthCheckFact> {
    let cluster = view.cluster;
    let lists = |node: &Node| !node.kustomization.spec.wait && !node.kustomization.spec.health_checks.is_empty();
    if !cluster.nodes.iter().any(lists) {
        return Vec::new();
    }
    let known = Known::new(cluster);
    let nodes = cluster.nodes().filter(|(_, node)| lists(node));
    nodes.flat_map(|(id, node)| of_node(&known, id, node)).collect()
}

fn of_node(known: &Known<'_>, id: NodeId, node: &Node) -> Vec<HealthCheckFact> {
    let set = HealthSet::new(node);
    let judged = set.members().iter().filter_map(|member| {
        let entry = member.entry?;
        let (problem, confidence) = judge(known, node, member, entry)?;
        Some(HealthCheckFact { node: id, entry, key: member.key.clone(), span: member.span, problem, confidence })
    });
    judged.collect()
}

fn judge(
    known: &Known<'_>,
    node: &Node,
    member: &HealthMember<'_>,
    entry: usize,
) -> Option<(HealthCheckProblem, Confidence)> {
    let key = &member.key;
    let declared = node.kustomization.spec.health_checks[entry].api_version.as_deref();
    let declared = declared.filter(|version| !version.is_empty());
    let texts = [key.name.as_str(), &key.namespace, &key.kind, declared.unwrap_or_default()];
    if texts.into_iter().any(is_open_text) || key.kind.is_empty() || key.name.is_empty() {
        return None;
    }
    if let Some(problem) = wrong_group(known, key, declared) {
        return Some((problem, Confidence::High));
    }
    if key.namespace.is_empty() && is_namespaced(&key.group, &key.kind) == Some(true) {
        let problem = HealthCheckProblem::NoNamespace { meant: namespace_of(node, key) };
        return Some((problem, Confidence::High));
    }
    no_object(known, node, key)
}

/// An `apiVersion` under which there is no such kind, or none where `apps/v1` is not meant.
fn wrong_group(known: &Known<'_>, key: &ObjectKey, declared: Option<&str>) -> Option<HealthCheckProblem> {
    let right = GROUPS.iter().find(|(kind, _)| *kind == key.kind).map(|(_, group)| *group);
    let is_wrong = match (right, declared) {
        (Some(right), _) => right != key.group,
        (None, None) => NOT_APPS.contains(&key.kind.as_str()),
        (None, Some(_)) => false,
    };
    // A kind of that name in that group is somebody's own.
    let is_known = known.kinds.contains_key(&(key.group.as_str(), key.kind.as_str()));
    let declared = declared.map(str::to_owned);
    (is_wrong && !is_known).then_some(HealthCheckProblem::WrongGroup { declared, right })
}

/// The namespace of the object that the node builds under that name, else the one that it gives to all objects.
fn namespace_of(node: &Node, key: &ObjectKey) -> Option<SmolStr> {
    let mut own = node.applied.build.objects.iter().map(|object| ObjectKey::from(object.id()));
    let meant = own.find(|other| other.kind == key.kind && other.group == key.group && other.name == key.name);
    let meant = meant.map(|other| other.namespace).filter(|namespace| !namespace.is_empty());
    meant.or_else(|| node.kustomization.spec.target_namespace.as_deref().map(SmolStr::new))
}

/// An entry that names nothing this cluster has.
fn no_object(known: &Known<'_>, node: &Node, key: &ObjectKey) -> Option<(HealthCheckProblem, Confidence)> {
    if node.is_remote() || !known.cluster.reached || known.has(key) {
        return None;
    }
    let is_of_flux = is_of_flux(key);
    let similar = nearest(node, key).or_else(|| is_of_flux.then(|| known.nearest(key)).flatten());
    // What else a chart or a controller makes, nobody can tell from here.
    if !is_of_flux && similar.is_none() {
        return None;
    }
    let confidence = match (known.is_partial, is_of_flux) {
        (true, _) => Confidence::Low,
        (false, false) => Confidence::Medium,
        (false, true) => Confidence::High,
    };
    Some((HealthCheckProblem::NoObject { similar, is_partial: known.is_partial }, confidence))
}

fn is_of_flux(key: &ObjectKey) -> bool {
    key.is_helm_release() || key.is_kustomization()
}

/// What a cluster has, for one look per entry.
struct Known<'c> {
    cluster: &'c Cluster,
    /// The objects of each group and kind.
    kinds: FxHashMap<(&'c str, &'c str), Vec<&'c ObjectKey>>,
    /// Those of each name.
    names: FxHashMap<&'c str, Vec<&'c ObjectKey>>,
    /// Whether there may be more than the repository shows.
    is_partial: bool,
}

impl<'c> Known<'c> {
    fn new(cluster: &'c Cluster) -> Self {
        let mut kinds: FxHashMap<(&str, &str), Vec<&ObjectKey>> = FxHashMap::default();
        let mut names: FxHashMap<&str, Vec<&ObjectKey>> = FxHashMap::default();
        for key in cluster.objects.keys() {
            kinds.entry((key.group.as_str(), key.kind.as_str())).or_default().push(key);
            names.entry(key.name.as_str()).or_default().push(key);
        }
        let mut sets = cluster.nodes.iter().flat_map(|node| &node.resource_sets);
        let is_partial = cluster.nodes.iter().any(Node::hides_objects)
            || sets.any(|set| set.unresolved.iter().any(Unresolved::hides_objects));
        Self { cluster, kinds, names, is_partial }
    }

    fn has(&self, key: &ObjectKey) -> bool {
        let name = NodeKey::new(key.namespace.clone(), key.name.clone());
        let mut named = self.names.get(key.name.as_str()).into_iter().flatten();
        self.cluster.provides(key)
            || (key.is_kustomization() && self.cluster.find(&name).is_some())
            || named.any(|other| is_same(other, key))
    }

    /// The object of that kind that is most like the one asked for. Where there are very many, none is looked for.
    fn nearest(&self, key: &ObjectKey) -> Option<(ObjectKey, Span)> {
        let of_kind = self.kinds.get(&(key.group.as_str(), key.kind.as_str())).filter(|all| all.len() <= COMPARED)?;
        let place = |other: &ObjectKey| Some(self.cluster.object(*self.cluster.objects.get(other)?.first()?).place());
        best(of_kind.iter().filter_map(|other| Some(((*other).clone(), place(other)?))), key)
    }
}

/// The object of the node's own build that is most like the one asked for: of its kind, in another namespace or with a
/// name that differs by a slip.
fn nearest(node: &Node, key: &ObjectKey) -> Option<(ObjectKey, Span)> {
    if node.applied.build.objects.len() > COMPARED {
        return None;
    }
    let own = node.applied.build.objects.iter().map(|object| (ObjectKey::from(object.id()), object.place()));
    best(own, key)
}

fn best(candidates: impl Iterator<Item = (ObjectKey, Span)>, key: &ObjectKey) -> Option<(ObjectKey, Span)> {
    candidates
        .filter(|(other, _)| {
            other.kind == key.kind && other.group == key.group && !other.is_unresolved() && other != key
        })
        .filter_map(|found| Some((likeness(&found.0.name, &key.name, NEAR)?, found)))
        .filter(|(score, (other, _))| *score < 1.0 || other.namespace != key.namespace)
        .max_by(|(left, one), (right, other)| left.total_cmp(right).then_with(|| other.0.cmp(&one.0)))
        .map(|(_, found)| found)
}
