use std::collections::BTreeMap;

use super::{
    Context, Rule, Situation,
    overlapping_path::overlaps,
    uppermost::Uppermost,
    wording::{list, short_list},
};
use crate::{
    cluster::{NodeId, ObjectKey, Provider},
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    flux::Policy,
    source::Span,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "duplicate-owner",
        summary: "Two Kustomizations of one cluster build the same object.",
        category: Category::Ownership,
        severity: Severity::Warning,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/duplicate-owner.md"),
    },
    check,
};

/// Owners named in one sentence; the rest is counted.
const OWNERS: usize = 6;

type Shared<'a> = Vec<(&'a ObjectKey, Vec<Provider>)>;

/// A Kustomization, or a ResourceSet that it applies.
type Owner = (NodeId, Option<usize>);

const fn owner(provider: &Provider) -> Owner {
    (provider.node, provider.set)
}

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations.iter().filter(|situation| situation.cluster.reached) {
        let mut by_owners: BTreeMap<Vec<Owner>, Shared<'_>> = BTreeMap::new();
        for (key, providers) in &situation.cluster.objects {
            if key.is_unresolved() {
                continue;
            }
            let owners = owners(situation, key, providers);
            if owners.len() > 1 {
                by_owners.entry(owners.iter().map(owner).collect()).or_default().push((key, owners));
            }
        }
        let is_uppermost = |node: &NodeId| Uppermost::new(context, situation.cluster.node(*node)).is_some();
        let uppermost: Vec<NodeId> = situation.cluster.nodes().map(|(id, _)| id).filter(is_uppermost).collect();
        // Where one path explains them all, that is reported instead.
        let overlaps = overlaps(context.tree, situation.cluster);
        let is_explained = |owners: &&Vec<Owner>| {
            let nodes: Vec<NodeId> = owners.iter().filter(|(_, set)| set.is_none()).map(|(node, _)| *node).collect();
            let holds =
                |outer: &NodeId| nodes.iter().all(|node| node == outer || overlaps.contains_key(&(*outer, *node)));
            nodes.iter().any(|node| uppermost.contains(node)) || nodes.len() == owners.len() && nodes.iter().any(holds)
        };
        let reported = by_owners.iter().filter(|(owners, _)| !is_explained(owners));
        findings.extend(reported.map(|(_, shared)| report(situation, shared)));
    }
}

/// The owners that would fight over the object: one provider each, less those that leave it alone once it is there, and
/// less the object's own build where the object is a Kustomization that manages itself.
fn owners(situation: &Situation<'_>, key: &ObjectKey, providers: &[Provider]) -> Vec<Provider> {
    let cluster = situation.cluster;
    let mut owners: Vec<Provider> = Vec::new();
    for provider in providers {
        let object = cluster.object(*provider);
        let node = cluster.node(provider.node);
        let is_itself = key.kind == "Kustomization" && node.key.name == key.name && node.key.namespace == key.namespace;
        let known = owners.iter().any(|known| owner(known) == owner(provider));
        if !known && !is_itself && !Policy::new(&object.node).if_not_present {
            owners.push(*provider);
        }
    }
    // Two documents that define one Flux object are reported as such.
    let mut sources: Vec<Span> = owners.iter().map(|owner| cluster.object(*owner).source).collect();
    sources.dedup();
    if matches!(key.kind.as_str(), "Kustomization" | "HelmRelease") && sources.len() > 1 { Vec::new() } else { owners }
}

