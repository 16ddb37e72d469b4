use std::{
    cell::OnceCell,
    collections::{BTreeMap, BTreeSet},
};

use rustc_hash::FxHashSet;
use smol_str::SmolStr;

use super::{
    Context, Rule, Situation,
    names::{COMPARED, is_slip},
    wording::short_list,
};
use crate::{
    cluster::{Cluster, Node, ObjectKey, Provider, Release},
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Subject, Tier},
    flux::is_open_text,
    kustomize::Step,
    situation::hidden_by,
    source::Span,
    yaml::{Node as Yaml, Value},
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "missing-substitute-source",
        summary: "A ConfigMap or Secret that a Flux object reads is built under another name only.",
        category: Category::Reference,
        severity: Severity::Error,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/missing-substitute-source.md"),
    },
    check,
};

/// A reference to a ConfigMap or Secret that has to be there.
struct Input<'a> {
    subject: Subject,
    kind: &'a str,
    namespace: SmolStr,
    name: &'a str,
    field: &'static str,
    span: Span,
}

/// Further readers told; the rest is counted.
const OTHERS: usize = 5;

/// What the builds of a cluster hold, sorted for looking things up.
#[derive(Default)]
struct Built<'a> {
    /// ConfigMaps and Secrets, by namespace.
    by_namespace: BTreeMap<&'a str, Vec<(&'a ObjectKey, Provider)>>,
    /// The same, by name.
    by_name: BTreeMap<&'a str, Vec<(&'a ObjectKey, Provider)>>,
    /// What may make such objects, by namespace: all but Flux's own.
    makers: BTreeMap<&'a str, Vec<Provider>>,
    /// Every text in those, by namespace, once somebody asks.
    spoken: OnceCell<BTreeMap<&'a str, FxHashSet<&'a str>>>,
}

impl<'a> Built<'a> {
    fn of(cluster: &'a Cluster) -> Self {
        let mut built = Self::default();
        for (key, providers) in &cluster.objects {
            let Some(provider) = providers.first() else { continue };
            if is_config(key) {
                built.by_namespace.entry(&key.namespace).or_default().push((key, *provider));
                built.by_name.entry(&key.name).or_default().push((key, *provider));
            } else if !key.is_kustomization() && !key.is_helm_release() && key.kind != "CustomResourceDefinition" {
                built.makers.entry(&key.namespace).or_default().push(*provider);
            }
        }
        built
    }

    /// Whether what may make objects says `name`, in that namespace.
    fn speaks_of(&self, cluster: &'a Cluster, namespace: &str, name: &str) -> bool {
        let spoken = self.spoken.get_or_init(|| {
            let texts = |makers: &Vec<Provider>| {
                let mut found = FxHashSet::default();
                makers.iter().for_each(|provider| texts(&cluster.object(*provider).node, &mut found));
                found
            };
            self.makers.iter().map(|(namespace, makers)| (*namespace, texts(makers))).collect()
        });
        spoken.get(namespace).is_some_and(|texts| texts.contains(name))
    }
}

