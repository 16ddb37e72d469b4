//! What a Kustomization takes for itself: the apply, and the health of what it applies, children and HelmReleases apart.

use std::time::Duration as Time;

use super::{
    Duration, Origin, Override, Profile, custom,
    estimate::Layout,
    overrides::{of_node, of_object},
    pods,
};
use crate::{
    catalog::Range,
    cluster::{Cluster, HealthSet, Node, NodeId, ObjectKey, workload_maker},
    flux::{Health, health_of, kustomization_timeout},
    kustomize::Object,
    yaml::{Node as Yaml, Value},
};

/// The time a Kustomization takes for itself.
#[derive(Debug, Clone)]
pub(super) struct NodeWork {
    pub(super) apply: Range,
    /// Until its own objects are healthy; zero without a gate.
    pub(super) health: Duration,
}

/// What is known before a Kustomization is looked at.
pub(super) struct Known<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) profile: Profile,
    pub(super) overrides: &'a [Override],
}

impl<'a> Known<'a> {
    pub(super) fn new(cluster: &'a Cluster, profile: Profile, overrides: &'a [Override]) -> Self {
        Self { cluster, profile, overrides }
    }

    /// The time of the Kustomization at `index`.
    pub(super) fn work(&self, index: usize) -> NodeWork {
        let (node, constants) = (&self.cluster.nodes[index], self.profile.constants());
        let objects = &node.applied.build.objects;
        let crds = objects.iter().filter(|object| object.node.find_str(&["kind"]) == Some("CustomResourceDefinition"));
        let layout =
            Layout { objects: objects.len(), crds: crds.map(|object| size(&object.node)).sum(), ..Layout::default() };
        let took = layout.apply(constants);
        let apply = constants.node_fetch.plus(Range { low: took, typical: took, high: took });
        let health = match of_node(self.overrides, &node.key) {
            Some(range) if node.has_gate() => Duration { range, origin: Origin::Config, row: None },
            _ => self.health(index, node),
        };
        NodeWork { apply, health }
    }

    /// Until the objects of the health set are healthy that the Kustomization applies itself.
    fn health(&self, index: usize, node: &Node) -> Duration {
        let mut set = Set::default();
        for member in HealthSet::new(node).checked() {
            self.look(&mut set, index, &member.key, member.object);
        }
        let limit = kustomization_timeout(&node.kustomization.spec).unwrap_or(Time::MAX);
        let range = set.layout.after_apply(self.profile, limit);
        let estimated = Duration { range, origin: Origin::Objects(set.layout.seen()), row: None };
        let Some(other) = set.known else { return estimated };
        let decides = if other.range.typical >= range.typical { other.origin } else { estimated.origin };
        Duration { range: range.max(other.range), origin: decides, row: None }
    }

    /// Adds what the health check waits for of one object.
    fn look(&self, set: &mut Set, index: usize, key: &ObjectKey, object: Option<&Object>) {
        if !is_own(key) {
            return;
        }
        if let Some(range) = of_object(self.overrides, key) {
            return set.add(Duration { range, origin: Origin::Config, row: None });
        }
        let spec = &self.cluster.nodes[index].kustomization.spec;
        let layout = &mut set.layout;
        match (health_of(&key.group, &key.kind), object) {
            (Health::Awaited, _) if key.kind == "PersistentVolumeClaim" => layout.loose_volumes += 1,
            (Health::Awaited, Some(object)) => pods::add(layout, &key.kind, &object.node),
            // What a chart makes is waited for with its release, which is an event of its own.
            (Health::Awaited, None) if workload_maker(self.cluster, NodeId(index as u32), key).is_some() => {}
            // Somebody else makes it, and has mostly done so before.
            (Health::Awaited, None) => pods::add_unknown(layout, &key.kind, &key.name),
            (Health::Custom, Some(object)) => {
                if custom::is_awaited(&key.group, &key.kind, &spec.health_check_exprs) {
                    layout.custom = layout.custom.max(custom::cost(self.cluster, key, &object.node, self.profile));
                    layout.custom_resources += 1;
                }
            }
            (Health::Custom, None) | (Health::AtOnce, _) => {}
        }
    }
}

/// What a health check waits for.
#[derive(Default)]
struct Set {
    /// What is estimated.
    layout: Layout,
    /// The longest of what is known otherwise.
    known: Option<Duration>,
}

impl Set {
    fn add(&mut self, duration: Duration) {
        let longest = self.known.as_ref().is_none_or(|known| known.range.typical < duration.range.typical);
        if longest {
            self.known = Some(duration);
        }
    }
}

/// Whether an object is no event of its own, whose time is counted elsewhere.
fn is_own(key: &ObjectKey) -> bool {
    !key.is_helm_release() && !key.is_kustomization()
}

/// Roughly how many bytes of JSON a tree is.
fn size(node: &Yaml) -> usize {
    match &node.value {
        Value::Str(text) => text.len() + 2,
        Value::Map(map) => {
            2 + map.entries().iter().map(|entry| entry.key.len() + 4 + size(&entry.value)).sum::<usize>()
        }
        Value::Seq(items) => 2 + items.iter().map(|item| 1 + size(item)).sum::<usize>(),
        _ => 4,
    }
}
