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
    cluster::{Cluster, Node, ObjectKey},
    flux::{Health, Policy, health_of, kustomization_timeout},
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

/// API group of an entry of `healthChecks` that names none (kustomize-controller v1.9, `checkHealth`).
const DEFAULT_API_VERSION: &str = "apps/v1";

pub(super) fn node_work(cluster: &Cluster, node: &Node, profile: Profile, overrides: &[Override]) -> NodeWork {
    let constants = profile.constants();
    let objects = &node.applied.build.objects;
    let definitions =
        objects.iter().filter(|object| object.node.find_str(&["kind"]) == Some("CustomResourceDefinition"));
    let layout = Layout {
        objects: objects.len(),
        definitions: definitions.map(|object| size(&object.node)).sum(),
        ..Layout::default()
    };
    let took = layout.apply(constants);
    let apply = constants.node_fetch.plus(Range { low: took, typical: took, high: took });
    let health = match of_node(overrides, &node.key) {
        Some(range) if node.has_gate() => Duration { range, origin: Origin::Config, row: None },
        _ => health(cluster, node, profile, overrides),
    };
    NodeWork { apply, health }
}

/// Until the objects of the health set are healthy that the Kustomization applies itself.
fn health(cluster: &Cluster, node: &Node, profile: Profile, overrides: &[Override]) -> Duration {
    let spec = &node.kustomization.spec;
    let limit = kustomization_timeout(spec).unwrap_or(Time::MAX);
    let mut layout = Layout::default();
    let mut set = Range::default();
    let mut look = |key: &ObjectKey, object: Option<&Object>| match of_object(overrides, key).filter(|_| is_own(key)) {
        Some(range) => set = set.max(range),
        None => add(&mut layout, cluster, node, key, object, profile),
    };
    let applied = || node.applied.build.objects.iter().filter(|object| Policy::of(&object.node).applied);
    if spec.wait {
        for object in applied() {
            look(&object.id().into(), Some(object));
        }
    } else if !spec.health_checks.is_empty() {
        for check in &spec.health_checks {
            let version =
                check.api_version.as_deref().filter(|version| !version.is_empty()).unwrap_or(DEFAULT_API_VERSION);
            let key = ObjectKey {
                group: version.split_once('/').map_or("", |(group, _)| group).into(),
                kind: check.kind.as_str().into(),
                namespace: check.namespace.as_deref().unwrap_or_default().into(),
                name: check.name.as_str().into(),
            };
            let named = |object: &&Object| {
                object.node.find_str(&["metadata", "name"]) == Some(key.name.as_str())
                    && object.node.find_str(&["kind"]) == Some(key.kind.as_str())
            };
            look(&key, applied().find(named));
        }
    }
    let estimated = layout.after_apply(profile, limit);
    let is_set = set.typical > Time::ZERO && set.typical >= estimated.typical;
    let origin = if is_set { Origin::Config } else { Origin::Objects(layout.seen()) };
    Duration { range: estimated.max(set), origin, row: None }
}

/// Whether an object is no event of its own, whose time is counted elsewhere.
fn is_own(key: &ObjectKey) -> bool {
    !key.is_helm_release() && !key.is_kustomization()
}

fn add(
    layout: &mut Layout,
    cluster: &Cluster,
    node: &Node,
    key: &ObjectKey,
    object: Option<&Object>,
    profile: Profile,
) {
    match (health_of(&key.group, &key.kind), object) {
        (Health::Awaited, _) if !is_own(key) => {}
        (Health::Awaited, _) if key.kind == "PersistentVolumeClaim" => layout.loose_volumes += 1,
        (Health::Awaited, Some(object)) => pods::add(layout, &key.kind, &object.node),
        // Somebody else makes it. What that is, is seldom known; a workload it is.
        (Health::Awaited, None) => pods::add_unknown(layout, &key.kind, &key.name),
        (Health::Custom, Some(object)) => {
            if custom::is_awaited(&key.group, &key.kind, &node.kustomization.spec.health_check_exprs) {
                layout.custom = layout.custom.max(custom::cost(cluster, key, &object.node, profile));
                layout.custom_resources += 1;
            }
        }
        (Health::Custom, None) | (Health::AtOnce, _) => {}
    }
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
