use std::collections::{BTreeMap, BTreeSet};

use super::{
    Context, Rule, Situation,
    wording::{list, short_list},
};
use crate::{
    cluster::{Node, NodeId, ObjectKey},
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    flux::VariableUse,
    kustomize::Fault,
    situation::{BuildFact, BuildStep, VariableFact, VariableFate, expression_place},
    source::Span,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "unset-variable",
        summary: "A `${…}` that Flux substitutes is set nowhere, or does not mean to Flux what it means to a shell.",
        category: Category::Reference,
        severity: Severity::Error,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/unset-variable.md"),
    },
    check,
};

/// Names in one sentence; the rest is counted.
const NAMES: usize = 4;

/// Variables that are shown where they stand.
const PLACES: usize = 12;

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations.iter().filter(|situation| situation.cluster.reached) {
        for fact in &situation.facts.variables {
            let finding = match &fact.fate {
                VariableFate::Unset { .. } => unset(situation, fact),
                VariableFate::Unsubstituted { set_by, .. } => unsubstituted(situation, fact, *set_by),
            };
            findings.push(weighed(finding, fact));
        }
        for node in &situation.cluster.nodes {
            findings.extend(misread(context, situation, node));
            findings.extend(literal(context, situation, node));
        }
        let mut unreadable: BTreeMap<(Span, &str), Vec<&BuildFact>> = BTreeMap::new();
        for fact in situation.facts.builds.iter().filter(|fact| fact.step == BuildStep::Expression) {
            unreadable.entry((fact.error.span, &fact.error.message)).or_default().push(fact);
        }
        findings.extend(unreadable.values().filter_map(|faults| report(context, situation, faults)));
    }
}

/// Lowers what a webhook of the cluster may settle.
fn weighed(mut finding: Finding, fact: &VariableFact) -> Finding {
    if let Some(webhook) = &fact.webhook {
        (finding.severity, finding.confidence) = (Severity::Info, Confidence::Low);
        finding.why.push_str(&format!(" {webhook} may add variables to every Kustomization, those among them."));
    }
    finding
}

/// The expression in the text that uses a variable.
fn place_of(context: &Context<'_>, used: &VariableUse) -> Span {
    expression_place(context.tree, used.span, &used.name)
}

/// The names of `uses` as they are listed: each once, in quotes.
fn names(uses: &[VariableUse]) -> Vec<String> {
    let names: BTreeSet<&str> = uses.iter().map(|used| used.name.as_str()).collect();
    names.into_iter().map(|name| format!("`{name}`")).collect()
}

/// Variables that are set nowhere, all of one node in one finding.
fn unset(situation: &Situation<'_>, fact: &VariableFact) -> Finding {
    let cluster = situation.cluster;
    let node = cluster.node(fact.node);
    let names: Vec<String> = fact.names.iter().map(|name| format!("`{name}`")).collect();
    let (are, have) = if names.len() == 1 { ("is", "has") } else { ("are", "have") };
    let names = short_list(&names, NAMES);
    let message = format!("{} uses {names}, which {are} set nowhere and {have} no default", node.subject());
    let mut finding = situation.finding(&RULE.info, node.subject(), fact.span, message);
    finding.label = format!("`{}` is not set", fact.first);
    for (name, at) in fact.others.iter().take(PLACES) {
        finding.related.push(Related::new(format!("nor is `{name}`"), None, *at));
    }
    finding.related.push(variables_of(node));
    if let Some(gate) = cluster.controllers.strict_substitution_gate() {
        finding.related.push(Related::new("this decides whether substitution is strict", None, gate.span));
    }
    let VariableFate::Unset { is_strict, is_known, similar, .. } = &fact.fate else { return finding };
    finding.why = if *is_strict {
        "Since Flux 2.9 substitution is strict: it ends with Ready=False, reason BuildFailed (`variable not set (strict mode)`). Earlier \
         releases put nothing in its place."
    } else {
        "Substitution is not strict here, so nothing stands in its place, without a word; with the defaults of Flux 2.9 the build fails \
         (`variable not set (strict mode)`)."
    }
    .to_owned();
    if !is_strict {
        (finding.severity, finding.confidence) = (Severity::Warning, Confidence::Medium);
    } else if !is_known {
        finding.severity = Severity::Warning;
        finding.why.push_str(" Which release runs here is not in the repository.");
    }
    let uses = &node.applied.unset_variables;
    if let Some(child) = uses.iter().find(|used| ObjectKey::from(used.object.clone()).is_kustomization()) {
        finding.why.push_str(&format!(
            " `{}` stands in {}: its parent substitutes that text before the child's own `postBuild` is looked at, so write `$${{{}}}` there.",
            child.name, child.object, child.name
        ));
    }
    let similar = similar.as_ref().map(|name| format!("did you mean `{name}`? Otherwise ")).unwrap_or_default();
    finding.help = format!(
        "{similar}set it in `postBuild.substitute` or in a source of `substituteFrom`, give it a default (`${{NAME:=value}}`), write \
         `$${{NAME}}` where the text is meant literally, or exempt the object with the annotation \
         `kustomize.toolkit.fluxcd.io/substitute: disabled`"
    );
    finding
}

fn variables_of(node: &Node) -> Related {
    let at = node.kustomization.span(&["spec", "postBuild"]);
    Related::new("variables come from here", Some(node.subject()), at)
}

