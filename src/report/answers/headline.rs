//! The sentences that head answers about cold starts.

use std::time::Duration;

use super::times;
use crate::{
    change::{Diff, Minutes},
    finding::{Subject, about, count},
    query::{ClusterTimeline, ClusterWhatIf, Range, Sides},
};

/// When a cluster, or the object that was asked about, is Ready.
pub(super) fn timeline(cluster: &ClusterTimeline, profile: &str) -> String {
    let what = cluster.to.as_ref().map_or_else(|| "The whole cluster".to_owned(), Subject::to_string);
    match cluster.total {
        Some(total) => format!(
            "{what} is Ready after {}, counted from the first reconciliation, with empty image caches on {profile} hardware, timeouts and \
             failed attempts left out.",
            times(total),
        ),
        None => format!("{what} is never Ready."),
    }
}

/// When the last Kustomization is Ready, as it is and with the changes.
pub(super) fn what_if(cluster: &ClusterWhatIf, profile: &str) -> String {
    let told =
        |total: Option<Range>| total.map_or_else(|| "never".to_owned(), |total| format!("after {}", times(total)));
    let Sides { before, after } = cluster.total.map(told);
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

/// What the controllers make of both; `None` where that is not simulated.
pub(super) fn simulated(cluster: &ClusterWhatIf) -> Option<String> {
    let (totals, never) = (cluster.simulated_total_s?, cluster.simulated_never_ready?);
    let told = |total: String, never: usize| match never {
        0 => format!("after about {total}"),
        _ => format!("after about {total}, without {never} that never are"),
    };
    let before = told(totals.before.about(), never.before);
    let after = told(totals.after.about(), never.after);
    Some(format!(
        "With workers, timeouts and retries the controllers have everything Ready, charts too, {before} as it is, and {after} then."
    ))
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
