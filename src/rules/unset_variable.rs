use std::collections::{BTreeMap, BTreeSet};

use super::{
    Context, Rule, Situation,
    names::{Candidate, nearest},
    wording::{list, short_list},
};
use crate::{
    cluster::{Cluster, Node, ObjectKey},
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    flux::{VariableUse, envsubst::is_opted_out},
    kustomize::Error,
    source::Span,
    yaml::{Node as Yaml, Value},
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

/// Names told in one sentence; the rest is counted.
const NAMES: usize = 4;

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations.iter().filter(|situation| situation.cluster.reached) {
        let set = set_names(situation.cluster);
        let mut unreadable: BTreeMap<(Span, &str), Vec<(&Node, &Error)>> = BTreeMap::new();
        for node in &situation.cluster.nodes {
            findings.extend(unset(situation, node));
            findings.extend(misread(situation, node));
            findings.extend(literal(situation, node));
            findings.extend(unsubstituted(situation, node, &set));
            for error in &node.applied.expression_errors {
                unreadable.entry((error.span, &error.message)).or_default().push((node, error));
            }
        }
        findings.extend(unreadable.values().filter_map(|faults| report(situation, faults)));
    }
}

/// The names of `uses` as they are listed: each once, in quotes.
fn names(uses: &[VariableUse]) -> Vec<String> {
    let names: BTreeSet<&str> = uses.iter().map(|used| used.name.as_str()).collect();
    names.into_iter().map(|name| format!("`{name}`")).collect()
}

/// Variables that are set nowhere, all of one node in one finding.
fn unset(situation: &Situation<'_>, node: &Node) -> Option<Finding> {
    let uses = &node.applied.unset_variables;
    let first = uses.first()?;
    let cluster = situation.cluster;
    let gate = cluster.controllers.strict_substitution_gate();
    let is_strict = cluster.controllers.has_strict_substitution(cluster.version);
    let is_known = cluster.version.is_some() || gate.is_some();
    let names = names(uses);
    let (are, have) = if names.len() == 1 { ("is", "has") } else { ("are", "have") };
    let names = short_list(&names, NAMES);
    let message = format!("{} uses {names}, which {are} set nowhere and {have} no default", node.subject());
    let mut finding = situation.finding(&RULE.info, node.subject(), first.span, message);
    finding.label = "not set".to_owned();
    finding.related.push(variables_of(node));
    if let Some(gate) = &gate {
        finding.related.push(Related::new("this decides whether substitution is strict", None, gate.span));
    }
    finding.why = if is_strict {
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
    if let Some(child) = uses.iter().find(|used| ObjectKey::from(used.object.clone()).is_kustomization()) {
        finding.why.push_str(&format!(
            " `{}` stands in {}: its parent substitutes that text before the child's own `postBuild` is looked at, so write `$${{{}}}` there.",
            child.name, child.object, child.name
        ));
    }
    let similar = nearest(&first.name, known_names(cluster, node));
    let similar = similar.map(|name| format!("did you mean `{name}`? Otherwise ")).unwrap_or_default();
    finding.help = format!(
        "{similar}set it in `postBuild.substitute` or in a source of `substituteFrom`, give it a default (`${{NAME:=value}}`), write \
         `$${{NAME}}` where the text is meant literally, or exempt the object with the annotation \
         `kustomize.toolkit.fluxcd.io/substitute: disabled`"
    );
    Some(finding)
}

/// The variables that `node` has.
fn known_names<'a>(cluster: &'a Cluster, node: &'a Node) -> impl Iterator<Item = Candidate<'a>> {
    let post_build = node.kustomization.spec.post_build.iter();
    post_build.flat_map(move |post_build| {
        let inline = post_build.substitute.keys().map(String::as_str);
        let sources = post_build.substitute_from.iter().filter_map(move |reference| {
            let key = ObjectKey {
                group: "".into(),
                kind: reference.kind.as_str().into(),
                namespace: node.key.namespace.clone(),
                name: reference.name.as_str().into(),
            };
            Some(cluster.object(*cluster.objects.get(&key)?.first()?))
        });
        let data = |object: &'a crate::kustomize::Object| {
            ["data", "stringData"].into_iter().filter_map(|field| object.node.get(field)).flat_map(Yaml::entries)
        };
        inline.chain(sources.flat_map(data).map(|entry| entry.key.as_str()))
    })
}

fn variables_of(node: &Node) -> Related {
    let at = node.kustomization.span(&["spec", "postBuild"]);
    Related::new("variables come from here", Some(node.subject()), at)
}

