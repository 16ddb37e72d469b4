//! What the Flux Operator makes: a cluster's entry point of a FluxInstance, and objects of ResourceSets.

pub(super) mod instance;
pub(super) mod resource_set;
mod template;
