use miette::{GraphicalTheme, ThemeCharacters, ThemeStyles};

use crate::source::Syntax;

/// What the place that text goes to can show. Decided by the caller, never found out here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminal {
    /// Colours.
    pub color: bool,
    /// Glyphs beyond ASCII.
    pub unicode: bool,
    /// Columns.
    pub width: usize,
    /// Links behind text, as OSC 8 has them.
    pub links: bool,
}

impl Terminal {
    /// For files: no colours, and a width that reads well.
    pub const PLAIN: Self = Self { color: false, unicode: true, width: 100, links: false };

    /// The glyphs and styles to draw with.
    #[must_use]
    pub fn theme(&self) -> GraphicalTheme {
        let characters = if self.unicode { ThemeCharacters::unicode() } else { ThemeCharacters::ascii() };
        let styles = if self.color { ThemeStyles::ansi() } else { ThemeStyles::none() };
        GraphicalTheme { characters, styles }
    }

    /// What is written for it.
    #[must_use]
    pub const fn syntax(&self) -> Syntax {
        if self.color || self.links { Syntax::Styled } else { Syntax::Text }
    }

    /// `text`, bold where there is colour.
    #[must_use]
    pub fn bold(&self, text: &str) -> String {
        if self.color { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// `text`, which leads to `target` where there are links and a target.
    pub(super) fn link(&self, text: &str, target: Option<String>) -> String {
        match target.filter(|_| self.links) {
            Some(target) => format!("\u{1b}]8;;{target}\u{1b}\\{text}\u{1b}]8;;\u{1b}\\"),
            None => text.to_owned(),
        }
    }

    /// Our own words in signs that there are.
    pub(super) fn spelled(&self, text: &str) -> String {
        if self.unicode { text.to_owned() } else { text.replace('→', "->").replace('…', "...") }
    }

    /// The sign for something left out.
    pub(super) const fn ellipsis(&self) -> &'static str {
        if self.unicode { "…" } else { "..." }
    }
}
