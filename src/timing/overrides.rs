//! Durations that users set themselves, because they know their cluster.

use std::fmt;

use crate::{
    catalog::Range,
    cluster::{Cluster, NodeKey, ObjectKey, Release, chart_of},
    flux::api::kinds::HELM_RELEASE,
    source::names,
};

/// A duration that a user set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// Of what.
    pub target: Target,
    /// How long it takes.
    pub range: Range,
}

/// What a user set a duration of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// Every HelmRelease of the chart of that name, whatever its case.
    Chart(String),
    /// A Kustomization: from its apply until what it applies itself is healthy.
    Node(NodeKey),
    /// An object by kind, namespace and name: a HelmRelease, or something a Kustomization waits for.
    Object {
        /// Its kind.
        kind: String,
        /// Its namespace; empty where it belongs to none.
        namespace: String,
        /// Its name.
        name: String,
    },
}

impl Target {
    /// Reads `namespace/name`. `None` where it has another form.
    #[must_use]
    pub fn node(text: &str) -> Option<Self> {
        match parts(text)?.as_slice() {
            [namespace, name] => Some(Self::Node(NodeKey::new(*namespace, *name))),
            _ => None,
        }
    }

    /// Reads `Kind/namespace/name`, or `Kind/name` for what belongs to no namespace. `None` where it has another form.
    #[must_use]
    pub fn object(text: &str) -> Option<Self> {
        let (kind, namespace, name) = match parts(text)?.as_slice() {
            [kind, namespace, name] => (*kind, *namespace, *name),
            [kind, name] => (*kind, "", *name),
            _ => return None,
        };
        let is_kind = kind.starts_with(|first: char| first.is_ascii_uppercase()) || kind == "postgresql";
        is_kind.then(|| Self::Object { kind: kind.to_owned(), namespace: namespace.to_owned(), name: name.to_owned() })
    }

    /// Whether it is `chart`.
    fn is_chart(&self, chart: &str) -> bool {
        matches!(self, Self::Chart(name) if name.eq_ignore_ascii_case(chart))
    }

    /// Whether it is the object of `key`.
    fn is_object(&self, key: &ObjectKey) -> bool {
        matches!(self, Self::Object { kind, namespace, name }
            if *kind == key.kind && *namespace == key.namespace && *name == key.name)
    }

    /// Whether it is of something in `cluster`.
    fn is_in(&self, cluster: &Cluster) -> bool {
        match self {
            Self::Chart(_) => cluster
                .releases
                .iter()
                .filter_map(|release| chart_of(cluster, release))
                .any(|chart| self.is_chart(&chart.name)),
            Self::Node(key) => cluster.find(key).is_some(),
            Self::Object { .. } => cluster.objects.keys().any(|key| self.is_object(key)),
        }
    }

    /// What is most like it in `clusters`, if anything is.
    fn similar(&self, clusters: &[Cluster]) -> Option<String> {
        let wanted = self.text();
        let known = clusters.iter().flat_map(|cluster| -> Vec<String> {
            match self {
                Self::Chart(_) => {
                    let charts = cluster.releases.iter().filter_map(|release| chart_of(cluster, release));
                    charts.map(|chart| chart.name).collect()
                }
                Self::Node(_) => cluster.nodes.iter().map(|node| node.key.to_string()).collect(),
                Self::Object { .. } => cluster.objects.keys().map(|key| key.subject().to_string()).collect(),
            }
        });
        let mut known: Vec<String> = known.collect();
        known.sort_unstable();
        names::nearest_of_all(&wanted, known.iter().map(String::as_str)).map(str::to_owned)
    }

    fn text(&self) -> String {
        match self {
            Self::Chart(name) => name.clone(),
            Self::Node(key) => key.to_string(),
            Self::Object { kind, namespace, name } if namespace.is_empty() => format!("{kind}/{name}"),
            Self::Object { kind, namespace, name } => format!("{kind}/{namespace}/{name}"),
        }
    }
}

/// The parts of a name between slashes, none of them empty.
fn parts(text: &str) -> Option<Vec<&str>> {
    let parts: Vec<&str> = text.split('/').collect();
    parts.iter().all(|part| !part.is_empty() && !part.contains(char::is_whitespace)).then_some(parts)
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::Chart(_) => "chart",
            Self::Node(_) => "node",
            Self::Object { .. } => "object",
        };
        write!(f, "{kind} `{}`", self.text())
    }
}

/// The overrides that are of nothing in `clusters`, in words.
#[must_use]
pub fn unmatched(overrides: &[Override], clusters: &[Cluster]) -> Vec<String> {
    let lost = overrides.iter().filter(|one| !clusters.iter().any(|cluster| one.target.is_in(cluster)));
    lost.map(|one| {
        let near = one.target.similar(clusters).map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        format!("`durations` of the configuration sets one for {}, which is not in what was analysed{near}", one.target)
    })
    .collect()
}

/// The duration that the user set for a HelmRelease: for the object, else for its chart.
pub(super) fn of_release(overrides: &[Override], release: &Release, chart: Option<&str>) -> Option<Range> {
    let key = || ObjectKey::new(HELM_RELEASE, release.key.namespace.clone(), release.key.name.clone());
    if overrides.is_empty() {
        return None;
    }
    let of_object = of_object(overrides, &key());
    let of_chart = || overrides.iter().find(|one| chart.is_some_and(|chart| one.target.is_chart(chart)));
    of_object.or_else(|| of_chart().map(|one| one.range))
}

/// The duration that the user set for an object.
pub(super) fn of_object(overrides: &[Override], key: &ObjectKey) -> Option<Range> {
    overrides.iter().find(|one| one.target.is_object(key)).map(|one| one.range)
}

/// The duration that the user set for what a Kustomization applies itself.
pub(super) fn of_node(overrides: &[Override], key: &NodeKey) -> Option<Range> {
    overrides.iter().find(|one| matches!(&one.target, Target::Node(target) if target == key)).map(|one| one.range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_as_people_write_them() {
        assert_eq!(
            Target::node("flux-system/core").map(|target| target.to_string()).as_deref(),
            Some("node `flux-system/core`")
        );
        assert_eq!(
            Target::object("HelmRelease/media/plex").map(|target| target.to_string()).as_deref(),
            Some("object `HelmRelease/media/plex`")
        );
        assert!(Target::object("ClusterIssuer/ca").is_some());
        for wrong in ["core", "/core", "a/b/c", "a b/c"] {
            assert_eq!(Target::node(wrong), None, "{wrong}");
        }
        for wrong in ["plex", "media/plex", "HelmRelease//plex", "A/b/c/d"] {
            assert_eq!(Target::object(wrong), None, "{wrong}");
        }
    }
}
