use std::collections::BTreeMap;

use crate::{
    cluster::{Cluster, Node, ObjectKey, Provider, Release},
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
