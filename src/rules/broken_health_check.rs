use rustc_hash::FxHashMap;

use super::{
    Context, Rule, Situation,
    health::{DEFAULT_API_VERSION, entry_span, hides_objects, is_same, listed_key},
    names::likeness,
};
use crate::{
    cluster::{Cluster, Node, NodeKey, ObjectKey},
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    flux::{
        api::{HELM_GROUP, KUSTOMIZE_GROUP, SOURCE_GROUP},
        is_namespaced, is_open_text,
    },
    kustomize::Unresolved,
    source::Span,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "broken-health-check",
        summary: "An entry of `healthChecks` that can never be met.",
        category: Category::Gate,
        severity: Severity::Error,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/broken-health-check.md"),
    },
    check,
};

/// Kinds whose group is certain: what Kubernetes and Flux define, and nobody else does under that name.
const GROUPS: &[(&str, &str)] = &[
    ("CustomResourceDefinition", "apiextensions.k8s.io"),
    ("DaemonSet", "apps"),
    ("Deployment", "apps"),
    ("HelmRelease", HELM_GROUP),
    ("HelmRepository", SOURCE_GROUP),
    ("GitRepository", SOURCE_GROUP),
    ("Kustomization", KUSTOMIZE_GROUP),
    ("OCIRepository", SOURCE_GROUP),
    ("StatefulSet", "apps"),
];

/// Kinds that are not in the group `apps`, and that a missing `apiVersion` therefore misses.
const NOT_APPS: &[&str] = &[
    "CronJob",
    "Ingress",
    "Job",
    "PersistentVolumeClaim",
    "Pod",
    "Service",
    "ConfigMap",
    "Secret",
    "Certificate",
    "ClusterIssuer",
];

/// From this likeness on, a name is taken for a slip.
const NEAR: f64 = 0.8;

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations {
        let known = Known::of(situation.cluster);
        for node in &situation.cluster.nodes {
            // With `wait` the entries are ignored altogether.
            if node.kustomization.spec.wait {
                continue;
            }
            for index in 0..node.kustomization.spec.health_checks.len() {
                findings.extend(judge(situation, &known, node, index));
            }
        }
    }
}

fn judge(situation: &Situation<'_>, known: &Known<'_>, node: &Node, index: usize) -> Option<Finding> {
    let entry = &node.kustomization.spec.health_checks[index];
    let key = listed_key(node, index);
    let texts = [key.name.as_str(), &key.namespace, &key.kind, entry.api_version.as_deref().unwrap_or_default()];
    if texts.into_iter().any(is_open_text) || key.kind.is_empty() || key.name.is_empty() {
        return None;
    }
    if let Some(finding) = wrong_group(situation, known, node, index, &key) {
        return Some(situation.weighed(finding, true));
    }
    if key.namespace.is_empty() && is_namespaced(&key.group, &key.kind) == Some(true) {
        return Some(situation.weighed(no_namespace(situation, node, index, &key), true));
    }
    dangling(situation, known, node, index, &key).map(|finding| situation.weighed(finding, false))
}

/// An `apiVersion` under which there is no such kind, or none where `apps/v1` is not meant.
fn wrong_group(
    situation: &Situation<'_>,
    known: &Known<'_>,
    node: &Node,
    index: usize,
    key: &ObjectKey,
) -> Option<Finding> {
    let declared =
        node.kustomization.spec.health_checks[index].api_version.as_deref().filter(|version| !version.is_empty());
    let right = GROUPS.iter().find(|(kind, _)| *kind == key.kind).map(|(_, group)| *group);
    let is_wrong = match (right, declared) {
        (Some(right), _) => right != key.group,
        (None, None) => NOT_APPS.contains(&key.kind.as_str()),
        (None, Some(_)) => false,
    };
    // A kind of that name in that group is somebody's own.
    let is_known = known.kinds.contains_key(&(key.group.as_str(), key.kind.as_str()));
    if !is_wrong || is_known {
        return None;
    }
    let subject = node.subject();
    let what = match declared {
        None => format!("without `apiVersion`, which means {DEFAULT_API_VERSION}"),
        Some(version) => format!("as {version}, where there is no such kind"),
    };
    let message = format!("{subject} checks {} {what}", key.subject());
    let mut finding = situation.finding(&RULE.info, subject, entry_span(node, index), message);
    finding.label = format!("no {} in {}", key.kind, if declared.is_none() { "apps/v1" } else { "that group" });
    finding.why = format!("The API server knows no {} there, so the object stays Unknown, and {}.", key.kind, TIMEOUT);
    finding.help = match right {
        Some(group) => format!("write `apiVersion: {group}/{}` in the entry", version_of(group)),
        None => format!("add the `apiVersion` of {} to the entry", key.kind),
    };
    Some(finding)
}

/// The version in which Flux 2.9 and Kubernetes serve a group of [`GROUPS`].
fn version_of(group: &str) -> &'static str {
    if group == HELM_GROUP { "v2" } else { "v1" }
}

const TIMEOUT: &str = "each health check ends after its timeout with reason HealthCheckFailed (`timeout waiting for: […]`); it is never Ready, and its \
                       dependents wait";

