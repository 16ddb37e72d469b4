use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use rustc_hash::FxHashSet;

use super::{
    args::{AnswerFormat, Global, Impact},
    environment::Environment,
    error::CliError,
    print,
    question::{Found, bases, done, find, is_path, only, or_here, situations, subjects, survey_as, time},
};
use crate::{
    Survey,
    cluster::{Cluster, NodeId, Use, builders, is_decided_by},
    finding::Subject,
    flux::SourceRef,
    graph::{Actor, EventId, Moment, Reason},
    report::{Built, ClusterImpact, Impact as Report, Revision},
    situation::Situation,
    source::{FileId, Tree, slashed},
};

/// Says what a change or a failure reaches.
pub(super) fn run(impact: &Impact, global: &Global, environment: &Environment) -> Result<(), CliError> {
    // What is asked about says where the repository is, and narrows nothing: a file may matter to several clusters.
    let files: Vec<PathBuf> = impact.about.iter().filter(|text| is_path(text)).map(PathBuf::from).collect();
    let files: Vec<PathBuf> = files.into_iter().filter(|path| path.exists()).collect();
    let is_whole = impact.paths.is_empty() && !files.is_empty();
    let paths = or_here(if is_whole { files } else { impact.paths.clone() });
    let (survey, options) = survey_as(is_whole, &paths, &impact.question.model, global, environment)?;
    let situations = situations(&survey, &options);
    let Asked { named, files, unread } = asked(&impact.about, &survey, &situations, global.quiet)?;
    let tree = survey.store.tree();
    let mut clusters = Vec::new();
    for (index, situation) in situations.iter().enumerate() {
        if !survey.focus.has_cluster(index) {
            continue;
        }
        let of_files = built(&survey, situation, &files);
        let named: Vec<Actor> = named.iter().filter(|(at, _)| *at == index).map(|(_, actor)| *actor).collect();
        if !named.is_empty() || !of_files.is_empty() {
            clusters.push(of_cluster(situation, &named, of_files));
        }
    }
    if situations.iter().any(|situation| situation.cluster.reached) {
        // What nothing reaches is worth telling only where nothing else is.
        let is_reached = |impact: &ClusterImpact| {
            situations.iter().any(|situation| situation.cluster.reached && situation.cluster.root == impact.cluster)
        };
        if clusters.iter().any(is_reached) {
            clusters.retain(is_reached);
        }
    }
    let mut files: Vec<String> = files.iter().map(|file| tree.path(*file).to_owned()).chain(unread).collect();
    files.sort_unstable();
    let report = Report { files, profile: options.profile.name(), clusters };
    print(match impact.question.format {
        AnswerFormat::Text => report.text(&environment.stdout(global.color)),
        AnswerFormat::Json => report.json(),
    })
}

/// What the arguments name.
#[derive(Default)]
struct Asked {
    named: Vec<Found>,
    files: FxHashSet<FileId>,
    /// Paths of the repository that hold nothing a build could read.
    unread: Vec<String>,
}

