//! What a plain scalar means to kustomize: go-yaml v3's rules (YAML 1.2 with leftovers of 1.1), then JSON.

use smol_str::SmolStr;

use super::Value;

/// The value of the plain (unquoted, untagged) scalar `text`.
///
/// Follows go-yaml v3 `resolve`, with which kustomize 5.5 reads manifests, and the JSON it makes of the result: `0644`
/// is 420, `1_000` is 1000, `yes` is text, `2024-01-01` becomes an RFC 3339 timestamp.
#[must_use]
pub fn resolve_plain(text: &str) -> Value {
    let Some(first) = text.bytes().next() else { return Value::Null };
    match first {
        b'~' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' => match text {
            "~" | "null" | "Null" | "NULL" => Value::Null,
            "true" | "True" | "TRUE" => Value::Bool(true),
            "false" | "False" | "FALSE" => Value::Bool(false),
            _ => string(text),
        },
        b'.' => match text {
            ".inf" | ".Inf" | ".INF" => Value::Float(f64::INFINITY),
            ".nan" | ".NaN" | ".NAN" => Value::Float(f64::NAN),
            _ => number(text),
        },
        b'+' | b'-' => match text {
            "+.inf" | "+.Inf" | "+.INF" => Value::Float(f64::INFINITY),
            "-.inf" | "-.Inf" | "-.INF" => Value::Float(f64::NEG_INFINITY),
            _ => number(text),
        },
        b'0'..=b'9' => timestamp(text).unwrap_or_else(|| number(text)),
        _ => string(text),
    }
}

/// The value of the plain scalar `text` to go-yaml v2, with which sigs.k8s.io/yaml reads: Flux reads an object again
/// that way after substitution. Unlike [`resolve_plain`], `yes`, `on`, `y` and their like are truth values, and
/// timestamps stay text.
#[must_use]
pub fn resolve_legacy(text: &str) -> Value {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Value::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Value::Bool(false),
        _ if text.as_bytes().get(4) == Some(&b'-') && timestamp(text).is_some() => string(text),
        _ => resolve_plain(text),
    }
}

fn string(text: &str) -> Value {
    Value::Str(SmolStr::new(text))
}

fn number(text: &str) -> Value {
    let plain: String = text.chars().filter(|letter| *letter != '_').collect();
    if let Some(value) = integer(&plain) {
        return value;
    }
    if is_float(&plain)
        && let Ok(value) = plain.parse::<f64>()
        && value.is_finite()
    {
        // JSON has no negative zero that kustomize would print.
        return Value::Float(value + 0.0);
    }
    string(text)
}

/// Go's `strconv.ParseInt(text, 0, 64)` and then `ParseUint`, with underscores already taken out.
fn integer(text: &str) -> Option<Value> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = |prefix: &str| digits.get(..2).is_some_and(|head| head.eq_ignore_ascii_case(prefix));
    let (radix, digits) = if lower("0x") {
        (16, &digits[2..])
    } else if lower("0o") {
        (8, &digits[2..])
    } else if lower("0b") {
        (2, &digits[2..])
    } else if digits.len() > 1 && digits.starts_with('0') {
        (8, &digits[1..])
    } else {
        (10, digits)
    };
    if digits.is_empty() || !digits.bytes().all(|digit| (digit as char).is_digit(radix)) {
        return None;
    }
    let size = u64::from_str_radix(digits, radix).ok()?;
    match (negative, i64::try_from(size)) {
        (false, Ok(value)) => Some(Value::Int(value)),
        (false, Err(_)) => Some(Value::Uint(size)),
        (true, Ok(value)) => Some(Value::Int(-value)),
        (true, Err(_)) => (size == i64::MIN.unsigned_abs()).then_some(Value::Int(i64::MIN)),
    }
}

/// go-yaml's `yamlStyleFloat`: `^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`.
fn is_float(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa = match mantissa.split_once('.') {
        Some((whole, part)) => digits(whole) && digits(part) && !(whole.is_empty() && part.is_empty()),
        None => !mantissa.is_empty() && digits(mantissa),
    };
    mantissa
        && exponent.is_none_or(|exponent| {
            let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
            !exponent.is_empty() && digits(exponent)
        })
}

