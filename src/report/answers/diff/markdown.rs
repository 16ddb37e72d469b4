//! Markdown that can be pasted into a pull request.
//!
//! Whatever comes from the repository is written so that GitHub and GitLab show it and obey nothing of it: no markup, no
//! HTML, no link, no mention of a person or an issue.

use std::fmt::Write as _;

use super::{Line, Part, Section, headline, revision, sections};
use crate::{change::Diff, report::printable};

/// The longest text that GitHub takes as a comment.
const MOST: usize = 65_536;

/// Room for the title of a section and for what it says of the items it leaves out.
const HEADING: usize = 160;

/// Room for the drawings: GitLab draws nothing longer than 2,000 characters without a click, and one per pull request is read.
const DRAWN: usize = 12_000;

/// How many clusters are drawn.
const CLUSTERS: usize = 2;

/// By which a later run finds the comment again that it is to replace.
const MARK: &str = "<!-- fluxdag diff -->";

/// A comparison for a pull request, in at most 65,536 bytes. What does not fit is left out by whole items, and counted.
#[must_use]
pub fn markdown(diff: &Diff) -> String {
    fitted(diff, MOST)
}

fn fitted(diff: &Diff, most: usize) -> String {
    let mut text = format!("{MARK}\n### fluxdag: {}\n\n", headline::diff(diff));
    let _ = writeln!(text, "{} → {}", code(&revision(&diff.base)), code(&revision(&diff.head)));
    let drawings = drawings(diff);
    let sections = sections(diff);
    let mut room = most.saturating_sub(text.len() + sections.len() * HEADING);
    let drawings = if drawings.len() < room / 2 { drawings } else { String::new() };
    room = room.saturating_sub(drawings.len());
    for section in &sections {
        let written = write(section, room);
        room = room.saturating_sub(written.len().saturating_sub(HEADING));
        text.push_str(&written);
    }
    text.push_str(&drawings);
    text
}

fn drawings(diff: &Diff) -> String {
    let mut text = String::new();
    for cluster in diff.clusters.iter().filter(|cluster| !cluster.drawing.mermaid.is_empty()).take(CLUSTERS) {
        let root = if cluster.cluster.is_empty() { "." } else { &cluster.cluster };
        let drawing = &cluster.drawing;
        let mut part = format!("\n#### Neighbourhood of what changed in {}\n\n", code(root));
        let _ = write!(part, "```mermaid\n{}```\n", drawing.mermaid);
        if drawing.left_out > 0 {
            let _ = writeln!(part, "\n{} more nodes are not drawn.", drawing.left_out);
        }
        if text.len() + part.len() <= DRAWN {
            text.push_str(&part);
        }
    }
    text
}

/// A section in at most `room` bytes and a heading.
fn write(section: &Section, room: usize) -> String {
    let mut text = format!("\n#### {}\n\n", prose(&section.title));
    let (mut left_out, mut used) = (section.left_out, 0);
    for line in &section.lines {
        let item = format!("- {}\n", item(line));
        if left_out == section.left_out && used + item.len() <= room {
            used += item.len();
            text.push_str(&item);
        } else {
            left_out += 1;
        }
    }
    if left_out > 0 {
        let _ = writeln!(text, "- … and {left_out} more, which `fluxdag diff -o json` names");
    }
    text
}

fn item(line: &Line) -> String {
    let part = |part: &Part| match part {
        Part::Say(text) => escaped(text),
        Part::Name(text) => code(text),
        Part::Prose(text) => prose(text),
    };
    line.0.iter().map(part).collect()
}

/// A name as code. Nothing is obeyed in there but the backticks that end it.
fn code(text: &str) -> String {
    let text = printable(text);
    let longest = text.split(|letter| letter != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    match text.as_ref() {
        "" => "` `".to_owned(),
        text if longest > 0 || text.starts_with(' ') || text.ends_with(' ') => format!("{fence} {text} {fence}"),
        text => format!("{fence}{text}{fence}"),
    }
}

/// A sentence: what stands between backticks is code, where these come in pairs.
fn prose(text: &str) -> String {
    let text = printable(text);
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return escaped(&text);
    }
    let part = |(index, part): (usize, &&str)| if index % 2 == 1 { code(part) } else { escaped(part) };
    parts.iter().enumerate().map(part).collect()
}

