//! What is told, as lines whose parts say where their words come from.

use super::{Diff, minutes};
use crate::{
    change::{ClusterChange, EdgeChange, GateChange, How, NodeChange, Touched},
    finding::{Finding, Subject, about},
    query::ClusterImpact,
    report::{count, printable},
    source::Tree,
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

    fn place(self, place: Option<&String>) -> Self {
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

impl Diff<'_> {
    pub(super) fn sections(&self) -> Vec<Section> {
        let mut sections = Vec::new();
        let mut add = |title: String, lines: Vec<Line>| {
            if !lines.is_empty() {
                let left_out = lines.len().saturating_sub(MOST);
                let lines = lines.into_iter().take(MOST).collect();
                sections.push(Section { title, lines, left_out });
            }
        };
        add("New findings".to_owned(), self.new.iter().map(|found| finding(found, self.trees[1], true)).collect());
        add("Fixed findings".to_owned(), self.fixed.iter().map(|found| finding(found, self.trees[0], false)).collect());
        let title = format!("Cold start, on {} hardware", self.profile);
        add(title, self.clusters.iter().flat_map(|cluster| self.minutes(cluster)).collect());
        add("Graph".to_owned(), self.clusters.iter().flat_map(|cluster| self.graph(cluster)).collect());
        add(format!("Reach of {}", count(self.files.len(), "touched file")), self.reach());
        sections
    }

    /// The cluster in front of a line, where the repository has several.
    fn head(&self, cluster: &str) -> Line {
        let root = if cluster.is_empty() { "." } else { cluster };
        if self.several { Line::default().name(root).say(": ") } else { Line::default() }
    }

    fn minutes(&self, cluster: &ClusterChange) -> Vec<Line> {
        let root = if cluster.root.is_empty() { "." } else { &cluster.root };
        let mut lines = vec![Line::default().name(root).say(format!(": {}", minutes(&cluster.minutes)))];
        if cluster.minutes.never != [0, 0] {
            let [before, after] = cluster.minutes.never;
            let text =
                format!("{} never Ready, {before} before: the times leave them out", count(after, "Kustomization"));
            lines.push(self.head(&cluster.root).say(text));
        }
        let [was, is] = &cluster.minutes.paths;
        for (when, path) in [("before", was), ("after", is)] {
            if was != is && !path.is_empty() {
                lines.push(self.head(&cluster.root).say(format!("critical path {when}: ")).way(path));
            }
        }
        for told in &cluster.minutes.culprits {
            let line = match &told.of {
                Some(node) => self.head(&cluster.root).name(node).say(": "),
                None => self.head(&cluster.root),
            };
            lines.push(line.prose(&told.sentence).place(told.place.as_ref()));
        }
        for (node, [before, after]) in &cluster.minutes.nodes {
            let by = about(before.typical.abs_diff(after.typical));
            let word = if after.typical < before.typical { "earlier" } else { "later" };
            let (before, after) = (about(before.typical), about(after.typical));
            let line = self.head(&cluster.root).name(node);
            lines.push(line.say(format!(" is Ready after {after} instead of {before}: {by} {word}")));
        }
        lines
    }

    fn graph(&self, cluster: &ClusterChange) -> Vec<Line> {
        let head = || self.head(&cluster.root);
        let root = if cluster.root.is_empty() { "." } else { &cluster.root };
        let own = match (cluster.how, &cluster.was) {
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

    fn reach(&self) -> Vec<Line> {
        let mut lines: Vec<Line> = self.reach.iter().flat_map(|reach| self.reach_in(reach)).collect();
        lines.extend(self.files.iter().map(file));
        lines
    }

    fn reach_in(&self, reach: &ClusterImpact) -> Vec<Line> {
        let mut lines = Vec::new();
        let built: Vec<Subject> = reach.built.iter().map(|built| built.node.clone()).collect();
        let mut add = |what: &str, subjects: &[Subject]| {
            if !subjects.is_empty() {
                let line = self.head(&reach.cluster).say(format!("{} {what}: ", subjects.len()));
                lines.push(line.names(subjects));
            }
        };
        add("made of them", &built);
        add("held back at this commit until those are Ready", &reach.waits_each_commit);
        add("started in a cold start only once those are Ready", &reach.starts_after);
        add("not Ready before those are", &reach.ready_after);
        lines
    }
}

fn finding(finding: &Finding, tree: &Tree, is_new: bool) -> Line {
    let place = finding.location.span().filter(|span| span.is_some()).map(|span| {
        let position = tree.position(span);
        format!("{}:{}", tree.path(span.file), position.line)
    });
    let line = Line::default().say(format!("{}[{}] ", finding.severity, finding.rule)).prose(&finding.message);
    let line = line.place(place.as_ref());
    if is_new && !finding.help.is_empty() { line.say(". To do: ").prose(&finding.help) } else { line }
}

fn node(head: Line, change: &NodeChange) -> Line {
    let line = head.say(sign(change.how)).name(&change.node);
    let mut parts: Vec<String> = Vec::new();
    for (number, word) in change.objects.iter().zip(["new", "gone", "changed"]) {
        if *number > 0 {
            parts.push(format!("{} {word}", count(*number, "object")));
        }
    }
    let mut line = match change.how {
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
        let by = if change.how == How::Changed && !change.fields.is_empty() { "; " } else { ": " };
        line = line.say(format!("{by}{}", parts.join(", ")));
    }
    line.place(change.place.as_ref())
}

/// What an edge says.
fn verb(kind: &str) -> &str {
    if kind == "parent" { "applied by" } else { kind }
}

fn edge(head: Line, change: &EdgeChange) -> Line {
    let line = head.say(sign(change.how)).name(&change.from).say(format!(" {} ", verb(change.kind))).name(&change.to);
    let [before, after] = &change.detail;
    match change.how {
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
    value(value(line, &change.values[0]).say(" → "), &change.values[1]).place(change.place.as_ref())
}

fn file(file: &Touched) -> Line {
    Line::default().say(sign(file.how)).name(&file.path)
}
