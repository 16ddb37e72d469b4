//! Everything that is tested from outside the library, in one binary: it links once.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that cannot go on panics, and says on the terminal what it skips"
)]

mod architecture;
mod bad_input;
mod catalog;
mod causes;
mod cli;
mod config;
mod corpus;
mod deadlocks;
mod durations;
mod fingerprints;
mod fixtures;
mod judgements;
mod kustomize;
mod minutes;
mod queries;
mod readme;
mod references;
mod render;
mod rule_pages;
mod suppressions;
mod what_if;
