use std::collections::BTreeSet;

use super::{Context, Rule, Situation};
use crate::{
    cluster::Node,
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Subject, Tier},
    kustomize::{IdlePatch, Miss, Step, is_cluster_scoped},
    source::Span,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "idle-patch",
        summary: "A patch for one object changes nothing: its target misses the object by its namespace, name or API version.",
        category: Category::Build,
        severity: Severity::Warning,
        confidence: Confidence::Medium,
        tier: Tier::Stable,
        since: "0.2.0",
        page: include_str!("../../rules/idle-patch.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let nodes = || context.situations.iter().flat_map(|situation| &situation.cluster.nodes);
    if nodes().all(|node| node.applied.build.idle.is_empty()) {
        return;
    }
    // A patch that several builds share is for the one that has the object.
    let objects = nodes().flat_map(|node| &node.applied.build.objects);
    let changes = objects.flat_map(|object| &object.changes).filter(|change| change.step == Step::Patch);
    let at_work: BTreeSet<Span> = changes.map(|change| change.at).collect();
    for situation in context.situations {
        for node in &situation.cluster.nodes {
            let idle = node.applied.build.idle.iter();
            let idle = idle.filter(|patch| !at_work.contains(&patch.at) && !is_injected(node, patch));
            findings.extend(idle.map(|patch| report(situation, node, patch)));
        }
    }
}

/// Whether what applies the Kustomization gave it the patch: such a patch is for whichever child has the object.
fn is_injected(node: &Node, patch: &IdlePatch) -> bool {
    node.kustomization.object.changes.iter().any(|change| change.at.file == patch.span.file)
}

fn report(situation: &Situation<'_>, node: &Node, patch: &IdlePatch) -> Finding {
    let near = &patch.near;
    let subject = Subject {
        kind: near.kind.to_string(),
        namespace: near.namespace.as_ref().map(ToString::to_string),
        name: near.name.to_string(),
    };
    let is_of_cluster = near.namespace.is_none() && is_cluster_scoped(&near.group, &near.version, &near.kind);
    let (part, is) = match patch.miss {
        Miss::Namespace => (
            "namespace",
            match &near.namespace {
                Some(namespace) => format!("is in namespace `{namespace}` when it is patched"),
                None if is_of_cluster => "has no namespace, since it is cluster-scoped".to_owned(),
                None => "has no namespace yet when it is patched".to_owned(),
            },
        ),
        Miss::Name => ("name", format!("is called `{}`", near.name)),
        Miss::ApiVersion => {
            let version = if near.group.is_empty() {
                near.version.to_string()
            } else {
                format!("{}/{}", near.group, near.version)
            };
            ("API version", format!("is of `{version}`"))
        }
    };
    let target = if patch.miss == Miss::Namespace && is_of_cluster {
        format!("{subject} with a namespace")
    } else {
        patch.target.clone()
    };
    let message = format!("{} has a patch for {target} that changes nothing: {subject} {is}", node.subject());
    let mut finding = situation.finding(&RULE.info, node.subject(), patch.span, message);
    finding.key = patch.target.clone();
    finding.label = format!("no object with this {part}");
    finding.related.push(Related::new("nearly the target", Some(subject), patch.place));
    finding.why = "kustomize passes over a patch whose target takes no object, and the build succeeds: the object is applied as it was before."
        .to_owned();
    if patch.miss == Miss::Namespace && !is_of_cluster {
        finding.why.push_str(
            " `targetNamespace` and `namespace` are set after the patches of a build, so a target sees objects with the namespace that their \
             own manifest has.",
        );
    }
    finding.help = match patch.miss {
        Miss::Namespace if is_of_cluster => "leave `namespace` out of the target".to_owned(),
        Miss::Namespace => "leave `namespace` out of the target, or name that of the manifest".to_owned(),
        Miss::Name => format!("did you mean `{}`?", near.name),
        Miss::ApiVersion => "correct `group` and `version` of the target, or leave them out".to_owned(),
    };
    finding
}
