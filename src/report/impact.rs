//! What a change or a failure reaches: answers of `fluxdag impact`.

use serde::Serialize;

use super::{
    Terminal, Times,
    answer::document,
    answer::{TimesJson, paragraph},
    answers::head,
    count,
    json::{SCHEMA_VERSION, Tool},
    printable, wrap,
};
use crate::finding::{Subject, about};

/// What changes or failures of some objects and files reach.
#[derive(Debug, Clone)]
pub struct Impact {
    /// The files that were asked about, from the artifact root; as they were written where no build could read them.
    pub files: Vec<String>,
    /// The hardware that times are for.
    pub profile: &'static str,
    /// The clusters that they matter to.
    pub clusters: Vec<ClusterImpact>,
}

/// The same of one cluster.
#[derive(Debug, Clone, Default)]
pub struct ClusterImpact {
    /// Root of the cluster.
    pub cluster: String,
    /// The objects that were asked about by name.
    pub named: Vec<Subject>,
    /// What is made of the files.
    pub built: Vec<Built>,
    /// What a commit makes new revisions of.
    pub revisions: Vec<Revision>,
    /// Kustomizations that wait at each commit until all of these are Ready at the new revision.
    pub waits_each_commit: Vec<Subject>,
    /// Kustomizations and HelmReleases that they apply.
    pub applies: Vec<Subject>,
    /// When the last of them is Ready in a cold start; `None` where that never happens.
    pub ready: Option<Times>,
    /// What starts only behind them in a cold start, and never where they fail.
    pub starts_after: Vec<Subject>,
    /// What else is Ready only behind them, and never where they fail.
    pub ready_after: Vec<Subject>,
}

/// What some files have to do with an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Built {
    /// The Kustomization or HelmRelease.
    pub node: Subject,
    /// Whether they define it.
    pub defines: bool,
    /// How many of the objects it applies they hold, or decide something of.
    pub objects: usize,
    /// Whether its build reads them.
    pub reads: bool,
}

/// A source, and what reconciles at each of its revisions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Revision {
    /// The source.
    pub source: Subject,
    /// Its Kustomizations, those that are suspended left out.
    pub reconciles: Vec<Subject>,
}

#[derive(Serialize)]
struct ImpactJson<'a> {
    schema_version: u32,
    tool: Tool,
    profile: &'a str,
    files: &'a [String],
    clusters: Vec<ClusterJson<'a>>,
}

#[derive(Serialize)]
struct ClusterJson<'a> {
    cluster: &'a str,
    counts: Counts,
    named: &'a [Subject],
    built: &'a [Built],
    revisions: &'a [Revision],
    waits_each_commit: &'a [Subject],
    applies: &'a [Subject],
    ready_seconds: Option<TimesJson>,
    starts_after: &'a [Subject],
    ready_after: &'a [Subject],
}

#[derive(Serialize)]
struct Counts {
    reconciles: usize,
    waits_each_commit: usize,
    applies: usize,
    starts_after: usize,
    ready_after: usize,
}

/// Names of one list in text; the rest is counted.
const NAMES: usize = 40;

/// Names of what was asked about in the headline.
const ASKED: usize = 5;

impl Impact {
    /// For programs.
    #[must_use]
    pub fn json(&self) -> String {
        let cluster = |impact: &'_ ClusterImpact| Counts {
            reconciles: impact.revisions.iter().map(|revision| revision.reconciles.len()).sum(),
            waits_each_commit: impact.waits_each_commit.len(),
            applies: impact.applies.len(),
            starts_after: impact.starts_after.len(),
            ready_after: impact.ready_after.len(),
        };
        let clusters = self.clusters.iter().map(|impact| ClusterJson {
            cluster: &impact.cluster,
            counts: cluster(impact),
            named: &impact.named,
            built: &impact.built,
            revisions: &impact.revisions,
            waits_each_commit: &impact.waits_each_commit,
            applies: &impact.applies,
            ready_seconds: impact.ready.map(Times::json),
            starts_after: &impact.starts_after,
            ready_after: &impact.ready_after,
        });
        document(&ImpactJson {
            schema_version: SCHEMA_VERSION,
            tool: Tool::THIS,
            profile: self.profile,
            files: &self.files,
            clusters: clusters.collect(),
        })
    }

    /// For people.
    #[must_use]
    pub fn text(&self, terminal: &Terminal) -> String {
        let mut parts: Vec<String> = self.clusters.iter().map(|impact| impact.text(&self.files, terminal)).collect();
        if parts.is_empty() {
            let is_one = self.files.len() == 1;
            let files = asked(&self.files);
            let why = format!(
                "No Kustomization is built from {files}: no object comes from {}, and no build that can be followed reads {}.",
                if is_one { "it" } else { "them" },
                if is_one { "it" } else { "them" },
            );
            parts.push(paragraph(&why, terminal));
        }
        parts.join("\n")
    }
}