fn no_namespace(situation: &Situation<'_>, node: &Node, index: usize, key: &ObjectKey) -> Finding {
    let subject = node.subject();
    let message = format!("{subject} checks {} without a namespace", key.subject());
    let mut finding = situation.finding(&RULE.info, subject, entry_span(node, index), message);
    finding.label = "`namespace` is not defaulted".to_owned();
    finding.why = "No namespace is assumed, not even its own: the whole health check fails at once with `can't determine status`, reason \
                   HealthCheckFailed, and with it all other entries. It is never Ready, and its dependents wait."
        .to_owned();
    let own = node.applied.build.objects.iter().map(|object| ObjectKey::from(object.id()));
    let meant =
        own.into_iter().find(|other| other.kind == key.kind && other.group == key.group && other.name == key.name);
    let meant = meant.map(|other| other.namespace).filter(|namespace| !namespace.is_empty());
    let namespace = meant.as_deref().or(node.kustomization.spec.target_namespace.as_deref());
    finding.help = match namespace {
        Some(namespace) => format!("add `namespace: {namespace}` to the entry"),
        None => "add the `namespace` of the object to the entry".to_owned(),
    };
    finding
}

/// An entry that names nothing this cluster has.
fn dangling(
    situation: &Situation<'_>,
    known: &Known<'_>,
    node: &Node,
    index: usize,
    key: &ObjectKey,
) -> Option<Finding> {
    let cluster = situation.cluster;
    if node.is_remote() || !cluster.reached || known.has(cluster, key) {
        return None;
    }
    let is_flux = key.is_helm_release() || key.is_kustomization();
    let near = nearest(node, key).or_else(|| is_flux.then(|| known.nearest(cluster, key)).flatten());
    // What else a chart or a controller makes, nobody can tell from here.
    if !is_flux && near.is_none() {
        return None;
    }
    let subject = node.subject();
    let message = format!("{subject} checks {}, which nothing in this cluster defines", key.subject());
    let mut finding = situation.finding(&RULE.info, subject, entry_span(node, index), message);
    finding.label = "no such object".to_owned();
    finding.why = format!("The object stays NotFound, and {TIMEOUT}.");
    finding.help = match &near {
        Some((other, span)) => {
            finding.related.push(Related::new("this one exists", Some(other.subject()), *span));
            let moved = other.name == key.name;
            if moved {
                format!("did you mean `namespace: {}`?", other.namespace)
            } else {
                format!("did you mean `name: {}`?", other.name)
            }
        }
        None => "correct the entry, or remove it".to_owned(),
    };
    if !is_flux {
        // A chart or a controller may make it after all.
        finding.confidence = Confidence::Medium;
        finding.severity = Severity::Warning;
    }
    if known.is_partial {
        finding.confidence = Confidence::Low;
        finding.why.push_str(" Parts of this cluster are not in the repository, and may define it.");
    }
    Some(finding)
}

/// What a cluster has, for one look per entry.
struct Known<'a> {
    /// The objects of each group and kind.
    kinds: FxHashMap<(&'a str, &'a str), Vec<&'a ObjectKey>>,
    /// Those of each name.
    names: FxHashMap<&'a str, Vec<&'a ObjectKey>>,
    /// Whether there may be more than the repository shows.
    is_partial: bool,
}

impl<'a> Known<'a> {
    fn of(cluster: &'a Cluster) -> Self {
        let mut kinds: FxHashMap<(&str, &str), Vec<&ObjectKey>> = FxHashMap::default();
        let mut names: FxHashMap<&str, Vec<&ObjectKey>> = FxHashMap::default();
        for key in cluster.objects.keys() {
            kinds.entry((key.group.as_str(), key.kind.as_str())).or_default().push(key);
            names.entry(key.name.as_str()).or_default().push(key);
        }
        let mut sets = cluster.nodes.iter().flat_map(|node| &node.resource_sets);
        let is_partial = cluster.nodes.iter().any(hides_objects)
            || sets.any(|set| set.unresolved.iter().any(Unresolved::hides_objects));
        Self { kinds, names, is_partial }
    }

    fn has(&self, cluster: &Cluster, key: &ObjectKey) -> bool {
        let name = NodeKey::new(key.namespace.clone(), key.name.clone());
        let mut named = self.names.get(key.name.as_str()).into_iter().flatten();
        cluster.provides(key)
            || (key.is_kustomization() && cluster.find(&name).is_some())
            || named.any(|other| is_same(other, key))
    }

    /// The object of that kind that is most like the one asked for. Where there are very many, none is looked for.
    fn nearest(&self, cluster: &Cluster, key: &ObjectKey) -> Option<(ObjectKey, Span)> {
        let of_kind = self.kinds.get(&(key.group.as_str(), key.kind.as_str())).filter(|all| all.len() <= COMPARED)?;
        let place = |other: &ObjectKey| Some(cluster.object(*cluster.objects.get(other)?.first()?).place());
        best(of_kind.iter().filter_map(|other| Some(((*other).clone(), place(other)?))), key)
    }
}

/// Most objects that a missing one is compared with.
const COMPARED: usize = 3000;

/// The object of the node's own build that is most like the one asked for: of its kind, in another namespace or with a
/// name that differs by a slip.
fn nearest(node: &Node, key: &ObjectKey) -> Option<(ObjectKey, Span)> {
    if node.applied.build.objects.len() > COMPARED {
        return None;
    }
    let own = node.applied.build.objects.iter().map(|object| (ObjectKey::from(object.id()), object.place()));
    best(own, key)
}

fn best(candidates: impl Iterator<Item = (ObjectKey, Span)>, key: &ObjectKey) -> Option<(ObjectKey, Span)> {
    candidates
        .filter(|(other, _)| {
            other.kind == key.kind && other.group == key.group && !other.is_unresolved() && other != key
        })
        .filter_map(|found| Some((likeness(&found.0.name, &key.name, NEAR)?, found)))
        .filter(|(score, (other, _))| *score < 1.0 || other.namespace != key.namespace)
        .max_by(|(left, one), (right, other)| left.total_cmp(right).then_with(|| other.0.cmp(&one.0)))
        .map(|(_, found)| found)
}
