use std::collections::BTreeMap;

use super::{Context, Rule, Situation};
use crate::{
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    situation::{RemovedVersion, VersionFact},
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

/// Places reported; the rest is counted.
const PLACES: usize = 5;

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations {
        let mut by_version: BTreeMap<(&RemovedVersion, &str), Vec<&VersionFact>> = BTreeMap::new();
        for fact in &situation.facts.versions {
            by_version.entry((fact.removed, &fact.subject.kind)).or_default().push(fact);
        }
        for mut facts in by_version.into_values() {
            let path = |span: Span| if span.is_some() { context.tree.path(span.file) } else { "" };
            facts.sort_by_key(|fact| (path(fact.span), fact.span.start));
            findings.extend(report(situation, &facts));
        }
    }
}

/// `HelmRepositories` of `HelmRepository`.
fn plural(kind: &str) -> String {
    kind.strip_suffix('y').map_or_else(|| format!("{kind}s"), |stem| format!("{stem}ies"))
}

fn report(situation: &Situation<'_>, facts: &[&VersionFact]) -> Option<Finding> {
    let first = facts.first()?;
    let RemovedVersion { group, version, since, successor } = first.removed;
    let kind = &first.subject.kind;
    let mut places: Vec<Span> = facts.iter().map(|fact| fact.span).collect();
    places.dedup();
    let what = match places.len() {
        1 => format!("{} has", first.subject),
        count => format!("{count} {} have", plural(kind)),
    };
    let message = format!("{what} the API version `{group}/{version}`, which Flux {since} no longer serves");
    let mut finding = situation.finding(&RULE.info, first.subject.clone(), first.span, message);
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
        first.owner_subject
    );
    match first.release {
        Some(release) if first.is_served() => {
            finding.severity = Severity::Info;
            finding.why.push_str(&format!(" This cluster runs {release}, so it is the upgrade that fails."));
        }
        Some(release) => finding.why.push_str(&format!(" This cluster runs {release}.")),
        None => {
            (finding.severity, finding.confidence) = (Severity::Warning, Confidence::Medium);
            finding.why.push_str(" Which release runs here is not in the repository.");
        }
    }
    finding.help = format!(
        "write `apiVersion: {group}/{successor}` and adapt the spec (`flux migrate -f .` does it for files); do so before Flux {since} is installed"
    );
    Some(finding)
}
