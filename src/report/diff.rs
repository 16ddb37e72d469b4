//! What lies between two revisions: answers of `fluxdag diff`.
//!
//! The sections are made once, of parts that say where their words come from, and written twice: for a terminal, and as
//! Markdown for a pull request, where nothing of the repository may be read as markup.

mod json;
mod markdown;
mod sections;

use super::{Terminal, Times, count, printable, wrap};
use crate::{
    change::{ClusterChange, Minutes, Touched},
    finding::{Finding, about},
    query::ClusterImpact,
    source::Tree,
};
use sections::{Line, Part, Section};

/// A revision, as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revised {
    /// What it was asked for as; `the work tree`.
    pub name: String,
    /// The commit; `None` for the work tree.
    pub commit: Option<String>,
}

/// Everything that differs between two revisions.
#[derive(Debug, Clone)]
pub struct Diff<'a> {
    /// The former.
    pub base: Revised,
    /// The latter.
    pub head: Revised,
    /// The files of both.
    pub trees: [&'a Tree; 2],
    /// The hardware that minutes are for.
    pub profile: &'static str,
    /// Whether the repository has more than one cluster.
    pub several: bool,
    /// What became of the clusters, of those that are not the same.
    pub clusters: Vec<ClusterChange>,
    /// Findings that were not there before, sorted.
    pub new: Vec<&'a Finding>,
    /// Findings that are gone, sorted.
    pub fixed: Vec<&'a Finding>,
    /// How many are in both.
    pub known: usize,
    /// The files that differ, of those that were looked into.
    pub files: Vec<Touched>,
    /// What is built from them and what that reaches.
    pub reach: Vec<ClusterImpact>,
}

impl Diff<'_> {
    /// For people.
    #[must_use]
    pub fn text(&self, terminal: &Terminal) -> String {
        let mut text = terminal.bold(&printable(&format!("{} → {}", self.base.text(), self.head.text())));
        text.push('\n');
        text.push_str(&wrap(&printable(&self.headline()), terminal.width, "", ""));
        text.push('\n');
        for section in self.sections() {
            text.push_str(&format!("\n{}:\n", terminal.bold(&section.title)));
            for line in &section.lines {
                text.push_str(&wrap(&line.plain(), terminal.width, "  ", "    "));
                text.push('\n');
            }
            if section.left_out > 0 {
                text.push_str(&format!("  and {} more, which `-o json` names\n", section.left_out));
            }
        }
        if terminal.unicode { text } else { text.replace('→', "->") }
    }

    /// The figures in one sentence.
    fn headline(&self) -> String {
        let findings = format!(
            "{}, {} fixed, {} known before",
            count(self.new.len(), "new finding"),
            self.fixed.len(),
            self.known
        );
        if self.clusters.is_empty() {
            return format!("{findings}; no cluster is built otherwise than before");
        }
        let [before, after] = [0, 1].map(|side| self.clusters.iter().map(|one| one.minutes.never[side]).sum::<usize>());
        if after > before {
            return format!("{findings}; never Ready any more: {}", count(after - before, "Kustomization"));
        }
        match self.clusters.as_slice() {
            [one] => match one.minutes.seconds().filter(|seconds| seconds.abs() >= 30) {
                Some(seconds) => {
                    let word = if seconds < 0 { "shorter" } else { "longer" };
                    let by = about(std::time::Duration::from_secs(seconds.unsigned_abs()));
                    format!("{findings}; the cold start is {by} {word}")
                }
                None => findings,
            },
            _ => findings,
        }
    }
}

impl Revised {
    fn text(&self) -> String {
        match &self.commit {
            Some(commit) => format!("{} ({})", self.name, commit.get(..8).unwrap_or(commit)),
            None => self.name.clone(),
        }
    }
}

/// The two totals of a cold start, and what lies between them.
fn minutes(minutes: &Minutes) -> String {
    let told = |range: Option<_>| {
        range.map_or_else(
            || "nothing".to_owned(),
            |range: crate::change::Range| Times { low: range.low, typical: range.typical, high: range.high }.text(),
        )
    };
    // What never happens any more makes nothing faster.
    let is_less = minutes.never[1] > minutes.never[0];
    let between = match minutes.seconds() {
        Some(seconds) if is_less && seconds < 0 => ", without what is never Ready".to_owned(),
        Some(seconds) if seconds.abs() < 5 => ", as before".to_owned(),
        Some(seconds) => {
            let word = if seconds < 0 { "less" } else { "more" };
            format!(", {} {word}", about(std::time::Duration::from_secs(seconds.unsigned_abs())))
        }
        None => String::new(),
    };
    format!("{} → {}{between}", told(minutes.total[0]), told(minutes.total[1]))
}
