//! What there is: clusters, their Kustomizations and HelmReleases, and whether each becomes Ready.

use serde::Serialize;

use super::Location;
use crate::{
    catalog::Range,
    cluster::{Focus, Folder, Named, Node, NodeId, Relation, Release, chart_of},
    finding::Subject,
    graph::{Actor, Moment, Reason},
    situation::Situation,
    source::Tree,
};

/// The Kustomizations and HelmReleases of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listing {
    /// The clusters that an entry point leads to, sorted by root.
    pub clusters: Vec<ListedCluster>,
    /// What no entry point reaches.
    pub unreached: Vec<Unreached>,
}

/// Those of one cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedCluster {
    /// Its root, relative to the artifact root.
    pub cluster: String,
    /// The hardware that times are for.
    pub profile: &'static str,
    /// The Flux release, where the repository tells.
    pub flux_version: Option<String>,
    /// Kustomizations, then HelmReleases, each sorted by namespace and name.
    pub nodes: Vec<ListedNode>,
}

/// A Kustomization or HelmRelease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedNode {
    /// The object.
    pub node: Subject,
    /// Where its name is written; `None` where no file holds it.
    pub location: Option<Location>,
    /// What becomes of it in a cold start.
    pub state: State,
    /// Why it never becomes Ready, in short.
    pub why: Option<String>,
    /// The folder that a Kustomization applies, relative to its artifact.
    pub path: Option<String>,
    /// The chart that a HelmRelease installs.
    pub chart: Option<String>,
    /// What applies it; nothing for an entry point.
    pub applied_by: Vec<Subject>,
    /// When it is Ready, counted from the first reconciliation; `None` where it never is.
    pub ready_s: Option<Seconds>,
    /// What the paths that were asked about have to do with it; `None` where all of the cluster is reported.
    pub relation: Option<Relation>,
}

/// What becomes of a Kustomization or HelmRelease in a cold start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It becomes Ready.
    Ready,
    /// It is suspended: it exists, and no controller reconciles it.
    Suspended,
    /// It never becomes Ready.
    Never,
}

/// A range of times, in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Seconds {
    /// Where everything is fast.
    pub low: u64,
    /// What is usual.
    pub typical: u64,
    /// Where everything is slow.
    pub high: u64,
}

/// A Kustomization that no entry point reaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unreached {
    /// The object.
    pub node: Subject,
    /// Where its name is written; `None` where no file holds it.
    pub location: Option<Location>,
}

