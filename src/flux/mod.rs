//! What Flux makes of a repository: its API types, and what its controllers do with them before anything reaches a
//! cluster. Builds on `kustomize/`, knows no cluster and no graph.

pub mod api;
mod artifacts;
mod build;
mod controllers;
mod duration;
mod entry;
pub mod envsubst;
pub mod expression;
mod generate;
mod glob;
mod helm_action;
mod ignore_rules;
mod object;
mod overlay;
mod post_build;
mod printed;
mod resource_set;
mod template;
mod timeouts;
mod version;

pub use api::kinds::{Health, health_of, is_namespaced};
pub use artifacts::{Artifacts, Selection, SourceRef, Where};
pub use build::{Applied, Inputs, VariableUse, build, substitute};
pub use controllers::{Controller, Controllers, Setting};
pub use duration::{format_duration, is_flux_duration, parse_duration};
pub use entry::{Instance, Sync, instance_of, syncs};
pub use generate::generated_kustomization;
pub use helm_action::{HelmAction, HelmFailure};
pub use ignore_rules::IgnoreRules;
pub use object::{ApiObject, HelmRelease, Kustomization, Policy, is_kustomization, is_open_text};
pub use post_build::{Variables, variable_sources};
pub use resource_set::{ResourceSet, expand_resource_sets};
pub use timeouts::{helm_timeout, kustomization_timeout};
pub use version::FluxVersion;
