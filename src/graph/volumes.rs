//! Volume claims: when they are bound, and who uses them.

use smol_str::SmolStr;

use super::{
    Actor, Edge, Moment, Reason,
    builder::{Builder, Consumers},
};
use crate::{
    catalog::{ClassCatalog, StorageClassRow},
    cluster::{Cluster, ObjectKey, chart_of},
    finding::Confidence,
    flux::api::kinds::STORAGE_CLASS,
    source::Span,
    yaml,
};

impl<'c> Builder<'c> {
    /// A claim is Current once it is bound (kstatus, `pvcConditions`). A class of `WaitForFirstConsumer` binds it only
    /// when a pod that uses it is scheduled.
    pub(super) fn claim_events(&mut self, actor: Actor, key: &ObjectKey, node: &'c yaml::Node) {
        let text = |name: &str| node.find_str(&["spec", name]);
        if text("volumeName").is_some() || text("storageClassName") == Some("") {
            return;
        }
        let class = text("storageClassName").map(|name| ObjectKey::new(STORAGE_CLASS, "", name));
        let found = class.as_ref().and_then(|class| {
            let provider = self.cluster.objects.get(class)?.first()?;
            Some(&self.cluster.object(*provider).node)
        });
        if let (Some(class), Some(_)) = (&class, found)
            && let Some(before) = self.exists(class)
        {
            let span = node.nearest_span(&["spec", "storageClassName"]);
            self.edge((before, Moment::Exists), (actor, Moment::Ready), Reason::StorageClass, span);
        }
        let confidence = match found {
            Some(class) if class.find_str(&["volumeBindingMode"]) == Some("WaitForFirstConsumer") => Confidence::High,
            Some(_) => return,
            None => match class.as_ref().and_then(|class| ClassCatalog::builtin().class(&class.name)) {
                Some(row) => {
                    self.class_of_chart(actor, row, node.nearest_span(&["spec", "storageClassName"]));
                    if !row.waits {
                        return;
                    }
                    Confidence::Medium
                }
                None => Confidence::Low,
            },
        };
        let users = self.consumers().get(&(key.namespace.clone(), key.name.clone())).cloned().unwrap_or_default();
        if users.is_empty() {
            return;
        }
        for (user, moment, span) in users {
            self.edge((user, moment), (actor, Moment::Consumed), Reason::Consumer, span);
        }
        let edge = Edge { reason: Reason::Consumer, span: node.nearest_span(&["metadata", "name"]), confidence };
        self.edge_of((actor, Moment::Consumed), (actor, Moment::Ready), edge);
    }

    /// A claim of a class that a chart makes waits for its provisioner.
    fn class_of_chart(&mut self, claim: Actor, row: &'static StorageClassRow, span: Span) {
        let cluster = self.cluster;
        // Where several releases may make the class, any may be the one.
        if cluster.is_external(STORAGE_CLASS.kind, "", &row.name) {
            return;
        }
        let maker = *self.class_makers.entry(row.name.as_str()).or_insert_with(|| {
            let mut makers = (0..cluster.releases.len()).filter(|index| makes(cluster, *index, row));
            makers.next().filter(|_| makers.next().is_none())
        });
        if let Some(maker) = maker {
            let edge = Edge { reason: Reason::StorageClass, span, confidence: Confidence::Medium };
            self.edge_of((Actor::Release(maker as u32), Moment::Ready), (claim, Moment::Ready), edge);
        }
    }

    fn consumers(&mut self) -> &Consumers {
        if self.consumers.is_none() {
            self.consumers = Some(self.find_consumers());
        }
        self.consumers.get_or_insert_default()
    }

    fn find_consumers(&mut self) -> Consumers {
        let cluster = self.cluster;
        let mut consumers = Consumers::default();
        for (key, providers) in &cluster.objects {
            let is_workload = matches!(
                key.kind.as_str(),
                "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" | "CronJob" | "Pod"
            );
            let is_mover = key.group == VOLSYNC;
            if !is_workload && !is_mover {
                continue;
            }
            for provider in providers {
                let mut claims = Vec::new();
                let object = &cluster.object(*provider).node;
                if is_mover {
                    moved(object, &mut claims);
                } else {
                    find_claims(object, 0, &mut claims);
                }
                for (claim, span) in claims {
                    let (actor, moment) = self.applied(*provider);
                    consumers.entry((key.namespace.clone(), claim)).or_default().push((actor, moment, span));
                }
            }
        }
        for (index, release) in cluster.releases.iter().enumerate() {
            let mut claims = Vec::new();
            if let Some(values) = release.helm.object.node.find(&["spec", "values"]) {
                find_claims(values, 0, &mut claims);
            }
            let namespace = release.helm.spec.target_namespace.as_deref().unwrap_or(&release.key.namespace);
            for (claim, span) in claims {
                let user = (Actor::Release(index as u32), Moment::Start, span);
                consumers.entry((namespace.into(), claim)).or_default().push(user);
            }
        }
        consumers
    }
}

/// Whether the chart of a release makes the class.
fn makes(cluster: &Cluster, release: usize, row: &StorageClassRow) -> bool {
    let chart = chart_of(cluster, &cluster.releases[release]);
    chart.is_some_and(|chart| row.charts.iter().any(|name| name.eq_ignore_ascii_case(&chart.name)))
}

/// API group of VolSync.
const VOLSYNC: &str = "volsync.backube";

/// The claims that pods of VolSync mount: the one that a ReplicationDestination writes to, and that of a ReplicationSource which is read as it
/// is (`copyMethod: Direct`). Of others a copy or a snapshot is made, which waits until they are bound.
fn moved(object: &yaml::Node, claims: &mut Vec<(SmolStr, Span)>) {
    let is_source = object.find_str(&["kind"]) == Some("ReplicationSource");
    let spec = object.get("spec");
    let source = spec.and_then(|spec| spec.get("sourcePVC"));
    for mover in spec.into_iter().flat_map(yaml::Node::entries).map(|entry| &entry.value) {
        let is_direct = is_source && mover.find_str(&["copyMethod"]) == Some("Direct");
        let found = if is_source { source.filter(|_| is_direct) } else { mover.get("destinationPVC") };
        claims.extend(found.and_then(|name| Some((name.as_str()?.into(), name.span))));
    }
}

/// Levels below which no claim is named.
const DEPTH: usize = 24;

/// The claims that an object or values name: `claimName` of a pod's volume, `existingClaim` as charts have it.
fn find_claims(node: &yaml::Node, depth: usize, claims: &mut Vec<(SmolStr, Span)>) {
    if depth > DEPTH {
        return;
    }
    for entry in node.entries() {
        match (entry.key.as_str(), entry.value.as_str()) {
            ("claimName" | "existingClaim", Some(name)) => claims.push((name.into(), entry.value.span)),
            _ => find_claims(&entry.value, depth + 1, claims),
        }
    }
    for item in node.items() {
        find_claims(item, depth + 1, claims);
    }
}
