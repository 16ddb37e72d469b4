/// A place in a text as people and tools count it. Everything is 1-based.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub struct Position {
    /// Line.
    pub line: u32,
    /// Column in Unicode characters: what editors show.
    pub column: u32,
    /// Column in bytes.
    pub byte_column: u32,
    /// Column in UTF-16 code units: what language servers and SARIF count.
    pub utf16_column: u32,
}

/// Where the lines of one text start, to find line and column of a byte offset in logarithmic time.
#[derive(Debug, Default)]
pub struct LineIndex {
    starts: Vec<u32>,
}

impl LineIndex {
    /// Scans `text` once. LF ends a line; the CR of CRLF counts as the last character of its line.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut starts = vec![0];
        starts.extend(text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| offset(at + 1)));
        Self { starts }
    }

    /// The position of byte `at`, which is clamped to the text and to a character boundary. A byte order mark has no
    /// width.
    #[must_use]
    pub fn position(&self, text: &str, at: u32) -> Position {
        let mut at = (at as usize).min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let line = self.starts.partition_point(|start| *start as usize <= at).max(1) - 1;
        let start = self.starts[line] as usize;
        let before = &text[start..at];
        let before = if start == 0 { before.strip_prefix('\u{feff}').unwrap_or(before) } else { before };
        // Lines may be very long, and hold very many places.
        let (characters, units) = match before.is_ascii() {
            true => (before.len(), before.len()),
            false => (before.chars().count(), before.chars().map(char::len_utf16).sum()),
        };
        Position {
            line: offset(line + 1),
            column: offset(characters + 1),
            byte_column: offset(before.len() + 1),
            utf16_column: offset(units + 1),
        }
    }
}

fn offset(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_bytes_and_utf16_units() {
        let text = "\u{feff}a: é\nb: 😀x\r\nc: 1\n";
        let index = LineIndex::new(text);
        let at = |needle: &str| index.position(text, offset(text.find(needle).expect("present")));
        assert_eq!(at("a").column, 1);
        let x = at("x");
        assert_eq!((x.line, x.column, x.byte_column, x.utf16_column), (2, 5, 8, 6));
        assert_eq!((at("c").line, at("c").column), (3, 1));
        assert_eq!(index.position(text, 9_999).line, 4);
    }
}
