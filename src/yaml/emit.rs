//! How the tools that Flux is built from print YAML and JSON.

use std::fmt::Write as _;

use super::{Value, scalar::resolve_legacy};

/// How go-yaml v2 writes a text in block context; sigs.k8s.io/yaml and so `kustomize build` print with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// As it is.
    Plain,
    /// In `'…'`, quotes doubled.
    SingleQuoted,
    /// In `"…"`, with escapes.
    DoubleQuoted,
    /// As a block, `|`.
    Literal,
}

/// The style in which go-yaml v2 prints the text `text` as a value (`encode.go` `stringv`, `emitterc.go`
/// `yaml_emitter_select_scalar_style`).
#[must_use]
pub fn style_of(text: &str) -> Style {
    let allowed = Allowed::new(text);
    if text.contains('\n') {
        return if allowed.literal { Style::Literal } else { Style::DoubleQuoted };
    }
    if !matches!(resolve_legacy(text), Value::Str(_)) || is_legacy_timestamp(text) || is_base_60(text) {
        Style::DoubleQuoted
    } else if allowed.plain {
        Style::Plain
    } else if allowed.single_quoted {
        Style::SingleQuoted
    } else {
        Style::DoubleQuoted
    }
}

/// Whether `text`, written as it is in block context, is one plain scalar, whatever it means.
#[must_use]
pub fn is_plain_scalar(text: &str) -> bool {
    !text.is_empty() && !text.contains('\n') && Allowed::new(text).plain
}

/// The styles that the characters of a text allow (`emitterc.go` `yaml_emitter_analyze_scalar`).
struct Allowed {
    plain: bool,
    single_quoted: bool,
    literal: bool,
}

impl Allowed {
    fn new(text: &str) -> Self {
        let is_break = |letter: char| matches!(letter, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}');
        let mut indicators = text.starts_with("---") || text.starts_with("...");
        let (mut breaks, mut special, mut break_space, mut space_break) = (false, false, false, false);
        let mut before = None;
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            let blank_follows = letters.peek().is_none_or(|next| matches!(next, ' ' | '\t'));
            let blank_before = before.is_none_or(|before| matches!(before, ' ' | '\t') || is_break(before));
            indicators |= match letter {
                ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => {
                    before.is_none()
                }
                '?' | '-' => before.is_none() && blank_follows,
                ':' => blank_follows,
                '#' => blank_before,
                _ => false,
            };
            special |= !is_printable(letter);
            breaks |= is_break(letter);
            break_space |= letter == ' ' && before.is_some_and(is_break);
            space_break |= is_break(letter) && before == Some(' ');
            before = Some(letter);
        }
        let at_edge = |letter: char| letter == ' ' || is_break(letter);
        let padded = text.starts_with(at_edge) || text.ends_with(at_edge);
        Self {
            plain: !(indicators || padded || breaks || break_space || space_break || special),
            single_quoted: !(break_space || space_break || special),
            literal: !(text.ends_with(' ') || space_break || special),
        }
    }
}

/// What go-yaml v2 takes for printable (`yamlprivateh.go` `is_printable`); tabs and all above U+FFFF are not.
fn is_printable(letter: char) -> bool {
    matches!(letter, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}') && letter != '\u{feff}'
}

/// Whether go-yaml v2 takes `text` for a timestamp. Read into an untyped value it stays text, but it is printed quoted.
fn is_legacy_timestamp(text: &str) -> bool {
    text.as_bytes().get(4) == Some(&b'-') && super::scalar::timestamp(text).is_some()
}

/// go-yaml v2's `base60float`: `^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$`.
fn is_base_60(text: &str) -> bool {
    let mut parts = text.strip_prefix(['-', '+']).unwrap_or(text).split(':').peekable();
    let Some(first) = parts.next() else { return false };
    if !first.starts_with(|letter: char| letter.is_ascii_digit())
        || !first.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
        || parts.peek().is_none()
    {
        return false;
    }
    while let Some(part) = parts.next() {
        let (digits, fraction) = match part.split_once('.') {
            Some((digits, fraction)) if parts.peek().is_none() => (digits, fraction),
            Some(_) => return false,
            None => (part, ""),
        };
        let sixtieth = matches!(digits.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']);
        if !sixtieth || !fraction.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_') {
            return false;
        }
    }
    true
}

/// `text` between double quotes, escaped as go-yaml v2 does (`yaml_emitter_write_double_quoted`).
#[must_use]
pub fn double_quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            letter if is_printable(letter) && !matches!(letter, '\u{2028}' | '\u{2029}') => out.push(letter),
            letter => {
                let code = letter as u32;
                let _ = match code {
                    0..=0xff => write!(out, "\\x{code:02X}"),
                    0x100..=0xffff => write!(out, "\\u{code:04X}"),
                    _ => write!(out, "\\U{code:08X}"),
                };
            }
        }
    }
    out.push('"');
    out
}

/// A number as Go's `strconv.FormatFloat(number, 'g', -1, 64)` prints it.
pub(super) fn short_float(number: f64) -> String {
    float(number, -4..6, 2)
}

/// A number as Go's `encoding/json` prints it: plain from 1e-6 up to 1e21, as in JavaScript.
pub(super) fn json_float(number: f64) -> String {
    float(number, -6..21, 1)
}

/// The shortest digits that read back as `number`: plain while the decimal exponent is in `plain`, else scientific
/// with at least `width` digits for a negative exponent (two for a positive one).
fn float(number: f64, plain: std::ops::Range<i32>, width: usize) -> String {
    let scientific = format!("{number:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if plain.contains(&exponent) {
        format!("{number}")
    } else if exponent < 0 {
        format!("{mantissa}e-{:0width$}", -exponent)
    } else {
        format!("{mantissa}e+{exponent:02}")
    }
}

#[cfg(test)]
pub(super) mod canonical;
#[cfg(test)]
mod tests;
