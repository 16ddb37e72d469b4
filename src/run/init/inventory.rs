//! What a repository shows that a configuration may speak of.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::{
    cluster::{Cluster, Folder, ObjectKey, chart_of},
    finding::Subject,
    graph::Actor,
    run::Session,
    situation::{Situation, missing_inputs},
    source::RemoteUrl,
};

/// A cluster.
pub(super) struct FoundCluster {
    /// Its root, from the folder of the configuration.
    pub(super) root: String,
    pub(super) nodes: usize,
    pub(super) unresolved: usize,
    pub(super) flux_version: Option<String>,
    /// How long its longest path typically takes, and the Kustomization or HelmRelease at its end.
    pub(super) longest: Option<(Duration, Subject)>,
}

/// What was found.
#[derive(Default)]
pub(super) struct Found {
    /// The artifact root, from the folder of the configuration.
    pub(super) root: String,
    pub(super) clusters: Vec<FoundCluster>,
    /// URLs of repositories that nothing is mapped for, and the revision that is asked for.
    pub(super) sources: BTreeMap<String, Option<String>>,
    /// ConfigMaps and Secrets that are read and that no build makes.
    pub(super) inputs: BTreeSet<Subject>,
    /// The chart that takes longest, and how long.
    pub(super) slowest: Option<(Duration, String)>,
}

impl Found {
    /// What `session` shows. `root` is the artifact root, from the folder of the configuration.
    pub(super) fn new(session: &Session<'_>, root: &str) -> Self {
        let mut found = Self { root: root.to_owned(), ..Self::default() };
        for situation in session.situations.iter().filter(|situation| situation.cluster.reached) {
            let cluster = situation.cluster;
            found.clusters.push(FoundCluster {
                root: [root, &cluster.root].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/"),
                nodes: cluster.nodes.iter().filter(|node| !node.is_generated).count(),
                unresolved: cluster.unresolved_nodes(),
                flux_version: cluster.version.map(|version| version.to_string()),
                longest: longest(situation),
            });
            found.inputs.extend(missing_inputs(cluster));
            found.sources.extend(sources(cluster));
            found.slowest = found.slowest.max(slowest(situation));
        }
        found
    }
}

fn longest(situation: &Situation<'_>) -> Option<(Duration, Subject)> {
    let last = situation.cold_start.last(&situation.graph)?;
    let actor = situation.graph.event(last).actor;
    let time = situation.cold_start.time(last)?;
    matches!(actor, Actor::Node(_) | Actor::Release(_)).then(|| (time.typical, actor.subject(situation.cluster)))
}

fn slowest(situation: &Situation<'_>) -> Option<(Duration, String)> {
    let releases = situation.cluster.releases.iter().enumerate();
    let charts = releases.filter_map(|(index, release)| {
        Some((situation.durations.release(index).range.typical, chart_of(situation.cluster, release)?.name))
    });
    charts.max()
}

/// Remote bases, and the sources of Kustomizations whose files are elsewhere.
fn sources(cluster: &Cluster) -> BTreeMap<String, Option<String>> {
    let mut found = BTreeMap::new();
    for node in &cluster.nodes {
        for part in &node.unresolved {
            let url = part.what.strip_prefix("remote ").and_then(|what| what.rsplit(' ').next());
            if let Some(url) = url.map(RemoteUrl::parse).filter(|url| url.text().contains('/')) {
                // Host, organisation, repository: what is behind is a path in it.
                let repository: Vec<&str> = url.text().splitn(4, '/').take(3).collect();
                let reference = url.reference().map(str::to_owned);
                found.insert(format!("https://{}", repository.join("/")), reference);
            }
        }
        if !matches!(node.folder, Folder::Elsewhere(_)) {
            continue;
        }
        let provider = cluster.objects.get(&ObjectKey::from(&node.source())).and_then(|providers| providers.first());
        let Some(object) = provider.map(|provider| cluster.object(*provider)) else { continue };
        if let Some(url) = object.node.find_str(&["spec", "url"]) {
            let reference = ["tag", "branch"].iter().find_map(|kind| object.node.find_str(&["spec", "ref", kind]));
            found.insert(url.to_owned(), reference.map(str::to_owned));
        }
    }
    found
}
