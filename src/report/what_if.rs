//! What a change would do to a cold start: answers of `fluxdag what-if`.

use std::time::Duration;

use serde::Serialize;

use super::{
    Terminal, Times,
    answer::document,
    answer::{TimesJson, paragraph},
    answers::head,
    json::{SCHEMA_VERSION, Tool},
    printable,
};
use crate::finding::{Subject, about};

/// Two cold starts of one cluster side by side.
#[derive(Debug, Clone)]
pub struct WhatIf {
    /// Root of the cluster.
    pub cluster: String,
    /// The hardware that the figures are for.
    pub profile: &'static str,
    /// The changes, in words.
    pub edits: Vec<String>,
    /// When the last Kustomization is Ready that ever is.
    pub total: [Option<Times>; 2],
    /// What the controllers make of both, with timeouts and retries: when the last is Ready that ever is, and how many
    /// never are. `None` where that is not simulated.
    pub simulated: Option<[(Duration, usize); 2]>,
    /// Every Kustomization, those that change most first.
    pub nodes: Vec<NodeTimes>,
}

/// When a Kustomization is Ready, as it is and as it would be; `None` where it never is, or is not there.
#[derive(Debug, Clone)]
pub struct NodeTimes {
    /// The Kustomization.
    pub node: Subject,
    /// Both.
    pub ready: [Option<Times>; 2],
    /// Whether a change makes it.
    pub is_new: bool,
}

#[derive(Serialize)]
struct WhatIfJson<'a> {
    schema_version: u32,
    tool: Tool,
    cluster: &'a str,
    profile: &'a str,
    edits: &'a [String],
    total_s: Pair,
    simulated: Option<SimulatedJson>,
    nodes: Vec<NodeJson<'a>>,
}

#[derive(Serialize)]
struct SimulatedJson {
    before: RunJson,
    after: RunJson,
}

#[derive(Serialize)]
struct RunJson {
    total_s: u64,
    never_ready: usize,
}

#[derive(Serialize)]
struct NodeJson<'a> {
    node: &'a Subject,
    ready_s: Pair,
}

#[derive(Serialize)]
struct Pair {
    before: Option<TimesJson>,
    after: Option<TimesJson>,
}

impl Pair {
    fn of([before, after]: [Option<Times>; 2]) -> Self {
        Self { before: before.map(Times::json), after: after.map(Times::json) }
    }
}

/// Nodes that are told; the rest is counted.
const MOST: usize = 20;

impl NodeTimes {
    fn is_change(&self) -> bool {
        let [before, after] = self.ready.map(|times| times.map(|times| times.typical));
        before != after
    }

    /// Whether it would never be Ready any more.
    const fn is_lost(&self) -> bool {
        matches!(self.ready, [Some(_), None])
    }
}

impl WhatIf {
    /// For programs.
    #[must_use]
    pub fn json(&self) -> String {
        document(&WhatIfJson {
            schema_version: SCHEMA_VERSION,
            tool: Tool::THIS,
            cluster: &self.cluster,
            profile: self.profile,
            edits: &self.edits,
            total_s: Pair::of(self.total),
            simulated: self.simulated.map(|runs| {
                let [before, after] =
                    runs.map(|(total, never_ready)| RunJson { total_s: total.as_secs(), never_ready });
                SimulatedJson { before, after }
            }),
            nodes: self.nodes.iter().map(|node| NodeJson { node: &node.node, ready_s: Pair::of(node.ready) }).collect(),
        })
    }

    /// For people.
    #[must_use]
    pub fn text(&self, terminal: &Terminal) -> String {
        let mut text = head(&self.cluster, "What if", terminal);
        for edit in &self.edits {
            text.push_str(&format!("  {}\n", printable(edit)));
        }
        let [before, after] =
            self.total.map(|times| times.map_or_else(|| "never".to_owned(), |times| format!("after {}", times.text())));
        let start =
            format!("In a cold start on {} hardware the last Kustomization is Ready {before} as it is", self.profile);
        let sentence = match self.nodes.iter().filter(|node| node.is_lost()).count() {
            0 => format!("{start}, and {after} then."),
            // The minutes of the rest alone would look like a gain.
            lost => {
                let lost =
                    if lost == 1 { "one Kustomization is".to_owned() } else { format!("{lost} Kustomizations are") };
                format!("{start}. Then {lost} never Ready, and the last of the others {after}.")
            }
        };
        text.push('\n');
        text.push_str(&paragraph(&sentence, terminal));
        if let Some(runs) = self.simulated {
            let [before, after] = runs.map(|(total, never)| match never {
                0 => format!("after about {}", about(total)),
                _ => format!("after about {}, without {never} that never are", about(total)),
            });
            let sentence = format!(
                "With workers, timeouts and retries the controllers have everything Ready, charts too, {before} as it is, and {after} then."
            );
            text.push_str(&paragraph(&sentence, terminal));
        }
        let changed: Vec<&NodeTimes> = self.nodes.iter().filter(|node| node.is_change()).collect();
        if changed.is_empty() {
            text.push_str("\nNo Kustomization is Ready earlier or later.\n");
            return text;
        }
        text.push_str("\nReady, as it is and then:\n");
        let typical = |times: Option<Times>| times.map_or_else(|| "never".to_owned(), |times| about(times.typical));
        for node in changed.iter().take(MOST) {
            let [before, after] = node.ready.map(typical);
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
}

/// How much earlier or later, as the end of a line.
fn difference(ready: [Option<Times>; 2]) -> String {
    match ready {
        [Some(before), Some(after)] if after.typical < before.typical => {
            format!(" ({} earlier)", about(before.typical - after.typical))
        }
        [Some(before), Some(after)] => format!(" ({} later)", about(after.typical.saturating_sub(before.typical))),
        _ => String::new(),
    }
}
