//! The split of a gate that gives most: what is slow goes to a Kustomization that builds it already, else to a new one.

use std::time::Duration;

use super::{
    Context, Situation,
    wording::{about, list, names, place, short_list},
};
use crate::{
    catalog::Range,
    cluster::{Cluster, Edit, Folder, NodeId, NodeKey, ObjectKey},
    graph::{Actor, Moment, Reason},
    kustomize::Kustomize,
    source::{Artifact, FileId, Span, normalize},
    timing::{Scenario, compare},
    yaml,
};

/// A split of a Kustomization, and what it gives.
pub(in crate::rules) struct Split {
    /// The HelmReleases that go, by position, and the Kustomization that builds each already.
    pub(in crate::rules) going: Vec<(usize, Option<NodeId>)>,
    /// When the Kustomization is Ready then.
    pub(in crate::rules) ready: Range,
    /// The dependents that are Ready earlier then, and by how much.
    saved: Vec<(NodeId, Duration)>,
    /// The dependents that gain what is worth a word, by number.
    gaining: usize,
}

/// What a dependent has to gain so that a split is worth a word: so much, and so many percent of the time until it is Ready.
const LEAST: Duration = Duration::from_mins(1);
const LEAST_PERCENT: u128 = 10;

/// A split that gives this part of the best one is as good, if less has to move.
const ENOUGH: f64 = 0.95;

impl Split {
    /// The smallest split of `id` that gives about as much as any: the slowest first. `heavy` are HelmReleases of it by
    /// position, the slowest first. `None` where nobody gains anything worth a word.
    pub(in crate::rules) fn best(
        situation: &Situation<'_>,
        id: NodeId,
        heavy: &[usize],
        dependents: &[NodeId],
    ) -> Option<Self> {
        let splits: Vec<Self> = (1..=heavy.len())
            .filter_map(|count| Self::new(situation, id, &heavy[..count], dependents))
            .filter(|split| split.gaining > 0)
            .collect();
        let most = splits.iter().map(Self::total).max().filter(|most| !most.is_zero())?;
        splits.into_iter().find(|split| split.total().as_secs_f64() >= most.as_secs_f64() * ENOUGH)
    }

    fn new(situation: &Situation<'_>, id: NodeId, heavy: &[usize], dependents: &[NodeId]) -> Option<Self> {
        let cluster = situation.cluster;
        let going: Vec<(usize, Option<NodeId>)> = heavy
            .iter()
            .map(|index| {
                let providers = &cluster.releases[*index].providers;
                (*index, providers.iter().map(|provider| provider.node).find(|node| *node != id))
            })
            .collect();
        let after = cluster.edited(&edits(cluster, id, &going)).ok()?;
        let comparison = compare(&situation.durations, [cluster, &after].map(Scenario::repaired));
        let find = |key: &NodeKey| comparison.changes.iter().find(|change| change.node == *key);
        let ready = find(&cluster.node(id).key)?.after?;
        let mut gaining = 0;
        let saved = dependents.iter().filter_map(|dependent| {
            let change = find(&cluster.node(*dependent).key)?;
            let before = change.before?.typical;
            let saved = before.checked_sub(change.after?.typical)?;
            gaining += usize::from(saved >= LEAST && saved.as_millis() * 100 >= before.as_millis() * LEAST_PERCENT);
            (!saved.is_zero()).then_some((*dependent, saved))
        });
        Some(Self { saved: saved.collect(), going, ready, gaining })
    }

    fn total(&self) -> Duration {
        self.saved.iter().map(|(_, saved)| *saved).sum()
    }

