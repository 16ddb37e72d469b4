use std::collections::BTreeMap;

use super::{
    Context, Rule, Situation,
    duplicate_node::is_flux_object,
    overlapping_path::kustomization_file,
    uppermost::Uppermost,
    wording::{list, place, short_list},
};
use crate::{
    cluster::{Folder, Node},
    finding::{Category, Confidence, Finding, Location, Related, RuleInfo, Severity, Tier},
    kustomize::{Error, Fault, ObjectId},
    situation::{BuildFact, BuildStep},
    source::{Span, parent},
};

mod includers;

use includers::includers;

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "build-failure",
        summary: "`kustomize build` of a path fails.",
        category: Category::Build,
        severity: Severity::Error,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/build-failure.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations {
        for (_, node) in situation.cluster.nodes() {
            findings.extend(Uppermost::new(context, node).map(|uppermost| uppermost.report(situation)));
        }
        let mut by_fault: BTreeMap<(Span, &str), Vec<&BuildFact>> = BTreeMap::new();
        for fact in situation.facts.builds.iter().filter(|fact| fact.step == BuildStep::Kustomize) {
            let node = situation.cluster.node(fact.node);
            let is_twice = || fact.error.twice.is_some() && Uppermost::new(context, node).is_some();
            if !is_reported_elsewhere(context, &fact.error) && !is_twice() {
                by_fault.entry((fact.error.span, &fact.error.message)).or_default().push(fact);
            }
        }
        findings.extend(by_fault.values().filter_map(|faults| report(context, situation, faults)));
    }
}

/// Whether another rule reports the same of the same place: a document that cannot be read, a Flux object defined twice.
fn is_reported_elsewhere(context: &Context<'_>, error: &Error) -> bool {
    let broken = context.broken.iter().any(|broken| broken.span.file == error.span.file && broken.is_in(error.span));
    broken || error.twice.as_ref().is_some_and(is_flux_object)
}

fn report(context: &Context<'_>, situation: &Situation<'_>, faults: &[&BuildFact]) -> Option<Finding> {
    let (fact, others) = faults.split_first()?;
    let (node, error) = (situation.cluster.node(fact.node), &fact.error);
    let message = match error.fault {
        Fault::Limit => format!("the build of {} is not followed to its end: {}", node.subject(), error.message),
        Fault::TooLong => format!("what {} builds is too large to be applied: {}", node.subject(), error.message),
        _ => format!("the build of {} fails: {}", node.subject(), error.message),
    };
    let mut finding = situation.finding(&RULE.info, node.subject(), fact.span, message);
    finding.label = "here".to_owned();
    let twice_listed = twice_listed(context, node, error);
    if let [first, others @ ..] = twice_listed.as_slice() {
        // One text that is taken in twice is nothing to look at: what takes it in is.
        finding.location = Location::from(*first);
        finding.label = "taken in here".to_owned();
        finding.related.extend(others.iter().map(|span| Related::new("and here", None, *span)));
        finding.related.push(Related::new("the object", None, error.span));
    } else {
        for (span, text) in &error.related {
            finding.related.push(Related::new(text.clone(), None, *span));
        }
    }
    let mut others: Vec<String> =
        others.iter().map(|fact| situation.cluster.node(fact.node).subject().to_string()).collect();
    others.retain(|other| *other != node.subject().to_string());
    others.dedup();
    let also =
        if others.is_empty() { String::new() } else { format!(" The same fault fails {}.", short_list(&others, 5)) };
    finding.related.push(Related::new(
        "this path is built",
        Some(node.subject()),
        node.kustomization.span(&["spec", "path"]),
    ));
    finding.why = match error.fault {
        Fault::Limit => format!(
            "kustomize has no such limit: its controller goes on until it has no time or no memory left. What is left out is not \
             analysed.{also}"
        ),
        Fault::Bug => format!(
            "Nothing is known of this build; everything else is analysed. Please report the text above, and where this program \
             failed, which it printed.{also}"
        ),
        Fault::TooLong => format!(
            "The API server refuses it: `Too long: must have at most 1048576 bytes`. The Kustomization ends with Ready=False, \
             reason ReconciliationFailed, and nothing of the stage is applied.{also}"
        ),
        _ => format!(
            "It ends with Ready=False, reason BuildFailed{}; nothing of it is applied, and what depends on it waits.{also}",
            answer(error)
        ),
    };
    let by_hand =
        if fails_by_hand(context, node, error) { "; `kustomize build` of the path fails in the same way" } else { "" };
    finding.help = format!("{}{by_hand}", cure(context, fact, node, &twice_listed));
    Some(finding)
}

