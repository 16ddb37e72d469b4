//! Everything that is tested from outside the library, in one binary: it links once.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that cannot go on panics, and says on the terminal what it skips"
)]

mod absent;
mod action;
mod advice;
mod agreement;
mod architecture;
mod bad_input;
mod baseline;
mod blockers;
mod build_cures;
mod cases;
mod catalog;
mod causes;
mod change;
mod cli;
mod config;
mod configure;
mod contract;
mod corpus;
mod deadlocks;
mod docs;
mod durations;
mod fates;
mod fingerprints;
mod fixtures;
mod fleets;
mod formats;
mod gate_blockers;
mod hostile;
mod judgements;
mod kustomize;
mod layouts;
mod manners;
mod minutes;
mod packages;
mod paths;
mod queries;
mod readme;
mod real;
mod recipes;
mod reference_blockers;
mod references;
mod render;
mod rule_pages;
mod support;
mod suppressions;
mod typos;
mod webhooks;
mod what_if;
