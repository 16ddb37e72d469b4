use std::sync::OnceLock;

use rustc_hash::FxHashMap;
use serde::Deserialize;
use smol_str::SmolStr;

use super::Confidence;
use crate::yaml;

static KINDS: &str = include_str!("../../rules/catalog/kinds.yaml");

/// What the health check reads off custom resources, by group and kind.
#[derive(Debug)]
pub struct KindCatalog {
    rows: Vec<KindStatus>,
    by_kind: FxHashMap<(SmolStr, SmolStr), usize>,
}

/// What kstatus makes of the status of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindStatus {
    /// API group.
    pub group: SmolStr,
    /// Kind.
    pub kind: SmolStr,
    /// What kstatus sees.
    pub readiness: Readiness,
    /// The `healthCheckExprs` entry that reads it right, where one is known: the expression for `current`.
    #[serde(default)]
    pub current: Option<SmolStr>,
    /// How sure the row is.
    pub confidence: Confidence,
    /// Where it was read.
    pub source: SmolStr,
}

/// What kstatus sees of an object that its controller works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Readiness {
    /// A condition `Ready`: right once the controller has looked at the object, Current before.
    Ready,
    /// Nothing it understands: Current at once and always.
    Blind,
    /// A condition `Ready` that is false as long as the object does its work, so that it never becomes Current.
    Never,
}

impl KindCatalog {
    /// The catalogue that is compiled in; parsed when first asked for.
    #[must_use]
    pub fn builtin() -> &'static Self {
        static BUILTIN: OnceLock<KindCatalog> = OnceLock::new();
        BUILTIN.get_or_init(|| Self::parse(KINDS).expect("internal: the compiled-in catalogue is well formed"))
    }

    /// The row of `kind` of `group`.
    #[must_use]
    pub fn status(&self, group: &str, kind: &str) -> Option<&KindStatus> {
        self.by_kind.get(&(group.into(), kind.into())).map(|row| &self.rows[*row])
    }

    /// All rows, sorted by group and kind.
    pub fn rows(&self) -> impl Iterator<Item = &KindStatus> {
        self.rows.iter()
    }

    fn parse(text: &str) -> Result<Self, String> {
        let rows: Vec<KindStatus> = yaml::read_data(text)?;
        let mut by_kind = FxHashMap::default();
        for (index, row) in rows.iter().enumerate() {
            if by_kind.insert((row.group.clone(), row.kind.clone()), index).is_some() {
                return Err(format!("{}/{}: listed twice", row.group, row.kind));
            }
        }
        Ok(Self { rows, by_kind })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_loads_in_order_and_names_its_source() {
        let rows: Vec<_> = KindCatalog::builtin().rows().collect();
        assert!(rows.is_sorted_by(|a, b| (&a.group, &a.kind) < (&b.group, &b.kind)));
        assert!(rows.iter().all(|row| !row.source.is_empty()));
        assert_eq!(
            KindCatalog::builtin().status("bitnami.com", "SealedSecret").map(|row| row.readiness),
            Some(Readiness::Blind)
        );
    }
}
