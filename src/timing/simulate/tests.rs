//! Small clusters, and what the controllers make of them: each schedule is worked out by hand beside it. Unless it says
//! otherwise an apply takes no time, workers are 4, dependencies are looked at every 30 s and health every 5 s.

mod commits;
mod failures;
mod many;
mod properties;
mod schedules;

use std::time::Duration;

use super::{
    Assumptions, NotReadyCause, Outcome, Run, Simulation,
    work::{Load, Spread3},
};
use crate::{
    cluster::{Cluster, NodeKey, Scope, discover, resolve},
    finding::Confidence,
    graph::{self, Actor, Blocker, EventGraph, Moment, Reason},
    source::Tree,
    timing::Quantile,
    yaml::Store,
};

const INSTANCE: &str = "apiVersion: fluxcd.controlplane.io/v1\nkind: FluxInstance\nmetadata: {name: flux, namespace: flux-system}\n\
                        spec:\n  distribution: {version: 2.9.0}\n  sync: {kind: GitRepository, url: https://example.org/x, path: cluster}\n";

/// The cluster of a repository with these files, where each file under `cluster/` is applied by the entry point.
fn cluster(files: &[(String, String)]) -> Cluster {
    let instance = ("cluster/instance.yaml".to_owned(), INSTANCE.to_owned());
    let files = files.iter().cloned().chain([instance]).map(|(path, text)| (path, text.into_bytes()));
    let store = Store::new(Tree::from_memory(files));
    let mut clusters = resolve(&store, "", &discover(&store, &Scope::default()), None);
    assert_eq!(clusters.iter().filter(|cluster| cluster.reached).count(), 1);
    clusters.remove(0)
}

/// A Kustomization that builds the folder of its name, with these fields besides.
fn kustomization(name: &str, fields: &str) -> String {
    let interval = if fields.contains(" interval:") || fields.starts_with("interval:") { "" } else { "interval: 1h, " };
    let source =
        if fields.contains("sourceRef") { "" } else { "sourceRef: {kind: GitRepository, name: flux-system}, " };
    format!(
        "---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: flux-system}}\n\
         spec: {{{interval}{source}prune: true, path: {name}, {fields}}}\n"
    )
}

fn release(name: &str, fields: &str) -> String {
    format!(
        "---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: {name}, namespace: flux-system}}\n\
         spec: {{interval: 1h, chartRef: {{kind: OCIRepository, name: elsewhere}}, {fields}}}\n"
    )
}

fn config_map(name: &str, namespace: &str) -> String {
    format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: {namespace}}}\n")
}

fn namespace(name: &str) -> String {
    format!("---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n")
}

