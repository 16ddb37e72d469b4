//! Which clusters a repository holds, and what each of them is made of: entry points, and everything they lead to.
//!
//! [`discover`] finds the root of the artifact and the Flux objects that files declare; [`resolve`] turns them into
//! [`Cluster`]s by building what each Kustomization applies, and what that applies in turn, until nothing new appears.

mod bootstrap;
mod broken;
mod builders;
mod charts;
mod closure;
mod comments;
mod configs;
mod controllers;
mod discover;
mod edit;
mod entries;
mod externals;
mod finish;
mod focus;
mod foreign;
mod growth;
mod health_set;
mod layout;
mod model;
mod present;
mod root;
mod scope;
mod sources;
mod supply;
mod wanted;

pub use broken::{BrokenDocument, broken_documents};
pub use builders::{Use, builders, is_decided_by};
pub use charts::{Chart, chart_of};
pub use comments::{Sight, suppressions};
pub use discover::{Declared, Discovered, discover};
pub use edit::{Edit, EditError};
pub use entries::resolve;
pub use externals::{External, Externals};
pub use focus::{Focus, Relation};
pub use health_set::{DEFAULT_API_VERSION, HealthMember, HealthSet, Skipped};
pub use model::{Cluster, Definition, Folder, Node, NodeId, NodeKey, ObjectKey, Provider, Release, is_named};
pub use present::flux_objects;
pub use root::{find_root, is_root};
pub use scope::Scope;
pub use supply::{ChartSupply, CustomKind, Made, MadeNamespace, Supply};
pub use wanted::{Named, Wanted, WantedError};

#[cfg(test)]
mod tests;