impl ClusterImpact {
    fn text(&self, files: &[String], terminal: &Terminal) -> String {
        let named = self.named.iter().map(Subject::to_string);
        let files = files.iter().filter(|_| !self.built.is_empty()).cloned();
        let subjects: Vec<String> = named.chain(files).collect();
        let mut text = head(&self.cluster, &asked(&subjects), terminal);
        if !self.built.is_empty() {
            text.push_str(&format!("{} made of that:\n", count(self.built.len(), "object")));
            for built in &self.built {
                text.push_str(&item(&built.text(), terminal));
            }
            text.push('\n');
        }
        for Revision { source, reconciles } in &self.revisions {
            let number = count(reconciles.len(), "Kustomization");
            let line = format!("Each new revision of {source} reconciles {number}, whatever changed in it.");
            text.push_str(&paragraph(&line, terminal));
        }
        let is_one = self.named.len() + self.built.len() == 1;
        let (it, is, fail) =
            if is_one { ("it", "it is", "it fails") } else { ("all of these", "all of these are", "one fails") };
        let held = format!("held back at each commit, until {is} Ready at the new revision");
        text.push_str(&names(&self.waits_each_commit, &held, terminal));
        text.push_str(&names(&self.applies, &format!("applied by {it}"), terminal));
        let at = self.ready.map_or_else(String::new, |at| format!(" (after about {})", about(at.typical)));
        let starts = format!("held back in a cold start, until {is} Ready{at}, and never started if {fail}");
        text.push_str(&names(&self.starts_after, &starts, terminal));
        let more = if self.starts_after.is_empty() { "" } else { "more " };
        let ready = format!("{more}not Ready before {is}, and never Ready if {fail}");
        text.push_str(&names(&self.ready_after, &ready, terminal));
        if self.ready.is_none() {
            text.push_str("\nAs it is, that never happens; `fluxdag why` tells the reason.\n");
        } else if self.starts_after.is_empty() && self.ready_after.is_empty() {
            text.push_str(&format!("\nNothing waits for {it} in a cold start.\n"));
        }
        text
    }
}

impl Built {
    fn text(&self) -> String {
        let objects = (self.objects > 0).then(|| format!("{} of what it applies", count(self.objects, "object")));
        let defines = self.defines.then(|| "its definition".to_owned());
        let reads = (self.reads && self.objects == 0).then(|| "its build reads it".to_owned());
        let all: Vec<String> = [defines, objects, reads].into_iter().flatten().collect();
        format!("{}: {}", self.node, all.join(", "))
    }
}

/// What was asked about, in a few words: a folder may hold any number of files.
fn asked(subjects: &[String]) -> String {
    let shown = subjects.iter().take(ASKED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match subjects.len().saturating_sub(ASKED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn names(subjects: &[Subject], what: &str, terminal: &Terminal) -> String {
    if subjects.is_empty() {
        return String::new();
    }
    let mut text = format!("\n{}", paragraph(&format!("{} {what}:", subjects.len()), terminal));
    for subject in subjects.iter().take(NAMES) {
        text.push_str(&item(&subject.to_string(), terminal));
    }
    if subjects.len() > NAMES {
        text.push_str(&format!("  and {} more, which `-o json` names\n", subjects.len() - NAMES));
    }
    text
}

fn item(text: &str, terminal: &Terminal) -> String {
    wrap(&printable(text), terminal.width, "  ", "    ") + "\n"
}
