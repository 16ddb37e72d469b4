//! Objects of a health set that never become Current, as the health check judges them (fluxcd/cli-utils v1.2 kstatus,
//! `core.go` and `generic.go`).

mod populated;

use std::collections::BTreeSet;

use super::{Blocker, Cause, View};
use crate::{
    catalog::{KindCatalog, KindStatus, Readiness},
    cluster::{Cluster, HealthMember, HealthSet, Node, NodeId, ObjectKey},
    finding::Confidence,
    graph::{Actor, Moment, Reason},
    source::Span,
    yaml::{self, Value},
};

/// An object that the health check of a Kustomization waits for in vain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeverReadyFact {
    /// The Kustomization.
    pub node: NodeId,
    /// The object.
    pub key: ObjectKey,
    /// The text that has it checked: `wait`, or the entry of `healthChecks`.
    pub checked_at: Span,
    /// Whether an entry of `healthChecks` names it.
    pub is_listed: bool,
    /// The text that decides it.
    pub span: Span,
    /// What keeps it from becoming Current.
    pub problem: NeverReady,
    /// How sure that is.
    pub confidence: Confidence,
}

/// Why an object never becomes Current.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NeverReady {
    /// A Deployment that is created paused rolls nothing out, and its condition Progressing has not the reason
    /// `NewReplicaSetAvailable` (`deploymentConditions`).
    Paused,
    /// A custom resource whose condition Ready stays false, as the catalogue says. In a cold start its gate passes: an object
    /// without a status is Current, and the first look comes right after the apply.
    ReadyStaysFalse(&'static KindStatus),
    /// A claim that nothing uses, of a storage class that binds at the first use (`pvcConditions` asks for phase `Bound`).
    Unbound {
        /// The storage class.
        class: ObjectKey,
        /// The place of its `volumeBindingMode`.
        mode: Span,
    },
    /// A claim that is filled from an object that needs the claim itself.
    FilledByUser {
        /// That object; the claim where it is to be a copy of itself.
        filler: ObjectKey,
        /// Where that names the claim.
        uses: Span,
    },
}

const CLAIM: &str = "PersistentVolumeClaim";
const DEPLOYMENT: &str = "Deployment";

impl NeverReadyFact {
    /// What is wrong, as a clause that follows the name of the Kustomization.
    #[must_use]
    pub fn clause(&self) -> String {
        let what = match &self.problem {
            NeverReady::Paused => "which is paused",
            NeverReady::ReadyStaysFalse(_) => "which never becomes Ready",
            NeverReady::Unbound { .. } => "which nothing in this cluster uses",
            NeverReady::FilledByUser { filler, .. } if *filler == self.key => "which is to be a copy of itself",
            NeverReady::FilledByUser { filler, .. } => {
                return format!(
                    "waits for {}, which is filled from {}, and that needs it",
                    self.key.subject(),
                    filler.subject()
                );
            }
        };
        format!("waits for {}, {what}", self.key.subject())
    }

    /// The Kustomization never becomes Ready, where the health check holds from its first look on.
    #[must_use]
    pub fn blocker(&self) -> Option<Blocker> {
        (!matches!(self.problem, NeverReady::ReadyStaysFalse(_))).then(|| Blocker {
            actor: Actor::Node(self.node),
            moment: Moment::Ready,
            reason: if self.is_listed { Reason::HealthCheck } else { Reason::Wait },
            cause: Cause::HopelessHealthCheck,
            text: self.clause(),
            span: self.span,
            confidence: self.confidence,
        })
    }
}

/// Finds those of a cluster.
pub(super) fn find(view: View<'_>) -> Vec<NeverReadyFact> {
    let cluster = view.cluster;
    let is_hidden = cluster.nodes.iter().any(Node::hides_objects);
    let rows = KindCatalog::builtin().rows().filter(|row| row.readiness == Readiness::Never);
    let kinds: BTreeSet<&str> = rows.map(|row| row.kind.as_str()).chain([CLAIM, DEPLOYMENT]).collect();
    let mut found = Vec::new();
    for (id, node) in cluster.nodes().filter(|(_, node)| node.has_gate() && !node.is_remote()) {
        let set = HealthSet::of_kinds(node, &|kind| kinds.contains(kind));
        // An expression says otherwise what is Current.
        for member in set.lasting().filter(|member| set.expression(&member.key).is_none()) {
            found.extend(judge(cluster, is_hidden, id, member));
        }
    }
    let is_unbound = |fact: &NeverReadyFact| matches!(fact.problem, NeverReady::Unbound { .. });
    let unbound = found.iter().filter(|fact| is_unbound(fact));
    let claims: BTreeSet<&str> = unbound.map(|fact| fact.key.name.as_str()).collect();
    let used: BTreeSet<String> = used(cluster, &claims).into_iter().map(str::to_owned).collect();
    found.retain(|fact| !is_unbound(fact) || !used.contains(fact.key.name.as_str()));
    found
}

