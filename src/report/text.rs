use std::borrow::Cow;

use super::Terminal;

/// `text` on one line, without anything a terminal would obey or hide: line ends and control characters become escapes,
/// a tab becomes a space.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    clean(text, false)
}

/// `json` with what a terminal would obey or hide escaped. Such characters stand only inside strings of JSON.
pub(super) fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for letter in json.chars() {
        if is_unprintable(letter) && letter != '\n' {
            out.extend(letter.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            out.push(letter);
        }
    }
    out
}

/// As [`printable`], but lines stay lines.
#[must_use]
pub fn printable_lines(text: &str) -> Cow<'_, str> {
    clean(text, true)
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
/// those that turn the direction of text.
pub(super) fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The last `most` characters of a name: its end says more than its beginning.
pub(super) fn shortened(name: &str, most: usize, terminal: &Terminal) -> String {
    let length = name.chars().count();
    if length <= most {
        return name.to_owned();
    }
    let sign = terminal.ellipsis();
    let kept = most.saturating_sub(sign.chars().count());
    format!("{sign}{}", name.chars().skip(length - kept).collect::<String>())
}

/// `text` in lines of at most `width` columns, the first behind `first`, the others behind `rest`. Words are never
/// broken: names and paths stay whole.
#[must_use]
pub fn wrap(text: &str, width: usize, first: &str, rest: &str) -> String {
    let options = textwrap::Options::new(width)
        .initial_indent(first)
        .subsequent_indent(rest)
        .break_words(false)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::fill(text, options)
}