/// Expressions that a shell would read in another way.
fn misread(situation: &Situation<'_>, node: &Node) -> Option<Finding> {
    let uses = &node.applied.misread_variables;
    let first = uses.first()?;
    let shown: BTreeSet<String> =
        uses.iter().map(|used| format!("`${{{}:{}…}}`", used.name, used.operator.unwrap_or('?'))).collect();
    let shown: Vec<String> = shown.into_iter().collect();
    let gives = if shown.len() == 1 { "gives" } else { "give" };
    let message = format!("{} {gives} something else in {} than in a shell", short_list(&shown, NAMES), node.subject());
    let mut finding = situation.finding(&RULE.info, node.subject(), first.span, message);
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
fn literal(situation: &Situation<'_>, node: &Node) -> Option<Finding> {
    let uses = &node.applied.literal_variables;
    let first = uses.first()?;
    let names = names(uses);
    let (expressions, stay) =
        if names.len() == 1 { ("the default of", "is never used") } else { ("the defaults of", "are never used") };
    let message =
        format!("{expressions} {} {stay}: {} has no variable at all", short_list(&names, NAMES), node.subject());
    let mut finding = situation.finding(&RULE.info, node.subject(), first.span, message);
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

/// The variables that some Kustomization of the cluster has, and one that has them.
fn set_names(cluster: &Cluster) -> BTreeMap<&str, &Node> {
    let mut set = BTreeMap::new();
    for node in &cluster.nodes {
        for name in known_names(cluster, node).filter(|name| name.len() >= TELLING && name.contains('_')) {
            set.entry(name).or_insert(node);
        }
    }
    set
}

/// Shorter names than this, and those of one word, may mean anything to anybody.
const TELLING: usize = 6;

/// Variables of the cluster in what a Kustomization without `postBuild` applies.
fn unsubstituted(situation: &Situation<'_>, node: &Node, set: &BTreeMap<&str, &Node>) -> Option<Finding> {
    if set.is_empty() || node.kustomization.spec.post_build.is_some() || node.is_entry {
        return None;
    }
    let mut uses: Vec<(&str, Span)> = Vec::new();
    let objects = node.applied.build.objects.iter().filter(|object| !is_opted_out(&object.node));
    // Scripts have variables of their own.
    for object in objects.filter(|object| !matches!(object.id().kind.as_str(), "ConfigMap" | "Secret")) {
        expressions(&object.node, &mut |name, span| {
            if let Some((name, _)) = set.get_key_value(name) {
                uses.push((name, span));
            }
        });
    }
    let (first, at) = *uses.first()?;
    let names: BTreeSet<&str> = uses.iter().map(|(name, _)| *name).collect();
    let names: Vec<String> = names.into_iter().map(|name| format!("`${{{name}}}`")).collect();
    let message =
        format!("{} applies {} as it is written: it has no `postBuild`", node.subject(), short_list(&names, NAMES));
    let mut finding = situation.finding(&RULE.info, node.subject(), at, message);
    finding.label = "stays as it is written".to_owned();
    finding.related.push(Related::new("no `postBuild` here", Some(node.subject()), node.span()));
    if let Some(other) = set.get(first) {
        let at = other.kustomization.span(&["spec", "postBuild"]);
        finding.related.push(Related::new(format!("`{first}` is set for this one"), Some(other.subject()), at));
    }
    (finding.severity, finding.confidence) = (Severity::Warning, Confidence::Medium);
    finding.why = "Variables are substituted by the Kustomization that builds the text, with its own `postBuild` and no other's, so `${…}` reaches the \
                   cluster."
        .to_owned();
    finding.help =
        "give it the `postBuild` that the others have, or write `$${…}` in theirs where the text is meant literally"
            .to_owned();
    Some(finding)
}

/// The variables in the texts of an object, less those below the keys of commands.
fn expressions<'n>(node: &'n Yaml, found: &mut dyn FnMut(&'n str, Span)) {
    match &node.value {
        Value::Str(text) => {
            for part in text.split("${").skip(1) {
                let end =
                    part.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(part.len());
                found(&part[..end], node.span);
            }
        }
        Value::Map(map) => {
            for entry in
                map.entries().iter().filter(|entry| !matches!(entry.key.as_str(), "command" | "args" | "script"))
            {
                expressions(&entry.value, found);
            }
        }
        Value::Seq(items) => items.iter().for_each(|item| expressions(item, found)),
        _ => {}
    }
}

/// An expression that Flux cannot read.
fn report(situation: &Situation<'_>, faults: &[(&Node, &Error)]) -> Option<Finding> {
    let (node, error) = *faults.first()?;
    let message = format!("the build of {} fails: {}", node.subject(), error.message);
    let mut finding = situation.finding(&RULE.info, node.subject(), error.span, message);
    finding.label = "Flux cannot read this".to_owned();
    finding.related.push(variables_of(node));
    let others: Vec<String> = faults[1..].iter().map(|(node, _)| node.subject().to_string()).collect();
    let also = if others.is_empty() { String::new() } else { format!(" The same fails {}.", list(&others)) };
    finding.why = format!(
        "It ends with Ready=False, reason BuildFailed; nothing of it is applied, and what depends on it waits.{also}"
    );
    finding.help = "names are letters, digits and `_`, and defaults need the colon (`${NAME:-value}`); write `$${…}` where the text is meant \
                    for something else, or exempt the object with the annotation `kustomize.toolkit.fluxcd.io/substitute: disabled`"
        .to_owned();
    Some(finding)
}
