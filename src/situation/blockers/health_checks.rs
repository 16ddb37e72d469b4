//! Entries of `healthChecks` that can never be met. The health check waits for them until its timeout, and again at each
//! attempt (kustomize-controller v1.9, `checkHealth`; fluxcd/pkg ssa, `WaitForSetWithContext`).

mod known;

use smol_str::SmolStr;

use known::Known;

use super::{Blocker, Cause, View, references::is_known_kind};
use crate::{
    cluster::{Cluster, DEFAULT_API_VERSION, HealthMember, HealthSet, Node, NodeId, ObjectKey},
    finding::Confidence,
    flux::{is_namespaced, is_open_text},
    graph::{Actor, Moment, Reason},
    kustomize::{ApiVersion, ObjectId},
    source::{
        Span,
        names::{best_by, likeness},
    },
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
        /// The right one, where it is known.
        right: Option<String>,
    },
    /// It has no namespace, and objects of the kind belong to one: the whole health check is refused (fluxcd/cli-utils v1.2
    /// kstatus, `validateIdentifiers`).
    NoNamespace {
        /// The namespace of the object that seems to be meant.
        meant: Option<SmolStr>,
    },
    /// A variable stands in it that nothing substitutes: the `postBuild` of a Kustomization does not reach its own spec, and
    /// what applies it has none (kustomize-controller v1.9, `build`).
    Variable {
        /// The text with the variable.
        text: String,
        /// The Kustomization whose `postBuild` would substitute it.
        applied_by: NodeId,
    },
    /// Nothing in the cluster has the object.
    NoObject {
        /// The object that is most like it, and its place.
        similar: Option<(ObjectKey, Span)>,
        /// What may make it all the same: a part of the cluster that the repository does not show.
        hidden: Option<String>,
    },
}

/// Kinds whose group is certain, since nobody else defines them under that name, and the version in which Flux 2.9 and
/// Kubernetes serve them.
const GROUPS: &[(&str, &str)] = &[
    ("CustomResourceDefinition", "apiextensions.k8s.io/v1"),
    ("DaemonSet", "apps/v1"),
    ("Deployment", "apps/v1"),
    ("GitRepository", "source.toolkit.fluxcd.io/v1"),
    ("HelmRelease", "helm.toolkit.fluxcd.io/v2"),
    ("HelmRepository", "source.toolkit.fluxcd.io/v1"),
    ("Kustomization", "kustomize.toolkit.fluxcd.io/v1"),
    ("OCIRepository", "source.toolkit.fluxcd.io/v1"),
    ("StatefulSet", "apps/v1"),
];

/// Groups that are Kubernetes' own, and all their kinds (Kubernetes 1.36): whatever else is looked for in them is not there.
const CLOSED: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "Binding",
            "ComponentStatus",
            "ConfigMap",
            "Endpoints",
            "Event",
            "LimitRange",
            "Namespace",
            "Node",
            "PersistentVolume",
            "PersistentVolumeClaim",
            "Pod",
            "PodTemplate",
            "ReplicationController",
            "ResourceQuota",
            "Secret",
            "Service",
            "ServiceAccount",
        ],
    ),
    ("apps", &["ControllerRevision", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"]),
    ("batch", &["CronJob", "Job"]),
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
                format!("checks {object} without `apiVersion`, which means {DEFAULT_API_VERSION}")
            }
            HealthCheckProblem::WrongGroup { declared: Some(version), .. } => {
                format!("checks {object} as {version}, where there is no such kind")
            }
            HealthCheckProblem::NoNamespace { .. } => format!("checks {object} without a namespace"),
            HealthCheckProblem::Variable { text, .. } => {
                format!("checks {object}, and nothing sets the variable in `{text}`")
            }
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
    let known = Known::new(view);
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
    if key.kind.is_empty() || key.name.is_empty() {
        return None;
    }
    let texts = [key.name.as_str(), &key.namespace, &key.kind, declared.unwrap_or_default()];
    if let Some(text) = texts.into_iter().find(|text| is_open_text(text)) {
        let applied_by = left_as_written_by(known.cluster, node, text)?;
        return Some((HealthCheckProblem::Variable { text: text.to_owned(), applied_by }, Confidence::Medium));
    }
    if let Some(problem) = wrong_group(known, node, key, declared) {
        return Some((problem, Confidence::High));
    }
    if key.namespace.is_empty() && is_namespaced(&key.group, &key.kind) == Some(true) {
        let problem = HealthCheckProblem::NoNamespace { meant: namespace_of(node, key) };
        return Some((problem, Confidence::High));
    }
    no_object(known, node, key)
}

