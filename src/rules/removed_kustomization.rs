use std::collections::BTreeSet;

use super::{
    Context, Rule, Situation,
    removal::{Fate, fate, former, losses},
    wording::{list, short_list},
};
use crate::{
    cluster::{Cluster, Node, NodeId, ObjectKey},
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Subject, Tier},
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
}

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let Some(earlier) = context.before else { return };
    for (before, after) in context.changed() {
        let gone = before.cluster.nodes().filter(|(_, node)| after.cluster.find(&node.key).is_none());
        for (id, node) in gone.filter(|(_, node)| !node.is_generated) {
            let fate = fate(before, after, id);
            let lost = lost(before.cluster, after.cluster, id);
            let removed = Removed { id, node, fate, lost };
            findings.push(report(earlier.tree, before, after, &removed));
        }
    }
}

/// What a node applied and nobody applies any more.
fn lost<'a>(before: &'a Cluster, after: &Cluster, id: NodeId) -> Vec<&'a ObjectKey> {
    let of_node = before.objects.iter().filter(|(_, providers)| providers.iter().any(|provider| provider.node == id));
    of_node.map(|(key, _)| key).filter(|key| !after.objects.contains_key(*key)).collect()
}

fn report(earlier: &Tree, before: &Situation<'_>, after: &Situation<'_>, removed: &Removed<'_>) -> Finding {
    let subject = removed.node.subject();
    let owner = removed.node.definitions.first().and_then(|definition| definition.owner.as_ref());
    let owner = owner.and_then(|owner| after.cluster.find(owner)).map(|id| after.cluster.node(id));
    let at = owner.map_or(Span::NONE, |owner| owner.kustomization.span(&["spec", "prune"]));
    let names: Vec<String> = removed.lost.iter().map(|key| key.subject().to_string()).collect();
    let shared = shared(after.cluster, &removed.lost);
    let (tail, severity) = outcome(removed, &names, &shared);
    let mut finding = after.finding(&RULE.info, subject.clone(), at, format!("{subject} is removed{tail}"));
    finding.severity = severity;
    if owner.is_some() {
        let does = if owner.is_some_and(|owner| owner.kustomization.spec.prune == Some(true)) { "deletes" } else { "keeps" };
        finding.label = format!("{does} what leaves its build");
    } else {
        finding.label = former(earlier, removed.node.span(), "removed", subject.clone()).message;
    }
    finding.related.push(former(earlier, removed.node.span(), "it is gone", subject));
    finding.related.extend(dependents(after.cluster, removed.node));
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
            (format!(" and deletes {}, which others still need", list(shared)), Severity::Warning)
        }
        Fate::Deletes if number == 0 => (" and deletes nothing with it".to_owned(), Severity::Info),
        Fate::Deletes => (format!(" and deletes {objects}{listed}"), Severity::Info),
        Fate::OrphansByPolicy => (format!(" and leaves {objects} behind, as its `deletionPolicy` says"), Severity::Info),
        Fate::Orphans if number == 0 => (" and leaves nothing behind".to_owned(), Severity::Info),
        Fate::Orphans => (format!(" and leaves {objects} behind that nobody manages{listed}"), Severity::Warning),
        Fate::Stays => (" from the repository, but nobody deletes it in the cluster".to_owned(), Severity::Warning),
    }
}

/// Namespaces and definitions among what is lost that others still use: they go with all that is in them.
fn shared(after: &Cluster, lost: &[&ObjectKey]) -> Vec<String> {
    let used: BTreeSet<&str> = after.objects.keys().map(|key| key.namespace.as_str()).collect();
    let kinds: BTreeSet<String> =
        after.objects.keys().map(|key| format!(".{}/{}", key.group, key.kind.to_lowercase())).collect();
    let is_used = |key: &&&ObjectKey| match key.kind.as_str() {
        "Namespace" => used.contains(key.name.as_str()),
        // Named for the plural of the kind, which mostly begins with it.
        "CustomResourceDefinition" => key.name.split_once('.').is_some_and(|(plural, group)| {
            kinds.iter().any(|kind| {
                let (known, kind) = kind.split_once('/').unwrap_or_default();
                known.trim_start_matches('.') == group && plural.starts_with(kind.trim_end_matches('y'))
            })
        }),
        _ => false,
    };
    lost.iter().filter(is_used).map(|key| key.subject().to_string()).collect()
}

/// Who still names it.
fn dependents(after: &Cluster, gone: &Node) -> Vec<Related> {
    let mut found = Vec::new();
    for node in &after.nodes {
        for (index, entry) in node.kustomization.spec.depends_on.iter().enumerate() {
            let namespace = entry.namespace.as_deref().unwrap_or(&node.key.namespace);
            if entry.name == gone.key.name.as_str() && namespace == gone.key.namespace.as_str() {
                let at = node.kustomization.item_span(&["spec", "dependsOn"], index);
                found.push(Related::new("still depends on it, and waits for ever", Some(node.subject()), at));
            }
        }
    }
    found
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
