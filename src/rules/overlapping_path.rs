use std::collections::{BTreeMap, BTreeSet};

use super::{Context, Rule, Situation, uppermost::Uppermost, wording::short_list};
use crate::{
    cluster::{Cluster, Folder, Manifest, Node, NodeId, ObjectKey},
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    flux::{Policy, SourceRef, api::kinds::EXTERNAL_ARTIFACT},
    source::{FileId, Tree, is_yaml, join, parent, readable},
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "overlapping-path",
        summary: "Two Kustomizations build the same files, because their paths are one or one path holds the other.",
        category: Category::Ownership,
        severity: Severity::Warning,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/overlapping-path.md"),
    },
    check,
};

/// Kustomizations named in one sentence; the rest is counted.
const OWNERS: usize = 6;

/// How the paths of two Kustomizations overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overlap {
    /// They are the same, and so is what is built.
    Same,
    /// The kustomization that Flux generates for the outer one takes in the files of the inner one.
    Within,
}

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations.iter().filter(|situation| situation.cluster.reached) {
        let mut alike: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
        let is_uppermost = |node: NodeId| Uppermost::new(context, situation.cluster.node(node)).is_some();
        for ((outer, inner), overlap) in overlaps(context.tree, situation.cluster) {
            match overlap {
                // That the path lies too far up is reported, and is the cause of both.
                Overlap::Within if is_uppermost(outer) => {}
                Overlap::Within if takes_own_file(context.tree, situation.cluster, outer, inner) => {}
                Overlap::Within => findings.push(within(situation, outer, inner)),
                // What is reported of a pair is not reported the other way round.
                Overlap::Same if outer < inner => alike.entry(outer).or_default().push(inner),
                Overlap::Same => {}
            }
        }
        let own = situation
            .cluster
            .nodes
            .iter()
            .filter_map(|node| Some((node, own_file(context.tree, situation.cluster, node)?)));
        findings.extend(own.map(|(node, file)| applies_itself(context.tree, situation, node, file)));
        findings.extend(alike.iter().map(|(first, others)| same(situation, *first, others)));
    }
}

/// The pairs of Kustomizations whose paths overlap; the same path in both directions.
pub(super) fn overlaps(tree: &Tree, cluster: &Cluster) -> BTreeMap<(NodeId, NodeId), Overlap> {
    let mut by_folder: BTreeMap<(SourceRef, &str), Vec<NodeId>> = BTreeMap::new();
    for (id, node) in cluster.nodes().filter(|(_, node)| !node.is_remote()) {
        let source = node.source();
        // The paths of made artifacts are not those of this tree.
        if let Folder::Here(folder) = &node.folder
            && !source.is(EXTERNAL_ARTIFACT)
        {
            by_folder.entry((source, folder)).or_default().push(id);
        }
    }
    let mut overlaps = BTreeMap::new();
    let mut taken: BTreeMap<NodeId, BTreeSet<FileId>> = BTreeMap::new();
    for ((source, folder), nodes) in &by_folder {
        for (one, other) in twins(cluster, nodes) {
            overlaps.insert((one, other), Overlap::Same);
            overlaps.insert((other, one), Overlap::Same);
        }
        let mut above = *folder;
        while !above.is_empty() {
            above = parent(above);
            let Some(outer) = by_folder.get(&(source.clone(), above)) else { continue };
            for outer in outer.iter().filter(|_| kustomization_file(tree, above).is_none()) {
                let files = taken.entry(*outer).or_insert_with(|| files_of(cluster.node(*outer)));
                let is_taken = |file: &FileId| is_in(tree, *file, folder) && files.contains(file);
                let inner = nodes.iter().filter(|inner| files_of(cluster.node(**inner)).iter().any(is_taken));
                overlaps.extend(inner.map(|inner| ((*outer, *inner), Overlap::Within)));
            }
        }
    }
    overlaps
}

