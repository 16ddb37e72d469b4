use std::{collections::BTreeSet, time::Duration};

use super::{Context, Rule, Situation, wording::about};
use crate::{
    catalog::Range,
    cluster::{Cluster, NodeKey, ObjectKey},
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Subject, Tier},
    graph::{Actor, EventId, Moment},
    situation::State,
    timing::{Culprit, Loss, culprit, differences},
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "path-regression",
        summary: "A change makes the cold start of a cluster, or of a Kustomization, longer by a minute and a tenth or more.",
        category: Category::Change,
        severity: Severity::Warning,
        confidence: Confidence::Medium,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/path-regression.md"),
    },
    check,
};

/// Less is no regression.
const LEAST: Duration = Duration::from_secs(60);

/// Nor is less than this part of what it was.
const PART: u32 = 10;

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (before, after) in context.changed() {
        findings.extend(report(before, after));
    }
}

fn is_regression(before: Range, after: Range) -> bool {
    let more = after.typical.saturating_sub(before.typical);
    more >= LEAST && more * PART >= before.typical
}

/// One for a cluster: of the whole, where that takes longer, else of the Kustomization that is delayed most.
fn report(before: &Situation<'_>, after: &Situation<'_>) -> Option<Finding> {
    let total = |situation: &Situation<'_>| {
        let last = situation.cold_start.last(&situation.graph)?;
        Some((last, situation.cold_start.time(last)?))
    };
    // What was never Ready is late now, and that is better.
    let delayed: Vec<(NodeKey, [Range; 2])> = differences(before.side(), after.side())
        .into_iter()
        .filter(|(_, [one, other])| is_regression(*one, *other))
        .collect();
    let whole = total(before).zip(total(after));
    let whole = whole.filter(|((_, one), (end, other))| {
        let mut path = after.cold_start.critical_path(*end).into_iter();
        let is_mended = |id| match after.graph.event(id).actor {
            Actor::Node(node) => {
                let known = before.cluster.find(&after.cluster.node(node).key);
                known.is_some_and(|known| before.state(Actor::Node(known)) == State::Never)
            }
            _ => false,
        };
        is_regression(*one, *other) && !path.any(is_mended)
    });
    if let Some(((_, one), (end, other))) = whole {
        let late = Late { what: "the cold start of the cluster".to_owned(), end, times: [one, other], is_whole: true };
        return finding(before, after, late, &delayed);
    }
    let (key, times) = delayed.first()?.clone();
    let end = after.graph.id(Actor::Node(after.cluster.find(&key)?), Moment::Ready)?;
    let what = format!("the way to {} Ready", key.subject("Kustomization"));
    finding(before, after, Late { what, end, times, is_whole: false }, &delayed)
}

/// What comes later than before.
struct Late {
    what: String,
    end: EventId,
    times: [Range; 2],
    is_whole: bool,
}

/// The Kustomizations that apply an object, and what applies those; a Kustomization itself is one of them.
fn own(cluster: &Cluster, subject: &Subject) -> BTreeSet<NodeKey> {
    let namespace = subject.namespace.as_deref().unwrap_or_default();
    let mut open = match subject.kind.as_str() {
        "Kustomization" => vec![NodeKey::new(namespace, subject.name.as_str())],
        kind => {
            let is_it = |key: &ObjectKey| key.kind == kind && key.namespace == namespace && key.name == subject.name;
            let providers = cluster.objects.iter().filter(|(key, _)| is_it(key)).flat_map(|(_, providers)| providers);
            providers.map(|provider| cluster.node(provider.node).key.clone()).collect()
        }
    };
    let mut found = BTreeSet::new();
    while let Some(key) = open.pop() {
        let manifests = cluster.find(&key).map(|id| cluster.node(id).manifests.iter());
        if found.insert(key) {
            open.extend(manifests.into_iter().flatten().filter_map(|manifest| manifest.owner.clone()));
        }
    }
    found
}

fn finding(
    before: &Situation<'_>,
    after: &Situation<'_>,
    Late { what, end, times: [was, is], is_whole }: Late,
    delayed: &[(NodeKey, [Range; 2])],
) -> Option<Finding> {
    // What never came about before is longer than ever now, and mended.
    let found = culprit(after.side(), before.side(), end).filter(|found| found.cause != Loss::Happens)?;
    let by = is.typical.saturating_sub(was.typical);
    let message = format!(
        "{what} takes about {} instead of {}, {} longer: {}",
        about(is.typical),
        about(was.typical),
        about(by),
        found.text(false)
    );
    let mut finding = after.finding(&RULE.info, found.subject.clone(), found.place, message);
    finding.label = match &found.cause {
        Loss::New => "new, and on the critical path".to_owned(),
        Loss::Waits(_, reported) => reported.clone(),
        Loss::Takes | Loss::Happens => format!("takes about {} longer", about(found.by)),
    };
    for (key, [one, other]) in delayed.iter().take(MOST) {
        let id = after.cluster.find(key)?;
        let text = format!("Ready after about {} instead of {}", about(other.typical), about(one.typical));
        let at = after.cluster.node(id).span();
        finding.related.push(Related::new(text, Some(key.subject("Kustomization")), at));
    }
    // What is new takes the time that it takes, and who waits for more is later: whoever changed that sees as much. What is
    // late because of others is another matter.
    let own = own(after.cluster, &found.subject);
    let is_alone = delayed.iter().all(|(key, _)| own.contains(key));
    if is_alone && (!is_whole || matches!(found.cause, Loss::New)) {
        finding.severity = Severity::Info;
    }
    finding.why = format!(
        "Counted from the first reconciliation with typical durations on {} hardware, timeouts left out, before the change and after it: a \
         rebuild takes that much longer, and with dependencies in one source so may each commit.",
        after.durations.profile()
    );
    if delayed.len() > MOST {
        finding.why.push_str(&format!(" {} Kustomizations are later in all.", delayed.len()));
    }
    finding.help = help(&found);
    Some(finding)
}

/// Delayed Kustomizations that are shown.
const MOST: usize = 5;

fn help(culprit: &Culprit) -> String {
    let subject = Subject::to_string(&culprit.subject);
    match &culprit.cause {
        Loss::New => format!("keep {subject} out of what others wait for, for instance in a Kustomization of its own that nothing depends on"),
        Loss::Waits(..) => "drop the dependency or the wait, if nothing needs it, or let it be on a smaller Kustomization: `fluxdag what-if` \
                            says what that saves"
            .to_owned(),
        Loss::Takes | Loss::Happens => format!("check what changed in {subject}; `fluxdag timeline` says what its time goes to"),
    }
}
