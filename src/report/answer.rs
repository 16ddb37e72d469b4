//! What answers to questions about a cluster are made of.

use std::time::Duration;

use serde::Serialize;

use super::{Terminal, json::Place, printable, wrap};
use crate::{
    finding::{Subject, about},
    source::{Span, Tree},
};

/// A time of a cold start, counted from the first reconciliation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// Where everything is fast.
    pub low: Duration,
    /// What is usual.
    pub typical: Duration,
    /// Where everything is slow.
    pub high: Duration,
}

/// One thing that waits for another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Kebab-case name of the mechanism.
    pub reason: &'static str,
    /// A sentence without full stop.
    pub text: String,
    /// What waits.
    pub waits: Subject,
    /// What it waits for.
    pub on: Subject,
    /// When that happens; `None` where it never does.
    pub at: Option<Times>,
    /// The text that declares it.
    pub place: Span,
    /// What would do instead: other providers of the same object.
    pub or: Vec<Subject>,
}

/// Seconds of a cold start.
#[derive(Serialize)]
pub(super) struct TimesJson {
    low: u64,
    typical: u64,
    high: u64,
}

#[derive(Serialize)]
pub(super) struct LinkJson<'a> {
    reason: &'a str,
    message: &'a str,
    waits: &'a Subject,
    on: &'a Subject,
    at_seconds: Option<TimesJson>,
    location: Option<Place>,
    or: &'a [Subject],
}

impl Times {
    pub(super) fn json(self) -> TimesJson {
        TimesJson { low: self.low.as_secs(), typical: self.typical.as_secs(), high: self.high.as_secs() }
    }

    /// `about 10 min (2 min to 14 min)`.
    pub(super) fn text(self) -> String {
        format!("about {} ({} to {})", about(self.typical), about(self.low), about(self.high))
    }
}

impl Link {
    pub(super) fn json<'a>(&'a self, tree: &Tree) -> LinkJson<'a> {
        LinkJson {
            reason: self.reason,
            message: &self.text,
            waits: &self.waits,
            on: &self.on,
            at_seconds: self.at.map(Times::json),
            location: Place::of(tree, self.place),
            or: &self.or,
        }
    }
}

/// `links` one below the other, with the time of each in front where `timed`.
pub(super) fn list(links: &[Link], timed: bool, tree: &Tree, terminal: &Terminal) -> String {
    let mut text = String::new();
    for (index, link) in links.iter().enumerate() {
        let head = match link.at {
            _ if !timed => format!("  {}. ", index + 1),
            Some(at) => format!("  {:>8}  ", about(at.typical)),
            None => format!("  {:>8}  ", "never"),
        };
        let mut line = link.text.clone();
        if !link.or.is_empty() {
            let others: Vec<String> = link.or.iter().map(Subject::to_string).collect();
            line.push_str(&format!(" (or {}, whichever is first)", others.join(", ")));
        }
        line.push_str(&at(tree, link.place));
        text.push_str(&wrap(&printable(&line), terminal.width, &head, &" ".repeat(head.len())));
        text.push('\n');
    }
    text
}

/// ` (path:line)`, where a file holds the span.
pub(super) fn at(tree: &Tree, span: Span) -> String {
    if span.is_some() { format!(" ({}:{})", tree.path(span.file), tree.position(span).line) } else { String::new() }
}

/// A paragraph.
pub(super) fn paragraph(text: &str, terminal: &Terminal) -> String {
    wrap(&printable(text), terminal.width, "", "") + "\n"
}
