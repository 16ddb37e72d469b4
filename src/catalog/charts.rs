//! The chart catalogue: how long well-known Helm charts take to become Ready in a cold start.
//!
//! The data is `rules/catalog/charts.yaml`, compiled in; what each row rests on is in `charts-evidence.yaml` beside it.

use std::{sync::OnceLock, time::Duration};

use rustc_hash::FxHashMap;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smol_str::SmolStr;

static CHARTS: &str = super::compiled!("charts");

/// Weights of charts, by chart name.
#[derive(Debug)]
pub struct Catalog {
    rows: Vec<ChartWeight>,
    by_name: FxHashMap<SmolStr, usize>,
}

/// How long one chart takes from its first reconciliation to Ready, with empty image caches and disks.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChartWeight {
    /// Chart name.
    #[serde(rename = "chart")]
    pub name: SmolStr,
    /// Class of the typical figure on slow hardware.
    pub class: ChartClass,
    /// What the chart installs: `controller`, `operator`, `stack`, `cni`, `storage`, …
    pub kind: SmolStr,
    /// The step by hand, or from outside, without which it never becomes Ready.
    #[serde(default)]
    pub gate: Option<SmolStr>,
    /// Whether other publishers use the name for something else; the row then holds for its `sources` alone.
    #[serde(default)]
    pub homonym: bool,
    /// On homelab hardware: 3 nodes of 2–4 slow cores, 5–10 MB/s from the registry.
    pub slow: Range,
    /// On datacentre hardware: 3 or more nodes of 4 or more fast cores, 20–40 MB/s from the registry per node.
    pub fast: Range,
    /// How sure the figures are.
    pub confidence: Confidence,
    /// What the figures rest on, strongest first: `measured`, `documented`, `user-timeouts`, `structural`,
    /// `structural-filelist`, `assumed-layout`.
    #[serde(default)]
    pub basis: Vec<SmolStr>,
    /// Other names of the same chart: renames, forks and repackagings of the same weight.
    #[serde(default)]
    pub aliases: Vec<SmolStr>,
    /// Repositories it is known to come from, given for homonyms.
    #[serde(default)]
    pub sources: Vec<SmolStr>,
}

/// Charts that give pods their network. A node without such a plugin stays NotReady, and no pod starts on it that does not use the
/// network of its host (Kubernetes, "Network Plugins"); those of Flux do not.
const NETWORK_PLUGINS: [&str; 8] =
    ["antrea", "aws-vpc-cni", "calico", "canal", "cilium", "flannel", "kube-ovn", "tigera-operator"];

/// Whether a chart is one without which no pod of Flux itself would run, unless another network plugin came first.
#[must_use]
pub fn is_network_plugin(chart: &str) -> bool {
    NETWORK_PLUGINS.contains(&chart)
}

/// A duration that is not known exactly. Rows have it in seconds, and so have answers for programs, as `low_s` and so on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Times")]
pub struct Range {
    /// A good day: small images, warm mirror. Whole seconds.
    #[serde(rename(serialize = "low_s"), deserialize_with = "seconds", serialize_with = "whole")]
    #[schemars(with = "u64")]
    pub low: Duration,
    /// What to expect. Whole seconds.
    #[serde(rename(serialize = "typical_s"), deserialize_with = "seconds", serialize_with = "whole")]
    #[schemars(with = "u64")]
    pub typical: Duration,
    /// A bad day. Whole seconds.
    #[serde(rename(serialize = "high_s"), deserialize_with = "seconds", serialize_with = "whole")]
    #[schemars(with = "u64")]
    pub high: Duration,
}

/// Classes of the typical figure on slow hardware.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChartClass {
    /// Up to 2 minutes.
    Light,
    /// Up to 5 minutes.
    Medium,
    /// More than 5 minutes.
    Heavy,
    /// The values decide; the figures are those of the most common ones.
    Variable,
}

/// How sure the figures of a row are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Derived from the chart's layout.
    Low,
    /// Backed by at least one published figure.
    Medium,
    /// Backed by several published measurements.
    High,
}

impl std::fmt::Display for Confidence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        })
    }
}

impl Range {
    /// Both, one after the other.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { low: self.low + other.low, typical: self.typical + other.typical, high: self.high + other.high }
    }

    /// So many times as long. A factor that is no number, or below nothing, changes nothing.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        let times =
            |duration: Duration| Duration::try_from_secs_f64(duration.as_secs_f64() * factor).unwrap_or(duration);
        Self { low: times(self.low), typical: times(self.typical), high: times(self.high) }
    }

    /// Both, side by side.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self { low: self.low.max(other.low), typical: self.typical.max(other.typical), high: self.high.max(other.high) }
    }
}

impl Catalog {
    /// The catalogue that is compiled in; parsed when first asked for.
    #[must_use]
    pub fn builtin() -> &'static Self {
        static BUILTIN: OnceLock<Catalog> = OnceLock::new();
        BUILTIN.get_or_init(|| Self::parse(CHARTS).expect("internal: the compiled-in catalogue is well formed"))
    }

    /// The row of `chart`: by name, else by alias, upper and lower case alike. `url`, that of the repository or of the
    /// OCI artifact, settles whether a name that several publishers use means the chart of the row; without it, it does.
    #[must_use]
    pub fn lookup(&self, chart: &str, url: Option<&str>) -> Option<&ChartWeight> {
        let row = match self.by_name.get(chart) {
            Some(row) => row,
            None => self.by_name.get(chart.to_ascii_lowercase().as_str())?,
        };
        let row = &self.rows[*row];
        let elsewhere = row.homonym && url.is_some_and(|url| !row.comes_from(url));
        (!elsewhere).then_some(row)
    }

    /// All rows, sorted by name.
    #[cfg(test)]
    pub(crate) fn rows(&self) -> impl Iterator<Item = &ChartWeight> {
        self.rows.iter()
    }

    /// Reads a catalogue. The error says which row is wrong, and why.
    fn parse(text: &str) -> Result<Self, String> {
        let rows: Vec<ChartWeight> = super::read(text)?;
        let mut by_name = FxHashMap::default();
        for (index, row) in rows.iter().enumerate() {
            for range in [row.slow, row.fast] {
                if !(range.low <= range.typical && range.typical <= range.high) {
                    return Err(format!("{}: a range that does not ascend", row.name));
                }
            }
            for name in std::iter::once(&row.name).chain(&row.aliases) {
                if by_name.insert(name.clone(), index).is_some() {
                    return Err(format!("{name}: named twice"));
                }
            }
        }
        Ok(Self { rows, by_name })
    }
}

