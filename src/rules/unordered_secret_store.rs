use std::collections::BTreeMap;

use super::{
    Context, Rule, Situation,
    order::{Early, Search, edit, named, places},
    wording::list,
};
use crate::{
    cluster::{NodeId, ObjectKey, Provider},
    finding::{Category, Confidence, Finding, RuleInfo, Severity, Tier},
    flux::is_open_text,
    graph::Actor,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "unordered-secret-store",
        summary: "ExternalSecrets are applied and waited for without waiting for the store they read from.",
        category: Category::Order,
        severity: Severity::Info,
        confidence: Confidence::Medium,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/unordered-secret-store.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations.iter().filter(|situation| situation.cluster.reached) {
        let mut search = Search::new(situation);
        for (store, users) in users(situation) {
            let Some(providers) = situation.cluster.objects.get(store) else { continue };
            let early = search.before(providers, &users);
            findings.extend(report(situation, store, providers, &early));
        }
    }
}

/// The Kustomizations that apply ExternalSecrets of stores that others apply, by store.
fn users<'a>(situation: &Situation<'a>) -> BTreeMap<&'a ObjectKey, BTreeMap<NodeId, Early>> {
    let cluster = situation.cluster;
    let mut users: BTreeMap<&ObjectKey, BTreeMap<NodeId, Early>> = BTreeMap::new();
    let is_store = |key: &&ObjectKey| {
        let is_external = || cluster.is_external(&key.kind, &key.namespace, &key.name);
        key.kind.ends_with("SecretStore") && key.group == "external-secrets.io" && !is_external()
    };
    let mut stores: BTreeMap<(&str, &str), Vec<&ObjectKey>> = BTreeMap::new();
    for key in cluster.objects.keys().filter(is_store) {
        stores.entry((&key.kind, &key.name)).or_default().push(key);
    }
    let secrets = cluster.objects.iter().filter(|(key, _)| key.kind == "ExternalSecret" && !key.is_unresolved());
    for (key, providers) in secrets {
        for provider in providers.iter().filter(|provider| provider.set.is_none()) {
            let object = &cluster.object(*provider).node;
            let Some(reference) = object.find(&["spec", "secretStoreRef"]) else { continue };
            let kind = reference.find_str(&["kind"]).unwrap_or("SecretStore");
            let Some(name) = reference.get("name") else { continue };
            let Some(store) = store(&stores, kind, &key.namespace, name.as_str().unwrap_or_default()) else { continue };
            let owns = cluster.objects[store].iter().any(|owner| owner.node == provider.node);
            if !owns && cluster.node(provider.node).has_gate() {
                let early = Early { node: provider.node, span: name.span, confidence: Confidence::High };
                users.entry(store).or_default().entry(provider.node).or_insert(early);
            }
        }
    }
    users
}

fn store<'a>(
    stores: &BTreeMap<(&str, &str), Vec<&'a ObjectKey>>,
    kind: &str,
    namespace: &str,
    name: &str,
) -> Option<&'a ObjectKey> {
    if is_open_text(name) {
        return None;
    }
    // kustomize sets a namespace on a ClusterSecretStore as well.
    let is_of_cluster = kind == "ClusterSecretStore";
    let mut named = stores.get(&(kind, name))?.iter().copied();
    named.find(|key| is_of_cluster || key.namespace == namespace)
}

fn report(situation: &Situation<'_>, store: &ObjectKey, providers: &[Provider], early: &[Early]) -> Option<Finding> {
    let first = early.first()?;
    let owners: Vec<String> = providers.iter().map(|provider| situation.cluster.owner(*provider).to_string()).collect();
    let store = store.subject();
    let does = if early.len() == 1 { "waits" } else { "wait" };
    let message = format!(
        "{} {does} for ExternalSecrets that read from {store}, but not for {}, which applies it",
        named(situation, early),
        list(&owners)
    );
    let mut finding = situation.finding(&RULE.info, situation.cluster.node(first.node).subject(), first.span, message);
    finding.members = vec![store.clone()];
    finding.label = format!("reads from {store}");
    let bringers = [(Actor::Node(providers.first()?.node), situation.cluster.object(*providers.first()?).place())];
    finding.related = places(situation, early, &bringers, "applies the store");
    finding.why = "In a cold start the ExternalSecret stays at Ready=False until the store is there and valid, and the health check that waits \
                   for it spends its timeout meanwhile. External Secrets asks again by itself."
        .to_owned();
    finding.help = edit(situation, early, bringers[0].0, Some(&store.to_string()));
    Some(finding)
}
