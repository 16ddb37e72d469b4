//! What a file has to hold to be worth reading.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder};

use super::names::{COMMON, variants};
use crate::catalog::CrdCatalog;

/// One automaton over everything that may be asked for. Most files of a large playbook hold nothing of it, and are passed
/// over after one walk through their bytes.
pub(super) struct Needles(Option<AhoCorasick>);

/// What begins a command or an object.
const STARTS: [&str; 4] = ["kubectl", "kustomize", "flux create secret", "metadata"];

impl Needles {
    /// Looks for the charts, projects and groups of the catalogue, and for `names` of releases.
    pub(super) fn new<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        let mut all: BTreeSet<String> = STARTS.into_iter().map(str::to_owned).collect();
        for row in CrdCatalog::builtin().rows() {
            all.insert(row.group.to_string());
            all.extend(row.projects().map(str::to_owned));
            all.extend(row.all_charts().flat_map(variants));
        }
        all.extend(names.flat_map(variants));
        // Words that stand anywhere count where they name a chart.
        for common in COMMON {
            all.remove(common);
            all.extend([format!("/{common}"), format!("chart: {common}"), format!("chart: \"{common}")]);
        }
        all.retain(|needle| needle.len() > 2);
        // Without the automaton every file is read, which only takes longer.
        Self(AhoCorasickBuilder::new().ascii_case_insensitive(true).build(all).ok())
    }

    /// Finds every file worth reading.
    pub(super) const fn none() -> Self {
        Self(None)
    }

    /// Whether any of them stands in a file.
    pub(super) fn are_in(&self, bytes: &[u8]) -> bool {
        self.0.as_ref().is_none_or(|automaton| automaton.is_match(bytes))
    }
}
