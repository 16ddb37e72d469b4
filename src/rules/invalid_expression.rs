use super::{Context, Rule, Situation, wording::requeue};
use crate::{
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    flux::expression::ExpressionError,
    situation::{ExpressionFact, ExpressionProblem},
    source::Span,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "invalid-expression",
        summary: "A CEL expression that the controllers refuse, or that says something else than it seems to.",
        category: Category::Gate,
        severity: Severity::Error,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/invalid-expression.md"),
    },
    check,
};

const SYNTAX: &str =
    "correct the expression: CEL compares with `==`, joins with `&&` and `||`, and puts text in quotes";

const STALLED: &str = "Every reconciliation ends at once at Ready=False, reason InvalidCELExpression, and Stalled=True: nothing is applied any \
                       more, and all that depends on it waits.";

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations {
        let facts = situation.facts.expressions.iter();
        findings.extend(facts.map(|fact| situation.weighed(report(situation, fact), true)));
    }
}

fn report(situation: &Situation<'_>, fact: &ExpressionFact) -> Finding {
    let mut finding = match &fact.problem {
        ExpressionProblem::Refused(error) => refused(situation, fact, error),
        ExpressionProblem::NeverTrue => never_true(situation, fact),
        ExpressionProblem::Early { reads_status } => early(situation, fact, *reads_status),
        ExpressionProblem::Outdated => outdated(situation, fact),
        ExpressionProblem::Twice { first } => twice(situation, fact, *first),
        ExpressionProblem::NoKind(version) => no_kind(situation, fact, &version.to_string()),
        ExpressionProblem::Unread => unread(situation, fact),
        ExpressionProblem::NoCurrent => no_current(situation, fact),
        ExpressionProblem::Unsound { field, error } => unsound(situation, fact, field, error),
    };
    finding.confidence = fact.confidence;
    finding
}

fn finding(situation: &Situation<'_>, fact: &ExpressionFact, message: String, label: &str) -> Finding {
    let mut finding = situation.finding(&RULE.info, fact.subject.clone(), fact.span, message);
    finding.label = label.to_owned();
    finding
}

fn refused(situation: &Situation<'_>, fact: &ExpressionFact, error: &ExpressionError) -> Finding {
    let what = match error {
        ExpressionError::Syntax { .. } | ExpressionError::TooLarge => "does not parse",
        ExpressionError::Variable(_) => "names an unknown variable",
        ExpressionError::Function(_) => "calls an unknown function",
        ExpressionError::NotBool(_) => "is not a truth value",
    };
    let message = format!("the `readyExpr` of {} for `{}` {what}: {error}", fact.subject, fact.about);
    let mut finding = finding(situation, fact, message, &error.to_string());
    finding.why = "As soon as the check reaches this entry it ends at Ready=False, reason InvalidCELExpression, and Stalled=True: it is not \
                   tried again before the spec changes, and all that depends on it waits."
        .to_owned();
    finding.help = match error {
        ExpressionError::Variable(name) => format!(
            "the variables are `self`, the dependent, and `dep`, the dependency: write `dep.{name}`, or `self.{name}`"
        ),
        ExpressionError::NotBool("dyn") => {
            "a field has no static type: compare it, as in `dep.status.x == true`".to_owned()
        }
        ExpressionError::NotBool(_) => {
            "compare the value with something, so that the whole is true or false".to_owned()
        }
        ExpressionError::Function(_) => {
            "the functions are those of CEL and of its extensions for strings, sets, encoders and optional values; those of Kubernetes \
             are not there"
                .to_owned()
        }
        ExpressionError::Syntax { .. } | ExpressionError::TooLarge => SYNTAX.to_owned(),
    };
    finding
}

fn never_true(situation: &Situation<'_>, fact: &ExpressionFact) -> Finding {
    let message = format!(
        "the `readyExpr` of {} for `{}` is not true even when the dependency is Ready",
        fact.subject, fact.about
    );
    let mut finding = finding(situation, fact, message, "never true");
    finding.why = format!(
        "It stays at Ready=False, reason DependencyNotReady (`is not ready according to readyExpr eval`, or the error of the evaluation), and asks \
         again every {} forever.",
        requeue(situation.cluster, &fact.subject.kind)
    );
    finding.help = "mind that the status of a condition is text (`c.type == 'Ready' && c.status == 'True'`), and that a label which is not \
                    there is an error (`no such key`): test it with `'x' in dep.metadata.labels` first"
        .to_owned();
    finding
}

