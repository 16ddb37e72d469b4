//! `kustomize build`, held against what the real one gives.

mod faults;
mod features;
mod golden;