/// The Kustomization that applies the node, where it leaves the variable in `text` as it is. Entry points may be applied by
/// something that sets variables, and the Flux Operator by templates.
fn left_as_written_by(cluster: &Cluster, node: &Node, text: &str) -> Option<NodeId> {
    let [manifest] = node.manifests.as_slice() else { return None };
    let owner = manifest.owner.as_ref().filter(|_| manifest.resource_set.is_none() && !node.is_entry)?;
    let owner = cluster.find(owner)?;
    let is_substituted = cluster.node(owner).kustomization.spec.post_build.is_some();
    (!is_substituted && text.contains("${") && !text.contains("<<")).then_some(owner)
}

/// An `apiVersion` under which there is no such kind.
fn wrong_group(known: &Known<'_>, node: &Node, key: &ObjectKey, declared: Option<&str>) -> Option<HealthCheckProblem> {
    let certain = GROUPS.iter().find(|(kind, _)| *kind == key.kind).map(|(_, version)| *version);
    let is_wrong = match certain {
        Some(version) => ApiVersion::parse(version).group != key.group,
        None => CLOSED.iter().any(|(group, kinds)| *group == key.group && !kinds.contains(&key.kind.as_str())),
    };
    // A kind of that name in that group is somebody's own.
    if !is_wrong || known.kinds.contains_key(&(key.group.as_str(), key.kind.as_str())) {
        return None;
    }
    // What the node builds under that name is meant, else a kind of Kubernetes.
    let mut own = node.applied.build.objects.iter().map(|object| object.id());
    let meant = own.find(|id| id.kind == key.kind && id.name == key.name && id.group != key.group);
    let served = || {
        let (group, _) = CLOSED.iter().find(|(_, kinds)| kinds.contains(&key.kind.as_str()))?;
        Some(if group.is_empty() { "v1".to_owned() } else { format!("{group}/v1") })
    };
    let right = certain.map(str::to_owned).or_else(|| meant.map(|id| written(&id))).or_else(served);
    Some(HealthCheckProblem::WrongGroup { declared: declared.map(str::to_owned), right })
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
    let hidden = known.hidden(key);
    // What else a chart or a controller makes, nobody can tell from here.
    if !is_of_flux && similar.is_none() && (hidden.is_some() || known.may_be_made(key)) {
        return None;
    }
    // One that is suspended looks at nothing, and may be so because of this.
    let is_open = hidden.is_some() || node.kustomization.spec.suspend;
    let confidence = match (is_open, is_of_flux) {
        (true, _) => Confidence::Low,
        (false, false) => Confidence::Medium,
        (false, true) => Confidence::High,
    };
    Some((HealthCheckProblem::NoObject { similar, hidden }, confidence))
}

/// The `apiVersion` of an object.
fn written(id: &ObjectId) -> String {
    if id.group.is_empty() { id.version.to_string() } else { format!("{}/{}", id.group, id.version) }
}

/// Whether the object is one of Flux's own, which nobody but a manifest makes.
fn is_of_flux(key: &ObjectKey) -> bool {
    is_known_kind(key)
}

/// The object of the node's own build that is most like the one asked for: of its kind, in another namespace or with a
/// name that differs by a slip.
fn nearest(node: &Node, key: &ObjectKey) -> Option<(ObjectKey, Span)> {
    let own = node.applied.build.objects.iter().map(|object| (ObjectKey::from(object.id()), object.place()));
    best(own, key)
}

fn best(candidates: impl Iterator<Item = (ObjectKey, Span)>, key: &ObjectKey) -> Option<(ObjectKey, Span)> {
    let of_kind = candidates.filter(|(other, _)| {
        other.kind == key.kind && other.group == key.group && !other.is_unresolved() && other != key
    });
    let is_other = |score: &f64, other: &ObjectKey| *score < 1.0 || other.namespace != key.namespace;
    let score =
        |(other, _): &(ObjectKey, Span)| likeness(&other.name, &key.name, NEAR).filter(|score| is_other(score, other));
    best_by(of_kind, score).map(|(_, found)| found)
}