/// Pairs of nodes that apply the same objects. Names that are not known may differ.
fn twins(cluster: &Cluster, nodes: &[NodeId]) -> Vec<(NodeId, NodeId)> {
    let mut by_objects: BTreeMap<BTreeSet<ObjectKey>, Vec<NodeId>> = BTreeMap::new();
    for id in nodes.iter().filter(|_| nodes.len() > 1) {
        by_objects.entry(keys(cluster.node(*id))).or_default().push(*id);
    }
    by_objects.retain(|keys, _| !keys.is_empty() && !keys.iter().any(ObjectKey::is_unresolved));
    let mut pairs = Vec::new();
    for same in by_objects.values() {
        pairs.extend(same[1..].iter().map(|other| (same[0], *other)));
    }
    pairs
}

/// The kustomization file of a folder. Where there is none, Flux makes one (fluxcd/pkg kustomize, `Generator.generateKustomization`).
pub(super) fn kustomization_file(tree: &Tree, folder: &str) -> Option<FileId> {
    let names = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
    names.iter().find_map(|name| tree.file(&join(folder, name)?))
}

fn is_in(tree: &Tree, file: FileId, folder: &str) -> bool {
    tree.path(file).strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn files_of(node: &Node) -> BTreeSet<FileId> {
    let sources = node.applied.build.objects.iter().map(|object| object.source);
    sources.filter(|source| source.is_some()).map(|source| source.file).collect()
}

fn keys(node: &Node) -> BTreeSet<ObjectKey> {
    let applied = node.applied.build.objects.iter().filter(|object| {
        let policy = Policy::new(&object.node);
        policy.applied && !policy.if_not_present
    });
    applied.map(|object| ObjectKey::from(object.id())).collect()
}

fn path(node: &Node) -> String {
    match &node.folder {
        Folder::Here(folder) => readable(folder).into_owned(),
        _ => String::new(),
    }
}

fn prunes(nodes: &[&Node]) -> bool {
    nodes.iter().any(|node| node.kustomization.spec.prune == Some(true))
}

/// Several nodes with one path.
fn same(situation: &Situation<'_>, first: NodeId, others: &[NodeId]) -> Finding {
    let first = situation.cluster.node(first);
    let others: Vec<&Node> = others.iter().map(|id| situation.cluster.node(*id)).collect();
    let names: Vec<String> = std::iter::once(&first).chain(&others).map(|node| node.subject().to_string()).collect();
    let message = format!("{} build the same path, `{}`", short_list(&names, OWNERS), path(first));
    let at = |node: &Node| node.kustomization.span(&["spec", "path"]);
    let mut finding = situation.finding(&RULE.info, first.subject(), at(first), message);
    finding.label = "built more than once".to_owned();
    for node in others.iter().take(OWNERS) {
        finding.related.push(Related::new("built again", Some(node.subject()), at(node)));
    }
    let shared: Vec<String> = keys(first).iter().map(|key| key.subject().to_string()).collect();
    finding.why = format!(
        "Each of them applies {} and overwrites the others' owner labels and fields whenever it reconciles.",
        short_list(&shared, 3)
    );
    if prunes(&others) || prunes(&[first]) {
        finding.why.push_str(" Deleting one of them deletes the objects (`prune: true`) that the others still want.");
    }
    finding.help = format!("keep one of {}, or give each a folder of its own", short_list(&names, OWNERS));
    finding
}

/// The file that defines a Kustomization in its own path, where one whose path holds that path applies it, and it applies itself a second
/// time. A top that bootstrap applies out of a folder of its own does so on purpose: it keeps itself up to date.
fn own_file(tree: &Tree, cluster: &Cluster, node: &Node) -> Option<FileId> {
    let Folder::Here(folder) = &node.folder else { return None };
    let is_own = |manifest: &&Manifest| manifest.owner.as_ref() == Some(&node.key);
    let is_above = |manifest: &Manifest| {
        let owner = manifest.owner.as_ref().and_then(|owner| cluster.find(owner)).map(|owner| cluster.node(owner));
        owner.is_some_and(|owner| match &owner.folder {
            Folder::Here(above) => {
                above.is_empty() || folder.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'))
            }
            _ => false,
        })
    };
    let has_other = node.manifests.iter().any(is_above);
    let source = node.manifests.iter().find(is_own)?.object.source;
    let is_there = source.is_some() && is_in(tree, source.file, folder);
    (is_there && has_other && !node.is_entry).then_some(source.file)
}

/// Whether all that `outer` takes of the path of `inner` is the file that defines `inner`, as it is to.
fn takes_own_file(tree: &Tree, cluster: &Cluster, outer: NodeId, inner: NodeId) -> bool {
    let node = cluster.node(inner);
    let (Folder::Here(folder), Some(own)) = (&node.folder, own_file(tree, cluster, node)) else { return false };
    files_of(cluster.node(outer)).into_iter().filter(|file| is_in(tree, *file, folder)).all(|file| file == own)
}

/// The one folder below `folder` that holds manifests, where there is just one: what the path was likely to name.
fn meant_folder<'t>(tree: &'t Tree, folder: &str) -> Option<&'t str> {
    let paths = tree.files().map(|file| tree.path(file)).filter(|path| is_yaml(path));
    let below = paths.filter_map(|path| {
        let rest = path.strip_prefix(folder)?.strip_prefix('/')?;
        let (first, _) = rest.split_once('/')?;
        path.get(..folder.len() + 1 + first.len())
    });
    let folders: BTreeSet<&str> = below.collect();
    let mut folders = folders.into_iter();
    folders.next().filter(|_| folders.next().is_none())
}

