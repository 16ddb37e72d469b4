//! What a finding says besides its message, as lines of text.

use super::{Places, Spot};
use crate::{
    finding::Finding,
    report::{count, full, printable},
};

/// How many places of one finding are listed. The rest is counted.
const MAX_PLACES: usize = 12;

/// `path:line:column`.
pub(super) fn at(spot: &Spot) -> String {
    format!("{}:{}:{}", spot.path, spot.start.line, spot.start.column)
}

/// Where the finding is, for people.
pub(super) fn place(places: &Places<'_>, finding: &Finding) -> String {
    places.primary(finding).map_or_else(|| "(no file)".to_owned(), |spot| at(&spot))
}

/// The other places, the reason and the help: safe to print, a line each.
pub(super) fn lines(places: &Places<'_>, finding: &Finding) -> Vec<String> {
    let mut lines = others(places, finding, usize::MAX);
    lines.extend(notes(finding));
    lines
}

/// The other places, in lines of at most `most` bytes together. What is left out is counted.
pub(super) fn others(places: &Places<'_>, finding: &Finding, most: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut used = 0;
    if places.primary(finding).is_none() {
        lines.push(printable(&full::placeless(finding)).into_owned());
    }
    let mut listed = 0;
    for related in finding.related.iter().take(MAX_PLACES) {
        let text = full::described(related);
        let text = match related.location.and_then(|span| places.spot(span)) {
            Some(spot) => format!("{}: {text}", at(&spot)),
            None => text,
        };
        let text = printable(&text).into_owned();
        used += text.len() + 1;
        if used > most {
            break;
        }
        listed += 1;
        lines.push(text);
    }
    let left_out = finding.related.len() - listed;
    if left_out > 0 {
        lines.push(format!("and {} not listed", count(left_out, "more place")));
    }
    lines
}

/// The reason and the help.
pub(super) fn notes(finding: &Finding) -> Vec<String> {
    let notes = [("why", &finding.why), ("help", &finding.help)].into_iter().filter(|(_, text)| !text.is_empty());
    notes.map(|(name, text)| format!("{name}: {}", printable(text))).collect()
}
