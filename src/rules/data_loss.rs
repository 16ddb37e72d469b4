use std::collections::BTreeSet;

use super::{
    Context, Rule,
    changed::Trees,
    loss::{Group, Lost, Step, names, steps},
    removal::losses,
    self_prune,
    wording::short_list,
};
use crate::{
    cluster::Folder,
    finding::{Category, Confidence, Finding, Location, RuleInfo, Severity, Subject, Tier},
    situation::fates::{By, Cause, Stake, prunes_itself},
    source::Span,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "data-loss",
        summary: "A change deletes data, a Namespace or a CRD with what others have in it, or Flux itself.",
        category: Category::Change,
        severity: Severity::Error,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.2.0",
        page: include_str!("../../rules/data-loss.md"),
    },
    check,
};

/// How many objects a finding names beside its message.
const NAMED: usize = 8;

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for step in steps(context) {
        // Where the whole folder of bootstrap is left out, `self-prune` says so at the same line.
        let mut entries = step.after.cluster.nodes.iter().filter(|node| node.is_entry && !node.is_generated);
        let told = entries.any(|node| {
            self_prune::report(context, step.after, node).is_some_and(|finding| finding.severity == Severity::Error)
        });
        let groups = step.groups();
        let is_told = |group: &&Group| told && matches!(loss(&step, &group.lost), Some(Loss::Flux(_)));
        findings.extend(groups.iter().filter(|group| !is_told(group)).filter_map(|group| report(&step, group)));
    }
    vanished(context, findings);
}

/// A cluster whose entry point has left the folder that it applies: nothing of the repository leads there any more, and the
/// Kustomization in the cluster deletes itself with the next revision.
fn vanished(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let (Some(earlier), Some(trees)) = (context.before, Trees::of(context)) else { return };
    let gone = crate::situation::pairs(earlier.situations, context.situations).into_iter();
    for before in gone.filter(|pair| pair.after.is_none()).filter_map(|pair| pair.before) {
        let mut nodes = before.cluster.nodes.iter();
        let Some(node) = nodes.find(|node| prunes_itself(node, context.tree)) else { continue };
        let Folder::Here(folder) = &node.folder else { continue };
        let file = ["kustomization.yaml", "kustomization.yml", "Kustomization"].iter();
        let at = file.filter_map(|name| trees.changed_list(&format!("{folder}/{name}"))).next();
        let subject = node.subject();
        let message = format!("Flux deletes itself: {subject} is not part of its own folder `{folder}` any more");
        let mut finding = before.finding(&RULE.info, subject.clone(), at.unwrap_or(Span::NONE), message);
        if at.is_none() {
            finding.location = Location::Nowhere(GONE.to_owned());
        }
        finding.related.push(trees.former(node.span(), "it is gone", subject));
        finding.why = format!("{PRUNED}{ITSELF}");
        finding.help = HEAL.to_owned();
        findings.push(finding);
    }
}

/// Why there is no place to point at.
const GONE: &str = "no file of this revision has it any more";

const PRUNED: &str = "Within seconds of this revision kustomize-controller deletes what has left a build with `prune: true`, and what a \
                      Kustomization that goes had applied, before anybody can look.";

const ITSELF: &str = " Once its own Kustomization is deleted, Flux deletes all that this one had applied, and with that every other Kustomization.";

const HEAL: &str = "leave what bootstrap wrote in the build: list the `flux-system` folder in the kustomization file, with `gotk-components.yaml` \
                    and `gotk-sync.yaml`, and let nothing else apply or delete the namespace of Flux";

