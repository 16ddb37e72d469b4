//! What answers to questions about a cluster are made of.

use std::time::Duration;

use serde::Serialize;

use super::json::escaped;
use crate::finding::about;

/// A time of a cold start, counted from the first reconciliation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// Where everything is fast.
    pub low: Duration,
    /// What is usual.
    pub typical: Duration,
    /// Where everything is slow.
    pub high: Duration,
}

/// Seconds of a cold start.
#[derive(Serialize)]
pub(super) struct TimesJson {
    low: u64,
    typical: u64,
    high: u64,
}

impl Times {
    pub(super) fn json(self) -> TimesJson {
        TimesJson { low: self.low.as_secs(), typical: self.typical.as_secs(), high: self.high.as_secs() }
    }

    /// `about 10 min (2 min to 14 min)`.
    pub(super) fn text(self) -> String {
        format!("about {} ({} to {})", about(self.typical), about(self.low), about(self.high))
    }
}

/// A document of JSON with a line end.
pub(super) fn document(value: &impl Serialize) -> String {
    escaped(&serde_json::to_string_pretty(value).unwrap_or_default()) + "\n"
}
