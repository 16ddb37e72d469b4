//! What a change or a failure reaches.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Document, Error, Found, Matches, Model,
    files::{NamedFiles, is_path, looks_like_path},
    names::{done, subjects},
};
use crate::{
    catalog::Range,
    cluster::{Cluster, NodeId, Use, builders, is_decided_by},
    finding::Subject,
    flux::SourceRef,
    graph::{Actor, EventId, Moment, Reason},
    situation::Situation,
    source::FileId,
};

/// What changes or failures of some objects and files reach: `fluxdag impact`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Impact {
    /// The hardware that times are for.
    pub profile: &'static str,
    /// The files that were asked about, from the artifact root.
    pub files: Vec<String>,
    /// The clusters that they matter to.
    pub clusters: Vec<ClusterImpact>,
    /// What there is to know about the question.
    #[serde(skip)]
    pub notes: Vec<String>,
}

/// What they reach in one cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ClusterImpact {
    /// Root of the cluster.
    pub cluster: String,
    /// How long the lists are.
    pub counts: ImpactCounts,
    /// The objects that were asked about by name.
    pub named: Vec<Subject>,
    /// What is built from the files.
    pub built: Vec<Built>,
    /// What a commit makes new revisions of.
    pub revisions: Vec<Revision>,
    /// Kustomizations that wait at each commit until all of these are Ready at the new revision.
    pub waits_each_commit: Vec<Subject>,
    /// Kustomizations and HelmReleases that they apply.
    pub applies: Vec<Subject>,
    /// When the last of them is Ready in a cold start; `null` where that never happens.
    pub ready: Option<Range>,
    /// What starts only behind them in a cold start, and never where they fail.
    pub starts_after: Vec<Subject>,
    /// What else is Ready only behind them, and never where they fail.
    pub ready_after: Vec<Subject>,
}

/// Numbers of objects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ImpactCounts {
    /// In all `reconciles` of `revisions`.
    pub reconciles: usize,
    /// In `waits_each_commit`.
    pub waits_each_commit: usize,
    /// In `applies`.
    pub applies: usize,
    /// In `starts_after`.
    pub starts_after: usize,
    /// In `ready_after`.
    pub ready_after: usize,
}

/// What some files have to do with an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Built {
    /// The Kustomization or HelmRelease.
    pub node: Subject,
    /// Whether they hold its manifest, or decide something of it.
    pub defines: bool,
    /// Whether its build reads them.
    pub reads: bool,
    /// How much of what it applies they decide.
    pub counts: BuiltCounts,
}

/// Numbers of objects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BuiltCounts {
    /// Objects that it applies and that the files hold, or decide something of.
    pub objects: usize,
}

/// A source, and what reconciles at each of its revisions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Revision {
    /// The source.
    pub source: Subject,
    /// Its Kustomizations, those that are suspended left out.
    pub reconciles: Vec<Subject>,
}

impl Document for Impact {
    const COMMAND: &'static str = "impact";

    fn notes(&self) -> &[String] {
        &self.notes
    }
}

/// What the arguments name.
#[derive(Default)]
struct Asked {
    named: Vec<Found>,
    files: NamedFiles,
    notes: Vec<String>,
}

/// What the objects and files of these names reach. A name of an object goes before a path; `./apps` is always a path, from the
/// working directory or from the artifact root.
///
/// # Errors
/// Where one of them names nothing, or several objects of a cluster.
pub fn impact(model: Model<'_>, about: &[impl AsRef<str>]) -> Result<Impact, Error> {
    let mut asked = Asked::default();
    for text in about {
        asked.add(model, text.as_ref())?;
    }
    let mut clusters = Vec::new();
    for (index, situation) in model.situations.iter().enumerate().filter(|(index, _)| model.focus.has_cluster(*index)) {
        let of_files = built(situation, &asked.files.files);
        let named = asked.named.iter().filter(|found| found.cluster == index).map(|found| found.actor);
        let named: Vec<Actor> = named.collect();
        if !named.is_empty() || !of_files.is_empty() {
            clusters.push((situation.cluster.reached, of_cluster(situation, &named, of_files)));
        }
    }
    // What nothing reaches matters only where nothing else is reached.
    if clusters.iter().any(|(is_reached, _)| *is_reached) {
        clusters.retain(|(is_reached, _)| *is_reached);
    }
    let clusters = clusters.into_iter().map(|(_, impact)| impact).collect();
    let files = asked.files.paths(model.store.tree());
    Ok(Impact { profile: model.profile, files, clusters, notes: asked.notes })
}

