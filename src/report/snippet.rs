//! Pieces of source with labels, drawn by miette.
//!
//! miette gets small excerpts, never whole files: lines are escaped, cut to the width of the terminal and counted here,
//! so that neither a 10 MB line nor a control character in the repository reaches the terminal, and so that drawing
//! takes time by what is drawn rather than by the size of the file.

use std::fmt;

use miette::{
    Diagnostic, GraphicalReportHandler, LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan,
    SpanContents,
};

use super::{Report, Terminal, link, printable};
use crate::{
    finding::Severity,
    source::{Position, Span, is_unprintable},
};

/// Columns that line numbers, bars and the cut take beside the text of a line.
const GUTTER: usize = 12;
/// The least number of columns of source shown.
const MIN_COLUMNS: usize = 40;
const TAB: usize = 4;

/// A place to draw.
#[derive(Debug)]
pub(super) struct Mark {
    pub(super) span: Span,
    pub(super) label: String,
    /// The place the finding is at, as opposed to one that is only related to it.
    pub(super) primary: bool,
}

/// Draws `marks` in their order. Marks on neighbouring lines share an excerpt.
pub(super) fn draw(
    report: &Report<'_>,
    terminal: &Terminal,
    severity: Severity,
    marks: Vec<Mark>,
) -> Result<String, fmt::Error> {
    let mut out = String::new();
    for group in group(report, columns(terminal), marks) {
        Snippet::new(report, terminal, group).draw(terminal, severity, &mut out)?;
    }
    Ok(out)
}

/// Columns of source that fit.
fn columns(terminal: &Terminal) -> usize {
    terminal.width.saturating_sub(GUTTER).max(MIN_COLUMNS)
}

/// A mark reduced to one line of its file.
struct Placed<'t> {
    index: usize,
    text: &'t str,
    mark: Mark,
    at: Position,
    line: u32,
    start: usize,
    end: usize,
    long: bool,
}

impl<'t> Placed<'t> {
    fn new(report: &Report<'t>, columns: usize, index: usize, mark: Mark) -> Self {
        let text = report.tree.text(mark.span.file).unwrap_or_default();
        let at = report.tree.position(mark.span);
        let mut start = floor(text, mark.span.start);
        let end = floor(text, mark.span.end).max(start);
        let mut line = at.line;
        // The first line of a whole document often says nothing.
        while let Some(next) = text[start..end].find('\n').map(|length| start + length + 1) {
            let first = text[start..next].trim();
            if next == end || !(first.is_empty() || first.starts_with("---") || first.starts_with('#')) {
                break;
            }
            start = next;
            line += 1;
        }
        let first_line = text[start..end].split('\n').next().unwrap_or_default().trim_end();
        let end = start + first_line.len();
        let long = is_long(Line::around(text, start).text, columns);
        Self { index, text, mark, at, line, start, end, long }
    }

    /// Whether the excerpts of both, with a line of context each, would touch.
    fn is_near(&self, other: &Self) -> bool {
        self.mark.span.file == other.mark.span.file && self.line.abs_diff(other.line) <= 3 && !(self.long || other.long)
    }
}

fn group<'t>(report: &Report<'t>, columns: usize, marks: Vec<Mark>) -> Vec<Vec<Placed<'t>>> {
    let mut placed: Vec<_> =
        marks.into_iter().enumerate().map(|(index, mark)| Placed::new(report, columns, index, mark)).collect();
    placed.sort_by_key(|placed| (placed.mark.span.file, placed.start, placed.index));
    let mut groups: Vec<Vec<Placed<'t>>> = Vec::new();
    for placed in placed {
        match groups.last_mut() {
            Some(group) if group.last().is_some_and(|last| last.is_near(&placed)) => group.push(placed),
            _ => groups.push(vec![placed]),
        }
    }
    groups.sort_by_key(|group| group.iter().map(|placed| placed.index).min());
    groups
}

/// A line of a text, without its end.
struct Line<'t> {
    text: &'t str,
    start: usize,
    /// Where the next one starts; the length of the text where there is none.
    next: usize,
}

impl<'t> Line<'t> {
    fn around(text: &'t str, at: usize) -> Self {
        let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
        let end = text[at..].find('\n').map_or(text.len(), |length| at + length);
        let line = &text[start..end];
        Self { text: line.strip_suffix('\r').unwrap_or(line), start, next: (end + 1).min(text.len()) }
    }
}

fn is_long(line: &str, columns: usize) -> bool {
    line.len() > columns && line.chars().nth(columns).is_some()
}

