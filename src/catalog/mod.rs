//! What is known of the world outside the repository: data with a source for each row, compiled in from
//! `rules/catalog/`. It says how long charts take, which chart installs which custom resources, which webhooks refuse objects
//! until they are answered, which fields Flux's own kinds have, of which kinds the health check can read nothing, and which take data along when they are deleted.

mod charts;
mod classes;
mod crds;
mod data;
mod fields;
mod kinds;
mod namespaces;
mod webhooks;

pub use charts::{Catalog, ChartClass, ChartWeight, Confidence, Range, is_network_plugin};
pub use classes::{ClassCatalog, StorageClassRow};
pub use crds::{CrdCatalog, CrdOwner};
pub use data::{DataCatalog, DataRow};
pub use fields::{FieldCatalog, Fields};
pub use kinds::{KindCatalog, KindStatus, Readiness};
pub use namespaces::{NamespaceCatalog, NamespaceRow};
pub use webhooks::{WebhookCatalog, WebhookRow};

use serde::de::DeserializeOwned;

/// The rows of a compiled-in file, which stand in the order of their keys so that they are found by search.
///
/// # Errors
/// Where the text is no list of such rows, and for the first row that is out of order.
fn sorted_rows<T: DeserializeOwned, K: Ord>(
    text: &str,
    key: impl Fn(&T) -> K,
    name: impl Fn(&T) -> String,
) -> Result<Vec<T>, String> {
    let rows: Vec<T> = crate::yaml::read_data(text)?;
    match rows.windows(2).find(|pair| key(&pair[0]) >= key(&pair[1])) {
        Some(pair) => Err(format!("{}: out of order", name(&pair[1]))),
        None => Ok(rows),
    }
}
