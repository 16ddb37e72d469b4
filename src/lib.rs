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

// What the library is used through, with the rooms of what it takes and answers.
pub mod change;
pub mod config;
pub mod finding;
pub mod query;
pub mod report;
pub mod rules;
pub mod source;

// Public for tests and benchmarks, which hold them against oracles: a build against kustomize, the graph against random
// clusters, the times against what real controllers did.
pub mod catalog;
pub mod cluster;
pub mod flux;
pub mod graph;
pub mod kustomize;
pub mod situation;
pub mod timing;
pub mod yaml;

mod cli;
mod run;

pub use cli::main;
pub use run::{
    Analysis, Draft, Error, FolderBuild, Found, InMemory, Options, Session, Stage, State, Stdin, Survey, artifact_root,
    build_folder, compare, diff, draft, lint, lint_since, revisions, survey,
};
