use std::collections::BTreeMap;

use crate::{
    cluster::{Cluster, Node, NodeId, ObjectKey, Provider, Release},
    flux::SourceRef,
    source::Span,
    yaml::{self, decode},
};

/// The chart of a HelmRelease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    /// Its name, without registry and path.
    pub name: String,
    /// Where it comes from, where the repository tells.
    pub url: Option<String>,
    /// The text that names it.
    pub span: Span,
}

/// The chart of `release`, through its chart template, or through the OCIRepository or HelmChart behind `chartRef`.
#[must_use]
pub fn chart_of(cluster: &Cluster, release: &Release) -> Option<Chart> {
    chart_in(&cluster.nodes, &cluster.objects, release)
}

/// The same, of a cluster in the making.
pub(in crate::cluster) fn chart_in(
    nodes: &[Node],
    objects: &BTreeMap<ObjectKey, Vec<Provider>>,
    release: &Release,
) -> Option<Chart> {
    let spec = &release.helm.spec;
    let source = |reference| source_spec(nodes, objects, &SourceRef::new(reference, &release.key.namespace));
    if let Some(reference) = &spec.chart_ref {
        let span = release.helm.span(&["spec", "chartRef", "name"]);
        let found = source(reference);
        let text = |key: &str| found.and_then(|spec| spec.find_str(&[key])).map(str::to_owned);
        // A source outside the repository is usually named after its chart.
        let name = text("url").or_else(|| text("chart")).unwrap_or_else(|| reference.name.clone());
        let url = text("url").or_else(|| {
            let source_ref = decode(found?.get("sourceRef")?).ok()?;
            let namespace = reference.namespace.as_deref().unwrap_or(&release.key.namespace);
            let spec = source_spec(nodes, objects, &SourceRef::new(&source_ref, namespace))?;
            spec.find_str(&["url"]).map(str::to_owned)
        });
        return Some(Chart { name: last_part(&name).to_owned(), url, span });
    }
    let chart = &spec.chart.as_ref()?.spec;
    let url = source(&chart.source_ref).and_then(|spec| spec.find_str(&["url"])).map(str::to_owned);
    let span = release.helm.span(&["spec", "chart", "spec", "chart"]);
    Some(Chart { name: last_part(&chart.chart).to_owned(), url, span })
}

/// The HelmRelease, by position, whose chart makes a workload that no build holds and `node` looks at: of those that install into its
/// namespace the one whose name, or chart, its name begins with, as charts name what they make; else the only one that `node` applies
/// there, or one of these whose name it bears.
#[must_use]
pub fn workload_maker(cluster: &Cluster, node: NodeId, key: &ObjectKey) -> Option<usize> {
    let is_workload = matches!(
        (key.group.as_str(), key.kind.as_str()),
        ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet")
            | ("batch", "Job")
            | ("", "Pod" | "Service")
    );
    if !is_workload || key.is_unresolved() {
        return None;
    }
    let is_there = |release: &Release| {
        release.helm.spec.target_namespace.as_deref().unwrap_or(&release.key.namespace) == key.namespace
    };
    let there: Vec<(usize, &Release)> =
        cluster.releases.iter().enumerate().filter(|(_, release)| is_there(release)).collect();
    let begins = |name: &str| key.name.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
    let namer = |release: &Release| {
        let chart = chart_of(cluster, release).map(|chart| chart.name).unwrap_or_default();
        let names = [release_name(release), release.key.name.to_string(), chart];
        names.iter().filter(|name| !name.is_empty() && begins(name)).map(String::len).max()
    };
    let named = there.iter().filter_map(|(index, release)| Some((namer(release)?, std::cmp::Reverse(*index))));
    if let Some((_, std::cmp::Reverse(index))) = named.max() {
        return Some(index);
    }
    let is_own = |release: &Release| release.providers.iter().any(|provider| provider.node == node);
    let own: Vec<&(usize, &Release)> = there.iter().filter(|(_, release)| is_own(release)).collect();
    match own.as_slice() {
        [(only, _)] => Some(*only),
        several => {
            several.iter().find(|(_, release)| key.name.contains(release.key.name.as_str())).map(|(index, _)| *index)
        }
    }
}

/// The name that Helm knows a release by (helm-controller v1.6, `GetReleaseName`).
fn release_name(release: &Release) -> String {
    let spec = &release.helm.object.node;
    let text = |field: &str| spec.find_str(&["spec", field]);
    match (text("releaseName"), text("targetNamespace")) {
        (Some(name), _) => name.to_owned(),
        (None, Some(namespace)) => format!("{namespace}-{}", release.key.name),
        (None, None) => release.key.name.to_string(),
    }
}

fn source_spec<'n>(
    nodes: &'n [Node],
    objects: &BTreeMap<ObjectKey, Vec<Provider>>,
    source: &SourceRef,
) -> Option<&'n yaml::Node> {
    let provider = objects.get(&ObjectKey::from(source))?.first()?;
    nodes[provider.node.index()].object(*provider).node.get("spec")
}

fn last_part(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or(path)
}
