//! The sentences that head answers about cold starts.

use std::time::Duration;

use super::times;
use crate::{
    change::{Diff, Minutes},
    finding::{about, count},
    query::{ClusterOutcome, ClusterTimeline, ClusterWhatIf, Range, Sides},
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
    match cluster.total {
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
    let mut text = format!("{} of {} become Ready", counts.ready, count(counts.total(), "Kustomization"));
    if counts.suspended > 0 {
        text.push_str(&format!("; {} suspended", counts.suspended));
    }
    if counts.never_ready > 0 {
        let verb = if counts.never_ready == 1 { "does" } else { "do" };
        text.push_str(&format!("; {} never {verb}", counts.never_ready));
    }
    text.push_str(if outcome.obstacles.is_empty() { ".\n" } else { ":\n" });
    for obstacle in outcome.obstacles.iter().take(OBSTACLES) {
        let place = obstacle.location.as_ref().map(|place| format!(" ({place})")).unwrap_or_default();
        text.push_str(&format!("  {:>4}  {}{place}\n", obstacle.stops.len(), printable(&obstacle.message)));
    }
    if let Some(more) = outcome.obstacles.len().checked_sub(OBSTACLES).filter(|more| *more > 0) {
        text.push_str(&format!("        and {more} more causes\n"));
    }
    text
}

/// Causes that are named.
const OBSTACLES: usize = 10;

/// When the last Kustomization is Ready, as it is and with the changes.
pub(super) fn what_if(cluster: &ClusterWhatIf, profile: &str) -> String {
    let in_words =
        |total: Option<Range>| total.map_or_else(|| "never".to_owned(), |total| format!("after {}", times(total)));
    let Sides { before, after } = cluster.total.map(in_words);
    let start = format!("In a cold start on {profile} hardware the last Kustomization is Ready {before} as it is");
    match cluster.nodes.iter().filter(|node| node.is_lost()).count() {
        0 => format!("{start}, and {after} then."),
        // The minutes of the rest alone would look like a gain.
        lost => {
            let lost = if lost == 1 { "one Kustomization is".to_owned() } else { format!("{lost} Kustomizations are") };
            format!("{start}. Then {lost} never Ready, and the last of the others {after}.")
        }
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
    let never = diff.clusters.iter().map(|cluster| cluster.cold_start.never_ready);
    let (before, after) = never.fold((0, 0), |(before, after), never| (before + never.before, after + never.after));
    if after > before {
        return format!("{findings}; never Ready any more: {}", count(after - before, "Kustomization"));
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
    let is_less = minutes.never_ready.after > minutes.never_ready.before;
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
