//! Where go-yaml ends the names of anchors and aliases.
//!
//! YAML 1.2 lets a name go on up to a blank or a bracket, so that `*name: value` is the alias `name:`. go-yaml, which
//! kustomize and Flux read with, takes letters, digits, `-` and `_` only, lets a few signs end the name, and refuses every
//! other (go-yaml v3, `yaml_parser_scan_anchor`).

use std::borrow::Cow;

use granit_parser::{Scanner, StrInput, TokenType};

/// A text in which every name ends where it ends for go-yaml.
pub(super) struct Named<'t> {
    /// The text, with a blank behind the names that end earlier there.
    pub(super) text: Cow<'t, str>,
    /// Where blanks were put, in bytes of `text`, ascending.
    blanks: Vec<u32>,
    /// The first name that go-yaml refuses, in bytes of the original.
    pub(super) refused: Option<u32>,
}

/// Signs that end a name as a blank does.
const ENDS: &[u8] = b"?:,]}%@`";

/// Most bytes that are read again for the names of one file. Each name that is ended takes one more look at the text.
const WORK: usize = 64 << 20;

impl<'t> Named<'t> {
    pub(super) fn new(original: &'t str) -> Self {
        let mut named = Self { text: Cow::Borrowed(original), blanks: Vec::new(), refused: None };
        if !is_suspicious(original.as_bytes()) {
            return named;
        }
        let mut work = 0;
        while work <= WORK {
            work += named.text.len().max(1);
            match first_odd(&named.text) {
                Some(Odd::Ends(at)) => {
                    named.text.to_mut().insert(at, ' ');
                    let after = named.blanks.partition_point(|blank| (*blank as usize) < at);
                    named.blanks.iter_mut().skip(after).for_each(|blank| *blank += 1);
                    named.blanks.insert(after, at as u32);
                }
                Some(Odd::Refused(at)) => {
                    named.refused = Some(named.original(at as u32));
                    break;
                }
                None => break,
            }
        }
        named
    }

    /// The place in the original of a place in the text.
    pub(super) fn original(&self, at: u32) -> u32 {
        at - self.blanks.partition_point(|blank| *blank < at) as u32
    }
}

/// A name that does not end where YAML 1.2 ends it.
enum Odd {
    /// go-yaml ends it here.
    Ends(usize),
    /// go-yaml refuses the anchor or alias that begins here.
    Refused(usize),
}

/// Whether there may be an odd name in the text at all: nearly no file has one, and the rest is read once.
fn is_suspicious(text: &[u8]) -> bool {
    let mut signs = (0..text.len()).filter(|at| matches!(text[*at], b'*' | b'&'));
    signs.any(|at| {
        let begins = at == 0 || matches!(text[at - 1], b' ' | b'\t' | b'\n' | b'\r' | b'[' | b'{' | b',' | b':');
        let length = name_length(&text[at + 1..]);
        let end = text.get(at + 1 + length).copied();
        begins
            && match text[at] {
                // An alias with any other sign in it has no anchor, unless that is odd itself.
                b'*' => length > 0 && end.is_some_and(|end| matches!(end, b'?' | b':' | b'%' | b'@' | b'`')),
                // `a && b` of a script begins no anchor.
                _ => end.is_some_and(|end| !matches!(end, b' ' | b'\t' | b'\n' | b'\r' | b',' | b']' | b'}' | b'&')),
            }
    })
}

fn name_length(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')).count()
}

/// The first odd name that is a name indeed, and not part of a text or a comment.
fn first_odd(text: &str) -> Option<Odd> {
    for token in Scanner::new(StrInput::new(text)) {
        match token {
            Ok(token) if matches!(token.token_type(), TokenType::Alias(_) | TokenType::Anchor(_)) => {
                let at = token.span().byte_range()?.start;
                if let Some(odd) = odd(text, at) {
                    return Some(odd);
                }
            }
            Ok(_) => {}
            // An alias that is to be a key and has no colon left fails before it is handed out.
            Err(error) => return error.marker().byte_offset().and_then(|at| odd(text, at)),
        }
    }
    None
}

/// What is odd about the anchor or alias that begins at `at`.
fn odd(text: &str, at: usize) -> Option<Odd> {
    let rest = text.as_bytes().get(at..)?;
    let (sign, name) = rest.split_first()?;
    if !matches!(sign, b'*' | b'&') {
        return None;
    }
    let length = name_length(name);
    match name.get(length) {
        _ if length == 0 => Some(Odd::Refused(at)),
        None | Some(b' ' | b'\t' | b'\n' | b'\r' | b',' | b']' | b'}') => None,
        Some(end) if ENDS.contains(end) => Some(Odd::Ends(at + 1 + length)),
        Some(_) => Some(Odd::Refused(at)),
    }
}

#[cfg(test)]
mod tests {
    use crate::{source::FileId, yaml::parse};

    /// The first document as JSON text, or what is wrong with it.
    fn read(text: &str) -> Result<String, String> {
        let file = parse(FileId::NONE, text.as_bytes());
        let document = file.documents.first().ok_or("no document")?;
        match &document.error {
            Some(problem) => Err(problem.message.clone()),
            None => {
                Ok(crate::yaml::decode::<serde_json::Value>(&document.root).map_err(|error| error.message)?.to_string())
            }
        }
    }

    #[test]
    fn an_alias_ends_at_the_colon_as_a_key_and_in_lists() {
        let keys = "a: &name web\nb:\n  *name: one\nc: {*name: two}\nd: [*name]\ne:\n- *name: three\n";
        let json = read(keys).expect("go-yaml reads it");
        assert_eq!(json, r#"{"a":"web","b":{"web":"one"},"c":{"web":"two"},"d":["web"],"e":[{"web":"three"}]}"#);
    }

    #[test]
    fn what_only_looks_like_an_alias_stays_as_it_is() {
        let text = "a: &name web\nb: |\n  *name: one\nc: \"*name: x\"\nd: x *name:y\n# *name: z\n*name: two\n";
        let json = read(text).expect("go-yaml reads it");
        assert_eq!(json, r#"{"a":"web","b":"*name: one\n","c":"*name: x","d":"x *name:y","web":"two"}"#);
    }

    #[test]
    fn positions_behind_a_name_are_those_of_the_file() {
        let text = "a: &name web\n*name: one\nlast: two\n";
        let file = parse(FileId::NONE, text.as_bytes());
        let entries: Vec<_> = file.documents[0].root.entries().collect();
        let written = |span: crate::source::Span| &text[span.start as usize..span.end as usize];
        let words: Vec<_> = entries.iter().map(|entry| (written(entry.key_span), written(entry.value.span))).collect();
        assert_eq!(words[1..], [("*name", "one"), ("last", "two")]);
    }

    #[test]
    fn names_that_go_yaml_refuses_are_refused() {
        for text in ["a: &b.c web\n", "a: &b/c web\nd: *b/c\n", "a: &ü web\n", "a: &b[1]\n"] {
            assert!(read(text).is_err(), "{text}");
        }
        assert!(read("a: &b-c_D9 web\nd: *b-c_D9\n").is_ok());
    }

    #[test]
    fn very_many_names_end_in_bounded_time() {
        let text = format!("a: &name web\nb:\n{}", "- *name: one\n".repeat(20_000));
        let _ = parse(FileId::NONE, text.as_bytes());
    }
}
