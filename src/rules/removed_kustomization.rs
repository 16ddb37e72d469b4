use std::collections::{BTreeMap, BTreeSet};

use super::{
    Context, Rule, Situation,
    removal::{Fate, fate, former, losses},
    wording::{list, short_list},
};
use crate::{
    cluster::{Cluster, Node, NodeId, ObjectKey, Provider},
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Subject, Tier},
    flux::{Policy, api::kinds::KUSTOMIZATION},
    situation::fates::prunes_itself,
    source::{Span, Tree},
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "removed-kustomization",
        summary: "A Kustomization is removed, and what it applied is left behind, or takes more along than it should.",
        category: Category::Change,
        severity: Severity::Warning,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/removed-kustomization.md"),
    },
    check,
};

/// A Kustomization that is gone.
struct Removed<'a> {
    id: NodeId,
    node: &'a Node,
    fate: Fate,
    /// What it applied that nobody applies any more.
    lost: Vec<&'a ObjectKey>,
    /// What it alone applied that others apply now.
    moved: Vec<&'a ObjectKey>,
}

/// What of a cluster others still use.
struct Used<'a> {
    namespaces: BTreeSet<&'a str>,
    /// API groups and kinds, in lower case.
    kinds: BTreeSet<(String, String)>,
    /// The entries of `dependsOn`, by what they name.
    dependents: BTreeMap<(String, String), Vec<(&'a Node, usize)>>,
}

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let Some(earlier) = context.before else { return };
    for (before, after) in context.changed() {
        let gone: Vec<_> = before
            .cluster
            .nodes()
            .filter(|(_, node)| after.cluster.find(&node.key).is_none() && !node.is_generated)
            .filter(|(_, node)| !is_in_failed_build(after.cluster, node) && !prunes_itself(node, context.tree))
            .filter(|(_, node)| !is_skipped(after.cluster, node))
            .collect();
        if gone.is_empty() {
            continue;
        }
        let mut lost = lost(before.cluster, after.cluster);
        let used = Used::new(after.cluster);
        for (id, node) in gone {
            let fate = fate(before, after, id);
            let moved = moved(before.cluster, after.cluster, id);
            let removed = Removed { id, node, fate, lost: lost.remove(&id).unwrap_or_default(), moved };
            findings.push(report(earlier.tree, before, after, &removed, &used));
        }
    }
}

/// Whether the build that held it fails now: then nothing of it is applied or deleted, and that is what is wrong.
fn is_in_failed_build(after: &Cluster, gone: &Node) -> bool {
    let owner = gone.manifests.first().and_then(|manifest| manifest.owner.as_ref());
    let owner = owner.and_then(|owner| after.find(owner)).map(|id| after.node(id));
    owner.is_some_and(|owner| !owner.applied.build.errors.is_empty())
}

/// Whether a build still holds it and only does not apply it: then it goes on as it is.
fn is_skipped(after: &Cluster, gone: &Node) -> bool {
    let key = ObjectKey::new(KUSTOMIZATION, gone.key.namespace.clone(), gone.key.name.clone());
    after.nodes.iter().flat_map(Node::skipped).any(|object| ObjectKey::from(object.id()) == key)
}

/// What each node applied and nobody applies any more.
fn lost<'a>(before: &'a Cluster, after: &Cluster) -> BTreeMap<NodeId, Vec<&'a ObjectKey>> {
    let mut lost: BTreeMap<NodeId, Vec<&'a ObjectKey>> = BTreeMap::new();
    for (key, providers) in before.objects.iter().filter(|(key, _)| !after.objects.contains_key(*key)) {
        let mut nodes: Vec<NodeId> = providers.iter().map(|provider| provider.node).collect();
        nodes.sort_unstable();
        nodes.dedup();
        for node in nodes {
            lost.entry(node).or_default().push(key);
        }
    }
    lost
}

