/// A duration as people say it: minutes in halves from one minute on, else seconds.
#[must_use]
pub fn about(duration: std::time::Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 90 {
        return format!("{seconds} s");
    }
    let halves = (seconds + 15) / 30;
    if halves.is_multiple_of(2) { format!("{} min", halves / 2) } else { format!("{}.5 min", halves / 2) }
}

/// `number` things: `1 node`, `2 nodes`.
#[must_use]
pub fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// `a`, `a and b`, or `a, b and c`.
#[must_use]
pub fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_come_in_halves() {
        let text = |seconds| about(std::time::Duration::from_secs(seconds));
        assert_eq!([text(45), text(100), text(150), text(600)], ["45 s", "1.5 min", "2.5 min", "10 min"]);
    }
}