impl Asked {
    fn add(&mut self, model: Model<'_>, text: &str) -> Result<(), Error> {
        let unnamed = match (!is_path(text)).then(|| model.find(text)) {
            Some(Ok(matches)) => return self.add_named(model, matches),
            Some(Err(error)) => Some(error),
            None => None,
        };
        match (model.files(text), unnamed) {
            (Ok(found), _) => self.files.add(found),
            (Err(Error::NoFile { .. }), Some(error)) if !looks_like_path(text) => return Err(error),
            (Err(error), _) => return Err(error),
        }
        Ok(())
    }

    /// Takes the one object that is meant in each cluster.
    fn add_named(&mut self, model: Model<'_>, matches: Matches) -> Result<(), Error> {
        let mut by_cluster: BTreeMap<usize, Vec<Found>> = BTreeMap::new();
        for found in &matches.found {
            by_cluster.entry(found.cluster).or_default().push(*found);
        }
        for found in by_cluster.into_values() {
            self.named.push(model.only(&Matches { found, ..matches.clone() })?);
        }
        self.notes.extend(matches.note);
        Ok(())
    }
}

/// What is built from the files: Kustomizations that read them, HelmReleases that they decide.
#[must_use]
pub fn built(situation: &Situation<'_>, files: &FxHashSet<FileId>) -> Vec<(Actor, Use)> {
    if files.is_empty() {
        return Vec::new();
    }
    let cluster = situation.cluster;
    let nodes = builders(cluster, files).into_iter().map(|(id, of)| (Actor::Node(id), of));
    let releases = cluster.releases.iter().enumerate().filter(|(_, release)| {
        release.providers.iter().any(|provider| is_decided_by(cluster.object(*provider), files))
    });
    let defined = Use { defines: true, ..Use::default() };
    nodes.chain(releases.map(|(index, _)| (Actor::Release(index as u32), defined))).collect()
}

/// What named objects, and what is built from files, reach in one cluster.
#[must_use]
pub fn of_cluster(situation: &Situation<'_>, named: &[Actor], of_files: Vec<(Actor, Use)>) -> ClusterImpact {
    let (graph, cluster) = (&situation.graph, situation.cluster);
    let mut changed: Vec<Actor> = named.iter().copied().chain(of_files.iter().map(|(actor, _)| *actor)).collect();
    changed.sort_unstable();
    changed.dedup();
    let failing: Vec<EventId> = changed.iter().filter_map(|actor| done(graph, *actor)).collect();
    let times: Option<Vec<Range>> = failing.iter().map(|id| situation.cold_start.time(*id)).collect();
    let lost = graph.unreachable_without(&failing);
    let of_moment = |moment: Moment| {
        let events = lost.iter().map(|id| graph.event(*id)).filter(move |event| event.moment == moment);
        events.map(|event| event.actor).filter(|actor| !matches!(actor, Actor::Object(_)))
    };
    let starts: Vec<Actor> = of_moment(Moment::Start).collect();
    let known: FxHashSet<Actor> = starts.iter().copied().collect();
    let ready = of_moment(Moment::Ready).filter(|actor| !known.contains(actor));
    let nodes: Vec<NodeId> =
        changed.iter().filter_map(|actor| if let Actor::Node(id) = actor { Some(*id) } else { None }).collect();
    ClusterImpact {
        cluster: cluster.root.clone(),
        counts: ImpactCounts::default(),
        named: subjects(cluster, named.iter().copied()),
        built: of_files.into_iter().map(|(actor, of)| Built::new(actor.subject(cluster), of)).collect(),
        revisions: revisions(cluster, &changed, &nodes),
        waits_each_commit: subjects(cluster, commit_chain(situation, &nodes).into_iter().map(Actor::Node)),
        applies: subjects(cluster, applied(situation, &nodes).into_iter()),
        ready: times.and_then(|times| times.into_iter().max_by_key(|times| times.typical)),
        starts_after: subjects(cluster, starts.into_iter()),
        ready_after: subjects(cluster, ready),
    }
    .counted()
}

