use std::sync::OnceLock;

use serde::Deserialize;
use smol_str::SmolStr;

use super::{Confidence, sorted_rows};

static NAMESPACES: &str = super::compiled!("namespaces");

/// Namespaces that charts make beside the one they are installed into.
#[derive(Debug)]
pub struct NamespaceCatalog {
    rows: Vec<NamespaceRow>,
}

/// A namespace that charts make.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamespaceRow {
    /// Its name.
    pub name: SmolStr,
    /// The charts that make it.
    pub charts: Vec<SmolStr>,
    /// How sure the row is.
    pub confidence: Confidence,
    /// Where it was read.
    pub source: SmolStr,
}

impl NamespaceCatalog {
    /// The catalogue that is compiled in; parsed when first asked for.
    #[must_use]
    pub fn builtin() -> &'static Self {
        static BUILTIN: OnceLock<NamespaceCatalog> = OnceLock::new();
        BUILTIN.get_or_init(|| Self::parse(NAMESPACES).expect("internal: the compiled-in catalogue is well formed"))
    }

    /// Whether `chart` makes the namespace.
    #[must_use]
    pub fn makes(&self, chart: &str, namespace: &str) -> bool {
        let row = self.rows.binary_search_by(|row| row.name.as_str().cmp(namespace)).ok().map(|row| &self.rows[row]);
        row.is_some_and(|row| row.charts.iter().any(|known| known.eq_ignore_ascii_case(chart)))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let rows = sorted_rows(text, |row: &NamespaceRow| row.name.clone(), |row| row.name.to_string())?;
        Ok(Self { rows })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charts_make_the_namespaces_of_their_rows_and_no_others() {
        let catalog = NamespaceCatalog::builtin();
        assert!(catalog.rows.iter().all(|row| !row.source.is_empty() && !row.charts.is_empty()));
        assert!(catalog.makes("cilium", "cilium-secrets") && !catalog.makes("cilium", "web"));
        assert!(!catalog.makes("olm", "cilium-secrets"));
    }
}
