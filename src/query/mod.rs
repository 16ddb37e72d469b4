//! Questions about a repository, and their answers: analysed clusters in, plain serializable data out. Nothing here reads
//! arguments or prints.

mod list;
mod location;

pub use list::{ListedCluster, ListedNode, Listing, Seconds, State, Unreached, has_safe_name, list};
pub use location::{Location, Position};
