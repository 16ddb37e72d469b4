//! One run from beginning to end: files, clusters, graphs, rules; of one state of a repository or of two.

mod compare;
mod error;
mod folder;
mod lint;
mod locate;
mod options;
mod survey;

pub use compare::{State, compare, lint_since};
pub use error::Error;
pub use folder::{FolderBuild, build_folder};
pub use lint::{Analysis, Found, lint};
pub use options::{Options, Stage, Stdin};
pub use survey::{Survey, artifact_root, survey};
