use std::cell::LazyCell;

use super::{
    Context, Rule, Situation,
    dependencies::{Doubts, Entry, Target},
    renamed_reference::unexplained,
    wording::short_list,
};
use crate::{
    cluster::Node,
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    source::Span,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "dangling-dependency",
        summary: "A `dependsOn` entry names something that nothing in the cluster defines.",
        category: Category::Reference,
        severity: Severity::Error,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/dangling-dependency.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations {
        let doubts = Doubts::of(context.tree, situation.cluster);
        let hidden = LazyCell::new(|| may_be_hidden(situation));
        for entry in unexplained(context, situation) {
            if entry.target == Target::Nothing {
                let finding = report(context, situation, &entry, &doubts, || hidden.as_deref());
                findings.extend(finding);
            }
        }
    }
}

fn report<'h>(
    context: &Context<'_>,
    situation: &Situation<'_>,
    entry: &Entry<'_>,
    doubts: &Doubts<'_>,
    hidden: impl FnOnce() -> Option<&'h str>,
) -> Option<Finding> {
    let elsewhere = known_elsewhere(context, situation, entry);
    // What no root reaches belongs to some cluster nobody can name: a name that any of them has is not missing.
    if !situation.cluster.reached && !elsewhere.is_empty() {
        return None;
    }
    let message = format!("{} depends on {}, which nothing in this cluster defines", entry.subject, entry.wanted());
    let mut finding = situation.finding(&RULE.info, entry.subject.clone(), entry.span, message);
    finding.key = entry.wanted().to_string();
    finding.label = "no such object".to_owned();
    let unreached: Vec<Span> = elsewhere.iter().filter(|(place, _)| place.is_none()).map(|(_, span)| *span).collect();
    let roots: Vec<String> = elsewhere.iter().filter_map(|(place, _)| place.clone()).collect();
    let mut help = Vec::new();
    for (root, span) in elsewhere.iter().filter_map(|(root, span)| Some((root.as_ref()?, *span))).take(3) {
        finding.related.push(Related::new(format!("defined here, for cluster {root} only"), None, span));
    }
    for span in unreached.iter().take(3) {
        finding.related.push(Related::new("defined here, in a file that no entry point reaches", None, *span));
    }
    let near = entry.nearest(situation.cluster);
    if let Some(near) = &near {
        help.push(format!("did you mean `{near}`?"));
    }
    if !roots.is_empty() {
        help.push(format!("the name exists in cluster {} but not in this one", short_list(&roots, 3)));
    }
    if !unreached.is_empty() {
        help.push("the name is defined in a file that is not part of this cluster: list that file where its neighbours are listed".to_owned());
    }
    help.push("define the dependency in this cluster, or remove the entry".to_owned());
    finding.help = help.join("; ");
    finding.why = format!("{}; whatever depends on it is held back as well.", entry.symptom(situation.cluster));
    if let Some(unknown) = hidden() {
        finding.confidence = Confidence::Low;
        finding.why.push_str(&format!(" It may be defined by {unknown}, which this repository does not show."));
    } else if is_on_its_own(situation, entry) && near.is_none() && elsewhere.is_empty() {
        finding.confidence = Confidence::Low;
        finding.why.push_str(
            " It is applied by something outside this repository, which may define what it depends on as well.",
        );
    } else {
        finding = entry.doubted(finding, doubts);
    }
    Some(situation.weighed(finding, false))
}

/// Whether the entry is one of a Kustomization that nothing in this repository applies, and that does not lie where the
/// folders of clusters do either: an application that brings its own Kustomization, for some cluster to take in.
fn is_on_its_own(situation: &Situation<'_>, entry: &Entry<'_>) -> bool {
    let cluster = situation.cluster;
    let mut nodes = cluster.nodes.iter().filter(|node| node.is_entry && node.subject() == entry.subject);
    let is_outside = |node: &Node| node.definitions.iter().all(|definition| definition.owner.is_none());
    !cluster.root.split('/').any(|part| part == "clusters") && nodes.any(is_outside)
}

/// Other clusters, and unreached files (`None`), that have the name.
fn known_elsewhere(context: &Context<'_>, here: &Situation<'_>, entry: &Entry<'_>) -> Vec<(Option<String>, Span)> {
    let others = context.situations.iter().filter(|other| !std::ptr::eq(*other, here));
    let mut found = Vec::new();
    for other in others {
        if let Some(span) = entry.defined_in(other.cluster) {
            found.push((other.cluster.reached.then(|| other.cluster.root.clone()), span));
        }
    }
    found
}

/// What may define objects that the repository does not show.
fn may_be_hidden(situation: &Situation<'_>) -> Option<String> {
    situation.cluster.nodes.iter().find_map(|node| {
        let part = node.unresolved.iter().find(|part| part.hides_objects())?;
        Some(format!("{} of {}", part.what, node.subject()))
    })
}
