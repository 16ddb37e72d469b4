use std::sync::OnceLock;

use serde::Deserialize;
use smol_str::SmolStr;

use super::{Confidence, is_set, sorted_rows};
use crate::yaml::Node;

static DATA: &str = super::compiled!("data");

/// Custom resources that take data along when they are deleted, by group and kind.
#[derive(Debug)]
pub struct DataCatalog {
    rows: Vec<DataRow>,
}

/// A kind of custom resources that takes data along.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataRow {
    /// API group.
    pub group: SmolStr,
    /// Kind.
    pub kind: SmolStr,
    /// `field=value` of an object whose data stays.
    #[serde(default)]
    pub kept: Vec<SmolStr>,
    /// How sure the row is.
    pub confidence: Confidence,
    /// Where it was read.
    pub source: SmolStr,
}

impl DataCatalog {
    /// The catalogue that is compiled in; parsed when first asked for.
    #[must_use]
    pub fn builtin() -> &'static Self {
        static BUILTIN: OnceLock<DataCatalog> = OnceLock::new();
        BUILTIN.get_or_init(|| Self::parse(DATA).expect("internal: the compiled-in catalogue is well formed"))
    }

    /// The row of `kind` of `group`.
    #[must_use]
    pub fn row(&self, group: &str, kind: &str) -> Option<&DataRow> {
        let found = self.rows.binary_search_by(|row| (row.group.as_str(), row.kind.as_str()).cmp(&(group, kind)));
        found.ok().map(|row| &self.rows[row])
    }

    fn parse(text: &str) -> Result<Self, String> {
        let key = |row: &DataRow| (row.group.clone(), row.kind.clone());
        Ok(Self { rows: sorted_rows(text, key, |row| format!("{}/{}", row.group, row.kind))? })
    }
}

impl DataRow {
    /// Whether the object says that its data is to stay.
    #[must_use]
    pub fn is_kept(&self, object: &Node) -> bool {
        self.kept.iter().filter_map(|entry| entry.split_once('=')).any(|(field, value)| {
            // The key of an annotation has dots of its own.
            let keys: Vec<&str> = match field.strip_prefix("metadata.annotations.") {
                Some(key) => vec!["metadata", "annotations", key],
                None => field.split('.').collect(),
            };
            is_set(object, &keys, value)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Span;

    #[test]
    fn a_database_is_known_and_so_is_what_keeps_its_data() {
        let all = DataCatalog::builtin();
        assert!(all.row("postgresql.cnpg.io", "Cluster").is_some() && all.row("cluster.x-k8s.io", "Cluster").is_none());
        let row = all.row("elasticsearch.k8s.elastic.co", "Elasticsearch").expect("a row");
        let mut object = Node::empty_map(Span::NONE);
        assert!(!row.is_kept(&object));
        let spec = object.ensure_map(&["spec"], Span::NONE).expect("made");
        spec.set("volumeClaimDeletePolicy", Node::str("DeleteOnScaledownOnly", Span::NONE));
        assert!(row.is_kept(&object));
        assert!(all.rows.iter().all(|row| row.source.contains('/')));
    }
}
