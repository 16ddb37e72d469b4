//! Variables that are set nowhere, and text that no substitution reaches.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashSet;

use super::{Blocker, Cause, View, manifests};
use crate::{
    cluster::{Cluster, Node, NodeId, ObjectKey, Release, chart_of},
    finding::{Confidence, Subject},
    flux::envsubst::is_opted_out,
    graph::{Actor, Moment, Reason, stages},
    kustomize::Object,
    source::{Span, Tree, names::nearest},
    yaml::{Node as Yaml, Value},
};

/// Variables of a Kustomization that come out otherwise than they were meant.
#[derive(Debug, Clone)]
pub struct VariableFact {
    /// The Kustomization that builds the text.
    pub node: NodeId,
    /// The variable that is used first.
    pub first: String,
    /// The place of that use.
    pub span: Span,
    /// All of them, sorted.
    pub names: Vec<String>,
    /// The others, each with the place of its first use.
    pub others: Vec<(String, Span)>,
    /// What becomes of them.
    pub fate: VariableFate,
    /// A webhook of the cluster that may set variables of any Kustomization.
    pub webhook: Option<Subject>,
}

/// What becomes of a variable.
#[derive(Debug, Clone)]
pub enum VariableFate {
    /// It is set nowhere and has no default.
    Unset {
        /// Whether substitution is strict, so that the build fails (kustomize-controller v1.9, gate
        /// `StrictPostBuildSubstitutions`); otherwise nothing stands in its place.
        is_strict: bool,
        /// Whether the repository shows that.
        is_known: bool,
        /// The name of a variable that is set and is like the first one.
        similar: Option<String>,
        /// The first event that does not happen.
        moment: Moment,
    },
    /// Its expression reaches the cluster, because the Kustomization has no `postBuild`, although another one has the variable.
    Unsubstituted {
        /// One that has the first variable.
        set_by: NodeId,
        /// An object with an expression in a field that takes no such text.
        refused: Option<RefusedText>,
    },
}

/// An expression in a field that the API server validates.
#[derive(Debug, Clone)]
pub struct RefusedText {
    /// The object.
    pub key: ObjectKey,
    /// The field.
    pub path: String,
    /// Its place.
    pub span: Span,
    /// The stage that would apply the object.
    moment: Moment,
}

impl VariableFact {
    /// What it keeps from happening.
    #[must_use]
    pub fn blocker(&self) -> Option<Blocker> {
        let blocker = |moment, reason, cause, text, span, confidence| {
            let confidence = if self.webhook.is_some() { Confidence::Low } else { confidence };
            Some(Blocker { actor: Actor::Node(self.node), moment, reason, cause, text, span, confidence })
        };
        match &self.fate {
            VariableFate::Unset { is_strict: true, is_known, moment, .. } => {
                let confidence = if *is_known { Confidence::High } else { Confidence::Medium };
                let more = match self.names.len() {
                    0 | 1 => String::new(),
                    count => format!(" (and {} more)", count - 1),
                };
                let text = format!("uses the variable `{}`{more}, which is set nowhere and has no default", self.first);
                blocker(*moment, Reason::Build, Cause::FailedBuild, text, self.span, confidence)
            }
            VariableFate::Unsubstituted { refused: Some(refused), .. } => {
                let text = format!(
                    "applies {}, which the API server refuses: `{}` holds `${{…}}`, and nothing substitutes it",
                    refused.key.subject(),
                    refused.path
                );
                let cause = Cause::RefusedManifest;
                blocker(refused.moment, Reason::DryRun, cause, text, refused.span, Confidence::Medium)
            }
            VariableFate::Unset { .. } | VariableFate::Unsubstituted { .. } => None,
        }
    }
}

/// The facts of a cluster, in the order of its Kustomizations.
pub(super) fn find(view: View<'_>) -> Vec<VariableFact> {
    let cluster = view.cluster;
    let set = set_names(view);
    let facts = view.nodes().map(|(id, node)| [unset(view, id, node), unsubstituted(view, id, node, &set)]);
    let mut facts: Vec<VariableFact> = facts.flatten().flatten().collect();
    if let Some(webhook) = (!facts.is_empty()).then(|| webhook(cluster)).flatten() {
        facts.iter_mut().for_each(|fact| fact.webhook = Some(webhook.clone()));
    }
    facts
}

