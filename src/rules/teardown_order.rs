use std::collections::BTreeMap;

use super::{
    Context, Rule, Situation,
    loss::{Step, steps},
    removal::former,
    wording::short_list,
};
use crate::{
    cluster::{CustomKind, NodeId, ObjectKey, Provider},
    finding::{Category, Confidence, Finding, RuleInfo, Severity, Subject, Tier},
    flux::api::kinds::HELM_RELEASE,
    situation::fates::Fates,
    source::{Span, Tree},
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "teardown-order",
        summary: "Custom resources are removed together with the operator that has to clean up behind them.",
        category: Category::Change,
        severity: Severity::Warning,
        confidence: Confidence::Medium,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/teardown-order.md"),
    },
    check,
};

/// API groups whose operators put finalizers on their objects. General knowledge; where to look stands beside each.
const FINALIZED: &[&str] = &[
    "ceph.rook.io",     // rook/rook: Documentation/Storage-Configuration/ceph-teardown.md
    "cluster.x-k8s.io", // kubernetes-sigs/cluster-api: api/core, ClusterFinalizer
    "infrastructure.cluster.x-k8s.io",
    "kafka.strimzi.io",             // strimzi/strimzi-kafka-operator: strimzi.io/topic-operator
    "karpenter.k8s.aws",            // aws/karpenter-provider-aws: karpenter.k8s.aws/termination
    "karpenter.sh",                 // kubernetes-sigs/karpenter: karpenter.sh/termination
    "keda.sh",                      // kedacore/keda: finalizer.keda.sh
    "longhorn.io",                  // longhorn/longhorn-manager: longhorn.io
    "operator.victoriametrics.com", // VictoriaMetrics/operator: apps.victoriametrics.com/finalizer
    "piraeus.io",                   // piraeusdatastore/piraeus-operator: pkg/vars, finalizers
    "pkg.crossplane.io",            // crossplane/crossplane: revision.pkg.crossplane.io
    "rabbitmq.com",                 // rabbitmq/cluster-operator: deletion.finalizers.rabbitmqclusters.rabbitmq.com
    "snapshot.storage.k8s.io",      // kubernetes-csi/external-snapshotter: pkg/utils, finalizers
    "tailscale.com",                // tailscale/tailscale: cmd/k8s-operator, FinalizerName
];

/// Who handles objects of a kind, and where that stood.
type Handler = (Subject, Span);

/// Objects that go with those who handle them.
struct Teardown<'a> {
    handlers: Vec<Handler>,
    objects: Vec<(&'a ObjectKey, Provider)>,
    is_known: bool,
    is_written: bool,
}

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let Some(earlier) = context.before else { return };
    for Step { before, after, fates, .. } in &steps(context) {
        let mut found: BTreeMap<Vec<Subject>, Teardown<'_>> = BTreeMap::new();
        for kind in &before.cluster.implicit.kinds {
            let handlers = handlers(before, after, fates, kind);
            let gone = removed(before, fates, kind);
            if handlers.is_empty() || gone.is_empty() {
                continue;
            }
            let is_written = gone.iter().any(|(_, provider)| has_finalizers(before, *provider));
            let is_known = FINALIZED.contains(&kind.group.as_str());
            let key: Vec<Subject> = handlers.iter().map(|(subject, _)| subject.clone()).collect();
            let new = Teardown { handlers, objects: Vec::new(), is_known: false, is_written: false };
            let teardown = found.entry(key).or_insert(new);
            teardown.objects.extend(gone);
            teardown.is_known |= is_known;
            teardown.is_written |= is_written;
        }
        for teardown in found.values() {
            findings.push(report(earlier.tree, before, after, teardown));
        }
    }
}

