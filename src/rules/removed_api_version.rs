use std::collections::BTreeMap;

use super::{Context, Rule, Situation};
use crate::{
    cluster::{ObjectKey, Provider},
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    flux::{
        FluxVersion,
        api::{HELM_GROUP, KUSTOMIZE_GROUP, SOURCE_GROUP},
    },
    source::Span,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "removed-api-version",
        summary: "A Flux object has an API version that the Flux release no longer serves.",
        category: Category::Reference,
        severity: Severity::Error,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/removed-api-version.md"),
    },
    check,
};

/// Places told; the rest is counted.
const PLACES: usize = 5;

/// Group, version, the release that no longer serves it, and the version that it serves (changelogs of kustomize-controller
/// 1.7 and 1.8, helm-controller 1.4 and 1.5, source-controller 1.7 and 1.8).
const REMOVED: [(&str, &str, FluxVersion, &str); 6] = [
    (KUSTOMIZE_GROUP, "v1beta1", FluxVersion { major: 2, minor: 7 }, "v1"),
    (KUSTOMIZE_GROUP, "v1beta2", FluxVersion { major: 2, minor: 8 }, "v1"),
    (HELM_GROUP, "v2beta1", FluxVersion { major: 2, minor: 7 }, "v2"),
    (HELM_GROUP, "v2beta2", FluxVersion { major: 2, minor: 8 }, "v2"),
    (SOURCE_GROUP, "v1beta1", FluxVersion { major: 2, minor: 7 }, "v1"),
    (SOURCE_GROUP, "v1beta2", FluxVersion { major: 2, minor: 8 }, "v1"),
];

/// An object of a removed version: where that stands, and who applies it.
type Found<'a> = (Span, &'a ObjectKey, Provider);

type Row = &'static (&'static str, &'static str, FluxVersion, &'static str);

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations.iter().filter(|situation| situation.cluster.reached) {
        let cluster = situation.cluster;
        let mut by_version: BTreeMap<(usize, &str), Vec<Found<'_>>> = BTreeMap::new();
        for (key, providers) in &cluster.objects {
            for provider in providers.iter().filter(|_| key.group.ends_with(".toolkit.fluxcd.io")) {
                let object = cluster.object(*provider);
                let version = object.id().version;
                let row = REMOVED.iter().position(|(group, removed, _, _)| key.group == *group && version == *removed);
                if let Some(row) = row {
                    let at = object.node.find(&["apiVersion"]).map_or(Span::NONE, |version| version.span);
                    by_version.entry((row, &key.kind)).or_default().push((at.or(object.source), key, *provider));
                }
            }
        }
        for ((row, kind), mut found) in by_version {
            let path = |span: Span| if span.is_some() { context.tree.path(span.file) } else { "" };
            found.sort_by_key(|(span, key, _)| (path(*span), span.start, *key));
            findings.extend(report(situation, &REMOVED[row], kind, &found));
        }
    }
}

/// `HelmRepositories` of `HelmRepository`.
fn plural(kind: &str) -> String {
    kind.strip_suffix('y').map_or_else(|| format!("{kind}s"), |stem| format!("{stem}ies"))
}

fn report(situation: &Situation<'_>, row: Row, kind: &str, found: &[Found<'_>]) -> Option<Finding> {
    let (group, version, since, now) = row;
    let cluster = situation.cluster;
    let (at, key, provider) = found.first()?;
    let mut places: Vec<Span> = found.iter().map(|(span, _, _)| *span).collect();
    places.dedup();
    let what = match places.len() {
        1 => format!("{} has", key.subject()),
        count => format!("{count} {} have", plural(kind)),
    };
    let message = format!("{what} the API version `{group}/{version}`, which Flux {since} no longer serves");
    let mut finding = situation.finding(&RULE.info, key.subject(), *at, message);
    finding.label = format!("served until Flux 2.{}", since.minor - 1);
    for place in places.iter().skip(1).take(PLACES) {
        finding.related.push(Related::new("here too", None, *place));
    }
    let rest = places.len().saturating_sub(1 + PLACES);
    if rest > 0 {
        finding.related.push(Related::new(format!("and in {rest} more places"), None, Span::NONE));
    }
    finding.why = format!(
        "From that release on {} ends with Ready=False, reason ReconciliationFailed (`no matches for kind \"{kind}\" in version \
         \"{group}/{version}\"`), and applies nothing of what it builds.",
        cluster.owner(*provider)
    );
    match cluster.version {
        Some(version) if version >= *since => finding.why.push_str(&format!(" This cluster runs {version}.")),
        Some(version) => {
            finding.severity = Severity::Info;
            finding.why.push_str(&format!(" This cluster runs {version}, so it is the upgrade that fails."));
        }
        None => {
            (finding.severity, finding.confidence) = (Severity::Warning, Confidence::Medium);
            finding.why.push_str(" Which release runs here is not in the repository.");
        }
    }
    finding.help = format!(
        "write `apiVersion: {group}/{now}` and adapt the spec (`flux migrate -f .` does it for files); do so before Flux {since} is installed"
    );
    Some(finding)
}
