//! What is known of the world outside the repository: data with a source for each row, compiled in from
//! `rules/catalog/`. It says how long charts take, which chart installs which custom resources, which fields Flux's own
//! kinds have, and of which kinds the health check can read nothing.

mod charts;
mod classes;
mod crds;
mod fields;
mod kinds;
mod namespaces;

pub use charts::{Catalog, ChartClass, ChartWeight, Confidence, Range, is_network_plugin};
pub use classes::{ClassCatalog, StorageClassRow};
pub use crds::{CrdCatalog, CrdOwner};
pub use fields::{FieldCatalog, Fields};
pub use kinds::{KindCatalog, KindStatus, Readiness};
pub use namespaces::{NamespaceCatalog, NamespaceRow};
