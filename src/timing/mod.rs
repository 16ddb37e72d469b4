//! How long things take: durations of charts and objects, when each event of a cold start happens at the earliest, and what
//! the controllers make of that.
//!
//! Two rules keep the figures honest: every duration is a range with its origin, and what the rollout needs
//! ([`ColdStart`], which knows no timeouts and no retries) is never mixed up with what comes of it ([`Simulation`]).

mod cold_start;
mod constants;
mod durations;
mod simulate;

pub use cold_start::{ColdStart, Quantile};
pub use durations::{Duration, Durations, Origin};
pub use simulate::{Assumptions, Cause, Distribution, Outcome, Percentiles, Run, Simulation, Spread, Stuck};
