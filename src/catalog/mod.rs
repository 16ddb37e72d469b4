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
pub use webhooks::{Selection, WebhookCatalog, WebhookRow};

use serde::de::DeserializeOwned;

use crate::yaml::{Node, Value};

/// The text of a file of `rules/catalog/`, in the JSON that the build script makes of its YAML.
macro_rules! compiled {
    ($name:literal) => {
        include_str!(concat!(env!("OUT_DIR"), "/", $name, ".json"))
    };
}
use compiled;

/// Reads a compiled-in text.
///
/// # Errors
/// What does not fit `T`, and where.
fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

/// A text as [`compiled`] would hold it.
#[cfg(test)]
fn compile(yaml: &str) -> String {
    let file = crate::yaml::parse(crate::source::FileId::NONE, yaml.as_bytes());
    serde_json::to_string(&file.documents[0].root).expect("JSON")
}

/// Whether the field at `keys` is what a row calls `text`: that text, or the truth value of that name.
fn is_set(node: &Node, keys: &[&str], text: &str) -> bool {
    node.find(keys).is_some_and(|found| match &found.value {
        Value::Bool(set) => text.parse() == Ok(*set),
        _ => found.as_str() == Some(text),
    })
}

/// The rows of a compiled-in file, which stand in the order of their keys so that they are found by search.
///
/// # Errors
/// Where the text is no list of such rows, and for the first row that is out of order.
fn sorted_rows<T: DeserializeOwned, K: Ord>(
    text: &str,
    key: impl Fn(&T) -> K,
    name: impl Fn(&T) -> String,
) -> Result<Vec<T>, String> {
    let rows: Vec<T> = read(text)?;
    match rows.windows(2).find(|pair| key(&pair[0]) >= key(&pair[1])) {
        Some(pair) => Err(format!("{}: out of order", name(&pair[1]))),
        None => Ok(rows),
    }
}
