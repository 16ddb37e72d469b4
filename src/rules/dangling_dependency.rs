use std::collections::BTreeSet;

use super::{
    Context, Rule, Situation,
    dependencies::{doubted, symptom},
    wording::short_list,
};
use crate::{
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    situation::{DependencyFact, DependencyProblem, Elsewhere},
    source::Span,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "dangling-dependency",
        summary: "A `dependsOn` entry names something that nothing in the cluster defines.",
        category: Category::Reference,
        severity: Severity::Error,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/dangling-dependency.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations {
        let (outside, facts): (Vec<_>, Vec<_>) =
            situation.facts.dependencies.iter().partition(|fact| fact.outside.is_some());
        for fact in facts {
            if let DependencyProblem::Nowhere { elsewhere, similar } = &fact.problem {
                findings.push(report(situation, fact, elsewhere, similar.as_deref()));
            }
        }
        findings.extend(report_outside(situation, &outside));
    }
}

/// One finding for all that another repository may define.
fn report_outside(situation: &Situation<'_>, facts: &[&DependencyFact]) -> Option<Finding> {
    let (first, others) = facts.split_first()?;
    let wanted: BTreeSet<String> = facts.iter().map(|fact| fact.wanted().to_string()).collect();
    let wanted: Vec<String> = wanted.into_iter().collect();
    let namespaces: BTreeSet<String> = facts.iter().map(|fact| format!("`{}`", fact.namespace)).collect();
    let namespaces: Vec<String> = namespaces.into_iter().collect();
    let (is, they) = if wanted.len() == 1 { ("is", "it") } else { ("are", "them") };
    let message = format!(
        "{} {} on {}, in namespaces that nothing here knows",
        subjects(facts),
        if facts.len() == 1 { "depends" } else { "depend" },
        short_list(&wanted, 4)
    );
    let message = if namespaces.len() == 1 { message.replace("namespaces that", "a namespace that") } else { message };
    let mut finding = situation.finding(&RULE.info, first.subject.clone(), first.span, message);
    finding.severity = Severity::Warning;
    finding.confidence = Confidence::Medium;
    finding.key = "outside".to_owned();
    finding.label = format!("{is} in no file of this repository");
    for fact in others {
        finding.related.push(Related::new("and here", Some(fact.subject.clone()), fact.span));
    }
    let sign = first.outside.as_deref().unwrap_or_default();
    finding.why = format!(
        "Nothing of this repository is in {}, and {sign}: another repository may well feed this cluster too. Where it does not define {they}, \
         what depends on {they} waits forever.",
        short_list(&namespaces, 4)
    );
    finding.help = format!(
        "where another repository defines {they}, name {they} as `[[externals]]` in fluxdag.toml, or map that repository to a folder by \
         `[sources]`; else define {they} here, or remove the entries"
    );
    Some(finding)
}

/// The dependents, where they are few; else how many.
fn subjects(facts: &[&DependencyFact]) -> String {
    let subjects: BTreeSet<String> = facts.iter().map(|fact| fact.subject.to_string()).collect();
    let subjects: Vec<String> = subjects.into_iter().collect();
    short_list(&subjects, 3)
}

fn report(situation: &Situation<'_>, fact: &DependencyFact, elsewhere: &[Elsewhere], similar: Option<&str>) -> Finding {
    let message = format!("{} {}", fact.subject, fact.clause());
    let mut finding = situation.finding(&RULE.info, fact.subject.clone(), fact.span, message);
    finding.key = fact.wanted().to_string();
    finding.label = "no such object".to_owned();
    let roots: Vec<String> = elsewhere.iter().filter_map(|other| other.cluster.clone()).collect();
    let unreached: Vec<Span> =
        elsewhere.iter().filter(|other| other.cluster.is_none()).map(|other| other.place).collect();
    for (root, place) in elsewhere.iter().filter_map(|other| Some((other.cluster.as_ref()?, other.place))).take(3) {
        finding.related.push(Related::new(format!("defined here, for cluster {root} only"), None, place));
    }
    for place in unreached.iter().take(3) {
        finding.related.push(Related::new("defined here, in a file that no entry point reaches", None, *place));
    }
    let mut help = Vec::new();
    if let Some(similar) = similar {
        help.push(format!("did you mean `{similar}`?"));
    }
    if !roots.is_empty() {
        help.push(format!("the name exists in cluster {} but not in this one", short_list(&roots, 3)));
    }
    if !unreached.is_empty() {
        help.push("the name is defined in a file that is not part of this cluster: list that file where its neighbours are listed".to_owned());
    }
    help.push("define the dependency in this cluster, or remove the entry".to_owned());
    finding.help = help.join("; ");
    finding.why = format!("{}; whatever depends on it is held back as well.", symptom(situation.cluster, fact));
    situation.weighed(doubted(finding, fact), false)
}