/// The timestamps that go-yaml v3 recognises, as Go prints them in JSON.
pub(super) fn timestamp(text: &str) -> Option<Value> {
    let bytes = text.as_bytes();
    // A quick look: four digits and a dash, before anything is taken apart.
    if bytes.len() < 8 || bytes[4] != b'-' || !bytes[..4].iter().all(u8::is_ascii_digit) {
        return None;
    }
    let date_end = text.find(['T', 't', ' ']).unwrap_or(text.len());
    let (date, time) = text.split_at(date_end);
    let mut parts = date.split('-');
    let (year, month, day) =
        (number_of(parts.next()?, 4, 4)?, number_of(parts.next()?, 1, 2)?, number_of(parts.next()?, 1, 2)?);
    if parts.next().is_some() || !(1..=12).contains(&month) || !(1..=days_of(year, month)).contains(&day) {
        return None;
    }
    if time.is_empty() {
        return Some(string(&format!("{year:04}-{month:02}-{day:02}T00:00:00Z")));
    }
    // Behind a space there is no zone; behind a `T` there must be one.
    let (clock, zone) = match time.strip_prefix(' ') {
        Some(clock) => (clock.trim_start_matches(' '), "Z"),
        None => time[1..].split_at(time[1..].find(['Z', '+', '-'])?),
    };
    let (clock, fraction) = match clock.split_once(['.', ',']) {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (clock, ""),
    };
    let mut parts = clock.split(':');
    let (hour, minute, second) =
        (number_of(parts.next()?, 1, 2)?, number_of(parts.next()?, 1, 2)?, number_of(parts.next()?, 1, 2)?);
    let valid = parts.next().is_none() && hour < 24 && minute < 60 && second < 60;
    if !valid || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let zone = zone_of(zone)?;
    let fraction = fraction.get(..9).unwrap_or(fraction).trim_end_matches('0');
    let fraction = if fraction.is_empty() { String::new() } else { format!(".{fraction}") };
    Some(string(&format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}{zone}")))
}

/// `Z`, or an offset such as `+01:00`; no offset at all is `Z`.
fn zone_of(zone: &str) -> Option<&str> {
    if zone == "Z" {
        return Some("Z");
    }
    let (hours, minutes) = zone.strip_prefix(['+', '-'])?.split_once(':')?;
    let (hours, minutes) = (number_of(hours, 2, 2)?, number_of(minutes, 2, 2)?);
    match (hours, minutes) {
        (0, 0) => Some("Z"),
        (0..24, 0..60) => Some(zone),
        _ => None,
    }
}

fn number_of(text: &str, least: usize, most: usize) -> Option<u32> {
    let fits = (least..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}

fn days_of(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every row was printed by `kubectl kustomize` (kustomize 5.5.0).
    #[test]
    #[expect(clippy::too_many_lines, reason = "a table is read best in one piece")]
    fn plain_scalars_mean_what_kustomize_makes_of_them() {
        let text = |text: &str| Value::Str(text.into());
        for (plain, value) in [
            ("yes", text("yes")),
            ("on", text("on")),
            ("017", Value::Int(15)),
            ("0123456", Value::Int(42_798)),
            ("0o17", Value::Int(15)),
            ("0x1f", Value::Int(31)),
            ("0b101", Value::Int(5)),
            ("1_000", Value::Int(1000)),
            ("089", Value::Float(89.0)),
            ("1e3", Value::Float(1000.0)),
            ("12:30:45", text("12:30:45")),
            ("2024-01-01", text("2024-01-01T00:00:00Z")),
            ("12345678901234567890", Value::Uint(12_345_678_901_234_567_890)),
            ("12345678901234567890123", Value::Float(1.234_567_890_123_456_8e22)),
            ("~", Value::Null),
            ("", Value::Null),
            ("True", Value::Bool(true)),
            ("-5", Value::Int(-5)),
            ("1.2.3", text("1.2.3")),
            ("v1", text("v1")),
            (".5", Value::Float(0.5)),
            ("10m", text("10m")),
            ("0o8", text("0o8")),
            ("08", Value::Float(8.0)),
            ("-017", Value::Int(-15)),
            ("+12", Value::Int(12)),
            ("1__0", Value::Int(10)),
            ("1_", Value::Int(1)),
            ("_1", text("_1")),
            ("0x_1f", Value::Int(31)),
            ("0x", text("0x")),
            ("0b12", text("0b12")),
            ("0B101", Value::Int(5)),
            ("0O17", Value::Int(15)),
            ("-0o17", Value::Int(-15)),
            ("-0x1F", Value::Int(-31)),
            ("0b_1", Value::Int(1)),
            ("0_b1", Value::Int(1)),
            ("0_7", Value::Int(7)),
            ("00", Value::Int(0)),
            ("-0", Value::Int(0)),
            ("0xffffffffffffffff", Value::Uint(u64::MAX)),
            ("0x1ffffffffffffffff", text("0x1ffffffffffffffff")),
            ("0x1p4", text("0x1p4")),
            ("-9223372036854775808", Value::Int(i64::MIN)),
            ("-9223372036854775809", Value::Float(-9.223_372_036_854_776e18)),
            ("1e5", Value::Float(100_000.0)),
            ("1E5", Value::Float(100_000.0)),
            ("1e_5", Value::Float(100_000.0)),
            ("1.", Value::Float(1.0)),
            ("-0.0", Value::Float(0.0)),
            (".5e3", Value::Float(500.0)),
            (".5_0", Value::Float(0.5)),
            ("+.5", Value::Float(0.5)),
            ("1_000.5", Value::Float(1000.5)),
            ("0.1e1_0", Value::Float(1e9)),
            ("1e400", text("1e400")),
            ("1e-400", Value::Float(0.0)),
            ("1.2e3.4", text("1.2e3.4")),
            ("+-1", text("+-1")),
            ("++1", text("++1")),
            ("+", text("+")),
            (".", text(".")),
            ("..", text("..")),
            (".inf2", text(".inf2")),
            ("nan", text("nan")),
            ("1:30", text("1:30")),
            ("NULL", Value::Null),
            ("Null", Value::Null),
            ("nUll", text("nUll")),
            ("~x", text("~x")),
            ("TRUE", Value::Bool(true)),
            ("tRUE", text("tRUE")),
            ("y", text("y")),
            ("<<", text("<<")),
            ("=", text("=")),
            ("2024-1-1", text("2024-01-01T00:00:00Z")),
            ("2024-02-30", text("2024-02-30")),
            ("2024-00-01", text("2024-00-01")),
            ("0000-01-01", text("0000-01-01T00:00:00Z")),
            ("12345-01-01", text("12345-01-01")),
            ("2001-12-14t21:59:43.10-05:00", text("2001-12-14T21:59:43.1-05:00")),
            ("2001-12-14 21:59:43.10 -5", text("2001-12-14 21:59:43.10 -5")),
            ("2001-12-14 21:59:43.10", text("2001-12-14T21:59:43.1Z")),
            ("2001-12-14 21:59:43.10Z", text("2001-12-14 21:59:43.10Z")),
            ("2001-12-14  21:59:43", text("2001-12-14T21:59:43Z")),
            ("2024-01-01T1:2:3Z", text("2024-01-01T01:02:03Z")),
            ("2024-01-01T01:02:03", text("2024-01-01T01:02:03")),
            ("2024-01-01T01:02:03.000+00:00", text("2024-01-01T01:02:03Z")),
            ("2024-01-01T01:02:03.1234567891Z", text("2024-01-01T01:02:03.123456789Z")),
            ("2024-01-01T01:02:03.5-0500", text("2024-01-01T01:02:03.5-0500")),
            ("2024-01-01T24:00:00Z", text("2024-01-01T24:00:00Z")),
        ] {
            assert_eq!(resolve_plain(plain), value, "{plain}");
        }
    }

    #[test]
    fn after_substitution_some_words_are_truth_values_and_timestamps_stay() {
        for (plain, value) in [
            ("yes", Value::Bool(true)),
            ("Off", Value::Bool(false)),
            ("y", Value::Bool(true)),
            ("yEs", Value::Str("yEs".into())),
            ("2024-01-01", Value::Str("2024-01-01".into())),
            ("017", Value::Int(15)),
            ("~", Value::Null),
        ] {
            assert_eq!(resolve_legacy(plain), value, "{plain}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_scalar_panics(text in "[0-9A-Fa-fxobTtZzeE.:_+ é-]{0,40}") {
            let _ = (resolve_plain(&text), resolve_legacy(&text));
        }
    }
}
