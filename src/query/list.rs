//! What there is: clusters, their Kustomizations and HelmReleases, and whether each becomes Ready.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Document, Model, ReportedObstacle};
use crate::{
    catalog::Range,
    cluster::{Folder, Node, NodeId, ObjectRef, Relation, Release, chart_of},
    finding::Subject,
    graph::Actor,
    situation::{Situation, State},
    source::{Place, Tree},
};

/// What there is in a repository, and what becomes of it: `fluxdag list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Listing {
    /// The hardware that times are for.
    pub profile: &'static str,
    /// The clusters that an entry point leads to, sorted by root.
    pub clusters: Vec<ListedCluster>,
    /// What no entry point reaches.
    pub unreached: Vec<Unreached>,
    /// What there is to know about the question.
    #[serde(skip)]
    pub notes: Vec<String>,
}

/// The Kustomizations and HelmReleases of one cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ListedCluster {
    /// Root of the cluster.
    pub cluster: String,
    /// The Flux release, where the repository says so.
    pub flux_version: Option<String>,
    /// Kustomizations, then HelmReleases, each sorted by namespace and name.
    pub nodes: Vec<ListedNode>,
}

/// A Kustomization or HelmRelease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ListedNode {
    /// The object.
    pub node: Subject,
    /// Where its name is written; `null` where no file holds it.
    pub location: Option<Place>,
    /// What becomes of it in a cold start.
    pub state: ListedState,
    /// When it is Ready; `null` where it never is.
    pub ready: Option<Range>,
    /// What keeps it from becoming Ready first of all; `null` where nothing does that is known.
    pub obstacle: Option<ReportedObstacle>,
    /// The folder that a Kustomization applies, relative to its artifact.
    pub path: Option<String>,
    /// The chart that a HelmRelease installs.
    pub chart: Option<String>,
    /// What applies it; nothing for an entry point.
    pub applied_by: Vec<Subject>,
    /// What the paths that were asked about have to do with it; `null` where all of the cluster is listed.
    pub relation: Option<Relation>,
}

/// What becomes of a Kustomization or HelmRelease in a cold start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ListedState {
    /// It becomes Ready.
    Ready,
    /// It is suspended, or only something suspended would apply it.
    Suspended,
    /// It never becomes Ready.
    Never,
}

/// A Kustomization that no entry point reaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Unreached {
    /// The object.
    pub node: Subject,
    /// Where its name is written; `null` where no file holds it.
    pub location: Option<Place>,
}

impl Document for Listing {
    const COMMAND: &'static str = "list";

    fn notes(&self) -> &[String] {
        &self.notes
    }
}

/// What is reported of the clusters. `remark` is what there is to know of that.
#[must_use]
pub fn list(model: Model<'_>, remark: Option<String>) -> Listing {
    let (focus, tree) = (model.focus, model.store.tree());
    let unreached = model.situations.iter().enumerate().filter(|(_, situation)| !situation.cluster.reached);
    let unreached = unreached.flat_map(|(index, situation)| {
        let nodes = situation.cluster.nodes().filter(move |(id, _)| focus.has(index, ObjectRef::Node(*id)));
        nodes.map(|(_, node)| Unreached { node: node.subject(), location: tree.place(node.span()) })
    });
    Listing {
        profile: model.profile,
        unreached: unreached.collect(),
        clusters: model.reported().map(|(index, situation)| of_cluster(model, situation, index)).collect(),
        notes: remark.into_iter().collect(),
    }
}

fn of_cluster(model: Model<'_>, situation: &Situation<'_>, index: usize) -> ListedCluster {
    let (cluster, focus, tree) = (situation.cluster, model.focus, model.store.tree());
    let nodes = cluster.nodes().map(|(id, node)| (ObjectRef::Node(id), of_node(situation, id, node, tree)));
    let releases = cluster.releases.iter().enumerate();
    let releases = releases.map(|(at, release)| (ObjectRef::Release(at), of_release(situation, at, release, tree)));
    let reported = nodes.chain(releases).filter(|(named, _)| focus.has(index, *named));
    let related = |(named, listed)| ListedNode { relation: focus.relation(index, named), ..listed };
    ListedCluster {
        cluster: cluster.root.clone(),
        flux_version: cluster.version.map(|version| version.to_string()),
        nodes: reported.map(related).collect(),
    }
}

fn of_node(situation: &Situation<'_>, id: NodeId, node: &Node, tree: &Tree) -> ListedNode {
    let folder = match &node.folder {
        Folder::Here(folder) => Some(format!("./{folder}")),
        _ => None,
    };
    let applied_by = node.manifests.iter().filter_map(|manifest| manifest.applied_by());
    ListedNode {
        location: tree.place(node.span()),
        path: node.kustomization.spec.path.clone().or(folder),
        ..listed(situation, Actor::Node(id), applied_by.collect(), tree)
    }
}

fn of_release(situation: &Situation<'_>, at: usize, release: &Release, tree: &Tree) -> ListedNode {
    let cluster = situation.cluster;
    let applied_by = release.providers.iter().map(|provider| cluster.owner(*provider));
    ListedNode {
        location: tree.place(release.helm.name_span()),
        chart: chart_of(cluster, release).map(|chart| chart.name),
        ..listed(situation, Actor::Release(at as u32), applied_by.collect(), tree)
    }
}

/// What is the same of both kinds.
fn listed(situation: &Situation<'_>, actor: Actor, mut applied_by: Vec<Subject>, tree: &Tree) -> ListedNode {
    applied_by.sort_unstable();
    applied_by.dedup();
    let (state, ready) = match situation.state(actor) {
        State::Ready(time) => (ListedState::Ready, Some(time)),
        State::Suspended => (ListedState::Suspended, None),
        State::Never => (ListedState::Never, None),
    };
    let obstacle = situation.obstacles(actor).into_iter().next();
    ListedNode {
        node: actor.subject(situation.cluster),
        location: None,
        state,
        ready,
        obstacle: obstacle.and_then(|obstacle| ReportedObstacle::new(situation, tree, obstacle)),
        path: None,
        chart: None,
        applied_by,
        relation: None,
    }
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
    pub fn count(&self, state: ListedState) -> usize {
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
