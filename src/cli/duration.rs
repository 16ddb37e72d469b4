use std::time::Duration;

const UNITS: [(&str, f64); 8] =
    [("ns", 1e-9), ("us", 1e-6), ("µs", 1e-6), ("μs", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];

/// A duration as Go writes it: `10m`, `1h30m`, `1.5h`. Not negative.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || "expected a duration like 90s, 10m or 1h30m".to_owned();
    let mut rest = text;
    let mut seconds = 0.0;
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let (number, behind) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?);
        let (unit, next) =
            behind.split_at(behind.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(behind.len()));
        let (_, factor) = UNITS.into_iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
        seconds += number.parse::<f64>().map_err(|_| wrong())? * factor;
        rest = next;
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_reads_them() {
        assert_eq!(parse("10m"), Ok(Duration::from_secs(600)));
        assert_eq!(parse("1h30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(parse("1.5h"), Ok(Duration::from_secs(5400)));
        assert_eq!(parse("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse("0"), Ok(Duration::ZERO));
        for wrong in ["", "10", "m", "-5m", "5 m", "1d", "99999999999999999999h", "1.2.3s"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
