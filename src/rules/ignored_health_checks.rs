use super::{
    Context, Rule, Situation,
    health::{dependents, key_span},
    wording::{names, short_list},
};
use crate::{
    cluster::{Folder, HealthMember, HealthSet, Node, NodeId, ObjectKey},
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "ignored-health-checks",
        summary: "Health checks that kustomize-controller never looks at.",
        category: Category::Gate,
        severity: Severity::Warning,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/ignored-health-checks.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations {
        for (id, node) in situation.cluster.nodes() {
            let spec = &node.kustomization.spec;
            if spec.wait && !spec.health_checks.is_empty() && is_known(node) {
                findings.push(situation.weighed(overruled(situation, node), true));
            }
            if !spec.health_check_exprs.is_empty() && !node.has_gate() {
                findings.push(situation.weighed(unused(situation, id, node), true));
            }
            findings.extend(jobs(situation, node).map(|finding| situation.weighed(finding, true)));
        }
    }
}

/// Whether anything is known of what it applies, and so of what `wait` looks at.
fn is_known(node: &Node) -> bool {
    matches!(node.folder, Folder::Here(_) | Folder::Mapped(_)) && node.applied.build.errors.is_empty()
}

/// `healthChecks` beside `wait: true`. Where `wait` covers the listed objects anyway, nothing is lost.
fn overruled(situation: &Situation<'_>, node: &Node) -> Finding {
    let subject = node.subject();
    let set = HealthSet::new(node);
    let lost: Vec<HealthMember<'_>> =
        HealthSet::listed(node).into_iter().filter(|member| !is_covered(node, &set, &member.key)).collect();
    let at = key_span(node, "healthChecks");
    let wait = node.kustomization.span(&["spec", "wait"]);
    if lost.is_empty() {
        let message = format!("the `healthChecks` of {subject} are ignored because of `wait: true`, which covers them");
        let mut finding = situation.finding(&RULE.info, subject, at, message);
        finding.severity = Severity::Info;
        finding.label = "never looked at".to_owned();
        finding.related.push(Related::new("this checks every applied object", None, wait));
        finding.why = "With `wait: true` kustomize-controller checks what it applied, and nothing else.".to_owned();
        finding.help = "remove `healthChecks`".to_owned();
        return finding;
    }
    let keys: Vec<String> = lost.iter().map(|member| member.key.subject().to_string()).collect();
    let message =
        format!("{subject} does not wait for {}: `wait: true` has its `healthChecks` ignored", short_list(&keys, 4));
    let mut finding = situation.finding(&RULE.info, subject, at, message);
    finding.label = "never looked at".to_owned();
    finding.related.push(Related::new("this checks every applied object, and no other", None, wait));
    for member in lost {
        finding.related.push(Related::new("not among what it applies", Some(member.key.subject()), member.span));
    }
    finding.confidence = if node.hides_objects() { Confidence::Low } else { Confidence::Medium };
    finding.why = "With `wait: true` kustomize-controller checks what it applied, and nothing else: the listed objects may be missing or broken, \
                   and it is Ready all the same."
        .to_owned();
    finding.help = "drop `wait: true` and list everything that matters in `healthChecks`, or let the Kustomization that builds those objects \
                    wait for them"
        .to_owned();
    finding
}

/// Whether `wait` looks at the object, or at a release that may hold it.
fn is_covered(node: &Node, set: &HealthSet<'_>, key: &ObjectKey) -> bool {
    let is_node_itself = key.is_kustomization() && key.name == node.key.name;
    let is_checked = || set.checked().any(|member| member.key.is_read_by(key));
    let is_flux = key.is_helm_release() || key.is_kustomization();
    // What a chart installs is waited for by Helm, on behalf of the release.
    let by_release = || {
        set.checked()
            .any(|member| member.key.is_helm_release() || !member.key.group.is_empty() && is_controller(&member.key))
    };
    is_node_itself || is_checked() || key.is_unresolved() || (!is_flux && by_release())
}

/// A custom resource, whose controller may make objects of its own.
fn is_controller(key: &ObjectKey) -> bool {
    crate::flux::health_of(&key.group, &key.kind) == crate::flux::Health::Custom || key.is_kustomization()
}

/// `healthCheckExprs` without any health check.
fn unused(situation: &Situation<'_>, id: NodeId, node: &Node) -> Finding {
    let subject = node.subject();
    let exprs = &node.kustomization.spec.health_check_exprs;
    let kinds: Vec<String> =
        exprs.iter().map(|entry| entry.kind.clone().unwrap_or_else(|| entry.group().to_owned())).collect();
    let at = key_span(node, "healthCheckExprs");
    let dependents = dependents(situation, id);
    let message = format!(
        "the `healthCheckExprs` of {subject} for {} are ignored: it has neither `wait` nor `healthChecks`",
        short_list(&kinds, 4)
    );
    let mut finding = situation.finding(&RULE.info, subject, at, message);
    finding.label = "never evaluated".to_owned();
    for (dependent, span) in &dependents {
        let dependent = situation.cluster.node(*dependent);
        finding.related.push(Related::new("does not wait for it to be healthy", Some(dependent.subject()), *span));
    }
    finding.why = "Expressions say how to read a status, not that it is to be read: the Kustomization is Ready as soon as its objects are applied."
        .to_owned();
    // `wait: false` written out says that no gate is meant.
    let is_declined = node.kustomization.object.node.find(&["spec", "wait"]).is_some();
    if dependents.is_empty() || is_declined {
        finding.severity = Severity::Info;
    }
    if !dependents.is_empty() {
        let ids: Vec<NodeId> = dependents.iter().map(|(id, _)| *id).collect();
        finding.why.push_str(&format!(
            " What depends on it ({}) starts without what was to be checked.",
            short_list(&names(situation.cluster, &ids), 6)
        ));
    }
    finding.help = "add `wait: true`, or `healthChecks` with the objects that matter".to_owned();
    finding
}

/// An expression for Jobs, which the reader for Jobs is asked before (kustomize-controller v1.9, `main.go`; fluxcd/pkg
/// `runtime/statusreaders`). Impersonated and remote clients ask the expressions first.
fn jobs(situation: &Situation<'_>, node: &Node) -> Option<Finding> {
    let spec = &node.kustomization.spec;
    if spec.service_account_name.is_some() || node.is_remote() || !node.has_gate() {
        return None;
    }
    let index =
        spec.health_check_exprs.iter().position(|entry| entry.covers("batch", "Job") && entry.kind.is_some())?;
    let at = node.kustomization.item_span(&["spec", "healthCheckExprs"], index);
    let message = format!("the `healthCheckExprs` entry of {} for Job has no effect", node.subject());
    let mut finding = situation.finding(&RULE.info, node.subject(), at, message);
    finding.label = "the reader for Jobs is asked first".to_owned();
    finding.confidence = Confidence::Medium;
    finding.why = "kustomize-controller reads Jobs itself before it looks at expressions: a Job is Current once it is Complete or suspended, and \
                   Failed once it has failed. Only with `serviceAccountName` or `kubeConfig` the expression comes first (or with \
                   `--default-service-account`)."
        .to_owned();
    finding.help = "remove the entry".to_owned();
    Some(finding)
}
