//! How long things take: durations of charts and objects, when each event of a cold start happens at the earliest, and what
//! the controllers make of that.
//!
//! Two rules keep the figures honest: every duration is a range with its origin, and what the rollout needs
//! ([`ColdStart`], which knows no timeouts and no retries) is never mixed up with what comes of it ([`Simulation`]).

mod app_values;
mod cold_start;
mod constants;
mod culprit;
mod custom;
mod durations;
mod estimate;
mod node_work;
mod overrides;
mod path;
mod pods;
mod profile;
mod simulate;
mod values;
mod what_if;

pub use cold_start::{ColdStart, Quantile};
pub use culprit::{Culprit, Loss, Side, culprit, differences};
pub use durations::{Duration, Durations, Origin};
pub use estimate::Seen;
pub use overrides::{Override, Target, unmatched};
pub use path::{PathCause, Shares};
pub use profile::Profile;
pub use simulate::{
    Assumptions, Distribution, MonteCarlo, NotReady, NotReadyCause, Outcome, Percentiles, Run, Simulation,
};
pub use what_if::{Change, Comparison, Disturbance, Scenario, Simulated, compare, compare_sides, simulate};