/// Text that means nothing but itself. Letters that would begin a link or a mention are followed by an empty comment, since
/// those are looked for in what is shown.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '@' => out.push_str("@<!-- -->"),
            '#' => out.push_str("\\#<!-- -->"),
            ':' if letters.peek() == Some(&'/') => out.push_str(":<!-- -->"),
            'w' | 'W' if letters.peek().is_some_and(|next| next.eq_ignore_ascii_case(&'w')) => {
                out.push(letter);
                out.push_str("<!-- -->");
            }
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '|' | '~' | '$' | '!' | '^' | '=' | '"' | '\'' => {
                out.push('\\');
                out.push(letter);
            }
            '(' if out.ends_with(']') => out.push_str("\\("),
            // Only at the start of a line would these mean something, and ours begin with `- `.
            '+' | '-' if out.is_empty() => {
                out.push('\\');
                out.push(letter);
            }
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        change::{DiffCounts, Revised},
        finding::{Finding, RuleInfo, Subject},
        query::ReportedFinding,
        source::{Span, Tree},
    };

    const RULE: RuleInfo = RuleInfo::SAMPLE;

    fn finding(message: &str) -> ReportedFinding {
        let finding = Finding::new(&RULE, Subject::file("a"), Span::NONE, message.to_owned());
        ReportedFinding::new(&finding, &Tree::from_memory([]))
    }

    fn diff(new: &[ReportedFinding]) -> Diff {
        let revised = |name: &str| Revised { name: name.to_owned(), commit: None };
        Diff {
            base: revised("main`"),
            head: revised("the work tree"),
            profile: "slow",
            summary: DiffCounts { new: new.len(), fixed: new.len(), known: 0, files: 0 },
            clusters: Vec::new(),
            new_findings: new.to_vec(),
            fixed_findings: new.to_vec(),
            touched_files: Vec::new(),
            reach: Vec::new(),
            several: false,
            warnings: Vec::new(),
            remark: None,
        }
    }

    #[test]
    fn what_does_not_fit_is_left_out_by_whole_items_and_counted() {
        let findings: Vec<ReportedFinding> =
            (0..40).map(|index| finding(&format!("finding {index} {}", "x".repeat(50)))).collect();
        let diff = diff(&findings);
        let whole = markdown(&diff);
        assert!(whole.len() <= MOST && !whole.contains("more, which"));
        for most in [1_000, 2_000, 4_000, 6_000] {
            let text = fitted(&diff, most);
            assert!(text.len() <= most, "{} of {most}", text.len());
            let shown = text.matches("some-rule").count();
            let left: usize =
                text.split("- … and ").skip(1).filter_map(|rest| rest.split(' ').next()?.parse::<usize>().ok()).sum();
            assert_eq!(shown + left, 80, "{text}");
            assert!(text.lines().filter(|line| line.contains("some-rule")).all(|line| line.ends_with(&"x".repeat(50))));
        }
        let many: Vec<ReportedFinding> =
            (0..500).map(|index| finding(&format!("{index}{}", "<".repeat(5_000)))).collect();
        assert!(markdown(&self::diff(&many)).len() <= MOST);
    }

    #[test]
    fn nothing_of_the_repository_is_obeyed() {
        let hostile = "x\n## y <script>alert(1)</script> [a](http://e.example) @user #12 ![i](j) ``` | www.e.example **b** $x$ &lt; `c` <b> @me";
        let text = markdown(&diff(&[finding(hostile)]));
        for wrong in ["\n## ", "<script", "](http", "@user", "#12", "://", "www.", "**b", "\n```", "<b>"] {
            assert!(!text.contains(wrong), "{wrong}: {text}");
        }
        assert!(text.contains("@<!-- -->user"));
        // Between backticks that come in pairs it is code, where nothing is obeyed.
        assert_eq!(prose("see `www.e.example <b> @me`"), "see `www.e.example <b> @me`");
        assert_eq!(code("a`b``c"), "``` a`b``c ```");
        assert_eq!(prose("the path `a_b` of c_d"), "the path `a_b` of c\\_d");
        assert_eq!(prose("a `b` c` d"), "a \\`b\\` c\\` d");
    }
}
