use super::{Context, Rule, Situation};
use crate::{
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    situation::{ReferenceFact, ReferenceProblem},
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "missing-reference",
        summary: "An object of Flux's image, notification or operator controllers refers to nothing that it can use.",
        category: Category::Reference,
        severity: Severity::Warning,
        confidence: Confidence::Medium,
        tier: Tier::Stable,
        since: "0.2.0",
        page: include_str!("../../rules/missing-reference.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations {
        findings.extend(situation.facts.references.iter().map(|fact| report(situation, fact)));
    }
}

fn report(situation: &Situation<'_>, fact: &ReferenceFact) -> Finding {
    let (subject, wanted) = (fact.key.subject(), fact.wanted.subject());
    let message = format!("{subject} {}", fact.clause());
    let mut finding = situation.finding(&RULE.info, subject, fact.span, message);
    finding.key = format!("{}:{wanted}", fact.field);
    finding.cause = wanted.to_string();
    finding.confidence = fact.confidence;
    finding.why = symptom(fact);
    if fact.is_minor {
        finding.severity = Severity::Info;
    }
    if fact.is_suspended && fact.waiting.is_empty() {
        finding.severity = Severity::Info;
        finding.why.push_str(" It is suspended today: this holds once it is resumed.");
    }
    for (node, checked_at, _) in &fact.waiting {
        let waiting = situation.cluster.node(*node).subject();
        finding.related.push(Related::new("waits for it", Some(waiting), *checked_at));
    }
    if !fact.waiting.is_empty() {
        finding.why.push_str(" What waits for it runs into its timeout (HealthCheckFailed), again and again.");
    }
    match &fact.problem {
        ReferenceProblem::Missing { similar, hidden } => {
            finding.label = "no such object".to_owned();
            finding.help = match similar {
                Some(similar) => format!("did you mean {similar}?"),
                None => format!("add {wanted}, or correct `{}`", fact.field),
            };
            if let Some(hidden) = hidden {
                finding.why.push_str(&format!(" It may be made by what the repository does not show: {hidden}."));
            }
        }
        ReferenceProblem::Template(text) => {
            finding.label = "taken as it is written".to_owned();
            finding.help = format!(
                "write the name out, or let the objects of `spec.resources` that need `{text}` be Kustomizations or HelmReleases with a \
                 `dependsOn` of their own: placeholders are filled in there"
            );
        }
        ReferenceProblem::NoNamespace => {
            finding.label = "needs a namespace".to_owned();
            finding.help = "add `namespace` to the entry".to_owned();
        }
        ReferenceProblem::NoPushBranch => {
            finding.label = "its `ref` names no branch".to_owned();
            finding.help = "add `spec.git.push.branch`, with the branch that the commits go to".to_owned();
        }
        ReferenceProblem::NoCredentials => {
            finding.label = "can be read by anybody and written by nobody".to_owned();
            finding.help = format!(
                "add `spec.secretRef` to {wanted}, with a token that may write to the repository, or use an `ssh://` URL and a deploy key with \
                 write access"
            );
        }
    }
    finding
}

/// What the controller of the object makes of it.
fn symptom(fact: &ReferenceFact) -> String {
    let wanted = fact.wanted.subject();
    match (fact.key.kind.as_str(), &fact.problem) {
        ("ImagePolicy", _) => format!(
            "It stays at Ready=False, reason DependencyNotReady (`failed to get the referred ImageRepository: … \"{}\" not found`), and \
             selects no image.",
            fact.wanted.name
        ),
        ("ImageUpdateAutomation", ReferenceProblem::NoPushBranch) => {
            "It stays at Ready=False (`push spec not provided, and cannot be inferred from .spec.git.checkout.ref or GitRepository .spec.ref`), \
             and commits nothing."
                .to_owned()
        }
        ("ImageUpdateAutomation", ReferenceProblem::NoCredentials) => {
            "A public repository is cloned without credentials, and the first push is refused: Ready=False, `failed to push to remote: \
             authentication required`. Images are never updated."
                .to_owned()
        }
        ("ImageUpdateAutomation", _) => {
            format!("It stays at Ready=False, and commits nothing: there is no {wanted} to check out and push to.")
        }
        ("Alert", _) if fact.field == "spec.eventSources" => {
            format!("The alert is for events of {wanted}, of which there are none: nothing is ever sent for it.")
        }
        ("Alert", _) => "No event is sent anywhere: notification-controller finds no address for it.".to_owned(),
        ("Receiver", _) => {
            format!("A call of the webhook fails for {wanted}: what it was to reconcile waits for its interval.")
        }
        ("ArtifactGenerator", _) => {
            "It stays at Ready=False, and makes no ExternalArtifact: what takes its files from one never starts."
                .to_owned()
        }
        (_, ReferenceProblem::Template(_)) => {
            "The Flux Operator looks `dependsOn` up before it expands anything, finds no object of that name, \
             and tries again every 5 s: nothing of the ResourceSet is ever applied."
                .to_owned()
        }
        _ => "The ResourceSet stays at Ready=False, and nothing of it is applied.".to_owned(),
    }
}
