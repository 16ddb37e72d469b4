use std::collections::{BTreeMap, BTreeSet};

use super::{
    Context, Rule, Situation,
    order::{Early, Search, cost, depends_on_open_gate, edit, named, open_gate, past, places},
    wording::{list, names, short_list, worth},
};
use crate::{
    catalog::{CrdCatalog, Selection, WebhookCatalog, WebhookRow},
    cluster::{Cluster, NodeId, ObjectKey, Release, chart_of, installs_crds},
    finding::{Category, Confidence, Finding, RuleInfo, Severity, Tier},
    flux::{Health, Policy, api::kinds::NAMESPACE, health_of},
    graph::{Actor, EventId, Moment, Reason},
    kustomize::Object,
    source::Span,
    yaml::Node,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "unordered-webhook",
        summary: "Objects are applied without waiting for the operator whose webhook checks them.",
        category: Category::Order,
        severity: Severity::Warning,
        confidence: Confidence::Medium,
        tier: Tier::Stable,
        since: "0.2.0",
        page: include_str!("../../rules/unordered-webhook.md"),
    },
    check,
};

/// Group and kind.
type Kind<'a> = (&'a str, &'a str);

/// A release whose chart makes webhooks, by position.
struct Server<'a> {
    index: usize,
    release: &'a Release,
    chart: String,
    rows: Vec<&'a WebhookRow>,
    selection: Selection,
}

impl<'a> Server<'a> {
    /// The webhook that an object is sent to.
    fn row(&self, cluster: &Cluster, object: &Object) -> Option<&'a WebhookRow> {
        let (group, kind) = object.group_and_kind();
        let row = self.rows.iter().find(|row| row.is_sent(group, kind))?;
        // kustomize sets a namespace on custom resources of the cluster's scope as well.
        let namespace = object.id().namespace.filter(|name| !name.is_empty() && !kind.starts_with("Cluster"));
        let Some(namespace) = namespace else { return Some(row) };
        let namespaces = cluster.objects.get(&ObjectKey::new(NAMESPACE, "", namespace)).into_iter().flatten();
        let mut labels = namespaces.filter_map(|provider| cluster.object(*provider).node.find(&["metadata", "labels"]));
        (self.selection == Selection::Default && !labels.any(|labels| row.spares(labels))).then_some(*row)
    }
}

/// The kinds of a Kustomization that are sent to a server, each with the row of its webhook and the place of its first object.
type Sent<'a> = BTreeMap<Kind<'a>, (&'a WebhookRow, Span)>;

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations.iter().filter(|situation| situation.cluster.reached) {
        let cluster = situation.cluster;
        let mut search = Search::new(situation);
        for (index, release) in cluster.releases.iter().enumerate() {
            let Some(chart) = chart_of(cluster, release).map(|chart| chart.name) else { continue };
            let values = release.helm.object.node.find(&["spec", "values"]);
            let spec = release.helm.object.node.get("spec");
            let selection = spec.map_or(Selection::Default, Selection::of_release);
            let rows: Vec<&WebhookRow> = WebhookCatalog::builtin().of_chart(&chart, values);
            // What sets the cluster up installs it first.
            let is_there =
                || [chart.as_str(), &release.key.name].iter().any(|name| cluster.implicit.is_installed_before(name));
            if !rows.is_empty() && selection != Selection::Unknown && is_installed_here(cluster, release) && !is_there()
            {
                findings.extend(report(situation, &mut search, &Server { index, release, chart, rows, selection }));
            }
        }
    }
}

/// Whether a release is installed, and in the cluster itself.
fn is_installed_here(cluster: &Cluster, release: &Release) -> bool {
    let spec = release.helm.object.node.get("spec");
    let is_suspended = spec.and_then(|spec| spec.get("suspend")).and_then(Node::as_bool) == Some(true);
    let is_remote = spec.and_then(|spec| spec.get("kubeConfig")).is_some();
    let mut appliers = release.providers.iter().map(|provider| cluster.node(provider.node));
    let is_applied = appliers.any(|node| !node.is_remote() && !node.kustomization.spec.suspend);
    is_applied && !is_suspended && !is_remote
}

/// The Kustomizations that apply something too early for the webhooks of a release.
fn report(situation: &Situation<'_>, search: &mut Search<'_>, server: &Server<'_>) -> Option<Finding> {
    let (graph, cluster) = (&situation.graph, situation.cluster);
    let event = |moment| graph.id(Actor::Release(server.index as u32), moment);
    let (start, ready) = (event(Moment::Start)?, event(Moment::Ready)?);
    let before = past(graph, start);
    let mut sent: BTreeMap<NodeId, Sent<'_>> = BTreeMap::new();
    for (id, node) in cluster.nodes().filter(|(_, node)| !node.is_remote() && !node.kustomization.spec.suspend) {
        // The webhook is not there yet when what the release itself waits for is applied.
        if graph.id(Actor::Node(id), Moment::Applied).is_none_or(|applied| before.contains(&applied)) {
            continue;
        }
        for object in node.applied.build.objects.iter().filter(|object| Policy::new(&object.node).applied) {
            if let Some(row) = server.row(cluster, object) {
                sent.entry(id).or_default().entry(object.group_and_kind()).or_insert((row, object.place()));
            }
        }
    }
    let kinds: BTreeSet<Kind<'_>> = sent.values().flat_map(|sent| sent.keys().copied()).collect();
    for kind in kinds {
        let told = told_elsewhere(situation, search, server, kind, &sent);
        for node in told {
            sent.entry(node).or_default().remove(&kind);
        }
    }
    let first = |(id, sent): (&NodeId, &Sent<'_>)| {
        let (row, span) = sent.values().next()?;
        Some((*id, Early { node: *id, span: *span, confidence: worth(row.confidence) }))
    };
    let users: BTreeMap<NodeId, Early> = sent.iter().filter_map(first).collect();
    let early = search.before_events(&[ready], &users);
    word(situation, server, &early, &sent)
}

