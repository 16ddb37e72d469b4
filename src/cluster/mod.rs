//! Which clusters a repository holds, and what each of them is built from: entry points, and everything they lead to.
//!
//! [`discover`] finds the root of the artifact and the Flux objects that files declare; [`resolve`] turns them into
//! [`Cluster`]s by building what each Kustomization applies, and what that applies in turn, until nothing new appears.

mod bootstrap;
mod broken;
mod builders;
mod closure;
mod comments;
mod edit;
mod entries;
mod focus;
mod implicit;
mod model;

pub use bootstrap::{NamespaceTexts, has_word, makes_namespaces};
pub use broken::{BrokenDocument, broken_documents};
pub use builders::{Use, builders, is_decided_by};
pub use comments::{SuppressionScope, suppressions};
pub use edit::{Edit, EditError};
pub use entries::{
    coverage::{Assumed, Coverage, Unseen, Weight},
    discover::{Declared, Discovered, discover},
    present::flux_objects,
    resolve,
    root::{find_root, is_root},
    scope::Scope,
};
pub use focus::{Focus, Relation};
pub use implicit::{ChartProvider, CustomKind, Implicit, Made, MadeNamespace, installs_crds};
pub use model::{
    Cluster, Folder, Manifest, Node, NodeId, NodeKey, ObjectKey, Provider, Release,
    charts::{Chart, chart_of, workload_maker},
    externals::{External, Externals},
    folder_of,
    health_set::{DEFAULT_API_VERSION, HealthMember, HealthSet, Skipped},
    is_named,
    object_query::{ObjectQuery, ObjectQueryError, ObjectRef},
};

#[cfg(test)]
mod tests;
