//! What kustomize knows of kinds and their fields: which lists strategic merges merge, which fields names, labels and
//! images stand in, and which kinds belong to no namespace.

pub(super) mod config;
pub(super) mod crds;
mod defaults;
mod merge_keys;
pub(super) mod openapi;
pub(super) mod scope;
