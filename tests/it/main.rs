//! Tests of the whole program.

mod architecture;
mod cli;
mod fixtures;
mod readme;
mod rule_pages;
