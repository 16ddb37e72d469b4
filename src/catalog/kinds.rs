use std::sync::OnceLock;

use rustc_hash::FxHashMap;
use serde::Deserialize;
use smol_str::SmolStr;

use super::Confidence;

static KINDS: &str = super::compiled!("kinds");

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
    /// Whether there is nothing to wait for: mere configuration that its controller reads, or work on a schedule.
    #[serde(default)]
    pub harmless: bool,
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

    /// Reads a catalogue. The error says which row is wrong, and why.
    fn parse(text: &str) -> Result<Self, String> {
        let rows: Vec<KindStatus> = super::read(text)?;
        let mut by_kind = FxHashMap::default();
        for (index, row) in rows.iter().enumerate() {
            row.check()?;
            if by_kind.insert((row.group.clone(), row.kind.clone()), index).is_some() {
                return Err(format!("{}/{}: listed twice", row.group, row.kind));
            }
        }
        Ok(Self { rows, by_kind })
    }
}

impl KindStatus {
    /// What is wrong with the row by itself.
    fn check(&self) -> Result<(), String> {
        let wrong = if self.source.is_empty() {
            "no source"
        } else if self.harmless && (self.readiness != Readiness::Blind || self.current.is_some()) {
            "harmless, so there is nothing to read"
        } else {
            return Ok(());
        };
        Err(format!("{}/{}: {wrong}", self.group, self.kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(group: &str, kind: &str) -> Option<&'static KindStatus> {
        KindCatalog::builtin().status(group, kind)
    }

    #[test]
    fn every_row_loads_in_order() {
        let rows: Vec<_> = KindCatalog::builtin().rows().collect();
        assert!(rows.is_sorted_by(|a, b| (&a.group, &a.kind) < (&b.group, &b.kind)));
        assert!(rows.iter().all(|row| row.source.contains('/')));
        let expressions = rows.iter().filter_map(|row| row.current.as_deref());
        for current in expressions {
            assert!(current.contains("status."), "{current}");
            let count = |sign| current.matches(sign).count();
            assert!(count('(') == count(')') && count('[') == count(']') && count('\'') % 2 == 0, "{current}");
        }
    }

    #[test]
    fn a_kind_is_found_by_its_group_and_name() {
        assert_eq!(status("bitnami.com", "SealedSecret").map(|row| row.readiness), Some(Readiness::Blind));
        assert_eq!(status("cert-manager.io", "Certificate").map(|row| row.readiness), Some(Readiness::Ready));
        assert_eq!(status("example.org", "Certificate"), None);
    }

    #[test]
    fn what_only_configures_a_controller_is_harmless() {
        assert!(status("metallb.io", "IPAddressPool").is_some_and(|row| row.harmless));
        assert!(status("bitnami.com", "SealedSecret").is_some_and(|row| !row.harmless));
    }

    #[test]
    fn a_wrong_row_is_named() {
        for (row, wrong) in [
            ("- {group: a.b, kind: K, readiness: blind, confidence: low, source: ''}", "a.b/K: no source"),
            (
                "- {group: a.b, kind: K, readiness: ready, harmless: true, confidence: low, source: c/d}",
                "a.b/K: harmless",
            ),
        ] {
            let error = KindCatalog::parse(&crate::catalog::compile(row)).expect_err(row);
            assert!(error.starts_with(wrong), "{error}");
        }
    }
}
