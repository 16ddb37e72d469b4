//! Static analysis of the dependency graph of Flux GitOps repositories.
//!
//! The whole program is [`lint`]: find the files, find the clusters, build what each Kustomization applies, draw the
//! graph of what waits for what, and let the rules look at it. Questions are asked of a [`Session`]. See `ARCHITECTURE.md`
//! for the rooms and the doors between them. The library exists for the program, its tests and its benchmarks; it is no
//! stable interface.
//!
//! ```
//! use fluxdag::{Options, lint};
//!
//! let analysis = lint(&["fixtures/deadlock-no-wait".into()], &Options::default())?;
//! let deadlock = &analysis.findings[0];
//! let at = analysis.tree.position(deadlock.location.span().expect("a place"));
//! assert_eq!((deadlock.rule, deadlock.subject.name.as_str(), at.line), ("wait-deadlock", "apps", 8));
//! # Ok::<(), fluxdag::Error>(())
//! ```

pub mod catalog;
pub mod change;
pub mod cli;
pub mod cluster;
pub mod config;
pub mod finding;
pub mod flux;
pub mod graph;
pub mod kustomize;
pub mod query;
pub mod report;
pub mod rules;
pub mod run;
pub mod situation;
pub mod source;
pub mod timing;
pub mod yaml;

pub use run::{
    Analysis, Error, FolderBuild, Found, Options, Session, Stage, State, Stdin, Survey, artifact_root, build_folder,
    compare, lint, lint_since, survey,
};
