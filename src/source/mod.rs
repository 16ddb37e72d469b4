//! Files, and positions in them. This room is a leaf: it knows nothing of YAML, kustomize or Flux.
//!
//! A [`Tree`] owns every file below one folder; an [`Artifact`] is a view on it, the set of files that one
//! source-controller artifact would hold and the paths they have in there. A [`Span`] names bytes of one file and is
//! turned into lines and columns only when somebody prints it.

mod artifact;
mod error;
mod line_index;
mod path;
mod span;
mod tree;

pub use artifact::Artifact;
pub use error::SourceError;
pub use line_index::{LineIndex, Position};
pub use path::{join, normalize, parent};
pub use span::{FileId, Span};
pub use tree::{Entry, Tree};
