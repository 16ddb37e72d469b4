//! Go's shell patterns (`path.Match`), one path segment at a time or over a whole value.

/// A compiled pattern.
#[derive(Debug, Clone)]
pub(in crate::flux) struct Glob {
    tokens: Vec<Token>,
    /// The text it matches, where it holds no wildcard.
    literal: Option<String>,
}

#[derive(Debug, Clone)]
enum Token {
    /// `*`: any number of characters.
    Star,
    /// `?`: one character.
    Any,
    Char(char),
    /// `[a-z]` or, negated, `[^a-z]`.
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Token {
    fn takes(&self, letter: char) -> bool {
        match self {
            Self::Star | Self::Any => true,
            Self::Char(own) => *own == letter,
            Self::Class { negated, ranges } => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&letter)) != *negated
            }
        }
    }
}

impl Glob {
    /// Compiles `pattern`; `None` where Go would answer `ErrBadPattern`.
    pub(in crate::flux) fn new(pattern: &str) -> Option<Self> {
        let mut tokens = Vec::new();
        let mut letters = pattern.chars().peekable();
        while let Some(letter) = letters.next() {
            tokens.push(match letter {
                '*' if matches!(tokens.last(), Some(Token::Star)) => continue,
                '*' => Token::Star,
                '?' => Token::Any,
                '\\' => Token::Char(letters.next()?),
                '[' => class(&mut letters)?,
                letter => Token::Char(letter),
            });
        }
        let literal = tokens.iter().map(|token| if let Token::Char(letter) = token { Some(*letter) } else { None });
        let literal = literal.collect();
        Some(Self { tokens, literal })
    }

    /// The text it matches, where it holds no wildcard.
    pub(in crate::flux) fn literal(&self) -> Option<&str> {
        self.literal.as_deref()
    }

    /// How much there is to compare at each character.
    pub(in crate::flux) fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether the pattern matches all of `text`.
    pub(in crate::flux) fn matches(&self, text: &str) -> bool {
        if let Some(literal) = &self.literal {
            return literal == text;
        }
        let mut whole = false;
        self.prefixes(text, |end| {
            whole = end == text.len();
            true
        });
        whole
    }

    /// Calls `found` with the end of each prefix of `text` that the pattern matches, the shortest first, until it says
    /// `false`. Takes time in proportion to the text times the pattern, whatever they hold.
    pub(in crate::flux) fn prefixes(&self, text: &str, mut found: impl FnMut(usize) -> bool) {
        let end = self.tokens.len();
        let mut here = vec![false; end + 1];
        here[0] = true;
        self.skip_stars(&mut here);
        if here[end] && !found(0) {
            return;
        }
        let mut next = vec![false; end + 1];
        for (at, letter) in text.char_indices() {
            next.fill(false);
            for (index, token) in self.tokens.iter().enumerate() {
                if here[index] && token.takes(letter) {
                    next[if matches!(token, Token::Star) { index } else { index + 1 }] = true;
                }
            }
            self.skip_stars(&mut next);
            std::mem::swap(&mut here, &mut next);
            if !here.contains(&true) || (here[end] && !found(at + letter.len_utf8())) {
                return;
            }
        }
    }

    fn skip_stars(&self, states: &mut [bool]) {
        for (index, token) in self.tokens.iter().enumerate() {
            if states[index] && matches!(token, Token::Star) {
                states[index + 1] = true;
            }
        }
    }
}

fn class(letters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<Token> {
    let negated = letters.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    while ranges.is_empty() || letters.next_if_eq(&']').is_none() {
        let low = bound(letters)?;
        let high = if letters.next_if_eq(&'-').is_some() { bound(letters)? } else { low };
        ranges.push((low, high));
    }
    Some(Token::Class { negated, ranges })
}

fn bound(letters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<char> {
    match letters.next()? {
        '-' | ']' => None,
        '\\' => letters.next(),
        letter => Some(letter),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_go() {
        for (pattern, text, matches) in [
            ("abc", "abc", true),
            ("*", "abc", true),
            ("*c", "abc", true),
            ("a*b*c*d*e*", "axbxcxdxexxx", true),
            ("a*b?c*x", "abxbbxdbxebxczzx", true),
            ("a*b?c*x", "abxbbxdbxebxczzy", false),
            ("ab[b-d]", "abc", true),
            ("ab[^e-g]", "abc", true),
            ("ab[^b-d]", "abc", false),
            ("a\\*b", "a*b", true),
            ("a\\*b", "ab", false),
            ("[\\]a]", "]", true),
            ("[!a]", "!", true),
            ("a?b", "a☺b", true),
            ("", "", true),
        ] {
            assert_eq!(Glob::new(pattern).expect(pattern).matches(text), matches, "{pattern} {text}");
        }
        for bad in ["[]a]", "[-]", "[x-]", "[", "[^", "[^bc", "a[", "\\"] {
            assert!(Glob::new(bad).is_none(), "{bad}");
        }
    }
}
