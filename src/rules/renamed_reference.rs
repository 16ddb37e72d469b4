use super::{Context, Rule, Situation, dependencies, references};
use crate::{
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Subject, Tier},
    situation::{DependencyProblem, Rename, SourceProblem},
    source::Span,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "renamed-reference",
        summary: "An overlay renames or moves Flux objects, but not the references between them.",
        category: Category::Reference,
        severity: Severity::Error,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/renamed-reference.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations {
        for fact in &situation.facts.dependencies {
            if let DependencyProblem::Renamed(rename) = &fact.problem {
                let broken = Broken { subject: &fact.subject, at: fact.span, clause: fact.clause() };
                let mut finding = report(situation, broken, "`dependsOn` entry", rename);
                finding.why.push_str(&format!(" {}.", dependencies::symptom(situation.cluster, fact)));
                findings.push(finding);
            }
        }
        for fact in &situation.facts.sources {
            if let SourceProblem::Renamed(rename) = &fact.problem {
                let used = &fact.used;
                let broken = Broken { subject: &used.subject, at: used.span, clause: fact.clause() };
                let mut finding = report(situation, broken, &format!("`{}`", used.field), rename);
                finding.why.push_str(&format!(" {}", references::symptom(used)));
                findings.push(finding);
            }
        }
    }
}

/// A reference that leads nowhere: whose it is, where it stands, and what is wrong with it.
struct Broken<'a> {
    subject: &'a Subject,
    at: Span,
    clause: String,
}

fn report(situation: &Situation<'_>, broken: Broken<'_>, field: &str, rename: &Rename) -> Finding {
    let message = format!("{} {}", broken.subject, broken.clause);
    let mut finding = situation.finding(&RULE.info, broken.subject.clone(), broken.at, message);
    match rename {
        Rename::Target { object, place, affix } => {
            finding.label = "the name from before".to_owned();
            finding.related.push(Related::new("this prefix or suffix renames it", None, *affix));
            finding.related.push(Related::new("the object that is meant", Some(object.clone()), *place));
            finding.why = "kustomize follows a new name in references between the kinds of Kubernetes only; what Flux objects call each other stays as \
                           it is written."
                .to_owned();
            finding.help = format!(
                "write `{}` in the {field}, or name the field in a `configurations` file (`nameReference`), or do without the prefix or suffix",
                object.name
            );
        }
        Rename::Referrer { from, moved_by } => {
            finding.label = "looked up in the new namespace".to_owned();
            finding.related.push(Related::new("this sets the namespace", None, *moved_by));
            finding.why = "A reference without `namespace` is looked up in the namespace that the object has after the build, and that is another one \
                           than in its file."
                .to_owned();
            finding.help = format!("set `namespace: {from}` in the {field}, or leave the object in its namespace");
        }
    }
    finding
}
