//! Answers to questions about clusters, as text for people.

mod commit;
mod diff;
mod headline;
mod impact;
mod list;
mod timeline;
mod what_if;
mod why;

pub use diff::markdown as diff_markdown;

use super::{Terminal, printable, wrap};
use crate::{
    finding::{Subject, about},
    query::{Document, Envelope, Link, Range},
    source::{Place, Syntax, harmless},
};

/// An answer that people can read.
pub trait Text {
    /// The answer, as wide as the terminal.
    fn text(&self, terminal: &Terminal) -> String;
}

/// A document for programs: JSON with a line end. What a terminal or a pipeline would obey is escaped.
#[must_use]
pub fn document<D: Document>(body: &D) -> String {
    harmless(&serde_json::to_string_pretty(&Envelope::new(body)).unwrap_or_default(), Syntax::Json).into_owned() + "\n"
}

/// The line that says what an answer is about.
pub(super) fn head(cluster: &str, subjects: &str, terminal: &Terminal) -> String {
    let cluster = if cluster.is_empty() { "." } else { cluster };
    format!("{} in cluster {}\n\n", terminal.bold(&printable(subjects)), printable(cluster))
}

/// `about 10 min (2 min to 14 min)`.
fn times(times: Range) -> String {
    format!("about {} ({} to {})", about(times.typical), about(times.low), about(times.high))
}

/// `links` one below the other, with the time of each in front where `timed`.
fn listed(links: &[Link], timed: bool, terminal: &Terminal) -> String {
    let mut text = String::new();
    for (index, link) in links.iter().enumerate() {
        let head = match link.at {
            _ if !timed => format!("  {}. ", index + 1),
            Some(at) => format!("  {:>8}  ", about(at.typical)),
            None => format!("  {:>8}  ", "never"),
        };
        let mut line = link.message.clone();
        if !link.or.is_empty() {
            let others: Vec<String> = link.or.iter().map(Subject::to_string).collect();
            line.push_str(&format!(" (or {}, whichever is first)", others.join(", ")));
        }
        line.push_str(&at(link.location.as_ref()));
        text.push_str(&wrap(&printable(&line), terminal.width, &head, &" ".repeat(head.len())));
        text.push('\n');
    }
    text
}

/// ` (path:line)`, where there is a place.
fn at(place: Option<&Place>) -> String {
    place.map_or_else(String::new, |place| format!(" ({place})"))
}

/// A paragraph.
fn paragraph(text: &str, terminal: &Terminal) -> String {
    wrap(&printable(text), terminal.width, "", "") + "\n"
}
