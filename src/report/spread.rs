//! How simulated cold starts vary: what `fluxdag timeline --runs` adds to its answer.

use std::time::Duration;

use serde::Serialize;

use crate::finding::about;

/// How long simulated cold starts take with varying durations.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct TotalSpread {
    /// How many there were.
    pub runs: u32,
    /// What the durations were drawn with.
    pub seed: u64,
    /// Half of them take at most this; `None` where half of them never end.
    #[serde(rename = "p50_s", serialize_with = "seconds")]
    pub p50: Option<Duration>,
    /// Nine of ten take at most this.
    #[serde(rename = "p90_s", serialize_with = "seconds")]
    pub p90: Option<Duration>,
}

/// When one object is Ready in them.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct NodeSpread {
    /// In half of them at this time at the latest; `None` where it is never Ready in half of them.
    #[serde(rename = "p50_s", serialize_with = "seconds")]
    pub p50: Option<Duration>,
    /// In nine of ten.
    #[serde(rename = "p90_s", serialize_with = "seconds")]
    pub p90: Option<Duration>,
    /// In which share of them it is on the path to the last Ready, from 0 to 1.
    pub critical_share: f64,
    /// In which share of them it is never Ready, from 0 to 1.
    pub never_share: f64,
}

impl TotalSpread {
    /// A sentence that follows the one on the total, and what is most often critical.
    pub(super) fn text(&self, critical: &[(String, f64)]) -> String {
        let at = |time: Option<Duration>| time.map_or_else(|| "never".to_owned(), about);
        let (runs, half, most) = (self.runs, at(self.p50), at(self.p90));
        let mut text =
            format!(" In {runs} runs with varying durations: {half} in half of them, {most} in nine of ten.");
        if !critical.is_empty() {
            let critical: Vec<String> =
                critical.iter().map(|(name, share)| format!("{name} ({:.0} %)", share * 100.0)).collect();
            text.push_str(&format!(" Most often on the path to the last Ready: {}.", critical.join(", ")));
        }
        text
    }
}

fn seconds<S: serde::Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    time.map(|time| time.as_secs()).serialize(serializer)
}
