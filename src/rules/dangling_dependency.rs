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
        for fact in &situation.facts.dependencies {
            if let DependencyProblem::Nowhere { elsewhere, similar } = &fact.problem {
                findings.push(report(situation, fact, elsewhere, similar.as_deref()));
            }
        }
    }
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
