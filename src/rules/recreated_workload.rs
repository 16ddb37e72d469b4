use std::collections::BTreeMap;

use super::{
    Context, Rule,
    data_loss::loss,
    loss::{Group, Lost, Step, names, steps},
    wording::short_list,
};
use crate::{
    cluster::{NodeKey, ObjectKey},
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    flux::api::kinds::HELM_RELEASE,
    situation::fates::{Stake, UninstallReason},
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "recreated-workload",
        summary: "A change deletes workloads and makes them anew, under the same name or another.",
        category: Category::Change,
        severity: Severity::Warning,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.2.0",
        page: include_str!("../../rules/recreated-workload.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for step in steps(context) {
        for group in step.groups() {
            // What takes more along than work is another rule's.
            if loss(&step, &group.lost).is_none() {
                findings.extend(report(&step, &group));
            }
        }
        for (key, uninstall) in step.fates.uninstalled() {
            if let UninstallReason::Field(field) = uninstall.reason {
                findings.extend(other_release(&step, key, field));
            }
        }
    }
}

fn report(step: &Step<'_>, group: &Group) -> Option<Finding> {
    let mut twins: BTreeMap<ObjectKey, ObjectKey> = BTreeMap::new();
    let is_removed = |one: &&Lost| {
        let key = NodeKey::new(one.key.namespace.clone(), one.key.name.clone());
        !one.key.is(HELM_RELEASE) || step.fates.uninstalled().contains_key(&key)
    };
    let is_remade = |one: &&Lost| is_removed(one) && (one.deletion.again || twins_of(step, one, &mut twins));
    let work: Vec<&Lost> = group
        .lost
        .iter()
        .filter(|one| one.stake >= Stake::Work && !one.key.is_kustomization())
        .filter(is_remade)
        .collect();
    let first = *work.first()?;
    let race = work.iter().all(|one| one.deletion.race);
    let number = if work.len() == 1 { "is" } else { "are" };
    let verb = if race { "may be" } else { number };
    let tail = match twins.get(&first.key) {
        Some(twin) if work.len() == 1 => format!("made anew as {}", twin.subject()),
        Some(_) => "made anew under other names".to_owned(),
        None => "made anew".to_owned(),
    };
    let message = format!("{} {verb} deleted and {tail}", short_list(&names(work.iter().copied()), 3));
    let (at, label) = step.anchor(group);
    let mut finding = step.after.finding(&RULE.info, first.key.subject(), at, message);
    finding.key = first.deletion.cause.owner().subject().to_string();
    finding.label = label;
    for one in work.iter().take(5) {
        finding.related.push(step.trees.former(step.former_place(&one.key), "deleted", one.key.subject()));
        let twin = twins.get(&one.key).and_then(|key| Some((key, step.after.cluster.objects.get(key)?.first()?)));
        finding.related.extend(
            twin.map(|(key, at)| {
                Related::new("made anew", Some(key.subject()), step.after.cluster.object(*at).place())
            }),
        );
    }
    finding.related.extend(group.place.owner.clone());
    finding.why = "To Kubernetes an object of another name or in another namespace is another object, and a field that is fixed makes `force` \
                   delete the object first. Pods stop before new ones are Ready, and nothing waits for them."
        .to_owned();
    if work.iter().any(|one| one.key.is(HELM_RELEASE)) {
        finding.why.push_str(
            " A HelmRelease that is deleted uninstalls its chart, and claims that are part of the chart go with it; the new one installs \
             it from the beginning.",
        );
    }
    if work.iter().any(|one| one.key.kind == "StatefulSet") {
        finding.why.push_str(" The claims of a StatefulSet stay, but under another name a new one does not find them.");
    }
    if race {
        finding.confidence = Confidence::Medium;
    }
    let renamed = work.iter().any(|one| one.key.is(HELM_RELEASE) && twins.contains_key(&one.key));
    finding.help = if renamed {
        "keep the name; where it has to change, set `suspend: true` on the former HelmRelease in a commit before, so that its removal does not \
         uninstall, and give the new one the same `releaseName`, `targetNamespace` and `storageNamespace`"
            .to_owned()
    } else {
        "make the new one beside the former in one commit, with traffic on both, and remove the former in the next; or leave it as it is"
            .to_owned()
    };
    Some(finding)
}

/// Whether the same object is made under another name, which is noted.
fn twins_of(step: &Step<'_>, lost: &Lost, twins: &mut BTreeMap<ObjectKey, ObjectKey>) -> bool {
    let Some(twin) = step.twin(lost) else { return false };
    twins.insert(lost.key.clone(), twin);
    true
}

/// A HelmRelease that stays and makes another Helm release.
fn other_release(step: &Step<'_>, key: &NodeKey, field: &'static str) -> Option<Finding> {
    let release = &step.after.cluster.releases[step.after.cluster.release(key)?];
    let keys = if field == "chart" { vec!["spec", "chart", "spec", "chart"] } else { vec!["spec", field] };
    let subject = release.subject();
    let message = format!("{subject} has another `{field}`: its release is uninstalled, and a new one is installed");
    let mut finding = step.after.finding(&RULE.info, subject.clone(), release.helm.span(&keys), message);
    finding.label = "the release is another one with this".to_owned();
    let former = &step.before.cluster.releases[step.before.cluster.release(key)?];
    finding.related.push(step.trees.former(former.helm.span(&keys), "the former release", subject));
    finding.why = "helm-controller recognizes a release by its name, the namespace it is kept in, and its chart. Where one of them changes it \
                   uninstalls the former release first, with claims that are part of the chart, and then installs the new one from the \
                   beginning."
        .to_owned();
    finding.help = if field == "releaseName" {
        "keep the former name: set `releaseName` to it".to_owned()
    } else {
        "install the new release with a HelmRelease of its own, and remove the former one in a later commit".to_owned()
    };
    Some(finding)
}
