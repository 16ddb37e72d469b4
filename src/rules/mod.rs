//! The rules: what is worth saying about a cluster. A rule is a static and a function; it reads, and does nothing else.
//!
//! To add one: `src/rules/<id>.rs`, its page `rules/<id>.md`, and one line in the list below.

mod context;
mod dependencies;
mod names;
mod references;
mod wording;

pub use context::{Context, Situation};

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::{
    finding::{Finding, RuleInfo, Tier},
    source::{Span, Tree},
};

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// What is known of it without running it.
    pub info: RuleInfo,
    /// Looks at everything, and says what it finds.
    pub check: fn(&Context<'_>, &mut Vec<Finding>),
}

macro_rules! rules {
    ($($name:ident),+ $(,)?) => {
        $(mod $name;)+

        /// Every rule, sorted by id.
        pub static RULES: &[&Rule] = &[$(&$name::RULE),+];
    };
}

rules![
    build_failure,
    cross_namespace_reference,
    dangling_dependency,
    dependency_cycle,
    different_source_dependency,
    duplicate_node,
    duplicate_owner,
    heavy_in_wait,
    invalid_yaml,
    long_critical_path,
    missing_path,
    missing_source,
    missing_substitute_source,
    removed_api_version,
    renamed_reference,
    suspended_dependency,
    unknown_field,
    unset_variable,
    wait_deadlock,
    wrong_kind_dependency,
    wrong_namespace_dependency,
];

/// Runs every rule; those of the pedantic tier where they are asked for. What holds alike in several clusters is one finding; all are sorted by place.
#[must_use]
pub fn check(context: &Context<'_>) -> Vec<Finding> {
    let found: Vec<Vec<Finding>> = RULES
        .par_iter()
        .filter(|rule| rule.info.tier == Tier::Stable || (context.pedantic && rule.info.tier == Tier::Pedantic))
        .map(|rule| {
            let mut found = Vec::new();
            (rule.check)(context, &mut found);
            found
        })
        .collect();
    let mut findings = merge(found.into_iter().flatten(), context.tree);
    findings.sort_by(|left, right| sort_key(left, context.tree).cmp(&sort_key(right, context.tree)));
    findings
}

/// Joins findings that differ in their clusters alone.
fn merge(findings: impl Iterator<Item = Finding>, tree: &Tree) -> Vec<Finding> {
    let mut merged: BTreeMap<(String, u32, &str, String, String), Finding> = BTreeMap::new();
    for finding in findings {
        let (path, start) = place(finding.location.span(), tree);
        let key = (path.to_owned(), start, finding.rule, finding.message.clone(), finding.subject.to_string());
        match merged.get_mut(&key) {
            Some(known) => {
                known.clusters.extend(finding.clusters);
                known.clusters.sort_unstable();
                known.clusters.dedup();
                // Where one cluster shows more than another, the stronger statement stands.
                if (finding.severity, finding.confidence) > (known.severity, known.confidence) {
                    let clusters = std::mem::take(&mut known.clusters);
                    *known = Finding { clusters, ..finding };
                }
            }
            None => {
                merged.insert(key, finding);
            }
        }
    }
    merged.into_values().collect()
}

fn place(span: Option<Span>, tree: &Tree) -> (&str, u32) {
    span.map_or(("", 0), |span| (tree.path(span.file), span.start))
}

fn sort_key<'a>(finding: &'a Finding, tree: &'a Tree) -> (&'a str, u32, &'a str, &'a str) {
    let (path, start) = place(finding.location.span(), tree);
    (path, start, finding.rule, &finding.message)
}
