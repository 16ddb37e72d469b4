//! How long things take: durations of charts and objects, and when each event of a cold start happens at the earliest.
//!
//! Two rules keep the figures honest: every duration is a range with its origin, and nothing here counts timeouts or
//! retries. What is computed is what the rollout needs.

mod cold_start;
mod constants;
mod durations;
mod path;
mod what_if;

pub use cold_start::{ColdStart, Quantile};
pub use durations::{Duration, Durations, Origin};
pub use path::{Cause, Shares};
pub use what_if::{Change, Comparison, Disturbance, compare};