/// What `id` alone applied, with leave to delete it, and others apply now.
fn moved<'a>(before: &'a Cluster, after: &Cluster, id: NodeId) -> Vec<&'a ObjectKey> {
    let is_alone =
        |providers: &[Provider]| providers.iter().all(|provider| provider.node == id && provider.set.is_none());
    let is_pruned =
        |providers: &[Provider]| providers.iter().all(|provider| Policy::new(&before.object(*provider).node).pruned);
    let objects = before.objects.iter().filter(|(key, _)| after.objects.contains_key(*key));
    let own = objects.filter(|(_, providers)| !providers.is_empty() && is_alone(providers) && is_pruned(providers));
    own.map(|(key, _)| key).collect()
}

impl<'a> Used<'a> {
    fn new(cluster: &'a Cluster) -> Self {
        let mut dependents: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for node in &cluster.nodes {
            for (index, entry) in node.kustomization.spec.depends_on.iter().enumerate() {
                let namespace = entry.namespace.as_deref().unwrap_or(&node.key.namespace);
                dependents.entry((namespace.to_owned(), entry.name.clone())).or_default().push((node, index));
            }
        }
        let kinds = cluster.objects.keys().map(|key| (key.group.to_string(), key.kind.to_lowercase()));
        Self {
            namespaces: cluster.objects.keys().map(|key| key.namespace.as_str()).collect(),
            kinds: kinds.collect(),
            dependents,
        }
    }

    /// Namespaces and CRDs among what is lost that others still use: they go with all that is in them.
    fn among(&self, lost: &[&ObjectKey]) -> Vec<String> {
        let is_used = |key: &&&ObjectKey| match key.kind.as_str() {
            "Namespace" => self.namespaces.contains(key.name.as_str()),
            "CustomResourceDefinition" => self.has_kind_of(key),
            _ => false,
        };
        lost.iter().filter(is_used).map(|key| key.subject().to_string()).collect()
    }

    /// Whether there are objects of a CRD. It is named for the plural of the kind, which mostly begins with that.
    fn has_kind_of(&self, definition: &ObjectKey) -> bool {
        let Some((plural, group)) = definition.name.split_once('.') else { return false };
        let of_group = self.kinds.range((group.to_owned(), String::new())..).take_while(|(known, _)| known == group);
        of_group.map(|(_, kind)| kind).any(|kind| plural.starts_with(kind.trim_end_matches('y')))
    }

    /// Who still depends on a Kustomization.
    fn dependents(&self, gone: &Node) -> Vec<Related> {
        let named = self.dependents.get(&(gone.key.namespace.to_string(), gone.key.name.to_string()));
        let reported = named.into_iter().flatten().map(|(node, index)| {
            let at = node.kustomization.item_span(&["spec", "dependsOn"], *index);
            Related::new("still depends on it, and waits forever", Some(node.subject()), at)
        });
        reported.collect()
    }
}

fn report(
    earlier: &Tree,
    before: &Situation<'_>,
    after: &Situation<'_>,
    removed: &Removed<'_>,
    used: &Used<'_>,
) -> Finding {
    let subject = removed.node.subject();
    let owner = removed.node.manifests.first().and_then(|manifest| manifest.owner.as_ref());
    let owner = owner.and_then(|owner| after.cluster.find(owner)).map(|id| after.cluster.node(id));
    let at = owner.map_or(Span::NONE, |owner| owner.kustomization.span(&["spec", "prune"]));
    let names: Vec<String> = removed.lost.iter().map(|key| key.subject().to_string()).collect();
    let shared = used.among(&removed.lost);
    let (tail, severity) = outcome(removed, &names, &shared);
    let mut finding = after.finding(&RULE.info, subject.clone(), at, format!("{subject} is removed{tail}"));
    finding.severity = severity;
    if owner.is_some() {
        let does =
            if owner.is_some_and(|owner| owner.kustomization.spec.prune == Some(true)) { "deletes" } else { "keeps" };
        finding.label = format!("{does} what leaves its build");
    } else {
        finding.label = former(earlier, removed.node.span(), "removed", subject.clone()).message;
    }
    finding.related.push(former(earlier, removed.node.span(), "it is gone", subject));
    finding.related.extend(used.dependents(removed.node));
    finding.why = why(removed, &shared);
    finding.help = help(removed, owner);
    if before.cluster.node(removed.id).unresolved.iter().any(crate::kustomize::Unresolved::hides_objects) {
        finding.confidence = Confidence::Medium;
        finding.why.push_str(" Part of what it applied is not known from the repository.");
    }
    finding
}