fn floor(text: &str, at: u32) -> usize {
    let mut at = (at as usize).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Lines of one file, fit to print, and what to say about them.
#[derive(Debug)]
struct Snippet {
    name: String,
    /// Where a link of the name leads.
    target: Option<String>,
    text: String,
    first_line: u32,
    lines: usize,
    at: Position,
    labels: Vec<Label>,
}

#[derive(Debug)]
struct Label {
    start: usize,
    end: usize,
    text: String,
    primary: bool,
}

impl Snippet {
    /// `group` is not empty, and sorted by place.
    fn new(report: &Report<'_>, terminal: &Terminal, group: Vec<Placed<'_>>) -> Self {
        let file = group[0].mark.span.file;
        let at = group.iter().min_by_key(|placed| placed.index).map_or(group[0].at, |first| first.at);
        let name = printable(&report.path(file)).into_owned();
        let (text, last) = (group[0].text, group[group.len() - 1].line);
        let mut line = Line::around(text, group[0].start);
        let mut number = group[0].line;
        let context = !group[0].long;
        if context && line.start > 0 {
            line = Line::around(text, line.start - 1);
            number -= 1;
        }
        let target = terminal.links.then(|| link::file(report.tree, file)).flatten();
        let mut snippet =
            Self { name, target, text: String::new(), first_line: number, lines: 0, at, labels: Vec::new() };
        let mut marks = group.into_iter().peekable();
        loop {
            let here: Vec<_> = std::iter::from_fn(|| marks.next_if(|placed| placed.line == number)).collect();
            snippet.push(terminal, &line, here);
            let more = number < last || (number == last && context && line.next < text.len());
            if !more {
                break;
            }
            line = Line::around(text, line.next);
            number += 1;
        }
        snippet.settle();
        snippet
    }

    fn push(&mut self, terminal: &Terminal, line: &Line<'_>, marks: Vec<Placed<'_>>) {
        if self.lines > 0 {
            self.text.push('\n');
        }
        self.lines += 1;
        let anchor = marks.first().map_or(0, |mark| mark.start - line.start);
        let points = marks.iter().flat_map(|mark| [mark.start - line.start, mark.end - line.start]).collect();
        let (shown, points) = show(line.text, columns(terminal), anchor, points, terminal.ellipsis());
        let base = self.text.len();
        self.text.push_str(&shown);
        for (mark, ends) in marks.into_iter().zip(points.chunks(2)) {
            let (start, mut end) = (base + ends[0], base + ends[1]);
            if start == end {
                // miette draws nothing where there is nothing to draw under.
                if end == self.text.len() {
                    self.text.push(' ');
                }
                end += self.text[start..].chars().next().map_or(0, char::len_utf8);
            }
            self.labels.push(Label { start, end, text: mark.mark.label, primary: mark.mark.primary });
        }
    }

    /// Labels that start together become one, and none reaches into the next: miette draws them side by side.
    fn settle(&mut self) {
        if self.text.is_empty() || self.text.ends_with('\n') {
            self.text.push(' ');
        }
        let mut settled: Vec<Label> = Vec::new();
        for label in std::mem::take(&mut self.labels) {
            match settled.last_mut() {
                Some(last) if last.start == label.start => {
                    last.text = [last.text.as_str(), label.text.as_str()].join("; ");
                    last.end = last.end.max(label.end);
                    last.primary |= label.primary;
                }
                Some(last) => {
                    last.end = last.end.min(label.start);
                    settled.push(label);
                }
                None => settled.push(label),
            }
        }
        self.labels = settled;
    }

    fn draw(&self, terminal: &Terminal, severity: Severity, out: &mut String) -> fmt::Result {
        let mut theme = terminal.theme();
        let primary = match severity {
            Severity::Error => theme.styles.error,
            Severity::Warning => theme.styles.warning,
            Severity::Info => theme.styles.advice,
        };
        let related = theme.styles.highlights[0];
        theme.styles.highlights =
            self.labels.iter().map(|label| if label.primary { primary } else { related }).collect();
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_width(terminal.width)
            .with_links(false)
            .without_syntax_highlighting()
            .with_context_lines(1);
        let mut drawn = String::new();
        handler.render_report(&mut drawn, self)?;
        // The first line is miette's title, which is empty here.
        let snippet = drawn.split_once('\n').map_or("", |(_, snippet)| snippet);
        let place = format!("{}:{}:{}", self.name, self.at.line, self.at.column);
        out.push_str(&snippet.replacen(&place, &terminal.link(&place, self.target.clone()), 1));
        Ok(())
    }
}

/// `line` with nothing in it that a terminal obeys, at most `columns` characters of it, those around byte `anchor`.
/// Also where the bytes `points` of the line are in that.
fn show(line: &str, columns: usize, anchor: usize, points: Vec<usize>, ellipsis: &str) -> (String, Vec<usize>) {
    let anchor = anchor.min(line.len());
    let mut window = 0..line.len();
    if is_long(line, columns) {
        window.start = line[..anchor].char_indices().rev().take(columns / 4).last().map_or(anchor, |(at, _)| at);
        window.end = line[window.start..].char_indices().nth(columns).map_or(line.len(), |(at, _)| window.start + at);
    }
    let mut shown = String::new();
    if window.start > 0 {
        shown.push_str(ellipsis);
    }
    let mut places: Vec<usize> = vec![shown.len(); points.len()];
    let mut column = 0;
    for (at, c) in line[window.clone()].char_indices() {
        let before = shown.len();
        for (point, place) in points.iter().zip(&mut places) {
            if *point >= window.start + at {
                *place = before;
            }
        }
        match c {
            '\t' => shown.extend(std::iter::repeat_n(' ', TAB - column % TAB)),
            '\u{feff}' if window.start + at == 0 => {}
            c if is_unprintable(c) => shown.extend(c.escape_default()),
            c => shown.push(c),
        }
        column += shown[before..].chars().count();
    }
    for (point, place) in points.iter().zip(&mut places) {
        if *point >= window.end {
            *place = shown.len();
        }
    }
    if window.end < line.len() {
        shown.push_str(ellipsis);
    }
    (shown, places)
}

impl fmt::Display for Snippet {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Snippet {}

impl Diagnostic for Snippet {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().map(|label| {
            let text = (!label.text.is_empty()).then(|| label.text.clone());
            LabeledSpan::new(text, label.start, label.end - label.start)
        })))
    }
}

impl SourceCode for Snippet {
    fn read_span<'a>(
        &'a self,
        _: &SourceSpan,
        context_before: usize,
        _: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        // Without context miette asks for the place in the title of the excerpt.
        let (line, column) =
            if context_before == 0 { (self.at.line - 1, self.at.column - 1) } else { (self.first_line - 1, 0) };
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            self.text.as_bytes(),
            (0, self.text.len()).into(),
            line as usize,
            column as usize,
            self.lines,
        )))
    }
}
