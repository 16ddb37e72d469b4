//! What a commit costs in a running cluster: the text of `fluxdag timeline --commit`.

use super::{Text, head, paragraph};
use crate::{
    finding::count,
    query::{Commit, Seconds, SourceCommit},
    report::{Terminal, printable},
};

/// Kustomizations that are named; the rest is counted.
const MOST: usize = 30;

impl Text for Commit {
    fn text(&self, terminal: &Terminal) -> String {
        if self.clusters.is_empty() {
            return paragraph("No Kustomization is built from that: nothing new is applied.", terminal);
        }
        let commits = self.clusters.iter().flat_map(|one| one.commits.iter().map(move |commit| (&one.cluster, commit)));
        let texts: Vec<String> =
            commits.map(|(cluster, commit)| of_source(cluster, commit, self.profile, terminal)).collect();
        texts.join("\n")
    }
}

fn of_source(cluster: &str, commit: &SourceCommit, profile: &str, terminal: &Terminal) -> String {
    let mut text = head(cluster, "A commit", terminal);
    let changed = commit.nodes.iter().filter(|node| node.is_changed).count();
    let sentence = format!(
        "A new revision of {} reconciles {}, of which {changed} {} what the commit changes. All are Ready at it after about {} on \
         {profile} hardware.",
        commit.source,
        count(commit.nodes.len(), "Kustomization"),
        if changed == 1 { "applies" } else { "apply" },
        commit.simulated_total_s.about(),
    );
    text.push_str(&paragraph(&sentence, terminal));
    text.push_str("\nReady after (* applies what changes):\n");
    for node in commit.nodes.iter().take(MOST) {
        let mark = if node.is_changed { '*' } else { ' ' };
        let at = node.simulated.ready_s.map_or_else(|| "never".to_owned(), Seconds::about);
        text.push_str(&printable(&format!("{mark} {at:>8}  {}", node.node)));
        text.push('\n');
    }
    if commit.nodes.len() > MOST {
        text.push_str(&format!("  and {} more\n", commit.nodes.len() - MOST));
    }
    text
}
