//! One run from beginning to end: files, clusters, graphs, rules; of one state of a repository or of two.

mod compare;
mod diff;
mod error;
mod folder;
mod init;
mod lint;
mod locate;
mod options;
pub mod revisions;
mod session;
mod survey;

pub use compare::{compare, lint_since};
pub use diff::diff;
pub use error::Error;
pub use folder::{FolderBuild, build_folder};
pub use init::{Draft, draft};
pub use lint::{Analysis, lint};
pub use options::{InMemory, Options, Stage, Stdin};
pub(crate) use revisions::{base, between, repository};
pub use session::{Found, Session, State};
pub use survey::{Survey, artifact_root, survey};
