use std::collections::BTreeSet;

use super::{Context, RULES, Rule, says_all, wording::list};
use crate::{
    finding::{Category, Confidence, Fault, Finding, RuleInfo, Severity, Subject, Suppression, Tier},
    source::names,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "unused-suppression",
        summary: "A `# fluxdag:` comment suppresses nothing.",
        category: Category::Build,
        severity: Severity::Warning,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/unused-suppression.md"),
    },
    check,
};

/// Comments whose form is wrong. Those of no use are known once all rules have run: [`unused`].
fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for suppression in context.suppressions.iter().filter(|suppression| suppression.is_ours) {
        match &suppression.fault {
            Some(fault) => findings.push(malformed(context, suppression, fault)),
            None => findings.extend(unknown(context, suppression)),
        }
    }
}

const REPORTED: &str = "What it was to suppress is reported all the same.";

fn malformed(context: &Context<'_>, suppression: &Suppression, fault: &Fault) -> Finding {
    let example = suppression.rules.first().map_or("rule-id", String::as_str);
    let (what, help) = match fault {
        Fault::Directive(word) if word.is_empty() => ("it says nothing".to_owned(), form(example)),
        Fault::Directive(word) => (format!("`{word}` is neither `ignore` nor `ignore-file`"), form(example)),
        Fault::NoList => ("it has no list of rules".to_owned(), form(example)),
        Fault::OpenList => ("its list of rules is not closed".to_owned(), form(example)),
        Fault::EmptyList => ("its list of rules is empty".to_owned(), form(example)),
        Fault::Wildcard => ("`*` names no rule".to_owned(), "name each rule that is to be silent here".to_owned()),
        Fault::NoReason => (
            "it gives no reason".to_owned(),
            "say behind the list why; `require-reason` in the configuration asks for that".to_owned(),
        ),
        Fault::NotFirst => (
            "`ignore-file` stands behind the first content of its file".to_owned(),
            "move it above the first document, or write `ignore` for the next line alone".to_owned(),
        ),
    };
    let mut finding = about(context, suppression, format!("this comment suppresses nothing: {what}"));
    finding.label = "not understood".to_owned();
    finding.why = REPORTED.to_owned();
    finding.help = help;
    finding
}

fn form(example: &str) -> String {
    format!("write `# fluxdag: ignore[{example}] reason`, or `ignore-file` above the first document")
}

/// A finding for each id that is none of a rule.
fn unknown(context: &Context<'_>, suppression: &Suppression) -> Vec<Finding> {
    let unknown = suppression.rules.iter().filter(|id| rule(id).is_none());
    unknown
        .map(|id| {
            let message = format!("this comment names `{id}`, which is no rule");
            let subject = Subject::file(context.tree.path(suppression.span.file));
            let mut finding = Finding::new(&RULE.info, subject, suppression.span, message);
            finding.key.clone_from(id);
            finding.label = "no such rule".to_owned();
            finding.why = REPORTED.to_owned();
            let known = "`fluxdag rules` lists them all";
            finding.help =
                nearest(id).map_or_else(|| known.to_owned(), |near| format!("did you mean `{near}`? {known}"));
            finding
        })
        .collect()
}

/// Comments that suppress nothing. `used` has those that do: the position of the comment, and the rule.
pub(super) fn unused(context: &Context<'_>, used: &BTreeSet<(usize, &str)>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let settled = |suppression: &Suppression| suppression.is_settled && suppression.fault.is_none();
    for (at, suppression) in context.suppressions.iter().enumerate().filter(|(_, suppression)| settled(suppression)) {
        let is_unused = |id: &&String| {
            let is_judged = rule(id).is_some_and(|info| info.id != RULE.info.id && says_all(info, context));
            is_judged && !used.contains(&(at, id.as_str()))
        };
        let unused: Vec<String> = suppression.rules.iter().filter(is_unused).map(|id| format!("`{id}`")).collect();
        if unused.is_empty() {
            continue;
        }
        let (names, finds) = (list(&unused), if unused.len() == 1 { "finds" } else { "find" });
        let message = format!("this comment suppresses nothing: {names} {finds} nothing here");
        let mut finding = about(context, suppression, message);
        finding.label = "of no use".to_owned();
        finding.why = "Once the rule does find something here, nobody will hear of it.".to_owned();
        finding.help = match unused.len() == suppression.rules.len() {
            true => "remove the comment; it has to stand on a line of what is reported, or alone on the line above"
                .to_owned(),
            false => format!("take {names} off its list"),
        };
        findings.push(finding);
    }
    findings
}

fn about(context: &Context<'_>, suppression: &Suppression, message: String) -> Finding {
    let subject = Subject::file(context.tree.path(suppression.span.file));
    let key = suppression.rules.join(",");
    Finding { key, ..Finding::new(&RULE.info, subject, suppression.span, message) }
}

fn rule(id: &str) -> Option<&'static RuleInfo> {
    super::find(id)
}

fn nearest(id: &str) -> Option<&'static str> {
    names::nearest(&id.to_lowercase(), RULES.iter().map(|rule| rule.info.id))
}
