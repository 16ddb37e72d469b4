//! The sentences that head answers about cold starts.

use std::time::Duration;

use super::times;
use crate::{
    change::{Diff, Minutes},
    finding::{about, count},
    query::{ClusterOutcome, ClusterTimeline, ClusterWhatIf, OutcomeCounts, Range, ReportedObstacle, Sides},
    report::printable,
};

/// When a cluster, or the object that was asked about, is Ready.
pub(super) fn timeline(cluster: &ClusterTimeline, profile: &str) -> String {
    let counts = cluster.outcome.counts;
    let is_all = counts.ready == counts.total();
    let what = match &cluster.to {
        Some(to) => to.to_string(),
        None if is_all => "The whole cluster".to_owned(),
        None => "The last of the others".to_owned(),
    };
    match cluster.total.filter(|_| counts.ready > 0 || cluster.to.is_some()) {
        Some(total) => format!(
            "{what} is Ready after {}, counted from the first reconciliation, with empty image caches on {profile} hardware, timeouts and \
             failed attempts left out.",
            times(total),
        ),
        None if cluster.to.is_none() => "None becomes Ready.".to_owned(),
        None => format!("{what} is never Ready."),
    }
}

/// How many Kustomizations become Ready, and what keeps the others from it; nothing where all do.
pub(super) fn outcome(outcome: &ClusterOutcome) -> String {
    let counts = outcome.counts;
    if counts.ready == counts.total() {
        return String::new();
    }
    let mut text = format!("{} of {} {OBJECTS} become Ready", counts.ready, counts.total());
    if counts.suspended > 0 {
        text.push_str(&format!("; {} suspended", counts.suspended));
    }
    if counts.never_ready > 0 {
        let verb = if counts.never_ready == 1 { "does" } else { "do" };
        text.push_str(&format!("; {} never {verb}", counts.never_ready));
    }
    text + &listed(outcome.obstacles.iter().map(|obstacle| (obstacle, "")))
}

/// The end of a sentence, and what stops the objects that it counts, one to a line, each with a remark behind it.
fn listed<'o>(obstacles: impl ExactSizeIterator<Item = (&'o ReportedObstacle, &'static str)>) -> String {
    let more = obstacles.len().saturating_sub(OBSTACLES);
    let mut text = String::from(if obstacles.len() == 0 { ".\n" } else { ":\n" });
    for (obstacle, remark) in obstacles.take(OBSTACLES) {
        let place = obstacle.location.as_ref().map(|place| format!(" ({place})")).unwrap_or_default();
        let line = format!("{}{place}{remark}", obstacle.message);
        text.push_str(&format!("  {:>4}  {}\n", obstacle.stops.len(), printable(&line)));
    }
    if more > 0 {
        text.push_str(&format!("        and {more} more causes\n"));
    }
    text
}

/// What is counted.
const OBJECTS: &str = "Kustomizations and HelmReleases";

/// Causes that are named.
const OBSTACLES: usize = 10;

/// How many Kustomizations become Ready on both sides; nothing where all do. `as_it_is` follows the number of the side before.
fn both(counts: Sides<OutcomeCounts>, as_it_is: &str) -> Option<String> {
    let Sides { before, after } = counts;
    if counts.before.ready == before.total() && after.ready == after.total() {
        return None;
    }
    let now = format!("{} of {} {OBJECTS} become Ready", after.ready, after.total());
    Some(match before {
        _ if before.total() == 0 => now,
        _ if before == after => format!("{now}, as many as {as_it_is}"),
        _ => format!("{now}, {} of {} {as_it_is}", before.ready, before.total()),
    })
}

/// What keeps Kustomizations from becoming Ready after a change, one to a line, with whether the change makes it.
pub(super) fn causes(outcome: &Sides<ClusterOutcome>) -> impl ExactSizeIterator<Item = (&ReportedObstacle, bool)> {
    let is_known = |one: &ReportedObstacle| {
        outcome.before.obstacles.iter().any(|other| other.message == one.message && other.cause == one.cause)
    };
    outcome.after.obstacles.iter().map(move |one| (one, !is_known(one)))
}

