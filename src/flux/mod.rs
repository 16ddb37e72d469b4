//! What Flux makes of a repository: its API types, and what its controllers do with them before anything reaches a
//! cluster. Builds on `kustomize/`, knows no cluster and no graph.

pub mod api;
mod build;
mod controllers;
pub mod expression;
mod operator;
mod source;

pub use api::{
    duration::{format_duration, is_flux_duration, parse_duration},
    kinds::{Health, health_of, is_namespaced},
    object::{ApiObject, HelmRelease, Kustomization, Policy, is_kustomization},
    open_text::{Reading, is_open_text, reads_as},
};
pub use build::{
    Applied, Inputs, VariableUse, build, envsubst,
    generate::{Generated, generated_kustomization},
    substitute,
    variables::{Variables, variable_sources},
};
pub use controllers::{
    Controller, Controllers, Setting,
    helm_action::{HelmAction, HelmFailure},
    timeouts::{helm_timeout, kustomization_timeout},
    version::FluxVersion,
};
pub use operator::{
    instance::{Instance, Sync, instance_of, syncs},
    resource_set::{ResourceSet, expand_resource_sets},
};
pub use source::{
    artifacts::{Artifacts, Selection, SourceLocation, SourceRef},
    ignore_rules::IgnoreRules,
};
