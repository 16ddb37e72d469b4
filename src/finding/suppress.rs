//! Comments that silence findings: `# fluxdag: ignore[rule-id] reason` and `# fluxdag: ignore-file[rule-id] reason`.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use super::Finding;
use crate::source::{FileId, Span};

/// What each such comment holds. A file without it has none.
pub const MARK: &str = "fluxdag:";

/// A comment that silences findings, or means to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// The comment from its `#` on, without what other tools have in the same one.
    pub span: Span,
    /// The ids it lists.
    pub rules: Vec<String>,
    /// Why, where it says.
    pub reason: Option<String>,
    /// What keeps it from silencing anything.
    pub fault: Option<Fault>,
    /// What it is about.
    pub reach: Reach,
    /// The value of the key on its line, where that begins on a later one: what points there is meant as well.
    pub value: Option<Span>,
    /// Whether faults of it are worth telling: it stands in a file that was asked about.
    pub is_ours: bool,
    /// Whether the run sees all that it could silence.
    pub is_settled: bool,
}

/// What a [`Suppression`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The whole file.
    File,
    /// A line: where its bytes start and end.
    Line(u32, u32),
    /// Nothing: no line follows.
    Nothing,
}

/// What is wrong with the form of a [`Suppression`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Something else than `ignore` or `ignore-file`.
    Directive(String),
    /// No `[…]` behind the word.
    NoList,
    /// A `[` that is not closed.
    OpenList,
    /// A list without an id.
    EmptyList,
    /// A `*`.
    Wildcard,
    /// No reason, where one is required.
    NoReason,
    /// `ignore-file` behind the first content of the file.
    NotFirst,
}

/// Why a finding is not shown.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Suppressed {
    /// What silences it.
    pub kind: SuppressionKind,
    /// Why, in the words of whoever did it.
    pub reason: Option<String>,
}

/// What silences a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SuppressionKind {
    /// A comment in a manifest.
    Inline,
    /// An entry of `ignore` in the configuration.
    Config,
    /// The baseline: it was there when that was written.
    Baseline,
    /// It was found in the revision that this one is compared with, too.
    Known,
}

/// Reads the comments of one file, in any order.
#[derive(Debug)]
pub struct CommentReader<'t> {
    text: &'t str,
    require_reason: bool,
    /// Where the first content begins.
    content: usize,
    /// Starts of comment lines that were passed over last, and the line that they are about: all of them ask the same.
    passed: Range<usize>,
    about: Option<(u32, u32)>,
}

impl<'t> CommentReader<'t> {
    /// For a file of these contents. `require_reason` has comments without a reason silence nothing.
    #[must_use]
    pub fn new(text: &'t str, require_reason: bool) -> Self {
        Self { text, require_reason, content: start_of_content(text), passed: 0..0, about: None }
    }

    /// What the comment at `comment` silences. `is_trailing` tells whether something stands before it on its line.
    #[must_use]
    pub fn read(&mut self, comment: Span, is_trailing: bool) -> Vec<Suppression> {
        let Some(words) = self.text.get(comment.start as usize..comment.end as usize) else { return Vec::new() };
        let parts = marked(words);
        if parts.is_empty() {
            return Vec::new();
        }
        let line = self.target(comment, is_trailing);
        let mut found = Vec::new();
        for (at, body) in parts {
            let span = Span::new(comment.file, comment.start + at.start as u32, comment.start + at.end as u32);
            let mut written = Written::new(body);
            if written.fault.is_none() && written.is_file && comment.start as usize > self.content {
                written.fault = Some(Fault::NotFirst);
            }
            if written.fault.is_none() && self.require_reason && written.reason.is_none() {
                written.fault = Some(Fault::NoReason);
            }
            let reach = match (written.is_file, line) {
                (true, _) => Reach::File,
                (false, Some((start, end))) => Reach::Line(start, end),
                (false, None) => Reach::Nothing,
            };
            found.push(Suppression {
                span,
                rules: written.rules,
                reason: written.reason,
                fault: written.fault,
                reach,
                value: None,
                is_ours: true,
                is_settled: true,
            });
        }
        found
    }

    /// The line a comment is about: its own, or, where it stands alone, the next one that is no comment. A blank line is
    /// none.
    fn target(&mut self, comment: Span, is_trailing: bool) -> Option<(u32, u32)> {
        let text = self.text;
        let start = text[..comment.start as usize].rfind('\n').map_or(0, |end| end + 1);
        let end_of = |start: usize| text[start..].find('\n').map_or(text.len(), |length| start + length);
        if is_trailing {
            return Some((start as u32, end_of(start) as u32));
        }
        if self.passed.contains(&start) {
            return self.about;
        }
        let mut next = end_of(start) + 1;
        let about = loop {
            let Some(line) = text.get(next..).map(|_| text[next..end_of(next)].trim()) else { break None };
            if line.is_empty() {
                break None;
            }
            if !line.starts_with('#') {
                break Some((next as u32, end_of(next) as u32));
            }
            next = end_of(next) + 1;
        };
        (self.passed, self.about) = (start..next, about);
        about
    }
}

/// The parts of a comment that are addressed to this program: where each stands, and what follows the mark. A
/// part ends where another comment begins in the same one.
fn marked(words: &str) -> Vec<(Range<usize>, &str)> {
    let starts_comment = |at: usize| at == 0 || words[..at].ends_with(char::is_whitespace);
    let hashes: Vec<usize> = words.match_indices('#').map(|(at, _)| at).filter(|at| starts_comment(*at)).collect();
    let mut found = Vec::new();
    for (index, at) in hashes.iter().copied().enumerate() {
        let Some(body) = words[at..].trim_start_matches('#').trim_start().strip_prefix(MARK) else { continue };
        // `#12` in a reason is a number, `# x` and `# {…}` are the next comment.
        let is_next = |at: &usize| words[at + 1..].starts_with([' ', '\t', '{']);
        let length = hashes[index + 1..].iter().find(|at| is_next(at)).map_or(words.len(), |next| *next);
        let from = words.len() - body.len();
        if let Some(body) = words.get(from..length) {
            let body = body.trim_end();
            found.push((at..from + body.len(), body));
        }
    }
    found
}

