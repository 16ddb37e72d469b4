//! Static analysis of the dependency graph of Flux GitOps repositories. See `ARCHITECTURE.md`.

pub mod finding;
pub mod flux;
pub mod kustomize;
pub mod source;
pub mod yaml;
