use std::collections::BTreeMap;

use super::{
    Context, Rule, Situation,
    names::nearest,
    wording::{list, short_list},
};
use crate::{
    catalog::{FieldCatalog, Fields},
    cluster::{Cluster, ObjectKey, Provider},
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    flux::{FluxVersion, is_open_text},
    source::Span,
    yaml::Node,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "unknown-field",
        summary: "A Flux object has a field that its API version does not have.",
        category: Category::Reference,
        severity: Severity::Error,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/unknown-field.md"),
    },
    check,
};

/// The release whose definitions the catalogue holds.
const CATALOGUE: FluxVersion = FluxVersion { major: 2, minor: 9 };

/// A field that the definition does not declare.
#[derive(Debug, PartialEq, Eq)]
struct Unknown {
    /// Path from the root of the object.
    path: String,
    /// Its key.
    span: Span,
    /// The name that was meant, if one is near.
    similar: Option<String>,
}

type Found<'a> = (&'a ObjectKey, Provider, Vec<Unknown>);

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations.iter().filter(|situation| situation.cluster.reached) {
        // What one patch or template writes into many objects is one fault.
        let mut by_place: BTreeMap<(Span, String), Vec<Found<'_>>> = BTreeMap::new();
        for (key, providers) in &situation.cluster.objects {
            let Some(provider) = providers.first() else { continue };
            let unknown = unknown_fields(situation.cluster, key, *provider);
            if let Some(first) = unknown.first() {
                by_place.entry((first.span, first.path.clone())).or_default().push((key, *provider, unknown));
            }
        }
        findings.extend(by_place.values().filter_map(|found| report(situation, found)));
    }
}

fn unknown_fields(cluster: &Cluster, key: &ObjectKey, provider: Provider) -> Vec<Unknown> {
    let mut unknown = Vec::new();
    if !key.group.ends_with(".toolkit.fluxcd.io") {
        return unknown;
    }
    let object = cluster.object(provider);
    let Some(fields) = FieldCatalog::builtin().of(&key.group, &object.id().version, &key.kind) else { return unknown };
    if let Some(spec) = object.node.get("spec") {
        walk(spec, fields, "spec", &mut unknown);
    }
    unknown
}

fn walk(node: &Node, fields: &Fields, path: &str, unknown: &mut Vec<Unknown>) {
    let Some(known) = fields.known() else { return };
    for item in node.items() {
        walk(item, fields, path, unknown);
    }
    for entry in node.entries() {
        let path = format!("{path}.{}", entry.key);
        match known.get(entry.key.as_str()) {
            Some(fields) => walk(&entry.value, fields, &path, unknown),
            // Nothing is asked for where the value is null: it is dropped before the object is sent.
            None if entry.value.is_null() || is_open_text(&entry.key) => {}
            None => {
                let taken = |name: &&str| node.get(name).is_none();
                let lower = |name: &&String| name.eq_ignore_ascii_case(&entry.key);
                let similar = known.keys().find(lower).map(String::as_str);
                let similar = similar.or_else(|| nearest(&entry.key, known.keys().map(String::as_str).filter(taken)));
                let span = entry.key_span.or(entry.value.span);
                unknown.push(Unknown { path, span, similar: similar.map(str::to_owned) });
            }
        }
    }
}

fn report(situation: &Situation<'_>, found: &[Found<'_>]) -> Option<Finding> {
    let cluster = situation.cluster;
    let (key, provider, unknown) = found.first()?;
    let first = unknown.first()?;
    let object = cluster.object(*provider);
    let version = object.id().version;
    let paths: Vec<String> = unknown.iter().map(|field| format!("`{}`", field.path)).collect();
    let are = if paths.len() == 1 { "is no field" } else { "are no fields" };
    let message = format!("{} {are} of {} ({version})", short_list(&paths, 3), key.subject());
    let mut finding = situation.finding(&RULE.info, key.subject(), first.span, message);
    finding.label = match &first.similar {
        Some(similar) => format!("not declared; `{similar}` is"),
        None => format!("not declared in {version}"),
    };
    for field in &unknown[1..] {
        finding.related.push(Related::new("nor is this", None, field.span));
    }
    let also: Vec<String> = found[1..].iter().map(|(key, _, _)| key.subject().to_string()).collect();
    let also = if also.is_empty() { String::new() } else { format!(" So it is with {}.", short_list(&also, 4)) };
    finding.why = format!(
        "It is applied server-side, which refuses what the definition does not declare (`.{}: field not declared in schema`): {} ends with \
         Ready=False, reason ReconciliationFailed, and applies nothing of what it builds.{also}",
        first.path,
        cluster.owner(*provider)
    );
    finding.help = list(&unknown.iter().map(help).collect::<Vec<_>>());
    let is_newer = cluster.version.is_some_and(|version| version > CATALOGUE);
    let is_plain = unknown.iter().any(|field| field.similar.is_some() || removed(&field.path).is_some());
    if is_newer || !is_plain {
        finding.confidence = Confidence::Medium;
        finding.why.push_str(" The fields are those of Flux 2.9; later releases may have more.");
    }
    Some(finding)
}

fn help(field: &Unknown) -> String {
    match (removed(&field.path), &field.similar) {
        (Some(help), _) => help.to_owned(),
        (None, Some(similar)) => format!("did you mean `{similar}` for `{}`?", field.path),
        (None, None) => format!("remove `{}`, or put it where it belongs", field.path),
    }
}

/// What became of fields of earlier versions of the Kustomization API.
fn removed(path: &str) -> Option<&'static str> {
    match path {
        "spec.validation" => Some("remove `spec.validation`: every apply is validated by the API server since v1beta2"),
        "spec.patchesStrategicMerge" | "spec.patchesJson6902" => {
            Some("move the entries of the older patch fields to `spec.patches`")
        }
        _ => None,
    }
}
