//! The anchored regular expressions of selectors (kustomize `types.NewSelectorRegex`).

use regex::{Regex, RegexBuilder};

/// Most bytes of a compiled pattern. Names of Kubernetes are matched by a few hundred.
const COMPILED: usize = 1 << 20;

/// Compiles a pattern; `None` where it is not valid, or too large.
pub(in crate::kustomize) fn compile(text: &str) -> Option<Regex> {
    RegexBuilder::new(text).size_limit(COMPILED).build().ok()
}

/// Steps that compiling the patterns in `texts` takes, roughly: each repetition by a number repeats what stands before it.
pub(in crate::kustomize) fn cost<'t>(texts: impl Iterator<Item = &'t str>) -> usize {
    texts.map(cost_of).sum()
}

fn cost_of(text: &str) -> usize {
    let counts = text.split('{').skip(1).filter_map(|rest| {
        let counts = rest.split_once('}')?.0;
        counts.split(',').filter_map(|count| count.trim().parse::<usize>().ok()).max()
    });
    let times = counts.fold(1, |times: usize, count| times.saturating_mul(count.clamp(1, 1_000)).min(1_000_000));
    // Classes such as `\\w` are those of Unicode, with hundreds of ranges.
    let classes = 100 * text.matches('\\').count();
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'/'));
    if is_plain { 100 } else { 500 + times.saturating_mul(4 * (text.len() + classes)).min(4_000_000) }
}

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
        let regex = compile(&format!("^(?:{text})$"));
        regex.map(Self::Regex).ok_or_else(|| format!("`{text}` is no valid regular expression, or one too large"))
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

    #[test]
    fn patterns_cost_what_they_repeat() {
        let cost = |text: &str| cost([text].into_iter());
        assert!(cost("(a{1,30}){1,30}") > 20 * cost("a.*"));
        assert!(cost("podinfo") < cost(".*"));
        // Honest patterns of names stay far below the budget.
        assert!(cost("[a-z]{1,63}-[0-9]{1,10}") < 100_000);
        assert!(cost("((a{1,1000}){1,1000}){1,1000}") <= 4_000_500);
    }

    #[test]
    fn what_is_too_large_is_refused() {
        assert!(compile("(a{1,1000}){1,1000}").is_none());
        assert!(compile("^(?:[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)$").is_some());
    }
}