    /// What it gives, as a sentence without full stop.
    pub(in crate::rules) fn gain(&self, cluster: &Cluster, id: NodeId) -> String {
        let name = &cluster.node(id).key.name;
        let saved = |(_, saved): &(NodeId, Duration)| *saved;
        let (Some(least), Some(most)) = (self.saved.iter().map(saved).min(), self.saved.iter().map(saved).max()) else {
            return format!("then {name} is Ready after about {}", about(self.ready.typical));
        };
        let nodes: Vec<NodeId> = self.saved.iter().map(|(node, _)| *node).collect();
        let (least, most) = (about(least), about(most));
        let by = if least == most { format!("about {most}") } else { format!("{least} to {most}") };
        format!(
            "then {name} is Ready after about {}, and {} {by} earlier",
            about(self.ready.typical),
            short_list(&names(cluster, &nodes), 8)
        )
    }

    /// The edits, in the order that deletes nothing, as sentences.
    pub(in crate::rules) fn steps(&self, context: &Context<'_>, situation: &Situation<'_>, id: NodeId) -> String {
        let cluster = situation.cluster;
        let name = &cluster.node(id).key.name;
        let mut steps = Vec::new();
        let new: Vec<String> = self
            .going
            .iter()
            .filter(|(_, owner)| owner.is_none())
            .map(|(index, _)| cluster.releases[*index].subject().to_string())
            .collect();
        if !new.is_empty() {
            steps.push(format!("add a Kustomization for {}: {}", list(&new), sketch(cluster, id)));
        }
        let mut entries: Vec<String> = Vec::new();
        for (index, owner) in &self.going {
            let release = &cluster.releases[*index];
            let entry = entry(context, cluster, id, *index, *owner)
                .map(|(text, span)| format!("`{text}` from `resources` at {}", place(context.tree, span)));
            let what = entry.unwrap_or_else(|| format!("{} from what {name} builds", release.subject()));
            let owned = owner.map(|owner| {
                let owner = cluster.node(owner);
                format!(", since {} ({}) builds it already", owner.subject(), place(context.tree, owner.span()))
            });
            entries.push(format!("{what}{}", owned.unwrap_or_default()));
        }
        steps.push(format!("remove {}", list(&entries)));
        steps.extend(self.needed(situation));
        if cluster.node(id).kustomization.spec.prune == Some(true) {
            steps.push(
                "let the other Kustomization apply first and remove after that, so that pruning finds its labels and spares the objects"
                    .to_owned(),
            );
        }
        steps.join("; ")
    }

    /// What dependents need of what goes: they have to depend on its new owner as well.
    fn needed(&self, situation: &Situation<'_>) -> Option<String> {
        let (graph, cluster) = (&situation.graph, situation.cluster);
        let goes = |actor: Actor| self.going.iter().any(|(index, _)| actor == Actor::Release(*index as u32));
        let mut users: Vec<NodeId> = Vec::new();
        for index in 0..cluster.implicit.kinds.len() {
            let Some(kind) = graph.id(Actor::Kind(index as u32), Moment::Exists) else { continue };
            if graph.inputs(kind).all(|(before, _)| goes(graph.event(before).actor)) {
                users.extend(graph.outputs(kind).filter_map(|(after, edge)| match graph.event(after).actor {
                    Actor::Node(node) if edge.reason == Reason::NeedsKind => Some(node),
                    _ => None,
                }));
            }
        }
        users.retain(|user| self.saved.iter().any(|(node, _)| node == user));
        users.sort_unstable();
        users.dedup();
        let users = names(cluster, &users);
        (!users.is_empty())
            .then(|| format!("let {} depend on the new owner, whose CRDs they use", short_list(&users, 6)))
    }
}

fn edits(cluster: &Cluster, id: NodeId, going: &[(usize, Option<NodeId>)]) -> Vec<Edit> {
    let key = |index: usize| {
        let release = &cluster.releases[index];
        let mut keys = cluster.objects.keys();
        keys.find(|key| key.is_helm_release() && key.name == release.key.name && key.namespace == release.key.namespace)
            .cloned()
    };
    let mut edits = Vec::new();
    let mut alone: Vec<ObjectKey> = Vec::new();
    for (index, owner) in going {
        let Some(object) = key(*index) else { continue };
        match owner {
            Some(owner) => edits.push(Edit::Move { object, to: cluster.node(*owner).key.clone() }),
            None => alone.push(object),
        }
    }
    if !alone.is_empty() {
        let of = cluster.node(id).key.clone();
        let name = new_name(cluster, id).into();
        edits.push(Edit::Split { of, objects: alone, name });
    }
    edits
}