/// Who handled the kind and is deleted with the change: all of them, or it is of no matter. Where no chart is known to bring
/// the CRD, it is the Deployments that are built, and deleted, together with it.
fn handlers(before: &Situation<'_>, after: &Situation<'_>, fates: &Fates, kind: &CustomKind) -> Vec<Handler> {
    let mut gone = Vec::new();
    for release in kind.charts.iter().map(|chart| &before.cluster.releases[chart.release]) {
        let key = ObjectKey::new(HELM_RELEASE, release.key.namespace.clone(), release.key.name.clone());
        let is_deleted = fates.removes(&key);
        if after.cluster.release(&release.key).is_some() || !is_deleted {
            return Vec::new();
        }
        gone.push((release.subject(), release.helm.name_span()));
    }
    if kind.charts.is_empty() && after.cluster.implicit.kind(&kind.group, &kind.kind).is_none() {
        let nodes: Vec<NodeId> = kind.crds.iter().map(|definition| definition.node).collect();
        let first =
            ObjectKey { group: "apps".into(), kind: "Deployment".into(), namespace: "".into(), name: "".into() };
        let deployments = before.cluster.objects.range(first.clone()..);
        for (key, providers) in deployments.take_while(|(key, _)| key.group == first.group && key.kind == first.kind) {
            let own = providers.iter().find(|provider| nodes.contains(&provider.node));
            gone.extend(
                own.filter(|_| fates.removes(key)).map(|own| (key.subject(), before.cluster.object(*own).place())),
            );
        }
    }
    gone.sort_unstable_by(|one, other| one.0.cmp(&other.0));
    gone.dedup_by(|one, other| one.0 == other.0);
    gone
}

/// The objects of the kind that are deleted with the change.
fn removed<'a>(before: &Situation<'a>, fates: &Fates, kind: &CustomKind) -> Vec<(&'a ObjectKey, Provider)> {
    let first = ObjectKey { group: kind.group.clone(), kind: kind.kind.clone(), namespace: "".into(), name: "".into() };
    let of_kind = before.cluster.objects.range(first..);
    let of_kind = of_kind.take_while(|(key, _)| key.group == kind.group && key.kind == kind.kind);
    let deleted = of_kind.filter(|(key, _)| fates.removes(key));
    let deleted = deleted.filter_map(|(key, providers)| Some((key, *providers.first()?)));
    deleted.collect()
}

fn has_finalizers(before: &Situation<'_>, provider: Provider) -> bool {
    let finalizers = before.cluster.object(provider).node.find(&["metadata", "finalizers"]);
    finalizers.and_then(|list| list.as_seq()).is_some_and(|list| !list.is_empty())
}

fn report(earlier: &Tree, before: &Situation<'_>, after: &Situation<'_>, teardown: &Teardown<'_>) -> Finding {
    let handlers = &teardown.handlers;
    let names: Vec<String> = teardown.objects.iter().map(|(key, _)| key.subject().to_string()).collect();
    let operators: Vec<String> = handlers.iter().map(|(subject, _)| subject.to_string()).collect();
    let operators = short_list(&operators, 3);
    let (is, their) = if names.len() == 1 { ("is", "its") } else { ("are", "their") };
    let message = format!("{} {is} removed together with {operators}, {their} operator", short_list(&names, 3));
    let subject = teardown.objects.first().map_or_else(|| handlers[0].0.clone(), |(key, _)| key.subject());
    let anchor = teardown.objects.iter().find_map(|(_, provider)| {
        let owner = after.cluster.find(&before.cluster.node(provider.node).key)?;
        Some(after.cluster.node(owner).kustomization.span(&["spec", "prune"]))
    });
    let mut finding = after.finding(&RULE.info, subject, anchor.unwrap_or(Span::NONE), message);
    finding.key = operators.clone();
    finding.label = "deletes what leaves its build, in no order".to_owned();
    for (key, provider) in teardown.objects.iter().take(5) {
        let at = before.cluster.object(*provider).place();
        finding.related.push(former(earlier, at, "removed", key.subject()));
    }
    for (handler, at) in handlers {
        finding.related.push(former(earlier, *at, "the operator, removed too", handler.clone()));
    }
    finding.why = "What leaves a build is deleted in the background and in no order: `dependsOn` does not count backwards. Where the operator \
                   is gone first, nobody takes the finalizers off its objects, and they hang in deletion forever; so does their \
                   namespace, in phase Terminating, and a CRD that is to go."
        .to_owned();
    if teardown.is_written {
        finding.why.push_str(" The manifests set finalizers themselves.");
        finding.confidence = Confidence::High;
    } else if teardown.is_known {
        finding.why.push_str(" That this operator sets finalizers is known from a list.");
    } else {
        finding.severity = Severity::Info;
        finding.confidence = Confidence::Low;
        finding.why.push_str(" Whether this operator sets finalizers is not known here.");
    }
    finding.help = format!(
        "do it in two commits: remove the custom resources, wait until they are gone from the cluster, and then remove {operators}"
    );
    finding
}
