//! Static analysis of the dependency graph of Flux GitOps repositories. See `ARCHITECTURE.md`.

pub mod finding;
pub mod kustomize;
pub mod source;
pub mod timing;
pub mod yaml;
