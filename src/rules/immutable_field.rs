use super::{
    Context, Rule, Situation,
    changed::changed_value,
    loss::{Step, steps},
};
use crate::{
    cluster::{Node, ObjectKey},
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    flux::Policy,
    kustomize::{Object, Step as BuildStep},
    yaml,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "immutable-field",
        summary: "A field changes that the API server lets nobody change, and nothing recreates the object.",
        category: Category::Change,
        severity: Severity::Error,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.2.0",
        page: include_str!("../../rules/immutable-field.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let steps = steps(context);
    for step in &steps {
        findings.extend(step.fates.refused().filter_map(|(key, field)| refused(step, key, field)));
    }
    for situation in context.situations.iter().filter(|situation| situation.cluster.reached) {
        for node in &situation.cluster.nodes {
            let jobs = node.applied.build.objects.iter().filter(|object| will_be_refused(node, object));
            let is_known = |key: &ObjectKey| {
                let mut own = steps.iter().filter(|step| step.after.cluster.root == situation.cluster.root);
                own.any(|step| step.fates.of(key).is_some())
            };
            let keys = jobs.map(|job| (ObjectKey::from(job.id()), job)).filter(|(key, _)| !is_known(key));
            findings.extend(keys.map(|(key, job)| at_rest(situation, node, &key, job)));
        }
    }
}

fn refused(step: &Step<'_>, key: &ObjectKey, field: &'static str) -> Option<Finding> {
    let provider = *step.after.cluster.objects.get(key)?.first()?;
    let node = step.after.cluster.node(provider.node);
    let at = changed_value(step.before, step.after, key, field)?;
    let (subject, owner) = (key.subject(), node.subject());
    let message = format!("`{field}` of {subject} cannot be changed, so {owner} fails");
    let mut finding = step.after.finding(&RULE.info, subject.clone(), at, message);
    field.clone_into(&mut finding.key);
    finding.label = "changed here".to_owned();
    finding.related.push(step.trees.former(step.former_place(key), "the object as it is in the cluster", subject));
    finding.related.push(Related::new("applies it, without `force`", Some(owner), node.span()));
    finding.why = format!(
        "The API server answers the dry run with `Invalid value … field is immutable`: the Kustomization is not Ready (ReconciliationFailed), \
         nothing else of this revision is applied by it, and nothing is pruned. What depends on it waits. `{field}` is fixed once the object \
         exists."
    );
    finding.help = if key.kind == "Job" {
        "give the Job another name with each change (a suffix, or a generated one), let it go after it has run (`ttlSecondsAfterFinished`), or \
         set the annotation `kustomize.toolkit.fluxcd.io/force: enabled` on it"
            .to_owned()
    } else if matches!(key.kind.as_str(), "PersistentVolumeClaim" | "PersistentVolume" | "StatefulSet") {
        "leave the field as it is, or make a new object under another name and copy the data; `force` would delete it"
            .to_owned()
    } else {
        "leave the field as it is, or set the annotation `kustomize.toolkit.fluxcd.io/force: enabled` on the object in this commit: then it is \
         deleted and made anew"
            .to_owned()
    };
    Some(finding)
}

/// Whether it is a Job that changes with the version of what it runs, and that nothing recreates.
fn will_be_refused(node: &Node, object: &Object) -> bool {
    let id = object.id();
    let policy = Policy::new(&object.node);
    let is_set = |keys: &[&str]| object.node.find(keys).is_some();
    if (id.group.as_str(), id.kind.as_str()) != ("batch", "Job")
        || node.kustomization.spec.force
        || policy.forced
        || policy.if_not_present
        || !policy.applied
        || is_set(&["spec", "ttlSecondsAfterFinished"])
    {
        return false;
    }
    let changes =
        object.changes.iter().any(|change| matches!(change.step, BuildStep::Images | BuildStep::Substitution));
    let containers = object.node.find(&["spec", "template", "spec", "containers"]);
    let mut images = containers.into_iter().flat_map(yaml::Node::items).filter_map(|one| one.find_str(&["image"]));
    changes || images.any(has_version)
}

/// Whether the tag of an image is a version, which changes with each release.
fn has_version(image: &str) -> bool {
    let tag = image.rsplit('/').next().and_then(|name| name.split('@').next()?.split_once(':')).map(|(_, tag)| tag);
    tag.is_some_and(|tag| tag.contains('.') && tag.contains(|sign: char| sign.is_ascii_digit()))
}

fn at_rest(situation: &Situation<'_>, node: &Node, key: &ObjectKey, job: &Object) -> Finding {
    let subject = key.subject();
    let message = format!("{subject} cannot be changed once it exists: its next version makes {} fail", node.subject());
    let mut finding = situation.finding(&RULE.info, subject, job.place(), message);
    finding.severity = Severity::Info;
    finding.confidence = Confidence::Medium;
    finding.label = "`spec.template` is fixed".to_owned();
    finding.related.push(Related::new("applies it, without `force`", Some(node.subject()), node.span()));
    finding.why = "The template of a Job is fixed. A new image fails the dry run with `field is immutable`, and with it the whole \
                   Kustomization."
        .to_owned();
    finding.help = "set the annotation `kustomize.toolkit.fluxcd.io/force: enabled` on the Job, or `ttlSecondsAfterFinished`, or put the \
                    version into its name"
        .to_owned();
    finding
}