/// What makes it a loss.
pub(super) enum Loss<'l> {
    /// Flux goes.
    Flux(Vec<&'l Lost>),
    /// Data goes.
    Data(Vec<&'l Lost>),
    /// What others have in a Namespace or of a CRD goes.
    Contents(Vec<String>),
}

/// Why what is deleted is a loss, if it is one.
pub(super) fn loss<'l>(step: &Step<'_>, lost: &'l [Lost]) -> Option<Loss<'l>> {
    let flux: Vec<&Lost> = lost.iter().filter(|one| step.is_flux(&one.key)).collect();
    if !flux.is_empty() {
        return Some(Loss::Flux(flux));
    }
    let data: Vec<&Lost> = lost.iter().filter(|one| one.stake == Stake::Data).collect();
    if !data.is_empty() {
        return Some(Loss::Data(data));
    }
    let mut contents = names(step.contents(lost));
    contents.extend(step.tenants(lost).iter().map(|key| key.subject().to_string()));
    (!contents.is_empty()).then_some(Loss::Contents(contents))
}

fn report(step: &Step<'_>, group: &Group) -> Option<Finding> {
    let lost = &group.lost;
    let loss = loss(step, lost)?;
    let race = lost.iter().all(|one| one.deletion.race);
    let (message, subject) = message(&loss, lost, race)?;
    let (at, label) = step.anchor(group);
    let mut finding = step.after.finding(&RULE.info, subject, at, message);
    finding.label = label;
    if !at.is_some() {
        finding.location = Location::Nowhere(GONE.to_owned());
    }
    finding.key = lost.first().map(|one| one.deletion.cause.owner().subject().to_string()).unwrap_or_default();
    let mut named: Vec<&Lost> = lost.iter().collect();
    named.sort_by_key(|one| (std::cmp::Reverse(one.stake), one.key.clone()));
    for one in named.iter().take(NAMED) {
        let what = if one.deletion.again { "deleted, and made again without what it held" } else { "deleted" };
        finding.related.push(step.trees.former(step.former_place(&one.key), what, one.key.subject()));
    }
    finding.related.extend(group.place.owner.clone());
    if race {
        finding.severity = Severity::Warning;
        finding.confidence = Confidence::Medium;
    }
    finding.why = why(step, &loss, lost, race);
    finding.help = help(step, &loss, lost);
    Some(finding)
}

fn message(loss: &Loss<'_>, lost: &[Lost], race: bool) -> Option<(String, Subject)> {
    let may = |number: usize, verb: &str| match (race, number) {
        (true, _) => format!("may be {verb}"),
        (false, 1) => format!("is {verb}"),
        (false, _) => format!("are {verb}"),
    };
    let rest = |known: usize| match lost.len().saturating_sub(known) {
        0 => String::new(),
        1 => ", together with 1 other object".to_owned(),
        more => format!(", together with {more} other objects"),
    };
    Some(match loss {
        Loss::Flux(flux) => {
            let listed = short_list(&names(flux.iter().copied()), 3);
            let verb = may(flux.len(), "deleted");
            (format!("Flux deletes itself: {listed} {verb}{}", rest(flux.len())), flux.first()?.key.subject())
        }
        Loss::Data(data) => {
            let listed = short_list(&names(data.iter().copied()), 3);
            let holders: BTreeSet<_> = data.iter().map(|one| one.deletion.cause.object()).collect();
            if data.iter().all(|one| one.key != *one.deletion.cause.object()) {
                let all: Vec<String> = holders.iter().map(|key| key.subject().to_string()).collect();
                let (verb, it) = (may(all.len(), "deleted"), if all.len() == 1 { "it" } else { "them" });
                let message = format!(
                    "{} {verb}, and with {it} the data of {listed}{}",
                    short_list(&all, 3),
                    rest(data.len() + all.len())
                );
                return Some((message, data.first()?.key.subject()));
            }
            let (verb, its) = (may(data.len(), "deleted"), if data.len() == 1 { "its" } else { "their" });
            (format!("{listed} {verb} with {its} data{}", rest(data.len())), data.first()?.key.subject())
        }
        Loss::Contents(contents) => {
            let is_first =
                |one: &&Lost| one.stake == Stake::Contents && !matches!(one.deletion.by, By::Namespace | By::Crd);
            let holders: Vec<&Lost> = lost.iter().filter(is_first).collect();
            let verb = may(holders.len(), "deleted");
            let listed = short_list(&names(holders.iter().copied()), 3);
            let message = format!("{listed} {verb} with what others have there: {}", short_list(contents, 3));
            (message, holders.first()?.key.subject())
        }
    })
}

fn why(step: &Step<'_>, loss: &Loss<'_>, lost: &[Lost], race: bool) -> String {
    let causes = || lost.iter().map(|one| &one.deletion.cause);
    let mut why = if causes().any(|cause| matches!(cause, Cause::Forced { .. })) {
        "A field that cannot be changed in place is changed, and `force` has kustomize-controller delete the object and make it anew."
            .to_owned()
    } else {
        PRUNED.to_owned()
    };
    if race {
        why.push_str(" Here it depends on who comes first, or on whose labels the object bears.");
    }
    let kinds: Vec<&str> = lost.iter().map(|one| one.key.kind.as_str()).collect();
    why.push_str(&losses(&kinds));
    if matches!(loss, Loss::Flux(_)) {
        why.push_str(ITSELF);
    }
    if lost.iter().any(|one| one.stake == Stake::Data && one.deletion.again) {
        why.push_str(" What is made again begins empty.");
    }
    let is_new = |one: &Lost| one.stake == Stake::Data && !one.deletion.again && step.twin(one).is_some();
    if lost.iter().any(is_new) {
        why.push_str(" The same is made under another name, and begins empty.");
    }
    why
}

fn help(step: &Step<'_>, loss: &Loss<'_>, lost: &[Lost]) -> String {
    let owner = lost.first().map(|one| one.deletion.cause.owner());
    if lost.iter().any(|one| matches!(one.deletion.cause, Cause::Forced { .. })) {
        return "leave the field as it is and make a new object beside this one for its data, or take `force` away: then the change fails \
                and nothing is deleted"
            .to_owned();
    }
    match loss {
        Loss::Flux(_) => HEAL.to_owned(),
        Loss::Data(_) | Loss::Contents(_) => {
            let gone = lost.iter().find(|one| one.key.is_kustomization() && step.owner_of(&one.key).is_some());
            let keep = match gone {
                Some(one) => format!("`deletionPolicy: Orphan` on {}, or ", one.key.subject()),
                None => String::new(),
            };
            // The entry point leads the whole cluster, and bootstrap or the Flux Operator writes it.
            let whole = owner.filter(|owner| {
                let node = owner.node(step.after.cluster);
                !node.is_some_and(|node| node.is_entry || node.is_generated)
            });
            let whole = whole.map(|owner| format!(" (or `prune: false` on {})", owner.subject())).unwrap_or_default();
            format!(
                "to keep it, do it in two commits, each reconciled before the next: first set {keep}the annotation \
                 `kustomize.toolkit.fluxcd.io/prune: disabled` on the objects{whole}; then make this change. What is \
                 made under another name needs its data copied. Where it is to go, back it up and make sure that nobody uses it any more"
            )
        }
    }
}
