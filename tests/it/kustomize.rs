//! `kustomize build`, held against what the real one gives.

mod cases;
mod faults;
mod golden;
