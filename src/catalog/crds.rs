use std::sync::OnceLock;

use rustc_hash::{FxHashMap, FxHashSet};
use serde::Deserialize;
use smol_str::SmolStr;

use super::Confidence;

static CRDS: &str = super::compiled!("crds");

/// Which charts install the CRDs of which API groups.
#[derive(Debug)]
pub struct CrdCatalog {
    rows: Vec<CrdOwner>,
    by_group: FxHashMap<SmolStr, Vec<usize>>,
}

/// The charts that install the CRDs of one API group, or of some kinds of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrdOwner {
    /// API group of the custom resources.
    pub group: SmolStr,
    /// The kinds it holds for; all of the group where empty.
    #[serde(default)]
    pub kinds: Vec<SmolStr>,
    /// Charts that install the CRDs with their default values, by chart name.
    #[serde(default)]
    pub charts: Vec<SmolStr>,
    /// Charts that install them only where a value says so, and the value, such as `crds.enabled`.
    #[serde(default)]
    pub with_value: Vec<ChartValue>,
    /// Values that turn off what a chart of `charts` installs by default, where they are false.
    #[serde(default)]
    pub unless_false: Vec<ChartValue>,
    /// Charts whose `crds/` folder holds the CRDs, so that a HelmRelease with `install.crds: Skip` leaves them out.
    #[serde(default)]
    pub crds_folder: Vec<SmolStr>,
    /// Whether the chart holds no CRD: a controller that it starts creates them.
    #[serde(default)]
    pub at_runtime: bool,
    /// How the CRDs get there without any of the charts, where that is usual.
    #[serde(default)]
    pub otherwise: Option<SmolStr>,
    /// Kinds of the row whose objects belong to a namespace, where that was looked up.
    #[serde(default)]
    pub namespaced: Vec<SmolStr>,
    /// Whether objects of the group are mere additions that nothing waits for (monitors, alerts, dashboards).
    #[serde(default)]
    pub soft: bool,
    /// Repositories, `owner/name`, of projects whose releases have the CRDs, beside the one in `source`.
    #[serde(default)]
    pub projects: Vec<SmolStr>,
    /// How sure the row is.
    pub confidence: Confidence,
    /// Where it was read: a repository and path, or a documentation page.
    pub source: SmolStr,
}

/// A chart, and the value of it that decides whether it installs crds.
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

    /// All rows, sorted by group and kinds.
    pub fn rows(&self) -> impl Iterator<Item = &CrdOwner> {
        self.rows.iter()
    }

    /// Reads a catalogue. The error says which row is wrong, and why.
    fn parse(text: &str) -> Result<Self, String> {
        let rows: Vec<CrdOwner> = super::read(text)?;
        let mut by_group: FxHashMap<SmolStr, Vec<usize>> = FxHashMap::default();
        let mut listed: FxHashSet<(&str, Option<&str>)> = FxHashSet::default();
        for (index, row) in rows.iter().enumerate() {
            row.check()?;
            let whole = row.kinds.is_empty().then_some(None);
            for kind in row.kinds.iter().map(|kind| Some(kind.as_str())).chain(whole) {
                if !listed.insert((&row.group, kind)) {
                    return Err(format!("{}: listed twice: {}", row.group, kind.unwrap_or("the whole group")));
                }
            }
            by_group.entry(row.group.clone()).or_default().push(index);
        }
        Ok(Self { rows, by_group })
    }
}

impl CrdOwner {
    /// Whether `chart` installs these crds. `value` tells a value of the release by its dotted path: `None` where
    /// it is not known or not set.
    #[must_use]
    pub fn is_installed_by(&self, chart: &str, value: &dyn Fn(&str) -> Option<bool>) -> bool {
        let any = |rows: &[ChartValue], is: bool| {
            rows.iter().any(|row| row.chart.eq_ignore_ascii_case(chart) && value(&row.value) == Some(is))
        };
        let by_default = is_among(&self.charts, chart) && !any(&self.unless_false, false);
        by_default || any(&self.with_value, true)
    }

    /// Whether the CRDs are in the `crds/` folder of `chart`. A HelmRelease with `spec.install.crds: Skip` installs
    /// none of that folder; CRDs in templates it installs all the same (helm-controller v1.5.1,
    /// `internal/action/crds.go`).
    #[must_use]
    pub fn is_in_crds_folder_of(&self, chart: &str) -> bool {
        is_among(&self.crds_folder, chart)
    }

    /// The repositories of the projects whose CRDs these are, `owner/name`.
    pub fn projects(&self) -> impl Iterator<Item = &str> {
        let source = self.source.split_once(':').map(|(repository, _)| repository);
        self.projects.iter().map(SmolStr::as_str).chain(source)
    }