fn texts<'n>(node: &'n Yaml, found: &mut FxHashSet<&'n str>) {
    match &node.value {
        Value::Str(text) => {
            found.insert(text);
        }
        Value::Map(map) => map.entries().iter().for_each(|entry| texts(&entry.value, found)),
        Value::Seq(items) => items.iter().for_each(|item| texts(item, found)),
        _ => {}
    }
}

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations.iter().filter(|situation| situation.cluster.reached) {
        let cluster = situation.cluster;
        let is_made = |input: &Input<'_>| {
            let key = ObjectKey {
                group: "".into(),
                kind: input.kind.into(),
                namespace: input.namespace.clone(),
                name: input.name.into(),
            };
            cluster.provides(&key)
        };
        let is_open = |input: &Input<'_>| {
            input.name.is_empty()
                || input.namespace.is_empty()
                || is_open_text(input.name)
                || is_open_text(&input.namespace)
        };
        // What many objects read is missing once.
        let mut missing: BTreeMap<(&str, SmolStr, &str), Vec<Input<'_>>> = BTreeMap::new();
        for input in inputs(cluster).into_iter().filter(|input| !is_open(input) && !is_made(input)) {
            missing.entry((input.kind, input.namespace.clone(), input.name)).or_default().push(input);
        }
        if missing.is_empty() {
            continue;
        }
        let built = Built::of(cluster);
        let hidden = hidden_by(situation.cluster, &|_| false);
        // One that is built for another namespace only is one fault, however many miss it.
        let mut by_found: BTreeMap<&ObjectKey, Vec<&Input<'_>>> = BTreeMap::new();
        for inputs in missing.values() {
            let Some(input) = inputs.first() else { continue };
            let instead = instead(cluster, input, &built)
                .filter(|instead| matches!(instead, Instead::Hashed(..)) || !is_spoken_of(cluster, input, &built));
            if let Some(Instead::OtherNamespace(key, _)) = instead {
                by_found.entry(key).or_default().extend(inputs);
            } else if let Some(finding) = report(context, situation, input, instead.as_ref()) {
                findings.push(completed(finding, inputs[1..].iter(), hidden.as_deref()));
            }
        }
        for (key, inputs) in &by_found {
            let Some(provider) = cluster.objects.get(*key).and_then(|providers| providers.first()) else { continue };
            let instead = Instead::OtherNamespace(key, *provider);
            let finding = inputs.first().and_then(|input| report(context, situation, input, Some(&instead)));
            findings.extend(finding.map(|finding| completed(finding, inputs[1..].iter().copied(), hidden.as_deref())));
        }
    }
}

fn is_config(key: &ObjectKey) -> bool {
    key.group.is_empty() && matches!(key.kind.as_str(), "ConfigMap" | "Secret")
}

fn inputs(cluster: &Cluster) -> Vec<Input<'_>> {
    let of_nodes = cluster.nodes.iter().filter(|node| !node.is_entry).flat_map(node_inputs);
    of_nodes.chain(cluster.releases.iter().flat_map(release_inputs)).collect()
}

/// The ConfigMaps and Secrets that Flux objects read and that nothing known makes: normally they are made outside the
/// repository. Each once.
#[must_use]
pub fn missing_inputs(cluster: &Cluster) -> BTreeSet<Subject> {
    let built = Built::of(cluster);
    let is_made = |key: &ObjectKey, input: &Input<'_>| cluster.provides(key) || is_spoken_of(cluster, input, &built);
    let key = |input: &Input<'_>| ObjectKey {
        group: "".into(),
        kind: input.kind.into(),
        namespace: input.namespace.clone(),
        name: input.name.into(),
    };
    let is_open = |input: &Input<'_>| {
        input.name.is_empty()
            || input.namespace.is_empty()
            || is_open_text(input.name)
            || is_open_text(&input.namespace)
    };
    let missing = inputs(cluster).into_iter().filter(|input| !is_open(input) && !is_made(&key(input), input));
    missing.map(|input| key(&input).subject()).collect()
}

fn node_inputs(node: &Node) -> Vec<Input<'_>> {
    let spec = &node.kustomization.spec;
    let input = |kind, name, field, span| {
        let (subject, namespace) = (node.subject(), node.key.namespace.clone());
        Input { subject, kind, namespace, name, field, span }
    };
    let variables = crate::flux::variable_sources(&node.kustomization).filter(|(reference, _)| !reference.optional);
    let mut inputs: Vec<Input<'_>> = variables
        .map(|(from, span)| input(from.kind.as_str(), from.name.as_str(), "postBuild.substituteFrom", span))
        .collect();
    if let Some(secret) = spec.decryption.as_ref().and_then(|decryption| decryption.secret_ref.as_ref()) {
        let span = node.kustomization.span(&["spec", "decryption", "secretRef", "name"]);
        inputs.push(input("Secret", secret.name.as_str(), "decryption.secretRef", span));
    }
    let object = &node.kustomization.object.node;
    for (key, kind, field) in
        [("secretRef", "Secret", "kubeConfig.secretRef"), ("configMapRef", "ConfigMap", "kubeConfig.configMapRef")]
    {
        if let Some(name) = object.find(&["spec", "kubeConfig", key, "name"]) {
            inputs.push(input(kind, name.as_str().unwrap_or_default(), field, name.span));
        }
    }
    inputs
}

