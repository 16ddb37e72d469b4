//! What a change or a failure reaches: the text of `fluxdag impact`.

use super::{Text, head, paragraph};
use crate::{
    finding::{Subject, about, count},
    query::{Built, ClusterImpact, Impact, Revision},
    report::{Terminal, printable, wrap},
};

/// Names of one list in text; the rest is counted.
const NAMES: usize = 40;

/// Names of what was asked about in the headline.
const ASKED: usize = 5;

impl Text for Impact {
    fn text(&self, terminal: &Terminal) -> String {
        let mut parts: Vec<String> =
            self.clusters.iter().map(|impact| of_cluster(impact, &self.files, terminal)).collect();
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

fn of_cluster(impact: &ClusterImpact, files: &[String], terminal: &Terminal) -> String {
    let named = impact.named.iter().map(Subject::to_string);
    let files = files.iter().filter(|_| !impact.built.is_empty()).cloned();
    let subjects: Vec<String> = named.chain(files).collect();
    let mut text = head(&impact.cluster, &asked(&subjects), terminal);
    if !impact.built.is_empty() {
        text.push_str(&format!("{} built from that:\n", count(impact.built.len(), "object")));
        for built in &impact.built {
            text.push_str(&item(&use_of(built), terminal));
        }
        text.push('\n');
    }
    for Revision { source, reconciles } in &impact.revisions {
        let number = count(reconciles.len(), "Kustomization");
        let line = format!("Each new revision of {source} reconciles {number}, whatever changed in it.");
        text.push_str(&paragraph(&line, terminal));
    }
    let is_one = impact.named.len() + impact.built.len() == 1;
    let (it, is, fail) =
        if is_one { ("it", "it is", "it fails") } else { ("all of these", "all of these are", "one fails") };
    let held = format!("held back at each commit, until {is} Ready at the new revision");
    text.push_str(&names(&impact.waits_each_commit, &held, terminal));
    text.push_str(&names(&impact.applies, &format!("applied by {it}"), terminal));
    let at = impact.ready.map_or_else(String::new, |at| format!(" (after about {})", about(at.typical)));
    let starts = format!("held back in a cold start, until {is} Ready{at}, and never started if {fail}");
    text.push_str(&names(&impact.starts_after, &starts, terminal));
    let more = if impact.starts_after.is_empty() { "" } else { "more " };
    let ready = format!("{more}not Ready before {is}, and never Ready if {fail}");
    text.push_str(&names(&impact.ready_after, &ready, terminal));
    if impact.ready.is_none() {
        text.push_str("\nAs it is, that never happens; `fluxdag why` explains the reason.\n");
    } else if impact.starts_after.is_empty() && impact.ready_after.is_empty() {
        text.push_str(&format!("\nNothing waits for {it} in a cold start.\n"));
    }
    text
}

/// What the files have to do with an object.
fn use_of(built: &Built) -> String {
    let number = built.counts.objects;
    let objects = (number > 0).then(|| format!("{} of what it applies", count(number, "object")));
    let defines = built.defines.then(|| "its manifest".to_owned());
    let reads = (built.reads && number == 0).then(|| "its build reads it".to_owned());
    let all: Vec<String> = [defines, objects, reads].into_iter().flatten().collect();
    format!("{}: {}", built.node, all.join(", "))
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