fn report(situation: &Situation<'_>, shared: &Shared<'_>) -> Finding {
    let cluster = situation.cluster;
    // The weightiest object stands for all: a release rather than its namespace.
    let weight = |key: &ObjectKey| match key.kind.as_str() {
        "HelmRelease" => 0,
        "Kustomization" => 1,
        "Namespace" => 3,
        _ => 2,
    };
    let mut objects: Vec<&(&ObjectKey, Vec<Provider>)> = shared.iter().collect();
    objects.sort_by_key(|(key, _)| (weight(key), *key));
    let (key, providers) = objects[0];
    let owners: Vec<String> = providers.iter().map(|provider| cluster.owner(*provider).to_string()).collect();
    let names: Vec<String> = objects.iter().map(|(key, _)| key.subject().to_string()).collect();
    let message = match names.as_slice() {
        [one] => format!("{one} is built by {}", short_list(&owners, OWNERS)),
        _ => format!("{} objects are built by {}: {}", names.len(), short_list(&owners, OWNERS), short_list(&names, 3)),
    };
    let place = |provider: &Provider| {
        let object = cluster.object(*provider);
        object.node.find(&["metadata", "name"]).map_or(Span::NONE, |name| name.span).or(object.source)
    };
    let mut finding = situation.finding(&RULE.info, key.subject(), place(&providers[0]), message);
    finding.key = owners.join(" ");
    let unprotected = unprotected(situation, shared);
    let lacks = |provider: &Provider| {
        let is_bare = unprotected.as_ref().is_some_and(|(of, _, without)| of == key && without.contains(provider));
        if is_bare { ", without the annotation" } else { "" }
    };
    finding.label = format!("built by {}{}", owners[0], lacks(&providers[0]));
    for provider in &providers[1..] {
        if place(provider) == place(&providers[0]) {
            finding.label = format!("built by {}", short_list(&owners, OWNERS));
        } else {
            let again = format!("built again by {}{}", cluster.owner(*provider), lacks(provider));
            finding.related.push(Related::new(again, Some(key.subject()), place(provider)));
        }
    }
    for provider in providers {
        let node = cluster.node(provider.node);
        let (what, at) = match provider.set {
            Some(set) => ("this ResourceSet makes it", node.resource_sets[set].span),
            None => ("this path builds it", node.kustomization.span(&["spec", "path"])),
        };
        finding.related.push(Related::new(what, Some(cluster.owner(*provider)), at));
    }
    if let Some((key, with, _)) = &unprotected {
        finding.message = format!(
            "{} is built by {}, and only {} with `kustomize.toolkit.fluxcd.io/prune: disabled`",
            key.subject(),
            short_list(&owners, OWNERS),
            list(with)
        );
    } else if is_harmless(situation, shared) {
        finding.severity = Severity::Info;
    }
    // The Flux Operator always prunes.
    let prunes = |provider: &Provider| {
        provider.set.is_some() || cluster.node(provider.node).kustomization.spec.prune == Some(true)
    };
    finding.why = "Each of them puts its own owner labels and fields on the object whenever it reconciles, so they overwrite each other."
        .to_owned();
    if providers.iter().any(|provider| provider.set.is_none() && cluster.node(provider.node).kustomization.spec.wait) {
        finding.why.push_str(" Those that wait do so for it as well: what is slow delays the dependents of each.");
    }
    if providers.iter().any(prunes) {
        finding
            .why
            .push_str(" Removing it from one of them may delete it (`prune: true`) although the other still wants it.");
    }
    if unprotected.is_some() {
        finding.why.push_str(
            " All of them act as one field manager, so each apply of a manifest without the annotation takes it off again, and from then on \
             the object is deleted with whatever drops it.",
        );
    }
    // Taken out of one build, a Namespace or a claim may be gone before the other owner looks.
    let is_at_stake = providers.iter().any(prunes) && objects.iter().any(|(key, _)| is_kept(key));
    finding.help = help(&short_list(&owners, OWNERS), is_at_stake);
    finding
}

fn help(owners: &str, is_at_stake: bool) -> String {
    if is_at_stake {
        format!(
            "write the annotation `kustomize.toolkit.fluxcd.io/prune: disabled` into each of the manifests and let that reconcile; after that keep it in one of \
             {owners} alone"
        )
    } else {
        format!("keep it in one of {owners}, and take it out of the other's `resources`")
    }
}

/// Kinds with which more is deleted than the object itself.
fn is_kept(key: &ObjectKey) -> bool {
    matches!(key.kind.as_str(), "Namespace" | "PersistentVolumeClaim" | "PersistentVolume" | "CustomResourceDefinition")
}

/// An object that one owner protects from deletion, while another one takes the annotation off again: who protects it, and whose
/// manifests do not.
fn unprotected<'a>(
    situation: &Situation<'_>,
    shared: &Shared<'a>,
) -> Option<(&'a ObjectKey, Vec<String>, Vec<Provider>)> {
    let cluster = situation.cluster;
    shared.iter().filter(|(key, _)| is_kept(key)).find_map(|(key, providers)| {
        // What is not applied changes nothing.
        let applied = providers.iter().copied().filter(|provider| Policy::new(&cluster.object(*provider).node).applied);
        let (without, with): (Vec<Provider>, Vec<Provider>) =
            applied.partition(|provider| Policy::new(&cluster.object(*provider).node).pruned);
        let with: Vec<String> = with.iter().map(|provider| cluster.owner(*provider).to_string()).collect();
        (!with.is_empty() && !without.is_empty()).then_some((*key, with, without))
    })
}

/// Namespaces that several nodes declare alike are a habit, not a fight.
fn is_harmless(situation: &Situation<'_>, shared: &Shared<'_>) -> bool {
    shared.iter().all(|(key, providers)| {
        let objects: Vec<_> = providers.iter().map(|provider| &situation.cluster.object(*provider).node).collect();
        key.kind == "Namespace" && objects.windows(2).all(|pair| pair[0].get("spec") == pair[1].get("spec"))
    })
}