fn release_inputs(release: &Release) -> impl Iterator<Item = Input<'_>> {
    let entries = release.helm.spec.values_from.iter().enumerate().filter(|(_, from)| !from.optional);
    entries.map(move |(index, from)| Input {
        subject: release.subject(),
        kind: from.kind.as_str(),
        namespace: release.key.namespace.clone(),
        name: from.name.as_str(),
        field: "valuesFrom",
        span: release.helm.item_span(&["spec", "valuesFrom"], index),
    })
}

/// What there is in place of an input.
enum Instead<'a> {
    /// What a generator made of that name, with its hash.
    Hashed(&'a ObjectKey, Provider),
    OtherKind(&'a ObjectKey, Provider),
    OtherNamespace(&'a ObjectKey, Provider),
    Misspelt(&'a ObjectKey, Provider),
}

fn instead<'a>(cluster: &Cluster, input: &Input<'_>, built: &Built<'a>) -> Option<Instead<'a>> {
    let beside = || built.by_namespace.get(input.namespace.as_str()).into_iter().flatten();
    let of_kind = || beside().filter(|(key, _)| key.kind == input.kind);
    let is_hashed = |found: &&(&ObjectKey, Provider)| {
        let hash = found.0.name.strip_prefix(input.name).and_then(|rest| rest.strip_prefix('-'));
        let is_generated = || cluster.object(found.1).changes.iter().any(|change| change.step == Step::Generator);
        hash.is_some_and(is_hash) && is_generated()
    };
    if let Some((key, provider)) = of_kind().find(is_hashed) {
        return Some(Instead::Hashed(key, *provider));
    }
    let named = || built.by_name.get(input.name).into_iter().flatten();
    if let Some((key, provider)) = named().find(|(key, _)| key.namespace == input.namespace) {
        return Some(Instead::OtherKind(key, *provider));
    }
    if let Some((key, provider)) = named().find(|(key, _)| key.kind == input.kind && !is_open_text(&key.namespace)) {
        return Some(Instead::OtherNamespace(key, *provider));
    }
    let (key, provider) = of_kind().take(COMPARED).find(|(key, _)| is_slip(&key.name, input.name))?;
    Some(Instead::Misspelt(key, *provider))
}

/// Whether `text` can be the hash that kustomize adds to generated names (kustomize `api/hasher`, `encode`).
fn is_hash(text: &str) -> bool {
    text.len() == 10 && text.bytes().all(|byte| b"bcdfghkmt2456789".contains(&byte))
}

fn report(
    context: &Context<'_>,
    situation: &Situation<'_>,
    input: &Input<'_>,
    instead: Option<&Instead<'_>>,
) -> Option<Finding> {
    let cluster = situation.cluster;
    let wanted = format!("{}/{}/{}", input.kind, input.namespace, input.name);
    let finding = |what: &str| {
        let message = format!("{} reads {wanted} (`{}`), {what}", input.subject, input.field);
        situation.finding(&RULE.info, input.subject.clone(), input.span, message)
    };
    let mut finding = match instead {
        Some(Instead::Hashed(key, provider)) => {
            let mut finding = finding(&format!("but the generator makes `{}`", key.name));
            finding.label = "the name without its hash".to_owned();
            tell(&mut finding, cluster, key, *provider);
            finding.why = "kustomize adds a hash to generated names and follows it in references between the kinds of Kubernetes only, not in those of Flux \
                           objects."
                .to_owned();
            finding.help = "set `generatorOptions.disableNameSuffixHash: true` (or `options.disableNameSuffixHash` on the generator)".to_owned();
            finding
        }
        Some(Instead::OtherKind(key, provider)) => {
            let mut finding = finding(&format!("but `{}` is a {}", key.name, key.kind));
            finding.label = format!("looked up as {}", input.kind);
            finding.confidence = Confidence::Medium;
            tell(&mut finding, cluster, key, *provider);
            finding.help = format!("set `kind: {}`", key.kind);
            finding
        }
        Some(Instead::OtherNamespace(key, provider)) => {
            let mut finding = finding(&format!("but that name is built in namespace `{}` only", key.namespace));
            finding.label =
                format!("looked up in `{}`, the namespace of the {} itself", input.namespace, input.subject.kind);
            (finding.severity, finding.confidence) = (Severity::Warning, Confidence::Medium);
            tell(&mut finding, cluster, key, *provider);
            finding.help = format!(
                "build it in namespace `{}` too: such references have no namespace of their own",
                input.namespace
            );
            finding
        }
        Some(Instead::Misspelt(key, provider)) => {
            let mut finding = finding("which no build makes");
            finding.label = "no such object".to_owned();
            (finding.severity, finding.confidence) = (Severity::Warning, Confidence::Medium);
            tell(&mut finding, cluster, key, *provider);
            finding.help = format!("did you mean `{}`?", key.name);
            finding
        }
        None => return pedantic(context, finding("which no build makes"), input),
    };
    finding.why = format!("{} {}", symptom(input), finding.why).trim_end().to_owned();
    Some(finding)
}

/// Adds the others that read the same, and what may make it.
fn completed<'a>(
    mut finding: Finding,
    others: impl Iterator<Item = &'a Input<'a>> + Clone,
    hidden: Option<&str>,
) -> Finding {
    for other in others.clone().take(OTHERS) {
        finding.related.push(Related::new("read here too", Some(other.subject.clone()), other.span));
    }
    let names: Vec<String> = others.map(|other| other.subject.to_string()).collect();
    if !names.is_empty() {
        finding.why.push_str(&format!(" So it is with {}.", short_list(&names, OTHERS)));
    }
    if let Some(hidden) = hidden.filter(|_| finding.confidence == Confidence::Medium) {
        finding.confidence = Confidence::Low;
        finding.why.push_str(&format!(" It may be made by {hidden}, which this repository does not show."));
    }
    finding
}

/// What is made outside the repository is normal, and told to those who want to hear everything.
fn pedantic(context: &Context<'_>, mut finding: Finding, input: &Input<'_>) -> Option<Finding> {
    (finding.severity, finding.confidence) = (Severity::Info, Confidence::Low);
    finding.label = "not in this repository".to_owned();
    finding.why = format!("Where nothing else makes it: {}", symptom(input));
    finding.help =
        "make sure that it is there before Flux starts, or set `optional: true` where the field has it".to_owned();
    context.pedantic.then_some(finding)
}

fn tell(finding: &mut Finding, cluster: &Cluster, key: &ObjectKey, provider: Provider) {
    finding.related.push(Related::new("this one exists", Some(key.subject()), cluster.object(provider).place()));
}

/// What the controllers say (kustomize-controller v1.9 `build`, helm-controller v1.6 `reconcileRelease`).
fn symptom(input: &Input<'_>) -> String {
    match input.field {
        "valuesFrom" => {
            "It stays at Ready=False, reason ValuesError (`could not find … with name`); nothing is installed."
                .to_owned()
        }
        "postBuild.substituteFrom" => format!(
            "It stays at Ready=False, reason BuildFailed (`substitute from '{}/{}' error`); nothing of it is applied, and its dependents wait.",
            input.kind, input.name
        ),
        _ => "It stays at Ready=False; nothing of it is applied, and its dependents wait.".to_owned(),
    }
}

/// Whether another object speaks of the name, in the input's namespace or from a place that has none: it may make the input,
/// as an ExternalSecret or a SealedSecret does. Replicators copy what bears their mark to other namespaces.
fn is_spoken_of<'a>(cluster: &'a Cluster, input: &Input<'_>, built: &Built<'a>) -> bool {
    let is_copied = |provider: Provider| {
        let marks = cluster.object(provider).node.find(&["metadata", "annotations"]);
        let mut keys = marks.into_iter().flat_map(Yaml::entries).map(|entry| entry.key.as_str());
        keys.any(|key| key.contains("reflector") || key.contains("replicat"))
    };
    ["", input.namespace.as_str()].into_iter().any(|namespace| built.speaks_of(cluster, namespace, input.name))
        || built.by_name.get(input.name).into_iter().flatten().any(|(_, provider)| is_copied(*provider))
}
