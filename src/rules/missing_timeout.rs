use std::time::Duration;

use super::{
    Context, Rule, Situation,
    attempts::{Need, cancels_for_new_revision},
    wording::short_list,
};
use crate::{
    cluster::{Node, NodeId},
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    flux::{format_duration, kustomization_timeout, parse_duration},
    source::Span,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "missing-timeout",
        summary: "A gate has no `timeout` of its own, so that its health check may last as long as its interval.",
        category: Category::Time,
        severity: Severity::Info,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/missing-timeout.md"),
    },
    check,
};

/// Budgets in between are what one would write (the documentation of Flux has 2 to 15 minutes).
const SHORT: Duration = Duration::from_secs(60);
const LONG: Duration = Duration::from_secs(20 * 60);

/// So many others are named.
const NAMED: usize = 8;

/// A gate whose budget nobody chose.
struct Unset<'a> {
    id: NodeId,
    node: &'a Node,
    budget: Duration,
    /// Whether a timeout is written, and raised.
    is_raised: bool,
}

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations.iter().filter(|situation| situation.cluster.reached) {
        findings.extend(report(situation));
    }
}

fn unset(id: NodeId, node: &Node) -> Option<Unset<'_>> {
    let spec = &node.kustomization.spec;
    if !node.has_gate() || spec.suspend || node.is_remote() || node.is_generated {
        return None;
    }
    let budget = kustomization_timeout(spec)?;
    let is_raised = match &spec.timeout {
        Some(timeout) => parse_duration(timeout)? < budget,
        None => false,
    };
    let is_surprise = is_raised || (spec.timeout.is_none() && (budget <= SHORT || budget >= LONG));
    is_surprise.then_some(Unset { id, node, budget, is_raised })
}

impl Unset<'_> {
    fn span(&self) -> Span {
        self.node.kustomization.span(&["spec", if self.is_raised { "timeout" } else { "interval" }])
    }

    /// How the budget comes about.
    fn rule(&self) -> &'static str {
        match (self.is_raised, self.budget < SHORT) {
            (true, _) => "a `timeout` below 30 s is raised to that",
            (false, true) => "`timeout` is unset: it is the interval less 30 s, and at least 30 s",
            (false, false) => "`timeout` is unset: it is the interval less 30 s",
        }
    }
}

fn report(situation: &Situation<'_>) -> Option<Finding> {
    let mut all: Vec<Unset<'_>> = situation.cluster.nodes().filter_map(|(id, node)| unset(id, node)).collect();
    // What is too short fails in a cold start; what is long costs only once something is broken.
    all.sort_by_key(|unset| (unset.budget > SHORT, std::cmp::Reverse(unset.budget), unset.id));
    let first = all.first()?;
    let budget = format_duration(first.budget);
    let subject = first.node.subject();
    let names: Vec<String> = all.iter().map(|unset| unset.node.key.name.to_string()).collect();
    let has = if first.is_raised { "a `timeout` below 30 s" } else { "no `timeout`" };
    let message = match names.len() {
        1 => format!("{subject} waits with {has}: its health check may last {budget}"),
        count => format!(
            "{count} Kustomizations wait with no `timeout` that counts ({}): the health check of {} may last {budget}",
            short_list(&names, 6),
            first.node.key.name
        ),
    };
    let mut finding = situation.finding(&RULE.info, subject, first.span(), message);
    finding.label = first.rule().to_owned();
    for unset in all.iter().skip(1).take(NAMED) {
        let text = format!("the health check of {} may last {}", unset.node.key.name, format_duration(unset.budget));
        finding.related.push(Related::new(text, Some(unset.node.subject()), unset.span()));
    }
    finding.why = why(situation, first);
    let need = Need::above(Duration::ZERO, situation, first.id).map_or(Duration::ZERO, |need| need.range.high);
    let minutes = need.as_secs().div_ceil(300).max(1) * 5;
    let each = if all.len() == 1 {
        ""
    } else {
        ", and one that fits on each of the others, or one for all by a patch in their parent"
    };
    finding.help = format!("set `spec.timeout: {minutes}m`, which covers a slow day of what it waits for{each}");
    Some(finding)
}

fn why(situation: &Situation<'_>, unset: &Unset<'_>) -> String {
    let budget = format_duration(unset.budget);
    if unset.budget <= SHORT {
        return format!(
            "What takes longer than {budget} to become healthy fails the first attempts (reason HealthCheckFailed) although nothing is \
             wrong, and whoever shortens the interval later shortens the timeout with it."
        );
    }
    let workers = situation.cluster.controllers.kustomize.workers().value;
    let mut why = format!(
        "Where something it waits for is broken, {} holds one of kustomize-controller's {workers} workers for {budget}, and its \
         status is Progressing as long; only then does Ready=False, reason HealthCheckFailed, tell what is missing.",
        unset.node.subject()
    );
    if !cancels_for_new_revision(situation) {
        why.push_str(" A commit that mends it is applied only after that.");
    }
    why
}