/// The end of the message, and how much it matters.
fn outcome(removed: &Removed<'_>, names: &[String], shared: &[String]) -> (String, Severity) {
    let number = names.len();
    let objects = format!("{number} object{}", if number == 1 { "" } else { "s" });
    let listed = if number == 0 { String::new() } else { format!(": {}", short_list(names, 3)) };
    match removed.fate {
        Fate::Deletes if !shared.is_empty() => {
            // `data-loss` says it where the change is made.
            (format!(" and deletes {}, which others still need", list(shared)), Severity::Info)
        }
        Fate::Deletes if number == 0 && !removed.moved.is_empty() => {
            let moved: Vec<String> = removed.moved.iter().map(|key| key.subject().to_string()).collect();
            let tail = format!(" and may delete what others apply from now on: {}", short_list(&moved, 3));
            (tail, Severity::Info)
        }
        Fate::Deletes if number == 0 => (" and deletes nothing with it".to_owned(), Severity::Info),
        Fate::Deletes => (format!(" and deletes {objects}{listed}"), Severity::Info),
        Fate::OrphansByPolicy => {
            (format!(" and leaves {objects} behind, as its `deletionPolicy` says"), Severity::Info)
        }
        Fate::Orphans if number == 0 => (" and leaves nothing behind".to_owned(), Severity::Info),
        Fate::Orphans => (format!(" and leaves {objects} behind that nobody manages{listed}"), Severity::Warning),
        Fate::Stays => (" from the repository, but nobody deletes it in the cluster".to_owned(), Severity::Warning),
    }
}

fn why(removed: &Removed<'_>, shared: &[String]) -> String {
    let kinds: Vec<&str> = removed.lost.iter().map(|key| key.kind.as_str()).collect();
    let mut why = match removed.fate {
        Fate::Deletes => {
            "Its parent deletes it (`prune: true`), and its finalizer then deletes all that it applied, in no order and without waiting \
             for `dependsOn`."
                .to_owned()
        }
        Fate::OrphansByPolicy => "Its parent deletes it, and `deletionPolicy: Orphan` keeps what it applied.".to_owned(),
        Fate::Orphans => {
            let reason = match removed.node.kustomization.spec.suspend {
                true => "it is suspended, and a suspended Kustomization deletes nothing",
                false => "it has `prune: false`, which `deletionPolicy: MirrorPrune` follows",
            };
            format!("Its parent deletes it, but not what it applied: {reason}. That goes on as it is, without anybody who updates it.")
        }
        Fate::Stays => {
            "It goes on reconciling what it has, or fails with `kustomization path not found` where its folder is gone too: no \
             Kustomization prunes it."
                .to_owned()
        }
    };
    if removed.fate == Fate::Deletes {
        why.push_str(&losses(&kinds));
        if !removed.moved.is_empty() {
            why.push_str(
                " What others apply from now on it spares only if they have applied it by then; else it is deleted and made anew.",
            );
        }
        if !shared.is_empty() {
            why.push_str(" What others apply there is deleted with it, and made again only once it is back.");
        }
    }
    why
}

fn help(removed: &Removed<'_>, owner: Option<&Node>) -> String {
    let name = &removed.node.key.name;
    match removed.fate {
        Fate::Deletes => "to keep what it applied, set `deletionPolicy: Orphan` on it, let that reconcile, and remove it then; let \
                          another Kustomization own what others need first"
            .to_owned(),
        Fate::OrphansByPolicy => "nothing, if that is meant; else set `deletionPolicy: Delete` in a commit before".to_owned(),
        Fate::Orphans => "where it is to go too, set `deletionPolicy: Delete` on it (and `suspend: false`), let that reconcile, and remove \
                          it then; where it is to stay, say so with `deletionPolicy: Orphan`"
            .to_owned(),
        Fate::Stays => match owner {
            Some(owner) => format!(
                "set `prune: true` on {} in a commit before, or delete it by hand: flux delete kustomization {name}",
                Subject::to_string(&owner.subject())
            ),
            None => format!("delete it by hand: flux delete kustomization {name} -n {}", removed.node.key.namespace),
        },
    }
}