/// True although the dependency is not Ready. What reads no status at all was hardly meant to replace the check.
fn early(situation: &Situation<'_>, fact: &ExpressionFact, reads_status: bool) -> Finding {
    let message =
        format!("the `readyExpr` of {} for `{}` may be true before the dependency is Ready", fact.subject, fact.about);
    let mut finding = finding(situation, fact, message, "takes the place of the check for Ready");
    finding.severity = if reads_status { Severity::Info } else { Severity::Warning };
    finding.why = "A `readyExpr` replaces the controller's own check: neither the Ready condition, nor the generation, nor the revision is \
                   looked at. It starts while the dependency is still at work, or has failed."
        .to_owned();
    finding.help = "add `&& dep.status.conditions.exists(c, c.type == 'Ready' && c.status == 'True') && dep.status.observedGeneration == \
                    dep.metadata.generation`, or start the controller with `--feature-gates=AdditiveCELDependencyCheck=true`"
        .to_owned();
    finding
}

fn outdated(situation: &Situation<'_>, fact: &ExpressionFact) -> Finding {
    let message = format!("the `readyExpr` of {} for `{}` does not compare the generation", fact.subject, fact.about);
    let mut finding = finding(situation, fact, message, "true for an earlier spec as well");
    finding.severity = Severity::Info;
    finding.why =
        "After a change of the dependency it starts at once, since the Ready condition is still that of the earlier spec."
            .to_owned();
    finding.help = "add `&& dep.status.observedGeneration == dep.metadata.generation`".to_owned();
    finding
}

fn twice(situation: &Situation<'_>, fact: &ExpressionFact, first: Span) -> Finding {
    let message = format!("{} has two entries of `healthCheckExprs` for {}", fact.subject, fact.about);
    let mut finding = finding(situation, fact, message, "the second");
    finding.related.push(Related::new("the first", None, first));
    finding.why = STALLED.to_owned();
    finding.help =
        "keep one of them; the version counts for nothing, group and kind are what an entry is for".to_owned();
    finding
}

fn no_kind(situation: &Situation<'_>, fact: &ExpressionFact, version: &str) -> Finding {
    let message = format!(
        "an entry of `healthCheckExprs` of {} for {} has no `kind`, which Flux {version} asks for",
        fact.subject, fact.about
    );
    let mut finding = finding(situation, fact, message, "no `kind`");
    finding.why = "The API server refuses the object (`kind: Required value`), so whatever applies it ends at ReconciliationFailed. Entries for \
                   a whole group came with Flux 2.9."
        .to_owned();
    finding.help = "write an entry for each kind".to_owned();
    finding
}

/// A limit of this program. Nothing is known of the expression.
fn unread(situation: &Situation<'_>, fact: &ExpressionFact) -> Finding {
    let message = format!("{} {}", fact.subject, fact.clause());
    let mut finding = finding(situation, fact, message, "the first that is not read");
    finding.severity = Severity::Info;
    finding.why =
        "The controllers have no such limit. Whether the expressions from here on are valid is not known.".to_owned();
    finding.help = "write shorter expressions, or the same one in more places: each text counts once".to_owned();
    finding
}

fn no_current(situation: &Situation<'_>, fact: &ExpressionFact) -> Finding {
    let message = format!("the entry of `healthCheckExprs` of {} for {} has no `current`", fact.subject, fact.about);
    let mut finding = finding(situation, fact, message, "no `current`");
    finding.why = "Without `current` the API server refuses the object (`Required value`), and with an empty one it ends at Ready=False, \
                   reason InvalidCELExpression (`expression Current not specified`), and Stalled=True."
        .to_owned();
    finding.help = "add `current`, the expression that is true once the object is as it should be".to_owned();
    finding
}

fn unsound(situation: &Situation<'_>, fact: &ExpressionFact, field: &str, error: &ExpressionError) -> Finding {
    let of = format!("the `{field}` expression of {} for {}", fact.subject, fact.about);
    let ExpressionError::Variable(name) = error else {
        let mut finding = finding(situation, fact, format!("{of} does not parse: {error}"), &error.to_string());
        finding.why = STALLED.to_owned();
        finding.help = SYNTAX.to_owned();
        return finding;
    };
    let message = format!("{of} names `{name}`, which is no field of the object");
    let mut finding = finding(situation, fact, message, &error.to_string());
    finding.why = "It is accepted, and fails whenever it is evaluated: the object is Unknown to the health check until that times out \
                   (HealthCheckFailed)."
        .to_owned();
    finding.help = format!(
        "the variables are the fields of the object itself: leave out `{name}.`, as in `status.phase == 'Ready'`"
    );
    finding
}
