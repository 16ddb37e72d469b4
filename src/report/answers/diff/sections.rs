//! What is reported, as lines whose parts say where their words come from.

use super::headline;
use crate::{
    change::{ClusterChange, Diff, EdgeChange, GateChange, How, NodeChange, ObjectChanges, Reach, Touched},
    finding::{Subject, about, count},
    query::{ReportedFinding, Sides},
    report::printable,
    source::Place,
};

/// Some words, by whose they are.
#[derive(Debug, Clone)]
pub(super) enum Part {
    /// Ours.
    Say(String),
    /// A name, a path or a value of the repository.
    Name(String),
    /// A sentence of ours with names in it.
    Prose(String),
}

/// An item of a list.
#[derive(Debug, Clone, Default)]
pub(super) struct Line(pub(super) Vec<Part>);

/// A list under a title.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) title: String,
    pub(super) lines: Vec<Line>,
    /// How many more lines there would be.
    pub(super) left_out: usize,
}

/// Lines of one section in text and Markdown.
const MOST: usize = 60;

/// Causes that are named of what keeps Kustomizations from becoming Ready.
const CAUSES: usize = 10;

/// Names in one line.
const NAMES: usize = 8;

/// Characters of one name or sentence: a hostile one takes no room from the others.
const LONGEST: usize = 1_000;

impl Line {
    fn say(mut self, text: impl Into<String>) -> Self {
        self.0.push(Part::Say(text.into()));
        self
    }

    fn name(mut self, text: impl ToString) -> Self {
        self.0.push(Part::Name(cut(&text.to_string())));
        self
    }

    fn prose(mut self, text: &str) -> Self {
        self.0.push(Part::Prose(cut(text)));
        self
    }

    fn place(self, place: Option<&Place>) -> Self {
        match place {
            Some(place) => self.say(" (").name(place).say(")"),
            None => self,
        }
    }

    fn names(mut self, subjects: &[Subject]) -> Self {
        for (index, subject) in subjects.iter().take(NAMES).enumerate() {
            self = self.say(if index == 0 { "" } else { ", " }).name(subject);
        }
        if subjects.len() > NAMES { self.say(format!(" and {} more", subjects.len() - NAMES)) } else { self }
    }

    /// What leads from one to the other.
    fn way(mut self, subjects: &[Subject]) -> Self {
        for (index, subject) in subjects.iter().take(MOST).enumerate() {
            self = self.say(if index == 0 { "" } else { " → " }).name(subject);
        }
        self
    }

