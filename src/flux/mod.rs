//! What Flux does with the files of a repository before anything reaches the cluster.

pub mod duration;
pub mod envsubst;
mod glob;
mod ignore_rules;

pub use ignore_rules::IgnoreRules;