/// A node whose path holds the file that defines it.
fn applies_itself(tree: &Tree, situation: &Situation<'_>, node: &Node, file: FileId) -> Finding {
    let (folder, subject) = (path(node), node.subject());
    let message =
        format!("{subject} applies itself: its path `{folder}` holds `{}`, which defines it", tree.path(file));
    let at = node.kustomization.span(&["spec", "path"]);
    let mut finding = situation.finding(&RULE.info, subject.clone(), at, message);
    finding.label = "this folder holds its own file".to_owned();
    finding.related.push(Related::new("built with the rest", Some(subject), node.span()));
    finding.why = "It and what applies it set the same object in turn, each with its own owner labels, patches and variables. Once the other one \
                   drops it, it keeps itself alive; once it drops itself, pruning deletes it and all that it applied."
        .to_owned();
    finding.help = match meant_folder(tree, &folder) {
        Some(meant) => format!("set `spec.path: ./{meant}`, the folder that holds what it is to apply"),
        None => format!(
            "move `{}` out of `{folder}`, or what it is to apply into a folder of its own and name that in `spec.path`",
            tree.path(file)
        ),
    };
    finding
}

/// A path within the path of another node.
fn within(situation: &Situation<'_>, outer: NodeId, inner: NodeId) -> Finding {
    let (outer, inner) = (situation.cluster.node(outer), situation.cluster.node(inner));
    let (outer_path, inner_path) = (path(outer), path(inner));
    let message = format!(
        "{} builds `{inner_path}` too, the path of {}: it lies in `{outer_path}`, which has no kustomization file",
        outer.subject(),
        inner.subject()
    );
    let at = |node: &Node| node.kustomization.span(&["spec", "path"]);
    let mut finding = situation.finding(&RULE.info, inner.subject(), at(inner), message);
    finding.label = format!("built by {} as well", outer.subject());
    finding.related.push(Related::new("this path holds it", Some(outer.subject()), at(outer)));
    finding.why =
        "For a folder without kustomization file Flux generates one that lists every manifest below it.".to_owned();
    let shared: Vec<String> = keys(inner).intersection(&keys(outer)).map(|key| key.subject().to_string()).collect();
    finding.why.push_str(&match shared.as_slice() {
        [] => format!(
            " {} applies the files as they stand, without the namespace, patches and variables of {}.",
            outer.subject(),
            inner.subject()
        ),
        shared => format!(
            " Both apply {} and overwrite each other's owner labels and fields whenever they reconcile.",
            short_list(shared, 3)
        ),
    });
    if prunes(&[outer, inner]) {
        finding.why.push_str(
            " A file that leaves the one's build is deleted (`prune: true`) although the other may still want it.",
        );
    }
    finding.help = format!(
        "move `{inner_path}` out of `{outer_path}`, or give `{outer_path}` a kustomization.yaml that lists only what {} is to apply",
        outer.subject()
    );
    finding
}
