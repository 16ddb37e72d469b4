//! The sentences that head answers about cold starts.

use super::times;
use crate::{
    finding::Subject,
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
