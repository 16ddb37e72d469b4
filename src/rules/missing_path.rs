use super::{Context, Rule, Situation};
use crate::{
    cluster::{Folder, Node},
    finding::{Category, Confidence, Finding, RuleInfo, Severity, Tier},
    flux::SourceRef,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "missing-path",
        summary: "`spec.path` is not a folder of the source.",
        category: Category::Reference,
        severity: Severity::Error,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/missing-path.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations {
        findings.extend(situation.cluster.nodes.iter().filter_map(|node| report(context, situation, node)));
    }
}

fn report(context: &Context<'_>, situation: &Situation<'_>, node: &Node) -> Option<Finding> {
    let Folder::Missing { path, other, similar, mapping } = &node.folder else { return None };
    let subject = node.subject();
    let at = node.kustomization.span(&["spec", "path"]);
    let what = match other {
        Some(other) => format!("the path `{path}` of {subject} is {other}, not a folder"),
        None => format!("the path `{path}` of {subject} does not exist"),
    };
    let what = match mapping {
        Some(mapping) => format!("{what} in `{mapping}`, which its source is mapped to"),
        None => what,
    };
    let mut finding = situation.finding(&RULE.info, subject, at, what);
    finding.label = "not a folder of the source".to_owned();
    let kind = node.kustomization.spec.source_ref.kind.as_deref().unwrap_or("GitRepository");
    finding.why = match other {
        Some(_) => "It ends with Ready=False, reason BuildFailed (`not a directory`); nothing of it is applied, and its dependents wait."
            .to_owned(),
        None => "It stays at Ready=False, reason ArtifactFailed (`kustomization path not found`); nothing of it is applied, and its \
                 dependents wait."
            .to_owned(),
    };
    let written = node.kustomization.spec.path.as_deref().unwrap_or_default();
    finding.help = match similar {
        Some(similar) => format!("did you mean `{similar}`?"),
        None if written.contains("../") => "write the path from the root of the source, not from the file it stands in".to_owned(),
        None if other.is_some() => "name the folder that holds the file".to_owned(),
        None => "correct `spec.path`, or commit the folder: paths count from the root of the source, and upper and lower case matter"
            .to_owned(),
    };
    if kind != "GitRepository" {
        // What was pushed into an artifact need not be the whole repository.
        finding.confidence = Confidence::Medium;
    }
    let source = |node: &Node| SourceRef::of(&node.kustomization.spec.source_ref, &node.key.namespace);
    let is_here = |other: &Node| matches!(other.folder, Folder::Here(_)) && source(other) == source(node);
    let is_told = similar.is_some() || other.is_some() || mapping.is_some();
    if !is_told && !situation.cluster.nodes.iter().any(is_here) {
        finding.confidence = Confidence::Low;
        finding.why.push_str(
            " No path of this source is a folder here, so its files may well be those of another repository.",
        );
    }
    if mapping.is_some() && similar.is_none() {
        finding.help = "correct `spec.path`, or bring the folder that the source is mapped to up to date".to_owned();
    }
    let link = mapping.is_none() && context.tree.entry(path) == Some(crate::source::Entry::Link);
    if link {
        finding.help =
            "replace the symbolic link by a folder: Flux leaves links out of what it hands to the controllers"
                .to_owned();
    }
    Some(situation.weighed(finding, false))
}
