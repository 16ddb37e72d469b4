use super::Terminal;

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
