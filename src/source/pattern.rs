use std::fmt;

use globset::{GlobBuilder, GlobMatcher};

use super::parent;

/// A glob over parts between slashes: `*` is anything within a part, `**` any number of parts, `?` a letter, `[ab]` and
/// `{a,b}` a choice.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
    /// Nothing where the text holds no wildcard.
    matcher: Option<GlobMatcher>,
}

/// Letters of the longest pattern.
const LONGEST: usize = 1_024;

/// Choices inside each other.
const DEEPEST: usize = 8;

/// Why `text` would cost too much to match, if it would.
fn excess(text: &str) -> Option<String> {
    if text.len() > LONGEST {
        return Some(format!("a pattern of more than {LONGEST} letters"));
    }
    let mut depth: usize = 0;
    for letter in text.bytes() {
        match letter {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return Some(format!("a pattern with more than {DEEPEST} choices inside each other"));
        }
    }
    None
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(excess) = excess(text) {
            return Err(excess);
        }
        let matcher = if text.contains(['*', '?', '[', '{', '\\']) {
            let glob = GlobBuilder::new(text).literal_separator(true).backslash_escape(true).build();
            Some(glob.map_err(|error| format!("`{text}` is no pattern: {}", error.kind()))?.compile_matcher())
        } else {
            None
        };
        Ok(Self { text: text.to_owned(), matcher })
    }

    /// Whether it matches all of `text`.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.matcher.as_ref().map_or_else(|| self.text == text, |matcher| matcher.is_match(text))
    }

    /// Whether it matches `path`, or a folder that holds it.
    #[must_use]
    pub fn covers(&self, path: &str) -> bool {
        let mut at = path;
        loop {
            if self.matches(at) {
                return true;
            }
            if at.is_empty() {
                return false;
            }
            at = parent(at);
        }
    }

    /// The pattern as it is written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_go_part_by_part() {
        for (pattern, text, matches) in [
            ("Kustomization/flux-system/apps", "Kustomization/flux-system/apps", true),
            ("Kustomization/*/apps", "Kustomization/flux-system/apps", true),
            ("*/apps", "Kustomization/flux-system/apps", false),
            ("**/apps", "Kustomization/flux-system/apps", true),
            ("HelmRelease/media/{plex,sonarr}", "HelmRelease/media/sonarr", true),
            ("a?", "ab", true),
            ("a.b", "aXb", false),
        ] {
            assert_eq!(Pattern::parse(pattern).expect("valid").matches(text), matches, "{pattern} {text}");
        }
        let error = Pattern::parse("a[").expect_err("not closed");
        assert!(error.starts_with("`a[` is no pattern: "), "{error}");
    }

    /// What the limits let pass is compiled, whatever it holds.
    #[test]
    fn no_pattern_is_too_much_to_compile() {
        let nested = |depth: usize| format!("{}b{}", "{a,".repeat(depth), "}".repeat(depth));
        assert!(Pattern::parse(&nested(DEEPEST)).is_ok_and(|pattern| pattern.matches("a")));
        assert!(Pattern::parse(&nested(DEEPEST + 1)).is_err_and(|error| error.contains("inside each other")));
        assert!(Pattern::parse(&"a*".repeat(LONGEST)).is_err_and(|error| error.contains("1024 letters")));
        for part in ["*", "**/", "?", "[!a]", "[\u{80}-\u{10ffff}]", "{*,?}", "[a-z]*", "\\*"] {
            let text = part.repeat(LONGEST / part.len());
            assert!(Pattern::parse(&text).is_ok(), "{part}");
        }
    }

    #[test]
    fn a_folder_covers_what_is_below_it() {
        let covers = |pattern: &str, path: &str| Pattern::parse(pattern).expect("valid").covers(path);
        assert!(covers("vendor", "vendor/a/b.yaml") && covers("**/vendor", "x/vendor/b.yaml"));
        assert!(covers("**/vendor/**", "vendor/b.yaml") && covers("*.yaml", "b.yaml"));
        assert!(!covers("vendor", "vendors/b.yaml") && !covers("vendor", "x/vendor/b.yaml"));
    }
}