    /// For a terminal.
    pub(super) fn plain(&self) -> String {
        let text = |part: &Part| match part {
            Part::Say(text) | Part::Name(text) | Part::Prose(text) => printable(text).into_owned(),
        };
        self.0.iter().map(text).collect()
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

const fn sign(how: How) -> &'static str {
    match how {
        How::Added => "+ ",
        How::Removed => "- ",
        How::Changed => "~ ",
    }
}

/// All that is reported of a comparison.
pub(super) fn sections(diff: &Diff) -> Vec<Section> {
    let mut sections = Vec::new();
    let mut add = |title: String, lines: Vec<Line>| {
        if !lines.is_empty() {
            let left_out = lines.len().saturating_sub(MOST);
            let lines = lines.into_iter().take(MOST).collect();
            sections.push(Section { title, lines, left_out });
        }
    };
    let title = format!("Cold start, on {} hardware", diff.profile);
    add(title, diff.clusters.iter().flat_map(|cluster| minutes(diff, cluster)).collect());
    add("New findings".to_owned(), diff.new_findings.iter().map(|found| finding(found, true)).collect());
    add("Fixed findings".to_owned(), diff.fixed_findings.iter().map(|found| finding(found, false)).collect());
    add("Graph".to_owned(), diff.clusters.iter().flat_map(|cluster| graph(diff, cluster)).collect());
    let mut lines: Vec<Line> = diff.reach.iter().flat_map(|reach| reach_in(diff, reach)).collect();
    lines.extend(diff.touched_files.iter().map(file));
    add(format!("Reach of {}", count(diff.touched_files.len(), "touched file")), lines);
    sections
}

/// The cluster in front of a line, where the repository has several.
fn head(diff: &Diff, cluster: &str) -> Line {
    if diff.several { Line::default().name(root(cluster)).say(": ") } else { Line::default() }
}

fn root(cluster: &str) -> &str {
    if cluster.is_empty() { "." } else { cluster }
}

fn minutes(diff: &Diff, cluster: &ClusterChange) -> Vec<Line> {
    let (minutes, head) = (&cluster.cold_start, || head(diff, &cluster.cluster));
    let own = || Line::default().name(root(&cluster.cluster)).say(": ");
    let mut lines: Vec<Line> = headline::cluster_outcome(minutes).map(|text| own().say(text)).into_iter().collect();
    let causes: Vec<_> = headline::causes(&minutes.outcome).collect();
    for (obstacle, is_new) in causes.iter().take(CAUSES) {
        let new = if *is_new { ", new" } else { "" };
        let line = head().say(format!("stops {}{new}: ", obstacle.stops.len()));
        lines.push(line.prose(&obstacle.message).place(obstacle.location.as_ref()));
    }
    if causes.len() > CAUSES {
        lines.push(head().say(format!("and {} more causes", causes.len() - CAUSES)));
    }
    lines.push(own().say(headline::minutes(minutes)));
    let Sides { before: was, after: is } = &minutes.critical_path;
    for (when, path) in [("before", was), ("after", is)] {
        if was != is && !path.is_empty() {
            lines.push(head().say(format!("critical path {when}: ")).way(path));
        }
    }
    for culprit in &minutes.culprits {
        let line = match &culprit.of {
            Some(node) => head().name(node).say(": "),
            None => head(),
        };
        lines.push(line.prose(&culprit.message).place(culprit.location.as_ref()));
    }
    for node in &minutes.nodes {
        let Sides { before, after } = node.ready.map(|ready| ready.typical);
        let by = about(before.abs_diff(after));
        let word = if after < before { "earlier" } else { "later" };
        let (before, after) = (about(before), about(after));
        let line = head().name(&node.node);
        lines.push(line.say(format!(" is Ready after {after} instead of {before}: {by} {word}")));
    }
    lines
}

fn graph(diff: &Diff, cluster: &ClusterChange) -> Vec<Line> {
    let head = || head(diff, &cluster.cluster);
    let root = root(&cluster.cluster);
    let own = match (cluster.change, &cluster.was) {
        (Some(How::Added), _) => Some(Line::default().say("+ cluster ").name(root)),
        (Some(How::Removed), _) => Some(Line::default().say("- cluster ").name(root)),
        (_, Some(was)) => Some(Line::default().say("~ cluster ").name(root).say(", formerly ").name(was)),
        _ => None,
    };
    let nodes = cluster.nodes.iter().map(|change| node(head(), change));
    let edges = cluster.edges.iter().map(|change| edge(head(), change));
    let gates = cluster.gates.iter().map(|change| gate(head(), change));
    own.into_iter().chain(nodes).chain(edges).chain(gates).collect()
}

fn reach_in(diff: &Diff, reach: &Reach) -> Vec<Line> {
    let mut lines = Vec::new();
    let built: Vec<Subject> = reach.built.iter().map(|built| built.node.clone()).collect();
    let mut add = |what: &str, subjects: &[Subject]| {
        if !subjects.is_empty() {
            let line = head(diff, &reach.cluster).say(format!("{} {what}: ", subjects.len()));
            lines.push(line.names(subjects));
        }
    };
    add("built from them", &built);
    add("held back at this commit until those are Ready", &reach.waits_each_commit);
    add("started in a cold start only once those are Ready", &reach.starts_after);
    add("not Ready before those are", &reach.ready_after);
    lines
}

fn finding(finding: &ReportedFinding, is_new: bool) -> Line {
    let line = Line::default().say(format!("{}[{}] ", finding.severity, finding.rule)).prose(&finding.message);
    let line = line.place(finding.location.as_ref());
    if is_new && !finding.help.is_empty() { line.say(". To do: ").prose(&finding.help) } else { line }
}

fn node(head: Line, change: &NodeChange) -> Line {
    let line = head.say(sign(change.change)).name(&change.node);
    let mut parts: Vec<String> = Vec::new();
    let ObjectChanges { added, removed, changed } = change.counts;
    for (number, word) in [(added, "new"), (removed, "gone"), (changed, "changed")] {
        if number > 0 {
            parts.push(format!("{} {word}", count(number, "object")));
        }
    }
    let mut line = match change.change {
        How::Changed if !change.fields.is_empty() => {
            let mut line = line.say(": other ");
            for (index, field) in change.fields.iter().enumerate() {
                line = line.say(if index == 0 { "" } else { ", " }).name(field);
            }
            line
        }
        _ => line,
    };
    if !parts.is_empty() {
        let by = if change.change == How::Changed && !change.fields.is_empty() { "; " } else { ": " };
        line = line.say(format!("{by}{}", parts.join(", ")));
    }
    line.place(change.location.as_ref())
}

/// What an edge says.
fn verb(kind: &str) -> &str {
    if kind == "parent" { "applied by" } else { kind }
}

fn edge(head: Line, change: &EdgeChange) -> Line {
    let line =
        head.say(sign(change.change)).name(&change.from).say(format!(" {} ", verb(change.kind))).name(&change.to);
    let Sides { before, after } = &change.detail;
    match change.change {
        How::Changed => line.say(": ").name(after).say(" instead of ").name(before),
        How::Added if !after.is_empty() => line.say(": ").name(after),
        _ => line,
    }
}

fn gate(head: Line, change: &GateChange) -> Line {
    let line = head.say("~ ").name(&change.node).say(format!(" {}: ", change.field));
    let value = |line: Line, value: &Option<String>| match value {
        Some(value) => line.name(value),
        None => line.say("unset"),
    };
    value(value(line, &change.value.before).say(" → "), &change.value.after).place(change.location.as_ref())
}

fn file(file: &Touched) -> Line {
    Line::default().say(sign(file.change)).name(&file.path)
}
