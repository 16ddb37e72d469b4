use super::{Context, Rule, Situation, overlapping_path::kustomization_file};
use crate::{
    cluster::{Cluster, Folder, Node},
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    kustomize::Unresolved,
    source::{Span, Tree, parent, readable},
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "self-prune",
        summary: "The kustomization file of a cluster's root leaves out `flux-system`, so that Flux prunes itself.",
        category: Category::Ownership,
        severity: Severity::Error,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/self-prune.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations.iter().filter(|situation| situation.cluster.reached) {
        let entries = situation.cluster.nodes.iter().filter(|node| node.is_entry && !node.is_generated);
        findings.extend(entries.filter_map(|node| report(context, situation, node)));
    }
}

/// The finding about the Kustomization of an entry point, if there is one.
pub(super) fn report(context: &Context<'_>, situation: &Situation<'_>, node: &Node) -> Option<Finding> {
    let tree = context.tree;
    let Folder::Here(folder) = &node.folder else { return None };
    let build = &node.applied.build;
    let is_sound = build.errors.is_empty() && !build.unresolved.iter().any(Unresolved::hides_objects);
    if node.kustomization.spec.prune != Some(true) || !is_sound {
        return None;
    }
    let list = kustomization_file(tree, folder)?;
    let sync =
        node.manifests.iter().map(|definition| definition.object.source).find(|source| is_sync(tree, *source))?;
    let own = parent(tree.path(sync.file));
    let is_below = own.strip_prefix(folder.as_str()).is_some_and(|rest| folder.is_empty() || rest.starts_with('/'));
    let components = tree.file(&format!("{own}/gotk-components.yaml"))?;
    let is_built =
        build.objects.iter().any(|object| object.source.file == sync.file || object.source.file == components);
    if !is_below || is_built {
        return None;
    }
    let path = tree.path(list);
    let entry = own[folder.len()..].trim_start_matches('/');
    // kustomize-controller deletes what it once applied and no longer builds: what never was in a build stays.
    let is_taken_out = was_built(context, situation, node, [sync.file, components].map(|file| tree.path(file)));
    let message = if is_taken_out {
        format!("`{path}` leaves out `{entry}`, and {} prunes: Flux deletes itself", node.subject())
    } else {
        format!("`{path}` leaves out `{entry}`: nothing updates Flux from Git")
    };
    let resources = context.store.parse(list).documents.first().and_then(|document| document.root.get("resources"));
    let at = resources
        .map_or(Span::file_start(list), |resources| resources.items().last().map_or(resources.span, |item| item.span));
    let mut finding = situation.finding(&RULE.info, node.subject(), at, message);
    finding.label = format!("`{entry}` is not listed");
    finding.related.push(Related::new("the controllers", None, Span::file_start(components)));
    finding.related.push(Related::new(
        "objects that leave the build are deleted",
        Some(node.subject()),
        node.kustomization.span(&["spec", "prune"]),
    ));
    finding.why = format!(
        "Bootstrap puts the controllers and their sync into `{own}`, and as long as `{}` has no kustomization file they are part of its build.",
        readable(folder)
    );
    if is_taken_out {
        finding.why.push_str(
            " This change takes them out of it, so the next reconciliation deletes the controllers, their CRDs and, with these, every \
             Kustomization and HelmRelease.",
        );
    } else {
        (finding.severity, finding.confidence) = (Severity::Warning, Confidence::Medium);
        finding.why.push_str(
            " With this file they are not, so what Git says of the controllers never reaches the cluster. Nothing is deleted as long as they \
             never were in that build: a cluster in which they were loses Flux with the first revision that has the file.",
        );
    }
    finding.help = format!("add `- {entry}` to `resources` of {path}:{}", tree.position(at).line);
    Some(finding)
}

/// Whether the build of the same entry held one of the files before the change that is looked at.
fn was_built(context: &Context<'_>, situation: &Situation<'_>, node: &Node, paths: [&str; 2]) -> bool {
    let Some(earlier) = context.before else { return false };
    let is_this = |after: &Situation<'_>| std::ptr::eq(after.cluster, situation.cluster);
    let mut pairs = context.changed().into_iter().filter(|(_, after)| is_this(after));
    let holds = |cluster: &Cluster| {
        let objects = cluster.find(&node.key).map(|id| &cluster.node(id).applied.build.objects);
        let mut sources = objects.into_iter().flatten().map(|object| object.source).filter(|source| source.is_some());
        sources.any(|source| paths.contains(&earlier.tree.path(source.file)))
    };
    pairs.any(|(before, _)| holds(before.cluster))
}

fn is_sync(tree: &Tree, source: Span) -> bool {
    source.is_some() && tree.path(source.file).ends_with("/gotk-sync.yaml")
}
