//! What lies between two revisions: the text of `fluxdag diff`.
//!
//! The sections are made once, of parts that say where their words come from, and written twice: for a terminal, and as
//! Markdown for a pull request, where nothing of the repository may be read as markup.

mod markdown;
mod sections;

pub use markdown::markdown;

use super::{Text, headline};
use crate::{
    change::{Diff, Revised},
    report::{Terminal, printable, wrap},
};
use sections::{Line, Part, Section, sections};

impl Text for Diff {
    fn text(&self, terminal: &Terminal) -> String {
        let mut text = terminal.bold(&printable(&format!("{} → {}", revision(&self.base), revision(&self.head))));
        text.push('\n');
        text.push_str(&wrap(&printable(&headline::diff(self)), terminal.width, "", ""));
        text.push('\n');
        for section in sections(self) {
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
}

fn revision(revision: &Revised) -> String {
    match &revision.commit {
        Some(commit) => format!("{} ({})", revision.name, commit.get(..8).unwrap_or(commit)),
        None => revision.name.clone(),
    }
}