fn asked(about: &[String], survey: &Survey, situations: &[Situation<'_>], quiet: bool) -> Result<Asked, CliError> {
    let mut asked = Asked::default();
    for text in about {
        let begins = [".", "..", "/"].iter().any(|start| text == start || text.starts_with(&format!("{start}/")));
        let is_path = begins || Path::new(text).is_absolute();
        let named = if is_path { None } else { Some(find(text, situations, &survey.focus, quiet)) };
        match named {
            Some(Ok(found)) => {
                let mut by_cluster: BTreeMap<usize, Vec<Found>> = BTreeMap::new();
                for one in found {
                    by_cluster.entry(one.0).or_default().push(one);
                }
                for found in by_cluster.values() {
                    asked.named.push(only(text, found, situations)?);
                }
            }
            other => {
                let files = files(text, survey);
                match in_tree(text, survey) {
                    Some(path) if files.is_empty() => asked.unread.push(path),
                    Some(_) => asked.files.extend(files),
                    None => return Err(nowhere(text, survey, other.and_then(Result::err))),
                }
            }
        }
    }
    Ok(asked)
}

/// The files at a path, or below it.
pub(super) fn files(text: &str, survey: &Survey) -> Vec<FileId> {
    let tree = survey.store.tree();
    let Some(path) = in_tree(text, survey) else { return Vec::new() };
    match tree.file(&path) {
        Some(file) => vec![file],
        None => tree.files().filter(|file| is_below(tree.path(*file), &path)).collect(),
    }
}

fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// The path of the tree that `text` stands for, where there is something.
pub(super) fn in_tree(text: &str, survey: &Survey) -> Option<String> {
    let root = survey.store.tree().root().canonicalize().ok()?;
    bases(survey).iter().find_map(|base| {
        let path = base.join(text).canonicalize().ok()?;
        path.strip_prefix(&root).ok().map(slashed)
    })
}

pub(super) fn nowhere(text: &str, survey: &Survey, as_name: Option<CliError>) -> CliError {
    let exists = bases(survey).iter().any(|base| base.join(text).exists());
    if exists {
        let help = format!("what was read is {}; -C names another repository", survey.store.tree().root().display());
        return CliError::new(format!("`{text}` lies outside the repository")).with_help(help);
    }
    let is_file = text.ends_with(".yaml") || text.ends_with(".yml") || text.starts_with('.') || text.starts_with('/');
    let looks_like_path = is_file || text.split('/').count() > 3;
    match (as_name, looks_like_path) {
        (Some(error), false) => error,
        _ => {
            let similar = similar(text, survey.store.tree());
            let help = similar.map_or_else(
                || "paths are taken from the working directory or the artifact root; a deleted file is built into nothing: \
                    ask in a revision that has it"
                    .to_owned(),
                |similar| format!("did you mean `{similar}`? A deleted file is built into nothing: ask in a revision that has it"),
            );
            CliError::new(format!("there is no file `{text}`")).with_help(help)
        }
    }
}

/// From this likeness on, a path is worth asking about.
const NEAR: f64 = 0.9;

fn similar(text: &str, tree: &Tree) -> Option<String> {
    let likeness = |path: &str| strsim::jaro_winkler(text.trim_start_matches("./"), path);
    let paths = tree.files().map(|file| tree.path(file)).filter(|path| likeness(path) >= NEAR);
    paths.max_by(|one, other| likeness(one).total_cmp(&likeness(other)).then(other.cmp(one))).map(str::to_owned)
}

/// What is made of the files: Kustomizations built from them, HelmReleases that they decide.
pub(super) fn built(survey: &Survey, situation: &Situation<'_>, files: &FxHashSet<FileId>) -> Vec<(Actor, Use)> {
    if files.is_empty() {
        return Vec::new();
    }
    let cluster = situation.cluster;
    let nodes = builders(&survey.store, cluster, files).into_iter().map(|(id, of)| (Actor::Node(id), of));
    let releases = cluster.releases.iter().enumerate().filter(|(_, release)| {
        release.providers.iter().any(|provider| is_decided_by(cluster.object(*provider), files))
    });
    let defined = Use { defines: true, ..Use::default() };
    nodes.chain(releases.map(|(index, _)| (Actor::Release(index as u32), defined))).collect()
}

pub(super) fn of_cluster(situation: &Situation<'_>, named: &[Actor], of_files: Vec<(Actor, Use)>) -> ClusterImpact {
    let (graph, cluster) = (&situation.graph, situation.cluster);
    let mut changed: Vec<Actor> = named.iter().copied().chain(of_files.iter().map(|(actor, _)| *actor)).collect();
    changed.sort_unstable();
    changed.dedup();
    let failing: Vec<EventId> = changed.iter().filter_map(|actor| done(graph, *actor)).collect();
    let times = failing.iter().map(|id| time(situation, *id));
    let times: Option<Vec<_>> = times.collect();
    let lost = graph.lost_without(&failing);
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
        named: subjects(cluster, named.iter().copied()),
        built: of_files
            .into_iter()
            .map(|(actor, of)| Built {
                node: actor.subject(cluster),
                defines: of.defines,
                objects: of.objects,
                reads: of.reads,
            })
            .collect(),
        revisions: revisions(cluster, &changed, &nodes),
        waits_each_commit: subjects(cluster, commit_chain(situation, &nodes).into_iter().map(Actor::Node)),
        applies: subjects(cluster, applied(situation, &nodes).into_iter()),
        ready: times.and_then(|times| times.into_iter().max_by_key(|times| times.typical)),
        starts_after: subjects(cluster, starts.into_iter()),
        ready_after: subjects(cluster, ready),
    }
}

fn source_of(cluster: &Cluster, id: NodeId) -> SourceRef {
    let node = cluster.node(id);
    SourceRef::of(&node.kustomization.spec.source_ref, &node.key.namespace)
}

/// The sources of `nodes`, those among `changed` themselves, and every Kustomization of them: each new revision reconciles
/// them all (kustomize-controller v1.9, `requestsForRevisionChangeOf`).
fn revisions(cluster: &Cluster, changed: &[Actor], nodes: &[NodeId]) -> Vec<Revision> {
    let subject = |source: &SourceRef| Subject {
        kind: source.kind.to_string(),
        namespace: Some(source.namespace.to_string()),
        name: source.name.to_string(),
    };
    let asked: Vec<Subject> = changed.iter().map(|actor| actor.subject(cluster)).collect();
    let mut by_source: BTreeMap<Subject, Vec<Subject>> = BTreeMap::new();
    for id in nodes {
        by_source.entry(subject(&source_of(cluster, *id))).or_default();
    }
    for (id, node) in cluster.nodes().filter(|(_, node)| !node.kustomization.spec.suspend) {
        let source = subject(&source_of(cluster, id));
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