/// What changes Kustomizations on their way into the cluster: the chart that adds variables to them, or a configuration of
/// webhooks that names their kind.
fn webhook(cluster: &Cluster) -> Option<Subject> {
    let is_chart = |release: &&Release| chart_of(cluster, release).is_some_and(|chart| chart.name.ends_with(WEBHOOK));
    let release = cluster.releases.iter().find(is_chart).map(Release::subject);
    release.or_else(|| {
        let configurations = cluster.objects.iter().filter(|(key, _)| key.kind == "MutatingWebhookConfiguration");
        let mut named = configurations.filter(|(_, providers)| {
            let webhooks = providers.first().and_then(|provider| cluster.object(*provider).node.get("webhooks"));
            let rules = webhooks.into_iter().flat_map(Yaml::items).filter_map(|webhook| webhook.get("rules"));
            let resources = rules.flat_map(Yaml::items).filter_map(|rule| rule.get("resources"));
            resources.flat_map(Yaml::items).any(|resource| resource.as_str() == Some("kustomizations"))
        });
        named.next().map(|(key, _)| key.subject())
    })
}

/// Most variables of one fact whose expressions are looked for in their texts.
const SOUGHT: usize = 200;

/// Variables that are set nowhere, all of one Kustomization in one fact.
fn unset(view: View<'_>, id: NodeId, node: &Node) -> Option<VariableFact> {
    let cluster = view.cluster;
    let uses = &node.applied.unset_variables;
    let first = uses.first()?;
    let names: BTreeSet<&String> = uses.iter().map(|used| &used.name).collect();
    let mut others: Vec<(String, Span)> = Vec::new();
    let mut known: FxHashSet<&str> = FxHashSet::from_iter([first.name.as_str()]);
    for used in uses.iter().filter(|used| known.insert(&used.name)) {
        // Each takes a look at all of its text, which may hold all of them.
        let is_sought = others.len() < SOUGHT;
        let place = if is_sought { expression_place(view.store.tree(), used.span, &used.name) } else { used.span };
        others.push((used.name.clone(), place));
    }
    let span = expression_place(view.store.tree(), first.span, &first.name);
    let controllers = &cluster.controllers;
    let fate = VariableFate::Unset {
        is_strict: controllers.has_strict_substitution(cluster.version),
        is_known: cluster.version.is_some() || controllers.strict_substitution_gate().is_some(),
        similar: nearest(&first.name, known_names(cluster, node)).map(str::to_owned),
        moment: stages::first(cluster, node),
    };
    let names = names.into_iter().cloned().collect();
    Some(VariableFact { node: id, first: first.name.clone(), span, names, others, fate, webhook: None })
}

/// The expression of a variable in the text that uses it: a block of text has many lines, and a value that a generator made stands in a
/// file of its own. The text itself where it does not hold the expression as it is written.
#[must_use]
pub fn expression_place(tree: &Tree, text: Span, name: &str) -> Span {
    if !text.is_some() {
        return text;
    }
    let Some(whole) = tree.text(text.file) else { return text };
    let (start, end) = if text.start == text.end { (0, whole.len()) } else { (text.start as usize, text.end as usize) };
    let Some(part) = whole.get(start..end) else { return text };
    let found = expressions_in(part).find(|(at, to)| names_variable(&part[*at..*to], name));
    found.map_or(text, |(from, to)| Span::new(text.file, (start + from) as u32, (start + to) as u32))
}

/// Where expressions stand in a text: from the `$` to the brace that ends it, or to the end of the name. `$$` stands for the sign itself.
fn expressions_in(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let signs = |at: usize| text[..at].bytes().rev().take_while(|byte| *byte == b'$').count();
    let begins = text.match_indices('$').map(|(at, _)| at).filter(move |at| signs(*at) % 2 == 0);
    begins.filter_map(move |at| {
        let rest = &text[at + 1..];
        let length = if rest.starts_with('{') {
            let line = rest.find('\n').unwrap_or(rest.len());
            rest[..line].find('}').map_or(line, |end| end + 1)
        } else {
            rest.find(|letter: char| !is_of_name(letter)).unwrap_or(rest.len())
        };
        (length > 0).then_some((at, at + 1 + length))
    })
}

/// Whether an expression begins with the variable, sign and brace apart (`${name…`, `${#name}`).
fn names_variable(expression: &str, name: &str) -> bool {
    let text = expression.trim_start_matches(['$', '{', '#']);
    text.strip_prefix(name).is_some_and(|rest| !rest.starts_with(is_of_name))
}

const fn is_of_name(letter: char) -> bool {
    letter == '_' || letter.is_ascii_alphanumeric()
}

/// The variables that `node` has.
fn known_names<'a>(cluster: &'a Cluster, node: &'a Node) -> impl Iterator<Item = &'a str> {
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
        let data = |object: &'a Object| {
            ["data", "stringData"].into_iter().filter_map(|field| object.node.get(field)).flat_map(Yaml::entries)
        };
        inline.chain(sources.flat_map(data).map(|entry| entry.key.as_str()))
    })
}

