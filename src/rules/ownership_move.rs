use std::collections::BTreeMap;

use super::{
    Context, Rule,
    loss::{Lost, Step, names, steps},
    removal::{is_heavy, losses},
    wording::short_list,
};
use crate::{
    cluster::{Cluster, Node},
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    situation::fates::{Cause, Owner, Stake},
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

/// What goes from one owner to another, with all that is deleted on the way.
struct Move<'a> {
    from: &'a Owner,
    to: &'a Owner,
    /// What the new owner applies.
    moved: Vec<Lost>,
    /// What goes with it: what a Kustomization among them had applied, what lies in a Namespace.
    with: Vec<Lost>,
}

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for step in steps(context) {
        let mut moves: BTreeMap<(&Owner, &Owner), Move<'_>> = BTreeMap::new();
        for (key, deletion) in step.fates.deleted() {
            let Cause::Moved { from, to, .. } = &deletion.cause else { continue };
            let new = Move { from, to, moved: Vec::new(), with: Vec::new() };
            let entry = moves.entry((from, to)).or_insert(new);
            // What goes with a Namespace, a CRD or a Kustomization that moves may have the same owner before and after.
            let owned = |cluster: &Cluster, owner: &Owner| {
                let providers = cluster.objects.get(key).map(Vec::as_slice).unwrap_or_default();
                providers.iter().any(|provider| Owner::of(cluster, *provider) == *owner)
            };
            let is_moved = owned(step.before.cluster, from) && owned(step.after.cluster, to);
            let list = if is_moved { &mut entry.moved } else { &mut entry.with };
            list.push(step.lost(key, deletion));
        }
        findings.extend(moves.values().filter_map(|one| report(&step, one)));
    }
}

fn report(step: &Step<'_>, one: &Move<'_>) -> Option<Finding> {
    let mut moved = one.moved.clone();
    moved.sort_by_key(|lost| (std::cmp::Reverse(lost.stake), !is_heavy(&lost.key.kind), lost.key.clone()));
    let first = moved.first()?;
    let is_certain = moved.iter().chain(&one.with).any(|lost| !lost.deletion.race);
    let (from, to) = (one.from.subject(), one.to.subject());
    let number = if moved.len() == 1 { ("moves", "it") } else { ("move", "them") };
    let may = if is_certain { "deletes" } else { "may delete" };
    let taken = match one.with.as_slice() {
        [] => String::new(),
        with => format!(", with {}", short_list(&names(with), 3)),
    };
    let named: Vec<String> = moved.iter().map(|lost| lost.key.subject().to_string()).collect();
    let message = format!(
        "{} {} from {from} to {to} in one step, and the former {may} {}{taken}",
        short_list(&named, 3),
        number.0,
        number.1
    );
    let (old, new) = (one.from.node(step.before.cluster), one.to.node(step.after.cluster));
    let kept = one.from.node(step.after.cluster);
    let is_new = new.is_some_and(|new| step.before.cluster.find(&new.key).is_none());
    let place = step.after.cluster.objects.get(&first.key).and_then(|providers| providers.first());
    let place = place.map_or(crate::source::Span::NONE, |provider| step.after.cluster.object(*provider).place());
    let renamed = new.filter(|_| kept.is_none() && is_new).map(Node::span);
    let mut finding = step.after.finding(&RULE.info, first.key.subject(), renamed.unwrap_or(place), message);
    finding.key = match (one.from, one.to) {
        (Owner::Kustomization(from), Owner::Kustomization(to)) => format!("{from} {to}"),
        _ => format!("{from} {to}"),
    };
    finding.label = if renamed.is_some() { "the new owner".to_owned() } else { format!("now applied by {to}") };
    if renamed.is_some() {
        finding.related.push(Related::new(format!("now applied by {to}"), Some(first.key.subject()), place));
    } else if let Some(node) = new {
        let at = node.kustomization.span(&["spec", "path"]);
        finding.related.push(Related::new("the new owner", Some(node.subject()), at));
    }
    match (kept, old) {
        (Some(node), _) => finding.related.push(Related::new(
            "the former owner deletes what leaves its build",
            Some(node.subject()),
            node.kustomization.span(&["spec", "prune"]),
        )),
        (None, Some(node)) => {
            finding.related.push(step.trees.former(node.span(), "the former owner is deleted", node.subject()));
        }
        (None, None) => {}
    }
    finding.severity = severity(step, one);
    finding.confidence = if is_certain { Confidence::High } else { Confidence::Medium };
    finding.why = why(step, one, kept.is_some(), is_certain);
    finding.help = help(&from.to_string(), &to.to_string(), kept, &short_list(&named, 3));
    Some(finding)
}

/// What is certainly lost is an error; what runs and is made again, and what only may be lost, is a warning.
fn severity(step: &Step<'_>, one: &Move<'_>) -> Severity {
    let mut all = one.moved.iter().chain(&one.with);
    let is_lost = |lost: &&Lost| !lost.deletion.race && (lost.stake == Stake::Data || step.is_flux(&lost.key));
    let contents = step.contents(&one.with).into_iter().chain(step.contents(&one.moved));
    // What moves together with its Namespace goes with its own owner anyway.
    let others = contents.filter(|lost| !lost.deletion.race).count();
    if all.clone().any(|lost| is_lost(&lost)) || others > 0 {
        Severity::Error
    } else if all.any(|lost| is_heavy(&lost.key.kind)) {
        Severity::Warning
    } else {
        Severity::Info
    }
}

fn why(step: &Step<'_>, one: &Move<'_>, is_kept: bool, is_certain: bool) -> String {
    let mut why = match is_kept {
        true => "With `prune: true` a Kustomization deletes what has left its build, unless another one has applied the \
                 object by then and put its own owner labels on it."
            .to_owned(),
        false => "The former owner leaves the build of its parent, which deletes it; with that it deletes all that it applied, before the new \
                  owner has put its own labels on it."
            .to_owned(),
    };
    let moves_children = one.moved.iter().any(|lost| lost.key.is_kustomization());
    let waits = is_certain && is_kept && !moves_children;
    if waits {
        why.push_str(" The new owner waits for the former one, so it is deleted first, and only then made anew.");
    } else if is_kept && moves_children {
        why.push_str(" A Kustomization that changes parents is deleted before it is made again, and takes along what it applied.");
    } else if is_kept {
        why.push_str(
            " Both reconcile at the same commit, in no order: where the former is faster, the objects are deleted and made anew.",
        );
    }
    let kinds: Vec<&str> = one.moved.iter().chain(&one.with).map(|lost| lost.key.kind.as_str()).collect();
    why.push_str(&losses(&kinds));
    if one.moved.iter().chain(&one.with).any(|lost| step.is_flux(&lost.key)) {
        why.push_str(" Part of it is Flux itself.");
    }
    why
}

fn help(from: &str, to: &str, kept: Option<&Node>, moved: &str) -> String {
    if kept.is_some_and(|node| node.is_entry || node.is_generated) {
        // What leads the whole cluster lies in a file that bootstrap or the Flux Operator writes.
        format!(
            "do it in three commits, each reconciled before the next: set the annotation `kustomize.toolkit.fluxcd.io/prune: disabled` on \
             {moved}; move what bears it to {to}; take the annotation off again"
        )
    } else if kept.is_some() {
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