/// A name that no Kustomization has yet.
fn new_name(cluster: &Cluster, id: NodeId) -> String {
    let key = &cluster.node(id).key;
    let is_free = |name: &String| cluster.find(&NodeKey::new(key.namespace.clone(), name.as_str())).is_none();
    let mut names = (2..).map(|number| format!("{}-heavy-{number}", key.name));
    let first = format!("{}-heavy", key.name);
    if is_free(&first) { first } else { names.find(is_free).unwrap_or(first) }
}

/// The new Kustomization as YAML on one line.
fn sketch(cluster: &Cluster, id: NodeId) -> String {
    let node = cluster.node(id);
    let spec = &node.kustomization.spec;
    let name = new_name(cluster, id);
    let path = match &node.folder {
        Folder::Here(folder) | Folder::Mapped(folder) => format!("./{folder}-heavy"),
        _ => "./…".to_owned(),
    };
    let source = format!("{{kind: {}, name: {}}}", spec.source_ref.kind(), spec.source_ref.name);
    format!(
        "`{{apiVersion: kustomize.toolkit.fluxcd.io/v1, kind: Kustomization, metadata: {{name: {name}, namespace: {}}}, spec: {{interval: {}, \
         retryInterval: 1m, path: {path}, prune: true, sourceRef: {source}}}}}`",
        node.key.namespace,
        spec.interval.as_deref().unwrap_or("1h"),
    )
}

/// The entry of `resources` that adds a HelmRelease to the build of `id`, as deep as it has to be so that no other
/// HelmRelease goes that `owner` does not build as well. Not an entry of a file that `owner` builds of too.
fn entry(
    context: &Context<'_>,
    cluster: &Cluster,
    id: NodeId,
    index: usize,
    owner: Option<NodeId>,
) -> Option<(String, Span)> {
    let node = cluster.node(id);
    let Folder::Here(folder) = &node.folder else { return None };
    let release = &cluster.releases[index];
    let provider = release.providers.iter().find(|provider| provider.node == id)?;
    let wanted = context.tree.path(cluster.object(*provider).source.file).to_owned();
    let others: Vec<&str> = cluster
        .releases
        .iter()
        .filter(|release| release.providers.iter().all(|provider| Some(provider.node) != owner))
        .flat_map(|release| release.providers.iter().filter(|provider| provider.node == id))
        .map(|provider| cluster.object(*provider).source)
        .filter(|source| source.is_some())
        .map(|source| context.tree.path(source.file))
        .filter(|path| *path != wanted)
        .collect();
    let owned = owner.and_then(|owner| match &cluster.node(owner).folder {
        Folder::Here(folder) => Some(folder.as_str()),
        _ => None,
    });
    let artifact = Artifact::new(context.tree, "", |_| true);
    let mut at = folder.clone();
    // Bases are nested a few levels deep at most.
    for _ in 0..16 {
        if owned.is_some_and(|owned| is_within(&at, owned)) {
            return None;
        }
        let file: FileId = Kustomize::kustomization_file(&artifact, &at)?;
        let document = context.store.parse(file).documents.first()?;
        let resources = document.root.get("resources").into_iter().flat_map(yaml::Node::items);
        let (text, span, target) = resources
            .filter_map(|item| {
                Some((item.as_str()?.to_owned(), item.span, normalize(&format!("{at}/{}", item.as_str()?))))
            })
            .find(|(_, _, target)| is_within(&wanted, target))?;
        if wanted == target || !others.iter().any(|other| is_within(other, &target)) {
            return Some((text, span));
        }
        at = target;
    }
    None
}

fn is_within(path: &str, target: &str) -> bool {
    path.strip_prefix(target).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
