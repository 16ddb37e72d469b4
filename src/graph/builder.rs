//! The event graph of a cluster while it is drawn.

use petgraph::graph::DiGraph;
use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use super::{Actor, Edge, Event, EventId, Moment};
use crate::{
    cluster::{Cluster, ObjectKey},
    flux::api::kinds,
    source::Span,
};

/// The events that bring a user of each volume claim, by namespace and name.
pub(super) type Consumers = FxHashMap<(SmolStr, SmolStr), Vec<(Actor, Moment, Span)>>;

/// Builds the event graph of a cluster: `build` draws what Flux's own objects wait for, `needs` and `volumes` what the objects wait
/// for that they apply.
pub(super) struct Builder<'c> {
    pub(super) cluster: &'c Cluster,
    pub(super) graph: DiGraph<Event, Edge>,
    pub(super) by_event: FxHashMap<Event, EventId>,
    pub(super) positions: FxHashMap<&'c ObjectKey, u32>,
    /// What uses each volume claim, gathered when first asked for.
    pub(super) consumers: Option<Consumers>,
    /// The release whose chart makes a well-known storage class, where there is just one.
    pub(super) class_makers: FxHashMap<&'static str, Option<usize>>,
}

impl<'c> Builder<'c> {
    pub(super) fn new(cluster: &'c Cluster) -> Self {
        let positions = cluster.objects.keys().enumerate().map(|(index, key)| (key, index as u32)).collect();
        Self {
            cluster,
            graph: DiGraph::new(),
            by_event: FxHashMap::default(),
            positions,
            consumers: None,
            class_makers: FxHashMap::default(),
        }
    }
}

/// The key of a ConfigMap, Secret or ServiceAccount.
pub(super) fn core_key(kind: &str, namespace: &str, name: &str) -> ObjectKey {
    ObjectKey { group: "".into(), kind: kind.into(), namespace: namespace.into(), name: name.into() }
}

/// Whether the readiness of objects of that kind may be an event of this graph.
pub(super) fn is_awaited(kind: &str) -> bool {
    kinds::reconciler_of(kind).is_some_and(|by| by != kinds::Reconciler::Kubernetes)
        || matches!(kind, "PersistentVolumeClaim" | "ExternalSecret")
}