impl ChartWeight {
    /// Whether `url` is one of the sources, or the repository that holds one of them.
    fn comes_from(&self, url: &str) -> bool {
        let url = url.trim_end_matches('/').to_ascii_lowercase();
        self.sources.iter().any(|source| {
            let rest = source.strip_prefix(url.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.strip_prefix('/') == Some(self.name.as_str()))
        })
    }
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_secs)
}

fn whole<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(duration.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_loads_in_order_and_in_its_class() {
        let rows: Vec<_> = Catalog::builtin().rows().collect();
        assert_eq!(rows.len(), 222);
        assert!(rows.is_sorted_by(|a, b| a.name < b.name));
        for row in rows {
            let typical = row.slow.typical.as_secs();
            let class = if typical > 300 {
                ChartClass::Heavy
            } else if typical > 120 {
                ChartClass::Medium
            } else {
                ChartClass::Light
            };
            assert!(row.class == class || row.class == ChartClass::Variable, "{}", row.name);
            assert!(!row.basis.is_empty(), "{}", row.name);
            assert!(!row.homonym || !row.sources.is_empty(), "{}: a homonym without sources", row.name);
            let names = std::iter::once(&row.name).chain(&row.aliases);
            assert!(names.clone().all(|name| *name == name.to_ascii_lowercase()), "{}", row.name);
            assert!(names.clone().all(|name| !name.contains([' ', '/', '(', '$'])), "{}", row.name);
        }
    }

    #[test]
    fn weights_are_found_by_name_in_any_case_and_by_alias() {
        let catalog = Catalog::builtin();
        let prometheus = catalog.lookup("Kube-Prometheus-Stack", None).expect("listed");
        assert_eq!((prometheus.class, prometheus.slow.typical), (ChartClass::Heavy, Duration::from_mins(10)));
        assert_eq!(prometheus.confidence, Confidence::High);
        assert_eq!(catalog.lookup("prometheus-operator", None), Some(prometheus));
        assert_eq!(catalog.lookup("no-such-chart", None), None);
    }

    #[test]
    fn the_postgres_operators_of_two_publishers_are_two_rows() {
        let catalog = Catalog::builtin();
        let crunchy =
            catalog.lookup("pgo", Some("oci://registry.developers.crunchydata.com/crunchydata")).expect("listed");
        assert_eq!(crunchy.class, ChartClass::Medium);
        assert_eq!(crunchy.slow.typical, Duration::from_mins(3));
        assert_eq!(crunchy.slow.high, Duration::from_mins(8));
        assert_ne!(catalog.lookup("postgres-operator", None), Some(crunchy));
    }

    #[test]
    fn a_common_name_counts_only_from_a_known_source() {
        let catalog = Catalog::builtin();
        let from = |url| catalog.lookup("gateway", url).is_some();
        assert!(from(None));
        assert!(from(Some("https://istio-release.storage.googleapis.com/charts/")));
        assert!(!from(Some("https://example.org/charts")));
        let oci = |url| catalog.lookup("base", Some(url)).is_some();
        assert!(oci("oci://gcr.io/istio-release/charts/base"));
        assert!(oci("oci://gcr.io/istio-release/charts"));
        assert!(!oci("oci://gcr.io/istio-release/char"));
    }

    #[test]
    fn a_wrong_row_is_named() {
        let row = "- {chart: a, class: light, kind: app, confidence: low, fast: {low: 3, typical: 2, high: 4}, slow: {low: 1, typical: 1, high: 1}}";
        let error = Catalog::parse(&crate::catalog::compile(row)).expect_err("out of order");
        assert!(error.starts_with("a: "), "{error}");
    }

    #[test]
    fn evidence_is_about_charts_of_the_catalogue() {
        let text = include_bytes!("../../rules/catalog/charts-evidence.yaml");
        let file = crate::yaml::parse(crate::source::FileId::NONE, text);
        assert_eq!(file.errors().count(), 0);
        let rows: Vec<&str> = Catalog::builtin().rows().map(|row| row.name.as_str()).collect();
        let reported: Vec<&str> = file.documents[0].root.entries().map(|entry| entry.key.as_str()).collect();
        assert_eq!(reported, rows, "each row has its entry, in the same order");
        for entry in file.documents[0].root.entries() {
            let row = Catalog::builtin().lookup(&entry.key, None).expect("listed");
            let has = |key: &str| entry.value.get(key).is_some();
            assert!(has("as-of"), "{} has no date", entry.key);
            assert!(
                has("evidence") || has("sources") || has("note") || !row.sources.is_empty(),
                "{} has no source",
                entry.key
            );
            let is_backed = row.confidence > Confidence::Low;
            assert!(!is_backed || has("evidence"), "{}: {} confidence without evidence", entry.key, row.confidence);
        }
    }
}
