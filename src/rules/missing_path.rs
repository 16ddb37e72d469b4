use super::{Context, Rule, Situation};
use crate::{
    finding::{Category, Confidence, Finding, RuleInfo, Severity, Tier},
    situation::PathFact,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "missing-path",
        summary: "`spec.path` is not a folder of the source.",
        category: Category::Reference,
        severity: Severity::Error,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/missing-path.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations {
        findings.extend(situation.facts.paths.iter().map(|fact| report(situation, fact)));
    }
}

fn report(situation: &Situation<'_>, fact: &PathFact) -> Finding {
    let PathFact { path, subject, .. } = fact;
    let what = match fact.other {
        Some(other) => format!("the path `{path}` of {subject} is {other}, not a folder"),
        None => format!("the path `{path}` of {subject} does not exist"),
    };
    let message = match &fact.mapping {
        Some(mapping) => format!("{what} in `{mapping}`, which its source is mapped to"),
        None => what,
    };
    let mut finding = situation.finding(&RULE.info, subject.clone(), fact.span, message);
    finding.confidence = fact.confidence;
    finding.label = "not a folder of the source".to_owned();
    finding.why = match fact.other {
        Some(_) => "It ends with Ready=False, reason BuildFailed (`not a directory`); nothing of it is applied, and its dependents wait."
            .to_owned(),
        None => "It stays at Ready=False, reason ArtifactFailed (`kustomization path not found`); nothing of it is applied, and its \
                 dependents wait."
            .to_owned(),
    };
    if fact.is_foreign {
        finding.why.push_str(
            " No path of this source is a folder here, so its files may well be those of another repository.",
        );
    }
    finding.help = help(fact);
    situation.weighed(finding, false)
}

fn help(fact: &PathFact) -> String {
    let help = match &fact.similar {
        _ if fact.is_link => {
            "replace the symbolic link by a folder: Flux leaves links out of what it hands to the controllers"
        }
        Some(similar) => return format!("did you mean `{similar}`?"),
        None if fact.mapping.is_some() => "correct `spec.path`, or update the folder that the source is mapped to",
        None if fact.written.contains("../") => {
            "write the path from the root of the source, not from the file it stands in"
        }
        None if fact.other.is_some() => "name the folder that holds the file",
        None => {
            "correct `spec.path`, or commit the folder: paths count from the root of the source, and upper and lower case matter"
        }
    };
    help.to_owned()
}