/// A repository and how long things take in it.
#[derive(Default)]
struct Case {
    files: Vec<(String, String)>,
    apply: Vec<(&'static str, u32)>,
    health: Vec<(&'static str, u32)>,
    releases: Vec<(&'static str, u32)>,
    assume: Option<fn(&mut Assumptions)>,
}

impl Case {
    /// Adds what `folder` builds: `cluster` is the entry point's.
    fn folder(mut self, folder: &str, text: impl Into<String>) -> Self {
        let count = self.files.len();
        self.files.push((format!("{folder}/{count:03}.yaml"), text.into()));
        self
    }

    /// Adds a Kustomization of the entry point that builds nothing of interest.
    fn node(self, name: &str, fields: &str) -> Self {
        self.under("cluster", name, fields)
    }

    /// Adds a Kustomization that `parent` applies.
    fn under(self, parent: &str, name: &str, fields: &str) -> Self {
        self.folder(parent, kustomization(name, fields)).folder(name, config_map(name, "flux-system"))
    }

    fn apply(mut self, seconds: &[(&'static str, u32)]) -> Self {
        self.apply = seconds.to_vec();
        self
    }

    fn health(mut self, seconds: &[(&'static str, u32)]) -> Self {
        self.health = seconds.to_vec();
        self
    }

    fn releases(mut self, seconds: &[(&'static str, u32)]) -> Self {
        self.releases = seconds.to_vec();
        self
    }

    fn assume(mut self, assume: fn(&mut Assumptions)) -> Self {
        self.assume = Some(assume);
        self
    }

    fn built(&self) -> Built {
        let cluster = cluster(&self.files);
        let graph = EventGraph::new(&cluster, suspensions(&cluster));
        let of = |table: &[(&str, u32)], key: &NodeKey| -> Spread3 {
            let found = table.iter().find(|(name, _)| *name == key.name);
            [found.map_or(0, |(_, seconds)| seconds * 1000); 3]
        };
        let load = Load {
            apply: cluster.nodes.iter().map(|node| of(&self.apply, &node.key)).collect(),
            health: cluster.nodes.iter().map(|node| of(&self.health, &node.key)).collect(),
            release: cluster.releases.iter().map(|release| of(&self.releases, &release.key)).collect(),
        };
        let mut assumptions = Assumptions::new(&cluster);
        if let Some(assume) = self.assume {
            assume(&mut assumptions);
        }
        let simulation = Simulation::with(&cluster, &graph, load, assumptions);
        Built { cluster, graph, simulation }
    }

    fn run(&self) -> Ran {
        let built = self.built();
        let run = built.simulation.run(Quantile::Typical);
        Ran { built, run }
    }
}

struct Built {
    cluster: Cluster,
    graph: EventGraph,
    simulation: Simulation,
}

struct Ran {
    built: Built,
    run: Run,
}

impl Ran {
    fn node(&self, name: &str) -> &Outcome {
        let id = self.built.cluster.find(&NodeKey::new("flux-system", name)).expect("a Kustomization of that name");
        &self.run.nodes[id.index()]
    }

    fn release(&self, name: &str) -> &Outcome {
        let release = self.built.cluster.release(&NodeKey::new("flux-system", name)).expect("a release of that name");
        &self.run.releases[release]
    }

    /// What a Kustomization or release that is not Ready lacks: the name it belongs to.
    fn stuck(&self, outcome: &Outcome) -> (NotReadyCause, Option<String>) {
        let stuck = outcome.stuck.expect("it is not Ready");
        let name = stuck.on.map(|on| match self.built.graph.event(on).actor {
            Actor::Node(node) => self.built.cluster.node(node).key.name.to_string(),
            Actor::Release(release) => self.built.cluster.releases[release as usize].key.name.to_string(),
            other => format!("{other:?}"),
        });
        (stuck.cause, name)
    }

    /// Names on the critical path, each once, with the entry point's left out.
    fn path(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for id in &self.run.critical_path {
            let name = match self.built.graph.event(*id).actor {
                Actor::Node(node) => self.built.cluster.node(node).key.name.to_string(),
                Actor::Release(release) => self.built.cluster.releases[release as usize].key.name.to_string(),
                _ => continue,
            };
            if name != "flux-system" && names.last() != Some(&name) {
                names.push(name);
            }
        }
        names
    }
}

fn at(seconds: f64) -> Option<Duration> {
    Some(Duration::from_secs_f64(seconds))
}

fn s(seconds: u64) -> Option<Duration> {
    Some(Duration::from_secs(seconds))
}

fn timed_out(seconds: &[u64]) -> Vec<Duration> {
    seconds.iter().copied().map(Duration::from_secs).collect()
}

/// What stops suspended objects.
fn suspensions(cluster: &Cluster) -> Vec<Blocker> {
    let blocker = |actor, span| Blocker {
        actor,
        moment: Moment::Start,
        reason: Reason::Progress,
        cause: graph::Cause::Suspended,
        text: "is suspended".to_owned(),
        span,
        confidence: Confidence::High,
    };
    let nodes = cluster.nodes().filter(|(_, node)| node.kustomization.spec.suspend);
    let releases = cluster.releases.iter().enumerate().filter(|(_, release)| release.helm.spec.suspend);
    let nodes = nodes.map(|(id, node)| blocker(Actor::Node(id), node.span()));
    nodes
        .chain(releases.map(|(index, release)| blocker(Actor::Release(index as u32), release.helm.name_span())))
        .collect()
}
