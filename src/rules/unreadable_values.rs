use super::{Context, Rule, Situation, names::nearest, wording::short_list};
use crate::{
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    situation::{ValuesFact, ValuesProblem},
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "unreadable-values",
        summary: "A HelmRelease reads values from a key that is not there, or from text that is no values.",
        category: Category::Reference,
        severity: Severity::Error,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/unreadable-values.md"),
    },
    check,
};

/// Keys that are named; the rest is counted.
const SHOWN: usize = 4;

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations {
        findings.extend(situation.facts.values.iter().map(|fact| report(situation, fact)));
    }
}

fn report(situation: &Situation<'_>, fact: &ValuesFact) -> Finding {
    let (release, object, entry) = (&fact.release, fact.key.subject(), &fact.entry);
    let (what, label, reason) = match &fact.problem {
        ValuesProblem::NoKey(keys) if keys.is_empty() => {
            ("which has no keys".to_owned(), "no such key", "key not found")
        }
        ValuesProblem::NoKey(keys) => {
            let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
            (format!("which has {} only", short_list(&keys, SHOWN)), "no such key", "key not found")
        }
        ValuesProblem::NoMapping => {
            ("whose text is no mapping of values".to_owned(), "its text is no values", "cannot unmarshal")
        }
        ValuesProblem::Comma => {
            ("whose comma begins another assignment".to_owned(), "its text has a comma", "key \"…\" has no value")
        }
    };
    let message = format!("{release} reads the key `{entry}` of {object}, {what}");
    let mut finding = situation.finding(&RULE.info, release.clone(), fact.span, message);
    finding.key = format!("{object} {entry}");
    finding.confidence = fact.confidence;
    finding.label = label.to_owned();
    let seen = if matches!(fact.problem, ValuesProblem::NoKey(_)) { "built here" } else { "this text" };
    finding.related = vec![Related::new(seen, Some(object), fact.at)];
    let default = if fact.is_named { "" } else { " Without `valuesKey` the key is `values.yaml`." };
    finding.why = format!(
        "helm-controller ends with Ready=False, reason ValuesError: `could not resolve {} chart values reference '{}/{}' with key '{entry}': \
         {reason}`. Nothing is installed, and what waits for the release never starts.{default}",
        fact.key.kind, fact.key.namespace, fact.key.name
    );
    finding.help = help(fact);
    finding
}

fn help(fact: &ValuesFact) -> String {
    let entry = &fact.entry;
    let keys = match &fact.problem {
        ValuesProblem::NoKey(keys) => keys,
        ValuesProblem::NoMapping => {
            return format!("set `targetPath` to where the text of `{entry}` belongs, or write it as a mapping");
        }
        ValuesProblem::Comma => {
            return format!(
                "put the text of `{entry}` in quotes (`'\"a,b\"'`), write `\\,` for each comma, or set `literal: true` (Flux 2.9)"
            );
        }
    };
    let near = nearest(entry, keys.iter().map(String::as_str));
    match (near, keys.as_slice()) {
        (Some(near), _) => format!("did you mean `valuesKey: {near}`?"),
        (None, [only]) if fact.is_generated => {
            format!("set `valuesKey: {only}`, or write `{entry}={only}` in `files` of the generator")
        }
        (None, [only]) => format!("set `valuesKey: {only}`, or call the key `{entry}`"),
        (None, _) => format!("set `valuesKey` to a key that is there, or add `{entry}`"),
    }
}