/// How many Kustomizations become Ready, as it is and with the changes, and what keeps the others from it.
pub(super) fn what_if_outcome(cluster: &ClusterWhatIf) -> String {
    let counts = cluster.outcome.as_ref().map(|outcome| outcome.counts);
    let Some(both) = both(counts, "as it is") else { return String::new() };
    let causes = causes(&cluster.outcome).map(|(obstacle, is_new)| (obstacle, if is_new { "" } else { ", as it is" }));
    format!("Then {both}{}", listed(causes))
}

/// When the last Kustomization is Ready, as it is and with the changes.
pub(super) fn what_if(cluster: &ClusterWhatIf, profile: &str) -> String {
    let in_words =
        |total: Option<Range>| total.map_or_else(|| "never".to_owned(), |total| format!("after {}", times(total)));
    let Sides { before, after } = cluster.total.map(in_words);
    let is_all = |outcome: &ClusterOutcome| outcome.counts.ready == outcome.counts.total();
    let last = |is_all: bool| if is_all { "the last Kustomization" } else { "the last of those that do" };
    let all = cluster.outcome.as_ref().map(is_all);
    let start = format!("In a cold start on {profile} hardware {} is Ready {before} as it is", last(all.before));
    match all {
        Sides { before: true, after: false } => format!("{start}, and {} {after} then.", last(false)),
        _ => format!("{start}, and {after} then."),
    }
}

/// What the controllers make of both.
pub(super) fn simulated(cluster: &ClusterWhatIf) -> String {
    let (totals, never) = (cluster.simulated_total_s, cluster.simulated_never_ready);
    let side = |total: String, never: usize| match never {
        0 => format!("after about {total}"),
        _ => format!("after about {total}, without {never} that never are"),
    };
    let before = side(totals.before.about(), never.before);
    let after = side(totals.after.about(), never.after);
    format!(
        "With workers, timeouts and retries the controllers have everything Ready, charts too, {before} as it is, and {after} then."
    )
}

/// The figures of a comparison in one sentence.
pub(super) fn diff(diff: &Diff) -> String {
    let summary = diff.summary;
    let findings =
        format!("{}, {} fixed, {} known before", count(summary.new, "new finding"), summary.fixed, summary.known);
    if diff.clusters.is_empty() {
        return format!("{findings}; no cluster is built otherwise than before");
    }
    let counts = diff.clusters.iter().map(|cluster| cluster.cold_start.outcome.as_ref().map(|outcome| outcome.counts));
    let counts = counts.fold(Sides::<OutcomeCounts>::default(), |sum, one| Sides {
        before: sum.before.plus(one.before),
        after: sum.after.plus(one.after),
    });
    let is_less = counts.after.never_ready > counts.before.never_ready;
    let findings = match both(counts, "before") {
        Some(both) if diff.clusters.len() > 1 => format!("in what changes {both}; {findings}"),
        Some(both) => format!("{both}; {findings}"),
        None => findings,
    };
    if is_less {
        return findings;
    }
    match diff.clusters.as_slice() {
        [one] => match one.cold_start.seconds().filter(|seconds| seconds.abs() >= 30) {
            Some(seconds) => {
                let word = if seconds < 0 { "shorter" } else { "longer" };
                let by = about(Duration::from_secs(seconds.unsigned_abs()));
                format!("{findings}; the cold start is {by} {word}")
            }
            None => findings,
        },
        _ => findings,
    }
}

/// The two totals of a cold start, and what lies between them.
pub(super) fn minutes(minutes: &Minutes) -> String {
    // What never happens any more makes nothing faster.
    let counts = minutes.outcome.as_ref().map(|outcome| outcome.counts);
    let is_less = counts.after.never_ready > counts.before.never_ready;
    let between = match minutes.seconds() {
        Some(seconds) if is_less && seconds < 0 => ", without what is never Ready".to_owned(),
        Some(seconds) if seconds.abs() < 5 => ", as before".to_owned(),
        Some(seconds) => {
            let word = if seconds < 0 { "less" } else { "more" };
            format!(", {} {word}", about(Duration::from_secs(seconds.unsigned_abs())))
        }
        None => String::new(),
    };
    let Sides { before, after } = minutes.total.map(|total| total.map_or_else(|| "nothing".to_owned(), times));
    format!("{before} → {after}{between}")
}

/// How many Kustomizations of a cluster become Ready, and how many did; nothing where all do.
pub(super) fn cluster_outcome(minutes: &Minutes) -> Option<String> {
    both(minutes.outcome.as_ref().map(|outcome| outcome.counts), "before")
}
