use super::{
    Context, Rule,
    deadlocks::{Case, Words, tell},
};
use crate::{
    finding::{Category, Confidence, Finding, RuleInfo, Severity, Subject, Tier},
    graph::{CycleKind, Reason, Step},
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "self-provided-input",
        summary: "Something reads a source, ConfigMap or Secret before it starts that only it, or what comes after it, applies.",
        category: Category::Deadlock,
        severity: Severity::Error,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/self-provided-input.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    tell(context, &RULE.info, CycleKind::Input, |step: &Step| step.edge.reason.is_input(), words, findings);
}

fn words(case: &Case<'_>) -> Option<Words> {
    let first = case.links.first()?;
    let (waiting, input, provider) = (case.waiting()?, case.wanted()?, case.provider()?);
    let symptom = symptom(first.edge.reason, &input);
    let own = if provider == waiting {
        format!("only {waiting} itself applies")
    } else {
        format!("only {provider} applies, and that comes after it")
    };
    let optional = match first.edge.reason {
        Reason::SubstituteFrom | Reason::ValuesFrom => {
            "; or add `optional: true` to the entry, if it can start without"
        }
        _ => "",
    };
    Some(Words {
        message: format!("{waiting} needs {input} to start, which {own}"),
        why: format!("{symptom} Nothing of {waiting} is applied before, so what would provide it never comes."),
        help: format!(
            "move {input}, which is named at {}, to a Kustomization that comes before {waiting}: for instance the one that applies \
             {waiting}{optional}",
            case.place(first.edge.span)
        ),
    })
}

/// What the user sees (kustomize-controller v1.9 and helm-controller v1.6, `reconcile`).
fn symptom(reason: Reason, input: &Subject) -> String {
    match reason {
        Reason::Source => {
            format!(
                "It stays at Ready=False because {input} is not found, reason ArtifactFailed (a HelmRelease: SourceNotReady)."
            )
        }
        Reason::ValuesFrom => format!("It stays at Ready=False, reason ValuesError, because {input} is not found."),
        Reason::Credentials => {
            format!("The source stays at Ready=False, reason AuthenticationFailed, because {input} is not found.")
        }
        Reason::SubstituteFrom => {
            format!(
                "It stays at Ready=False, reason BuildFailed (`substitute from '{}/{}' error`).",
                input.kind, input.name
            )
        }
        Reason::Decryption => format!("It stays at Ready=False, reason BuildFailed, because {input} is not found."),
        _ => format!("It stays at Ready=False, reason ReconciliationFailed, because {input} is not found."),
    }
}
