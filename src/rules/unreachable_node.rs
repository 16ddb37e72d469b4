use std::collections::BTreeMap;

use super::{
    Context, Rule, Situation,
    unlisted_file::Listing,
    wording::{list, place, short_list},
};
use crate::{
    cluster::Node,
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    source::{Span, Tree, parent},
    yaml::Node as Yaml,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "unreachable-node",
        summary: "A Kustomization is in no build of any cluster, or no controller takes it.",
        category: Category::Ownership,
        severity: Severity::Info,
        confidence: Confidence::Medium,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/unreachable-node.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let reached: Vec<&Situation<'_>> =
        context.situations.iter().filter(|situation| situation.cluster.reached).collect();
    findings.extend(reached.iter().flat_map(|situation| unsharded(situation)));
    let known: BTreeMap<&str, Span> = reached
        .iter()
        .flat_map(|situation| &situation.cluster.nodes)
        .filter_map(|node| file_of(context.tree, node))
        .collect();
    if known.is_empty() || reached.len() == context.situations.len() {
        return;
    }
    let listing = Listing::new(context);
    for situation in context.situations.iter().filter(|situation| !situation.cluster.reached) {
        findings.extend(report(context, situation, &known, &listing));
    }
}

/// The file that defines a node, and where.
fn file_of<'a>(tree: &'a Tree, node: &Node) -> Option<(&'a str, Span)> {
    let source = node.manifests.first()?.object.source;
    source.is_some().then(|| (tree.path(source.file), node.span()))
}

/// One finding for a group of Kustomizations that no entry point leads to: those at its top.
fn report(
    context: &Context<'_>,
    situation: &Situation<'_>,
    known: &BTreeMap<&str, Span>,
    listing: &Listing,
) -> Option<Finding> {
    let tops: Vec<(&Node, &str)> = situation
        .cluster
        .nodes
        .iter()
        .filter(|node| node.is_entry)
        .filter_map(|node| Some((node, file_of(context.tree, node)?.0)))
        // A file that its own folder does not list is reported as such.
        .filter(|(_, file)| listing.kustomization(parent(file)).is_none())
        .collect();
    let (first, file) = *tops.first()?;
    let subjects: Vec<String> = tops.iter().map(|(node, _)| node.subject().to_string()).collect();
    let verb = if subjects.len() == 1 { "is" } else { "are" };
    let message = format!(
        "{} {verb} in no build of any cluster: nothing applies {}",
        short_list(&subjects, 4),
        if subjects.len() == 1 { "it" } else { "them" }
    );
    let mut finding = situation.finding(&RULE.info, first.subject(), first.span(), message);
    finding.label = "in no build".to_owned();
    let near = known
        .iter()
        .map(|(path, span)| (shared_folders(path, file), *path, *span))
        .max_by_key(|(shared, path, _)| (*shared, std::cmp::Reverse(*path)));
    if let Some((shared, path, span)) = near.filter(|(shared, ..)| *shared > 0) {
        let _ = (shared, path);
        finding.related.push(Related::new("the nearest Kustomization that is applied", None, span));
    }
    finding.why = "No kustomization file lists the file, and no `spec.path` holds it, so it exists in Git alone. That may be intended."
        .to_owned();
    finding.help = match near.filter(|(shared, ..)| *shared > 0) {
        Some((_, _, span)) => format!("list it where {} is listed, or delete the file", place(context.tree, span)),
        None => "list it in a kustomization file that some cluster builds, or delete the file".to_owned(),
    };
    Some(finding)
}

/// How many folders two paths share from the top on.
fn shared_folders(one: &str, other: &str) -> usize {
    parent(one).split('/').zip(parent(other).split('/')).take_while(|(left, right)| left == right).count()
}

const KEY: &str = "sharding.fluxcd.io/key";

/// Kustomizations whose shard no controller of the repository takes.
fn unsharded(situation: &Situation<'_>) -> Vec<Finding> {
    let label = |node: &Node| {
        node.kustomization
            .object
            .node
            .find(&["metadata", "labels", KEY])
            .and_then(|label| Some((label.as_str()?.to_owned(), label.span)))
    };
    let sharded: Vec<(&Node, String, Span)> = situation
        .cluster
        .nodes
        .iter()
        .filter_map(|node| label(node).map(|(shard, span)| (node, shard, span)))
        .collect();
    if sharded.is_empty() {
        return Vec::new();
    }
    let Some(shards) = shards(situation) else { return Vec::new() };
    let open = sharded.into_iter().filter(|(_, shard, _)| !shard.contains("${") && !shards.contains(shard));
    open.map(|(node, shard, span)| {
        let message = format!("{} belongs to the shard `{shard}`, which no kustomize-controller takes", node.subject());
        let mut finding = situation.finding(&RULE.info, node.subject(), span, message);
        finding.severity = Severity::Warning;
        finding.label = "no controller watches this shard".to_owned();
        let known: Vec<String> = shards.iter().map(|shard| format!("`{shard}`")).collect();
        finding.why = format!(
            "Every kustomize-controller of this repository selects what it watches (`--watch-label-selector`), and none selects this shard; \
             there are {}. It is never reconciled and has no status.",
            if known.is_empty() { "none".to_owned() } else { list(&known) }
        );
        finding.help = format!("set `{KEY}` to a shard that there is, or add a controller for it");
        finding
    })
    .collect()
}

/// The shards that the kustomize-controllers in the builds take. `None` where there is none to be seen, where one takes everything, or
/// where its selector is of another form.
fn shards(situation: &Situation<'_>) -> Option<Vec<String>> {
    let mut shards = Vec::new();
    let mut is_any = false;
    for object in situation.cluster.nodes.iter().flat_map(|node| &node.applied.build.objects) {
        let containers = object
            .node
            .find(&["spec", "template", "spec", "containers"])
            .filter(|_| object.node.find_str(&["kind"]) == Some("Deployment"));
        let is_ours = |container: &&Yaml| {
            container.find_str(&["image"]).is_some_and(|image| image.contains("kustomize-controller"))
        };
        for container in containers.into_iter().flat_map(Yaml::items).filter(is_ours) {
            is_any = true;
            let mut args = container.get("args").into_iter().flat_map(Yaml::items).filter_map(Yaml::as_str);
            let selector = args.find_map(|arg| arg.strip_prefix("--watch-label-selector="))?;
            let rest = selector.trim().trim_start_matches('!').strip_prefix(KEY)?.trim();
            match rest.strip_prefix("in ") {
                _ if rest.is_empty() || rest.starts_with("notin") => {}
                Some(set) => {
                    shards.extend(set.trim_matches(['(', ')', ' ']).split(',').map(|shard| shard.trim().to_owned()));
                }
                None => shards.push(rest.strip_prefix('=')?.trim_start_matches('=').trim().to_owned()),
            }
        }
    }
    is_any.then_some(shards)
}
