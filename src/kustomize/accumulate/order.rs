//! `sortOptions: {order: legacy}` (kustomize `SortOrderTransformer`).

use crate::{
    kustomize::{Object, ObjectId, report::Report},
    yaml::Node,
};

const FIRST: &[&str] = &[
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];

const LAST: &[&str] = &["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// Brings objects into the order in which `kubectl kustomize` prints them: some kinds first, two last, by name within.
pub fn legacy_order(objects: &mut [Object]) {
    let owned = |kinds: &[&str]| kinds.iter().map(|kind| (*kind).to_owned()).collect::<Vec<_>>();
    sort(objects, &owned(FIRST), &owned(LAST));
}

/// Finds fault with `sortOptions` (kustomize `krusty.validateSortOptions`).
pub(in crate::kustomize) fn check(options: &Node, report: &mut Report) {
    let at = options.nearest_span(&["order"]);
    match options.find_str(&["order"]) {
        Some("legacy") => {}
        Some("fifo") => {
            if let Some(legacy) = options.get("legacySortOptions").filter(|node| !node.is_null()) {
                report.error(legacy.span, "`legacySortOptions` needs the order `legacy`");
            }
        }
        _ => report.error(at, "the order must be `fifo` or `legacy`"),
    }
}

/// Sorts as `sortOptions` says.
pub(in crate::kustomize) fn sort_by_options(objects: &mut [Object], options: &Node) {
    if options.find_str(&["order"]) != Some("legacy") {
        return;
    }
    let Some(legacy) = options.get("legacySortOptions").filter(|node| !node.is_null()) else {
        return legacy_order(objects);
    };
    let kinds = |key: &str| -> Vec<String> {
        legacy.get(key).into_iter().flat_map(Node::items).filter_map(Node::as_str).map(str::to_owned).collect()
    };
    sort(objects, &kinds("orderFirst"), &kinds("orderLast"));
}

fn sort(objects: &mut [Object], first: &[String], last: &[String]) {
    let rank = |kind: &str| {
        let place = |kinds: &[String]| kinds.iter().position(|known| known == kind);
        match (place(last), place(first)) {
            (Some(at), _) => at as i64 + 1,
            (None, Some(at)) => at as i64 - first.len() as i64,
            (None, None) => 0,
        }
    };
    objects.sort_by_cached_key(|object| {
        let ObjectId { group, version, kind, namespace, name } = object.id();
        let or = |text: &str, none: &str| if text.is_empty() { none.to_owned() } else { text.to_owned() };
        // Otherwise the core group comes after the others, but a Namespace of its comes first.
        let core = if kind == "Namespace" { "" } else { "~G" };
        let gvk = format!("{}_{}_{}", or(&group, core), or(&version, "~V"), or(&kind, "~K"));
        // The tie is broken on the id's own text, which puts the kind first (kyaml `Gvk.String`).
        let own = [kind.as_str(), version.as_str(), group.as_str()].map(|part| part.to_owned());
        let own: Vec<String> = own.into_iter().filter(|part| !part.is_empty()).collect();
        let namespace = namespace.unwrap_or_default();
        let id = format!("{}|{}|{}", own.join("."), or(&namespace, "~X"), or(&name, "~N"));
        (rank(&kind), gvk, id)
    });
}