/// The entries that take in the one text of an object that is there twice.
fn twice_listed(context: &Context<'_>, node: &Node, error: &Error) -> Vec<Span> {
    let is_same = error.twice.is_some() && error.related.first().is_some_and(|(first, _)| *first == error.span);
    if is_same && error.span.is_some() { includers(context, node, error.span.file) } else { Vec::new() }
}

/// What the user reads in the status, where that has words to look for.
fn answer(error: &Error) -> String {
    match (&error.fault, &error.twice) {
        (_, Some(id)) => format!(" (`may not add resource with an already registered id: {}`)", registered(id)),
        (Fault::Listed | Fault::Misnamed, _) => " (`failed to decode Kubernetes YAML from …`)".to_owned(),
        (Fault::Missing { .. }, _) => " (`… no such file or directory`)".to_owned(),
        _ => String::new(),
    }
}

/// An id as kustomize prints it (kustomize `resid.ResId`, `String`).
fn registered(id: &ObjectId) -> String {
    let part = |text: &str, empty: &str| if text.is_empty() { empty.to_owned() } else { text.to_owned() };
    format!(
        "{}.{}.{}/{}.{}",
        id.kind,
        part(&id.version, "[noVer]"),
        part(&id.group, "[noGrp]"),
        id.name,
        part(id.namespace.as_deref().unwrap_or_default(), "[noNs]")
    )
}

/// Whether `kustomize build` of the path shows the same fault: not what Flux adds to the build, nor what it makes of a folder without a
/// kustomization file.
fn fails_by_hand(context: &Context<'_>, node: &Node, error: &Error) -> bool {
    let Folder::Here(folder) = &node.folder else { return false };
    let added = ["components", "images", "namePrefix", "nameSuffix", "patches", "targetNamespace"];
    let spec = node.kustomization.object.node.get("spec");
    let is_plain = added.iter().all(|field| spec.is_none_or(|spec| spec.get(field).is_none()));
    is_plain
        && !matches!(error.fault, Fault::Listed | Fault::Misnamed | Fault::Limit | Fault::Bug | Fault::TooLong)
        && kustomization_file(context.tree, folder).is_some()
}

/// What to do about it.
fn cure(context: &Context<'_>, fact: &BuildFact, node: &Node, twice_listed: &[Span]) -> String {
    let (tree, error) = (context.tree, &fact.error);
    let path = if fact.span.is_some() { tree.path(fact.span.file) } else { "" };
    match (&error.fault, &error.twice) {
        (Fault::Limit, _) => "make it smaller, or split it into several Kustomizations".to_owned(),
        (Fault::Bug, _) => {
            "report it; until it is mended, `fluxdag render --path` of the folder may show more".to_owned()
        }
        (Fault::TooLong, _) => {
            "keep files of that size elsewhere: in an image, a volume or a bucket, or in several objects".to_owned()
        }
        (Fault::Misnamed, _) => format!(
            "rename `{path}` to `kustomization.yaml`: that, `kustomization.yml` and `Kustomization` are the names that kustomize knows"
        ),
        (Fault::Listed, _) => format!(
            "move `{path}` out of the folder, or add a kustomization.yaml that lists what is to be applied; a manifest needs `apiVersion`, `kind` \
             and `metadata.name`"
        ),
        (Fault::NotKustomization, _) => format!(
            "rename `{path}`, for instance to `{}`: under its name kustomize takes it for a file of its own",
            beside(parent(path), "manifest.yaml")
        ),
        (Fault::Missing { meant: Some(meant) }, _) => {
            let is_spec = node.kustomization.object.source.file == fact.span.file;
            let from = if is_spec { "`spec.path`" } else { "the folder of this file" };
            format!("write `{meant}` at {}: paths count from {from}", place(tree, fact.span))
        }
        (_, Some(_)) if !twice_listed.is_empty() => {
            let places: Vec<String> = twice_listed.iter().map(|span| place(tree, *span)).collect();
            format!(
                "keep one of the entries at {}, or give each of their kustomization files a `namespace`, `namePrefix` or `nameSuffix` of its own",
                list(&places)
            )
        }
        (_, Some(_)) => "give one of the two another name or namespace, or take it out of the build".to_owned(),
        _ => "correct the place shown".to_owned(),
    }
}

fn beside(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}
