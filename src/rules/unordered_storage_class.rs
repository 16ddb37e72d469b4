use std::collections::BTreeMap;

use super::{
    Context, Rule, Situation,
    order::{Early, Search, edit, named, places},
    wording::list,
};
use crate::{
    cluster::{NodeId, ObjectKey, Provider},
    finding::{Category, Confidence, Finding, RuleInfo, Severity, Tier},
    flux::api::kinds::{CLAIM, STORAGE_CLASS},
    graph::Actor,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "unordered-storage-class",
        summary: "Volume claims are applied without waiting for what makes their storage class.",
        category: Category::Order,
        severity: Severity::Warning,
        confidence: Confidence::Medium,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/unordered-storage-class.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations.iter().filter(|situation| situation.cluster.reached) {
        let mut search = Search::new(situation);
        for (class, users) in users(situation) {
            let providers = &situation.cluster.objects[class];
            let early = search.before(providers, &users);
            findings.extend(report(situation, class, providers, &early));
        }
    }
}

/// The Kustomizations that apply claims of classes that others apply, by class.
fn users<'a>(situation: &Situation<'a>) -> BTreeMap<&'a ObjectKey, BTreeMap<NodeId, Early>> {
    let cluster = situation.cluster;
    let classes: BTreeMap<&str, &ObjectKey> = cluster
        .objects
        .keys()
        .filter(|key| key.is(STORAGE_CLASS))
        .filter(|key| !cluster.is_external(STORAGE_CLASS.kind, "", &key.name))
        .map(|key| (key.name.as_str(), key))
        .collect();
    let mut users: BTreeMap<&ObjectKey, BTreeMap<NodeId, Early>> = BTreeMap::new();
    for (_, providers) in cluster.objects.iter().filter(|(key, _)| key.is(CLAIM)) {
        for provider in providers.iter().filter(|provider| provider.set.is_none()) {
            let object = &cluster.object(*provider).node;
            let Some(name) = object.find(&["spec", "storageClassName"]) else { continue };
            let Some(class) = name.as_str().and_then(|name| classes.get(name).copied()) else { continue };
            if !cluster.objects[class].iter().any(|owner| owner.node == provider.node) {
                let early = Early { node: provider.node, span: name.span, confidence: Confidence::High };
                users.entry(class).or_default().entry(provider.node).or_insert(early);
            }
        }
    }
    users
}

fn report(situation: &Situation<'_>, class: &ObjectKey, providers: &[Provider], early: &[Early]) -> Option<Finding> {
    let first = early.first()?;
    let owners: Vec<String> = providers.iter().map(|provider| situation.cluster.owner(*provider).to_string()).collect();
    let class = class.subject();
    let does = if early.len() == 1 { "applies" } else { "apply" };
    let message =
        format!("{} {does} volume claims of {class} without waiting for {}", named(situation, early), list(&owners));
    let mut finding = situation.finding(&RULE.info, situation.cluster.node(first.node).subject(), first.span, message);
    // A claim stays Pending and is bound once the class is there; only a health check feels that.
    let waits = early.iter().any(|early| situation.cluster.node(early.node).kustomization.spec.wait);
    finding.severity = if waits { Severity::Warning } else { Severity::Info };
    finding.members = vec![class.clone()];
    finding.label = format!("is of {class}");
    let bringers = [(Actor::Node(providers.first()?.node), situation.cluster.object(*providers.first()?).place())];
    finding.related = places(situation, early, &bringers, "applies the class");
    finding.why = "In a cold start the claim stays Pending until the class and its provisioner are there; a health check that waits for it \
                   spends its timeout meanwhile, and ends with HealthCheckFailed (`PersistentVolumeClaim … status: 'InProgress'`)."
        .to_owned();
    finding.help = edit(situation, early, bringers[0].0, None);
    Some(finding)
}
