//! What changes would do to a cold start: the text of `fluxdag what-if`.

use super::{Text, head, headline, paragraph};
use crate::{
    finding::about,
    query::{ClusterWhatIf, NodeWhatIf, Range, Sides, WhatIf},
    report::{Terminal, printable},
};

/// Nodes that are named; the rest is counted.
const MOST: usize = 20;

impl Text for WhatIf {
    fn text(&self, terminal: &Terminal) -> String {
        let [cluster] = &self.clusters;
        let mut text = head(&cluster.cluster, "What if", terminal);
        for change in &cluster.changes {
            text.push_str(&format!("  {}\n", printable(change)));
        }
        text.push('\n');
        text.push_str(&headline::what_if_outcome(cluster));
        text.push_str(&paragraph(&headline::what_if(cluster, self.profile), terminal));
        text.push_str(&paragraph(&headline::simulated(cluster), terminal));
        text + &nodes(cluster)
    }
}

/// The Kustomizations that change, one below the other.
fn nodes(cluster: &ClusterWhatIf) -> String {
    let changed: Vec<&NodeWhatIf> = cluster.nodes.iter().filter(|node| node.is_change()).collect();
    if changed.is_empty() {
        return "\nNo Kustomization is Ready earlier or later.\n".to_owned();
    }
    let mut text = "\nReady, as it is and then:\n".to_owned();
    let typical = |times: Option<Range>| times.map_or_else(|| "never".to_owned(), |times| about(times.typical));
    for node in changed.iter().take(MOST) {
        let Sides { before, after } = node.ready.map(typical);
        let before = if node.is_new { "new".to_owned() } else { before };
        let line = format!("  {before:>8}  {after:>8}  {}{}", node.node, difference(node.ready));
        text.push_str(&printable(&line));
        text.push('\n');
    }
    if changed.len() > MOST {
        text.push_str(&format!("  and {} more\n", changed.len() - MOST));
    }
    text
}

/// How much earlier or later, as the end of a line.
fn difference(ready: Sides<Option<Range>>) -> String {
    match (ready.before, ready.after) {
        (Some(before), Some(after)) if after.typical < before.typical => {
            format!(" ({} earlier)", about(before.typical - after.typical))
        }
        (Some(before), Some(after)) => format!(" ({} later)", about(after.typical.saturating_sub(before.typical))),
        _ => String::new(),
    }
}