/// What stands behind the mark.
struct Written {
    is_file: bool,
    rules: Vec<String>,
    reason: Option<String>,
    fault: Option<Fault>,
}

impl Written {
    fn new(body: &str) -> Self {
        let body = body.trim();
        let length =
            body.find(|letter: char| !(letter.is_alphanumeric() || "-_".contains(letter))).unwrap_or(body.len());
        let (word, rest) = body.split_at(length);
        let mut written = Self { is_file: word == "ignore-file", rules: Vec::new(), reason: None, fault: None };
        if !["ignore", "ignore-file"].contains(&word) {
            written.fault = Some(Fault::Directive(word.to_owned()));
            return written;
        }
        let Some(list) = rest.strip_prefix('[') else {
            written.fault = Some(Fault::NoList);
            return written;
        };
        let Some((list, reason)) = list.split_once(']') else {
            written.fault = Some(Fault::OpenList);
            return written;
        };
        let mut known = BTreeSet::new();
        for id in list.split(',').map(str::trim).filter(|id| !id.is_empty()) {
            if known.insert(id) {
                written.rules.push(id.to_owned());
            }
        }
        let reason = reason.trim();
        written.reason = (!reason.is_empty()).then(|| reason.to_owned());
        if written.rules.is_empty() {
            written.fault = Some(Fault::EmptyList);
        } else if list.contains('*') {
            written.fault = Some(Fault::Wildcard);
        }
        written
    }
}

/// Where the first line begins that is no comment, no directive and no `---`.
fn start_of_content(text: &str) -> usize {
    let mut at = text.len() - text.trim_start_matches('\u{feff}').len();
    for line in text[at..].split_inclusive('\n') {
        let words = line.trim();
        let rest = words.strip_prefix("---").unwrap_or(words).trim_start();
        if !(rest.is_empty() || rest.starts_with('#') || words.starts_with('%')) {
            return at;
        }
        at += line.len();
    }
    text.len()
}

/// Start and end of a line, and the suppression that means it.
type Line = (u32, u32, usize);

/// Suppressions by what they are about, so that a finding asks few of them.
#[derive(Default)]
struct Index<'s> {
    files: BTreeMap<(FileId, &'s str), Vec<usize>>,
    /// Sorted by start; no two lines overlap.
    lines: BTreeMap<(FileId, &'s str), Vec<Line>>,
    values: BTreeMap<(Span, &'s str), Vec<usize>>,
}

impl<'s> Index<'s> {
    fn new(suppressions: &'s [Suppression]) -> Self {
        let mut index = Self::default();
        for (at, suppression) in suppressions.iter().enumerate().filter(|(_, one)| one.fault.is_none()) {
            for rule in &suppression.rules {
                let key = (suppression.span.file, rule.as_str());
                match suppression.reach {
                    Reach::File => index.files.entry(key).or_default().push(at),
                    Reach::Line(start, end) => index.lines.entry(key).or_default().push((start, end, at)),
                    Reach::Nothing => {}
                }
                if let Some(value) = suppression.value {
                    index.values.entry((value, rule)).or_default().push(at);
                }
            }
        }
        index.lines.values_mut().for_each(|lines| lines.sort_unstable());
        index
    }

    /// The suppressions that mean a finding of `rule` at `span`.
    fn covering(&self, rule: &str, span: Span, found: &mut BTreeSet<usize>) {
        found.extend(self.files.get(&(span.file, rule)).into_iter().flatten());
        found.extend(self.values.get(&(span, rule)).into_iter().flatten());
        let lines = self.lines.get(&(span.file, rule)).map(Vec::as_slice).unwrap_or_default();
        let until = lines.partition_point(|(start, ..)| *start <= span.end);
        // An empty span may stand at the very end of a line, another one ends before its last byte.
        let touches = |(start, end, _): &&Line| span.start <= *end && (span.end > *start || span.start >= *start);
        found.extend(
            lines[..until].iter().rev().take_while(|(_, end, _)| *end >= span.start).filter(touches).map(|line| line.2),
        );
    }
}

/// Marks the findings that `suppressions` mean, and gives those that are of use: the position of the comment, and the id
/// of the rule.
pub fn suppress<'s>(findings: &mut [Finding], suppressions: &'s [Suppression]) -> BTreeSet<(usize, &'s str)> {
    let mut used = BTreeSet::new();
    if suppressions.is_empty() {
        return used;
    }
    let index = Index::new(suppressions);
    for finding in findings {
        let mut found = BTreeSet::new();
        let related = finding.related.iter().filter_map(|related| related.location);
        for span in finding.location.span().into_iter().chain(related) {
            index.covering(finding.rule, span, &mut found);
        }
        let Some(first) = found.first() else { continue };
        let reason = suppressions[*first].reason.clone();
        finding.suppressed = Some(Suppressed { kind: SuppressionKind::Inline, reason });
        let of = |at: usize| suppressions[at].rules.iter().find(|id| *id == finding.rule).map(|id| (at, id.as_str()));
        used.extend(found.into_iter().filter_map(of));
    }
    used
}

#[cfg(test)]
mod tests;
