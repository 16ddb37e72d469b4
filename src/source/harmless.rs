//! What makes text of a repository harmless to whoever reads the output: terminals, logs of pipelines, other programs.
//!
//! The one place that knows what they obey. [`printable`] makes one text fit to stand in a line; [`harmless`] looks at
//! whole output, as it is about to leave the program, and writes what is left to be obeyed in the escapes of its syntax. What
//! reads that syntax reads the same value; people see what is there.

use std::{borrow::Cow, fmt::Write as _};

/// In what output is written, and so what an escape in it looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// Text for people, and Markdown.
    Text,
    /// The same with colours and links of ours.
    Styled,
    /// Workflow commands of GitHub: lines that begin with `::` are ours.
    Commands,
    /// JSON, and what has its escapes: strings of TOML.
    Json,
    /// XML.
    Xml,
    /// YAML, whose printer has done it: nothing but the place of a text tells what an escape is.
    Yaml,
    /// Nothing of it comes from a repository: scripts, manual pages, schemas.
    Own,
}

/// `text` on one line, without anything a terminal would obey or hide: line ends and control characters become escapes,
/// a tab becomes a space.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    clean(text, false)
}

/// As [`printable`], but lines stay lines.
#[must_use]
pub fn printable_lines(text: &str) -> Cow<'_, str> {
    clean(text, true)
}

/// `text` as one word of a command that people copy: in single quotes where a shell would read something into it.
#[must_use]
pub fn shell_word(text: &str) -> Cow<'_, str> {
    let is_plain = |letter: char| letter.is_alphanumeric() || "._-+@/:,".contains(letter);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => Cow::Borrowed(text),
        false => Cow::Owned(format!("'{}'", text.replace('\'', r"'\''"))),
    }
}

fn clean(text: &str, keep_lines: bool) -> Cow<'_, str> {
    let plain = |c: char| (keep_lines && c == '\n') || !is_unprintable(c);
    if text.chars().all(plain) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\t' => out.push(' '),
            c if plain(c) => out.push(c),
            c => out.extend(c.escape_default()),
        }
    }
    Cow::Owned(out)
}

/// Whether a terminal obeys `c` or shows nothing for it: control characters, line separators, invisible characters and
/// those that turn the direction of text. The joiners of emoji and of scripts are none of them.
#[must_use]
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || (!c.is_ascii()
            && matches!(c,
                '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180e}'
                | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
                | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e01ef}'))
}

/// Output without anything that its reader would obey: what a terminal obeys, and the commands of pipelines, which their
/// runners look for in all that a step prints. Doing it twice changes nothing more.
///
/// - `##[command]` and `##vso[command]`, anywhere on a line (actions/runner `Runner.Common/ActionCommand.cs` `TryParse`,
///   microsoft/azure-pipelines-agent `Command.TryParse`; others have `##teamcity[…]`);
/// - `::command::` behind white space at the head of a line (`TryParseV2` there).
#[must_use]
pub fn harmless(text: &str, syntax: Syntax) -> Cow<'_, str> {
    if matches!(syntax, Syntax::Yaml | Syntax::Own) || !text.split('\n').any(is_suspect) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 64);
    for line in text.split_inclusive('\n') {
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
        match is_suspect(line) {
            true => write_line(line, syntax, &mut out),
            false => out.push_str(line),
        }
        out.push_str(end);
    }
    Cow::Owned(out)
}

/// Whether printed lines of YAML hold something that is obeyed. What begins with `::` and is no command, as an address of
/// IPv6, is not.
#[must_use]
pub fn is_obeyed(lines: &str) -> bool {
    lines.split('\n').any(|line| {
        let command =
            line.trim_start().strip_prefix("::").filter(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()));
        line.chars().any(|c| c != '\t' && is_unprintable(c))
            || command.is_some_and(|rest| rest.contains("::"))
            || marks(line).next().is_some()
    })
}

/// Whether there may be something to do with a line.
fn is_suspect(line: &str) -> bool {
    line.contains("##") || line.contains("::") || line.chars().any(is_unprintable)
}

fn write_line(line: &str, syntax: Syntax, out: &mut String) {
    let head = head(line);
    let mut marks = marks(line).map(|at| at + 1).peekable();
    let mut at = 0;
    while let Some(letter) = line[at..].chars().next() {
        let style = if syntax == Syntax::Styled { style(&line[at..]) } else { 0 };
        if style > 0 {
            out.push_str(&line[at..at + style]);
            at += style;
            continue;
        }
        while marks.next_if(|mark| *mark < at).is_some() {}
        let is_command = marks.peek() == Some(&at) || (head == Some(at) && syntax != Syntax::Commands);
        match is_command || is_unprintable(letter) {
            true => escape(letter, syntax, out),
            false => out.push(letter),
        }
        at += letter.len_utf8();
    }
}