/// Lists what `focus` reports of the clusters.
#[must_use]
pub fn list(situations: &[Situation<'_>], focus: &Focus, tree: &Tree) -> Listing {
    let reported = situations.iter().enumerate().filter(|(index, _)| focus.has_cluster(*index));
    let (reached, unreached): (Vec<_>, Vec<_>) = reported.partition(|(_, situation)| situation.cluster.reached);
    let lost = unreached.into_iter().flat_map(|(index, situation)| {
        let nodes = situation.cluster.nodes().filter(move |(id, _)| focus.has(index, Named::Node(*id)));
        nodes.map(|(_, node)| Unreached { node: node.subject(), location: Location::new(tree, node.span()) })
    });
    Listing {
        unreached: lost.collect(),
        clusters: reached.into_iter().map(|(index, situation)| of_cluster(situation, index, focus, tree)).collect(),
    }
}

fn of_cluster(situation: &Situation<'_>, index: usize, focus: &Focus, tree: &Tree) -> ListedCluster {
    let cluster = situation.cluster;
    let nodes = cluster.nodes().map(|(id, node)| (Named::Node(id), of_node(situation, id, node, tree)));
    let releases = cluster.releases.iter().enumerate();
    let releases = releases.map(|(at, release)| (Named::Release(at), of_release(situation, at, release, tree)));
    let reported = nodes.chain(releases).filter(|(named, _)| focus.has(index, *named));
    ListedCluster {
        cluster: cluster.root.clone(),
        profile: situation.durations.profile().name(),
        flux_version: cluster.version.map(|version| version.to_string()),
        nodes: reported
            .map(|(named, listed)| ListedNode { relation: focus.relation(index, named), ..listed })
            .collect(),
    }
}

fn of_node(situation: &Situation<'_>, id: NodeId, node: &Node, tree: &Tree) -> ListedNode {
    let mut applied_by: Vec<Subject> =
        node.definitions.iter().filter_map(|definition| definition.applied_by()).collect();
    applied_by.sort_unstable();
    applied_by.dedup();
    let (state, why) = state(situation, Actor::Node(id));
    let path = node.kustomization.spec.path.clone().or_else(|| match &node.folder {
        Folder::Here(folder) => Some(format!("./{folder}")),
        _ => None,
    });
    ListedNode {
        node: node.subject(),
        location: Location::new(tree, node.span()),
        state,
        why,
        path,
        chart: None,
        applied_by,
        ready_s: ready(situation, Actor::Node(id)),
        relation: None,
    }
}

fn of_release(situation: &Situation<'_>, at: usize, release: &Release, tree: &Tree) -> ListedNode {
    let (cluster, actor) = (situation.cluster, Actor::Release(at as u32));
    let mut applied_by: Vec<Subject> = release.providers.iter().map(|provider| cluster.owner(*provider)).collect();
    applied_by.sort_unstable();
    applied_by.dedup();
    let (state, why) = state(situation, actor);
    ListedNode {
        node: release.subject(),
        location: Location::new(tree, release.helm.name_span()),
        state,
        why,
        path: None,
        chart: chart_of(cluster, release).map(|chart| chart.name),
        applied_by,
        ready_s: ready(situation, actor),
        relation: None,
    }
}

/// What becomes of a Kustomization or HelmRelease, and why it never becomes Ready, in short.
fn state(situation: &Situation<'_>, actor: Actor) -> (State, Option<String>) {
    let is_suspended = match actor {
        Actor::Node(id) => situation.cluster.node(id).kustomization.spec.suspend,
        Actor::Release(index) => situation.cluster.releases[index as usize].helm.spec.suspend,
        _ => false,
    };
    match time(situation, actor) {
        _ if is_suspended => (State::Suspended, None),
        Some(_) => (State::Ready, None),
        None => (State::Never, hindrance(situation, actor)),
    }
}

/// The first thing that `actor` waits for and that never happens.
fn hindrance(situation: &Situation<'_>, actor: Actor) -> Option<String> {
    let graph = &situation.graph;
    let inputs = graph.events_of(actor).into_iter().flat_map(|id| graph.inputs(id));
    let mut waits = inputs.filter(|(_, edge)| edge.reason != Reason::Progress);
    let (id, _) = waits.find(|(before, _)| situation.cold_start.time(*before).is_none())?;
    let event = graph.event(id);
    let (other, (_, verb)) = (event.actor.subject(situation.cluster), event.moment.told());
    Some(format!("waits for {other}, which never {verb}"))
}

fn time(situation: &Situation<'_>, actor: Actor) -> Option<Range> {
    situation.cold_start.time(situation.graph.id(actor, Moment::Ready)?)
}

fn ready(situation: &Situation<'_>, actor: Actor) -> Option<Seconds> {
    let is_ready = state(situation, actor).0 == State::Ready;
    let range = time(situation, actor).filter(|_| is_ready)?;
    Some(Seconds { low: range.low.as_secs(), typical: range.typical.as_secs(), high: range.high.as_secs() })
}

impl Listing {
    /// The objects whose names Kubernetes would take, sorted, each once. Others may hold what a shell or a terminal obeys.
    #[must_use]
    pub fn names(&self) -> Vec<&Subject> {
        let nodes = self.clusters.iter().flat_map(|cluster| &cluster.nodes).map(|listed| &listed.node);
        let mut names: Vec<&Subject> = nodes.filter(|subject| has_safe_name(subject)).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

impl ListedCluster {
    /// How many are in `state`.
    #[must_use]
    pub fn count(&self, state: State) -> usize {
        self.nodes.iter().filter(|listed| listed.state == state).count()
    }
}

/// Whether name and namespace are names of DNS, as Kubernetes asks for (apimachinery, `IsDNS1123Subdomain`, `IsDNS1123Label`).
#[must_use]
pub fn has_safe_name(subject: &Subject) -> bool {
    let is_end = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_label = |text: &str| {
        let is_inner = text.chars().all(|c| is_end(c) || c == '-');
        is_inner && text.starts_with(is_end) && text.ends_with(is_end)
    };
    let namespace = subject.namespace.as_deref();
    namespace.is_none_or(|text| text.len() <= 63 && is_label(text))
        && subject.name.len() <= 253
        && subject.name.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_dns_are_safe() {
        let named = |namespace: &str, name: &str| {
            has_safe_name(&Subject {
                kind: "Kustomization".to_owned(),
                namespace: Some(namespace.to_owned()),
                name: name.to_owned(),
            })
        };
        assert!(named("flux-system", "apps") && named("a", "a.b-c.0"));
        for name in ["", "-a", "a-", "A", "a b", "a;b", "$(x)", "a\nb", "\u{1b}[2J", "ä", "a..b", "a/b", "${x}"] {
            assert!(!named("flux-system", name), "{name:?}");
        }
        assert!(!named("a.b", "apps") && !named("", "apps") && !named("a", &"a".repeat(254)));
    }
}