    /// The charts that install the CRDs, whatever their values.
    pub fn all_charts(&self) -> impl Iterator<Item = &str> {
        self.charts.iter().chain(self.with_value.iter().map(|row| &row.chart)).map(SmolStr::as_str)
    }

    /// What is wrong with the row by itself.
    fn check(&self) -> Result<(), String> {
        let installs = |chart: &SmolStr| self.charts.contains(chart);
        let may_install = |chart: &SmolStr| installs(chart) || self.with_value.iter().any(|row| row.chart == *chart);
        let wrong = if self.source.is_empty() {
            "no source"
        } else if self.charts.is_empty() && self.with_value.is_empty() && self.otherwise.is_none() {
            "neither a chart nor another way"
        } else if !self.unless_false.iter().all(|row| installs(&row.chart)) {
            "`unless_false` names a chart that installs nothing by default"
        } else if !self.crds_folder.iter().all(may_install) {
            "`crds_folder` names a chart that installs nothing"
        } else {
            return Ok(());
        };
        Err(format!("{}: {wrong}", self.group))
    }
}

fn is_among(charts: &[SmolStr], chart: &str) -> bool {
    charts.iter().any(|name| name.eq_ignore_ascii_case(chart))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unset(_: &str) -> Option<bool> {
        None
    }

    fn owner(group: &str, kind: &str) -> &'static CrdOwner {
        CrdCatalog::builtin().owner(group, kind).expect("listed")
    }

    #[test]
    fn every_row_loads_in_order() {
        let rows: Vec<_> = CrdCatalog::builtin().rows().collect();
        assert!(rows.is_sorted_by(|a, b| (&a.group, &a.kinds) < (&b.group, &b.kinds)));
        for row in &rows {
            assert!(row.kinds.is_sorted(), "{}", row.group);
            assert!(row.source.contains('/'), "{}: {}", row.group, row.source);
            assert!(!row.at_runtime || row.crds_folder.is_empty(), "{}", row.group);
            for chart in &row.charts {
                assert!(!chart.contains(['/', ' ']) && *chart == chart.to_ascii_lowercase(), "{}: {chart}", row.group);
            }
        }
    }

    #[test]
    fn a_chart_that_asks_for_a_value_installs_only_with_it() {
        let owner = owner("cert-manager.io", "Certificate");
        assert!(!owner.is_installed_by("cert-manager", &unset));
        assert!(owner.is_installed_by("cert-manager", &|value| Some(value == "crds.enabled")));
        assert!(!owner.is_installed_by("cert-manager-csi-driver", &|_| Some(true)));
    }

    #[test]
    fn a_chart_installs_by_default_until_a_value_turns_that_off() {
        let owner = owner("external-secrets.io", "ExternalSecret");
        assert!(owner.is_installed_by("External-Secrets", &unset));
        assert!(owner.is_installed_by("external-secrets", &|_| Some(true)));
        assert!(!owner.is_installed_by("external-secrets", &|value| (value == "installCRDs").then_some(false)));
    }

    #[test]
    fn what_is_in_the_crds_folder_of_a_chart_is_told_from_what_is_in_its_templates() {
        assert!(owner("kafka.strimzi.io", "Kafka").is_in_crds_folder_of("strimzi-kafka-operator"));
        assert!(!owner("external-secrets.io", "ExternalSecret").is_in_crds_folder_of("external-secrets"));
    }

    #[test]
    fn a_row_that_names_the_kind_comes_before_that_of_the_group() {
        assert!(owner("monitoring.coreos.com", "ServiceMonitor").soft);
        assert!(!owner("monitoring.coreos.com", "Prometheus").soft);
        assert_eq!(CrdCatalog::builtin().owner("no.such.group", "Thing"), None);
    }

    #[test]
    fn a_wrong_row_is_named() {
        for (row, wrong) in [
            ("- {group: a.b, confidence: low, source: c/d}", "a.b: neither"),
            ("- {group: a.b, charts: [c], confidence: low, source: ''}", "a.b: no source"),
            (
                "- {group: a.b, charts: [c], unless_false: [{chart: d, value: e}], confidence: low, source: c/d}",
                "a.b: `unless_false`",
            ),
            ("- {group: a.b, charts: [c], crds_folder: [d], confidence: low, source: c/d}", "a.b: `crds_folder`"),
            (
                "- {group: a.b, kinds: [K], charts: [c], confidence: low, source: c/d}\n\
                 - {group: a.b, kinds: [J, K], charts: [d], confidence: low, source: c/d}",
                "a.b: listed twice: K",
            ),
        ] {
            let error = CrdCatalog::parse(&crate::catalog::compile(row)).expect_err(row);
            assert!(error.starts_with(wrong), "{error}");
        }
    }
}