/// Where the first `#` of each `##word[` stands.
fn marks(line: &str) -> impl Iterator<Item = usize> {
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    let behind = move |at: usize| line[at + 2..].trim_start_matches(is_word);
    let pairs = line.as_bytes().windows(2).enumerate().filter(|(_, pair)| *pair == b"##").map(|(at, _)| at);
    pairs.filter(move |at| behind(*at).starts_with('['))
}

/// Where `::` stands, if nothing stands before it but white space and styles.
fn head(line: &str) -> Option<usize> {
    let mut rest = line;
    loop {
        rest = rest.trim_start();
        match style(rest) {
            0 => return rest.starts_with("::").then(|| line.len() - rest.len()),
            length => rest = &rest[length..],
        }
    }
}

/// How long the colour or the link is that `text` begins with: `ESC [ … m` (ECMA-48, SGR) or OSC 8 with a target of
/// printable ASCII.
fn style(text: &str) -> usize {
    let of = |start: &str, is_inner: fn(char) -> bool, end: &str| {
        let inner = text.strip_prefix(start)?;
        let rest = inner.trim_start_matches(is_inner).strip_prefix(end)?;
        Some(text.len() - rest.len())
    };
    of("\u{1b}[", |c| c.is_ascii_digit() || c == ';', "m")
        .or_else(|| of("\u{1b}]8;;", |c| c.is_ascii_graphic(), "\u{1b}\\"))
        .unwrap_or(0)
}

fn escape(letter: char, syntax: Syntax, out: &mut String) {
    match syntax {
        Syntax::Json => {
            out.extend(letter.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        }
        // XML 1.0 has no way to say a control character.
        Syntax::Xml if matches!(letter, '#' | ':') => {
            let _ = write!(out, "&#{};", u32::from(letter));
        }
        _ if letter == '\t' => out.push(' '),
        _ => out.extend(letter.escape_unicode()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_of_pipelines_are_broken_in_the_escapes_of_the_syntax() {
        for (text, syntax, expected) in [
            ("a ##[error]b", Syntax::Text, "a #\\u{23}[error]b"),
            ("a ###vso[x]b ##[y]", Syntax::Text, "a ##\\u{23}vso[x]b #\\u{23}[y]"),
            ("##teamcity[x]", Syntax::Commands, "#\\u{23}teamcity[x]"),
            ("\"##[x\"", Syntax::Json, "\"#\\u0023[x\""),
            ("<a>##[x</a>", Syntax::Xml, "<a>#&#35;[x</a>"),
            ("a\n  ::set-output name=a::b\n", Syntax::Text, "a\n  \\u{3a}:set-output name=a::b\n"),
            ("\u{a0}::error::x", Syntax::Xml, "\u{a0}&#58;:error::x"),
            ("::error::x", Syntax::Commands, "::error::x"),
            ("a ::error::x # [a] ## b[", Syntax::Text, "a ::error::x # [a] ## b["),
        ] {
            let out = harmless(text, syntax);
            assert_eq!(out, expected);
            assert_eq!(harmless(&out, syntax), out, "once is enough");
        }
    }

    #[test]
    fn only_our_styles_reach_a_terminal() {
        let styled = "\u{1b}[1;31mred\u{1b}[0m \u{1b}]8;;file:///a\u{1b}\\a\u{1b}]8;;\u{1b}\\";
        assert_eq!(harmless(styled, Syntax::Styled), styled);
        assert!(!harmless(styled, Syntax::Text).contains('\u{1b}'));
        for hostile in ["\u{1b}[2J", "\u{1b}]0;title\u{7}", "\u{9b}31m", "a\rb", "\u{202e}", "\u{1b}]8;;a b\u{1b}\\"] {
            assert!(!harmless(hostile, Syntax::Styled).chars().any(is_unprintable), "{hostile:?}");
        }
        assert_eq!(harmless("\u{1b}[1m ::x", Syntax::Styled), "\u{1b}[1m \\u{3a}:x");
    }

    #[test]
    fn a_word_of_a_command_is_one_word() {
        assert_eq!(shell_word("flux-system/apps"), "flux-system/apps");
        assert_eq!(shell_word("$(id) 'x"), r"'$(id) '\''x'");
        assert_eq!(shell_word(""), "''");
    }

    #[test]
    fn values_are_the_same_in_json() {
        let value = serde_json::json!({"##[a]": "##vso[b] \u{7f}\u{202e}\u{e0041} ::c"});
        let out = harmless(&serde_json::to_string_pretty(&value).expect("JSON"), Syntax::Json).into_owned();
        assert!(!out.contains("##") && out.is_ascii(), "{out}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&out).expect("JSON"), value);
    }

    #[test]
    fn addresses_are_no_commands_of_yaml() {
        assert!(is_obeyed("a: |\n  ::add-mask::x\n") && is_obeyed("a: b ##[c]\n") && is_obeyed("a: \u{202e}\n"));
        assert!(!is_obeyed("hosts: |\n  ::1 localhost\n  ::ffff:0:0/96\n\t# [a] ##\n"));
    }
}