impl ClusterImpact {
    fn counted(self) -> Self {
        let counts = ImpactCounts {
            reconciles: self.revisions.iter().map(|revision| revision.reconciles.len()).sum(),
            waits_each_commit: self.waits_each_commit.len(),
            applies: self.applies.len(),
            starts_after: self.starts_after.len(),
            ready_after: self.ready_after.len(),
        };
        Self { counts, ..self }
    }
}

impl Built {
    const fn new(node: Subject, of: Use) -> Self {
        Self { node, defines: of.defines, reads: of.reads, counts: BuiltCounts { objects: of.objects } }
    }
}

fn source_of(cluster: &Cluster, id: NodeId) -> SourceRef {
    cluster.node(id).source()
}

/// A source by name.
pub(super) fn source_subject(source: &SourceRef) -> Subject {
    Subject {
        kind: source.kind.to_string(),
        namespace: Some(source.namespace.to_string()),
        name: source.name.to_string(),
    }
}

/// The sources of `nodes`, those among `changed` themselves, and every Kustomization of them: each new revision reconciles
/// them all (kustomize-controller v1.9, `requestsForRevisionChangeOf`).
fn revisions(cluster: &Cluster, changed: &[Actor], nodes: &[NodeId]) -> Vec<Revision> {
    let asked: Vec<Subject> = changed.iter().map(|actor| actor.subject(cluster)).collect();
    let mut by_source: BTreeMap<Subject, Vec<Subject>> = BTreeMap::new();
    for id in nodes {
        by_source.entry(source_subject(&source_of(cluster, *id))).or_default();
    }
    for (id, node) in cluster.nodes().filter(|(_, node)| !node.kustomization.spec.suspend) {
        let source = source_subject(&source_of(cluster, id));
        if asked.contains(&source) {
            by_source.entry(source.clone()).or_default();
        }
        if let Some(reconciles) = by_source.get_mut(&source) {
            reconciles.push(node.subject());
        }
    }
    by_source.into_iter().map(|(source, reconciles)| Revision { source, reconciles }).collect()
}

/// The Kustomizations that wait at each commit: a dependency of the same source has to be Ready at the new revision
/// (kustomize-controller v1.9, `checkDependencies`).
fn commit_chain(situation: &Situation<'_>, nodes: &[NodeId]) -> Vec<NodeId> {
    let graph = &situation.graph;
    let mut seen: FxHashSet<NodeId> = nodes.iter().copied().collect();
    let mut open: Vec<NodeId> = nodes.to_vec();
    let mut waiting = Vec::new();
    while let Some(id) = open.pop() {
        let source = source_of(situation.cluster, id);
        let Some(ready) = graph.id(Actor::Node(id), Moment::Ready) else { continue };
        for (after, edge) in graph.outputs(ready) {
            let Actor::Node(next) = graph.event(after).actor else { continue };
            let waits = edge.reason == Reason::DependsOn && source_of(situation.cluster, next) == source;
            if waits && seen.insert(next) {
                waiting.push(next);
                open.push(next);
            }
        }
    }
    waiting
}

/// The Kustomizations and HelmReleases that `nodes` apply.
fn applied(situation: &Situation<'_>, nodes: &[NodeId]) -> Vec<Actor> {
    let graph = &situation.graph;
    let own = nodes.iter().filter_map(|id| graph.id(Actor::Node(*id), Moment::Applied));
    let children = own.flat_map(|id| graph.outputs(id)).filter(|(_, edge)| edge.reason == Reason::AppliedBy);
    let actors = children.map(|(child, _)| graph.event(child).actor);
    actors.filter(|actor| !matches!(actor, Actor::Object(_))).collect()
}
