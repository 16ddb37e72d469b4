//! YAML, with the place of everything. The only room that knows the YAML crates.
//!
//! [`parse`] turns a file into [`Document`]s of [`Node`]s in one pass: it resolves plain scalars as kustomize does,
//! expands merge keys, shares what an alias repeats, and goes on behind a document that does not parse. A [`Store`]
//! does that at most once per file. One tree type serves for reading and for building: nodes are shared copy-on-write,
//! so a build that changes one field copies the few maps above it and nothing else, and every node keeps the [`Span`]
//! of the text that decided it.
//!
//! [`Span`]: crate::source::Span

mod anchors;
mod budget;
mod de;
mod document;
mod emit;
mod node;
mod parse;
mod print;
mod scalar;
mod spanned;
mod store;
mod trail;

pub use de::{DecodeError, decode, decode_lenient};
pub use document::{Comment, Document, File, Problem, ProblemKind, ValuesBelow};
#[cfg(test)]
pub(crate) use emit::canonical::canonical_json;
pub use emit::{Style, double_quoted, is_plain_scalar, style_of};
pub use node::{Entry, Map, Node, Value};
pub(crate) use parse::key_text;
pub use parse::{comments, parse, parse_legacy};
pub use print::{to_yaml, to_yaml_with_notes};
pub use scalar::{resolve_legacy, resolve_plain};
pub use spanned::Spanned;
pub use store::{Parsed, Store};
pub use trail::Trail;
