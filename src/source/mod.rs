//! Files, and positions in them. This room is a leaf: it knows nothing of YAML, kustomize or Flux.
//!
//! A [`Tree`] owns every file below one folder; an [`Artifact`] is a view on it, the set of files that one
//! source-controller artifact would hold and the paths they have in there. A [`Span`] names bytes of one file and is
//! turned into lines and columns only when somebody prints it. A [`Mapping`] is a further folder of a tree, one that
//! stands for something outside the repository.

mod artifact;
mod error;
mod git;
mod harmless;
mod invocation;
mod line_index;
mod mapping;
pub(crate) mod names;
mod path;
mod pattern;
mod place;
mod remote;
mod span;
mod tree;

pub use artifact::Artifact;
pub use error::{GitError, SourceError};
pub use git::{Repository, Revision};
pub use harmless::{Syntax, harmless, is_obeyed, is_unprintable, printable, printable_lines, shell_word};
pub use invocation::{Invocation, absolute, is_present, presumed};
pub use line_index::{LineIndex, Position};
pub use mapping::{Mapped, MappedSource, Mapping};
pub use path::{is_below, is_yaml, join, normalize, parent, readable, slashed};
pub use pattern::Pattern;
pub use place::{LineColumn, Place};
pub use remote::RemoteUrl;
pub use span::{FileId, Span};
pub use tree::{Entry, Tree};
