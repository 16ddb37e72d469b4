//! The neighbourhood of what changed, as a Mermaid flowchart.
//!
//! Ids are ours, labels are quoted, and what Mermaid could read in a label is written as its number, so that no name of a
//! repository is more than a label. A state is reported by a sign and a shape, not by colour alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use super::{
    files::How,
    shape::{EdgeChange, NodeChange, Shape},
};
use crate::finding::Subject;

/// Most nodes and edges of a drawing: what still reads well beside a pull request.
const MOST_NODES: usize = 24;
const MOST_EDGES: usize = 40;

/// Characters of a label.
const LONGEST: usize = 80;

/// The edges that are drawn.
const DRAWN: [&str; 2] = ["dependsOn", "parent"];

/// A drawing, and what it leaves out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drawing {
    /// The text of the flowchart; empty where there is nothing to draw.
    pub mermaid: String,
    /// How many nodes of the neighbourhood are left out.
    pub left_out: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Failing,
    Is(How),
    Same,
}

/// Draws the nodes that changed or fail, and their neighbours.
pub(super) fn draw(
    shapes: [&Shape<'_>; 2],
    nodes: &[NodeChange],
    edges: &[EdgeChange],
    others: &BTreeSet<Subject>,
    failing: &BTreeSet<Subject>,
) -> Drawing {
    let is_drawn = |subject: &Subject| shapes.iter().any(|shape| shape.nodes.contains_key(subject));
    let mut states: BTreeMap<&Subject, State> = BTreeMap::new();
    let drawn_edges = edges.iter().filter(|edge| DRAWN.contains(&edge.kind));
    let touched = drawn_edges.flat_map(|edge| [&edge.from, &edge.to]).chain(others);
    states.extend(touched.filter(|subject| is_drawn(subject)).map(|subject| (subject, State::Same)));
    states.extend(nodes.iter().map(|node| (&node.node, State::Is(node.change))));
    for subject in failing.iter().filter(|subject| is_drawn(subject)) {
        if !matches!(states.get(subject), Some(State::Is(How::Added | How::Removed))) {
            states.insert(subject, State::Failing);
        }
    }
    if states.is_empty() {
        return Drawing::default();
    }
    let all: BTreeSet<&(Subject, &str, Subject)> =
        shapes.iter().flat_map(|shape| shape.edges.keys()).filter(|(_, kind, _)| DRAWN.contains(kind)).collect();
    let mut around: BTreeSet<&Subject> = BTreeSet::new();
    for (from, kind, to) in &all {
        let (known, other) = (states.contains_key(from), states.contains_key(to));
        around.extend((known && !other && is_drawn(to)).then_some(to));
        // One parent says more than all the others that it applies.
        around.extend((*kind != "parent" && other && !known && is_drawn(from)).then_some(from));
    }
    // What fails and what changed comes before what lies around it.
    let rank = |state: State| match state {
        State::Failing => 0,
        State::Is(_) => 1,
        State::Same => 2,
    };
    let mut order: Vec<(&Subject, State)> = states.into_iter().collect();
    order.sort_by_key(|(subject, state)| (rank(*state), *subject));
    order.extend(around.into_iter().map(|subject| (subject, State::Same)));
    let left_out = order.len().saturating_sub(MOST_NODES);
    order.truncate(MOST_NODES);
    Drawing { mermaid: text(shapes, &order, &all), left_out }
}

fn text(shapes: [&Shape<'_>; 2], order: &[(&Subject, State)], edges: &BTreeSet<&(Subject, &str, Subject)>) -> String {
    let ids: BTreeMap<&Subject, usize> = order.iter().enumerate().map(|(id, (subject, _))| (*subject, id)).collect();
    let mut text = String::from("flowchart LR\n");
    for (id, (subject, state)) in order.iter().enumerate() {
        let (sign, open, close, class) = match state {
            State::Failing => ("! ", "{{", "}}", ":::failing"),
            State::Is(How::Added) => ("+ ", "([", "])", ":::added"),
            State::Is(How::Removed) => ("- ", "[/", "/]", ":::removed"),
            State::Is(How::Changed) => ("~ ", "[[", "]]", ":::changed"),
            State::Same => ("", "[", "]", ""),
        };
        let _ = writeln!(text, "  n{id}{open}\"{sign}{}\"{close}{class}", label(&subject.to_string()));
    }
    let is_shown =
        |(from, _, to): &&&(Subject, &str, Subject)| from != to && ids.contains_key(from) && ids.contains_key(to);
    let drawn = edges.iter().filter(is_shown);
    for edge in drawn.take(MOST_EDGES) {
        let (from, kind, to) = edge;
        let [was, is] = shapes.map(|shape| shape.edges.contains_key(*edge));
        let (arrow, sign) = match (was, is) {
            (false, _) => ("==>", "+ "),
            (_, false) => ("-.->", "- "),
            _ => ("-->", ""),
        };
        // The arrow leads the way that time goes: from what comes first.
        let verb = if *kind == "parent" { "applies" } else { "is needed by" };
        let _ = writeln!(text, "  n{} {arrow}|\"{sign}{verb}\"| n{}", ids[to], ids[from]);
    }
    text.push_str(
        "  classDef added stroke:#1a7f37,stroke-width:2px\n  classDef removed stroke:#cf222e,stroke-dasharray:4\n  \
         classDef changed stroke:#9a6700,stroke-width:2px\n  classDef failing stroke:#cf222e,stroke-width:3px\n",
    );
    text
}

/// A name as a label: letters, digits and what names are built from stay, all else becomes an entity.
fn label(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars().take(LONGEST) {
        match letter {
            letter if letter.is_ascii_alphanumeric() => out.push(letter),
            '-' | '.' | '/' | '_' | ' ' => out.push(letter),
            letter if letter.is_control() => out.push('?'),
            letter => {
                let _ = write!(out, "#{};", u32::from(letter));
            }
        }
    }
    if name.chars().nth(LONGEST).is_some() {
        out.push_str("...");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_never_more_than_a_label() {
        let hostile = "a\"]\n  click n0 href \"javascript:x\" ```<b>#;`{";
        let label = label(hostile);
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || "-./_ #;?".contains(letter);
        assert!(label.chars().all(allowed), "{label}");
        assert!(!label.contains('\n') && label.starts_with("a#34;#93;?"));
        assert!(super::label(&"x".repeat(500)).len() < 100);
    }
}
