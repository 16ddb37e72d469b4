//! The anchored regular expressions of selectors (kustomize `types.NewSelectorRegex`).

use regex::Regex;

/// What one field of a selector takes. Nearly all are plain words, which need no automaton.
#[derive(Debug)]
pub(super) enum Pattern {
    /// This very text.
    Exact(String),
    /// Words with bars between them, in which a dot stands for any letter.
    Words(String),
    /// `.*`
    Any,
    /// Any other expression.
    Regex(Regex),
}

impl Pattern {
    /// Reads an expression, which has to take the whole of a text.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_/:.|".contains(letter);
        if text == ".*" {
            return Ok(Self::Any);
        }
        if text.chars().all(is_plain) {
            return Ok(Self::Words(text.to_owned()));
        }
        let regex = Regex::new(&format!("^(?:{text})$"));
        regex.map(Self::Regex).map_err(|_| format!("`{text}` is no valid regular expression"))
    }

    /// Whether it takes `text`.
    pub(super) fn takes(&self, text: &str) -> bool {
        match self {
            Self::Exact(wanted) => wanted == text,
            Self::Words(words) => words.split('|').any(|word| fits(word, text)),
            Self::Any => !text.contains('\n'),
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

/// Whether `word` is `text`, a dot being any letter.
fn fits(word: &str, text: &str) -> bool {
    let mut letters = text.chars();
    word.chars()
        .all(|wanted| letters.next().is_some_and(|letter| wanted == letter || (wanted == '.' && letter != '\n')))
        && letters.next().is_none()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_pattern_takes_what_the_expression_takes(pattern in "[a-c.|*]{0,6}", text in "[a-c.|*\n]{0,4}") {
            let Ok(read) = Pattern::read(&pattern) else { return Ok(()) };
            let regex = Regex::new(&format!("^(?:{pattern})$")).expect("valid, or it would not be read");
            prop_assert_eq!(read.takes(&text), regex.is_match(&text));
        }
    }

    #[test]
    fn plain_words_need_no_automaton() {
        for plain in ["podinfo", "Deployment|StatefulSet", "apps.example.com", "v1", ".*"] {
            assert!(!matches!(Pattern::read(plain), Ok(Pattern::Regex(_)) | Err(_)), "{plain}");
        }
        assert!(matches!(Pattern::read("app-.*"), Ok(Pattern::Regex(_))));
        assert!(Pattern::read("(").is_err());
    }
}
