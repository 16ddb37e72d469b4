//! How long things take: durations of charts and objects, and when each event of a cold start happens at the earliest.
//!
//! Two rules keep the figures honest: every duration is a range with its origin, and nothing here counts timeouts or
//! retries. What is computed is what the rollout needs.

mod app_values;
mod cold_start;
mod constants;
mod custom;
mod durations;
mod estimate;
mod node_work;
mod overrides;
mod path;
mod pods;
mod profile;
mod values;
mod what_if;

pub use cold_start::{ColdStart, Quantile};
pub use durations::{Duration, Durations, Origin};
pub use estimate::Seen;
pub use overrides::{Override, Target, unmatched};
pub use path::{Cause, Shares};
pub use profile::Profile;
pub use what_if::{Change, Comparison, Disturbance, compare};