fn judge(cluster: &Cluster, is_hidden: bool, node: NodeId, member: &HealthMember<'_>) -> Option<NeverReadyFact> {
    let (problem, span, confidence) = paused(member)
        .or_else(|| ready_stays_false(member))
        .or_else(|| populated::filled_by_user(cluster, member))
        .or_else(|| unbound(cluster, is_hidden, member))?;
    let (checked_at, is_listed) = (member.span, member.entry.is_some());
    Some(NeverReadyFact { node, key: member.key.clone(), checked_at, is_listed, span, problem, confidence })
}

fn paused(member: &HealthMember<'_>) -> Option<(NeverReady, Span, Confidence)> {
    if (member.key.group.as_str(), member.key.kind.as_str()) != ("apps", DEPLOYMENT) {
        return None;
    }
    let node = &member.object?.node;
    let paused = node.find(&["spec", "paused"]).filter(|paused| paused.as_bool() == Some(true))?;
    Some((NeverReady::Paused, paused.span.or(member.place()), Confidence::Medium))
}

fn ready_stays_false(member: &HealthMember<'_>) -> Option<(NeverReady, Span, Confidence)> {
    let row = KindCatalog::builtin().status(&member.key.group, &member.key.kind)?;
    let is_never = row.readiness == Readiness::Never;
    is_never.then(|| (NeverReady::ReadyStaysFalse(row), member.place(), Confidence::Medium))
}

fn unbound(cluster: &Cluster, is_hidden: bool, member: &HealthMember<'_>) -> Option<(NeverReady, Span, Confidence)> {
    if member.key.kind != CLAIM || !member.key.group.is_empty() || member.key.is_unresolved() {
        return None;
    }
    let claim = &member.object?.node;
    let class = ObjectKey {
        group: "storage.k8s.io".into(),
        kind: "StorageClass".into(),
        namespace: "".into(),
        name: claim.find_str(&["spec", "storageClassName"])?.into(),
    };
    let storage = &cluster.object(*cluster.objects.get(&class)?.first()?).node;
    let mode = storage.find(&["volumeBindingMode"]).filter(|mode| mode.as_str() == Some("WaitForFirstConsumer"))?.span;
    if claim.find(&["spec", "volumeName"]).is_some() {
        return None;
    }
    let confidence = if is_hidden { Confidence::Low } else { Confidence::Medium };
    Some((NeverReady::Unbound { class, mode }, member.place(), confidence))
}

/// Bytes of text that are searched for names of claims; where there is more, each counts as named.
const SEARCHED: usize = 500_000_000;

/// The claims that some object names: as the volume of a pod, in the values of a chart, or for a backup.
fn used<'c>(cluster: &Cluster, claims: &BTreeSet<&'c str>) -> BTreeSet<&'c str> {
    let mut used = BTreeSet::new();
    if claims.is_empty() {
        return used;
    }
    let mut left = SEARCHED;
    for (key, providers) in &cluster.objects {
        if let Some(provider) = providers.first() {
            let own = (key.kind == CLAIM).then_some(key.name.as_str());
            mentioned(&cluster.object(*provider).node, own, claims, &mut used, &mut left);
        }
    }
    used
}

fn mentioned<'c>(
    node: &yaml::Node,
    own: Option<&str>,
    claims: &BTreeSet<&'c str>,
    used: &mut BTreeSet<&'c str>,
    left: &mut usize,
) {
    match &node.value {
        Value::Str(text) if text.contains(char::is_whitespace) => {
            let work = text.len().saturating_mul(claims.len());
            let is_searched = work <= *left;
            *left -= work.min(*left);
            used.extend(claims.iter().filter(|claim| !is_searched || text.contains(**claim)));
        }
        Value::Str(text) => used.extend(claims.get(text.as_str()).filter(|claim| own != Some(**claim))),
        Value::Map(map) => map.entries().iter().for_each(|entry| mentioned(&entry.value, own, claims, used, left)),
        Value::Seq(items) => items.iter().for_each(|item| mentioned(item, own, claims, used, left)),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Uint(_) | Value::Float(_) => {}
    }
}
