//! Which clusters a repository holds, and what each of them is made of: entry points, and everything they lead to.
//!
//! [`discover`] finds the root of the artifact and the Flux objects that files declare; [`resolve`] turns them into
//! [`Cluster`]s by building what each Kustomization applies, and what that applies in turn, until nothing new appears.

mod broken;
mod charts;
mod closure;
mod controllers;
mod discover;
mod entries;
mod finish;
mod foreign;
mod growth;
mod layout;
mod model;
mod root;
mod scope;
mod sources;
mod wanted;

pub use broken::{BrokenDocument, broken_documents};
pub use charts::{Chart, chart_of};
pub use discover::{Declared, Discovered, discover};
pub use entries::resolve;
pub use model::{Cluster, Definition, Folder, Node, NodeId, NodeKey, ObjectKey, Provider, Release};
pub use root::find_root;
pub use scope::Scope;
pub use wanted::{Wanted, WantedError};

#[cfg(test)]
mod tests;