/// The Kustomizations that apply objects of a kind and of which another rule says it, or of which nothing shows that they do so in the
/// moment in which the webhook is there and unanswered.
fn told_elsewhere(
    situation: &Situation<'_>,
    search: &mut Search<'_>,
    server: &Server<'_>,
    (group, kind): Kind<'_>,
    sent: &BTreeMap<NodeId, Sent<'_>>,
) -> Vec<NodeId> {
    let (graph, cluster) = (&situation.graph, situation.cluster);
    let owners: Vec<NodeId> = server.release.providers.iter().map(|provider| provider.node).collect();
    let users = sent.iter().filter(|(_, sent)| sent.contains_key(&(group, kind))).map(|(id, _)| *id);
    if health_of(group, kind) != Health::Custom {
        // Kinds of Kubernetes need no CRD, and as a rule are applied before the webhook is there.
        let owned: Vec<EventId> =
            owners.iter().filter_map(|owner| graph.id(Actor::Node(*owner), Moment::Applied)).collect();
        let comes_behind = |id: &NodeId| {
            let past = graph.id(Actor::Node(*id), Moment::Start).map(|start| past(graph, start)).unwrap_or_default();
            owned.iter().any(|applied| past.contains(applied))
        };
        return users.filter(|id| !comes_behind(id)).collect();
    }
    let known = cluster.implicit.kind(group, kind);
    let crd = known.and_then(|index| graph.id(Actor::Kind(index as u32), Moment::Exists));
    let without_crd = crd.map(|crd| search.early(crd, Reason::NeedsKind)).unwrap_or_default();
    // `unready-gate` names the CRD that the chart installs.
    let row = CrdCatalog::builtin().owner(group, kind);
    let is_of_chart = row.is_some_and(|row| installs_crds(server.release, &server.chart, row));
    let is_behind_open_gate = |id: NodeId| {
        open_gate(situation, &owners, id).is_some() || crd.is_some_and(|crd| depends_on_open_gate(situation, crd, id))
    };
    users
        .filter(|id| without_crd.iter().any(|early| early.node == *id) || (is_of_chart && is_behind_open_gate(*id)))
        .collect()
}

fn word(
    situation: &Situation<'_>,
    server: &Server<'_>,
    early: &[Early],
    sent: &BTreeMap<NodeId, Sent<'_>>,
) -> Option<Finding> {
    let cluster = situation.cluster;
    let first = early.first()?;
    let (row, _) = sent.get(&first.node)?.values().next()?;
    let sent = early.iter().filter_map(|early| sent.get(&early.node));
    let kinds: BTreeSet<&str> = sent.flat_map(Sent::keys).map(|(_, kind)| *kind).collect();
    let kinds: Vec<String> = kinds.into_iter().map(str::to_owned).collect();
    let (who, release) = (named(situation, early), server.release.subject());
    let does = if early.len() == 1 { "applies" } else { "apply" };
    let message =
        format!("{who} {does} {} without waiting for {release}, whose webhook checks it", short_list(&kinds, 4));
    let mut finding = situation.finding(&RULE.info, cluster.node(first.node).subject(), first.span, message);
    let (severity, cost) = cost(situation, early);
    finding.severity = severity;
    finding.confidence = first.confidence;
    finding.key = release.to_string();
    finding.label = format!("is sent to the webhook of {}", server.chart);
    let bringer = Actor::Release(server.index as u32);
    finding.related = places(situation, early, &[(bringer, server.release.helm.name_span())], "answers the webhook");
    finding.why = format!(
        "The chart makes the webhook with `failurePolicy: Fail` before its pods run. From then until they answer, every dry-run of such an object \
         fails (`failed calling webhook \"{}\": … connect: connection refused`, or `no endpoints available for service`), reason \
         ReconciliationFailed, and nothing else of the build is applied either. It heals by itself, but {cost}. What is applied before the \
         webhook is there passes: who wins is a matter of seconds. That this chart makes the webhook is known from a catalogue.",
        row.webhook
    );
    finding.help = help(situation, server, early, bringer, &release.to_string());
    Some(finding)
}

fn help(situation: &Situation<'_>, server: &Server<'_>, early: &[Early], bringer: Actor, release: &str) -> String {
    let cluster = situation.cluster;
    let owners: Vec<NodeId> = server.release.providers.iter().map(|provider| provider.node).collect();
    let mut gates: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
    let mut free = Vec::new();
    for one in early {
        match open_gate(situation, &owners, one.node) {
            Some(gate) if owners.contains(&gate) => gates.entry(gate).or_default().push(one.node),
            _ => free.push(*one),
        }
    }
    let mut ways: Vec<String> = gates
        .into_iter()
        .map(|(gate, nodes)| {
            let gate = &cluster.node(gate).key.name;
            let whom = list(&names(cluster, &nodes));
            let depend = if nodes.len() == 1 { "depends" } else { "depend" };
            format!("add `wait: true` (or `healthChecks` for {release}) to {gate}, on which {whom} already {depend}")
        })
        .collect();
    if !free.is_empty() {
        ways.push(edit(situation, &free, bringer, Some(release)));
    }
    format!("{}; or set `spec.retryInterval: 1m`, so that a lost race costs little", ways.join("; "))
}
