//! Time in whole milliseconds from the first reconciliation.

use std::time::Duration;

/// A point in time, or a length of it.
pub(super) type Millis = u32;

/// Never, and no such thing.
pub(super) const NEVER: Millis = u32::MAX;

/// A duration in milliseconds. What is longer than the clock holds is never over.
pub(super) fn millis(duration: Duration) -> Millis {
    u32::try_from(duration.as_millis()).unwrap_or(NEVER)
}

/// A point in time as callers see it.
pub(super) fn duration(millis: Millis) -> Option<Duration> {
    (millis != NEVER).then(|| Duration::from_millis(u64::from(millis)))
}

/// How many periods after `anchor` the first one at or after `now` begins, at least `least`.
pub(super) fn periods(anchor: Millis, now: Millis, period: Millis, least: u32) -> u32 {
    if period == 0 { least } else { now.saturating_sub(anchor).div_ceil(period).max(least) }
}

/// When the first period that begins at or after `now` does, counted from `anchor`, the `least`-th one at the earliest. This
/// is what makes polls and requeues free: they are computed, not made.
pub(super) fn next(anchor: Millis, now: Millis, period: Millis, least: u32) -> Millis {
    let passed = period.saturating_mul(periods(anchor, now, period, least));
    anchor.saturating_add(passed).max(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_count_from_their_own_anchor() {
        for (anchor, now, period, least, expected) in [
            (0, 0, 30, 0, 0),
            (0, 0, 30, 1, 30),
            (0, 30, 30, 1, 30),
            (0, 31, 30, 1, 60),
            (7, 8, 30, 1, 37),
            (7, 100, 30, 1, 127),
            (7, 100, 0, 1, 100),
            (7, NEVER, 30, 1, NEVER),
        ] {
            assert_eq!(next(anchor, now, period, least), expected, "{anchor} {now} {period} {least}");
        }
    }
}