/// Expressions that a shell would read in another way.
fn misread(context: &Context<'_>, situation: &Situation<'_>, node: &Node) -> Option<Finding> {
    let uses = &node.applied.misread_variables;
    let first = uses.first()?;
    let shown: BTreeSet<String> =
        uses.iter().map(|used| format!("`${{{}:{}…}}`", used.name, used.operator.unwrap_or('?'))).collect();
    let shown: Vec<String> = shown.into_iter().collect();
    let gives = if shown.len() == 1 { "gives" } else { "give" };
    let message = format!("{} {gives} something else in {} than in a shell", short_list(&shown, NAMES), node.subject());
    let mut finding = situation.finding(&RULE.info, node.subject(), place_of(context, first), message);
    finding.label = "read as a default".to_owned();
    finding.related.push(variables_of(node));
    finding.severity = Severity::Warning;
    finding.why = "Flux takes `:?` and `:+` for `:-`. So `${NAME:?message}` does not fail where NAME is unset: the message becomes the value. \
                   And `${NAME:+text}` gives NAME where it is set, and the text where it is not."
        .to_owned();
    finding.help = "write `$${NAME:?message}` where a shell is to read it later; leave the message out (`${NAME}`) where the build is to fail"
        .to_owned();
    Some(finding)
}

/// Defaults that never come to pass.
fn literal(context: &Context<'_>, situation: &Situation<'_>, node: &Node) -> Option<Finding> {
    let uses = &node.applied.literal_variables;
    let first = uses.first()?;
    let names = names(uses);
    let (expressions, stay) =
        if names.len() == 1 { ("the default of", "is never used") } else { ("the defaults of", "are never used") };
    let message =
        format!("{expressions} {} {stay}: {} has no variable at all", short_list(&names, NAMES), node.subject());
    let mut finding = situation.finding(&RULE.info, node.subject(), place_of(context, first), message);
    finding.label = "stays as it is written".to_owned();
    finding.related.push(variables_of(node));
    finding.severity = Severity::Warning;
    finding.why =
        "Without a single variable substitution does not run, so the text reaches the cluster with `${…}` in it."
            .to_owned();
    finding.help =
        "set `postBuild.substituteStrategy: Always` (Flux 2.9 and later), or at least one variable in `postBuild.substitute`".to_owned();
    Some(finding)
}

/// Variables of the cluster in what a Kustomization without `postBuild` applies.
fn unsubstituted(situation: &Situation<'_>, fact: &VariableFact, set_by: NodeId) -> Finding {
    let node = situation.cluster.node(fact.node);
    let names: Vec<String> = fact.names.iter().map(|name| format!("`${{{name}}}`")).collect();
    let message =
        format!("{} applies {} as it is written: it has no `postBuild`", node.subject(), short_list(&names, NAMES));
    let mut finding = situation.finding(&RULE.info, node.subject(), fact.span, message);
    finding.label = "stays as it is written".to_owned();
    finding.related.push(Related::new("no `postBuild` here", Some(node.subject()), node.span()));
    let other = situation.cluster.node(set_by);
    let at = other.kustomization.span(&["spec", "postBuild"]);
    finding.related.push(Related::new(format!("`{}` is set for this one", fact.first), Some(other.subject()), at));
    (finding.severity, finding.confidence) = (Severity::Warning, Confidence::Medium);
    finding.why = "Variables are substituted by the Kustomization that builds the text, with its own `postBuild` and no other's, so `${…}` reaches the \
                   cluster."
        .to_owned();
    if let VariableFate::Unsubstituted { refused: Some(refused), .. } = &fact.fate {
        finding.why.push_str(&format!(
            " `{}` of {} takes no such text: the Kustomization ends with Ready=False, reason ReconciliationFailed, and nothing of that \
             stage is applied.",
            refused.path,
            refused.key.subject()
        ));
    }
    finding.help =
        "give it the `postBuild` that the others have, or write `$${…}` in theirs where the text is meant literally"
            .to_owned();
    finding
}

/// An expression that Flux cannot read.
fn report(context: &Context<'_>, situation: &Situation<'_>, faults: &[&BuildFact]) -> Option<Finding> {
    let (fact, others) = faults.split_first()?;
    let (node, error) = (situation.cluster.node(fact.node), &fact.error);
    let message = format!("the build of {} fails: {}", node.subject(), error.message);
    let at = match &error.fault {
        Fault::Expression { variable: Some(variable) } => expression_place(context.tree, error.span, variable),
        _ => error.span,
    };
    let mut finding = situation.finding(&RULE.info, node.subject(), at, message);
    finding.label = "Flux cannot read this".to_owned();
    finding.related.push(variables_of(node));
    let others: Vec<String> =
        others.iter().map(|fact| situation.cluster.node(fact.node).subject().to_string()).collect();
    let also = if others.is_empty() { String::new() } else { format!(" The same fails {}.", list(&others)) };
    finding.why = format!(
        "It ends with Ready=False, reason BuildFailed; nothing of it is applied, and what depends on it waits.{also}"
    );
    finding.help = "names are letters, digits and `_`, and defaults need the colon (`${NAME:-value}`); write `$${…}` where the text is meant \
                    for something else, or exempt the object with the annotation `kustomize.toolkit.fluxcd.io/substitute: disabled`"
        .to_owned();
    Some(finding)
}
