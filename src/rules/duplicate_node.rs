use super::{
    Context, Rule, Situation,
    order::applies,
    uppermost::Uppermost,
    wording::{list, place},
};
use crate::{
    cluster::{Node, NodeKey, ObjectKey},
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Subject, Tier},
    kustomize::{Object, ObjectId},
    source::Span,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "duplicate-node",
        summary: "A Kustomization or HelmRelease is defined more than once in one cluster.",
        category: Category::Ownership,
        severity: Severity::Error,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/duplicate-node.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations {
        let cluster = situation.cluster;
        for node in &cluster.nodes {
            let manifests: Vec<_> =
                node.manifests.iter().map(|manifest| (manifest.applied_by(), &manifest.object)).collect();
            findings.extend(report(context, situation, node.subject(), &manifests));
        }
        findings.extend(cluster.nodes.iter().flat_map(|node| in_one_build(context, situation, node)));
        for release in &cluster.releases {
            let manifests: Vec<_> = release
                .providers
                .iter()
                .map(|provider| (Some(cluster.owner(*provider)), cluster.object(*provider)))
                .collect();
            findings.extend(report(context, situation, release.subject(), &manifests));
        }
    }
}

/// Flux objects that one build holds twice.
fn in_one_build<'f>(
    context: &'f Context<'_>,
    situation: &'f Situation<'_>,
    node: &'f Node,
) -> impl Iterator<Item = Finding> + use<'f> {
    // Where one path takes in several clusters, that is reported instead.
    let is_explained = Uppermost::new(context, node).is_some();
    node.applied.build.errors.iter().filter(move |_| !is_explained).filter_map(move |error| {
        let id = error.twice.as_ref().filter(|id| is_flux_object(id))?;
        let subject = ObjectKey::from(id.clone()).subject();
        let (first, _) = error.related.first()?;
        let message = format!("{subject} is defined twice in one cluster");
        let mut finding = situation.finding(&RULE.info, subject.clone(), *first, message);
        finding.label = "first manifest".to_owned();
        finding.related.push(Related::new("defined again here", Some(subject), error.span));
        finding.why = REFUSED.to_owned();
        finding.help =
            format!("give the manifest at {} a name of its own, or remove it", place(context.tree, error.span));
        Some(situation.weighed(finding, true))
    })
}

/// Whether a node of the graph is built from such an object.
pub(super) fn is_flux_object(id: &ObjectId) -> bool {
    let key = ObjectKey::from(id.clone());
    key.is_kustomization() || key.is_helm_release()
}

/// kustomize's answer to two objects of one name.
const REFUSED: &str = "kustomize refuses two objects of one name in a build (`may not add resource with an already registered \
                       id`): the Kustomization that builds them ends with reason BuildFailed, and nothing in it is applied.";

fn report(
    context: &Context<'_>,
    situation: &Situation<'_>,
    subject: Subject,
    manifests: &[(Option<Subject>, &Object)],
) -> Option<Finding> {
    // One document that two builds take in is a matter of ownership, not of manifest.
    let mut places: Vec<(Span, Option<&Subject>)> = Vec::new();
    for (owner, object) in manifests {
        if object.source.is_some() && !places.iter().any(|(known, _)| *known == object.source) {
            places.push((object.source, owner.as_ref()));
        }
    }
    if places.len() < 2 {
        return None;
    }
    // What a Kustomization applies may not apply that Kustomization again.
    let is_below = |owner: &Subject| {
        let find = |subject: &Subject| {
            let is_node = subject.kind == "Kustomization";
            let key = NodeKey::new(subject.namespace.as_deref().unwrap_or_default(), subject.name.as_str());
            situation.cluster.find(&key).filter(|_| is_node)
        };
        find(&subject).zip(find(owner)).is_some_and(|(top, owner)| applies(situation.cluster, top, owner))
    };
    places.sort_by_key(|(span, _)| (context.tree.path(span.file), span.start));
    let copies: Vec<_> = places.iter().filter(|(_, owner)| owner.is_some_and(is_below)).copied().collect();
    let copy = copies.first().copied().filter(|_| copies.len() < places.len());
    let name_at = |source: Span| {
        let object = manifests.iter().map(|(_, object)| *object).find(|object| object.source == source);
        object.map_or(source, Object::place)
    };
    let count = if places.len() == 2 { "twice".to_owned() } else { format!("{} times", places.len()) };
    let message = format!("{subject} is defined {count} in one cluster");
    let first = name_at(places[0].0);
    let mut finding = situation.finding(&RULE.info, subject.clone(), first, message);
    finding.label = "first manifest".to_owned();
    for (source, owner) in &places[1..] {
        let by = owner.map(|owner| format!(", applied by {owner}")).unwrap_or_default();
        finding.related.push(Related::new(format!("defined again here{by}"), Some(subject.clone()), name_at(*source)));
    }
    let mut owners: Vec<String> = places.iter().filter_map(|(_, owner)| owner.map(ToString::to_string)).collect();
    owners.dedup();
    let is_same = manifests.windows(2).all(|pair| pair[0].1.node.get("spec") == pair[1].1.node.get("spec"));
    finding.why = if owners.len() > 1 {
        let (its, flips) = if is_same { ("owner labels", "those flip") } else { ("spec and labels", "it flips") };
        format!(
            "{} apply it in turn, each with its own {its}, so {flips} at every reconciliation; when one of them drops it, prune may delete it \
             although the other still wants it.",
            list(&owners)
        )
    } else {
        REFUSED.to_owned()
    };
    if let Some((source, owner)) = copy {
        let owner_name = owner.map_or_else(String::new, |owner| owner.name.clone());
        finding.why.push_str(&format!(
            " {} is applied by {subject}, itself or further up, so the copy comes from below: without the other manifest nothing would apply \
             either of them.",
            owner.map_or_else(String::new, ToString::to_string)
        ));
        finding.help =
            format!("remove the manifest at {}, out of what {owner_name} builds", place(context.tree, name_at(source)));
        return Some(situation.weighed(finding, true));
    }
    let last = places.last().map_or(first, |(source, _)| name_at(*source));
    finding.help = format!("give the manifest at {} a name of its own, or remove it", place(context.tree, last));
    Some(situation.weighed(finding, true))
}
