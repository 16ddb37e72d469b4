use std::collections::BTreeMap;

use super::{
    Context, Rule, Situation,
    removal::{Fate, fate, former, is_heavy, losses, prunes_now},
    wording::short_list,
};
use crate::{
    cluster::{NodeKey, ObjectKey, Provider},
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    flux::{Policy, SourceRef},
    graph::{Actor, Moment},
    source::Tree,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "ownership-move",
        summary: "Objects go from one Kustomization to another in one commit, and the former owner may delete them.",
        category: Category::Change,
        severity: Severity::Warning,
        confidence: Confidence::Medium,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/ownership-move.md"),
    },
    check,
};

/// The objects that go from one Kustomization to another.
type Moves<'a> = BTreeMap<(NodeKey, NodeKey), Vec<(&'a ObjectKey, Provider, Provider)>>;

/// In which order the two owners come to reconcile.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    /// The new one waits for the former.
    FormerFirst,
    /// The former waits for the new one.
    NewFirst,
    /// Neither.
    Race,
}

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let Some(earlier) = context.before else { return };
    for (before, after) in context.changed() {
        for ((old, new), objects) in moves(before, after) {
            findings.extend(report(earlier.tree, (before, after), (&old, &new), &objects));
        }
    }
}

/// Objects that have one owner before and another one after, where the former would delete them.
fn moves<'a>(before: &Situation<'_>, after: &Situation<'a>) -> Moves<'a> {
    let mut moves: Moves<'a> = BTreeMap::new();
    for (key, providers) in after.cluster.objects.iter().filter(|(key, _)| !key.is_unresolved()) {
        let former = before.cluster.objects.get(key).map(Vec::as_slice).unwrap_or_default();
        let ([old], [new]) = (former, providers.as_slice()) else { continue };
        if old.set.is_some() || new.set.is_some() || !Policy::new(&before.cluster.object(*old).node).pruned {
            continue;
        }
        let (one, other) = (before.cluster.node(old.node), after.cluster.node(new.node));
        if one.key != other.key && one.is_remote() == other.is_remote() {
            moves.entry((one.key.clone(), other.key.clone())).or_default().push((key, *old, *new));
        }
    }
    moves
}

fn report(
    earlier: &Tree,
    (before, after): (&Situation<'_>, &Situation<'_>),
    (old, new): (&NodeKey, &NodeKey),
    objects: &[(&ObjectKey, Provider, Provider)],
) -> Option<Finding> {
    let former_id = before.cluster.find(old)?;
    let kept = after.cluster.find(old);
    let deletes = match kept {
        Some(id) => prunes_now(after.cluster.node(id)),
        None => fate(before, after, former_id) == Fate::Deletes,
    };
    let order = order(after, old, new);
    if !deletes || order == Order::NewFirst {
        return None;
    }
    let mut sorted: Vec<_> = objects.to_vec();
    sorted.sort_by_key(|(key, ..)| (!is_heavy(&key.kind), *key));
    let (first, _, provider) = *sorted.first()?;
    let names: Vec<String> = sorted.iter().map(|(key, ..)| key.subject().to_string()).collect();
    let (from, to) = (old.subject("Kustomization"), new.subject("Kustomization"));
    let number = if names.len() == 1 { "moves" } else { "move" };
    let may = if order == Order::FormerFirst { "deletes" } else { "may delete" };
    let what = if names.len() == 1 { "it" } else { "them" };
    let message =
        format!("{} {number} from {from} to {to} in one step, and the former {may} {what}", short_list(&names, 3));
    let place = after.cluster.object(provider).place();
    let mut finding = after.finding(&RULE.info, first.subject(), place, message);
    finding.key = format!("{old} {new}");
    finding.label = format!("now applied by {to}");
    let own = after.cluster.find(new).map(|id| after.cluster.node(id));
    finding.related.extend(
        own.map(|node| Related::new("the new owner", Some(node.subject()), node.kustomization.span(&["spec", "path"]))),
    );
    match kept.map(|id| after.cluster.node(id)) {
        Some(node) => finding.related.push(Related::new(
            "the former owner deletes what leaves its build",
            Some(node.subject()),
            node.kustomization.span(&["spec", "prune"]),
        )),
        None => {
            let node = before.cluster.node(former_id);
            finding.related.push(former(earlier, node.span(), "the former owner is deleted", node.subject()));
        }
    }
    if !is_heavy(&first.kind) {
        finding.severity = Severity::Info;
    }
    if order == Order::FormerFirst {
        finding.confidence = Confidence::High;
    }
    finding.why = why(order, kept.is_some(), &sorted);
    finding.help = help(&from.to_string(), &to.to_string(), kept.is_some());
    Some(finding)
}

fn why(order: Order, is_kept: bool, objects: &[(&ObjectKey, Provider, Provider)]) -> String {
    let mut why = match is_kept {
        true => "With `prune: true` a Kustomization deletes what has left its build, unless another one has applied the \
                 object by then and put its own owner labels on it."
            .to_owned(),
        false => "The former owner leaves the build of its parent, which deletes it; with that it deletes all that it applied, unless \
                  another one has applied the object by then and put its own owner labels on it."
            .to_owned(),
    };
    why.push_str(match order {
        Order::FormerFirst => " The new owner waits for the former one, so it is deleted first, and only then made anew.",
        Order::NewFirst | Order::Race => {
            " Both reconcile at the same commit, in no order: where the former is faster, the objects are deleted and made anew."
        }
    });
    let kinds: Vec<&str> = objects.iter().map(|(key, ..)| key.kind.as_str()).collect();
    why.push_str(&losses(&kinds));
    why
}

fn help(from: &str, to: &str, is_kept: bool) -> String {
    if is_kept {
        format!(
            "do it in three commits, each reconciled before the next: set `prune: false` on {from}; move the objects to {to}; set \
             `prune: true` again"
        )
    } else {
        format!(
            "do it in two commits, each reconciled before the next: set `deletionPolicy: Orphan` on {from}; then replace it by {to}"
        )
    }
}

/// Which of the two waits for the other in each revision. Only with one source does waiting mean this revision
/// (kustomize-controller v1.9, `checkDependencies`).
fn order(after: &Situation<'_>, old: &NodeKey, new: &NodeKey) -> Order {
    let (Some(one), Some(other)) = (after.cluster.find(old), after.cluster.find(new)) else { return Order::Race };
    let source = |id| {
        let node = after.cluster.node(id);
        SourceRef::new(&node.kustomization.spec.source_ref, &node.key.namespace)
    };
    if source(one) != source(other) {
        return Order::Race;
    }
    let waits = |waiting, first| {
        let start = after.graph.id(Actor::Node(waiting), Moment::Start);
        let ready = after.graph.id(Actor::Node(first), Moment::Ready);
        start.zip(ready).is_some_and(|(start, ready)| after.graph.behind(&[start]).contains(&ready))
    };
    match (waits(other, one), waits(one, other)) {
        (true, _) => Order::FormerFirst,
        (_, true) => Order::NewFirst,
        _ => Order::Race,
    }
}
