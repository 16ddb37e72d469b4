use super::{
    Context, Rule, Situation,
    health::held_by,
    wording::{names, short_list},
};
use crate::{
    cluster::{Node, NodeId},
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    flux::Policy,
    kustomize::Object,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "force-on-gate",
        summary: "`force: true` on a Kustomization that others wait for, or that holds data.",
        category: Category::Ownership,
        severity: Severity::Warning,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/force-on-gate.md"),
    },
    check,
};

/// Kinds that something is lost with when they are deleted and made anew.
const STATEFUL: [&str; 5] =
    ["PersistentVolumeClaim", "StatefulSet", "Namespace", "CustomResourceDefinition", "HelmRelease"];

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations.iter().filter(|situation| situation.cluster.reached) {
        for (id, node) in situation.cluster.nodes() {
            if node.kustomization.spec.force {
                findings.push(report(situation, id, node));
            } else {
                let forced = node
                    .applied
                    .build
                    .objects
                    .iter()
                    .filter(|object| is_stateful(object) && Policy::new(&object.node).forced);
                findings.extend(forced.map(|object| of_object(situation, node, object)));
            }
        }
    }
}

fn is_stateful(object: &Object) -> bool {
    object.node.find_str(&["kind"]).is_some_and(|kind| STATEFUL.contains(&kind))
}

const WHY: &str = "With `force`, any dry-run that the API server answers with 409 or 422 (a changed immutable field, but a conflict or an \
                   invalid value too) deletes the object and makes it anew.";

fn report(situation: &Situation<'_>, id: NodeId, node: &Node) -> Finding {
    let held = held_by(situation, id);
    let stateful: Vec<&Object> = node.applied.build.objects.iter().filter(|object| is_stateful(object)).collect();
    let ids: Vec<String> = stateful.iter().map(|object| object.id().to_string()).collect();
    let dependents = names(situation.cluster, &held);
    let subject = node.subject();
    let mut reasons = Vec::new();
    if !ids.is_empty() {
        reasons.push(format!("holds {}", short_list(&ids, 3)));
    }
    if !held.is_empty() {
        reasons.push(format!("delays {}", short_list(&dependents, 4)));
    }
    let message = match reasons.as_slice() {
        [] => format!("{subject} recreates its objects by force"),
        reasons => format!("{subject} recreates its objects by force, and {}", reasons.join(" and ")),
    };
    let mut finding = situation.finding(&RULE.info, subject, node.kustomization.span(&["spec", "force"]), message);
    finding.label = "deletes and recreates what cannot be changed in place".to_owned();
    for object in stateful.iter().take(3) {
        let key = crate::cluster::ObjectKey::from(object.id());
        finding.related.push(Related::new("would be deleted with what it holds", Some(key.subject()), object.place()));
    }
    finding.why = format!(
        "{WHY} It then waits for finalizers without a deadline, and holds one of the controller's workers meanwhile."
    );
    if !ids.is_empty() {
        finding.why.push_str(" A deleted claim, Namespace or CRD takes its contents along, and a deleted HelmRelease uninstalls its chart.");
    }
    if !held.is_empty() {
        finding.why.push_str(" What depends on it waits as long.");
    }
    finding.help = "remove `force`, and set the annotation `kustomize.toolkit.fluxcd.io/force: enabled` on the objects that may be recreated, \
                    such as Jobs"
        .to_owned();
    if reasons.is_empty() {
        finding.severity = Severity::Info;
    }
    finding
}

fn of_object(situation: &Situation<'_>, node: &Node, object: &Object) -> Finding {
    let subject = crate::cluster::ObjectKey::from(object.id()).subject();
    let message = format!("{subject} is recreated by force when it cannot be changed in place");
    let mut finding = situation.finding(&RULE.info, subject, object.place(), message);
    finding.label = "`kustomize.toolkit.fluxcd.io/force: enabled`".to_owned();
    finding.related.push(Related::new("applied by this Kustomization", Some(node.subject()), node.span()));
    finding.why = format!("{WHY} What it holds is lost with it.");
    finding.help = "remove the annotation, and change the object by hand where a field is immutable".to_owned();
    finding
}
