use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use super::{Context, Rule, wording::short_list};
use crate::{
    cluster::{BrokenDocument, Node, NodeId},
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Subject, Tier},
    situation::BuildStep,
    source::FileId,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "invalid-yaml",
        summary: "A YAML document cannot be read.",
        category: Category::Build,
        severity: Severity::Error,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/invalid-yaml.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let mut users: FxHashMap<FileId, Vec<(&str, &Node)>> = FxHashMap::default();
    for situation in context.situations {
        let failed = situation.facts.builds.iter().filter(|fact| fact.step == BuildStep::Kustomize);
        let files: BTreeSet<(FileId, NodeId)> = failed.map(|fact| (fact.error.span.file, fact.node)).collect();
        for (file, node) in files {
            users.entry(file).or_default().push((&situation.cluster.root, situation.cluster.node(node)));
        }
    }
    let users = |broken: &BrokenDocument| users.get(&broken.span.file).map(Vec::as_slice).unwrap_or_default();
    findings.extend(context.broken.iter().filter_map(|broken| report(context, broken, users(broken))));
}

/// A broken document, with the Kustomizations whose builds fail in its file and the clusters those are in.
fn report(context: &Context<'_>, broken: &BrokenDocument, users: &[(&str, &Node)]) -> Option<Finding> {
    let path = context.tree.path(broken.span.file);
    let mut clusters: Vec<String> = users.iter().map(|(root, _)| (*root).to_owned()).collect();
    let mut users: Vec<Subject> = users.iter().map(|(_, node)| node.subject()).collect();
    clusters.sort_unstable();
    clusters.dedup();
    users.sort();
    users.dedup();
    // A file that no build takes in may be a template, or the configuration of something else.
    let is_template = || context.tree.text(broken.span.file).is_some_and(|text| text.contains("{{"));
    if users.is_empty() && (!broken.mentions_flux || is_template()) {
        return None;
    }
    let names: Vec<String> = users.iter().map(Subject::to_string).collect();
    let is_bootstrap = path.ends_with("gotk-sync.yaml");
    // Without anything that could be read, this is all there is to say.
    let is_all = context.situations.is_empty();
    let severity = if users.is_empty() && !is_bootstrap && !is_all { Severity::Info } else { Severity::Error };
    let is_unreadable = context.tree.bytes(broken.span.file).is_err();
    let message = match is_unreadable {
        true => format!("{path} cannot be read: {}", broken.message),
        false => format!("{path} is not valid YAML: {}", broken.message),
    };
    Some(Finding {
        severity,
        clusters,
        label: "here".to_owned(),
        related: broken.other.map(|span| Related::new("first set here", None, span)).into_iter().collect(),
        why: if names.is_empty() && is_bootstrap {
            "It is the file that `flux bootstrap` writes: what it defines is the entry point of its cluster, which is not analysed as such."
                .to_owned()
        } else if is_all {
            "No other Flux object was found, so nothing is analysed.".to_owned()
        } else if names.is_empty() {
            "No Kustomization builds this file today. What it defines is not analysed.".to_owned()
        } else {
            format!("The build of {} fails (reason BuildFailed), and nothing in it is applied.", short_list(&names, 3))
        },
        help: match is_unreadable {
            true => "let the file be read, and run again".to_owned(),
            false => "correct the document; the other documents of the file are read all the same".to_owned(),
        },
        ..Finding::new(&RULE.info, Subject::file(path), broken.span, message)
    })
}