/// The chart of a webhook that sets variables of every Kustomization (xunholy/fluxcd-kustomize-mutating-webhook).
const WEBHOOK: &str = "kustomize-mutating-webhook";

/// Shorter names than this, and those of one word, may mean anything to anybody.
const TELLING: usize = 6;

/// The variables that some Kustomization of the cluster has, and one that has them.
fn set_names(view: View<'_>) -> BTreeMap<&str, NodeId> {
    let mut set = BTreeMap::new();
    for (id, node) in view.nodes() {
        for name in known_names(view.cluster, node).filter(|name| name.len() >= TELLING && name.contains('_')) {
            set.entry(name).or_insert(id);
        }
    }
    set
}

/// Variables of the cluster in what a Kustomization without `postBuild` applies.
fn unsubstituted(view: View<'_>, id: NodeId, node: &Node, set: &BTreeMap<&str, NodeId>) -> Option<VariableFact> {
    let cluster = view.cluster;
    if set.is_empty() || node.kustomization.spec.post_build.is_some() || node.is_entry {
        return None;
    }
    let mut uses: Vec<(&str, Span)> = Vec::new();
    let mut refused = None;
    let objects = node.applied.build.objects.iter().filter(|object| !is_opted_out(&object.node));
    // Scripts have variables of their own.
    for object in objects.filter(|object| !matches!(object.id().kind.as_str(), "ConfigMap" | "Secret")) {
        let known = uses.len();
        expressions(&object.node, &mut |name, span| {
            if let Some((name, _)) = set.get_key_value(name) {
                uses.push((name, span));
            }
        });
        if uses.len() > known && refused.is_none() {
            refused = refused_text(cluster, object);
        }
    }
    let (first, span) = *uses.first()?;
    let names: BTreeSet<&str> = uses.iter().map(|(name, _)| *name).collect();
    let span = expression_place(view.store.tree(), span, first);
    let fate = VariableFate::Unsubstituted { set_by: *set.get(first)?, refused };
    let names = names.into_iter().map(str::to_owned).collect();
    let first = first.to_owned();
    Some(VariableFact { node: id, first, span, names, others: Vec::new(), fate, webhook: None })
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

/// Group, kind and field of what the API server validates: addresses, host names, quantities, numbers (Kubernetes v1.36,
/// `pkg/apis/core/validation` and `pkg/apis/networking/validation`, and the types of the fields).
const VALIDATED: &[(&str, &str, &[&str])] = &[
    ("", "Service", &["spec", "clusterIP"]),
    ("", "Service", &["spec", "clusterIPs", "*"]),
    ("", "Service", &["spec", "externalName"]),
    ("", "Service", &["spec", "ports", "*", "port"]),
    ("", "PersistentVolumeClaim", &["spec", "resources", "requests", "storage"]),
    ("apps", "Deployment", &["spec", "replicas"]),
    ("apps", "StatefulSet", &["spec", "replicas"]),
    ("networking.k8s.io", "Ingress", &["spec", "rules", "*", "host"]),
];

/// A field of `object` that takes no expression and holds one.
fn refused_text(cluster: &Cluster, object: &Object) -> Option<RefusedText> {
    let id = object.id();
    let name: &[&str] = &["metadata", "name"];
    let fields = VALIDATED.iter().filter(|(group, kind, _)| id.group == *group && id.kind == *kind);
    let mut found = None;
    for path in fields.map(|(_, _, path)| *path).chain([name]) {
        manifests::visit(&object.node, path, "", &mut |node, span, path| {
            if found.is_none() && node.and_then(Yaml::as_str).is_some_and(|text| text.contains("${")) {
                found = Some((path, span));
            }
        });
    }
    let (path, span) = found?;
    let moment = stages::of(cluster, &object.node);
    Some(RefusedText { key: id.into(), path, span: span.or(object.source), moment })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The part of `text` that is taken for the expression of `name`.
    fn part<'t>(text: &'t str, name: &str) -> Option<&'t str> {
        expressions_in(text).map(|(from, to)| &text[from..to]).find(|part| names_variable(part, name))
    }

    #[test]
    fn an_expression_is_found_among_others() {
        let script = "echo $${item} $item_2 ${items}\necho \"${item:-x}\" $item\n${#list[@]} ${open\n";
        assert_eq!(part(script, "item"), Some("${item:-x}"));
        assert_eq!(part(script, "item_2"), Some("$item_2"));
        assert_eq!(part(script, "list"), Some("${#list[@]}"));
        assert_eq!(part(script, "open"), Some("${open"));
        assert_eq!(part(script, "none"), None);
        assert_eq!(part("$", "none"), None);
    }
}
