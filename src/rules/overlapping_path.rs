use std::collections::{BTreeMap, BTreeSet};

use super::{Context, Rule, Situation, wording::short_list};
use crate::{
    cluster::{Cluster, Folder, Node, NodeId, ObjectKey},
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    flux::{Policy, SourceRef},
    source::{FileId, Tree, join, parent, readable},
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
        let overlaps = overlaps(context.tree, situation.cluster);
        // What is told of a pair is not told the other way round.
        let told = overlaps.iter().filter(|((outer, inner), overlap)| **overlap == Overlap::Within || outer < inner);
        findings.extend(told.map(|((outer, inner), overlap)| report(situation, *outer, *inner, *overlap)));
    }
}

/// The pairs of Kustomizations whose paths overlap; the same path in both directions.
pub(super) fn overlaps(tree: &Tree, cluster: &Cluster) -> BTreeMap<(NodeId, NodeId), Overlap> {
    let mut by_folder: BTreeMap<(SourceRef, &str), Vec<NodeId>> = BTreeMap::new();
    for (id, node) in cluster.nodes().filter(|(_, node)| !node.is_remote()) {
        let source = SourceRef::of(&node.kustomization.spec.source_ref, &node.key.namespace);
        // The paths of made artifacts are not those of this tree.
        if let Folder::Here(folder) = &node.folder
            && source.kind != "ExternalArtifact"
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
        let policy = Policy::of(&object.node);
        policy.applied && !policy.if_not_present
    });
    applied.map(|object| ObjectKey::from(object.id())).collect()
}

fn report(situation: &Situation<'_>, outer: NodeId, inner: NodeId, overlap: Overlap) -> Finding {
    let (outer, inner) = (situation.cluster.node(outer), situation.cluster.node(inner));
    let path = |node: &Node| match &node.folder {
        Folder::Here(folder) => readable(folder).into_owned(),
        _ => String::new(),
    };
    let message = match overlap {
        Overlap::Same => format!("{} and {} build the same path, `{}`", outer.subject(), inner.subject(), path(inner)),
        Overlap::Within => format!(
            "{} builds `{}` too, the path of {}: it lies in `{}`, which has no kustomization file",
            outer.subject(),
            path(inner),
            inner.subject(),
            path(outer)
        ),
    };
    let mut finding = situation.finding(&RULE.info, inner.subject(), inner.kustomization.span(&["spec", "path"]), message);
    let (theirs, own) = (keys(outer), keys(inner));
    let shared: Vec<String> = own.intersection(&theirs).map(|key| key.subject().to_string()).collect();
    finding.label = format!("built by {} as well", outer.subject());
    finding.related.push(Related::new("this path holds it", Some(outer.subject()), outer.kustomization.span(&["spec", "path"])));
    finding.why = match overlap {
        Overlap::Same => String::new(),
        Overlap::Within => "For a folder without kustomization file Flux generates one that lists every manifest below it.".to_owned(),
    };
    if shared.is_empty() {
        finding.why.push_str(&format!(
            " {} applies the files as they stand, without the namespace, patches and variables of {}.",
            outer.subject(),
            inner.subject()
        ));
    } else {
        finding.why.push_str(&format!(
            " Both apply {} and overwrite each other's owner labels and fields whenever they reconcile.",
            short_list(&shared, 3)
        ));
    }
    if [outer, inner].iter().any(|node| node.kustomization.spec.prune == Some(true)) {
        finding.why.push_str(" A file that leaves the one's build is deleted (`prune: true`) although the other may want it still.");
    }
    finding.why = finding.why.trim_start().to_owned();
    finding.help = match overlap {
        Overlap::Same => format!("keep one of {} and {}, or give each a folder of its own", outer.subject(), inner.subject()),
        Overlap::Within => format!(
            "move `{}` out of `{}`, or give `{}` a kustomization.yaml that lists only what {} is to apply",
            path(inner),
            path(outer),
            path(outer),
            outer.subject()
        ),
    };
    finding
}
