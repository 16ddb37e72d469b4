//! Durations as Kubernetes objects write them (`metav1.Duration`, which is Go's `time.ParseDuration`).

use std::{fmt::Write as _, time::Duration};

/// Reads a duration: a decimal number and a unit (`ns`, `us`, `ms`, `s`, `m` or `h`), once or more, as in `1h30m`.
///
/// `None` where the text is no duration, where it is negative, or longer than Go can hold (about 292 years). Flux's
/// own fields are narrower still, see [`is_flux_duration`].
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    let mut total: u128 = 0;
    while total == 0 || !rest.is_empty() {
        let number_end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let (number, tail) = rest.split_at(number_end);
        let unit_end = tail.find(|letter: char| letter.is_ascii_digit() || letter == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        total = total.checked_add(nanoseconds(number, unit_of(unit)?)?)?;
        rest = tail;
        if rest.is_empty() {
            break;
        }
    }
    if total > i64::MAX as u128 {
        return None;
    }
    u64::try_from(total).ok().map(Duration::from_nanos)
}

/// Whether `text` is what Flux's resource manifests admit in fields such as `spec.interval`:
/// `^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$` (kustomize-controller v1.9, `api/v1/kustomization_types.go`).
#[must_use]
pub fn is_flux_duration(text: &str) -> bool {
    let mut rest = text;
    loop {
        let whole = digits(rest);
        if whole == 0 {
            return false;
        }
        rest = &rest[whole..];
        if let Some(fraction) = rest.strip_prefix('.') {
            let length = digits(fraction);
            if length == 0 {
                return false;
            }
            rest = &fraction[length..];
        }
        let Some(tail) = ["ms", "s", "m", "h"].iter().find_map(|unit| rest.strip_prefix(unit)) else { return false };
        if tail.is_empty() {
            return true;
        }
        rest = tail;
    }
}

/// Prints a duration with the units people write: `5m`, `1h`, `8m20s`, `1.5s`, `300ms`; `0s` for none.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let nanoseconds = duration.subsec_nanos();
    if seconds == 0 && nanoseconds > 0 {
        return match nanoseconds {
            1_000_000.. => with_fraction(nanoseconds / 1_000_000, nanoseconds % 1_000_000, 6, "ms"),
            1_000.. => with_fraction(nanoseconds / 1_000, nanoseconds % 1_000, 3, "us"),
            _ => format!("{nanoseconds}ns"),
        };
    }
    let mut text = String::new();
    for (count, unit) in [(seconds / 3600, "h"), (seconds / 60 % 60, "m")] {
        if count > 0 {
            let _ = write!(text, "{count}{unit}");
        }
    }
    let rest = (seconds % 60) as u32;
    if rest > 0 || nanoseconds > 0 || text.is_empty() {
        text += &with_fraction(rest, nanoseconds, 9, "s");
    }
    text
}

fn with_fraction(whole: u32, fraction: u32, width: usize, unit: &str) -> String {
    if fraction == 0 {
        return format!("{whole}{unit}");
    }
    let fraction = format!("{fraction:0width$}");
    format!("{whole}.{}{unit}", fraction.trim_end_matches('0'))
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

fn unit_of(unit: &str) -> Option<u128> {
    Some(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

fn nanoseconds(number: &str, unit: u128) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_number = |part: &str| part.bytes().all(|digit| digit.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let whole: u128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    // Beyond eighteen digits nothing is left of the largest unit.
    let fraction = &fraction[..fraction.len().min(18)];
    let part = match fraction.len() {
        0 => 0,
        length => fraction.parse::<u128>().ok()? * unit / 10_u128.pow(length as u32),
    };
    whole.checked_mul(unit)?.checked_add(part)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_read_and_print_as_people_write_them() {
        for (text, seconds, printed) in [
            ("5m", 300.0, "5m"),
            ("1h", 3600.0, "1h"),
            ("500s", 500.0, "8m20s"),
            ("1h30m", 5400.0, "1h30m"),
            ("1.5h", 5400.0, "1h30m"),
            ("300ms", 0.3, "300ms"),
            ("0s", 0.0, "0s"),
            ("0", 0.0, "0s"),
            ("1m0s", 60.0, "1m"),
            ("+1.25s", 1.25, "1.25s"),
            (".5s", 0.5, "500ms"),
            ("1.s", 1.0, "1s"),
            ("1h0m0.5s", 3600.5, "1h0.5s"),
            ("0s5m", 300.0, "5m"),
        ] {
            let duration = parse_duration(text).expect(text);
            assert!((duration.as_secs_f64() - seconds).abs() < 1e-9, "{text}");
            assert_eq!(format_duration(duration), printed, "{text}");
        }
        assert_eq!(parse_duration("1500us").map(format_duration).as_deref(), Some("1.5ms"));
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in ["", "5", "m", "-5m", "5 m", "5m ", "1d", "5M", ".m", "1..5s", "1h30", "99999999999h", "0x1s", "s5"]
        {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    #[test]
    fn flux_fields_admit_less() {
        for (text, admitted) in
            [("5m", true), ("1h30m", true), ("1.5h", true), ("300ms", true), ("5", false), ("1d", false)]
        {
            assert_eq!(is_flux_duration(text), admitted, "{text}");
        }
        for text in ["", "10us", ".5s", "1.s", "+5m", "0", "5m ", "m"] {
            assert!(!is_flux_duration(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn printing_is_undone_by_reading(nanoseconds in 0..=i64::MAX as u64) {
            let duration = Duration::from_nanos(nanoseconds);
            prop_assert_eq!(parse_duration(&format_duration(duration)), Some(duration));
        }

        #[test]
        fn no_text_panics_and_what_flux_admits_is_a_duration(text in "[0-9.hms µn+-]{0,12}") {
            let parsed = parse_duration(&text);
            prop_assert!(!is_flux_duration(&text) || parsed.is_some());
        }
    }
}
