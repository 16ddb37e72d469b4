use std::sync::OnceLock;

use serde::Deserialize;
use smol_str::SmolStr;

use super::{Confidence, sorted_rows};

static CLASSES: &str = super::compiled!("storage-classes");

/// Well-known StorageClasses, by name.
#[derive(Debug)]
pub struct ClassCatalog {
    rows: Vec<StorageClassRow>,
}

/// A StorageClass that charts make with their default values.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StorageClassRow {
    /// Its name.
    pub name: SmolStr,
    /// The charts that make it; empty where the cluster's distribution provides it.
    pub charts: Vec<SmolStr>,
    /// Whether it binds a claim only once a pod uses it (`WaitForFirstConsumer`).
    pub waits: bool,
    /// How sure the row is.
    pub confidence: Confidence,
    /// Where it was read.
    pub source: SmolStr,
}

impl ClassCatalog {
    /// The catalogue that is compiled in; parsed when first asked for.
    #[must_use]
    pub fn builtin() -> &'static Self {
        static BUILTIN: OnceLock<ClassCatalog> = OnceLock::new();
        BUILTIN.get_or_init(|| Self::parse(CLASSES).expect("internal: the compiled-in catalogue is well formed"))
    }

    /// The row of a class.
    #[must_use]
    pub fn class(&self, name: &str) -> Option<&StorageClassRow> {
        self.rows.binary_search_by(|row| row.name.as_str().cmp(name)).ok().map(|row| &self.rows[row])
    }

    fn parse(text: &str) -> Result<Self, String> {
        let rows = sorted_rows(text, |row: &StorageClassRow| row.name.clone(), |row| row.name.to_string())?;
        Ok(Self { rows })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_found_by_name() {
        let catalog = ClassCatalog::builtin();
        assert!(catalog.rows.iter().all(|row| !row.source.is_empty()));
        assert!(catalog.class("local-path").is_some_and(|row| row.waits));
        assert!(catalog.class("longhorn").is_some_and(|row| !row.waits) && catalog.class("fast").is_none());
        assert!(ClassCatalog::parse(&crate::catalog::compile("- {name: b, charts: [], waits: true, confidence: low, source: x}\n- {name: a, charts: [], waits: true, confidence: low, source: x}")).is_err());
    }
}
