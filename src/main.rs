//! The `fluxdag` program.

fn main() {}
