use std::sync::OnceLock;

use rustc_hash::FxHashMap;
use serde::Deserialize;
use smol_str::SmolStr;

use super::Confidence;
use crate::yaml;

static CRDS: &str = include_str!("../../rules/catalog/crds.yaml");

/// Which charts install the definitions (CRDs) of which API groups.
#[derive(Debug)]
pub struct CrdCatalog {
    rows: Vec<CrdOwner>,
    by_group: FxHashMap<SmolStr, Vec<usize>>,
}

/// The charts that install the definitions of one API group, or of some kinds of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrdOwner {
    /// API group of the custom resources.
    pub group: SmolStr,
    /// The kinds it holds for; all of the group where empty.
    #[serde(default)]
    pub kinds: Vec<SmolStr>,
    /// Charts that install the definitions with their default values, by chart name.
    #[serde(default)]
    pub charts: Vec<SmolStr>,
    /// Charts that install them only where a value says so, and the value, such as `crds.enabled`.
    #[serde(default)]
    pub with_value: Vec<ChartValue>,
    /// Whether objects of the group are mere additions that nothing waits for (monitors, alerts, dashboards).
    #[serde(default)]
    pub soft: bool,
    /// How sure the row is.
    pub confidence: Confidence,
    /// Where it was read: a repository and path, or a documentation page.
    pub source: SmolStr,
}

/// A chart that installs definitions where one of its values is true.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChartValue {
    /// Chart name.
    pub chart: SmolStr,
    /// Dotted path of the value, for instance `crds.enabled`.
    pub value: SmolStr,
}

impl CrdCatalog {
    /// The catalogue that is compiled in; parsed when first asked for.
    #[must_use]
    pub fn builtin() -> &'static Self {
        static BUILTIN: OnceLock<CrdCatalog> = OnceLock::new();
        BUILTIN.get_or_init(|| Self::parse(CRDS).expect("internal: the compiled-in catalogue is well formed"))
    }

    /// The row for `kind` of `group`: one that names the kind before one for the whole group.
    #[must_use]
    pub fn owner(&self, group: &str, kind: &str) -> Option<&CrdOwner> {
        let rows = || self.by_group.get(group).into_iter().flatten().map(|row| &self.rows[*row]);
        rows()
            .find(|row| row.kinds.iter().any(|known| known == kind))
            .or_else(|| rows().find(|row| row.kinds.is_empty()))
    }

    /// All rows, sorted by group.
    pub fn rows(&self) -> impl Iterator<Item = &CrdOwner> {
        self.rows.iter()
    }

    fn parse(text: &str) -> Result<Self, String> {
        let rows: Vec<CrdOwner> = yaml::read_data(text)?;
        let mut by_group: FxHashMap<SmolStr, Vec<usize>> = FxHashMap::default();
        for (index, row) in rows.iter().enumerate() {
            by_group.entry(row.group.clone()).or_default().push(index);
        }
        Ok(Self { rows, by_group })
    }
}

impl CrdOwner {
    /// Whether `chart` installs these definitions. `value` tells a value of the release by its dotted path: `None` where
    /// it is not known or not set.
    #[must_use]
    pub fn is_installed_by(&self, chart: &str, value: &dyn Fn(&str) -> Option<bool>) -> bool {
        let is = |name: &SmolStr| name.eq_ignore_ascii_case(chart);
        self.charts.iter().any(is)
            || self.with_value.iter().any(|row| is(&row.chart) && value(&row.value) == Some(true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_loads_in_order_and_names_its_source() {
        let rows: Vec<_> = CrdCatalog::builtin().rows().collect();
        assert!(rows.is_sorted_by(|a, b| a.group <= b.group));
        for row in rows {
            assert!(!row.source.is_empty(), "{}", row.group);
            assert!(!row.charts.is_empty() || !row.with_value.is_empty(), "{}", row.group);
        }
    }

    #[test]
    fn a_chart_that_asks_for_a_value_installs_only_with_it() {
        let owner = CrdCatalog::builtin().owner("cert-manager.io", "Certificate").expect("listed");
        assert!(!owner.is_installed_by("cert-manager", &|_| None));
        assert!(owner.is_installed_by("cert-manager", &|value| Some(value == "crds.enabled")));
    }
}
